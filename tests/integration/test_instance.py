"""config/instance.py: an instance is set up, runs a real Slurm under supervisord, and mends itself.

The server's place is taken by a program that only tells its environment: all here is about what
surrounds it. As root every user has the part it has in earnest; otherwise all are one.
"""

import json
import os
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="needs root")
TOKEN = "a-token-that-nobody-else-may-see"

STAND_IN = """#!/usr/bin/python3 -I
import json, os, sys, time
with open("/proc/self/environ", "rb") as f:
    seen = dict(v.split("=", 1) for v in f.read().decode().split("\\0") if v)
with open(os.path.dirname(os.path.abspath(__file__)) + "/../seen.json", "w") as f:
    json.dump(seen, f)
time.sleep(100000)
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Instance:
    def __init__(self, user=None, hosts=None, mounts=None, **settings):
        self.base = Path(tempfile.mkdtemp(prefix="jr-"))
        self.base.chmod(0o755)
        self.root, self.user = self.base / "root", user
        app = self.base / "app"
        (app / "bin").mkdir(parents=True)
        (app / "bin/jobrunner").write_text(STAND_IN)
        (app / "bin/jobrunner").chmod(0o755)
        # As installed: the user who runs it may not be able to read the checkout.
        shutil.copytree(SOURCE / "config", app / "share/jobrunner")
        shutil.copy(SOURCE / "supervisord.conf", app / "share/jobrunner")
        self.program = app / "share/jobrunner/instance.py"
        self.env = {"PATH": os.environ["PATH"], "JR_ROOT": str(self.root), "JR_APP": str(app), "PORT": str(free_port()),
                    "JR_AUTH_TOKEN": TOKEN, **settings}
        self.inside = []
        if hosts:  # another /etc/hosts for the programs alone
            (self.base / "hosts").write_text(hosts)
            mounts = f"mount --bind {self.base}/hosts /etc/hosts"
        if mounts:
            if not ROOT or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
                pytest.skip("nobody may mount here")
            self.inside = ["unshare", "-m", "sh", "-c", mounts + ' && exec "$@"', "sh"]
            if user:
                self.inside += ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]
        if user:
            for folder, _, _ in os.walk(self.base):
                os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        self.job_user = user or ("runner" if ROOT else pwd.getpwuid(os.geteuid()).pw_name)

    def call(self, *words, **env):
        return subprocess.run([*self.inside, str(self.program), *words], env={**self.env, **env}, capture_output=True, text=True, timeout=120,
                              check=False,
                              **({"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user and not self.inside else {}))

    def ok(self, *words, **env):
        done = self.call(*words, **env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self):
        self.ok("prepare")
        self.ok("start")
        self.until(lambda: len(self.pids()) == 4, "all four programs run")
        return self.until(lambda: self.slurm("sinfo", "-h", "-o", "%T") == "idle", "the node is idle")

    def until(self, what, name, patience=40):
        end = time.monotonic() + patience
        while not what():
            if time.monotonic() > end:
                logs = "".join(f"--- {p}\n{p.read_text()[-2000:]}" for p in self.root.glob("log/*.log"))
                pytest.fail(f"not within {patience} s: {name}\n{logs}")
            time.sleep(0.1)
        return self

    def as_job_user(self, argv):
        """Runs argv as the job user with next to no environment, as the server does."""
        extra = {"user": self.job_user, "group": pwd.getpwnam(self.job_user).pw_gid, "extra_groups": []} if ROOT else {}
        if self.inside:
            become = [] if self.user else ["setpriv", f"--reuid={self.job_user}", f"--regid={self.job_user}", "--clear-groups"]
            argv = [*self.inside, *become, *argv]
            extra = {}
        return subprocess.run(argv, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "SLURM_CONF": f"{self.root}/slurm/slurm.conf"},
                              cwd="/", capture_output=True, text=True, timeout=60, check=False, **extra)

    def slurm(self, *argv):
        return self.as_job_user(argv).stdout.strip()

    def submit(self, script, *options):
        # In results/ only the server makes folders; logs/ is open to jobs.
        path = self.base / "script.sh"
        path.write_text("#!/bin/bash\n" + script)
        done = self.as_job_user(["sbatch", "--parsable", "--mem=50", "-o", f"{self.root}/logs/%j.out", *options, str(path)])
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def state(self, job):
        return self.slurm("squeue", "-h", "-t", "all", "-j", str(job), "-o", "%T")

    def result(self, job):
        """What a job printed, once it has succeeded."""
        self.until(lambda: self.state(job) not in ("", "PENDING", "CONFIGURING", "RUNNING", "COMPLETING"), f"job {job} has ended")
        log = Path(f"{self.root}/logs/{job}.out").read_text()
        assert self.state(job) == "COMPLETED", log
        return log

    def pids(self):
        found = re.findall(r"^(\w+)\s+RUNNING\s+pid (\d+)", self.call("ctl", "status").stdout, re.M)
        return {name: int(pid) for name, pid in found}

    def remove(self):
        if (self.root / "run/supervisord.pid").exists():
            for job in self.slurm("squeue", "-h", "-o", "%i").split():
                self.slurm("scancel", job)
            self.call("stop")
        shutil.rmtree(self.base)


@pytest.fixture(scope="module")
def instance():
    running = Instance(JR_NUM_GPUS="2", JR_B2_KEY_ID="the-key-id", JR_B2_APP_KEY="the-app-key", JR_MAX_TIME="1-00:00:00")
    try:
        yield running.up()
    finally:
        running.remove()


@pytest.fixture
def fresh():
    made = []

    def make(**settings):
        made.append(Instance(**settings))
        return made[-1]

    yield make
    for one in made:
        one.remove()


# --- what jobs get --------------------------------------------------------------------------


def test_a_job_runs_as_the_job_user_and_may_use_srun(instance):
    log = instance.result(instance.submit("id -un; srun -n1 bash -c 'echo step; id -un'\n"))
    assert log.split() == [instance.job_user, "step", instance.job_user]


def test_two_jobs_get_two_different_simulated_gpus_and_a_third_waits(instance):
    script = "echo gpu $CUDA_VISIBLE_DEVICES; sleep 4\n"
    jobs = [instance.submit(script, "--gres=gpu:1") for _ in range(2)]
    if os.sched_getaffinity(0) == {0}:
        pytest.skip("one CPU: no two jobs at once")
    instance.until(lambda: [instance.state(j) for j in jobs] == ["RUNNING"] * 2, "both run")
    third = instance.submit(script, "--gres=gpu:1", "--overcommit")
    assert instance.state(third) == "PENDING"
    assert {instance.result(j).strip() for j in jobs} == {"gpu 0", "gpu 1"}
    instance.slurm("scancel", str(third))


def test_a_job_without_gpus_sees_none(instance):
    assert instance.result(instance.submit("echo gpus=[$CUDA_VISIBLE_DEVICES]\n")).strip() == "gpus=[]"


def test_more_than_the_node_has_or_the_time_limit_allows_is_refused_at_once(instance):
    for options in (["--gres=gpu:3"], ["--mem=99999999"], ["-t", "1-00:01"]):
        done = instance.as_job_user(["sbatch", "-o", "/dev/null", *options, "--wrap", "true"])
        assert done.returncode != 0 and not done.stdout, options


def test_the_completion_log_has_every_job_and_no_job_can_change_it(instance):
    job = instance.submit("true\n")
    instance.result(job)
    log = instance.root / "slurm/jobcomp.log"
    instance.until(lambda: re.search(rf"^JobId={job} .* JobState=COMPLETED ", log.read_text(), re.M), "the job is in the log")
    if ROOT:
        assert instance.result(instance.submit(f"echo JobId=1 >>{log} || echo refused\n")).strip().endswith("refused")


def test_the_open_files_of_jobs_are_not_limited_by_whoever_submits(instance):
    path = f"{instance.root}/slurm/slurm.conf"
    low = subprocess.run(["prlimit", "--nofile=64:64", "sbatch", "--parsable", "--mem=50", "-o", f"{instance.root}/logs/%j.out", "--wrap", "ulimit -n"],
                         env={"PATH": "/usr/bin:/bin", "SLURM_CONF": path}, cwd="/", capture_output=True, text=True, check=True, timeout=60,
                         **({"user": "runner", "group": "runner", "extra_groups": []} if ROOT else {}))
    assert int(instance.result(int(low.stdout))) > 64


# --- who sees what --------------------------------------------------------------------------


@as_root
def test_the_job_user_can_read_no_secret_and_change_nothing_of_the_instances(instance):
    names = "auth_token slurm/munge/key slurm/state run/server.json log datasets/.staging".split()
    script = "".join(f"cat {instance.root}/{n} >/dev/null 2>&1 && echo read {n}; ls {instance.root}/{n}/ >/dev/null 2>&1 && echo listed {n}\n" for n in names)
    for place in ("", "datasets", "results", "jobs", "slurm", "run", "app", "slurm/munge", "slurm/spool"):
        script += f"touch {instance.root}/{place}/mine 2>/dev/null && echo wrote {place}\n"
    script += f"mv {instance.root}/slurm {instance.root}/away 2>/dev/null && echo moved\n"
    assert instance.result(instance.submit(script + "echo end\n")).split("\n") == ["end", ""]


@as_root
def test_the_servers_user_can_add_its_database_but_not_replace_what_root_runs(instance):
    def as_server(command):
        return subprocess.run(["sh", "-c", command], user="jobrunner", group="jobrunner", extra_groups=[], check=False).returncode
    assert as_server(f"touch {instance.root}/a.db && rm {instance.root}/a.db") == 0
    assert as_server(f"mv {instance.root}/slurm {instance.root}/x 2>/dev/null") != 0
    assert as_server(f"touch {instance.root}/slurm/slurm.conf 2>/dev/null") != 0


def test_only_the_server_gets_keys_and_nobody_the_token(instance):
    seen = instance.base / "app/seen.json"
    instance.until(seen.exists, "the server has started")
    server = json.loads(seen.read_text())
    assert TOKEN not in server.values()
    assert Path(server["JR_AUTH_TOKEN_FILE"]).read_text() == TOKEN
    assert (server["JR_B2_KEY_ID"], server["JR_B2_APP_KEY"]) == ("the-key-id", "the-app-key")
    assert server["JR_PORT"] == instance.env["PORT"] and server["JR_BIND"] == "127.0.0.1"
    supervisor = int((instance.root / "run/supervisord.pid").read_text())
    others = {n: p for n, p in instance.pids().items() if n != "jobrunner"}
    assert set(others) == {"munged", "slurmctld", "slurmd"}
    for pid in [supervisor, *others.values()]:
        environ = Path(f"/proc/{pid}/environ").read_text() + Path(f"/proc/{pid}/cmdline").read_text()
        assert TOKEN not in environ and "the-app-key" not in environ and "the-key-id" not in environ


def _status(pid, key):
    return re.search(rf"^{key}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M).group(1)


@as_root
def test_each_program_runs_as_its_own_user(instance):
    users = {name: pwd.getpwuid(int(_status(pid, "Uid"))).pw_name for name, pid in instance.pids().items()}
    assert (users["munged"], users["slurmctld"], users["slurmd"]) == ("munge", "slurm", "root")


# What the machine's name is: nothing, as Debian sets it up, as containers do, and as only some have it.
@pytest.mark.parametrize("line,kept_inside", [("", False), ("127.0.1.1", False), ("192.0.2.77", False), ("127.0.0.1", True)])
def test_jobs_and_srun_work_whatever_the_address_of_the_machines_name(fresh, line, kept_inside):
    one = fresh(hosts="127.0.0.1 localhost\n" + (f"{line} {socket.gethostname()}\n" if line else ""))
    said = one.ok("prepare")
    one.up()
    assert one.result(one.submit("srun echo step\n")).strip() == "step"
    ours = {f"pid={pid}," for name, pid in one.pids().items() if name.startswith("slurm")}
    lines = [row for row in subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
             if any(pid in row for pid in ours)]
    assert len(lines) == 2
    assert all(row.split()[3].startswith("127.0.0.1:" if kept_inside else "0.0.0.0:") for row in lines)
    assert ("listen on all addresses" in said) != kept_inside


@pytest.mark.parametrize("user", [None, "games"])
@pytest.mark.parametrize("mounts", ["umount -R /sys/fs/cgroup", "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup"])
def test_jobs_run_whatever_cgroups_the_machine_has(fresh, mounts, user):
    one = fresh(mounts=mounts, user=user)
    one.ok("prepare")
    one.up()
    assert one.result(one.submit("srun echo step\n")).strip() == "step"


# --- it lasts -------------------------------------------------------------------------------


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


def test_a_second_instance_with_more_cpus_than_there_are_runs_beside_it(instance, fresh):
    count = len(os.sched_getaffinity(0)) + 3
    other = fresh(JR_NUM_CPUS=str(count))
    said = other.ok("prepare")
    assert f"WARNING: JR_NUM_CPUS={count}" in said
    other.up()
    assert other.slurm("sinfo", "-h", "-o", "%T %c") == f"idle {count}"
    assert other.result(other.submit("srun hostname | wc -l\n", "-n", str(count))).strip() == str(count)
    assert instance.slurm("sinfo", "-h", "-o", "%T") == "idle"
    mine, its = (json.loads((i.root / "slurm/ports.json").read_text()) for i in (instance, other))
    assert not set(mine.values()) & set(its.values())
    assert other.slurm("sinfo", "-h", "-o", "%G") == "(null)"


@as_root
def test_another_user_than_root_runs_all_of_it_alone(fresh):
    alone = fresh(user="games")
    assert "not root: server, Slurm and jobs all run as games" in alone.ok("prepare")
    alone.up()
    assert alone.result(alone.submit("id -un; srun -n1 id -un\n")).split() == ["games", "games"]
    assert {pwd.getpwuid(int(_status(pid, "Uid"))).pw_name for pid in alone.pids().values()} == {"games"}
    assert {p.owner() for p in alone.root.rglob("*")} == {"games"}


# --- settings -------------------------------------------------------------------------------


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
