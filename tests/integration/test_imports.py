"""Datasets straight from a bucket of a real S3 server: what becomes of objects and prefixes, and which are refused."""
import gzip
import threading

import pytest
from harness import datasets, s3
from harness.imports import MIB, imported, nothing_left, refused, root_of


def test_an_object_becomes_a_dataset_as_an_upload_would(api, site, remote, bucket):
    content = bucket.put("sets/a b/caf\u00e9+&.bin", datasets.fresh(20 * MIB + 1))
    found = imported(api, key="sets/a b/caf\u00e9+&.bin")
    sha = datasets.sha256(content)
    assert found["dataset"]["sha256"] == sha and found["dataset"]["rel_path"] == f"datasets/{sha}/caf\u00e9+&.bin"
    assert (found["bytes_done"], found["bytes_total"], found["files_done"]) == (len(content), len(content), 1)
    assert (root_of(remote) / found["dataset"]["rel_path"]).read_bytes() == content
    assert (root_of(remote) / found["dataset"]["rel_path"]).stat().st_mode & 0o777 == 0o444
    assert api.get(f"/datasets/exists/{sha}").json()["exists"] is True
    assert bucket.proxy.count("GET", "caf") == 3, "20 MiB come in pieces of 8"
    assert bucket.proxy.unsigned == 0
    nothing_left(site, remote)


def test_every_range_says_which_object_it_means(api, bucket):
    bucket.put("ranged.bin", datasets.fresh(9 * MIB))
    imported(api, key="ranged.bin")
    gets = [headers for method, _, headers in bucket.proxy.seen if method == "GET"]
    assert len(gets) == 2 and all(headers["If-Match"].strip('"') and headers["Range"].startswith("bytes=") for headers in gets)


def test_an_empty_object_is_a_dataset_too(api, bucket):
    bucket.put("empty.bin", b"")
    assert imported(api, key="empty.bin")["dataset"]["sha256"] == datasets.sha256(b"")


@pytest.mark.parametrize("name", ["set.tar", "set.tar.gz", "set.zip"])
def test_an_archive_is_extracted_while_it_arrives(api, remote, bucket, name):
    files = {"a/b.txt": b"12345", "big": datasets.fresh(17 * MIB)}
    content = datasets.zipped(files) if name.endswith("zip") else datasets.tar(files)
    content = gzip.compress(content, 1) if name.endswith("gz") else content
    bucket.put(f"archives/{name}", content)
    found = imported(api, key=f"archives/{name}")
    assert found["dataset"]["sha256"] == datasets.sha256(content) and found["dataset"]["rel_path"].endswith("/")
    assert (root_of(remote) / found["dataset"]["rel_path"] / "big").read_bytes() == files["big"]


def test_an_archive_is_kept_if_asked_for_and_under_another_name(api, remote, bucket):
    content = bucket.put("kept.tar", datasets.tar({"x": datasets.fresh()}))
    found = imported(api, key="kept.tar", extract="false", filename="mine.tar")
    assert (root_of(remote) / found["dataset"]["rel_path"]).read_bytes() == content
    assert found["dataset"]["rel_path"].endswith("/mine.tar")


def test_a_hostile_archive_is_refused_and_leaves_nothing(api, site, remote, bucket):
    bucket.put("bad.tar", datasets.tar({"../x": b"x", "y": datasets.fresh(20 * MIB)}))
    refused(api, 422, key="bad.tar")
    nothing_left(site, remote)


def test_a_prefix_becomes_one_dataset_whose_sha256_is_that_of_its_manifest(api, remote, bucket):
    files = {"b.txt": datasets.fresh(), "a/one.bin": datasets.fresh(9 * MIB), "a/empty": b"", "z/y/x": b"same"}
    for name, content in files.items():
        bucket.put(f"trees/one/{name}", content)
    bucket.put("trees/one/marker/", b"")  # how consoles make folders
    bucket.put("trees/one-not-me", b"other")
    found = imported(api, prefix="trees/one/")
    manifest = "".join(f"{datasets.sha256(content)} {len(content)} {name}\n" for name, content in sorted(files.items()))
    assert found["dataset"]["sha256"] == datasets.sha256(manifest.encode())
    assert found["dataset"]["bytes"] == sum(map(len, files.values())) and found["files_done"] == found["files_total"] == 4
    folder = root_of(remote) / found["dataset"]["rel_path"]
    assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files
    assert imported(api, prefix="trees/one/")["dataset"] == found["dataset"]
    assert imported(api, prefix="trees/one/", sha256=found["dataset"]["sha256"])["bytes_total"] is None, "it was there"


