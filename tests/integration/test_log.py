"""A job's log by byte offsets: in part, its end, and followed while it grows, with nothing lost or sent twice."""
import base64
import itertools
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
from harness.streams import Cut, Stream


class Talk:
    """A running job that prints what it is told to."""

    def __init__(self, site, client, run_tool):
        self.site, self.client, self.job_id = site, client, run_tool("talk.py")
        about = client.wait_state(self.job_id, {"RUNNING"})["meta"]
        self.folder, self.log = site.top / about["result_dir"], site.root / about["log_path"]
        self.path, self.over = f"/jobs/{self.job_id}/log", False
        self.site.wait_until(lambda: b"JOB_START" in self.bytes(), 20, "the job says that it starts")

    def bytes(self):
        return self.log.read_bytes() if self.log.exists() else b""

    def say(self, text):
        """Returns when it is in the log."""
        before, new = len(self.bytes()), self.folder / "new"
        new.write_bytes(text)
        new.rename(self.folder / "say")
        self.site.wait_until(lambda: len(self.bytes()) >= before + len(text), 20, "the job prints")

    def end(self):
        if not self.over:
            self.over = True
            (self.folder / "end").touch()
            self.client.wait(self.job_id)
        return self.bytes()


@pytest.fixture
def talk(site, client, run_tool):
    made = Talk(site, client, run_tool)
    yield made
    with site.client() as again:
        again.post(f"/jobs/{made.job_id}/cancel")


class Follower(threading.Thread):
    """Reads a log as plain text until it ends; where it is cut, goes on with `offset`."""

    def __init__(self, site, path, **params):
        super().__init__(daemon=True)
        self.site, self.path, self.params = site, path, params
        self.got, self.first, self.cuts, self.statuses, self.stop = b"", None, 0, [], False
        self.start()

    def run(self):
        params = {"follow": 1, **self.params}
        while not self.stop:
            try:
                with self.site.client() as client, client.get(self.path, params=params, stream=True, timeout=30) as response:
                    self.statuses.append(response.status_code)
                    if response.status_code == 200:
                        if self.first is None:
                            self.first = int(response.headers["Log-Offset"])
                        for chunk in response.raw.stream(65536):
                            self.got += chunk
                        return
            except Cut:
                self.cuts += 1
            if self.first is not None:
                params = {"follow": 1, "offset": self.first + len(self.got)}
            time.sleep(0.1)

    def result(self):
        self.join(60)
        assert not self.is_alive(), f"the log does not end: {self.statuses}"
        return self.got


def piece(event):
    """The bytes that an event of a log stands for."""
    if event.type == "message":
        return event.data.encode()
    if event.type == "bytes":
        return base64.b64decode(event.data)
    if event.type == "hole":
        return bytes(event.data["to"] - event.data["from"])
    assert event.type == "end", event
    return b""


def test_a_log_is_followed_from_before_the_job_starts_to_its_end(site, client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 2})
    follower = Follower(site, f"/jobs/{job_id}/log")
    client.wait(job_id)
    assert follower.result() == client.get(f"/jobs/{job_id}/log").content
    assert follower.got.startswith(b"JOB_START") and re.search(rb"JOB_END \S+\n$", follower.got) and b"napping" in follower.got


def test_what_a_job_prints_is_there_while_it_runs(site, talk):
    follower = Follower(site, talk.path)
    for text in (b"first\n", b"half a li", b"ne\n", b"caf\xc3", b"\xa9\n"):
        talk.say(text)
        site.wait_until(lambda: follower.got.endswith(text), 20, f"{text} is there")
    everything = talk.end()
    assert follower.result() == everything


def test_following_begins_where_it_is_asked_to(site, client, talk):
    talk.say(b"one\ntwo\nthree\n")
    so_far = talk.bytes()
    followers = {Follower(site, talk.path, tail=2): so_far.index(b"two"), Follower(site, talk.path, tail=0): len(so_far),
                 Follower(site, talk.path, offset=5): 5, Follower(site, talk.path, offset=len(so_far)): len(so_far), Follower(site, talk.path, tail=100000): 0}
    site.wait_until(lambda: all(one.first is not None for one in followers), 20, "all follow")
    talk.say(b"four\n")
    everything = talk.end()
    for one, first in followers.items():
        assert one.first == first and one.result() == everything[first:]
    assert client.get(talk.path, params={"follow": 1, "offset": len(everything) + 1}).status_code == 416


