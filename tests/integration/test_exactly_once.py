"""Exactly once: the server killed between sbatch and its answer, slurmctld killed, hung and wiped; on a Slurm of this file's own.

JR_KILLS, JR_CTLD_KILLS, JR_CTLD_STOPS say how often; JR_SEED repeats a run.
"""
import contextlib
import os
import pathlib
import random
import secrets
import shutil
import signal
import threading
import time

import pytest
import requests
from harness import datasets
from harness.diaries import Diaries

KILLS = int(os.environ.get("JR_KILLS", "4"))
CTLD_KILLS = int(os.environ.get("JR_CTLD_KILLS", "3"))
CTLD_STOPS = int(os.environ.get("JR_CTLD_STOPS", "1"))
SEED = int(os.environ.get("JR_SEED", time.time_ns() % 1_000_000))


@pytest.fixture(scope="module")
def diaries(own_site):
    return Diaries(own_site)


@pytest.fixture(scope="module")
def tools(own_site):
    with own_site.client() as client:
        return client.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]


@pytest.fixture(autouse=True)
def all_up(own_site):
    """Whatever a test did, the next one finds server and Slurm up."""
    yield
    if not own_site.server.alive():
        own_site.server.start()
    slurm = own_site.slurm
    if slurm.children["slurmd"].poll() is not None:
        slurm.spawn("slurmd")
    slurm.resume_controller() if slurm.children["slurmctld"].poll() is None else slurm.start_controller()
    slurm.run("scontrol", "update", "PartitionName=main", "State=UP")
    own_site.wait_until(lambda: own_site.client().get("/health").json()["slurm"], 40, "health sees Slurm")


def accepted(site, form, key, seconds=120):
    """Sends the request until it is answered with a job, as a client would that wants it once."""
    end = time.monotonic() + seconds
    while True:
        try:
            with site.client() as client:
                answer = client.post("/jobs", data=form, headers={"Idempotency-Key": key})
            if answer.status_code == 200:
                return answer.json()["job_id"]
            assert answer.status_code in (409, 503), answer.text
            why = answer.text
        except requests.RequestException as gone:
            why = str(gone)
        assert time.monotonic() < end, why
        time.sleep(0.1)


def settle(site, diaries, jobs, seconds=240):
    """Waits for all of {job_id: diary} and checks each; how many ended in which state."""
    ends = {}
    with site.client() as client:
        for job_id in jobs:
            ends[job_id] = client.wait(job_id, seconds, None)
        for job_id, diary in jobs.items():
            assert client.job(job_id)["status"] == ends[job_id]["status"]
            diaries.check(diary, ends[job_id])
            assert diaries.ends(job_id) == 1, ends[job_id]
    count = {}
    for job in ends.values():
        count[job["status"]] = count.get(job["status"], 0) + 1
    return ends, count


class LateSbatch:
    """A folder of Slurm's commands whose sbatch keeps its answer to itself for a while, and says so in a file."""

    def __init__(self, folder, seconds):
        folder.mkdir()
        for name in ("squeue", "sacct", "scancel", "scontrol", "sinfo"):
            (folder / name).symlink_to(f"/usr/bin/{name}")
        (folder / "said").mkdir()
        (folder / "said").chmod(0o777)
        (folder / "sbatch").write_text(f'#!/bin/sh\nid=$(/usr/bin/sbatch "$@") || exit\n: >{folder}/said/$id\nsleep {seconds}\necho "$id"\n')
        (folder / "sbatch").chmod(0o755)
        folder.chmod(0o755)
        self.folder = folder

    def submitted(self):
        return len(list((self.folder / "said").iterdir()))


