"""Leaves params' `count` small files, in folders of a hundred, and one file of params' `big` bytes."""
import json
import os

params = json.loads(os.environ["JR_PARAMS"])
os.chdir(os.environ["RESULT_DIR"])
for number in range(params["count"]):
    folder = f"part{number // 100:03}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/file{number:05}.txt", "w") as file:
        file.write(f"{number}\n")
with open("big.bin", "wb") as file:
    file.write(bytes(number * 7 % 251 for number in range(params.get("big", 0))))