def test_a_range_may_be_followed(site, client, talk):
    talk.say(b"one\ntwo\n")
    with client.get(talk.path, params={"follow": 1}, headers={"Range": "bytes=4-"}, stream=True) as open_end, \
            client.get(talk.path, params={"follow": 1}, headers={"Range": "bytes=4-9"}, stream=True) as closed:
        assert open_end.status_code == closed.status_code == 206
        assert open_end.headers["Content-Range"] == "bytes 4-9007199254740991/*" and closed.headers["Content-Range"] == "bytes 4-9/*"
        assert closed.raw.read(100) == talk.bytes()[4:10], "it ends with the range, not with the job"
        everything = talk.end()
        assert open_end.content == everything[4:]
    assert client.get(talk.path, params={"follow": 1}, headers={"Range": f"bytes={len(everything) + 1}-"}).status_code == 416


def test_the_end_of_a_log_is_its_last_lines(client, talk):
    talk.say("".join(f"line {number}\n" for number in range(5000)).encode() + b"the last one, not finished")
    lines = talk.end().splitlines(keepends=True)
    assert lines[-1].startswith(b"JOB_END") and lines[-2] == b"the last one, not finished\n"
    size = sum(map(len, lines))
    for count in (0, 1, 2, 17, 4999, len(lines), len(lines) + 1, 100_000):
        response = client.get(talk.path, params={"tail": count})
        assert response.content == b"".join(lines[len(lines) - min(count, len(lines)):]), count
        assert int(response.headers["Log-Offset"]) == size - len(response.content) and int(response.headers["Log-Next-Offset"]) == size
    for params in ({"tail": -1}, {"tail": 100_001}, {"tail": "x"}, {"offset": -1}, {"offset": "1e3"}, {"tail": 1, "offset": 1}, {"follow": "maybe"}, {"tial": 1}):
        response = client.get(talk.path, params=params)
        assert response.status_code == 400 and next(iter(params)) in response.json()["detail"], params
    assert client.get(talk.path, params={"offset": size - 3}).content == b"".join(lines)[-3:]
    assert client.get(talk.path, params={"offset": size}).content == b""
    beyond = client.get(talk.path, params={"offset": size + 1})
    assert beyond.status_code == 416 and beyond.headers["Content-Range"] == f"bytes */{size}"


