"""Sleeps params' `seconds`, writes a result, ends with params' `exit` or by params' `signal`."""
import json
import os
import sys
import time

params = json.loads(os.environ["JR_PARAMS"])
print("napping", flush=True)
time.sleep(params.get("seconds", 0))
with open(os.path.join(os.environ["RESULT_DIR"], "result.json"), "w") as file:
    json.dump({"ok": True, "napped": params.get("seconds", 0)}, file)
if "signal" in params:
    os.kill(os.getpid(), params["signal"])
sys.exit(params.get("exit", 0))
