"""A running server under strace: to see the order of its system calls, or to let some of them fail."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import time

import pytest


@contextlib.contextmanager
def traced(server, *options, into="/dev/null"):
    """All threads of `server` while the block runs. Skips where it may not be traced."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    if os.geteuid() != 0:
        pytest.skip("the server is another user's, and may not be traced")
    trace = subprocess.Popen(["strace", "-f", "-qq", "-o", str(into), *options, "-p", str(server.pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 10
        while untraced(server.pid):
            if trace.poll() is not None:
                pytest.skip(f"may not trace here: {trace.stderr.read().strip()}")
            assert time.monotonic() < end, "it is traced"
            time.sleep(0.02)
        yield
    finally:
        trace.terminate()
        trace.wait(20)


def untraced(pid):
    """Whether a thread of that process is not traced yet."""
    return any("TracerPid:\t0" in (thread / "status").read_text() for thread in pathlib.Path(f"/proc/{pid}/task").iterdir())