def test_a_download_goes_on_while_the_log_grows(client, talk):
    talk.say(b"x" * 1000 + b"\n")
    first = client.get(talk.path)
    size = len(first.content)
    again = {"If-Range": first.headers["ETag"], "Range": f"bytes={size}-"}
    nothing_yet = client.get(talk.path, headers=again)
    assert nothing_yet.status_code == 416 and nothing_yet.headers["Content-Range"] == f"bytes */{size}"
    assert client.get(talk.path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    talk.say(b"more\n")
    rest = client.get(talk.path, headers=again)
    assert rest.status_code == 206 and rest.content == b"more\n", "what was there is still there"
    assert rest.headers["Content-Range"] == f"bytes {size}-{size + 4}/{size + 5}" and rest.headers["ETag"] != first.headers["ETag"]
    assert client.get(talk.path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
    os.truncate(talk.log, 10)
    with open(talk.log, "ab") as log:
        log.write(b"y" * 2000)
    assert client.get(talk.path, headers=again).status_code == 200, "another log is not gone on with"


def test_curl_completes_a_log_that_grows(site, client, talk, tmp_path):
    copy = tmp_path / "log"
    for number in range(5):
        talk.say(f"part {number}\n".encode() * 2000)
        done = subprocess.run(["curl", "-sS", "--fail", "-C", "-", "-o", str(copy), "-H", f"Authorization: Bearer {site.token}", client.base + talk.path],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        assert done.returncode == 0, done.stdout
        assert copy.read_bytes() == talk.bytes()


def test_as_events_a_log_comes_byte_for_byte_from_any_offset(site, client, talk):
    dice = random.Random(11)
    evil = b"".join(dice.choice([b"a", b"\n", b"\0", b"\xc3\xa9", b"\xc3", b"\xf0\x9f\x98\x80", b"\xf0\x9f", b"\xff", b"\r\n", b'"', b"data: x\n\n", b"\xe2\x80\xa8"]) for _ in range(400))
    talk.say(evil)
    everything = talk.end()
    assert evil in everything
    with Stream(client, talk.path) as stream:
        events = list(stream)
    assert b"".join(map(piece, events)) == everything and events[-1].type == "end" and events[-1].data == {"job_id": talk.job_id, "status": "COMPLETED"}
    assert {"message", "bytes"} < {event.type for event in events}
    offset = 0
    for event in events:
        offset += len(piece(event))
        assert event.id == offset
    places = [dice.randrange(len(everything)) for _ in range(60)] + [0, len(everything) - 1]
    for place in places:  # in the middle of lines and of characters
        with Stream(client, talk.path, last=place) as stream:
            assert b"".join(map(piece, stream)) == everything[place:], place
    with Stream(client, talk.path, last=len(everything)) as stream:
        assert stream.response.status_code == 204, "an EventSource would come again and again"
    with Stream(client, talk.path, last=len(everything) + 1) as stream:
        assert stream.response.status_code == 416
    with Stream(client, talk.path, params={"tail": 1}) as stream:
        assert re.fullmatch(rb"JOB_END \S+\n", b"".join(map(piece, stream)))


def test_as_events_a_character_that_comes_in_two_parts_is_whole(site, client, talk):
    seen = []

    def read():
        with Stream(client, talk.path, params={"tail": 0}) as stream:
            seen.extend(stream)
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    talk.say(b"caf\xc3")
    site.wait_until(lambda: seen, 20, "the first part is there")
    talk.say(b"\xa9\n")
    talk.end()
    reader.join(30)
    assert "".join(event.data for event in seen if event.type == "message").startswith("caf\u00e9\n") and "bytes" not in {event.type for event in seen}


def test_followers_go_on_over_restarts_and_lose_nothing(site, server, client, run_tool):
    talk = Talk(site, client, run_tool)
    seen, last = [], None

    def read_events():
        nonlocal last
        while True:
            try:
                with site.client() as mine, Stream(mine, talk.path, last=last, timeout=20) as stream:
                    for event in stream:
                        seen.append(piece(event))
                        last = event.id
                        if event.type == "end":
                            return
            except Cut:
                pass
            time.sleep(0.1)
    reader = threading.Thread(target=read_events, daemon=True)
    reader.start()
    plain = Follower(site, talk.path)
    dice = random.Random(5)
    for end in (server.kill, server.stop, server.kill):
        talk.say(dice.randbytes(50_000))
        time.sleep(0.3)
        end()
        talk.say(b"while nobody listens\n")
        server.start()
    with site.client() as again:
        talk.client = again
        everything = talk.end()
    reader.join(60)
    assert not reader.is_alive() and b"".join(seen) == everything
    assert plain.result() == everything and plain.cuts >= 3


def test_a_hundred_followers_take_one_descriptor_and_leave_none(site, server, client, talk):
    followers = [Follower(site, talk.path, tail=0) for _ in range(100)]
    site.wait_until(lambda: all(one.first is not None for one in followers), 30, "all follow")
    talk.say(b"something\n")
    site.wait_until(lambda: all(one.got for one in followers), 30, "all have it")
    assert descriptors_of(server, talk.log) == 1
    threads = len(os.listdir(f"/proc/{server.pid}/task"))
    assert threads < 100
    talk.end()
    assert all(one.result().endswith(b"\n") for one in followers)
    site.wait_until(lambda: descriptors_of(server, talk.log) == 0, 20, "the log is closed")


def descriptors_of(server, path):
    folder, count = f"/proc/{server.pid}/fd", 0
    for name in os.listdir(folder):
        try:
            count += os.readlink(f"{folder}/{name}") == str(path)
        except OSError:
            pass
    return count


@pytest.mark.slow  # measures memory, of which a sanitizer takes its own
def test_a_reader_that_does_not_read_costs_no_memory_and_holds_nobody_back(site, server, client, talk):
    for _ in range(20):
        talk.say(os.urandom(5_000_000))
    before, lazy = memory(server), []
    for accept in itertools.islice(itertools.cycle(("text/plain", "text/event-stream")), 20):
        one = socket.create_connection(("127.0.0.1", server.port))
        one.sendall(f"GET {talk.path}?follow=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\nAccept: {accept}\r\n\r\n".encode())
        lazy.append(one)
    quick = Follower(site, talk.path, tail=0)
    site.wait_until(lambda: quick.first is not None, 20, "another one follows")
    talk.say(b"for those who listen\n")
    site.wait_until(lambda: quick.got.endswith(b"listen\n"), 20, "it hears")
    assert memory(server) - before < 40 << 20, "2 GB of logs went somewhere"
    for one in lazy:
        one.close()


def memory(server):
    with open(f"/proc/{server.pid}/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("RssAnon"))) * 1024


REPLACED = {
    "a link": lambda path, site: path.symlink_to(site.root / "jr_slurm.db"),
    "a link to a device": lambda path, site: path.symlink_to("/dev/zero"),
    "a FIFO": lambda path, site: os.mkfifo(path),
    "a folder": lambda path, site: path.mkdir(),
    "a device": lambda path, site: os.mknod(path, 0o020666, os.makedev(1, 5)),
    "a socket": lambda path, site: socket.socket(socket.AF_UNIX).bind(str(path)),
    "nothing": lambda path, site: None,
}


@pytest.mark.parametrize("what", REPLACED)
def test_a_log_that_was_replaced_harms_nobody(site, client, talk, what):
    """By the job itself, say; whoever follows already keeps what was opened."""
    if what == "a device" and os.geteuid() != 0:
        pytest.skip("only root makes devices")
    follower = Follower(site, talk.path)
    site.wait_until(lambda: b"JOB_START" in follower.got, 20, "somebody follows")
    kept = talk.log.with_name(talk.log.name + ".kept")
    talk.log.rename(kept)
    REPLACED[what](talk.log, site)
    try:
        talk.log, replaced = kept, talk.log
        for params in ({}, {"tail": 5}, {"offset": 0}):
            started = time.monotonic()
            response = client.get(talk.path, params=params, timeout=10)
            assert time.monotonic() - started < 5
            assert response.status_code in (200, 404) and b"SQLite" not in response.content and not response.content.strip(b"\0") or response.status_code == 404
            assert response.status_code == 404 or response.content == b"", "the job still runs: its log is not there yet"
        with client.get(talk.path, params={"follow": 1}, stream=True, timeout=10) as response:
            talk.say(b"said to the old one\n")
            talk.end()
            assert response.content == b"", "follows what is no log"
        assert client.get(talk.path, timeout=10).status_code == 404
        assert follower.result() == talk.bytes()
    finally:
        for left in (replaced, kept):
            left.rmdir() if left.is_dir() and not left.is_symlink() else left.unlink(missing_ok=True)


def test_a_hole_of_a_terabyte_is_not_read(site, server, client, talk):
    size = 1 << 40
    os.truncate(talk.log, size)
    started, before = time.monotonic(), memory(server)
    with client.get(talk.path, params={"tail": 10}, stream=True, timeout=30) as response:
        assert int(response.headers["Content-Length"]) == 64 << 20 and int(response.headers["Log-Offset"]) == size - (64 << 20)
    with Stream(client, talk.path) as stream:
        events = iter(stream)
        kinds = [next(events)]
        while kinds[-1].type != "hole":
            kinds.append(next(events))
        assert kinds[-1].id == kinds[-1].data["to"] == size and kinds[-1].data["from"] > 0
    with client.get(talk.path, params={"follow": 1, "offset": size - 5}, stream=True) as response:
        assert response.raw.read(5) == bytes(5)
    assert client.get(talk.path, headers={"Range": f"bytes={size - 3}-"}).content == bytes(3)
    assert time.monotonic() - started < 30 and memory(server) - before < 20 << 20
    os.truncate(talk.log, 0)


def test_a_log_that_becomes_shorter_ends_with_a_cut(site, client, talk):
    talk.say(b"x" * 5000)
    with client.get(talk.path, params={"follow": 1}, stream=True, timeout=30) as plain, Stream(client, talk.path) as events:
        pieces, following = plain.raw.stream(65536), iter(events)
        assert next(pieces) and next(following)
        os.truncate(talk.log, 3)
        with pytest.raises(Cut):
            list(pieces)
        with pytest.raises(Cut):
            list(following)
    assert client.get(talk.path).content == talk.bytes()


@pytest.mark.slow
def test_a_killed_job_s_log_ends_although_it_never_said_so(site, client, talk):
    follower = Follower(site, talk.path)
    site.wait_until(lambda: follower.first is not None, 20, "somebody follows")
    uuid, killed = client.job(talk.job_id)["meta"]["uuid"].encode(), []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as line:
                if b"jobrunner-job\0" in (text := line.read()) and uuid in text:
                    os.kill(int(name), signal.SIGKILL)
                    killed.append(name)
        except OSError:
            pass
    assert len(killed) == 1
    client.wait(talk.job_id, state=None)
    assert b"JOB_END" not in follower.result()
