"""Whether Slurm can confine jobs by cgroups here, and the room it needs for that.

Version 2 gives controllers to the children of a group only where the group has no processes itself (cgroups(7),
"no internal processes"), and a container's are all in its topmost one. Slurm 22.05 makes its groups below
system.slice there, which without systemd nobody has made. It misses the last of a group's controllers, whose name
it reads with the newline; pids, which the kernel lists behind memory, is given so that memory is not the last.
"""

import errno
import os
import stat
import time

MOUNTED = "/sys/fs/cgroup"
_NEEDED = ("cpuset", "memory", "pids")
_WANTED = ("cpuset", "cpu", "memory", "pids")
_SLICE = "system.slice"  # where Slurm's plugin looks, whatever its settings
_INIT = "init"


def version(mounted=MOUNTED):
    if os.path.exists(mounted + "/cgroup.controllers"):
        return 2
    return 1 if os.path.isdir(mounted + "/memory") else None


def _words(path):
    with open(path, encoding="ascii") as f:
        return f.read().split()


def problem(mounted=MOUNTED, first="/proc/1/cgroup"):
    """Why Slurm could not confine jobs by cgroups here; None if nothing speaks against it."""
    if os.geteuid() != 0:
        return "that needs root"
    found = version(mounted)
    if found is None:
        return f"there are no cgroups at {mounted}"
    needed = [mounted] if found == 2 else [f"{mounted}/{c}" for c in ("cpuset", "devices", "freezer", "memory")]
    for path in needed:
        if not os.path.isdir(path):
            return f"there is no {path}"
        if not os.access(path, os.W_OK) or os.statvfs(path).f_flag & os.ST_RDONLY:
            return f"{path} cannot be written (a container needs --privileged for it)"
    if found == 2:
        lacking = set(_NEEDED) - set(_words(mounted + "/cgroup.controllers"))
        if lacking:
            return f"{mounted} has no controller {' and '.join(sorted(lacking))}"
        # Only the machine's own root has no type. What is not the machine's first process should not see it.
        if not os.path.exists(mounted + "/cgroup.type") and _path_of(first) not in ("/", "/init.scope"):
            return f"{mounted} shows the host's cgroups (a container needs --cgroupns=private for its own)"
    return None


def _path_of(file):
    """The path in version 2's hierarchy that a /proc/PID/cgroup tells."""
    with open(file, encoding="ascii") as lines:
        return next((line.rstrip("\n").split("::", 1)[1] for line in lines if line.startswith("0::")), "/")


def _folder(path):
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise


def _write(path, word):
    """One write, unbuffered: the kernel's answer is about this word alone."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, word.encode())
    finally:
        os.close(fd)


def _move(source, target, patience):
    """Moves the processes of one group to another, those that are born meanwhile too."""
    end = time.monotonic() + patience
    # 0 is a process that cannot be seen from here, and to write it would mean ourselves.
    while there := [pid for pid in _words(source + "/cgroup.procs") if pid != "0"]:
        refused = None
        for pid in there:
            try:
                _write(target + "/cgroup.procs", pid)
            except ProcessLookupError:
                pass  # it has ended
            except OSError as e:
                refused = OSError(e.errno, f"process {pid} cannot be moved: {e.strerror}")
        if time.monotonic() > end:
            raise refused or OSError(errno.EBUSY, f"process {there[0]} stays where it is")
        if refused:
            time.sleep(0.02)


def _give(path):
    """Gives the children of a group what controllers it has itself."""
    there, given = _words(path + "/cgroup.controllers"), _words(path + "/cgroup.subtree_control")
    for controller in _WANTED:
        if controller in there and controller not in given:
            try:
                _write(path + "/cgroup.subtree_control", "+" + controller)
            except OSError as e:
                if controller in _NEEDED:
                    raise OSError(e.errno, f"{path} does not give {controller} to its children: {e.strerror}") from None


def make_room(mounted=MOUNTED, patience=5):
    """What version 2 needs before Slurm's plugin works; why that cannot be, or None. Nothing where it is done already."""
    if version(mounted) != 2:
        return None
    try:
        if os.path.exists(mounted + "/cgroup.type"):  # not the machine's own root, which may have both
            _folder(f"{mounted}/{_INIT}")
            _move(mounted, f"{mounted}/{_INIT}", patience)
        _give(mounted)
        _folder(f"{mounted}/{_SLICE}")
        _give(f"{mounted}/{_SLICE}")
    except OSError as e:
        return f"{mounted} cannot be shared out among jobs: {e.strerror if e.filename is None else e}"
    return None
