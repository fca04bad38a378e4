"""Starts, restarts and stops the programs of an instance under supervisord.

supervisord and what it starts get an environment made from nothing. The server's own part, secrets
among it, lies in run/server.json for root's eyes and is read just before the server is started.
"""

import errno
import hashlib
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

from . import files, host, places, programs, slurm_files
from .settings import Refused


def _json(path):
    text = files.read(path)
    return json.loads(text) if text else {}


def save(settings, instance_py, unattended):
    """What `start`, `run` and people need to know later."""
    admin = (os.geteuid(), os.getegid())
    run = settings.root + "/run"
    slurm_user, munge_user = places.daemon_users(settings)
    here = os.path.dirname(instance_py)
    source = next(p for p in (f"{here}/supervisord.conf", f"{os.path.dirname(here)}/supervisord.conf") if os.path.isfile(p))
    parts = [source] + [f"{here}/supervisord-s3fs.conf"] * bool(settings.bucket) + [f"{here}/supervisord-stdout.conf"] * unattended
    files.write(f"{run}/supervisord.conf", b"\n".join(map(files.read, parts)), admin, 0o644)
    files.write(f"{run}/host.json", json.dumps(host.report(settings), indent=1) + "\n", admin, 0o644)
    files.write(f"{run}/server.json", json.dumps(settings.server_env, indent=1, sort_keys=True) + "\n", admin, 0o600)
    about = {"root": settings.root, "app": settings.app, "port": settings.port, "bind": settings.bind,
             "token_file": settings.token_file, "cpus": settings.cpus, "memory_mb": settings.memory_mb,
             "gpus": len(settings.gpus), "simulated_gpus": settings.simulated, "server_user": settings.server_user,
             "job_user": settings.job_user, "slurm_user": slurm_user, "munge_user": munge_user, "as_root": settings.as_root,
             "bucket": {k: v for k, v in settings.bucket.items() if k not in ("key", "key_id")}}
    files.write(f"{run}/instance.json", json.dumps(about, indent=1) + "\n", admin, 0o644)


def about(root):
    """What was saved. Throws Refused where nothing was."""
    found = _json(root + "/run/instance.json")
    if not found:
        raise Refused(f"JR_ROOT={root}: no instance has been set up there")
    return found


def supervisor_pid(root):
    """Pid of this instance's supervisord, or None."""
    conf = root + "/run/supervisord.conf"
    try:
        pid = int(files.read(root + "/run/supervisord.pid"))
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return pid if conf.encode() in f.read().split(b"\0") else None
    except (ValueError, OSError):
        return None


def check_port(settings):
    """Throws Refused if another program has the API's port."""
    ours = _json(settings.root + "/run/instance.json")
    if supervisor_pid(settings.root) and (ours.get("port"), ours.get("bind")) == (settings.port, settings.bind):
        return
    no_address = Refused(f"JR_BIND={settings.bind}: must be an address of this machine, such as 127.0.0.1 or 0.0.0.0")
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.bind, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
    except OSError:
        raise no_address
    with socket.socket(family) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(address)
        except OSError as e:
            if e.errno == errno.EADDRNOTAVAIL:
                raise no_address
            raise Refused(f"PORT={settings.port}: cannot listen on {settings.bind}:{settings.port} ({e.strerror}); "
                          "stop what is there, or choose another with PORT=")


def _environment(root, instance_py):
    of = about(root)
    return {"PATH": programs.PATH, "LANG": "C.UTF-8", "HOME": "/", "JR_ROOT": root, "JR_INSTANCE": instance_py,
            "JR_NODE": slurm_files.node_name(root), "JR_MUNGE_USER": of["munge_user"],
            # A home closed to others is no place for a socket in munged's eyes; here nobody else comes.
            "JR_MUNGE_FORCE": "" if of["as_root"] else "--force",
            "JR_NOBODY": "nobody" if of["as_root"] else of["server_user"],
            "JR_DAEMON_USER": pwd.getpwuid(os.geteuid()).pw_name}


