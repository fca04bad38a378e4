"""For params' `seconds` tries to put a link to params' `target` in the place of every folder that a dataset is made in."""
import json
import os
import time

params = json.loads(os.environ["JR_PARAMS"])
root, target = params["root"], params["target"]
done, tries, seen = [], 0, set()
end = time.monotonic() + params["seconds"]
while time.monotonic() < end:
    for folder in ("datasets", "datasets/.staging", "datasets/.uploads", "datasets/.transfers", "datasets/.files"):
        path = os.path.join(root, folder)
        try:
            names = os.listdir(path)
        except OSError:
            names = []
        # Where the names cannot be read it still tries those that it can guess.
        for name in [*names, params["sha256"], "new"]:
            one = os.path.join(path, name)
            seen.add(name)
            for what in (lambda: os.rename(one, one + ".moved"), lambda: os.symlink(target, one), lambda: os.rmdir(one),
                         lambda: os.symlink(target, os.path.join(one, "f")), lambda: os.rename(os.path.join(one, "d"), os.path.join(one, "moved")),
                         lambda: open(os.path.join(one, "planted"), "x").close()):
                tries += 1
                try:
                    what()
                    done.append(one)
                except OSError:
                    pass
with open(os.path.join(os.environ["RESULT_DIR"], "swap.json"), "w") as file:
    json.dump({"done": done[:20], "tries": tries, "seen": len(seen)}, file)
