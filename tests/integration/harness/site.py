"""A private site: a JR_ROOT below /tmp, its own Slurm, one server; and more servers on the same Slurm where a test needs them."""
import json
import os
import pathlib
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

from . import ports, sanitizers
from .client import Client
from .contract import Contract
from .server import Server
from .slurm import Slurm


class Site:
    def __init__(self, prefix):
        self.prefix = pathlib.Path(prefix).resolve()
        self.share = self.prefix / "share" / "jobrunner"
        self.instance_py = self.share / "instance.py"
        self.contract = Contract(json.loads((self.share / "openapi.json").read_text()))
        # Tests search everything for what secrets begin with, so it occurs nowhere else.
        self.secret_prefix = f"jrt{secrets.token_hex(4)}-"
        self.token = self.secret()
        # Short, since sockets lie below it, and open, since the job user must reach it.
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="jr-", dir="/tmp"))
        self.top.chmod(0o755)
        try:
            self._make()
        except BaseException:
            shutil.rmtree(self.top)
            raise

    def _make(self):
        self.root = self.top / "root"
        self.b2_mount, self.import_root = self._folder("b2/mount"), self._folder("import/root")
        self.servers = []
        self.about = self.prepare(self.root)
        self.slurm = Slurm(self.root, self.instance_py, self.about)
        self.server = self._server(self.root)
        # As a container would hand it over; what is in the environment must not stay there.
        self.server.environment["JR_AUTH_TOKEN"] = self.token
        # In nobody's environment but the server's: jobs must not find it either.
        self.server.environment["AWS_SECRET_ACCESS_KEY"] = self.secret()
        self.server.environment["JR_B2_APP_KEY"] = self.secret()

    def secret(self):
        return self.secret_prefix + secrets.token_hex(20)

    @property
    def job_uid(self):
        return pwd.getpwnam(self.about["job_user"]).pw_uid

    def _folder(self, name):
        path = self.top / name
        path.mkdir(parents=True)
        for folder in (path, path.parent):
            folder.chmod(0o755)
        return path

    def prepare(self, root, **environment):
        """Makes `root` an instance with a free port; what it says about itself."""
        wanted = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "JR_ROOT": str(root), "JR_APP": str(self.prefix),
                  "JR_PORT": str(ports.free(1)[0]), "JR_AUTH_TOKEN": self.token, "JR_NUM_GPUS": "2", "JR_NUM_CPUS": "8",
                  "JR_B2_MOUNT": str(self.b2_mount), "JR_IMPORT_ROOTS": str(self.import_root), "JR_MIN_FREE_BYTES": "1048576",
                  "JR_POLL_INTERVAL_MS": "300", "JR_MAX_WRONG_TOKENS": "1000000", "HOME": os.environ.get("HOME", "/"), **environment}
        done = subprocess.run([sys.executable, "-I", str(self.instance_py), "prepare"], env=wanted, text=True, cwd="/",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        return json.loads((root / "run" / "instance.json").read_text())

    def _server(self, root):
        environment = json.loads((root / "run" / "server.json").read_text())
        environment["SLURM_CONF"] = str(self.root / "slurm" / "slurm.conf")
        server = Server(str(self.prefix / "bin" / "jobrunner"), environment, int(environment["JR_PORT"]), self.top / f"{root.name}.log")
        self.servers.append(server)
        return server

    def another_server(self, name, **environment):
        """Another server with a JR_ROOT of its own on the same Slurm; not started."""
        root = self.top / name
        self.prepare(root, **environment)
        return self._server(root)

    def client(self, server=None, token=None, base=None, client_of=None):
        """A new client, with a connection of its own; `token=""` sends none."""
        base = base or (client_of.base if client_of else (server or self.server).base)
        return Client(base, None if token == "" else (token or self.token), self.contract)

    def start(self):
        self.slurm.start()
        self.server.start()
        # Health looks at Slurm on the poller's clock.
        self.wait_until(lambda: self.client().get("/health").json()["slurm"], 20, "health sees Slurm")

    def stop(self):
        """Ends all that runs. What sanitizers reported in any log, and a server that does not end well, is an error."""
        late = []
        for server in self.servers:
            try:
                if server.stop() not in (None, 0):
                    late.append(f"a server ended with {server.process.returncode}:\n{server.log()[-3000:]}")
            except AssertionError as error:
                late.append(str(error))
        try:
            self.slurm.stop()
        except (AssertionError, subprocess.SubprocessError) as error:
            late.append(str(error))
        reports, details = sanitizers.reports(self.top), sanitizers.first_report(self.top)
        if os.environ.get("JR_KEEP"):
            print(f"\nkept {self.top}")
        else:
            shutil.rmtree(self.top, ignore_errors=True)
        assert not late, late
        assert not reports, f"sanitizers or extractors report: {reports[:10]}\n{details}"

    @staticmethod
    def wait_until(condition, seconds, what):
        end = time.monotonic() + sanitizers.patient(seconds)
        while not condition():
            assert time.monotonic() < end, f"not within {seconds} s: {what}"
            time.sleep(0.05)

    def nothing_staged(self):
        """No upload is under way: an actor in the background empties what is given up."""
        self.wait_until(lambda: not list((self.root / "datasets" / ".staging").iterdir()), 20, "the staging folder is empty")
