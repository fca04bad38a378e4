"""GET /health while 1 GiB is uploaded, 10,000 files are extracted and 16 clients poll a job as fast as they can.

What is quick must stay quick whatever else the server does. The uploads go on as long as health is asked.
"""
import json
import subprocess
import threading
import time

from bench.harness import jobs, material
from bench.harness.result import Result
from bench.harness.rounds import column

HEALTH_PAUSE_MS = 5


class Uploads(threading.Thread):
    """Uploads a file again and again, each time with other bytes at its begin or end so that it is a new dataset."""

    def __init__(self, site, path, vary):
        super().__init__(daemon=True)
        self.site, self.path, self.vary, self.done, self.stopping, self.failure = site, path, vary, 0, False, None

    def run(self):
        try:
            while not self.stopping:
                self.vary(self.path, self.done)
                subprocess.run(["curl", "-sS", "--fail-with-body", "-o", "/dev/null", "-H", f"Authorization: Bearer {self.site.token}",
                                "-F", f"file=@{self.path}", f"{self.site.server.base}/datasets/upload"], check=True)
                self.done += 1
        except (OSError, subprocess.CalledProcessError) as error:
            self.failure = error


def health(stage, site, seconds):
    """One client that asks every some milliseconds: what it waits for, not how much it can get."""
    done = subprocess.run([str(stage.programs / "bench_load"), "--port", str(site.server.port), "--path", "/health", "--connections", "1",
                           "--pause-ms", str(HEALTH_PAUSE_MS), "--seconds", str(seconds)], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def run(stage):
    result = Result("isolation", "GET /health while 1 GiB is uploaded, 10,000 files are extracted and 16 clients poll")
    site = stage.site()
    large = material.random_file(stage.top / "large.bin", stage.size(1 << 30, 4 << 20))
    many = material.tar_of_files(stage.top / "many.tar", stage.size(10_000, 100))
    with site.client() as client:
        job = jobs.running(client, jobs.toolbox(client))
    idle = [health(stage, site, stage.seconds) for _ in range(stage.rounds)]
    seconds = stage.size(10, 1)
    uploads = [Uploads(site, large, material.change_begin), Uploads(site, many, material.append_file)]
    for one in uploads:
        one.start()
    time.sleep(0.2)
    busy, polls = [], []
    for _ in range(stage.rounds):
        poll = subprocess.Popen([str(stage.programs / "bench_load"), "--port", str(site.server.port), "--path", f"/jobs/{job}", "--connections", "16",
                                 "--header", f"Authorization: Bearer {site.token}", "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True)
        busy.append(health(stage, site, seconds))
        polls.append(json.loads(poll.communicate(timeout=120)[0]))
    for one in uploads:
        one.stopping = True
    for one in uploads:
        one.join(300)
        if one.failure:
            raise one.failure
    for what, answers in (("idle", idle), ("busy", busy)):
        assert not sum(column(answers, "errors")), answers
        for name in ("p50", "p99", "max"):
            result.measured(f"health, {what}, {name}", "ours", [us / 1000 for us in column(answers, f"{name}_us")], "ms")
    result.measured("polls meanwhile", "ours", column(polls, "rps"), "requests/s")
    result.note(f"Meanwhile {uploads[0].done} large files and {uploads[1].done} archives were uploaded.")
    result.target("p99 of health, busy", [us / 1000 for us in column(busy, "p99_us")], at_most=20, unit="ms")
    return result
