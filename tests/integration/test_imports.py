"""Datasets straight from a bucket: a real S3 server, and a proxy before it that cuts, stalls, lies and checks signatures."""
import gzip
import pathlib
import threading
import time

import pytest
from harness import datasets, s3

pytestmark = pytest.mark.skipif(not s3.available(), reason="JR_S3RVER names no s3rver (run_tests.sh installs it)")
MIB = 1 << 20


@pytest.fixture(scope="module")
def bucket(site):
    made = s3.Bucket(site.top / "bucket")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def remote(site, bucket):
    """A server of its own with the bucket; killed and started again as tests like."""
    made = site.another_server("s3root", **bucket.environment())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def api(site, remote, bucket):
    bucket.proxy.calm()
    if not remote.alive():
        remote.start()
    with site.client(remote) as made:
        yield made
    bucket.proxy.calm()


def root_of(remote):
    return pathlib.Path(remote.environment["JR_ROOT"])


def begin(api, **fields):
    answer = api.post("/datasets/import", data=fields)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/imports/{answer.json()['id']}"
    return answer.json()["id"]


def ended(api, name, state="COMPLETED", seconds=120):
    end = time.monotonic() + seconds
    while not (found := api.get(f"/imports/{name}", params={"wait": 30}).json())["done"]:
        assert time.monotonic() < end, f"not done after {seconds} s: {found}"
    assert found["state"] == state, str(found)
    return found


def imported(api, **fields):
    return ended(api, begin(api, **fields))


def refused(api, status, **fields):
    """The import's error, which must have that status."""
    found = ended(api, begin(api, **fields), "FAILED")
    assert found["error"]["status"] == status and found["dataset"] is None, found
    return found["error"]["detail"]


def left_over(remote):
    """What imports have left on the disk besides datasets."""
    top = root_of(remote) / "datasets"
    return [*(top / ".staging").iterdir(), *(top / ".transfers").iterdir()]


def nothing_left(site, remote):
    site.wait_until(lambda: not left_over(remote), 20, "no staging folder and no transfer's folder is left")


def wait_for(api, name, condition, seconds=60):
    """The import as soon as `condition` holds, seen by waiting for its changes."""
    found, end = api.get(f"/imports/{name}").json(), time.monotonic() + seconds
    while not condition(found):
        assert time.monotonic() < end and not found["done"], found
        found = api.get(f"/imports/{name}", params={"wait": 5, "since": found["seq"]}).json()
    return found


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


# --- faults -------------------------------------------------------------------------------------------------------------

def first_times(count, what):
    """A fault of the first `count` GETs of objects."""
    left = [count]
    lock = threading.Lock()

    def fault(handler, body):
        with lock:
            if handler.command != "GET" or "list-type" in handler.path or not left[0]:
                return False
            left[0] -= 1
        what(handler)
        return True
    return fault


def busy(handler):
    handler.error(503, "SlowDown")


def internal(handler):
    handler.error(500, "InternalError")


