"""Keeps a diary of its runs in the file that params' `diary` names: start, end, and whether another run was there."""
import fcntl
import json
import os
import time

params = json.loads(os.environ["JR_PARAMS"])


def note(word):
    with open(params["diary"], "a", encoding="ascii") as diary:
        os.fchmod(diary.fileno(), 0o666)
        diary.write(f"{word} {os.environ['SLURM_JOB_ID']}\n")
        diary.flush()
        os.fsync(diary.fileno())


guard = open(params["diary"] + ".lock", "a", encoding="ascii")
note("start")
try:
    fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    note("overlap")
with open(os.path.join(os.environ["RESULT_DIR"], "first.txt" if params.get("mark") else "result.txt"), "w", encoding="ascii") as file:
    file.write(os.environ["SLURM_JOB_ID"])
time.sleep(params.get("seconds", 0))
note("end")
