"""An instance mends itself, stops and starts, and forgets nothing."""
import os
import shutil
import signal
import sqlite3
import time

import pytest

pytestmark = pytest.mark.no_server


def test_a_second_run_is_quick_and_changes_nothing(instance):
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in instance.root.rglob("*")
              if p.is_file() and p.parts[-2] not in ("log", "state", "spool") and p.name not in ("lock", "jobcomp.log", "started.json")}
    pids, begun = instance.pids(), time.monotonic()
    instance.ok("prepare")
    assert instance.ok("start").strip() == "running already"
    assert time.monotonic() - begun < 3
    assert instance.pids() == pids
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in before} == before


def test_a_token_given_later_replaces_the_old_and_restarts_only_the_server(instance):
    pids = instance.pids()
    instance.ok("prepare", JR_AUTH_TOKEN="another")
    assert instance.ok("start").strip() == "running already; started anew: jobrunner"
    assert (instance.root / "auth_token").read_text() == "another"
    instance.ok("prepare", JR_AUTH_TOKEN="")
    assert (instance.root / "auth_token").read_text() == "another"
    now = instance.pids()
    assert {n for n in pids if pids[n] != now[n]} == {"jobrunner"}


@pytest.mark.parametrize("name", ["munged", "slurmctld", "slurmd", "jobrunner"])
def test_a_killed_program_comes_back_and_running_jobs_live_on(instance, name):
    job = instance.submit("sleep 9; echo survived\n")
    instance.until(lambda: instance.state(job) == "RUNNING", "the job runs")
    if name == "slurmctld":
        time.sleep(6)  # it saves its state at most 5 s after a change; what came since, it forgets
    pid = instance.pids()[name]
    os.kill(pid, signal.SIGKILL)
    instance.until(lambda: instance.pids().get(name, pid) != pid, f"{name} is back")
    instance.until(lambda: instance.slurm("sinfo", "-h", "-o", "%T") in ("idle", "mixed", "allocated"), "the node serves")
    assert instance.result(job).strip() == "survived"
    instance.result(instance.submit("true\n"))


def test_jobs_go_on_while_it_is_stopped_and_are_found_again(instance):
    short, long = instance.submit("sleep 3; echo short\n"), instance.submit("sleep 12; echo long\n")
    instance.until(lambda: instance.state(short) == "RUNNING", "the job runs")
    assert instance.ok("stop").strip() == "stopped"
    assert instance.ok("stop").strip() == "was not running"
    time.sleep(4)
    instance.ok("start")
    assert instance.result(short).strip() == "short"
    if len(os.sched_getaffinity(0)) > 1:
        assert instance.result(long).strip() == "long"


def test_a_number_is_not_given_again_when_slurm_has_lost_its_state(instance):
    last = instance.submit("true\n")
    instance.result(last)
    database = instance.root / "jr_slurm.db"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE jobs (job_id INTEGER, uuid TEXT)")
        db.execute("INSERT INTO jobs VALUES (?, 'u')", (last + 100,))
    instance.ok("stop")
    for path in (instance.root / "slurm/state").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    instance.up()
    assert instance.submit("true\n") == last + 101
    with sqlite3.connect(database) as db:
        db.execute("UPDATE jobs SET job_id = ?", (last + 500,))
    os.kill(instance.pids()["slurmctld"], signal.SIGKILL)
    instance.until(lambda: f"FirstJobId={last + 501}" in (instance.root / "slurm/slurm.conf").read_text(), "slurmctld was told")
    instance.until(lambda: instance.slurm("sinfo", "-h", "-o", "%T") == "idle", "the node is idle")
    assert instance.submit("true\n") == last + 501
