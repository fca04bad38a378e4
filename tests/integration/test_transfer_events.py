"""Imports and exports as server-sent events: every change once and in order, over crashes too, and an end."""
import functools
import time

import pytest
from harness import datasets, imports
from harness.imports import MIB, begin, ended, refused
from harness.streams import Cut, Stream

begin_export = functools.partial(imports.begin, ask="/outputs/export")


def of(name, ways="imports"):
    return f"/{ways}/{name}/events"


def slow(bucket, key, size=12 * MIB):
    bucket.put(key, datasets.fresh(size))
    bucket.proxy.slow = 3 * MIB


def in_order(events, after=-1):
    """They are what a client should see: growing numbers, and nothing behind the end."""
    ids = [event.id for event in events]
    assert ids == sorted(set(ids)) and ids[0] > after, ids
    assert all(event.data["seq"] == event.id for event in events)
    assert [event.type for event in events] == ["progress"] * (len(events) - 1) + ["end"]
    assert [event.data["done"] for event in events] == [False] * (len(events) - 1) + [True]
    return events[-1].data


def test_an_import_is_followed_to_its_end(api, bucket, contract):
    slow(bucket, "followed.bin")
    name = begin(api, key="followed.bin")
    with Stream(api, of(name)) as stream:
        events = list(stream)
    last = in_order(events)
    assert last["state"] == "COMPLETED" and last == api.get(f"/imports/{name}").json()
    assert {0, 8 * MIB, 12 * MIB} <= {event.data["bytes_done"] for event in events}, "each piece is seen when it has come"
    for event in events:
        contract._validate(event.data, {"$ref": "#/components/schemas/Import"})


def test_an_export_is_followed_to_its_end(api, bucket, contract, site):
    sha = api.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
    job = api.submit(sha, "pytorch_infer", params_json='{"script": "large.py", "count": 1, "bytes": %d, "args": []}' % (36 * MIB))
    api.wait(job, 120)

    def slowly(handler, _):
        if "partNumber" in handler.path:
            time.sleep(0.5)
        return False
    bucket.proxy.fault = slowly
    name = begin_export(api, job_id=job, prefix="followed")
    with Stream(api, of(name, "exports")) as stream:
        events = list(stream)
    last = in_order(events)
    assert last["state"] == "COMPLETED" and last == api.get(f"/exports/{name}").json() and last["bytes_done"] > 36 * MIB
    assert len(events) >= 3
    for event in events:
        contract._validate(event.data, {"$ref": "#/components/schemas/Export"})
    assert api.get(of(name, "imports")).status_code == 404, "it is no import"


def test_whoever_comes_again_hears_what_is_new_and_then_nothing(api, bucket):
    slow(bucket, "again.bin")
    name = begin(api, key="again.bin")
    with Stream(api, of(name)) as stream:
        seen = next(event for event in stream if event.data["bytes_done"])
    with Stream(api, of(name), last=seen.id) as stream:
        rest = list(stream)
    in_order(rest, after=seen.id)
    with Stream(api, of(name), params={"after": seen.id}) as stream:  # all that it missed is in the last
        assert list(stream) == [rest[-1]]
    for how in ({"headers": {"Last-Event-ID": str(rest[-1].id)}}, {"params": {"after": rest[-1].id}},
                {"headers": {"Last-Event-ID": str(rest[-1].id)}, "params": {"after": "0"}}):
        assert api.get(of(name), **how).status_code == 204


def test_the_first_event_comes_at_once_and_many_may_listen(api, site, remote, bucket):
    slow(bucket, "many.bin", 24 * MIB)
    bucket.proxy.slow = MIB
    name = begin(api, key="many.bin")
    clients = [site.client(remote) for _ in range(20)]
    streams = [Stream(client, of(name)) for client in clients]
    heard = [iter(stream) for stream in streams]
    for events in heard:
        first = next(events)
        assert first.type == "progress" and first.data["id"] == name
    for stream in streams[::2]:
        stream.response.close()  # they hang up
    assert api.delete(f"/imports/{name}").json()["state"] == "CANCELLED"
    for events in heard[1::2]:
        assert in_order(list(events))["state"] == "CANCELLED"
    for client in clients:
        client.close()


def test_a_failure_is_told_with_its_reason(api):
    refused(api, 404, key="nothing.bin")
    name = api.get("/imports").json()["imports"][0]["id"]
    with Stream(api, of(name)) as stream:
        events = list(stream)
    assert in_order(events)["error"]["status"] == 404


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_numbers_grow_over_a_restart(api, site, remote, bucket, end):
    """Progress is not written down; yet a client that saw number 57 is told what a server says that has been started since."""
    slow(bucket, f"restart-{end}.bin", 24 * MIB)
    name = begin(api, key=f"restart-{end}.bin")
    events = []
    with Stream(api, of(name)) as stream, pytest.raises(Cut):
        for event in stream:
            events.append(event)
            if event.data["bytes_done"] > 8 * MIB and remote.alive():
                getattr(remote, end)()
        raise Cut[0]("a stream that ends without an end is cut, too")
    assert events[-1].type == "progress"
    bucket.proxy.deserted()
    remote.start()
    with site.client(remote) as later:
        with Stream(later, of(name), last=events[-1].id) as stream:
            rest = list(stream)
        in_order(events + rest)
        assert later.get(f"/imports/{name}", params={"since": events[-1].id, "wait": 1}).json() == rest[-1].data
        assert ended(later, name)["seq"] < 2**53, "JSON's readers count so far"


def test_what_cannot_be_meant_is_refused(api, anonymous, bucket):
    bucket.put("small.bin", b"x")
    name = begin(api, key="small.bin")
    for how in ({"headers": {"Last-Event-ID": "x"}}, {"params": {"after": "-1"}}, {"params": {"wait": "3"}}):
        assert api.get(of(name), **how).status_code == 400
    for unknown in ("x", "00000000-0000-4000-8000-000000000000"):
        assert api.get(of(unknown)).status_code == 404 and api.get(of(unknown, "exports")).status_code == 404
    assert anonymous.get(of(name)).status_code == 401
