"""Tries what a job must not be able to do: change its dataset, read the server's files, use sudo."""
import json
import os
import subprocess

params = json.loads(os.environ["JR_PARAMS"])
dataset, done = os.environ["DATASET_DIR"], []


def attempt(name, action):
    try:
        action()
        done.append(name)
    except OSError:
        pass


own = os.path.join(dataset, "reach.py")
attempt("write", lambda: open(own, "r+b").close())
attempt("create", lambda: open(os.path.join(dataset, "new"), "x").close())
attempt("chmod", lambda: os.chmod(own, 0o777))
attempt("chmod folder", lambda: os.chmod(dataset, 0o777))
attempt("rename", lambda: os.rename(own, own + ".moved"))
attempt("unlink", lambda: os.unlink(own))
attempt("rename folder", lambda: os.rename(dataset, dataset + ".moved"))
# A link in place of the folder would show the server another one.
result = os.environ["RESULT_DIR"]
attempt("rename result", lambda: os.rename(result, result + ".moved"))
attempt("create beside", lambda: open(os.path.join(os.path.dirname(dataset.rstrip("/")), "new"), "x").close())
for path in params["forbidden"]:
    attempt(f"read {path}", lambda path=path: os.listdir(path) if os.path.isdir(path) else open(path, "rb").close())
try:
    if subprocess.run(["sudo", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        done.append("sudo")
except OSError:
    pass  # no sudo here
with open(os.path.join(os.environ["RESULT_DIR"], "reach.json"), "w") as file:
    json.dump({"done": done, "uid": os.getuid()}, file)
