"""Leaves params' `count` empty files, `folder` of them in each folder, and nothing that names them."""
import json
import os

params = json.loads(os.environ["JR_PARAMS"])
os.chdir(os.environ["RESULT_DIR"])
os.symlink("gone", "manifest.json")
for number in range(params["count"]):
    if number % params["folder"] == 0:
        os.mkdir(f"f{number}")
        os.chdir(f"f{number}")
    os.close(os.open(str(number), os.O_CREAT | os.O_WRONLY))
    if number % params["folder"] == params["folder"] - 1:
        os.chdir("..")
