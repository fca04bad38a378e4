"""What happens to jobs, as it happens: one order, in streams and in pages, resumable from any id."""
import concurrent.futures
import socket
import sqlite3
import threading
import time

import pytest
from harness.streams import Cut, Stream


def pages(client, path, after=0, **params):
    """All events behind `after`, by pages of JSON."""
    while True:
        page = client.get(path, params={"after": after, **params}, headers={"Accept": "application/json"}).json()
        yield from page["events"]
        if not page["events"]:
            return
        after = page["next_after"]


def newest(client):
    return client.get("/events", headers={"Accept": "application/json"}).json()["next_after"]


def test_a_job_s_stream_tells_its_life_and_ends_when_its_outputs_are_there(client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 1})
    with Stream(client, f"/jobs/{job_id}/events") as stream:
        events = list(stream)
    assert [event.data["status"] for event in events][-1] == "COMPLETED" and events[-1].type == "indexed"
    assert {event.data["job_id"] for event in events} == {job_id}
    assert [event.id for event in events] == [event.data["seq"] for event in events]
    assert [event.id for event in events] == sorted({event.id for event in events})
    assert "RUNNING" in {event.data["status"] for event in events}
    assert [event.data["done"] for event in events] == sorted(event.data["done"] for event in events)
    assert client.job(job_id)["seq"] == events[-1].id
    assert list(pages(client, f"/jobs/{job_id}/events")) == [event.data for event in events]


def test_a_job_s_stream_goes_on_behind_any_of_its_events(client, toolbox):
    job_id = client.submit(toolbox)
    with Stream(client, f"/jobs/{job_id}/events") as stream:
        events = list(stream)
    for place, event in enumerate(events[:-1]):
        with Stream(client, f"/jobs/{job_id}/events", last=event.id) as stream:
            assert list(stream) == events[place + 1:]
        with Stream(client, f"/jobs/{job_id}/events", params={"after": event.id}) as stream:
            assert list(stream) == events[place + 1:]
    with Stream(client, f"/jobs/{job_id}/events", last=events[-2].id, params={"after": 0}) as stream:
        assert list(stream) == events[-1:], "Last-Event-ID goes before the address"
    with Stream(client, f"/jobs/{job_id}/events", last=events[-1].id) as stream:
        assert stream.response.status_code == 204, "an EventSource would come again and again"


def test_what_is_not_asked_for_as_json_is_a_stream(client, toolbox):
    job_id = client.submit(toolbox)
    client.wait(job_id)
    client.wait_indexed(job_id)
    path = f"/jobs/{job_id}/events"
    for accept, params, kind in (("*/*", {}, "text/event-stream"), ("text/event-stream, application/json", {}, "text/event-stream"),
                                 ("application/json", {}, "application/json"), ("*/*", {"wait": 1}, "application/json"), ("*/*", {"limit": 1}, "application/json"),
                                 ("text/html", {}, "application/json"), ("text/event-stream;q=0.5, application/json", {}, "application/json")):
        response = client.get(path, headers={"Accept": accept}, params=params)
        assert response.headers["Content-Type"].startswith(kind) and response.headers["Vary"] == "Accept", accept
        assert response.headers["Cache-Control"] == "no-store"
    head = client.head(path, headers={"Accept": "text/event-stream"})
    assert head.status_code == 200 and head.headers["Content-Type"] == "text/event-stream" and not head.content


def test_bad_cursors_are_refused_by_name(client, toolbox):
    job_id = client.submit(toolbox)
    for path in ("/events", f"/jobs/{job_id}/events"):
        for value in ("-1", "x", "1.5", "99999999999999999999999", ""):
            response = client.get(path, params={"after": value}, timeout=10)
            assert response.status_code == 400 and "after" in response.json()["detail"], value
            response = client.get(path, headers={"Last-Event-ID": value or "?"}, timeout=10)
            assert response.status_code == 400 and "Last-Event-ID" in response.json()["detail"], value
        assert client.get(path, params={"wait": 301}).status_code == 400
        assert client.get(path, params={"limit": 0}).status_code == 400
    assert client.get("/jobs/999999999/events", timeout=10).status_code == 404
    client.wait(job_id)


def test_pages_of_all_jobs_are_cut_and_waited_for(client, run_tool):
    after = newest(client)
    job_id = run_tool("nap.py", {"seconds": 2})
    client.wait(job_id)
    client.wait_indexed(job_id)
    mine = [event for event in pages(client, "/events", after, limit=2) if event["job_id"] == job_id]
    assert mine == list(pages(client, f"/jobs/{job_id}/events"))
    after = newest(client)
    started = time.monotonic()
    page = client.get("/events", params={"after": after, "wait": 1}).json()
    if not page["events"]:  # nothing else went on
        assert page["next_after"] == after and time.monotonic() - started > 0.8
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, "/events", params={"after": newest(client), "wait": 60})
        started = time.monotonic()
        other = type(client)(client.base, client.headers["Authorization"].split()[1], client.contract)
        other.post("/jobs", data={"dataset_sha": other.job(job_id)["meta"]["dataset_sha"], "command_key": "echo_params", "gpus": 0,
                                  "cpus": 1, "mem_gb": 1, "time_limit": "00:05:00"})
        assert waiting.result(60).json()["events"] and time.monotonic() - started < 30


