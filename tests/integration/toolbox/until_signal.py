"""Waits for a signal, at most params' `seconds`; says which came, ends with params' `exit`, or by it where params' `die` says so."""
import json
import os
import signal
import sys
import time

params = json.loads(os.environ["JR_PARAMS"])
came = []
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
    if not params.get("die"):
        signal.signal(number, lambda number, frame: came.append(signal.Signals(number).name))
print("ready", flush=True)
end = time.monotonic() + params.get("seconds", 60)
while time.monotonic() < end and len(came) < params.get("signals", 1):
    time.sleep(0.05)
with open(os.path.join(os.environ["RESULT_DIR"], "result.json"), "w") as file:
    json.dump({"ok": True, "signal": came[0] if came else None, "all": came}, file)
sys.exit(params.get("exit", 0))
