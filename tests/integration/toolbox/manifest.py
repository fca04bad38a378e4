"""Writes the bytes of params' `hex`, `times` times, as manifest.json (or what else params ask for in its place), and two files that it may name."""
import json
import os

params = json.loads(os.environ["JR_PARAMS"])
os.chdir(os.environ["RESULT_DIR"])
with open("one.txt", "w") as file:
    file.write("1")
with open("two.pth", "w") as file:
    file.write("22")
if params.get("link"):
    os.symlink(params["link"], "manifest.json")
elif params.get("fifo"):
    os.mkfifo("manifest.json")
elif params.get("sparse"):
    with open("manifest.json", "wb") as file:
        file.truncate(params["sparse"])
else:
    with open("manifest.json", "wb") as file:
        file.write(bytes.fromhex(params["hex"]) * params.get("times", 1))
