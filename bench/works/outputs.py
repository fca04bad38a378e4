"""Indexing a job's many files, beside a walk and one transaction; and pages of a list of 1,000,000 outputs."""
import os
import sqlite3

from bench.harness import data, plot
from bench.harness.result import Result
from bench.harness.rounds import Cost, column, interleaved, median, ratios

PAGE = 100


def make_files(folder, count):
    for number in range(count):
        if number % 1000 == 0:
            (folder / f"part{number // 1000:03}").mkdir(parents=True)
        with open(folder / f"part{number // 1000:03}" / f"file{number:06}.txt", "w", encoding="ascii") as file:
            file.write(f"{number}\n")


def index(stage, site, result):
    """The same files become the results of one job after the other, since a first index is what counts."""
    count = stage.size(99_000, 1000)  # with their folders within the server's limit of 100,000 entries
    files = stage.folder("files") / "files"
    make_files(files, count)
    with site.client() as client:
        dataset = data.finished_job(client)["meta"]["dataset_sha"]
        jobs = [data.finished_job(client, dataset) for _ in range(stage.rounds)]
        place = [files]

        def ours():
            job = jobs.pop()
            there = data.result_dir(job) / "files"
            place[0].rename(there)
            place[0] = there
            data.settle()
            with Cost(site.server.pid) as cost:
                answer = client.post(f"/outputs/index/{job['job_id']}", timeout=120)
            if answer.json().get("count", 0) < count:
                raise RuntimeError(f"not all were indexed: {answer.text[:300]}")
            # The hasher is on its way now, and must not meet the next round.
            with sqlite3.connect(f"file:{site.root}/jr_slurm.db?mode=ro", uri=True) as db:
                site.wait_until(lambda: db.execute("SELECT count(*) FROM outputs WHERE sha256 IS NULL").fetchone()[0] == 0, 300, "all hashes")
            return {"seconds": answer.elapsed.total_seconds(), "cpu": 1e6 * cost.cpu}

        def walked():
            database = stage.top / f"walked-{len(os.listdir(stage.top))}.db"
            data.settle()
            return {"seconds": data.tool(stage, "index_walk", place[0], database)["seconds"]}

        got = interleaved(stage.rounds, {"ours": ours, "walk and one transaction": walked})
    for who, answers in got.items():
        result.measured(f"index of {count:,} files", who, column(answers, "seconds"), "s", column(answers, "cpu") if who == "ours" else ())
    result.target("index beside a walk and one transaction",
                  ratios(column(got["ours"], "seconds"), column(got["walk and one transaction"], "seconds")), at_most=1.5, unit="x")


def fill(site, job, rows):
    """So many outputs of one job, whose files are there and hashed, put into the database of a server that does not run."""
    names = [f"real{number:04}.txt" for number in range(1000)]
    stamps = []
    for name in names:
        path = data.result_dir(job) / name
        path.write_text(name)
        about = path.stat()
        stamps.append(f"{about.st_ino:x}-{about.st_size:x}-{about.st_mtime_ns:x}-{about.st_ctime_ns:x}")  # core/file_stamp.cpp
    with sqlite3.connect(site.root / "jr_slurm.db") as db:
        db.executemany("INSERT INTO outputs(job_id, experiment_id, output_id, path, bytes, kind, created_at, stamp, sha256) VALUES(?, 'many', ?, ?, 12, 'file', 1, ?, ?)",
                       ((job["job_id"], f"output{number}", names[number % 1000], stamps[number % 1000], "0" * 64) for number in range(rows)))
        last = db.execute("SELECT max(n) FROM outputs").fetchone()[0]
    db.close()
    return last


def pages(stage, site, result):
    rows = stage.size(1_000_000, 10_000)
    with site.client() as client:
        job = data.finished_job(client)
    site.server.stop()
    last = fill(site, job, rows)
    site.server.start()
    depths = {"newest": last + 1, "middle": last - rows // 2, "oldest": last - rows + PAGE + 1}

    def page(path):
        def one():
            answer = stage.load(site.server, path, connections=1, requests=stage.size(2000, 100), token=site.token)
            return {"p99": answer["p99_us"] / 1000, "p50": answer["p50_us"] / 1000, "cpu": answer["cpu_us"]}
        return one

    lists = {"all": "/outputs?", "of the job": f"/outputs/by_job/{job['job_id']}?"}
    got = interleaved(stage.rounds, {f"{who}, {depth}": page(f"{path}limit={PAGE}&cursor={cursor}")
                                     for who, path in lists.items() for depth, cursor in depths.items()})
    for who, answers in got.items():
        result.measured(f"page of {PAGE} of {rows:,}, p99", who, column(answers, "p99"), "ms", column(answers, "cpu"))
        result.measured(f"page of {PAGE} of {rows:,}, median", who, column(answers, "p50"), "ms")
    worst = {who: median(column(answers, "p99")) for who, answers in got.items()}
    result.target("p99 of a page at any depth", max(worst.values()), at_most=1, unit="ms")
    plot.bars(stage.out / "outputs.svg", f"A page of {PAGE} of {rows:,} outputs", "p99 in ms", worst, log_x=False)
    result.plots.append("outputs.svg")


def run(stage):
    result = Result("outputs", "the index of many files, and pages of a long list")
    index(stage, stage.site(), result)
    pages(stage, stage.site(), result)
    result.note("The walk looks at each file, and its table has the indexes that the server's lists need. Pages come over HTTP with token, and each of their files "
                "is looked at, whether it still is the hashed one.")
    return result
