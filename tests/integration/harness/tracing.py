"""A running server under strace: to see the order of its system calls, or to let some of them fail."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import time

import pytest


@contextlib.contextmanager
def traced(server, *options, into="/dev/null", children=False):
    """All threads of `server` while the block runs, or of its children and whatever these start. Skips where it may not be traced."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    if os.geteuid() != 0:
        pytest.skip("the server is another user's, and may not be traced")
    pids = children_of(server.pid) if children else [server.pid]
    trace = subprocess.Popen(["strace", "-f", "-qq", "-o", str(into), *options, *(f"--attach={pid}" for pid in pids)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 10
        while any(map(untraced, pids)):
            if trace.poll() is not None:
                pytest.skip(f"may not trace here: {trace.stderr.read().strip()}")
            assert time.monotonic() < end, "it is traced"
            time.sleep(0.02)
        yield
    finally:
        trace.terminate()
        trace.wait(20)


def children_of(pid):
    return [int(child) for thread in pathlib.Path(f"/proc/{pid}/task").iterdir() for child in (thread / "children").read_text().split()]


def untraced(pid):
    """Whether a thread of that process is not traced yet."""
    return any("TracerPid:\t0" in (thread / "status").read_text() for thread in pathlib.Path(f"/proc/{pid}/task").iterdir())
