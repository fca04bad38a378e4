"""Gives the parameters back: {"ok": true, "params": {...}}, byte for byte as JR_PARAMS holds them."""

import json
import os

params = os.environ["JR_PARAMS"]
json.loads(params)  # the file must be JSON; written again from Python, 1e999 or a 30-digit number would change
with open(os.path.join(os.environ["RESULT_DIR"], "result.json"), "w", encoding="utf-8") as f:
    f.write('{"ok": true, "params": ' + params + "}\n")
print("params:", params)