@pytest.fixture
def unstarted(own_site):
    """Slurm's commands, whose sbatch gives a job another script than the server's for so many times as a file says: a node that starts nothing."""
    folder = own_site.top / "unstarted"
    folder.mkdir(exist_ok=True)
    for name in ("squeue", "sacct", "scancel", "scontrol", "sinfo"):
        if not (folder / name).exists():
            (folder / name).symlink_to(f"/usr/bin/{name}")
    left = folder / "left"
    (folder / "sbatch").write_text(f"""#!/bin/sh
read n exit_code <{left}
[ "$n" -gt 0 ] || exec /usr/bin/sbatch "$@"
echo "$((n - 1)) $exit_code" >{left}
printf '#!/bin/sh\\nexit %s\\n' "$exit_code" | /usr/bin/sbatch "$@"
""")
    (folder / "sbatch").chmod(0o755)
    folder.chmod(0o755)

    def next_starts(times, exit_code):
        left.write_text(f"{times} {exit_code}\n")
        left.chmod(0o666)
    next_starts(0, 0)
    own_site.server.stop()
    own_site.server.environment["JR_SLURM_BIN"] = str(folder)
    own_site.server.start()
    yield next_starts
    own_site.server.stop()
    del own_site.server.environment["JR_SLURM_BIN"]
    own_site.server.start()


@pytest.mark.parametrize("exit_code", [0, 2])
def test_what_slurm_ends_before_it_starts_runs_when_it_is_submitted_again(own_site, diaries, tools, unstarted, exit_code):
    diary, form = diaries.form(tools)
    with own_site.client() as client:
        unstarted(1, exit_code)
        job_id = client.post("/jobs", data=form).json()["job_id"]
        job = client.wait(job_id, 60)
        assert job["meta"]["slurm_id"] != job_id and diaries.words(diary) == ["start", "end"]
        assert diaries.ends(job_id) == 1
        unstarted(2, exit_code)
        job = client.wait(client.post("/jobs", data=diaries.form(tools)[1]).json()["job_id"], 60, "FAILED")
        assert "never started" in job["reason"] and ("FAILED" if exit_code else "COMPLETED") in job["reason"], job
        assert job["exit_code"] is None


def test_a_server_killed_between_sbatch_and_its_answer_runs_each_job_once(own_site, diaries, tools):
    site, late, jobs = own_site, LateSbatch(own_site.top / "late", 1), {}
    site.server.stop()
    site.server.environment["JR_SLURM_BIN"] = str(late.folder)
    site.server.start()
    try:
        for _ in range(KILLS):
            diary, form = diaries.form(tools)
            key, before = secrets.token_hex(16), late.submitted()

            def send(request=form, name=key):
                try:
                    site.client().post("/jobs", data=request, headers={"Idempotency-Key": name})
                except requests.RequestException:
                    pass
            sender = threading.Thread(target=send)
            sender.start()
            site.wait_until(lambda seen=before: late.submitted() > seen, 30, "sbatch has an answer")
            site.server.kill()
            sender.join(20)
            site.server.start()
            jobs[accepted(site, form, key)] = diary
    finally:
        site.server.stop()
        del site.server.environment["JR_SLURM_BIN"]
        site.server.start()
    ends, count = settle(site, diaries, jobs)
    print(f"{KILLS} kills between sbatch and its answer: {count}")
    assert len(ends) == KILLS and count == {"COMPLETED": KILLS}
    assert late.submitted() == KILLS, "a job was submitted twice"


