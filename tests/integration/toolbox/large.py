"""Leaves params' `count` files of params' `bytes` random bytes, and a small one in a folder."""
import json
import os

params = json.loads(os.environ["JR_PARAMS"])
os.chdir(os.environ["RESULT_DIR"])
for number in range(params["count"]):
    with open(f"large{number}.bin", "wb") as file:
        file.write(os.urandom(params["bytes"]))
os.makedirs("notes")
with open("notes/caf\u00e9 & more.txt", "w") as file:
    file.write("small\n")
