#!/usr/bin/python3
"""clang-tidy over what a build makes of src/, those files alone that changed since they were found clean.

    tidy.py BUILD [WORKERS]      exits 1 and prints what clang-tidy says

What a file's verdict depends on is hashed: clang-tidy, its configuration, the file's compile command, and the
text of the file and of all of ours that it includes. Clean ones are remembered in ~/.cache/jobrunner-tidy.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.M)


class Sources:
    def __init__(self, top):
        self.top, self.known = top, {}

    def needs(self, path):
        """Our files that `path` includes, directly."""
        if path not in self.known:
            names = [name.decode() for name in INCLUDE.findall(path.read_bytes())]
            places = [[path.parent / name, self.top / "src" / name] for name in names]
            self.known[path] = [next(p for p in both if p.exists()) for both in places if any(p.exists() for p in both)]
        return self.known[path]

    def digest(self, path, more):
        """Of a file, all it includes, and `more`."""
        seen, unread = set(), [path]
        while unread:
            if (one := unread.pop()) not in seen:
                seen.add(one)
                unread += self.needs(one)
        whole = hashlib.sha256(more)
        for one in sorted(seen):
            whole.update(str(one.relative_to(self.top)).encode() + hashlib.sha256(one.read_bytes()).digest())
        return whole.hexdigest()


def check(build, path):
    done = subprocess.run(["clang-tidy", "-p", str(build), "--quiet", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace", check=False)
    return done.returncode, done.stdout + (done.stderr if done.returncode and not done.stdout.strip() else "")


def main(build, workers):
    top = pathlib.Path(__file__).resolve().parents[2]
    clean = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "jobrunner-tidy"
    clean.mkdir(parents=True, exist_ok=True)
    common = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, check=True).stdout + (top / ".clang-tidy").read_bytes()
    sources, changed = Sources(top), {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"]).resolve()
        if top / "src" not in path.parents:
            continue
        command = entry["command"].replace(str(top), "")
        mark = clean / sources.digest(path, common + command.encode())
        if mark.exists():
            os.utime(mark)
        else:
            changed[path] = mark
    print(f"{len(changed)} files to look at")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for (path, mark), (status, said) in zip(changed.items(), pool.map(lambda one: check(build, one), changed)):
            if status == 0:
                mark.touch()
            else:
                bad += 1
                print(f"--- {path.relative_to(top)}\n{said}", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(1 if main(pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count()) else 0)
