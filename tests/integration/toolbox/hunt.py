"""For params' `seconds` reads what /proc shows of every process, looking for params' `prefix` of the token."""
import json
import os
import time

params = json.loads(os.environ["JR_PARAMS"])
# The prefix is put together here, or the hunter would find its own parameters.
needle = "".join(params["prefix"]).encode()
hits, looks, seen = [], 0, set()
end = time.monotonic() + params["seconds"]
own = str(os.getpid())
while time.monotonic() < end:
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or pid == own:
            continue
        for name in ("environ", "cmdline"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    data = file.read()
            except OSError:
                continue
            looks += 1
            seen.add(data[:60])
            if needle in data:
                hits.append(f"{pid}/{name}")
        try:
            for number in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{number}")
                if "jr_slurm.db" in target:
                    hits.append(f"{pid}/fd/{number} {target}")
        except OSError:
            continue
with open(os.path.join(os.environ["RESULT_DIR"], "hunt.json"), "w") as file:
    json.dump({"hits": hits[:20], "looks": looks, "kinds": len(seen)}, file)
