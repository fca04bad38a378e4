"""GET /jobs/{id} at 16 clients, beside FastAPI, slurmrestd and a bare Beast server; with one job queued and with 10,000.

What every client does again and again. A running job and a finished one; ours answers from memory, FastAPI by sudo and squeue,
slurmrestd by asking slurmctld. For the queue's length there are two sites side by side; the one that is not measured is stopped.
"""
from bench.harness import jobs, plot
from bench.harness.result import Result
from bench.harness.rounds import column, interleaved, median, ratios

CLIENTS = 16


def run(stage):
    result = Result("status", f"GET /jobs/{{id}}, {CLIENTS} clients")
    site = stage.site()
    fastapi, restd, beast = stage.fastapi(site), stage.slurmrestd(site), stage.beast(site)
    with site.client() as client:
        sha = jobs.toolbox(client)
        ours = {"running": jobs.running(client, sha), "finished": jobs.finished(client, sha)}
    data = jobs.fastapi_dataset(fastapi)
    theirs = {"running": jobs.fastapi_submit(fastapi, data, 1500), "finished": jobs.fastapi_submit(fastapi, data, 0)}
    site.wait_until(lambda: jobs.fastapi_job(fastapi, theirs["running"])["status"] == "RUNNING", 60, "FastAPI's job runs")
    site.wait_until(lambda: jobs.fastapi_job(fastapi, theirs["finished"])["status"] not in ("RUNNING", "PENDING", "COMPLETING"), 60, "the other ends")
    bars = {}
    for state in ("running", "finished"):
        seen = interleaved(stage.rounds, {
            "ours": lambda s=state: stage.load(site.server, f"/jobs/{ours[s]}", CLIENTS, token=site.token),
            "ours, asked by wrk": lambda s=state: stage.wrk(site.server, f"/jobs/{ours[s]}", CLIENTS, site.token),
            "FastAPI": lambda s=state: stage.load(fastapi, f"/jobs/{theirs[s]}", CLIENTS),
            "slurmrestd": lambda s=state: stage.load(restd, f"/slurm/v0.0.38/job/{ours[s]}", CLIENTS, token=""),
            "bare Beast": lambda s=state: stage.load(beast, f"/jobs/{ours[s]}", CLIENTS)})
        for who, answers in seen.items():
            result.measured(state, who, column(answers, "rps"), "requests/s", column(answers, "cpu_us"))
            result.measured(f"{state}, p99", who, [us / 1000 for us in column(answers, "p99_us")], "ms")
        bars.update({f"{who}, {state}": median(column(answers, "rps")) for who, answers in seen.items()})
        for who, wanted in (("FastAPI", 500), ("slurmrestd", 20), ("bare Beast", 0.8)):
            result.target(f"{state}: rate against {who}", ratios(column(seen["ours"], "rps"), column(seen[who], "rps")), at_least=wanted, unit="x")
    queued(stage, result, site, ours["running"])
    result.plots.append(plot.bars(stage.out / "status.svg", result.title, "requests a second", bars))
    return result


def queued(stage, result, short, job):
    count = stage.size(10_000, 40)
    long = stage.site()
    with jobs.paused(short.server.process), long.client() as client:
        sha = jobs.toolbox(client)
        its_job = jobs.running(client, sha)
        jobs.queue(client, sha, count)

    def measure(site, path, other):
        with jobs.paused(other.server.process):
            return stage.load(site.server, path, CLIENTS, token=site.token)
    seen = interleaved(stage.rounds, {"1": lambda: measure(short, f"/jobs/{job}", long), "many": lambda: measure(long, f"/jobs/{its_job}", short)})
    result.measured("1 job in the queue", "ours", column(seen["1"], "rps"), "requests/s", column(seen["1"], "cpu_us"))
    result.measured(f"{count:,} jobs in the queue", "ours", column(seen["many"], "rps"), "requests/s", column(seen["many"], "cpu_us"))
    result.target(f"rate with {count:,} jobs queued against 1", ratios(column(seen["many"], "rps"), column(seen["1"], "rps")), at_least=0.9, unit="x")
