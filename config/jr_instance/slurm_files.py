"""Slurm's configuration: slurm.conf, gres.conf, cgroup.conf from the templates beside instance.py."""

import hashlib
import json
import os
import random
import re
import shlex
import socket
import string
import subprocess
import sys

from . import cgroups, files, places


def node_name(root):
    """Of this instance alone: the cgroups of a machine's slurmds are told apart by it."""
    return "jr-" + hashlib.sha256(root.encode()).hexdigest()[:6]


# Run as the server's user: reads the highest job id on record, in this program's schema or the
# FastAPI program's.
_HIGHEST = """
import sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=5)
columns = [row[1] for row in db.execute("PRAGMA table_info(jobs)")]
names = [name for name in ("job_id", "slurm_id") if name in columns]  # they differ where Slurm had lost a job
highest = max(db.execute(f"SELECT coalesce(max({name}), 0) FROM jobs").fetchone()[0] for name in names)
if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'deleted'").fetchone():
    highest = max(highest, db.execute("SELECT coalesce(max(job_id), 0) FROM deleted").fetchone()[0])
print(highest)
"""


def first_job_id(root, server_user):
    """One above every job id in the database, those of deleted jobs too; 1 where none can be read."""
    database = root + "/jr_slurm.db"
    if not os.path.isfile(database):
        return 1
    as_server = {"user": server_user, "group": files.ids(server_user)[1], "extra_groups": []} if os.geteuid() == 0 else {}
    seen = subprocess.run([sys.executable, "-I", "-c", _HIGHEST, database], capture_output=True, text=True, check=False,
                          timeout=30, env={}, cwd="/", **as_server)
    text = seen.stdout.strip()
    # Slurm's ids end at MaxJobId, 67,043,328 by default.
    return int(text) + 1 if re.fullmatch(r"\d{1,8}", text, re.A) else 1


def _world():
    """Another one after each boot of the machine, or of the container: no process outlives it."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot, open("/proc/1/stat", encoding="ascii", errors="replace") as first:
        return boot.read().strip() + " " + first.read().rpartition(")")[2].split()[19]  # when process 1 was started


def renew(root, server_user):
    """What slurmctld must hear anew each time it starts.

    FirstJobId: its own counter is lost with its state, or a little behind if it was killed. And whether
    its node was lost since: then the jobs that ran there are dead, which it would find out after minutes.
    """
    path, mark, admin = root + "/slurm/slurm.conf", root + "/slurm/world", (os.geteuid(), os.getegid())
    renewed = re.sub(r"^FirstJobId=.*$", f"FirstJobId={first_job_id(root, server_user)}", files.read(path).decode(), flags=re.M)
    # slurmctld ends the jobs of a node that is down as NODE_FAIL; slurmd takes it into service again.
    lost = files.write(mark, _world() + "\n", admin, 0o644)
    renewed = re.sub(r" State=(UNKNOWN|DOWN)( Reason=\S+)?$", " State=DOWN Reason=started_anew" if lost else " State=UNKNOWN", renewed, flags=re.M)
    files.write(path, renewed, admin, 0o644)


def without_renewed(conf):
    """slurm.conf without what `renew` changes."""
    return re.sub(rb"^FirstJobId=.*$| State=(UNKNOWN|DOWN)( Reason=\S+)?$", b"", conf, flags=re.M)


def _free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just ended does not count
        try:
            s.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def ports(root, owner, running):
    """Two ports of this instance's own: found free once, then kept while they can be."""
    path = root + "/slurm/ports.json"
    try:
        kept = json.loads(files.read(path))
        two = [int(kept["slurmctld"]), int(kept["slurmd"])]
        if running or all(map(_free, two)):
            return two
    except (ValueError, KeyError, TypeError):
        pass
    # Below the range that Linux takes for outgoing connections.
    two = []
    while len(two) < 2:
        port = random.SystemRandom().randrange(20000, 32000)
        if port not in two and _free(port):
            two.append(port)
    files.write(path, json.dumps({"slurmctld": two[0], "slurmd": two[1]}) + "\n", owner, 0o644)
    return two


def _loopback_only():
    """Whether this machine has no other address than 127.0.0.1 and ::1, as with `docker run --network none`."""
    try:
        return not socket.getaddrinfo("127.0.0.1", None, family=socket.AF_INET, flags=socket.AI_ADDRCONFIG)
    except OSError:
        return True


