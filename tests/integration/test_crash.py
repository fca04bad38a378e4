"""kill -9 at any moment: what was acknowledged is there after the restart, and a running job's end is noticed."""
import hashlib
import os
import random
import threading
import time

import requests
from harness import datasets
from harness.contract import Violation

ROUNDS = int(os.environ.get("JR_KILLS", "15"))


class Load(threading.Thread):
    """Does `action` again and again until told to stop or the server is gone; keeps what it answered."""

    def __init__(self, action, pause):
        super().__init__(daemon=True)
        self.action, self.pause, self.kept, self.over, self.wrong = action, pause, [], threading.Event(), None

    def run(self):
        while not self.over.is_set():
            try:
                self.kept.append(self.action())
            except requests.RequestException:
                return  # killed in the middle: not acknowledged
            except (AssertionError, Violation) as wrong:
                self.wrong = wrong
                return
            self.over.wait(self.pause)


def upload(client, dice, known):
    files = {f"f{number}": dice.randbytes(dice.randrange(1, 20_000)) for number in range(dice.randrange(1, 30))}
    content = datasets.tar(files)
    sha = client.upload("set.tar", content)["sha256"]
    known[sha] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return sha


def test_nothing_acknowledged_is_lost(site, server, toolbox, run_tool):
    seed = int(os.environ.get("JR_SEED", time.time_ns() % 1_000_000))
    print(f"JR_SEED={seed}")
    dice, known, jobs, slowest = random.Random(seed), {}, [], 0.0
    long_one = run_tool("nap.py", {"seconds": 12})
    for _ in range(ROUNDS):
        client, other = site.client(), site.client()
        loads = [Load(lambda: upload(client, dice, known), 0), Load(lambda: other.submit(toolbox), 0.05)]
        for load in loads:
            load.start()
        time.sleep(dice.uniform(0.05, 0.5))
        server.kill()
        for load in loads:
            load.over.set()
            load.join(20)
            assert load.wrong is None, load.wrong
        jobs += loads[1].kept
        started = time.monotonic()
        server.start()
        slowest = max(slowest, time.monotonic() - started)
        with site.client() as fresh:
            for sha in known:
                assert fresh.get(f"/datasets/exists/{sha}").json()["exists"] is True, f"seed {seed}: dataset {sha} is lost"
            for job_id in [long_one, *jobs]:
                assert fresh.get(f"/jobs/{job_id}").status_code == 200, f"seed {seed}: job {job_id} is lost"
    print(f"{ROUNDS} kills, {len(known)} datasets, {len(jobs)} jobs, slowest start {slowest:.2f} s")
    assert slowest < 10
    check_files(site, known)
    with site.client() as client:
        client.wait(long_one)
        client.wait_indexed(long_one)
        assert client.get(f"/jobs/{long_one}/result").json()["napped"] == 12
        for job_id in jobs:
            client.wait(job_id)
            client.wait_indexed(job_id)
    names = site.slurm.run("squeue", "-t", "all", "-h", "-o", "%j").stdout.split()
    assert len(names) == len(set(names)), "a job was submitted twice"


def check_files(site, known):
    """Every dataset is whole, and nothing else lies there."""
    folder = site.root / "datasets"
    for sha, files in known.items():
        found = {str(path.relative_to(folder / sha)): hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / sha).rglob("*") if path.is_file()}
        assert found == files, sha
    site.nothing_staged()
    with site.client() as client:
        for path in folder.iterdir():
            if not path.name.startswith("."):  # uploads under way, lists of files, imports
                assert client.get(f"/datasets/exists/{path.name}").json()["exists"] is True, f"{path} has no row"


def test_the_end_of_a_job_is_noticed_that_ended_while_the_server_was_down(site, server, client, run_tool):
    job_id, failing = run_tool("nap.py", {"seconds": 2}), run_tool("nap.py", {"seconds": 2, "exit": 5})
    for one in (job_id, failing):
        client.wait_state(one, {"RUNNING"})
    server.kill()
    time.sleep(5)
    server.start()
    with site.client() as again:
        again.wait(job_id, 20)
        again.wait_indexed(job_id)
        assert again.wait(failing, 20, "FAILED")["exit_code"] == 5


def test_a_cancel_survives_the_crash(site, server, client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 60})
    client.wait_state(job_id, {"RUNNING"})
    assert client.post(f"/jobs/{job_id}/cancel").status_code == 200
    server.kill()
    server.start()
    with site.client() as again:
        assert again.wait(job_id, 60, "CANCELLED")["cancel_requested"] is True
