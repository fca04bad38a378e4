"""kill -9 at every named place of an import, an export and of indexing: the work goes on after the restart and its end is right.

Needs a server that was built with failpoints, as test_faults.py does.
"""
import contextlib
import json
import pathlib
import sqlite3

import pytest
import requests
from harness import datasets, failpoints
from harness.imports import MIB, ended, nothing_left, root_of
from harness.tracing import traced

pytestmark = pytest.mark.slow
# Of a commit those places that an import goes through, too.
COMMIT = ["staging_made", "dataset_named", "dataset_synced", "dataset_row_written"]


@pytest.fixture(scope="module")
def broken(site, bucket):
    server = failpoints.server(site, "work-crashes", **bucket.environment(JR_S3_STALL_S="60", JR_S3_RETRY_S="120"))  # what is slow is no fault here
    yield server
    server.stop()


@pytest.fixture
def calm(bucket):
    bucket.proxy.calm()
    yield bucket.proxy
    bucket.proxy.calm()


@pytest.fixture(scope="module")
def files(bucket):
    """Some small objects under set/, and one that is large enough for a checkpoint on its way."""
    made = {"a": datasets.fresh(), "b/c": datasets.fresh(100_000), "big": datasets.fresh(66 * MIB), "z": datasets.fresh()}
    for name, content in made.items():
        bucket.put(f"set/{name}", content)
    return made


def set_to_die(server, point, times=1):
    server.stop()  # where the test before has failed
    server.environment["JR_FAILPOINT"] = f"{point}:{times}"
    return server.start()


def ask(api, path, **fields):
    """The id it was answered with; none if the server died before."""
    try:
        answer = api.post(path, data=fields)
    except requests.RequestException:
        return None
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def on_disk(root):
    """Names of all datasets that lie there."""
    return {path.name for path in (root / "datasets").iterdir() if not path.name.startswith(".")}


def content_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def whole(api, server, name, files):
    """The import has ended well, and there is nothing but datasets."""
    found = ended(api, name)
    listed = {one["sha256"] for one in api.get("/datasets").json()["datasets"]}
    assert found["dataset"]["sha256"] in listed and listed == on_disk(root_of(server))
    assert content_of(root_of(server) / found["dataset"]["rel_path"]) == files
    assert found["files_done"] == found["files_total"] == len(files)
    return found["dataset"]["sha256"]


@pytest.mark.parametrize("point", failpoints.TRANSFERS + failpoints.IMPORTS + COMMIT)
def test_an_import_goes_on_after_a_crash_at_this_place(site, broken, calm, files, point):
    before = on_disk(root_of(broken))
    set_to_die(broken, point, 2 if point.startswith("import_file") else 1)
    with site.client(broken) as api:
        told = ask(api, "/datasets/import", prefix="set/")
        failpoints.dies(broken)
    calm.deserted()
    half = on_disk(root_of(broken))
    broken.start()
    with site.client(broken) as api:
        newest = api.get("/imports").json()["imports"][0]["id"]
        assert told in (None, newest), "what was acknowledged is lost"
        sha = whole(api, broken, newest, files)
        assert half - before <= {sha}
        nothing_left(site, broken)
        if point == "import_file_noted":
            assert calm.count("GET", "set/a") + calm.count("GET", "set/b/c") == 0, "whole files are not fetched again"
        if point == "import_part_noted":
            assert calm.count("GET", "set/big") == 1, "what was behind the checkpoint comes alone"
        assert api.delete(f"/datasets/{sha}").status_code == 204
    broken.stop()


@pytest.fixture(scope="module")
def made_job(site, broken):
    """A job of that server's, which left a file of several parts and a small one; its id and its files."""
    broken.environment.pop("JR_FAILPOINT", None)
    broken.start()
    with site.client(broken) as api:
        sha = api.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
        job = api.submit(sha, "pytorch_infer", params_json=json.dumps({"script": "large.py", "count": 1, "bytes": 36 * MIB, "args": []}))
        result_dir = pathlib.Path(api.wait(job, 120)["meta"]["result_dir"])
        api.wait_indexed(job)
    broken.stop()
    return job, result_dir


