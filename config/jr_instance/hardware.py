"""What this machine has, as far as a container lets it be used: CPUs, memory, GPUs."""

import glob
import math
import os
import re
import shutil
import stat
import subprocess

# Character devices that every Linux has, for simulated GPUs: Slurm wants one file each.
STAND_INS = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")


def _own_cgroups():
    """(controllers, path) of each hierarchy this process is in; v2 has no controllers named."""
    try:
        with open("/proc/self/cgroup", encoding="ascii") as lines:
            for line in lines:
                _, controllers, path = line.rstrip("\n").split(":", 2)
                yield controllers.split(","), path
    except OSError:
        return


def _values(controller, file_v1, file_v2):
    """Content of a limit file in this process's cgroup and in all above it."""
    for controllers, path in _own_cgroups():
        if controllers == [""]:
            base, name = "/sys/fs/cgroup", file_v2
        elif controller in controllers:
            base, name = "/sys/fs/cgroup/" + controller, file_v1
        else:
            continue
        while True:
            try:
                with open(base + path.rstrip("/") + "/" + name, encoding="ascii") as f:
                    yield f.read().split()
            except OSError:
                pass  # the root has no limit, and a container may not see its own path
            if path in ("/", ""):
                break
            path = os.path.dirname(path)


def cpus():
    """CPUs this process may use: its affinity, or less where a cgroup has a quota."""
    count = len(os.sched_getaffinity(0))
    for value in _values("cpu", "cpu.max", "cpu.max"):
        if len(value) == 2 and value[0].isdigit():
            count = min(count, math.ceil(int(value[0]) / int(value[1])))
    quotas = list(_values("cpu", "cpu.cfs_quota_us", "cpu.max"))
    periods = list(_values("cpu", "cpu.cfs_period_us", "cpu.max"))
    for quota, period in zip(quotas, periods):
        if len(quota) == 1 and len(period) == 1 and int(quota[0]) > 0:
            count = min(count, math.ceil(int(quota[0]) / int(period[0])))
    return max(count, 1)


def memory_mb():
    """MiB this process and its children may use."""
    with open("/proc/meminfo", encoding="ascii") as f:
        total = int(re.search(r"^MemTotal:\s+(\d+) kB", f.read(), re.M).group(1)) * 1024
    for value in _values("memory", "memory.limit_in_bytes", "memory.max"):
        if len(value) == 1 and value[0].isdigit():
            total = min(total, int(value[0]))
    return total // (1 << 20)


def gpu_devices():
    """Device files of the GPUs, in the driver's order."""
    found = [p for p in glob.glob("/dev/nvidia*") if re.fullmatch(r"/dev/nvidia\d+", p)]
    if found:
        return sorted(found, key=lambda p: int(p[len("/dev/nvidia"):]))
    # A GPU without such a file (WSL2): the driver's own tool knows how many there are.
    tool = shutil.which("nvidia-smi", path="/usr/bin:/usr/local/bin:/usr/lib/wsl/lib")
    if not tool:
        return []
    try:
        out = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=60, check=False,
                             env={"PATH": "/usr/bin:/bin"}).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    count = len(re.findall(r"^GPU \d+:", out, re.M))
    return (["/dev/dxg"] if os.path.exists("/dev/dxg") else ["/dev/null"]) * count


def stand_ins(count):
    """Device files for `count` simulated GPUs."""
    usable = [p for p in STAND_INS if os.path.exists(p) and stat.S_ISCHR(os.stat(p).st_mode)]
    return [usable[i % len(usable)] for i in range(count)]


def cgroups_usable():
    """Why Slurm could not use cgroups here; None if it can."""
    if os.geteuid() != 0:
        return "that needs root"
    v2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    needed = ["/sys/fs/cgroup"] if v2 else ["/sys/fs/cgroup/" + c for c in
                                            ("cpuset", "devices", "freezer", "memory")]
    for path in needed:
        if not os.path.isdir(path):
            return f"there is no {path}"
        if not os.access(path, os.W_OK) or os.statvfs(path).f_flag & os.ST_RDONLY:
            return f"{path} cannot be written (a container needs --privileged for it)"
    return None
