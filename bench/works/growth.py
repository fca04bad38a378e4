"""What requests cost as things grow: jobs on record, datasets, outputs of a job, clients, clients that wait, jobs in the queue.

One thing grows at a time, by powers of ten, and the rest stays small. Costs are the server's CPU time a request, and latencies of one client;
what should not depend on the size is flat in the plot.
"""
import collections
import random
import subprocess
import time

from bench.harness import database, jobs, plot
from bench.harness.result import Result
from bench.harness.rounds import Cost, memory, settled

FLAT = 3.0  # what does not grow may be so much dearer at the largest size


def powers(stage, last, quick=2):
    """10^2, 10^3 ... 10^last; of quick mode the first alone."""
    return [10 ** n for n in range(2, stage.size(last, quick) + 1)]


def requests(stage, site, paths, **options):
    """Costs of one client that asks for these."""
    peer = site.server
    median, cpu = [], []
    for _ in range(stage.rounds):
        seen = stage.load(peer, paths, connections=1, seconds=stage.size(1.0, 0.2), token=site.token, **options)
        median.append(seen["p50_us"])
        cpu.append(seen["cpu_us"])
    return sorted(median)[len(median) // 2], sorted(cpu)[len(cpu) // 2]


class Table:
    """Rows of the result and lines of the plots: {what: [(size, cost), ...]}."""

    def __init__(self, result):
        self.result, self.cpu, self.other = result, collections.defaultdict(list), collections.defaultdict(list)

    def asked(self, what, size, unit, cost):
        latency, cpu = cost
        self.result.measured(what, f"{size:,} {unit}", latency, "us", [cpu])
        self.cpu[what].append((size, cpu))

    def seen(self, what, size, unit, value, of):
        self.result.measured(what, f"{size:,} {unit}", value, of)
        self.other[what].append((size, value))

    def flat(self, what):
        points = self.cpu.get(what) or self.other[what]
        self.result.target(f"{what}: largest against smallest", points[-1][1] / max(points[0][1], 0.1), at_most=FLAT, unit="x")


def jobs_on_record(stage, site, table):
    have, dice = 0, random.Random(3)
    for want in powers(stage, 6):
        site.server.stop()
        database.jobs(site, have, want)
        have = want
        started = time.monotonic()
        site.server.start()
        table.seen("start, until Slurm has been asked", want, "jobs", 1000 * (time.monotonic() - started), "ms")
        paths = [f"/jobs/{database.FIRST_JOB + dice.randint(1, want)}" for _ in range(200)]
        table.asked("GET /jobs/{id}", want, "jobs", requests(stage, site, paths))
        table.asked("GET /jobs, a page of 100", want, "jobs", requests(stage, site, ["/jobs?limit=100"]))
        table.asked("GET /jobs?status=FAILED, a page of 5", want, "jobs", requests(stage, site, ["/jobs?limit=5&status=FAILED"]))
        table.seen("memory, jobs", want, "jobs", memory(site.server.pid, "RssAnon") / 2**20, "MiB")


def datasets(stage, site, table):
    have, dice = 0, random.Random(3)
    for want in powers(stage, 5):
        site.server.stop()
        names = database.datasets(site, have, want)
        have = want
        site.server.start()
        some = dice.choices(names, k=200)
        table.asked("GET /datasets/exists", want, "datasets", requests(stage, site, [f"/datasets/exists/{one}" for one in some]))
        table.asked("GET /datasets, a page of 100", want, "datasets", requests(stage, site, ["/datasets?limit=100"]))
        table.seen("memory, datasets", want, "datasets", memory(site.server.pid, "RssAnon") / 2**20, "MiB")


def outputs(stage, site, table, job):
    have = 0
    for want in powers(stage, 6):
        site.server.stop()
        database.outputs(site, job, have, want)
        have = want
        site.server.start()
        table.asked("GET /outputs/by_job, a page of 100", want, "outputs", requests(stage, site, [f"/outputs/by_job/{job}?limit=100"]))
        table.asked("GET /outputs?experiment_id", want, "outputs", requests(stage, site, [f"/outputs?experiment_id=job-{job}&limit=100"]))


def clients(stage, site, table, job):
    for count in stage.size([1, 4, 16, 64, 256, 1024], [1, 16]):
        seen = stage.load(site.server, f"/jobs/{job}", connections=count, token=site.token)
        table.asked("GET /jobs/{id}, clients", count, "clients", (seen["p50_us"], seen["cpu_us"]))
        table.seen("requests a second, clients", count, "clients", seen["rps"], "/s")
        table.seen("p99, clients", count, "clients", seen["p99_us"] / 1000, "ms")


def waiting(stage, site, table, job):
    before = settled(site.server.pid)
    for count in powers(stage, 4):
        command = [str(stage.programs / "bench_waits"), "--port", str(site.server.port), "--path", f"/jobs/{job}?wait=300", "--connections", str(count),
                   "--header", f"Authorization: Bearer {site.token}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            table.seen("memory, clients that wait", count, "clients", (settled(site.server.pid) - before) / 2**20, "MiB")
            table.asked("GET /jobs/{id}, others wait", count, "clients", requests(stage, site, [f"/jobs/{job}"]))
            process.terminate()  # they hang up
            process.wait(10)


def queued(stage, site, table, client, sha):
    ids = []
    for want in powers(stage, 4):
        ids += jobs.queue(client, sha, want - len(ids))
        time.sleep(stage.size(5, 1))
        seconds = stage.size(15, 2)
        before = client.get("/health").json()["slurm_checked_at"]
        with Cost(site.server.pid) as cost:
            time.sleep(seconds)
        assert client.get("/health").json()["slurm_checked_at"] != before
        table.seen("share of a core, jobs in the queue", want, "jobs", 100 * cost.cpu / cost.wall, "%")
        table.asked("GET /jobs/{id}, jobs in the queue", want, "jobs", requests(stage, site, [f"/jobs/{job}" for job in ids[-200:]]))


def run(stage):
    result = Result("growth", "cost as things grow")
    table = Table(result)
    waiters = stage.size(10_000, 100)
    site = stage.site(JR_MAX_CONNECTIONS=str(waiters + 1200), JR_MAX_CONNECTIONS_PER_ADDRESS=str(waiters + 1100))
    with site.client() as client:
        sha = jobs.toolbox(client)
        job = jobs.finished(client, sha)
        napping = jobs.running(client, sha)
    clients(stage, site, table, job)
    waiting(stage, site, table, napping)
    outputs(stage, site, table, job)
    datasets(stage, site, table)
    jobs_on_record(stage, site, table)
    with site.client() as client:
        queued(stage, site, table, client, sha)
    for what in list(table.cpu):
        table.flat(what)
    result.plots.append(plot.lines(stage.out / "growth.svg", "CPU time of the server for a request", "so many of what grows", "microseconds", table.cpu))
    return result
