"""An instance as config/instance.py sets it up, under a supervisord of its own.

The server's place is taken by a program that only tells its environment: all tests of it are about what
surrounds the server. As root every user has the part it has in earnest; otherwise all are one.
"""

import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[3]
ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="needs root")
TOKEN = "a-token-that-nobody-else-may-see"

STAND_IN = """#!/usr/bin/python3 -I
import json, os, sys, time
with open("/proc/self/environ", "rb") as f:
    seen = dict(v.split("=", 1) for v in f.read().decode().split("\\0") if v)
with open(os.path.dirname(os.path.abspath(__file__)) + "/../seen.json", "w") as f:
    json.dump(seen, f)
time.sleep(100000)
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Instance:
    def __init__(self, user=None, hosts=None, mounts=None, **settings):
        self.base = Path(tempfile.mkdtemp(prefix="jr-"))
        self.base.chmod(0o755)
        self.root, self.user = self.base / "root", user
        app = self.base / "app"
        (app / "bin").mkdir(parents=True)
        (app / "bin/jobrunner").write_text(STAND_IN)
        (app / "bin/jobrunner").chmod(0o755)
        # As installed: the user who runs it may not be able to read the checkout.
        shutil.copytree(SOURCE / "config", app / "share/jobrunner")
        shutil.copy(SOURCE / "supervisord.conf", app / "share/jobrunner")
        self.program = app / "share/jobrunner/instance.py"
        self.env = {"PATH": os.environ["PATH"], "JR_ROOT": str(self.root), "JR_APP": str(app), "PORT": str(free_port()),
                    "JR_AUTH_TOKEN": TOKEN, **settings}
        self.inside = []
        if hosts:  # another /etc/hosts for the programs alone
            (self.base / "hosts").write_text(hosts)
            mounts = f"mount --bind {self.base}/hosts /etc/hosts"
        if mounts:
            if not ROOT or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
                pytest.skip("nobody may mount here")
            self.inside = ["unshare", "-m", "sh", "-c", mounts + ' && exec "$@"', "sh"]
            if user:
                self.inside += ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]
        if user:
            for folder, _, _ in os.walk(self.base):
                os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        self.job_user = user or ("runner" if ROOT else pwd.getpwuid(os.geteuid()).pw_name)

    def call(self, *words, **env):
        return subprocess.run([*self.inside, str(self.program), *words], env={**self.env, **env}, capture_output=True, text=True, timeout=120,
                              check=False,
                              **({"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user and not self.inside else {}))

    def ok(self, *words, **env):
        done = self.call(*words, **env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self):
        self.ok("prepare")
        self.ok("start")
        self.until(lambda: len(self.pids()) == 4, "all four programs run")
        return self.until(lambda: self.slurm("sinfo", "-h", "-o", "%T") == "idle", "the node is idle")

    def until(self, what, name, patience=40):
        end = time.monotonic() + patience
        while not what():
            if time.monotonic() > end:
                logs = "".join(f"--- {p}\n{p.read_text()[-2000:]}" for p in self.root.glob("log/*.log"))
                pytest.fail(f"not within {patience} s: {name}\n{logs}")
            time.sleep(0.1)
        return self

    def as_job_user(self, argv):
        """Runs argv as the job user with next to no environment, as the server does."""
        extra = {"user": self.job_user, "group": pwd.getpwnam(self.job_user).pw_gid, "extra_groups": []} if ROOT else {}
        if self.inside:
            become = [] if self.user else ["setpriv", f"--reuid={self.job_user}", f"--regid={self.job_user}", "--clear-groups"]
            argv = [*self.inside, *become, *argv]
            extra = {}
        return subprocess.run(argv, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "SLURM_CONF": f"{self.root}/slurm/slurm.conf"},
                              cwd="/", capture_output=True, text=True, timeout=60, check=False, **extra)

    def slurm(self, *argv):
        return self.as_job_user(argv).stdout.strip()

    def submit(self, script, *options):
        # In results/ only the server makes folders; logs/ is open to jobs.
        path = self.base / "script.sh"
        path.write_text("#!/bin/bash\n" + script)
        done = self.as_job_user(["sbatch", "--parsable", "--mem=50", "-o", f"{self.root}/logs/%j.out", *options, str(path)])
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def state(self, job):
        return self.slurm("squeue", "-h", "-t", "all", "-j", str(job), "-o", "%T")

    def result(self, job):
        """What a job printed, once it has succeeded."""
        self.until(lambda: self.state(job) not in ("", "PENDING", "CONFIGURING", "RUNNING", "COMPLETING"), f"job {job} has ended")
        log = Path(f"{self.root}/logs/{job}.out").read_text()
        assert self.state(job) == "COMPLETED", log
        return log

    def pids(self):
        found = re.findall(r"^(\w+)\s+RUNNING\s+pid (\d+)", self.call("ctl", "status").stdout, re.M)
        return {name: int(pid) for name, pid in found}

    def owners(self):
        """Who runs what."""
        def uid(pid):
            return int(re.search(r"^Uid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M).group(1))
        return {name: pwd.getpwuid(uid(pid)).pw_name for name, pid in self.pids().items()}

    def remove(self):
        if (self.root / "run/supervisord.pid").exists():
            for job in self.slurm("squeue", "-h", "-o", "%i").split():
                self.slurm("scancel", job)
            self.call("stop")
        shutil.rmtree(self.base)
