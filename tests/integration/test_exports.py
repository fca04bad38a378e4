"""Outputs of jobs into a bucket: a real S3 server, and a proxy before it that checks signatures and makes trouble."""
import functools
import pathlib
import threading
import time

import pytest
from harness import datasets, imports
from harness.imports import MIB, nothing_left

begin = functools.partial(imports.begin, ask="/outputs/export")
ended = functools.partial(imports.ended, among="exports")
wait_for = functools.partial(imports.wait_for, among="exports")


@pytest.fixture(scope="module")
def job(site, remote):
    """A job that left two files of several parts and a small one; its id and its files."""
    with site.client(remote) as api:
        sha = api.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
        made = api.submit(sha, "pytorch_infer", params_json='{"script": "large.py", "count": 2, "bytes": %d, "args": []}' % (36 * MIB + 5))
        api.wait(made, 120)
        api.wait_indexed(made)
        return made, {path: api.file(made, path).content for path in api.outputs(made)}


def is_there(bucket, prefix, files):
    for path, content in files.items():
        assert bucket.get(prefix + path) == content, path


def parts(bucket):
    return bucket.proxy.count("PUT", "partNumber=")


def test_all_files_arrive_small_ones_whole_and_large_ones_in_parts(api, bucket, job):
    number, files = job
    found = ended(api, begin(api, job_id=number, prefix="runs/1"))
    assert found["job_id"] == number and found["prefix"] == "runs/1"
    files = {**files, "manifest.json": api.file(number, "manifest.json").content}
    assert found["files_done"] == found["files_total"] == len(files)
    assert found["bytes_done"] == found["bytes_total"] == sum(map(len, files.values()))
    is_there(bucket, "runs/1/", files)
    assert parts(bucket) == 6 and bucket.proxy.count("POST", "uploads=") == 2
    puts = [headers for method, _, headers in bucket.proxy.seen if method == "PUT"]
    assert all("Content-MD5" in headers and len(headers["x-amz-content-sha256"]) == 64 for headers in puts)
    assert bucket.proxy.unsigned == 0
    assert api.get("/exports").json()["exports"][0]["id"] == found["id"] and api.get(f"/imports/{found['id']}").status_code == 404


def test_another_bucket_and_no_prefix_will_do(api, bucket, job, site, remote):
    assert api.post("/outputs/export", data={"job_id": job[0], "bucket": "unknown"}).status_code == 404
    ended(api, begin(api, job_id=job[0]))
    is_there(bucket, "", {"notes/caf\u00e9 & more.txt": b"small\n"})


@pytest.mark.parametrize("prefix", ["../x", "/x", "a//b", "a/../b", "a\nb", "x" * 1100])
def test_a_prefix_that_climbs_is_a_400(api, job, prefix):
    assert api.post("/outputs/export", data={"job_id": job[0], "prefix": prefix}).status_code == 400


def test_what_cannot_be_meant_is_refused(api, job):
    assert api.post("/outputs/export", data={"prefix": "x"}).status_code == 400
    assert api.post("/outputs/export", data={"job_id": "x"}).status_code == 400
    assert api.post("/outputs/export", data={"job_id": job[0], "key": "x"}).status_code == 400
    assert api.post("/outputs/export", data={"job_id": 999999999}).status_code == 404


def test_a_running_job_is_a_409(api):
    sha = api.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
    number = api.submit(sha, "pytorch_infer", params_json='{"script": "nap.py", "seconds": 300, "args": []}')
    answer = api.post("/outputs/export", data={"job_id": number})
    assert answer.status_code == 409 and "has ended" in answer.json()["detail"]
    api.post(f"/jobs/{number}/cancel")


def test_more_files_than_the_limit_are_no_half_export_and_no_half_dataset(site, bucket, job, remote):
    before = dict(remote.environment)
    remote.environment["JR_MAX_EXTRACTED_FILES"] = "2"
    remote.restart()
    try:
        with site.client(remote) as api:
            found = ended(api, begin(api, job_id=job[0], prefix="half"), "FAILED")
            answer = api.post("/datasets/from_job", data={"job_id": job[0]})
        assert found["error"]["status"] == 413 and "JR_MAX_EXTRACTED_FILES" in found["error"]["detail"]
        assert bucket.get("half/large0.bin") is None
        assert answer.status_code == 413 and "JR_MAX_EXTRACTED_FILES" in answer.json()["detail"]
    finally:
        remote.environment = before
        remote.restart()


def first_times(count, what):
    left, lock = [count], threading.Lock()

    def fault(handler, body):
        with lock:
            if handler.command != "PUT" or not left[0]:
                return False
            left[0] -= 1
        what(handler, body)
        return True
    return fault


def busy(handler, _):
    handler.error(503, "SlowDown")


def hang_up(handler, _):
    handler.close_connection = True
    handler.connection.close()


def corrupt(handler, body):
    """The service stores other bytes than were sent, and tells so by its ETag."""
    status, headers, content = handler.upstream(b"\0" * max(len(body), 1))
    handler.answer(status, {"ETag": headers["ETag"]}, content)


