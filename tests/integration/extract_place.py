"""A folder for jobrunner-extract to work in, with canaries around it.

JOBRUNNER_BIN names the folder of the programs. As root the program runs, as in production, as a
nameless user that shares only a group with the owner of the folder.
"""
import json
import os
import stat
import subprocess
import tempfile
from pathlib import Path

PROGRAM = str(Path(os.environ["JOBRUNNER_BIN"]).resolve() / "jobrunner-extract")
NAMELESS = 64321
MAX_BYTES, MAX_FILES = 1 << 32, 1000


class Place:
    """A folder to extract into, two levels below one that holds the canaries."""

    def __init__(self):
        self.base = Path(tempfile.mkdtemp(prefix="extract-"))
        self.base.chmod(0o755)
        self.victim = self.base / "victim"
        self.victim.mkdir()
        (self.victim / "target").write_bytes(b"precious")
        (self.base / "t").mkdir()
        self.out = self.base / "t" / "out"
        self.out.mkdir()
        # Everyone may write the canaries: only the extractor's own care protects them.
        for path, mode in ((self.victim, 0o777), (self.victim / "target", 0o666),
                           (self.base / "t", 0o777), (self.out, 0o770)):
            path.chmod(mode)
        self.user = self._other_user()
        self.before = self.canaries()

    def _other_user(self):
        if os.getuid() != 0:
            return {}
        user = {"user": NAMELESS, "group": os.getgid(), "extra_groups": []}
        try:
            subprocess.run([PROGRAM], capture_output=True, **user)
        except PermissionError:  # a program in someone's home
            return {}
        return user

    def canaries(self):
        def look(path):
            st = path.lstat()
            return (st.st_mode, st.st_uid, st.st_gid, st.st_nlink)

        target = self.victim / "target"
        return (look(self.victim), look(target), target.read_bytes(), target.stat().st_mtime_ns,
                self.victim.stat().st_mtime_ns, look(self.out)[:3],
                sorted(p.name for p in self.victim.iterdir()),
                sorted(p.name for p in (self.base / "t").iterdir()))

    def run(self, *args, stdin, **more):
        return subprocess.run([PROGRAM, *map(str, args)], stdin=stdin, capture_output=True, env={},
                              timeout=60, **self.user, **more)

    def extract(self, archive, kind="tar", max_bytes=MAX_BYTES, max_files=MAX_FILES, **more):
        """The exit status and what was said; `more` are further options."""
        with tempfile.TemporaryFile() as file:
            file.write(archive)
            file.seek(0)
            options = {"max_bytes": max_bytes, "max_files": max_files, **more}
            done = self.run("extract", kind, self.out, *(f"{name}={value}" for name, value in options.items()), stdin=file)
        return done.returncode, one_line(done)

    def remove(self):
        done = self.run("remove", self.out, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done
        assert list(self.out.iterdir()) == []
        return one_line(done)

    def names(self):
        return {str(p.relative_to(self.out)) for p in self.out.rglob("*")}

    def check_made(self):
        for path in self.out.rglob("*"):
            st = path.lstat()
            assert stat.S_ISREG(st.st_mode) or stat.S_ISDIR(st.st_mode), path
            allowed = {0o555} if stat.S_ISDIR(st.st_mode) else {0o444, 0o555}
            assert stat.S_IMODE(st.st_mode) in allowed, path
            assert st.st_uid == self.user.get("user", os.getuid()), path
            assert 0 <= st.st_mtime <= 4102444800, path
            assert os.listxattr(path) == [], path


def one_line(done):
    assert done.returncode >= 0, f"ended by a signal: {done}"
    assert done.stdout.count(b"\n") == 1 and done.stdout.endswith(b"\n"), done
    return json.loads(done.stdout)