def test_a_slurmctld_killed_within_a_second_of_a_submit_loses_no_job(own_site, diaries, tools):
    print(f"JR_SEED={SEED}")
    site, dice, jobs = own_site, random.Random(SEED), {}
    for _ in range(CTLD_KILLS):
        for _ in range(2):
            diary, form = diaries.form(tools, seconds=dice.choice((0, 0.3, 1.5)))
            jobs[accepted(site, form, secrets.token_hex(16))] = diary
        time.sleep(dice.uniform(0, 1))
        site.slurm.stop_controller()
        site.slurm.start_controller()
    ends, count = settle(site, diaries, jobs)
    again = [job for job in ends.values() if job["meta"]["slurm_id"] != job["job_id"]]
    print(f"{CTLD_KILLS} kills of slurmctld, {len(jobs)} jobs: {count}, {len(again)} submitted again, "
          f"{sum(job['attempt'] > 1 for job in ends.values())} with a second attempt; {[(job['reason'], job['log_tail']) for job in ends.values() if job['reason']]}")
    assert len(ends) == 2 * CTLD_KILLS
    assert set(count) <= {"COMPLETED", "LOST", "FAILED", "NODE_FAIL"}
    site.wait_until(lambda: not site.slurm.run("squeue", "-h", check=False).stdout.strip(), 60, "Slurm holds nothing for jobs that have ended")
    for job_id, job in ends.items():
        if job["status"] != "COMPLETED":  # what never started is not given up
            assert "start" in diaries.words(jobs[job_id]), job


@pytest.mark.slow
def test_a_slurmctld_that_hangs_during_a_submit_runs_each_job_once(own_site, diaries, tools):
    site, jobs = own_site, {}
    for _ in range(CTLD_STOPS):
        diary, form = diaries.form(tools)
        key, got = secrets.token_hex(16), []
        site.slurm.pause_controller()
        sender = threading.Thread(target=lambda: got.append(accepted(site, form, key)))
        sender.start()
        time.sleep(random.uniform(0.5, 14))
        site.slurm.resume_controller()
        sender.join(150)
        jobs[got[0]] = diary
    _, count = settle(site, diaries, jobs)
    print(f"{CTLD_STOPS} submits to a slurmctld that hangs: {count}")
    assert count == {"COMPLETED": CTLD_STOPS}
    assert all(diaries.words(diary).count("start") == 1 for diary in jobs.values())


def save(state, copy):
    """A copy of slurmctld's folder; made again if slurmctld renamed a file meanwhile."""
    for last in (False, False, True):
        shutil.rmtree(copy, ignore_errors=True)
        try:
            return shutil.copytree(state, copy, copy_function=shutil.copy)
        except shutil.Error:
            if last:
                raise


def wipe(site):
    state = site.root / "slurm" / "state"
    for path in state.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_a_wiped_slurmctld_runs_what_waited_and_tells_what_became_of_the_rest(own_site, diaries, tools):
    site = own_site
    with site.client() as client:
        ran = client.submit(tools)
        client.wait(ran)
        running, form = diaries.form(tools, seconds=300, cpus=8)
        running_id = client.post("/jobs", data=form).json()["job_id"]
        client.wait_state(running_id, {"RUNNING"})
        waiting, form = diaries.form(tools)
        waiting_id = client.post("/jobs", data={**form, "cpus": 8}).json()["job_id"]
        cancelled, form = diaries.form(tools, cpus=8)
        cancelled_id = client.post("/jobs", data=form).json()["job_id"]
        client.wait_state(waiting_id, {"PENDING"})
        site.slurm.stop_controller()
        assert client.post(f"/jobs/{cancelled_id}/cancel").status_code in (200, 503)  # noted all the same
        wipe(site)
        site.slurm.start_controller()
        lost = client.wait(running_id, 120, "LOST")
        assert "had started" in lost["reason"], lost
        done = client.wait(waiting_id, 120)
        assert done["meta"]["slurm_id"] > done["job_id"] == waiting_id
        assert diaries.words(waiting) == ["start", "end"]
        assert client.wait(cancelled_id, 60, "CANCELLED") and diaries.words(cancelled) == []
        assert "end" not in diaries.words(running)
        assert client.job(ran)["status"] == "COMPLETED"
        later = client.submit(tools)
        assert later not in (ran, running_id, waiting_id, cancelled_id)
        client.wait(later)


