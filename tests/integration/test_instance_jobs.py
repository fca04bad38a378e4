"""What jobs get from the Slurm of an instance."""
import os
import re
import subprocess

import pytest
from harness.instance import ROOT

pytestmark = pytest.mark.no_server


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
