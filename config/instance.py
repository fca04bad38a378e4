#!/usr/bin/python3 -I
"""One instance of the service: what it needs below JR_ROOT, and its programs.

    instance.py prepare             folders, users, keys, slurm.conf, from the environment
    instance.py prepare --unattended  likewise; what cannot be as set is no error: what can be is taken
                                    instead, and log and health say so. Programs log to stdout too.
    instance.py start [--foreground]  what prepare made; restarts only what has changed
    instance.py stop                running jobs go on, and the next start finds them
    instance.py ctl WORDS...        supervisorctl
    instance.py health              what the service says of itself; fails unless it and Slurm serve
    instance.py run PROGRAM         for supervisord.conf

Settings are the JR_ variables in README.md. Needs Debian's python3 and nothing else.
"""

import fcntl
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from jr_instance import daemons, places, programs, settings, slurm_files  # noqa: E402

HERE = os.path.abspath(__file__)


def prepare(unattended):
    wanted = settings.load(os.environ, unattended)
    if wanted.as_root:
        for line in places.make_users(wanted):
            print(line)
    daemons.check_port(wanted)
    places.make(wanted)
    with lock(wanted.root):
        slurm_files.write(wanted, running=daemons.supervisor_pid(wanted.root) is not None)
        daemons.save(wanted, HERE, unattended)
    for line in [*wanted.notes, *(f"error: {problem}" for problem in wanted.problems)]:
        print(line)
    gpus = f"{len(wanted.gpus)} {'simulated ' if wanted.simulated else ''}GPUs"
    print(f"prepared {wanted.root}: {wanted.cpus} CPUs, {wanted.memory_mb} MB, {gpus}")


def lock(root):
    """Held while open: two at once would overwrite each other's files."""
    held = open(root + "/run/lock", "w", encoding="ascii")
    fcntl.flock(held, fcntl.LOCK_EX)
    return held


def main(words):
    command = words[0] if words else ""
    if command == "prepare" and words[1:] in ([], ["--unattended"]):
        return prepare(unattended=len(words) == 2)
    root = os.path.realpath(os.environ.get("JR_ROOT") or ("/opt/jobrunner" if os.geteuid() == 0 else os.path.expanduser("~/jobrunner")))
    daemons.about(root)  # says so where there is none
    if command == "start" and words[1:] in ([], ["--foreground"]):
        with lock(root):
            print(daemons.start(root, HERE, foreground=len(words) == 2))
    elif command == "stop" and len(words) == 1:
        print("stopped" if daemons.stop(root) else "was not running")
    elif command == "ctl":
        print(daemons.control(root, HERE, *words[1:]), end="")
    elif command == "health" and len(words) == 1:
        return daemons.health(root)
    elif command == "run" and len(words) == 2 and words[1] in programs.ALL:
        daemons.run(root, words[1])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except settings.Refused as refused:
        sys.exit(f"error: {refused}")
