"""Settings of an instance: what is right is taken, what is wrong is named before anything is changed."""
import json
import os
import shutil
import socket
import sqlite3

import pytest
from harness.instance import as_root

pytestmark = pytest.mark.no_server


@pytest.mark.parametrize("name,value,right", [
    ("JR_NUM_CPUS", "many", "whole number from 1"), ("JR_NUM_CPUS", "0", "whole number from 1"), ("JR_NUM_CPUS", "-1", "whole number"),
    ("JR_NUM_GPUS", "2.5", "whole number from 0"), ("JR_REAL_MEM_MB", "16GB", "whole number"),
    ("JR_GPU_TYPE", "a b", "letters"), ("JR_GPU_TYPE", "x\nNodeName=evil", "letters"),
    ("JR_MAX_TIME", "tomorrow", "7-00:00:00"), ("JR_MAX_TIME", "0", "7-00:00:00"), ("JR_USE_CGROUPS", "maybe", "0 or 1"),
    ("PORT", "70000", "65535"), ("PORT", "http", "whole number"), ("JR_BIND", "no.such.host.invalid", "address of this machine"),
    ("JR_BIND", "192.0.2.1", "address of this machine"),
    ("JR_ROOT", "/tmp", "folder of its own"), ("JR_ROOT", "/tmp/with blank", "letters"), ("JR_ROOT", "/tmp/" + "x" * 70, "at most 60"),
    ("JR_AUTH_TOKEN", "two words", "without blanks")])
def test_an_impossible_setting_is_an_error_that_names_it(fresh, name, value, right):
    one = fresh()
    done = one.call("prepare", **{name: value})
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and name in done.stderr and right in done.stderr
    assert name == "JR_AUTH_TOKEN" or value in done.stderr
    assert not one.root.exists()


def test_a_folder_with_other_things_in_it_is_left_alone(fresh):
    one = fresh()
    one.root.mkdir()
    (one.root / "thesis.txt").write_text("mine")
    mode = one.root.stat().st_mode
    done = one.call("prepare")
    assert done.returncode == 1 and "thesis.txt" in done.stderr
    assert one.root.stat().st_mode == mode and [p.name for p in one.root.iterdir()] == ["thesis.txt"]


@as_root
def test_a_root_that_jobs_cannot_reach_is_an_error(fresh):
    one = fresh()
    one.base.chmod(0o700)
    done = one.call("prepare")
    assert done.returncode == 1 and "the job user cannot reach it" in done.stderr


def test_a_port_that_another_program_has_is_an_error(fresh):
    one = fresh()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = one.call("prepare", PORT=str(taken.getsockname()[1]))
    assert done.returncode == 1 and "cannot listen" in done.stderr


def test_what_is_unset_is_detected_and_memory_is_never_promised_twice(fresh):
    one = fresh()
    one.ok("prepare")
    found = json.loads((one.root / "run/instance.json").read_text())
    assert found["cpus"] == len(os.sched_getaffinity(0)) and found["memory_mb"] > 0
    assert "WARNING: JR_REAL_MEM_MB=99999999" in one.ok("prepare", JR_REAL_MEM_MB="99999999")
    assert json.loads((one.root / "run/instance.json").read_text())["memory_mb"] == found["memory_mb"]
    one.ok("prepare", JR_MAX_TIME="90")
    conf = (one.root / "slurm/slurm.conf").read_text()
    assert "MaxTime=0-01:30:00 DefaultTime=0-01:30:00" in conf


def test_a_token_is_made_once_where_none_is_given(fresh):
    one = fresh(JR_AUTH_TOKEN="")
    one.ok("prepare")
    token = (one.root / "auth_token").read_text()
    assert len(token) == 64
    one.ok("prepare")
    assert (one.root / "auth_token").read_text() == token
    assert (one.root / "auth_token").stat().st_mode & 0o777 == 0o400


@as_root
def test_an_existing_database_and_its_job_numbers_are_taken_over(fresh):
    one = fresh()
    one.root.mkdir()
    (one.root / "datasets").mkdir()
    with sqlite3.connect(one.root / "jr_slurm.db") as db:
        db.execute("CREATE TABLE jobs (slurm_id INTEGER PRIMARY KEY, dataset_sha TEXT)")
        db.execute("INSERT INTO jobs VALUES (41, 'x')")
    one.ok("prepare")
    assert "FirstJobId=42" in (one.root / "slurm/slurm.conf").read_text()
    assert (one.root / "jr_slurm.db").owner() == "jobrunner"


@as_root
def test_a_link_planted_by_the_servers_user_is_not_followed(fresh):
    one = fresh()
    one.ok("prepare")
    target = one.base / "target"
    target.mkdir()
    shutil.rmtree(one.root / "logs")
    os.symlink(target, one.root / "logs")
    assert one.call("prepare").returncode != 0
    assert target.owner() == "root"
