"""What this machine has, as far as a container lets it be used: CPUs, memory, GPUs."""

import glob
import math
import os
import re
import shutil
import stat
import subprocess

_SMI_PATH = "/usr/bin:/usr/local/bin:/usr/local/nvidia/bin:/usr/lib/wsl/lib"

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


def _output(argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env={"PATH": "/usr/bin:/bin"}).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def gpu_names():
    """What the driver's own tool calls the GPUs; [] where it does not answer."""
    tool = shutil.which("nvidia-smi", path=_SMI_PATH)
    return re.findall(r"^GPU \d+: (.*?)(?: \(UUID.*)?$", _output([tool, "-L"]), re.M) if tool else []


def gpu_devices():
    """Device files of the GPUs, in the driver's order."""
    found = [p for p in glob.glob("/dev/nvidia*") if re.fullmatch(r"/dev/nvidia\d+", p)]
    if found:
        return sorted(found, key=lambda p: int(p[len("/dev/nvidia"):]))
    # A GPU without such a file (WSL2): the driver's own tool knows how many there are.
    return (["/dev/dxg"] if os.path.exists("/dev/dxg") else ["/dev/null"]) * len(gpu_names())


def stand_ins(count):
    """Device files for `count` simulated GPUs."""
    usable = [p for p in STAND_INS if os.path.exists(p) and stat.S_ISCHR(os.stat(p).st_mode)]
    return [usable[i % len(usable)] for i in range(count)]


def _may(capability):
    """Whether this process has a capability, by its number in capabilities(7)."""
    with open("/proc/self/status", encoding="ascii") as f:
        return bool(int(re.search(r"^CapEff:\s+(\w+)", f.read(), re.M).group(1), 16) >> capability & 1)


def fuse_problem():
    """Why no FUSE file system can be mounted here; None if nothing speaks against it."""
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse here (a container needs --privileged, or --device /dev/fuse --cap-add SYS_ADMIN)"
    if os.geteuid() == 0 and not _may(21):  # CAP_SYS_ADMIN
        return "nothing may be mounted here (a container needs --privileged, or --device /dev/fuse --cap-add SYS_ADMIN)"
    try:
        # As root, so also where the file itself forbids it to others: what counts is the container's list of devices.
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except PermissionError:
        return "/dev/fuse may not be opened here (a container needs --privileged, or --device /dev/fuse)" if os.geteuid() == 0 else None
    except OSError as e:
        return f"/dev/fuse cannot be opened: {e.strerror}"
    return None
