"""How soon a client knows that its job has ended, beside the completion log's own line and FastAPI polled every 2 s.

The job's very last command writes down the time. From then on: until slurmctld's completion log has the job's line, until the
long-poll of our server answers, and until a client that asks FastAPI every 2 s sees that the job runs no more.
"""
import pathlib
import random
import time

from bench.harness import jobs, plot
from bench.harness.result import Result
from bench.harness.rounds import interleaved, median, percentile
from harness.log_watch import LogWatch

POLL_S = 2.0


def run(stage):
    result = Result("notice", "from a job's last command until somebody knows")
    count, dice = stage.size(20, 2), random.Random(7)
    site = stage.site()
    fastapi = stage.fastapi(site)
    last = stage.folder("last")
    last.chmod(0o777)
    data = jobs.fastapi_dataset(fastapi)
    with site.client() as client:
        sha = jobs.toolbox(client)

        def ours():
            path = last / f"{time.time_ns()}"
            job = jobs.script(client, sha, "last.py", params={"seconds": 0.5 + dice.random(), "file": str(path)})
            watch = LogWatch(site.root / "slurm" / "jobcomp.log", job)
            watch.start()
            ended = client.job(job, wait=60)
            answered = time.time()
            assert ended["status"] == "COMPLETED", ended
            watch.join(10)
            at = float(path.read_text())
            return {"line": watch.at - at, "answer": answered - at}

        def polled():
            job = jobs.fastapi_submit(fastapi, data, 0.5 + dice.random())
            time.sleep(dice.random() * POLL_S)
            while (seen := jobs.fastapi_job(fastapi, job))["status"] in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING"):
                time.sleep(POLL_S)
            noticed = time.time()
            return noticed - float((pathlib.Path(seen["meta"]["result_dir"]) / "ended").read_text())

        seen = interleaved(count, {"ours": ours, "FastAPI": polled})
    lines, answers = [one["line"] for one in seen["ours"]], [one["answer"] for one in seen["ours"]]
    all_of = {"the completion log's line": lines, "ours, a long-poll": answers, "FastAPI, polled every 2 s": seen["FastAPI"]}
    for who, values in all_of.items():
        result.measured("notice", who, [value * 1000 for value in values], "ms")
    result.plots.append(plot.bars(stage.out / "notice.svg", result.title, "milliseconds, median", {who: 1000 * median(values) for who, values in all_of.items()}))
    result.target("median against the completion log's line", median(answers) / median(lines), at_most=3, unit="x")
    result.target("p99", percentile(answers, 0.99) * 1000, at_most=500, unit="ms")
    result.target("FastAPI's median against ours", median(seen["FastAPI"]) / median(answers), at_least=10, unit="x")
    return result
