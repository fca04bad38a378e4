"""The settings of an instance: from the environment, checked, what is unset filled in."""

import os
import pwd
import re
import secrets
from dataclasses import dataclass, field

from . import bucket, cgroups, hardware
from .refusal import Refused

# Read here and not handed to the server as they are.
_OURS = {"JR_AUTH_TOKEN", "JR_APP", "JR_BASE_URL", "JR_NUM_CPUS", "JR_NUM_GPUS", "JR_REAL_MEM_MB",
         "JR_GPU_TYPE", "JR_MAX_TIME", "JR_USE_CGROUPS"}

# The part before /share/jobrunner, where that is where these files are; in a checkout they are elsewhere.
_SHARE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_INSTALLED = _SHARE[:-len("/share/jobrunner")] if _SHARE.endswith("/share/jobrunner") else ""


@dataclass
class Settings:
    root: str
    app: str                 # where bin/ and share/jobrunner/ are
    port: int
    bind: str
    cpus: int
    memory_mb: int
    gpus: list               # device files
    simulated: bool
    gpu_type: str
    max_time_min: int        # 0: no limit
    cgroups: bool
    cgroups_problem: str     # why they could not be used; None if they could
    as_root: bool
    server_user: str
    job_user: str
    token: str               # "": keep the one there is, or make one
    token_file: str
    bucket: dict             # how s3fs mounts it; empty: it does not
    server_env: dict         # other JR_ variables, for the server alone
    notes: list = field(default_factory=list)     # what a person should be told
    problems: list = field(default_factory=list)  # what is not as it was asked for, for health too


class _Wanted:
    """The environment, one setting at a time. What cannot be is an error where a person is watching;
    otherwise (`unattended`, a container) what can be is taken instead, and that is a problem to be told."""

    def __init__(self, environ, unattended):
        self.env = {k: v for k, v in environ.items() if v != ""}  # an empty variable counts as unset
        self.unattended, self.notes, self.problems = unattended, [], []

    def get(self, name, read, otherwise):
        """What `read` makes of the variable, or `otherwise`."""
        if name not in self.env:
            return otherwise
        try:
            return read(name, self.env[name])
        except Refused as refused:
            self.instead(str(refused), f"using {otherwise}", error=True)
            return otherwise

    def instead(self, what, then, error=False):
        """`what` cannot be. Where nobody watches that is a problem; otherwise `error`, or a warning."""
        if self.unattended:
            self.problems.append(f"{what}; {then}")
        elif error:
            raise Refused(what)
        else:
            self.notes.append(f"WARNING: {what}; {then}")

    def at_most(self, name, value, there_is, unit):
        """`value`, or what there is of it where that is less."""
        if value <= there_is:
            return value
        self.instead(f"{name}={value}, but there are only {there_is} {unit}", f"using {there_is}")
        return there_is


def _whole(lowest, highest, what):
    def read(name, text):
        if not re.fullmatch(r"\d{1,12}", text, re.A) or not lowest <= int(text) <= highest:
            raise Refused(f"{name}={text}: must be a whole number from {lowest} to {highest} ({what})")
        return int(text)
    return read


def minutes(text):
    """Slurm's ways to write a duration, in minutes rounded up; 0 for no limit. None: not one."""
    if text.upper() in ("UNLIMITED", "INFINITE"):
        return 0
    m = re.fullmatch(r"(?:(\d{1,5})-)?(\d{1,7})(?::(\d{1,2}))?(?::(\d{1,2}))?", text, re.A)
    if not m:
        return None
    days, a, b, c = m.groups()
    a, b_, c_ = int(a), int(b or 0), int(c or 0)
    if days is not None:  # days-hours[:minutes[:seconds]]
        seconds = int(days) * 86400 + a * 3600 + b_ * 60 + c_
    elif c is not None:   # hours:minutes:seconds
        seconds = a * 3600 + b_ * 60 + c_
    else:                 # minutes[:seconds]
        seconds = a * 60 + b_
    return (seconds + 59) // 60 or None


def _flag(name, text):
    if text.lower() not in ("0", "1", "no", "yes", "false", "true"):
        raise Refused(f"{name}={text}: must be 0 or 1")
    return text.lower() in ("1", "yes", "true")


