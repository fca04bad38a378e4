"""Users and folders of an instance. Who may do what:

    JR_ROOT           1775 root:server    the server adds its database and webhook_secret (0600); the rest is root's
    datasets/         0755 server         for jobs to read   .staging/ 0770, .files/ and .uploads/ 0700: server only
    results/ jobs/    0750 server:job     the server makes a folder in it for each job
    logs/             0770 server:job     slurmd opens a job's log as the job user
    app/ run/ slurm/  0755 root           programs; pids and settings; Slurm, see below
    log/              0750 root           what the programs print
    auth_token        0400 server         (slurm/munge/key: 0400 munge, slurm/state: 0700 slurm)

Where all is one user's, so are these.
"""

import os
import pwd
import secrets
import subprocess

from . import bucket, files
from .refusal import Refused
from .settings import new_token

# What shows that a folder is an instance of this service, or of the program it replaces.
_MARKS = {"datasets", "results", "logs", "jr_slurm.db", "auth_token", "app", "run", "slurm"}


def make_users(settings):
    """Our users, as root and if missing; what was made, in words."""
    made = []
    tasks = {settings.server_user: "the server runs as it", settings.job_user: "jobs run as it"}
    if settings.bucket:
        tasks[bucket.USER] = "the bucket is mounted by it"
    for user, task in tasks.items():
        try:
            pwd.getpwnam(user)
        except KeyError:
            subprocess.run(["/usr/sbin/useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
                            "--shell", "/usr/sbin/nologin", user], check=True)
            made.append(f"made the user {user}: {task}")
    return made


def _need(user, package):
    try:
        pwd.getpwnam(user)
    except KeyError:
        raise Refused(f"there is no user {user}: Debian's package {package} makes it and is not installed")
    return user


def daemon_users(settings):
    """Who slurmctld and munged run as."""
    if not settings.as_root:
        return settings.job_user, settings.job_user
    return _need("slurm", "slurm-client"), _need("munge", "munge")


def _refuse_foreign(root):
    if root == "/" or root in ("/etc", "/home", "/opt", "/root", "/srv", "/tmp", "/usr", "/var"):
        raise Refused(f"JR_ROOT={root}: must be a folder of its own, such as {root.rstrip('/')}/jobrunner")
    if os.path.isdir(root):
        inside = set(os.listdir(root)) - {"lost+found"}
        if inside and not inside & _MARKS:
            raise Refused(f"JR_ROOT={root}: holds other things ({sorted(inside)[0]}); name a new or an empty folder")


def make(settings):
    """All folders, the token and munge's key."""
    _refuse_foreign(settings.root)
    slurm_user, munge_user = daemon_users(settings)
    root, server, job = settings.root, settings.server_user, settings.job_user
    admin = files.ids("root" if settings.as_root else server)
    own, shared = files.ids(server), files.ids(server, job)
    try:
        os.makedirs(os.path.dirname(root), exist_ok=True)
        files.folder(root, (admin[0], own[1]), 0o1775)
    except PermissionError:
        raise Refused(f"JR_ROOT={root}: {server} may not make or change that folder; choose one below your home, or run as root")
    for name, owner, mode in (
            ("datasets", own, 0o755), ("datasets/.staging", own, 0o770),
            ("results", shared, 0o750), ("jobs", shared, 0o750), ("logs", shared, 0o770),
            ("app", admin, 0o755), ("run", admin, 0o755), ("log", admin, 0o750),
            ("slurm", admin, 0o755), ("slurm/spool", admin, 0o755), ("slurm/gpus", admin, 0o755),
            ("slurm/state", files.ids(slurm_user), 0o700), ("slurm/munge", files.ids(munge_user), 0o755)):
        files.folder(f"{root}/{name}", owner, mode)
    # A database that the FastAPI program left belongs to whoever ran that.
    for name in ("jr_slurm.db", "jr_slurm.db-wal", "jr_slurm.db-shm"):
        files.adopt(f"{root}/{name}", own, 0o600)
    # The log of finished jobs: slurmctld writes it (and sets this mode itself), the server reads it.
    files.touch(f"{root}/slurm/jobcomp.log", files.ids(slurm_user), 0o644)
    key = f"{root}/slurm/munge/key"
    files.write(key, files.read(key) or secrets.token_bytes(128), files.ids(munge_user), 0o400)
    token = f"{root}/auth_token"
    if settings.token_file == token:
        wanted = settings.token.encode() or files.read(token) or new_token().encode()
        files.write(token, wanted, own, 0o400)
    bucket.prepare(settings)
