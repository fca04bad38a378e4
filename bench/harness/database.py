"""Fills a stopped server's database, as if it had run for years: jobs that have ended, datasets, outputs."""
import contextlib
import hashlib
import sqlite3

FIRST_MS = 1_700_000_000_000
SERIES = "WITH RECURSIVE i(n) AS (SELECT ? UNION ALL SELECT n+1 FROM i WHERE n<?) "
FIRST_JOB = 1_000_000  # above what Slurm has given out in a measurement


@contextlib.contextmanager
def opened(site):
    """One big transaction; nothing of it is left in a log of SQLite's that the server's user could not read."""
    database = sqlite3.connect(site.root / "jr_slurm.db", isolation_level=None)
    try:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA cache_size=-1000000")  # 1 GB: else pages go to the log again and again
        database.execute("BEGIN")
        yield database
        database.execute("COMMIT")
    finally:
        database.close()


@contextlib.contextmanager
def unindexed(database, table):
    """Indexes are taken away and made anew at the end: sorting once is cheaper than a million look-ups in each."""
    indexes = database.execute("SELECT name, sql FROM sqlite_master WHERE type='index' AND sql IS NOT NULL AND tbl_name=?", (table,)).fetchall()
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    yield
    for _, sql in indexes:
        database.execute(sql)


def jobs(site, have, want):
    """`want` jobs that have ended, with their events, where there are `have`; the ids are FIRST_JOB + 1 and on."""
    with opened(site) as database, unindexed(database, "jobs"):
        base = FIRST_JOB
        database.execute(
            SERIES + "INSERT INTO jobs(n, uuid, job_id, slurm_id, dataset_sha, command_key, params_json, result_dir, log_path, gpus, cpus, mem_mb,"
            " time_limit_s, state, done, indexed, cancel_requested, seq, exit_code, reason, node, created_at, started_at, ended_at, experiment)"
            f" SELECT {base}+n, printf('%08x-0000-4000-8000-000000000000', n), {base}+n, {base}+n, printf('%064x', n%1000), 'echo_params', '{{}}',"
            f" '{site.root}/results/job_'||n, '{site.root}/logs/job_'||n||'.out', 0, 1, 1024, 60, iif(n%20=0, 'FAILED', 'COMPLETED'), 1, 1, 0, 3,"
            f" iif(n%20=0, 1, 0), '', 'n', {FIRST_MS}+n*1000, {FIRST_MS}+n*1000, {FIRST_MS}+n*1000, 'job-'||({base}+n) FROM i", (have + 1, want))
        database.execute(
            SERIES + "INSERT INTO events(job_id, seq, type, state, done, reason, at)"
            f" SELECT {base}+n, 3, 'state', 'COMPLETED', 1, '', {FIRST_MS}+n*1000 FROM i", (have + 1, want))


def datasets(site, have, want):
    """`want` datasets of one small file each where there are `have`; their folders are made too. The hashes of all."""
    names = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(want)]
    with opened(site) as database:
        for name in names[have:]:
            folder = site.root / "datasets" / name
            folder.mkdir()
            (folder / "data.bin").write_bytes(b"x")
        database.executemany("INSERT INTO datasets(sha256, rel_path, bytes, created_at) VALUES(?, 'datasets/'||?, 1, ?)",
                             [(name, name + "/data.bin", FIRST_MS + n) for n, name in enumerate(names[have:], have)])
    return names


def outputs(site, job, have, want):
    """`want` outputs of a job where there are `have`, hashed already."""
    with opened(site) as database, unindexed(database, "outputs"):
        database.execute(
            SERIES + "INSERT INTO outputs(job_id, experiment_id, output_id, path, bytes, kind, created_at, stamp, sha256)"
            f" SELECT {job}, 'job-{job}', printf('o%07d', n), printf('part/%07d.bin', n), 9, 'file', {FIRST_MS}, 's', printf('%064x', n) FROM i",
            (have + 1, want))
