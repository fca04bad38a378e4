"""A running container of the service, with a volume and a random port outside."""
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import requests
from engine import inspect, run
from harness.client import Client
from harness.sanitizers import patient

PROGRAMS = {"munged": "munge", "slurmctld": "slurm", "slurmd": "root", "jobrunner": "jobrunner"}


class Box:
    def __init__(self, engine, image, contract, *options, volume=None, command=(), **environment):
        self.engine, self.image, self.contract = engine, image, contract
        self.name = f"jr-test-{secrets.token_hex(4)}"
        self.token = f"jrt-{secrets.token_hex(16)}"
        self.options, self.command, self.environment = options, command, {"JR_AUTH_TOKEN": self.token, **environment}
        self.network = "none" not in options
        self.volume = Path(volume or tempfile.mkdtemp(prefix="jr-volume-", dir="/tmp"))
        self.volume.chmod(0o755)

    def start(self):
        """A new container over the volume."""
        variables = [word for name, value in self.environment.items() for word in ("-e", f"{name}={value}")]
        port = ["-p", "127.0.0.1::8080"] if self.network else []
        self.base = "http://127.0.0.1:1"  # where nobody answers
        self.cli("run", "-d", "--name", self.name, *self.engine.run_options, *self.options, "-v", f"{self.volume}:/opt/jobrunner",
                 *port, *variables, self.image, *self.command)
        if port:
            self.base = "http://" + self.cli("port", self.name, "8080/tcp").split()[-1]
        return self

    def cli(self, *words, seconds=60, check=True):
        return run([*self.engine.cli, *words], patient(seconds), check).stdout

    def inside(self, *argv, check=True):
        """What a command in the container prints, as root."""
        return self.cli("exec", self.name, *argv, check=check)

    def kill(self, pid):
        self.inside("sh", "-c", f"kill -9 {pid}")

    def instance(self, *words):
        return self.inside("/usr/local/share/jobrunner/instance.py", *words, check=False)

    def client(self):
        return Client(self.base, self.token, self.contract)

    def health(self):
        with Client(self.base, None, self.contract) as anonymous:
            try:
                return anonymous.get("/health", timeout=10).json()
            except (requests.RequestException, AssertionError):
                return {}

    def until(self, what, name, seconds=90):
        seconds = patient(seconds)
        end = time.monotonic() + seconds
        while not (seen := what()):
            assert time.monotonic() < end, f"not within {seconds} s: {name}\n{self.health()}\n{self.logs()[-5000:]}"
            time.sleep(0.1)
        return seen

    def up(self):
        """Started, and Slurm takes jobs."""
        self.start()
        self.until(lambda: self.health().get("slurm"), "Slurm takes jobs")
        return self

    def logs(self):
        return self.cli("logs", self.name, check=False)

    def pids(self):
        """Pid inside of each program that supervisord calls running."""
        return {name: int(pid) for name, pid in re.findall(r"^(\w+)\s+RUNNING\s+pid (\d+)", self.instance("ctl", "status"), re.M)}

    def stop(self, seconds=10):
        """How long it took, and how its first process ended."""
        begun = time.monotonic()
        self.cli("stop", "-t", str(seconds), self.name)
        return time.monotonic() - begun, inspect(self.engine, self.name)["State"]["ExitCode"]

    def remove(self, keep_volume=False):
        self.cli("rm", "-f", self.name, check=False)
        if not keep_volume:
            shutil.rmtree(self.volume, ignore_errors=True)

    def recreate(self):
        """The container thrown away, and a new one over its volume."""
        self.remove(keep_volume=True)
        return self.up()

    def acceptance(self):
        """run_tests.sh against it, as the README says."""
        source = Path(__file__).resolve().parents[2]
        node, = self.client().get("/cluster").json()["nodes"]
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/root", "JR_BASE_URL": self.base, "JR_AUTH_TOKEN": self.token, "GPUS": "0",
                       "CPUS": str(min(2, node["cpus"]["total"])), "MEM_GB": "1", "WAIT_S": str(int(min(patient(120), 300)))}
        return subprocess.run([source / "run_tests.sh"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=patient(300), check=False)
