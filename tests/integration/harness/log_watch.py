"""Slurm's completion log, read beside the service."""
import os
import threading
import time


class LogWatch(threading.Thread):
    """When a job's line came into the completion log."""

    def __init__(self, path, job_id):
        super().__init__(daemon=True)
        self.file, self.wanted, self.at = open(path, encoding="utf-8"), f"JobId={job_id} ", None
        self.file.seek(0, os.SEEK_END)

    def run(self):
        end, text = time.monotonic() + 60, ""
        while self.at is None and time.monotonic() < end:
            text += self.file.read()
            if self.wanted in text:
                self.at = time.time()
            else:
                time.sleep(0.001)
