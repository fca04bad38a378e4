"""An import's life: progress, waiting, cancelling, crashes of the server; and that no key is ever shown."""
import pathlib

import pytest
from harness import datasets, s3
from harness.imports import MIB, begin, ended, imported, nothing_left, refused, root_of, wait_for


def test_progress_can_be_waited_for(api, bucket):
    bucket.put("slow.bin", datasets.fresh(24 * MIB))
    bucket.proxy.slow = 3 * MIB
    name = begin(api, key="slow.bin")
    seen = wait_for(api, name, lambda now: 0 < now["bytes_done"] < 24 * MIB)
    assert seen["state"] == "RUNNING" and seen["bytes_total"] == 24 * MIB
    assert not api.get(f"/imports/{name}").json()["done"]
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


@pytest.mark.slow
def test_memory_does_not_grow_with_the_object(api, remote, bucket):
    def peak():
        status = pathlib.Path(f"/proc/{remote.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) >> 10
    before = peak()
    bucket.put("fat.bin", datasets.fresh(200 * MIB))
    imported(api, key="fat.bin")
    assert peak() - before < 100, "six pieces of 8 MiB are in memory at once, and what the allocator makes of them"


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
    bucket.proxy.deserted()
    remote.start()
    found = ended(api, name)
    manifest = "".join(f"{datasets.sha256(content)} {len(content)} {path}\n" for path, content in sorted(files.items()))
    assert found["dataset"]["sha256"] == datasets.sha256(manifest.encode())
    assert bucket.proxy.count("GET", "crash/") - bucket.proxy.count("GET", "list-type") <= 16 - before, "a file that was shown as done came again"
    nothing_left(site, remote)


@pytest.mark.slow
def test_after_a_crash_a_large_object_goes_on_where_it_was_durable(api, site, remote, bucket):
    content = bucket.put("crash.bin", datasets.fresh(104 * MIB))
    bucket.proxy.slow = 3 * MIB
    name = begin(api, key="crash.bin")
    wait_for(api, name, lambda now: now["bytes_done"] >= 64 * MIB, seconds=120)
    remote.kill()
    bucket.proxy.deserted()
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