def _fingerprints(root, instance_py):
    """What each program was started with, to see later what has to be started anew."""
    def digest(parts):
        return hashlib.sha256(repr(list(parts)).encode()).hexdigest()
    app = about(root)["app"]
    installed = []
    for top in (app + "/bin", app + "/share/jobrunner"):
        for folder, _, names in sorted(os.walk(top)):
            for name in sorted(names):
                seen = os.stat(f"{folder}/{name}")
                installed.append((folder, name, seen.st_size, seen.st_mtime_ns))
    conf = slurm_files.without_renewed(files.read(root + "/slurm/slurm.conf"))
    return {"supervisord": digest([files.read(root + "/run/supervisord.conf"), _environment(root, instance_py)]),
            "slurm": digest([conf] + [files.read(f"{root}/slurm/{n}") for n in ("gres.conf", "cgroup.conf")]),
            "server": digest(installed + [files.read(root + "/run/server.json"), files.read(root + "/run/host.json"), files.read(about(root)["token_file"])])}


def control(root, instance_py, *words):
    """supervisorctl; returns what it printed."""
    return subprocess.run(["/usr/bin/supervisorctl", "-c", root + "/run/supervisord.conf", *words], capture_output=True,
                          text=True, check=False, env=_environment(root, instance_py), cwd="/", timeout=120).stdout


def _knock(root):
    """supervisord starts its programs a second after itself, or as soon as somebody speaks with it."""
    if os.fork():
        return
    end = time.monotonic() + 10
    with socket.socket(socket.AF_UNIX) as s:
        while s.connect_ex(root + "/run/supervisor.sock") and time.monotonic() < end:
            time.sleep(0.02)
    os._exit(0)


def start(root, instance_py, foreground):
    """Makes what runs agree with what was prepared. `foreground` never returns."""
    now, then = _fingerprints(root, instance_py), _json(root + "/run/started.json")
    if supervisor_pid(root) and now["supervisord"] != then.get("supervisord"):
        stop(root)
    files.write(root + "/run/started.json", json.dumps(now) + "\n", (os.geteuid(), os.getegid()), 0o644)
    if not supervisor_pid(root):
        command = [shutil.which("supervisord", path=programs.PATH), "-c", root + "/run/supervisord.conf"] + ["-n"] * foreground
        if foreground:
            _knock(root)
            os.execve(command[0], command, _environment(root, instance_py))
        subprocess.run(command, check=True, env=_environment(root, instance_py), cwd="/")
        return "started"
    slurm, server = (now[part] != then.get(part) for part in ("slurm", "server"))
    # The server too where Slurm is another: what the node has it asks rarely.
    stale = ["slurmctld", "slurmd"] * slurm + ["jobrunner"] * (slurm or server)
    if stale:
        control(root, instance_py, "restart", *stale)
    states = dict(line.split()[:2] for line in control(root, instance_py, "status").splitlines())
    down = [name for name, state in states.items() if state in ("STOPPED", "EXITED", "FATAL")]
    if down:
        control(root, instance_py, "start", *down)
    return "running already" + (f"; started anew: {' '.join(stale + down)}" if stale + down else "")


def health(root):
    """Prints the answer of GET /health; 0 if the service and Slurm serve."""
    of = about(root)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(of["bind"], of["bind"])
    connection = http.client.HTTPConnection(host, of["port"], timeout=5)
    try:
        connection.request("GET", "/health")
        text = connection.getresponse().read().decode(errors="replace")
        seen = json.loads(text)
        print(text)
        return 0 if seen.get("ok") and seen.get("slurm") else 1
    except (OSError, http.client.HTTPException, ValueError) as e:
        print(f"{host}:{of['port']} does not answer: {e}")
        return 1


def stop(root):
    """Ends supervisord and its programs; whether there were any. Running jobs go on."""
    pid = supervisor_pid(root)
    if not pid:
        return False
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 90
    while supervisor_pid(root):
        if time.monotonic() > end:
            raise Refused(f"supervisord (pid {pid}) has not ended within 90 s; see {root}/log/supervisord.log")
        time.sleep(0.05)
    return True


def run(root, name):
    """Becomes the program; for supervisord.conf."""
    programs.ALL[name](root, about(root))
