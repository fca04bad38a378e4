"""A task of an array: writes what it knows of it, and fails where params' `fail` names its index."""
import json
import os
import sys

params = json.loads(os.environ["JR_PARAMS"])
index = os.environ["SLURM_ARRAY_TASK_ID"]
with open(os.path.join(os.environ["RESULT_DIR"], "result.json"), "w") as file:
    json.dump({"index": index, "count": os.environ["SLURM_ARRAY_TASK_COUNT"]}, file)
sys.exit(1 if int(index) in params.get("fail", []) else 0)