def cut(handler):
    status, headers, body = handler.upstream()
    handler.send_response_only(status)
    for name in ("ETag", "Content-Range", "Content-Length"):
        handler.send_header(name, headers[name])
    handler.end_headers()
    handler.wfile.write(body[:len(body) // 2])
    handler.wfile.flush()
    handler.close_connection = True


def stall(handler):
    status, headers, body = handler.upstream()
    handler.send_response_only(status)
    for name in ("ETag", "Content-Range", "Content-Length"):
        handler.send_header(name, headers[name])
    handler.end_headers()
    handler.wfile.write(body[:1000])
    handler.wfile.flush()
    time.sleep(12)  # JR_S3_STALL_S is 5
    handler.close_connection = True


def other_range(handler):
    _, headers, body = handler.upstream()
    handler.answer(206, {"ETag": headers["ETag"], "Content-Range": "bytes 0-1/2"}, body)


def short(handler):
    _, headers, body = handler.upstream()
    handler.answer(206, {"ETag": headers["ETag"], "Content-Range": headers["Content-Range"]}, body[:-1])


def hang_up(handler):
    handler.close_connection = True
    handler.connection.close()


@pytest.mark.parametrize("what", [busy, internal, cut, stall, other_range, short, hang_up])
def test_a_fault_that_passes_costs_time_and_no_byte(api, bucket, what):
    content = bucket.put(f"fault-{what.__name__}.bin", datasets.fresh(18 * MIB))
    bucket.proxy.fault = first_times(4, what)
    assert imported(api, key=f"fault-{what.__name__}.bin")["dataset"]["sha256"] == datasets.sha256(content)


def test_an_archive_survives_the_same(api, bucket):
    content = bucket.put("fault.tar.gz", gzip.compress(datasets.tar({"x": datasets.fresh(18 * MIB)}), 1))
    bucket.proxy.fault = first_times(3, cut)
    assert imported(api, key="fault.tar.gz")["dataset"]["sha256"] == datasets.sha256(content)


def test_a_service_that_stays_broken_is_given_up_in_words(api, site, remote, bucket):
    bucket.put("broken.bin", datasets.fresh())
    bucket.proxy.fault = lambda handler, _: handler.error(503, "SlowDown") or True
    assert "SlowDown" in refused(api, 503, prefix="broken")
    nothing_left(site, remote)


def test_an_endless_body_ends_at_what_was_asked_for(api, site, remote, bucket):
    bucket.put("endless.bin", datasets.fresh())

    def endless(handler, _):
        if handler.command != "GET":
            return False
        handler.send_response_only(206)
        handler.end_headers()
        handler.close_connection = True
        try:
            while True:
                handler.wfile.write(bytes(65536))
        except OSError:
            return True
    bucket.proxy.fault = endless
    refused(api, 413, key="endless.bin")
    nothing_left(site, remote)


def test_bytes_that_are_not_the_objects_are_noticed(api, site, remote, bucket):
    bucket.put("flipped.bin", datasets.fresh(9 * MIB))

    def flips(handler, _):
        if handler.command != "GET":
            return False
        status, headers, body = handler.upstream()
        handler.answer(status, {"ETag": headers["ETag"], "Content-Range": headers["Content-Range"]}, b"\0\0\0\0" + body[4:])
        return True
    bucket.proxy.fault = flips
    assert "ETag" in refused(api, 422, key="flipped.bin")
    nothing_left(site, remote)


def test_an_etag_that_is_always_another_one_is_given_up(api, bucket):
    bucket.put("liar.bin", datasets.fresh())

    def lies(handler, _):
        if handler.command != "GET":
            return False
        _, headers, body = handler.upstream()
        handler.answer(206, {"ETag": '"another"', "Content-Range": headers["Content-Range"]}, body)
        return True
    bucket.proxy.fault = lies
    assert "changed" in refused(api, 409, key="liar.bin")


@pytest.mark.parametrize("checks", [True, False], ids=["412", "by its ETag alone"])
def test_an_object_that_changes_meanwhile_is_read_from_its_beginning(api, bucket, checks):
    bucket.put("changing.bin", datasets.fresh(30 * MIB))
    bucket.proxy.checks_if_match = checks
    new = datasets.fresh(20 * MIB)

    def change(handler):
        bucket.put("changing.bin", new)
        handler.error(503, "SlowDown")
    bucket.proxy.fault = first_times(1, change)
    assert imported(api, key="changing.bin")["dataset"]["sha256"] == datasets.sha256(new)


def test_wrong_keys_are_told_and_not_tried_forever(api, bucket):
    bucket.put("locked.bin", datasets.fresh())
    bucket.proxy.keys = {s3.KEY_ID: "another"}
    try:
        detail = refused(api, 403, key="locked.bin")
        assert bucket.proxy.count("HEAD") == 1 and "keys" in detail
        assert "SignatureDoesNotMatch" in refused(api, 403, prefix="locked")
    finally:
        bucket.proxy.keys = {s3.KEY_ID: s3.KEY}


# --- life ---------------------------------------------------------------------------------------------------------------

def test_progress_can_be_waited_for(api, bucket):
    bucket.put("slow.bin", datasets.fresh(24 * MIB))
    bucket.proxy.slow = 3 * MIB
    name = begin(api, key="slow.bin")
    seen = wait_for(api, name, lambda now: 0 < now["bytes_done"] < 24 * MIB)
    assert seen["state"] == "RUNNING" and seen["bytes_total"] == 24 * MIB
    asked = time.monotonic()
    assert not api.get(f"/imports/{name}").json()["done"] and time.monotonic() - asked < 5
    bucket.proxy.slow = 0
    assert ended(api, name)["seq"] > seen["seq"]


def test_a_cancelled_import_ends_and_leaves_nothing(api, site, remote, bucket):
    bucket.put("cancel.bin", datasets.fresh(24 * MIB))
    bucket.put("cancel.tar", datasets.tar({"x": datasets.fresh(24 * MIB)}))
    for key in ("cancel.bin", "cancel.tar"):
        bucket.proxy.slow = 2 * MIB
        name = begin(api, key=key)
        wait_for(api, name, lambda now: now["bytes_total"])
        answer = api.delete(f"/imports/{name}").json()
        assert answer["state"] == "CANCELLED" and answer["done"] and answer["error"] is None
        assert api.delete(f"/imports/{name}").json()["state"] == "CANCELLED", "again is as good as once"
        nothing_left(site, remote)
        assert api.get(f"/imports/{name}").json()["dataset"] is None


def test_two_at_once_of_one_object_are_stored_once(api, remote, bucket):
    content = bucket.put("twins.bin", datasets.fresh(10 * MIB))
    names = [begin(api, key="twins.bin") for _ in range(3)]
    found = [ended(api, name)["dataset"] for name in names]
    assert found[0]["sha256"] == datasets.sha256(content) and found[0] == found[1] == found[2]


def test_more_than_may_run_wait_for_their_turn(api, bucket):
    for number in range(7):
        bucket.put(f"queue{number}.bin", datasets.fresh(2 * MIB))
    bucket.proxy.slow = MIB
    names = [begin(api, key=f"queue{number}.bin") for number in range(7)]
    states = [api.get(f"/imports/{name}").json()["state"] for name in names]
    assert states.count("RUNNING") <= 4 and "QUEUED" in states, states
    api.delete(f"/imports/{names[-1]}")
    bucket.proxy.slow = 0
    for name in names[:-1]:
        ended(api, name)
    assert api.get(f"/imports/{names[-1]}").json()["state"] == "CANCELLED"


def test_imports_are_listed_newest_first(api, bucket):
    bucket.put("listed.bin", datasets.fresh())
    names = [imported(api, key="listed.bin")["id"] for _ in range(3)]
    page = api.get("/imports", params={"limit": 2}).json()
    assert [one["id"] for one in page["imports"]] == names[:0:-1]
    rest = api.get("/imports", params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert [one["id"] for one in rest["imports"]] == names[:1]
    assert api.get("/exports").json()["exports"] == []


def test_after_a_crash_a_prefix_goes_on_with_what_is_missing(api, site, remote, bucket):
    files = {f"{n:02}.bin": datasets.fresh(MIB) for n in range(16)}
    for name, content in files.items():
        bucket.put(f"crash/{name}", content)
    bucket.proxy.slow = MIB
    name = begin(api, prefix="crash/")
    before = wait_for(api, name, lambda now: now["files_done"] >= 4)["files_done"]
    remote.kill()
    bucket.proxy.calm()
    remote.start()
    found = ended(api, name)
    manifest = "".join(f"{datasets.sha256(content)} {len(content)} {path}\n" for path, content in sorted(files.items()))
    assert found["dataset"]["sha256"] == datasets.sha256(manifest.encode())
    assert bucket.proxy.count("GET", "crash/") - bucket.proxy.count("GET", "list-type") <= 16 - before, "whole files were fetched again"
    nothing_left(site, remote)


@pytest.mark.slow
def test_after_a_crash_a_large_object_goes_on_where_it_was_durable(api, site, remote, bucket):
    content = bucket.put("crash.bin", datasets.fresh(104 * MIB))
    bucket.proxy.slow = 3 * MIB
    name = begin(api, key="crash.bin")
    wait_for(api, name, lambda now: now["bytes_done"] >= 64 * MIB, seconds=120)
    remote.kill()
    bucket.proxy.calm()
    remote.start()
    assert ended(api, name)["dataset"]["sha256"] == datasets.sha256(content)
    assert bucket.proxy.count("GET") == 5, "only what follows the first 64 MiB"
    nothing_left(site, remote)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_an_archive_begins_anew_after_a_restart_and_a_changed_object_too(api, site, remote, bucket, end):
    archive = bucket.put("again.tar", datasets.tar({"x": datasets.fresh(20 * MIB)}))
    bucket.put("changed.bin", datasets.fresh(20 * MIB))
    bucket.proxy.slow = 2 * MIB
    names = [begin(api, key="again.tar"), begin(api, key="changed.bin")]
    for name in names:
        wait_for(api, name, lambda now: now["bytes_total"])
    getattr(remote, end)()
    changed = bucket.put("changed.bin", datasets.fresh(10 * MIB))
    bucket.proxy.calm()
    remote.start()
    found = [ended(api, name)["dataset"]["sha256"] for name in names]
    assert found == [datasets.sha256(archive), datasets.sha256(changed)]
    nothing_left(site, remote)


# --- secrets and other buckets --------------------------------------------------------------------------------------------

def test_more_buckets_come_from_a_file_and_no_key_is_ever_shown(site, bucket):
    ids, keys = [site.secret(), site.secret()], [site.secret(), site.secret()]
    bucket.proxy.calm()
    bucket.proxy.keys = dict(zip(ids, keys))
    file = site.top / "buckets.json"
    file.write_text('{"buckets": [{"name": "extra", "bucket": "more", "endpoint": "%s", "region": "%s", "key_id": "%s", "app_key": "%s"}]}'
                    % (bucket.proxy.endpoint, s3.REGION, ids[1], keys[1]))
    file.chmod(0o400)
    server = site.another_server("s3keys", **bucket.environment(JR_B2_KEY_ID=ids[0], JR_B2_APP_KEY=keys[0], JR_S3_BUCKETS_FILE=str(file)))
    try:
        server.start()
        with site.client(server) as api:
            one, two = bucket.put("one.bin", datasets.fresh()), bucket.put("two.bin", datasets.fresh(), "more")
            assert imported(api, key="one.bin")["dataset"]["sha256"] == datasets.sha256(one)
            assert imported(api, key="two.bin", bucket="extra")["dataset"]["sha256"] == datasets.sha256(two)
            bucket.proxy.keys = {ids[0]: "another", ids[1]: "another"}
            texts = [refused(api, 403, key="one.bin"), refused(api, 403, key="two.bin", bucket="extra")]
            texts += [api.get("/imports").text, api.get("/health").text, api.get("/openapi.json").text]
            environment = pathlib.Path(f"/proc/{server.pid}/environ").read_bytes().decode()
            arguments = pathlib.Path(f"/proc/{server.pid}/cmdline").read_bytes().decode()
        server.stop()
        texts += [environment, arguments, server.log()]
        for path in root_of(server).rglob("*"):  # server.json is how this test hands them over
            if path.is_file() and not path.is_symlink() and path.name != "server.json":
                texts.append(path.read_bytes().decode(errors="replace"))
        for text in texts:
            assert not [one for one in ids + keys if one in text], text[:2000]
    finally:
        server.stop()
        bucket.proxy.keys = {s3.KEY_ID: s3.KEY}


def test_a_buckets_file_that_others_may_read_keeps_the_server_from_starting(site, bucket):
    file = site.top / "open.json"
    file.write_text('{"buckets": []}')
    file.chmod(0o644)
    server = site.another_server("s3open", JR_S3_BUCKETS_FILE=str(file))
    server.spawn()
    assert server.process.wait(20) != 0 and "0400" in server.log()


def test_without_a_bucket_an_import_says_what_to_set(client):
    answer = client.post("/datasets/import", data={"key": "x"})
    assert answer.status_code == 400 and "JR_B2_BUCKET" in answer.json()["detail"]