def _gpu_type(name, text):
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", text, re.A):
        raise Refused(f"{name}={text}: must be a letter and then letters, digits, '_', '-' or '.', such as nvidia or a100")
    return text


def _max_time(name, text):
    if minutes(text) is None:
        raise Refused(f"{name}={text}: must be a time such as 7-00:00:00 (days-hours:minutes:seconds), 04:00:00, or UNLIMITED")
    return text


def _users(env, as_root, notes):
    if not as_root:
        try:
            me = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            raise Refused(f"the user number {os.geteuid()} has no name in /etc/passwd; Slurm needs one")
        notes.append(f"not root: server, Slurm and jobs all run as {me}, so a job can read and change "
                     "everything the server can, its token and its data included")
        return me, me
    names = {}
    for name, default in (("JR_SERVER_USER", "jobrunner"), ("JR_JOB_USER", "runner")):
        user = names[name] = env.get(name, default)
        try:
            if pwd.getpwnam(user).pw_uid == 0:
                raise Refused(f"{name}={user}: must not be root; leave it unset for {default}")
        except KeyError:
            if user != default:
                raise Refused(f"{name}={user}: there is no such user; make it, or leave it unset for {default}")
    if names["JR_SERVER_USER"] == names["JR_JOB_USER"]:
        notes.append("JR_SERVER_USER and JR_JOB_USER are the same user: a job can read and change everything the server can")
    return names["JR_SERVER_USER"], names["JR_JOB_USER"]


def _root(env, as_root):
    default = "/opt/jobrunner" if as_root else os.path.expanduser("~/jobrunner")
    root = os.path.realpath(env.get("JR_ROOT", default))
    if not re.fullmatch(r"/[A-Za-z0-9._/@+-]+", root):
        raise Refused(f"JR_ROOT={root}: must be an absolute path of letters, digits and . _ - + @ / (Slurm reads no others)")
    if len(root) > 60:
        raise Refused(f"JR_ROOT={root}: is {len(root)} characters long; at most 60, since Unix sockets below it must have short names")
    if as_root:
        for folder in _above(root):
            if os.path.isdir(folder) and not os.stat(folder).st_mode & 0o001:
                raise Refused(f"JR_ROOT={root}: the job user cannot reach it, {folder} is closed to others (chmod o+x {folder}, or choose another place)")
    return root


def _above(path):
    while path != "/":
        path = os.path.dirname(path)
        yield path


def _gpus(wanted):
    found = hardware.gpu_devices()
    if "JR_NUM_GPUS" not in wanted.env:
        if not found:
            wanted.notes.append("no GPU found: jobs can ask for none" + ("" if wanted.unattended else " (JR_NUM_GPUS=2 would simulate two)"))
        return found, False
    count = wanted.get("JR_NUM_GPUS", _whole(0, 64, f"this machine has {len(found)}"), len(found))
    if count and not found and not wanted.unattended:
        wanted.notes.append(f"SIMULATED: JR_NUM_GPUS={count}, but there is no GPU here; Slurm hands out {count} that do not exist")
        return hardware.stand_ins(count), True
    if count and not found:
        wanted.instead(f"JR_NUM_GPUS={count}, but this container sees no GPU (docker run --gpus all shows it the host's)", "jobs can ask for none")
    return found[:wanted.at_most("JR_NUM_GPUS", count, len(found), "GPUs")] if found else [], False


def _node(wanted):
    has_cpus, has_mb = hardware.cpus(), hardware.memory_mb()
    cpus = wanted.get("JR_NUM_CPUS", _whole(1, 65535, f"this machine has {has_cpus}"), has_cpus)
    memory_mb = wanted.get("JR_REAL_MEM_MB", _whole(64, 1 << 40, f"this machine has {has_mb}"), has_mb)
    if cpus > has_cpus and not wanted.unattended:
        wanted.notes.append(f"WARNING: JR_NUM_CPUS={cpus}, but there are only {has_cpus} CPUs; jobs will share them and run slower")
    else:
        cpus = wanted.at_most("JR_NUM_CPUS", cpus, has_cpus, "CPUs")
    # Memory cannot be shared out twice, whoever watches.
    return cpus, wanted.at_most("JR_REAL_MEM_MB", memory_mb, has_mb, "MB")


