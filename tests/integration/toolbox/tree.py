"""Leaves a folder as jobs do, with names that try an archiver, and what is no file; params' `big` random bytes in one file."""
import json
import os

params = json.loads(os.environ["JR_PARAMS"])
os.chdir(os.environ["RESULT_DIR"])
FILES = {"empty": b"", "one": b"1", "block": b"b" * 512, "block and one": b"c" * 513, "weights/model.pth": os.urandom(5000), "caf\u00e9/\u2603.txt": b"snow",
         "-rf": b"dash", "new\nline": b"line", "l" * 60 + "/" + "m" * 39: b"exactly a hundred", "l" * 60 + "/" + "m" * 40: b"more than a hundred",
         "n" * 200 + "/" + "o" * 200 + "/p": b"long", "big.bin": os.urandom(params["big"]), "result.json": b"{}"}
for name, content in FILES.items():
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "wb") as file:
        file.write(content)
for number in range(params.get("small", 0)):
    os.makedirs("small", exist_ok=True)
    with open(f"small/{number}", "w") as file:
        file.write(str(number))
os.mkdir("empty folder")
os.symlink("/etc/passwd", "link")
os.symlink("/", "folder link")
os.mkfifo("fifo")
