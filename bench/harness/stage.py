"""What a work compares, started on free ports and ended by process id: our server with a private Slurm, and its peers."""
import contextlib
import json
import os
import pathlib
import pwd
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time

from harness import ports
from harness.site import Site

from .rounds import Cost

PEERS = pathlib.Path(__file__).resolve().parent.parent / "peers"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Peer:
    """A process that listens, and what is needed to ask it."""

    def __init__(self, process, port=None, socket_path=None, token="", log=None):
        self.process, self.port, self.socket_path, self.token, self.log = process, port, socket_path, token, log

    @property
    def pid(self):
        return self.process.pid

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"


class Stage:
    def __init__(self, prefix, programs, out, quick):
        self.prefix, self.programs, self.out, self.quick = prefix, programs.resolve(), out, quick
        self.rounds = 1 if quick else 5
        self.seconds = 0.3 if quick else 3.0  # of one measurement under load
        self._ends = contextlib.ExitStack()

    def __enter__(self):
        # Short and open: sockets lie below it, and peers run as other users.
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="jr-bench-", dir="/tmp"))
        self.top.chmod(0o755)
        self._ends.callback(shutil.rmtree, self.top, ignore_errors=True)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return self

    def __exit__(self, *_):
        self._ends.close()

    def size(self, full, quick):
        """How large, in earnest and in quick mode."""
        return quick if self.quick else full

    def at_end(self, function, *arguments):
        self._ends.callback(function, *arguments)

    def folder(self, name):
        """A new folder that is gone after the work."""
        path = self.top / name
        path.mkdir()
        return path

    def site(self, prepare=lambda site: None, start=True, **environment):
        """A private Slurm and our server on it, as the integration tests start them. `prepare` may change it before."""
        made = Site(self.prefix)
        # As an instance is set, not as tests set it.
        made.server.environment.update({"JR_POLL_INTERVAL_MS": "1000", **environment})
        self._ends.callback(take_down, made)
        prepare(made)
        if start:
            made.start()
        return made

    def spawn(self, name, command, port=None, socket_path=None, environment=None, user=None, token=""):
        """Starts a process, and waits until it listens; ended with the stage."""
        log_path = self.top / f"{name}-{len(list(self.top.iterdir()))}.log"
        options = {}
        if user and os.geteuid() == 0:
            account = pwd.getpwnam(user)
            options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with open(log_path, "ab") as log:
            process = subprocess.Popen([str(one) for one in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                       env={"PATH": PATH, "LANG": "C.UTF-8", **(environment or {})}, start_new_session=True, **options)
        self._ends.callback(end, process)
        made = Peer(process, port, socket_path, token, log_path)
        until = time.monotonic() + 30
        while (port or socket_path) and not listens(made):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{name} does not start:\n{log_path.read_text(errors='replace')[-3000:]}")
            time.sleep(0.05)
        return made

    def fastapi(self, site, **environment):
        """The seed's API in the seed's way, on the site's Slurm."""
        port, root = ports.free(1)[0], self.folder(f"fastapi-{len(list(self.top.iterdir()))}")
        root.chmod(0o777)
        return self.spawn("fastapi", ["/usr/bin/python3", PEERS / "seed_app.py"], port=port, token=site.token, environment={
            "JR_ROOT": str(root), "JR_PORT": str(port), "JR_AUTH_TOKEN": site.token, "JR_JOB_USER": site.about["job_user"],
            "SLURM_CONF": str(site.slurm.conf), "PYTHONDONTWRITEBYTECODE": "1", **environment})

    def beast(self, site, threads=2):
        """A server of Boost.Beast alone that answers GET /jobs/{id}: what HTTP itself costs."""
        port = ports.free(1)[0]
        return self.spawn("beast", [self.programs / "bench_bare_beast", port, threads, site.token], port=port, token=site.token)

    def slurmrestd(self, site):
        """On a socket of the job user's: it refuses to run as root or as Slurm's own user."""
        folder = self.folder(f"restd-{len(list(self.top.iterdir()))}")
        folder.chmod(0o777)
        path = folder / "socket"
        return self.spawn("slurmrestd", ["slurmrestd", "-s", "openapi/v0.0.38", "-a", "rest_auth/local", f"unix:{path}"], socket_path=path,
                          user=site.about["job_user"], environment={"SLURM_CONF": str(site.slurm.conf)})

    def load(self, peer, path, connections=16, seconds=None, requests=None, method="GET", headers=(), body=None, token=None):
        """Our load client asks for a path, or for several in turn: {requests, errors, seconds, rps, p50_us, p99_us, max_us, statuses}, and cpu_us of the peer a request."""
        command = [str(self.programs / "bench_load"), "--connections", str(connections), "--method", method]
        for one in [path] if isinstance(path, str) else path:
            command += ["--path", one]
        command += ["--unix", str(peer.socket_path)] if getattr(peer, "socket_path", None) else ["--port", str(peer.port)]
        command += ["--requests", str(requests)] if requests else ["--seconds", str(seconds or self.seconds)]
        token = token if token is not None else getattr(peer, "token", "")
        for header in ([f"Authorization: Bearer {token}"] if token else []) + list(headers):
            command += ["--header", header]
        if body is not None:
            command += ["--body", body]
        with Cost(peer.pid) as cost:
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
        answer = json.loads(done.stdout)
        answer["cpu_us"] = 1e6 * cost.cpu / max(1, answer["requests"])
        if answer["errors"]:
            raise RuntimeError(f"{answer['errors']} of {answer['requests']} requests to {path} failed: {answer}")
        return answer


    def wrk(self, peer, path, connections=16, token=""):
        """The same by wrk, whose word for a rate others take: {requests, rps, p50_us, p99_us, cpu_us}."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(self.seconds))}s", "--latency", "-H", f"Authorization: Bearer {token}", peer.base + path]
        with Cost(peer.pid) as cost:
            said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            raise RuntimeError(said)
        scale = {"us": 1, "ms": 1e3, "s": 1e6}
        quantiles = {part: float(number) * scale[unit] for part, number, unit in re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", said, re.M)}
        requests = int(re.search(r"(\d+) requests in", said).group(1))
        return {"requests": requests, "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)), "p50_us": quantiles["50"],
                "p99_us": quantiles["99"], "cpu_us": 1e6 * cost.cpu / max(1, requests)}


def take_down(site):
    """Ends what runs; what only waits goes with slurmctld, since cancelling thousands of jobs takes minutes."""
    site.server.stop()
    slurm = site.slurm
    controller = slurm.children.get("slurmctld")
    if controller and controller.poll() is None:
        slurm.run("scancel", "--full", "--state=RUNNING", check=False)
        until = time.monotonic() + 15
        while slurm.run("squeue", "-h", "--states=RUNNING,COMPLETING", check=False).stdout.strip() and time.monotonic() < until:
            time.sleep(0.2)
        slurm.kill("slurmctld")
    site.stop()


def listens(peer):
    family, address = (socket.AF_UNIX, str(peer.socket_path)) if peer.socket_path else (socket.AF_INET, ("127.0.0.1", peer.port))
    with socket.socket(family) as one:
        return one.connect_ex(address) == 0


def end(process, seconds=10):
    """SIGTERM, and SIGKILL where that does not do it; nothing but this process."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