def _communication(notes):
    """The CommunicationParameters line: it keeps Slurm's ports at 127.0.0.1, where that can be.

    Told not to listen everywhere, Slurm listens at the address of the machine's name, whatever
    slurm.conf says. On most Debian machines that is 127.0.1.1, where srun is never found again
    (answers go to 127.0.0.1), and in most containers the outer one.

    Where there is no address but loopback's, getaddrinfo(3) does not even read 127.0.0.1 for Slurm, which asks
    with AI_ADDRCONFIG, unless any family will do.
    """
    words = ["EnableIPv6"] if _loopback_only() else []
    name = socket.gethostname()
    try:
        address = socket.getaddrinfo(name, None, family=socket.AF_INET)[0][4][0]
    except OSError:
        address = "unknown"
    if address == "127.0.0.1":
        words += ["NoInAddrAny", "NoCtldInAddrAny"]
    elif not words:
        notes.append(f"Slurm's two ports listen on all addresses (munge refuses strangers), as this machine's name {name} is "
                     f"{address}; with '127.0.0.1 {name}' in /etc/hosts they would not")
    return "CommunicationParameters=" + ",".join(words) if words else ""


def _gpu_links(root, devices):
    """slurm/gpus/gpu0, gpu1, ...: links to the devices, so that the numbers run from 0 whichever
    of the machine's GPUs a container was given."""
    folder = root + "/slurm/gpus"
    wanted = {f"gpu{i}": device for i, device in enumerate(devices)}
    for name in os.listdir(folder):
        if os.path.islink(f"{folder}/{name}") and os.readlink(f"{folder}/{name}") != wanted.get(name):
            os.unlink(f"{folder}/{name}")
    for name, device in wanted.items():
        if not os.path.islink(f"{folder}/{name}"):
            os.symlink(device, f"{folder}/{name}")
    return [f"{folder}/{name}" for name in wanted]


def _time(minutes):
    return "UNLIMITED" if minutes == 0 else f"{minutes // 1440}-{minutes // 60 % 24:02}:{minutes % 60:02}:00"


def write(settings, running):
    """All files; `running`: the daemons are up, so their ports are theirs."""
    root = settings.root
    templates = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    admin = (os.geteuid(), os.getegid())
    slurm_user, _ = places.daemon_users(settings)
    slurmctld_port, slurmd_port = ports(root, admin, running)
    count, node = len(settings.gpus), node_name(root)
    values = {
        "root": root, "hostname": socket.gethostname().split(".")[0], "node": node,
        "slurm_user": slurm_user, "slurmd_user": "root" if settings.as_root else slurm_user,
        "slurmctld_port": slurmctld_port, "slurmd_port": slurmd_port,
        "communication": _communication(settings.notes),
        "cpus": settings.cpus, "memory_mb": settings.memory_mb,
        "cgroup_plugin": f"cgroup/v{cgroups.version()}" if settings.cgroups else "cgroup/v1",
        "constrain_devices": "no" if settings.simulated else "yes",
        "gres": f" Gres=gpu:{settings.gpu_type}:{count}" if count else "",
        "proctrack": "proctrack/cgroup" if settings.cgroups else "proctrack/linuxproc",
        "task_plugin": "task/cgroup" if settings.cgroups else "task/none",
        "disable_root_jobs": "DisableRootJobs=YES" if settings.as_root else "",
        "first_job_id": first_job_id(root, settings.server_user),
        "max_time": _time(settings.max_time_min),
        "default_time": _time(min(settings.max_time_min or 240, 240)),
        "devices": "\n".join(f"NodeName={node} Name=gpu Type={settings.gpu_type} File={link}" for link in _gpu_links(root, settings.gpus)),
    }
    # slurmd tells it of no slurm.conf, and no arguments can be given.
    share, slurm = shlex.quote(templates), shlex.quote(root + "/slurm")
    check = (f"#!/bin/sh\nJR_ROOT={shlex.quote(root)} {share}/turn-completion-log.sh {slurm}/jobcomp.log {share}/instance.py ctl signal USR2 slurmctld\n"
             f"SLURM_CONF={slurm}/slurm.conf exec {share}/resume-node.sh\n")
    files.write(f"{root}/slurm/health-check", check, admin, 0o755)
    for name in ("slurm.conf", "gres.conf", "cgroup.conf"):
        with open(f"{templates}/{name}.in", encoding="utf-8") as f:
            content = string.Template(f.read()).substitute(values).encode()
        path = f"{root}/slurm/{name}"
        if without_renewed(content) != without_renewed(files.read(path)):
            files.write(path, content, admin, 0o644)
