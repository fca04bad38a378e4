"""One server process: started as a user would start it, ended by its own pid, its log kept and searched."""
import os
import pathlib
import signal
import subprocess
import time

import requests

from .sanitizers import patient

PASSED_ON = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")


class Server:
    def __init__(self, program, environment, port, log):
        self.program, self.environment, self.port = program, dict(environment), port
        self.log_path = pathlib.Path(log)
        self.process = None
        self.base = f"http://127.0.0.1:{port}"

    def spawn(self):
        """Starts the process and does not wait for it to serve."""
        assert self.process is None or self.process.poll() is not None
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "JR_PORT": str(self.port),
                       "JR_BIND": "127.0.0.1", **self.environment,
                       **{name: os.environ[name] for name in PASSED_ON if name in os.environ}}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.program], env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd="/", start_new_session=True)
        return self

    def start(self, seconds=30):
        self.spawn()
        end = time.monotonic() + patient(seconds)
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log()[-3000:]}")
            try:
                # Until it has asked Slurm once it takes no jobs.
                if requests.get(self.base + "/health", timeout=5).json()["slurm_checked_at"]:
                    return self
                time.sleep(0.02)
            except requests.RequestException:
                time.sleep(0.02)
        raise AssertionError(f"the server does not answer after {seconds} s:\n{self.log()[-3000:]}")

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9, as a crash would be."""
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)

    def stop(self, seconds=20):
        """SIGTERM; the exit status."""
        if not self.alive():
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(patient(seconds))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end within {seconds} s of SIGTERM:\n{self.log()[-3000:]}") from None

    def restart(self):
        self.stop()
        return self.start()

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
