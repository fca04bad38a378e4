"""An end is pushed by Slurm's completion log, whose text is never believed; without one the clock does it."""
import json
import os
import secrets
import shutil
import statistics
import time

import pytest
from harness import datasets
from harness.log_watch import LogWatch

RUNS = int(os.environ.get("JR_RUNS", "8"))
TICK_MS = 30_000  # nothing in here can be known from the clock alone


@pytest.fixture(scope="module")
def slow_clock(own_site):
    own_site.server.stop()
    own_site.server.environment["JR_POLL_INTERVAL_MS"] = str(TICK_MS)
    own_site.server.start()
    return own_site


@pytest.fixture(scope="module")
def tools(slow_clock):
    with slow_clock.client() as client:
        return client.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]


def submit(site, tools, script, **params):
    with site.client() as client:
        return client.submit(tools, "pytorch_infer", params_json=json.dumps({"script": script, **params}))


def test_an_end_is_known_long_before_the_clock_would_tell(slow_clock, tools):
    site, last = slow_clock, slow_clock.top / "last"
    last.mkdir()
    last.chmod(0o777)
    lines, answers = [], []
    for number in range(RUNS):
        path = last / f"{number}-{secrets.token_hex(4)}"
        job_id = submit(site, tools, "last.py", seconds=1, file=str(path))
        watch = LogWatch(site.root / "slurm" / "jobcomp.log", job_id)
        watch.start()
        with site.client() as client:
            started = time.monotonic()
            job = client.job(job_id, wait=60)
            answered = time.time()
        assert job["status"] == "COMPLETED", job
        assert time.monotonic() - started < TICK_MS / 1000 * 0.7
        watch.join(10)
        ended = float(path.read_text())
        lines.append(watch.at - ended)
        answers.append(answered - ended)
    line, answer = statistics.median(lines), statistics.median(answers)
    print(f"from the last command: completion log {line * 1000:.1f} ms, long-poll {answer * 1000:.1f} ms (median of {RUNS}), ratio {answer / line:.2f}, "
          f"slowest {max(answers) * 1000:.1f} ms; all {[round(a * 1000, 1) for a in answers]}")


@pytest.mark.slow  # measures time
def test_a_start_and_a_cancel_are_known_too(slow_clock, tools):
    site = slow_clock
    job_id = submit(site, tools, "nap.py", seconds=60)
    with site.client() as client:
        started = time.monotonic()
        assert client.job(job_id, wait=60, since="PENDING")["status"] == "RUNNING"
        client.post(f"/jobs/{job_id}/cancel")
        client.wait(job_id, 60, "CANCELLED")
        assert time.monotonic() - started < TICK_MS / 1000 * 0.7


def test_a_forged_line_of_the_log_changes_nothing(slow_clock, tools):
    site = slow_clock
    job_id = submit(site, tools, "nap.py", seconds=8)
    with site.client() as client:
        before = client.job(job_id, wait=20, since="PENDING")
        assert before["status"] == "RUNNING"
        name = "jr-" + before["meta"]["uuid"]
        with open(site.root / "slurm" / "jobcomp.log", "a", encoding="ascii") as log:
            for state in ("COMPLETED", "FAILED", "CANCELLED"):
                log.write(f"JobId={before['meta']['slurm_id']} UserId=runner(1) GroupId=runner(1) Name={name} JobState={state} Partition=main "
                          "TimeLimit=5 StartTime=2026-01-01T00:00:00 EndTime=2026-01-01T00:00:01 NodeList=n NodeCnt=1 ProcCnt=1 WorkDir=/ "
                          "ReservationName= Tres=cpu=1 Account= QOS= WcKey= Cluster=unknown SubmitTime=2026-01-01T00:00:00 "
                          "EligibleTime=2026-01-01T00:00:00 DerivedExitCode=0:0 ExitCode=0:0 \n")
                log.flush()
        time.sleep(1)
        assert client.job(job_id)["status"] == "RUNNING" and client.job(job_id)["seq"] == before["seq"]
        client.wait(job_id, 60)


def test_without_a_completion_log_the_clock_does_it_and_the_log_says_so(own_site):
    folder = own_site.top / "no-log"
    folder.mkdir()
    folder.chmod(0o755)
    for name in ("squeue", "sacct", "scancel", "sbatch"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    (folder / "scontrol").write_text('#!/bin/sh\n[ "$2" = config ] && { echo "JobCompType = jobcomp/none"; exit; }\nexec /usr/bin/scontrol "$@"\n')
    (folder / "scontrol").chmod(0o755)
    other = own_site.another_server("without-log", JR_POLL_INTERVAL_MS="500")
    other.environment["JR_SLURM_BIN"] = str(folder)
    other.start()
    try:
        with own_site.client(other) as client:
            sha = client.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
            client.wait(client.submit(sha, "pytorch_infer", params_json=json.dumps({"script": "nap.py", "seconds": 1})))
        assert "no_completion_log" in other.log()
    finally:
        other.stop()
        shutil.rmtree(folder)