def test_a_prefix_of_more_than_a_page_comes_whole(api, bucket):
    threads = [threading.Thread(target=lambda part=part: [bucket.put(f"many/{n:04}", str(n).encode()) for n in range(part, 1005, 8)]) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = imported(api, prefix="many/")
    assert found["files_done"] == 1005
    assert bucket.proxy.count("GET", "list-type=2") == 2


def test_a_prefix_without_a_slash_keeps_the_names_it_begins(api, remote, bucket):
    bucket.put("days/2026-01/a", datasets.fresh())
    bucket.put("days/2026-02/a", datasets.fresh())
    bucket.put("days/2027/a", datasets.fresh())
    folder = root_of(remote) / imported(api, prefix="days/2026")["dataset"]["rel_path"]
    assert sorted(path.name for path in folder.iterdir()) == ["2026-01", "2026-02"]


def test_a_wrong_sha256_is_refused_and_leaves_nothing(api, site, remote, bucket):
    bucket.put("wrong.bin", datasets.fresh())
    assert "0" * 64 in refused(api, 400, key="wrong.bin", sha256="0" * 64)
    nothing_left(site, remote)


def test_what_is_not_there_is_a_404(api):
    assert "nope.bin" in refused(api, 404, key="nope.bin")
    refused(api, 404, prefix="nope/")
    assert api.post("/datasets/import", data={"key": "x", "bucket": "unknown"}).status_code == 404
    for name in ("x", "00000000-0000-4000-8000-000000000000"):
        assert api.get(f"/imports/{name}").status_code == 404
        assert api.delete(f"/imports/{name}").status_code == 404
        assert api.get(f"/exports/{name}").status_code == 404


@pytest.mark.parametrize("fields", [{}, {"key": "a", "prefix": "b"}, {"key": "a", "sha256": "x"}, {"key": "a", "extract": "maybe"},
                                    {"key": "a", "colour": "red"}, {"key": "a", "endpoint": "https://example.org"},
                                    {"key": "a", "filename": "a\nb"}, {"bucket": "data"}])
def test_fields_that_cannot_be_meant_are_a_400(api, fields):
    answer = api.post("/datasets/import", data=fields)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("key", ["../x", "a/../b", "/etc/passwd", "a//b", "a/./b", "a\nb", "a\x1bb", "a\\b", "a/", "x" * 1025, "a/" * 65 + "b", "."])
def test_a_key_that_can_be_no_file_is_a_422(api, key):
    assert api.post("/datasets/import", data={"key": key}).status_code == 422
    assert api.post("/datasets/import", json={"prefix": "../" + key}).status_code == 422


def listing(*keys):
    contents = "".join(f"<Contents><Key>{key}</Key><Size>3</Size><ETag>\"x\"</ETag></Contents>" for key in keys)
    return f"<ListBucketResult {s3.NS}><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()


@pytest.mark.parametrize("keys", [["p/../../climbed"], ["p//x"], ["p/a\\b"], ["p/a&#10;b"], ["p/good", "p/.."], ["p/a", "p/a/b"]])
def test_a_listed_key_that_can_be_no_file_refuses_the_prefix(api, site, remote, bucket, keys):
    def lists(handler, _):
        if "list-type" in handler.path:
            handler.answer(200, {"Content-Type": "application/xml"}, listing(*keys))
        else:
            handler.answer(206, {"ETag": '"x"', "Content-Range": "bytes 0-2/3"}, b"abc")
        return True
    bucket.proxy.fault = lists
    refused(api, 422, prefix="p/")
    nothing_left(site, remote)
    assert not list(root_of(remote).rglob("climbed")), "something was written outside"


def test_what_cannot_fit_is_told_before_a_byte_is_sent(api, bucket):
    def huge(handler, _):
        handler.send_response_only(200)
        handler.send_header("Content-Length", str(size))
        handler.send_header("ETag", '"x"')
        handler.end_headers()
        return True
    bucket.proxy.fault = huge
    size = 1 << 50
    assert "JR_MAX_UPLOAD_BYTES" in refused(api, 413, key="huge.bin")
    size = 1 << 41  # allowed, but no disk of a test has that much
    refused(api, 507, key="huge.bin")
    refused(api, 507, key="huge.tar")
    assert bucket.proxy.count("GET") == 0
