"""Files go out whole, in part, or not at all: HEAD, Range, conditions."""
import os

import pytest

SIZE = 300_000


@pytest.fixture(scope="module")
def job_id(indexed_job):
    return indexed_job("many.py", count=3, big=SIZE, experimentId="downloads")


@pytest.fixture
def content():
    return bytes(number * 7 % 251 for number in range(SIZE))


def test_both_ways_give_the_same_file(client, job_id, content):
    by_job = client.file(job_id, "big.bin")
    by_id = client.get("/outputs/download", params={"experiment_id": "downloads", "output_id": "big"})
    assert by_job.content == by_id.content == content
    assert by_job.headers["ETag"] == by_id.headers["ETag"]
    assert "big.bin" in by_job.headers["Content-Disposition"]
    assert int(by_job.headers["Content-Length"]) == SIZE


def test_head_is_get_without_the_body(client, job_id):
    whole = client.file(job_id, "big.bin")
    head = client.head("/outputs/download_by_job", params={"job_id": job_id, "rel_path": "big.bin"})
    assert head.status_code == 200 and head.content == b""
    for name in ("Content-Length", "ETag", "Last-Modified", "Accept-Ranges", "Content-Type", "Content-Disposition"):
        assert head.headers[name] == whole.headers[name], name
    assert client.head("/outputs/download_by_job", params={"job_id": job_id, "rel_path": "nope"}).status_code == 404
    assert client.head("/outputs/download", params={"experiment_id": "downloads", "output_id": "big"}).status_code == 200


L = SIZE
RANGES = [  # header, first byte, byte after the last; None: the whole file; False: 416
    ("bytes=0-0", 0, 1), ("bytes=0-99", 0, 100), ("bytes=100-", 100, L), ("bytes=-1", L - 1, L), ("bytes=-100", L - 100, L),
    (f"bytes=-{L}", 0, L), (f"bytes=-{L + 5}", 0, L), (f"bytes={L - 1}-", L - 1, L), (f"bytes={L - 1}-{L - 1}", L - 1, L),
    (f"bytes=0-{L - 1}", 0, L), (f"bytes=0-{L}", 0, L), ("bytes=0-99999999", 0, L), ("bytes=0-18446744073709551615", 0, L),
    ("bytes=5-18446744073709551616", 5, L), ("bytes=65535-65536", 65535, 65537), ("bytes=000-0009", 0, 10), ("bytes=1-1", 1, 2),
    (f"bytes={L}-", False, 0), (f"bytes={L}-{L + 1}", False, 0), ("bytes=99999999-", False, 0), ("bytes=18446744073709551615-", False, 0),
    ("bytes=18446744073709551616-", False, 0), ("bytes=-0", False, 0), ("bytes=99999999999999999999999-", False, 0),
    ("bytes=5-4", None, 0), ("bytes=", None, 0), ("bytes=-", None, 0), ("bytes=a-b", None, 0), ("bytes=0x0-0x9", None, 0), ("bytes 0-9", None, 0),
    ("0-9", None, 0), ("lines=0-9", None, 0), ("bytes=0-9,20-29", None, 0), ("bytes=0-9, 20-29, -5", None, 0), ("bytes=" + ",".join(["0-"] * 500), None, 0),
    ("bytes=+1-5", None, 0), ("bytes=1-5x", None, 0), ("bytes=--5", None, 0), ("bytes=1-2-3", None, 0), ("bytes=\u0661-\u0662".encode(), None, 0), ("bytes=1.5-3", None, 0)]


@pytest.mark.parametrize("header,start,stop", RANGES, ids=[str(row[0])[:30] for row in RANGES])
def test_a_range_is_served_exactly(client, job_id, content, header, start, stop):
    response = client.file(job_id, "big.bin", headers={"Range": header})
    if start is False:
        assert response.status_code == 416
        assert response.headers["Content-Range"] == f"bytes */{L}"
    elif start is None or (response.status_code == 200 and (start, stop) == (0, L)):
        # What is no range is ignored (RFC 9110, 14.2); 400 or 416 is as good an answer to nonsense.
        assert response.status_code in (200, 400, 416), response.status_code
        assert response.status_code != 200 or response.content == content
    else:
        assert response.status_code == 206
        assert response.content == content[start:stop]
        assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{L}"


def test_an_empty_file_has_no_range(client, run_tool):
    empty = run_tool("many.py", {"count": 0, "big": 0})
    client.wait(empty)
    assert client.file(empty, "big.bin").content == b""
    for header in ("bytes=0-0", "bytes=-1", "bytes=0-"):
        assert client.file(empty, "big.bin", headers={"Range": header}).status_code in (200, 416)


def test_conditions(client, job_id, content):
    first = client.file(job_id, "big.bin")
    tag, date = first.headers["ETag"], first.headers["Last-Modified"]
    for value in (tag, f'"x", {tag}', "*", f"W/{tag}"):
        response = client.file(job_id, "big.bin", headers={"If-None-Match": value})
        assert response.status_code == 304 and response.content == b"" and response.headers["ETag"] == tag, value
    assert client.file(job_id, "big.bin", headers={"If-None-Match": '"other"'}).content == content
    ranged = {"Range": "bytes=0-9"}
    assert client.file(job_id, "big.bin", headers={**ranged, "If-Range": tag}).status_code == 206
    for stale in ('"other"', f"W/{tag}", "Mon, 01 Jan 2001 00:00:00 GMT", "nonsense"):
        assert client.file(job_id, "big.bin", headers={**ranged, "If-Range": stale}).status_code == 200, stale
    assert client.file(job_id, "big.bin", headers={**ranged, "If-Range": date}).status_code in (200, 206)


def test_a_changed_file_has_another_tag(client, job_id, site):
    path = os.path.join(client.job(job_id)["meta"]["result_dir"], "part000/file00001.txt")
    before = client.file(job_id, "part000/file00001.txt").headers["ETag"]
    with open(path, "a", encoding="ascii") as file:
        file.write("more\n")
    after = client.file(job_id, "part000/file00001.txt")
    assert after.headers["ETag"] != before and after.text.endswith("more\n")


def test_what_is_not_there_is_a_404(client, job_id):
    for params in ({"experiment_id": "downloads", "output_id": "nope"}, {"experiment_id": "nope", "output_id": "big"}):
        assert client.get("/outputs/download", params=params).status_code == 404
    for rel_path in ("nope", "part000/nope", "big.bin/x", "part000/", "part000"):
        assert client.file(job_id, rel_path).status_code in (400, 404), rel_path
    assert client.file(999999999, "big.bin").status_code == 404


def test_missing_parameters_are_a_400_that_names_them(client, job_id):
    for path, params, missing in (("/outputs/download", {"experiment_id": "x"}, "output_id"), ("/outputs/download", {"output_id": "x"}, "experiment_id"),
                                  ("/outputs/download_by_job", {"job_id": job_id}, "rel_path"), ("/outputs/download_by_job", {"rel_path": "x"}, "job_id")):
        response = client.get(path, params=params)
        assert response.status_code == 400 and missing in response.json()["detail"]


def test_a_client_that_leaves_in_the_middle_harms_nobody(site, client, server, job_id):
    for _ in range(20):
        with site.client() as other:
            response = other.file(job_id, "big.bin", stream=True)
            response.raw.read(10)
            response.close()
    assert client.file(job_id, "big.bin").status_code == 200