def lost(handler, body):
    """It was stored, but nobody hears of it."""
    handler.upstream(body)
    hang_up(handler, body)


@pytest.mark.parametrize("what", [busy, hang_up, corrupt, lost])
def test_a_fault_that_passes_costs_time_and_no_byte(api, bucket, job, what):
    bucket.proxy.fault = first_times(3, what)
    ended(api, begin(api, job_id=job[0], prefix=what.__name__))
    is_there(bucket, what.__name__ + "/", job[1])


def first_answers_lost(part):
    """Of each POST whose address has that part, the first: it was done."""
    seen = set()

    def fault(handler, body):
        if handler.command != "POST" or part not in handler.path or handler.path in seen:
            return False
        seen.add(handler.path)
        lost(handler, body)
        return True
    return fault


def test_a_completion_whose_answer_is_lost_is_one(api, bucket, job):
    bucket.proxy.fault = first_answers_lost("uploadId=")
    ended(api, begin(api, job_id=job[0], prefix="lost-end"))
    is_there(bucket, "lost-end/", job[1])


def test_an_upload_whose_beginning_nobody_heard_of_is_aborted_and_no_other(api, bucket, job):
    """It would cost money, part by part, for as long as the bucket is there."""
    others = {"older": ("/data/unheard/large0.bin", time.gmtime(time.time() - 3600)), "another": ("/data/unheard/large0.bin2", time.gmtime())}
    bucket.proxy.uploads.update(others)
    bucket.proxy.fault = first_answers_lost("uploads=")
    ended(api, begin(api, job_id=job[0], prefix="unheard"))
    is_there(bucket, "unheard/", job[1])
    assert bucket.proxy.count("POST", "uploads=") == 4 and bucket.proxy.uploads == others
    bucket.proxy.uploads.clear()


def test_a_service_that_refuses_is_told_in_words_and_its_uploads_are_aborted(api, bucket, job):
    def refuses(handler, _):
        if handler.command == "PUT" and "partNumber=3" in handler.path:
            handler.error(403, "AccessDenied")
            return True
        return False
    bucket.proxy.fault = refuses
    found = ended(api, begin(api, job_id=job[0], prefix="refused"), "FAILED")
    assert found["error"]["status"] == 403 and "AccessDenied" in found["error"]["detail"]
    assert bucket.proxy.count("DELETE", "uploadId=") == 1 and not bucket.proxy.uploads


def test_a_cancelled_export_aborts_its_uploads(api, bucket, job, site, remote):
    def slowly(handler, _):
        if "partNumber=2" in handler.path:
            time.sleep(5)
        return False
    bucket.proxy.fault = slowly
    name = begin(api, job_id=job[0], prefix="cancelled")
    wait_for(api, name, lambda now: now["bytes_done"] >= 16 * MIB)
    assert api.delete(f"/exports/{name}").json()["state"] == "CANCELLED"
    site.wait_until(lambda: not bucket.proxy.uploads, 20, "the upload is aborted")
    assert bucket.proxy.count("DELETE", "uploadId=") == 1
    nothing_left(site, remote)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_after_a_restart_an_export_goes_on_with_what_is_missing(api, bucket, job, remote, end):
    held = threading.Event()

    def hold(handler, _):
        if "large1" in handler.path and "partNumber=2" in handler.path:
            held.wait(20)
            hang_up(handler, _)
            return True
        return False
    bucket.proxy.fault = hold
    name = begin(api, job_id=job[0], prefix=f"again-{end}")
    wait_for(api, name, lambda now: now["bytes_done"] >= (36 + 16 + 4) * MIB)
    getattr(remote, end)()
    held.set()
    bucket.proxy.deserted()
    remote.start()
    found = ended(api, name)
    assert found["bytes_done"] == found["bytes_total"]
    assert parts(bucket) == 1 and bucket.proxy.count("POST", "uploads=") == 0, "only the part that was missing"
    is_there(bucket, f"again-{end}/", job[1])


def test_an_output_that_changed_since_is_read_anew(api, bucket, job, remote, site):
    """A file replaced between two runs of one export is not glued together from both."""
    number, files = job
    result = pathlib.Path(api.job(number)["meta"]["result_dir"]) / "large1.bin"
    held = threading.Event()

    def hold(handler, _):
        if "large1" in handler.path and "partNumber=2" in handler.path:
            held.wait(20)
            hang_up(handler, _)
            return True
        return False
    bucket.proxy.fault = hold
    name = begin(api, job_id=number, prefix="replaced")
    wait_for(api, name, lambda now: now["bytes_done"] >= (36 + 16 + 4) * MIB)
    remote.kill()
    held.set()
    new = datasets.fresh(len(files["large1.bin"]))
    result.write_bytes(new)
    bucket.proxy.deserted()
    remote.start()
    ended(api, name)
    is_there(bucket, "replaced/", {**files, "large1.bin": new})
    assert not bucket.proxy.uploads, "of the one before, too"
