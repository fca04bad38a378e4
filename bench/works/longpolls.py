"""10,000 clients that wait for one job: memory of the server for each, and how long it takes to tell all of them.

Each is a connection of its own with GET /jobs/{id}?wait=300. Memory is what the server has for itself (RssAnon of proc(5)), before
and while they wait. Then the job is cancelled; from the first answer to the last counts, since before it Slurm has to be asked.
The bare Beast server keeps nothing but a list, and wakes it on a request.
"""
import json
import subprocess

from bench.harness import jobs
from bench.harness.result import Result
from bench.harness.rounds import Cost, column, interleaved, ratios, settled


def waits(stage, peer, path, go, count, token):
    """Opens them, measures, lets them be woken."""
    before = settled(peer.pid)
    command = [str(stage.programs / "bench_waits"), "--port", str(peer.port), "--path", path, "--go-path", go, "--connections", str(count),
               "--header", f"Authorization: Bearer {token}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            each = (settled(peer.pid) - before) / count
            with Cost(peer.pid) as cost:
                process.stdin.write("go\n")
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
    assert answer["errors"] == 0, answer
    return {**answer, "each": each, "cpu_us": 1e6 * cost.cpu / count, "spread_us": answer["last_us"] - answer["first_us"]}


def run(stage):
    count = stage.size(10_000, 200)
    result = Result("longpolls", f"{count:,} clients wait for one job")
    site = stage.site(JR_MAX_CONNECTIONS=str(count + 200), JR_MAX_CONNECTIONS_PER_ADDRESS=str(count + 100))
    beast = stage.beast(site)
    with site.client() as client:
        sha = jobs.toolbox(client)

        def ours():
            job = jobs.script(client, sha, "nap.py", params={"seconds": 600}, hold="1")
            return waits(stage, site.server, f"/jobs/{job}?wait=300", f"/jobs/{job}/cancel", count, site.token)

        seen = interleaved(stage.size(3, 1), {"ours": ours, "bare Beast": lambda: waits(stage, beast, "/jobs/1?wait=300", "/wake", count, site.token)})
    for who, answers in seen.items():
        # The first round alone begins with a server that has never had so many.
        result.measured("memory of the server for each", who, [answers[0]["each"] / 1024], "KiB")
        result.measured("from the first answer to the last", who, [a["spread_us"] / 1000 for a in answers], "ms", column(answers, "cpu_us"))
        result.measured("from the request that ends it to the last answer", who, [a["last_us"] / 1000 for a in answers], "ms")
        result.measured("until all had asked", who, [a["opened_us"] / 1000 for a in answers], "ms")
    result.target("memory of the server for each", seen["ours"][0]["each"] / 1024, at_most=4, unit="KiB")
    result.target("first answer to last against bare Beast", ratios([a["spread_us"] for a in seen["ours"]], [a["last_us"] for a in seen["bare Beast"]]),
                  at_most=1.5, unit="x")
    return result
