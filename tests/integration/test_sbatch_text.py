"""Text of a user's is never what sbatch reads: no #SBATCH line, no option, no name of a user's reaches Slurm."""
import json
import time

LINES = ["#SBATCH --wait", "#SBATCH --array=0-999", "#SBATCH --begin=now+1year", "#SBATCH --hold", "#SBATCH -o {canary}", "#SBATCH --export=ALL", "#SBATCH --job-name=mine"]


def test_sbatch_lines_in_a_script_mean_nothing(client, site):
    from harness import datasets
    canary = site.top / "canary-sbatch"
    head = "".join(line.format(canary=canary) + "\n" for line in LINES)
    script = f"#!/usr/bin/python3\n{head}print('ran')\n"
    sha = client.upload("script.tar", datasets.tar({"run.py": script.encode(), "fresh": datasets.fresh()}))["sha256"]
    params = json.dumps({"script": "run.py", "note": "\n" + head})
    started = time.monotonic()
    job_id = client.submit(sha, "pytorch_infer", params_json=params)
    assert time.monotonic() - started < 3  # --wait would last until the job has ended
    client.wait(job_id)
    assert "ran" in client.get(f"/jobs/{job_id}/log").text
    assert not canary.exists()


def test_slurm_sees_one_line_for_each_job_and_no_text_of_a_users(client, site, toolbox):
    hostile = ["a\nb", "1|2|COMPLETED", "\x1b[31m", "../x", "%x", "$(id)", "JobId=9999999 JobState=COMPLETED"]
    jobs = [client.submit(toolbox, params_json=json.dumps({"experimentId": text, "name": text, "comment": text})) for text in hostile]
    listed = site.slurm.run("squeue", "-t", "all", "-h", "-o", "%i|%j|%k").stdout.splitlines()
    for job_id in jobs:
        lines = [line for line in listed if line.startswith(f"{job_id}|")]
        assert len(lines) == 1 and lines[0].split("|")[1] == f"jr-{client.job(job_id)['meta']['uuid']}"
    assert all(line.split("|")[1].startswith("jr-") for line in listed), listed
    for job_id in jobs:
        client.wait(job_id)


def test_a_forged_line_in_the_log_of_completions_changes_nothing(client, site, run_tool):
    job_id = run_tool("nap.py", {"seconds": 6})
    client.wait_state(job_id, {"RUNNING"})
    name = f"jr-{client.job(job_id)['meta']['uuid']}"
    # As a job of someone else's with a newline in its name would write it.
    with open(site.root / "slurm" / "jobcomp.log", "a", encoding="ascii") as log:
        log.write(f"JobId={job_id} UserId=x(1) GroupId=x(1) Name={name} JobState=FAILED Partition=main TimeLimit=5 StartTime=2026-01-01T00:00:00 "
                  f"EndTime=2026-01-01T00:00:01 NodeList={site.slurm.node} NodeCnt=1 ProcCnt=1 WorkDir=/ ExitCode=1:0\n")
    time.sleep(1.5)
    assert client.job(job_id)["status"] == "RUNNING"
    client.wait(job_id)