def _cgroups(wanted):
    """Whether Slurm is to use them, and why it could not."""
    why = cgroups.problem()
    if not wanted.get("JR_USE_CGROUPS", _flag, False):
        return False, why
    why = why or cgroups.make_room()
    if why:
        wanted.instead(f"JR_USE_CGROUPS=1: {why}", "jobs run without limits of their own, as with JR_USE_CGROUPS=0", error=True)
    return not why, why


def _token(env):
    token = env.get("JR_AUTH_TOKEN", "")
    if token and not re.fullmatch(r"[!-~]{1,4096}", token):
        raise Refused("JR_AUTH_TOKEN: must be visible ASCII characters without blanks (openssl rand -hex 32 makes a good one)")
    return token


def _port(wanted):
    env = wanted.env
    if "PORT" in env and "JR_PORT" in env and env["PORT"] != env["JR_PORT"]:
        wanted.instead(f"PORT={env['PORT']} and JR_PORT={env['JR_PORT']}: they mean the same; set one", "using JR_PORT", error=True)
    return wanted.get("JR_PORT" if "JR_PORT" in env else "PORT", _whole(1, 65535, "the port of the API"), 8080)


def load(environ, unattended=False):
    """Settings from `environ`. Throws Refused; `unattended` only for what nothing could run without."""
    wanted = _Wanted(environ, unattended)
    env, notes = wanted.env, wanted.notes
    as_root = os.geteuid() == 0
    root = _root(env, as_root)
    app = os.path.realpath(env.get("JR_APP", _INSTALLED or root + "/app"))
    server_user, job_user = _users(env, as_root, notes)
    port = _port(wanted)
    cpus, memory_mb = _node(wanted)
    gpus, simulated = _gpus(wanted)
    gpu_type = wanted.get("JR_GPU_TYPE", _gpu_type, "nvidia")
    max_time = wanted.get("JR_MAX_TIME", _max_time, "7-00:00:00")
    b2 = wanted.get("JR_B2_ENABLE", _flag, False)
    mount = bucket.settings(wanted, b2)
    share = app + "/share/jobrunner"
    confined, why_not = _cgroups(wanted)  # last, as it changes something
    server_env = {k: v for k, v in env.items() if k.startswith("JR_") and k not in _OURS}
    # A sanitizer's settings, where the programs are a test build.
    server_env |= {k: env[k] for k in ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS") if k in env}
    server_env |= {"JR_ROOT": root, "JR_PORT": str(port), "JR_BIND": env.get("JR_BIND", "127.0.0.1"),
                   "JR_AUTH_TOKEN_FILE": env.get("JR_AUTH_TOKEN_FILE", root + "/auth_token"),
                   "JR_COMMANDS_DIR": env.get("JR_COMMANDS_DIR", share + "/commands"),
                   "JR_SHARE_DIR": env.get("JR_SHARE_DIR", share),
                   "SLURM_CONF": root + "/slurm/slurm.conf",
                   "JR_SERVER_USER": server_user, "JR_JOB_USER": job_user,
                   "JR_B2_ENABLE": "1" if b2 else "0"}
    if mount:
        server_env["JR_B2_ENDPOINT"] = mount["endpoint"]
    elif b2 and unattended:  # a bucket that cannot be: told already, and no reason for the server not to start
        server_env = {k: v for k, v in server_env.items() if k in ("JR_B2_ENABLE", "JR_B2_MOUNT") or not k.startswith("JR_B2_")}
    return Settings(root=root, app=app, port=port, bind=server_env["JR_BIND"], cpus=cpus, memory_mb=memory_mb,
                    gpus=gpus, simulated=simulated, gpu_type=gpu_type, max_time_min=minutes(max_time),
                    cgroups=confined, cgroups_problem=why_not, as_root=as_root, server_user=server_user, job_user=job_user,
                    token=_token(env), token_file=server_env["JR_AUTH_TOKEN_FILE"], bucket=mount, server_env=server_env,
                    notes=notes, problems=wanted.problems)


def new_token():
    return secrets.token_hex(32)
