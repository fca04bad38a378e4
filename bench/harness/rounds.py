"""Rounds in which contenders take turns, so that whatever disturbs the machine disturbs all of them; what their processes cost."""
import os
import pathlib
import re
import statistics
import time

TICK = 1 / os.sysconf("SC_CLK_TCK")


def interleaved(rounds, contenders):
    """Runs each of {name: function} once a round, in turns forwards and backwards; {name: [what it answered, by round]}."""
    answers = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders) if number % 2 == 0 else list(reversed(contenders))
        for name in names:
            answers[name].append(contenders[name]())
    return answers


def column(answers, key):
    return [answer[key] for answer in answers]


def ratios(ours, theirs):
    """Round by round, since only what ran side by side compares."""
    return [one / other for one, other in zip(ours, theirs)]


def median(values):
    return statistics.median(values)


def percentile(values, part):
    """The smallest value that so large a part of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(part * 1000) * len(ordered) // 1000) - 1))]


def children(pid):
    """Ids of all processes below `pid`, and its own."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents.setdefault(int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1]), []).append(int(entry.name))
            except (OSError, IndexError):
                continue  # it has ended meanwhile
    found, unseen = [], [pid]
    while unseen:
        one = unseen.pop()
        found.append(one)
        unseen += parents.get(one, [])
    return found


def cpu_seconds(*pids):
    """Of these processes, those below them, and those of them that have ended (proc(5): utime, stime, cutime, cstime)."""
    total = 0
    for pid in {below for one in pids for below in children(one)}:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
        except OSError:
            continue
    return total * TICK


class Cost:
    """CPU and wall time of processes during a `with`: .cpu and .wall, in seconds."""

    def __init__(self, *pids):
        self.pids = pids

    def __enter__(self):
        self.cpu, self.wall = cpu_seconds(*self.pids), time.monotonic()
        return self

    def __exit__(self, *_):
        self.cpu, self.wall = cpu_seconds(*self.pids) - self.cpu, time.monotonic() - self.wall


def memory(pid, name="VmRSS"):
    """Bytes by a name of /proc/PID/status: VmRSS, RssAnon, VmHWM (the highest VmRSS since reset_peak)."""
    return 1024 * int(re.search(rf"{name}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


def reset_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def settled(pid, name="RssAnon", seconds=20):
    """The memory once it has grown no more for half a second."""
    seen, end = memory(pid, name), time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.5)
        if (now := memory(pid, name)) <= seen:
            return now
        seen = now
    return seen
