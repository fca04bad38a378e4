"""The site's Slurm: munged, slurmctld and slurmd as children of the tests, each to be stopped, hung or started alone."""
import os
import pwd
import re
import signal
import subprocess
import sys
import time

from .sanitizers import patient

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Slurm:
    def __init__(self, root, instance_py, about):
        self.root, self.instance_py, self.about = root, instance_py, about
        self.conf = root / "slurm" / "slurm.conf"
        self.node = re.search(r"^NodeName=(\S+)", self.conf.read_text(), re.M).group(1)
        self.log = root.parent / "daemons.log"
        self.children = {}

    def commands(self):
        munge = self.root / "slurm" / "munge"
        return {
            "munged": ["munged", "--foreground", f"--key-file={munge}/key", f"--socket={munge}/socket",
                       f"--pid-file={munge}/pid", f"--seed-file={munge}/seed", f"--log-file={munge}/log"]
            + ([] if os.geteuid() == 0 else ["--force"]),
            "slurmctld": [sys.executable, "-I", str(self.instance_py), "run", "slurmctld"],
            "slurmd": ["slurmd", "-D", "-f", str(self.conf), "-N", self.node]}

    def set(self, name, value):
        """Another value in slurm.conf, for daemons that are started from now on."""
        text, count = re.subn(rf"^{name}=.*$", f"{name}={value}", self.conf.read_text(), flags=re.M)
        assert count == 1, name
        self.conf.write_text(text)

    def spawn(self, name):
        options = {}
        if name == "munged" and os.geteuid() == 0:
            user = pwd.getpwnam(self.about["munge_user"])
            options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        with open(self.log, "ab") as log:
            self.children[name] = subprocess.Popen(self.commands()[name], env={"PATH": PATH, "LANG": "C.UTF-8", "JR_ROOT": str(self.root)},
                                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                                   start_new_session=True, **options)

    def start(self):
        for name in ("munged", "slurmctld", "slurmd"):
            self.spawn(name)
        self.wait_up()

    def wait_up(self, seconds=60):
        """Until slurmctld answers and its node too, whether or not jobs hold all of it."""
        end = time.monotonic() + patient(seconds)
        while (seen := self.run("sinfo", "-h", "-o", "%T", check=False, seconds=30).stdout.strip()) not in (
                "idle", "mixed", "allocated", "completing"):
            assert time.monotonic() < end, f"Slurm does not come up, its node is {seen!r}\n{self.log.read_text(errors='replace')[-3000:]}"
            time.sleep(0.2)

    def run(self, *command, check=True, seconds=20):
        """One of Slurm's commands, as whoever runs the tests."""
        return subprocess.run(command, env={"PATH": PATH, "SLURM_CONF": str(self.conf)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True, errors="replace", check=check, timeout=seconds)

    def kill(self, name):
        self.children[name].kill()
        self.children[name].wait(10)

    def stop_controller(self):
        self.kill("slurmctld")

    def start_controller(self):
        self.spawn("slurmctld")
        self.wait_up()

    def pause_controller(self):
        self.children["slurmctld"].send_signal(signal.SIGSTOP)

    def resume_controller(self):
        self.children["slurmctld"].send_signal(signal.SIGCONT)
        self.wait_up()

    def stop(self):
        """Cancels what runs and ends the daemons, the newest first."""
        if self.children.get("slurmctld") and self.children["slurmctld"].poll() is None:
            self.children["slurmctld"].send_signal(signal.SIGCONT)
            self.run("scancel", "--full", "--state=RUNNING,PENDING,SUSPENDED", check=False)
            end = time.monotonic() + 15
            while self.run("squeue", "-h", check=False).stdout.strip() and time.monotonic() < end:
                time.sleep(0.2)
        for name in ("slurmd", "slurmctld", "munged"):
            child = self.children.get(name)
            if child and child.poll() is None:
                child.terminate()
                try:
                    child.wait(15)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait(10)