@pytest.mark.parametrize("point", failpoints.TRANSFERS + failpoints.EXPORTS)
def test_an_export_goes_on_after_a_crash_at_this_place(site, broken, calm, bucket, made_job, point):
    job, result_dir = made_job
    set_to_die(broken, point)
    with site.client(broken) as api:
        told = ask(api, "/outputs/export", job_id=job, prefix=point)
        failpoints.dies(broken)
    begun = calm.count("POST", "uploads=")
    calm.deserted()
    broken.start()
    with site.client(broken) as api:
        newest = api.get("/exports").json()["exports"][0]["id"]
        assert told in (None, newest), "what was acknowledged is lost"
        found = ended(api, newest, among="exports")
        wanted = content_of(result_dir)
        assert found["files_done"] == found["files_total"] == len(wanted) and found["bytes_done"] == sum(map(len, wanted.values()))
        for path, content in wanted.items():
            assert bucket.get(f"{point}/{path}") == content, path
        nothing_left(site, broken)
        uploads = 2 if point == "export_upload_begun" else 1  # one whose id nobody knows is aborted
        assert begun + calm.count("POST", "uploads=") == uploads, "an upload that was begun is gone on with"
        assert not calm.uploads
        if point == "export_part_noted":
            assert calm.count("PUT", "partNumber=") <= 2, "a part that was noted is not sent again"
    broken.stop()


def rows_of(server, job):
    """Paths of the job's outputs, as the file of the database has them."""
    with contextlib.closing(sqlite3.connect(root_of(server) / "jr_slurm.db")) as db:
        return sorted(path for path, in db.execute("SELECT path FROM outputs WHERE job_id = ?", (job,)))


@pytest.mark.parametrize("point", failpoints.OUTPUTS)
def test_indexing_is_all_or_nothing_and_done_again_after_a_crash_at_this_place(site, broken, point):
    set_to_die(broken, point, 5 if point == "output_row_written" else 1)
    with site.client(broken) as api:
        sha = api.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
        job = api.submit(sha, "pytorch_infer", params_json=json.dumps({"script": "many.py", "count": 20, "args": []}))
        failpoints.dies(broken, 90)
    wanted = sorted(["big.bin", "result.json", *(f"part000/file{number:05}.txt" for number in range(20))])
    assert rows_of(broken, job) == (wanted if point == "outputs_committed" else []), "half an index is seen"
    broken.start()
    with site.client(broken) as api:
        api.wait(job)
        api.wait_indexed(job)
        assert sorted(api.outputs(job)) == wanted == rows_of(broken, job)
        result_dir = pathlib.Path(api.job(job)["meta"]["result_dir"])
    broken.stop()

    (result_dir / "big.bin").unlink()  # indexed again, it stays the old one or is the new one
    set_to_die(broken, point, 5 if point == "output_row_written" else 1)
    with site.client(broken) as api:
        with pytest.raises(requests.RequestException):
            api.post(f"/outputs/index/{job}")
        failpoints.dies(broken)
    newer = wanted[1:]
    broken.start()
    with site.client(broken) as api:
        assert sorted(api.outputs(job)) == (newer if point == "outputs_committed" else wanted)
        assert api.post(f"/outputs/index/{job}").json()["count"] == len(newer)
        assert sorted(api.outputs(job)) == newer
        assert api.delete(f"/jobs/{job}").status_code == 200
        assert api.delete(f"/datasets/{sha}").status_code == 204
    broken.stop()


def test_after_a_failed_fsync_an_import_goes_on_from_its_journal(site, remote, calm, bucket):
    """The page cache cannot be trusted then: the server ends, and a new one reads what is there."""
    files = {name: datasets.fresh() for name in "abcde"}
    for name, content in files.items():
        bucket.put(f"fsync/{name}", content)
    for when in range(1, 8):  # of each thread: of the import's own the first is the journal's, then one a file
        remote.environment.pop("JR_FAILPOINT", None)
        if not remote.alive():
            remote.start()
        with traced(remote, "-e", "trace=fsync,fdatasync", "-e", f"inject=fsync,fdatasync:error=EIO:when={when}+"), site.client(remote) as api:
            told = ask(api, "/datasets/import", prefix="fsync/")
            assert remote.process.wait(20) == 1, f"it goes on after fsync number {when} has failed"
        calm.deserted()
        remote.start()
        with site.client(remote) as api:
            begun = [one["id"] for one in api.get("/imports").json()["imports"] if not one["done"]] + ([told] if told else [])
            for name in begun:
                sha = whole(api, remote, name, files)
            if told:
                assert calm.count("GET", "fsync/") == min(5, max(0, 7 - when)), f"files that were durable before fsync {when} are not fetched again"
            if begun:
                assert api.delete(f"/datasets/{sha}").status_code == 204
    assert "write_lost" in remote.log()