def test_a_cursor_from_another_database_begins_with_what_is_new(client):
    page = client.get("/events", params={"after": 2**62}, headers={"Accept": "application/json"}).json()
    assert page["events"] == [] and page["next_after"] == newest(client)


def test_a_stream_of_all_jobs_tells_where_to_go_on_before_anything_happens(client):
    with Stream(client, "/events") as stream:
        lines = stream.lines()
        start = [next(lines) for _ in range(3)]
    assert start == ["retry: 2000", f"id: {newest(client)}", ""] or int(start[1].split()[1]) <= newest(client)


@pytest.mark.slow
def test_a_stream_without_events_has_a_heartbeat(client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 120})
    client.wait_state(job_id, {"RUNNING"})
    with Stream(client, f"/jobs/{job_id}/events", timeout=40) as stream:
        lines = stream.lines()
        end = time.monotonic() + 40
        while not (line := next(lines)).startswith(":"):
            assert time.monotonic() < end, line
    client.post(f"/jobs/{job_id}/cancel")


def test_streams_go_on_over_a_restart_and_miss_nothing(site, server, client, toolbox, run_tool):
    """One reader of all jobs and one of a single job, while jobs run and the server is killed and stopped."""
    start = newest(client)
    long_one = run_tool("nap.py", {"seconds": 12})
    seen = {"/events": [], f"/jobs/{long_one}/events": []}
    over = threading.Event()

    def read(path, last):
        with site.client() as mine:
            while True:
                try:
                    with Stream(mine, path, last=last, timeout=20) as stream:
                        if stream.response.status_code == 204:
                            return
                        for event in stream:
                            last = event.id
                            seen[path].append(event)
                except Cut:
                    pass
                if over.is_set():
                    return
                time.sleep(0.2)
    readers = [threading.Thread(target=read, args=(path, start if path == "/events" else 0), daemon=True) for path in seen]
    for reader in readers:
        reader.start()
    jobs = [long_one]
    for end in (server.kill, server.stop):
        with site.client() as other:
            jobs += [other.submit(toolbox) for _ in range(5)]
        end()
        time.sleep(0.3)
        server.start()
    with site.client() as again:
        for job_id in jobs:
            again.wait(job_id)
            again.wait_indexed(job_id)
        everything = list(pages(again, "/events", start))
        site.wait_until(lambda: len(seen["/events"]) >= len(everything), 30, "the reader has all")
        readers[1].join(30)
        assert not readers[1].is_alive(), "the stream of a job that is over does not end"
        over.set()
        assert [event.data for event in seen["/events"]] == everything
        assert len({event.id for event in seen["/events"]}) == len(everything)
        assert [event.data for event in seen[f"/jobs/{long_one}/events"]] == list(pages(again, f"/jobs/{long_one}/events"))


@pytest.mark.slow  # measures memory, of which a sanitizer takes its own
def test_a_reader_that_does_not_read_holds_nobody_back(site, server, client, toolbox):
    """It gets a long history and takes none of it; others get theirs meanwhile."""
    with sqlite3.connect(site.root / "jr_slurm.db", timeout=30) as rows:
        rows.executemany("INSERT INTO events(job_id, seq, type, state, done, reason, at) VALUES(?,?,'change','RUNNING',0,?,1)",
                         [(2**40, seq, "x" * 1000) for seq in range(30_000)])
    before = memory(server)
    request = f"GET /events?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\nAccept: text/event-stream\r\n\r\n".encode()
    lazy = []
    for _ in range(20):
        one = socket.create_connection(("127.0.0.1", server.port))
        one.sendall(request)
        lazy.append(one)
    after = newest(client)
    job_id = client.submit(toolbox)
    with Stream(client, "/events", last=after, timeout=30) as stream:
        assert any(event.data["job_id"] == job_id and event.type == "indexed" for event in stream)
    assert memory(server) - before < 30 << 20, "600 MB of events went somewhere"
    for one in lazy:
        one.close()
    with sqlite3.connect(site.root / "jr_slurm.db", timeout=30) as rows:
        rows.execute("DELETE FROM events WHERE job_id = ?", (2**40,))


def memory(server):
    with open(f"/proc/{server.pid}/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("RssAnon"))) * 1024