def die(slurm_id):
    """A job's end without a word: its step, its wrapper and all it started are killed in the same moment."""
    mine = f"slurmstepd: [{slurm_id}.".encode(), f"SLURM_JOB_ID={slurm_id}".encode()
    found = []
    for process in pathlib.Path("/proc").iterdir():
        try:
            if process.name.isdigit() and ((process / "cmdline").read_bytes().startswith(mine[0])
                                           or mine[1] in (process / "environ").read_bytes().split(b"\0")):
                found.append(int(process.name))
        except OSError:  # gone meanwhile
            pass
    for signal_number in (signal.SIGSTOP, signal.SIGKILL):  # none sees another die
        for pid in found:
            with contextlib.suppress(ProcessLookupError):  # a command is killed with the wrapper, its parent
                os.kill(pid, signal_number)
    return len(found)


def test_a_second_start_of_a_job_is_a_second_attempt_with_results_of_its_own(own_site, diaries, tools):
    """As after a power cut: all of Slurm and the job die, and slurmctld has the state of a moment ago, when that job still waited."""
    site, state, copy = own_site, own_site.root / "slurm" / "state", own_site.top / "state-of-before"
    with site.client() as client:
        site.slurm.run("scontrol", "update", "PartitionName=main", "State=DOWN")  # not saved: slurmctld goes by slurm.conf
        diary, form = diaries.form(tools, seconds=15)
        job_id = client.post("/jobs", data=form).json()["job_id"]
        site.wait_until(lambda: (state / f"hash.{job_id % 10}" / f"job.{job_id}").exists(), 20, "the job's script is saved")
        time.sleep(7)  # slurmctld saves its state every five seconds
        save(state, copy)
        site.slurm.run("scontrol", "update", "PartitionName=main", "State=UP")
        site.wait_until(lambda: diaries.words(diary) == ["start"], 90, "the job runs")
        site.slurm.stop_controller()
        site.slurm.kill("slurmd")  # it would remember that it has started this one
        assert die(client.job(job_id)["meta"]["slurm_id"]) >= 3
        wipe(site)
        owner = state.stat()
        for path in copy.rglob("*"):
            target = state / path.relative_to(copy)
            target.mkdir(exist_ok=True) if path.is_dir() else shutil.copy(path, target)
            os.chown(target, owner.st_uid, owner.st_gid)
        shutil.rmtree(copy)
        site.slurm.spawn("slurmd")
        site.slurm.start_controller()
        job = client.wait(job_id, 180, None)
        words = diaries.check(diary, job)
        log = client.get(f"/jobs/{job_id}/log").text
        assert job["status"] == "COMPLETED" and job["attempt"] == 2, (job, words, log)
        assert words == ["start", "start", "end"], words
        assert log.count("JOB_START ") == 2 and " attempt 2\n" in log and log.count("JOB_END ") == 1, log
        client.wait_indexed(job_id)
        assert "result.txt" in client.outputs(job_id) and not [path for path in client.outputs(job_id) if path.startswith("attempt-")]
        assert client.file(job_id, "attempt-1/result.txt").status_code == 200
        assert diaries.ends(job_id) == 1


def test_an_end_is_known_that_slurm_has_forgotten_while_the_server_was_away(own_site, diaries, tools):
    site = own_site
    jobs = {}
    with site.client() as client:
        for extra in ({}, {"seconds": 3}):
            diary, form = diaries.form(tools, **extra)
            jobs[client.post("/jobs", data=form).json()["job_id"]] = diary
    site.server.kill()
    log = site.root / "slurm" / "jobcomp.log"

    def forgotten():
        site.slurm.run("scontrol", "ping")
        return not site.slurm.run("squeue", "-t", "all", "-h", "-o", "%i", seconds=30).stdout.strip()
    site.wait_until(lambda: all(diaries.words(diary)[-1:] == ["end"] for diary in jobs.values()), 60, "the jobs have ended")
    site.wait_until(forgotten, 150, "Slurm has forgotten all jobs")
    log.write_text("")  # nothing but the exit records is left
    site.server.start()
    _, count = settle(site, diaries, jobs, 30)
    assert count == {"COMPLETED": len(jobs)}
