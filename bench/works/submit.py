"""POST /jobs with one client and with four, beside sbatch started as often at a time by the same user, and beside FastAPI.

The partition is down, so that nothing is measured but submitting. sbatch is started by xargs with a script of the same size; our
server does nothing meanwhile. Ours has written the job durably before Slurm hears of it, and its number before it answers.
"""
import json
import os
import pwd
import subprocess
import time

from bench.harness import jobs, plot
from bench.harness.result import Result
from bench.harness.rounds import column, interleaved, median, ratios

FORM = "application/x-www-form-urlencoded"


def run(stage):
    result = Result("submit", "POST /jobs, while no job starts")
    count = stage.size(100, 8)
    site = stage.site()
    fastapi = stage.fastapi(site)
    data = jobs.fastapi_dataset(fastapi)
    with site.client() as client:
        sha = jobs.toolbox(client)
    site.slurm.run("scontrol", "update", "PartitionName=main", "State=DOWN")
    raw = stage.folder("raw")
    raw.chmod(0o777)
    script = raw / "job.sh"
    script.write_text('#!/bin/sh\nexec "$@"\n')
    script.chmod(0o755)

    def body(dataset):
        fields = {**jobs.SMALL, "dataset_sha": dataset, "command_key": "echo_params", "params_json": json.dumps({})}
        return "&".join(f"{name}={value}" for name, value in fields.items())

    def http(peer, dataset, clients):
        return stage.load(peer, "/jobs", clients, requests=count, method="POST", headers=[f"Content-Type: {FORM}"], body=body(dataset), token=site.token)

    def sbatch(at_once):
        account = pwd.getpwnam(site.about["job_user"])
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        command = ["xargs", "-P", str(at_once), "-I{}", "sbatch", "--parsable", "--job-name=raw-{}", "--cpus-per-task=1", "--mem=1G",
                   "--time=00:30:00", "--output=/dev/null", str(script), "/bin/true"]
        with jobs.paused(site.server.process, fastapi.process):
            started = time.monotonic()
            subprocess.run(command, input="".join(f"{n}\n" for n in range(count)), text=True, check=True, stdout=subprocess.DEVNULL, cwd="/",
                           env={"PATH": "/usr/bin:/bin", "SLURM_CONF": str(site.slurm.conf)}, **user)
            took = time.monotonic() - started
        return {"rps": count / took, "p50_us": 1e6 * took / count}

    seen = interleaved(stage.rounds, {
        "ours, 1 client": lambda: http(site.server, sha, 1), "ours, 4 clients": lambda: http(site.server, sha, 4),
        "sbatch, one after the other": lambda: sbatch(1), "sbatch, 4 at a time": lambda: sbatch(4),
        "FastAPI, 1 client": lambda: http(fastapi, data, 1), "FastAPI, 4 clients": lambda: http(fastapi, data, 4)})
    for who, answers in seen.items():
        result.measured("submitted", who, column(answers, "rps"), "jobs/s", [a["cpu_us"] for a in answers if "cpu_us" in a])
    for who in ("ours, 1 client", "sbatch, one after the other", "FastAPI, 1 client"):
        result.measured("latency", who, [us / 1000 for us in column(seen[who], "p50_us")], "ms")
    result.target("4 clients against sbatch, 4 at a time", ratios(column(seen["ours, 4 clients"], "rps"), column(seen["sbatch, 4 at a time"], "rps")),
                  at_least=0.9, unit="x")
    result.target("latency of 1 client against one sbatch",
                  ratios(column(seen["ours, 1 client"], "p50_us"), column(seen["sbatch, one after the other"], "p50_us")), at_most=1.3, unit="x")
    result.target("4 clients against FastAPI", ratios(column(seen["ours, 4 clients"], "rps"), column(seen["FastAPI, 4 clients"], "rps")), at_least=3.5, unit="x")
    result.plots.append(plot.bars(stage.out / "submit.svg", result.title, "jobs a second", {who: median(column(answers, "rps")) for who, answers in seen.items()}, log_x=False))
    return result
