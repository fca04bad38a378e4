"""Every event of a job reaches its webhook_url, signed, in order and at least once, whatever the receiver or the server do."""
import json
import pathlib
import socket
import stat
import threading
import time

import pytest
import requests
from harness.hooks import Place, Receiver

OTHER_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def place(site):
    made = Place(site, "hooks")
    yield made
    made.server.stop()


@pytest.fixture
def receivers(place):
    made = []

    def make(answer=None):
        one = Receiver()
        one.secret, one.answer = place.secret, answer
        made.append(one)
        return one
    if not place.server.alive():
        place.server.start()
    yield make
    for one in made:
        one.stop()
        assert one.wrong == []


def test_every_event_comes_in_order_and_signed(place, receivers):
    receiver = receivers()
    job_id = place.submit(receiver.url, seconds=1)
    events = place.wait(job_id)
    assert receiver.events(job_id) == events and len(events) >= 4
    assert receiver.seqs(job_id) == [event["seq"] for event in events]
    assert len({message.id for message in receiver.seen}) == len(events)
    assert place.webhook(job_id) == {"state": "delivered", "delivered_seq": events[-1]["seq"], "tries": 0, "next_try_at": None, "error": None}
    assert events[-1]["type"] == "indexed"
    first = receiver.seen[0]
    assert first.id == f"{place.client().job(job_id)['meta']['uuid']}-1"


def test_a_job_without_one_has_none(place):
    client = place.client()
    job_id = client.submit(place.tools)
    assert client.job(job_id)["webhook"] is None and client.job(job_id)["meta"]["webhook_url"] == ""
    client.wait(job_id)


def test_tasks_clones_and_requeued_jobs_keep_it_and_a_clone_can_drop_it(place, receivers):
    receiver, client = receivers(), place.client()
    made = client.post("/jobs", data={"dataset_sha": place.tools, "command_key": "echo_params", "gpus": 0, "cpus": 1, "mem_gb": 1,
                                      "time_limit": "00:05:00", "array": "0-2", "webhook_url": receiver.url}).json()
    jobs = [task["job_id"] for task in made["array"]["tasks"]]
    for job_id in jobs:
        place.wait(job_id)
    jobs.append(client.post(f"/jobs/{jobs[0]}/requeue").json()["job_id"])
    jobs.append(client.post(f"/jobs/{jobs[0]}/clone", data={"name": "again"}).json()["job_id"])
    for job_id in jobs:
        events = place.wait(job_id)
        assert receiver.events(job_id) == events, job_id
    without = client.post(f"/jobs/{jobs[0]}/clone", data={"webhook_url": ""}).json()["job_id"]
    client.wait(without)
    assert client.job(without)["webhook"] is None and receiver.tries(without) == []


def test_what_is_not_taken_comes_again_before_anything_else(place, receivers):
    failures = iter([500, 404, 503])
    receiver = receivers(lambda message: next(failures, None) if message.seq == 1 else None)
    job_id = place.submit(receiver.url)
    events = place.wait(job_id)
    tries = receiver.tries(job_id)
    assert [message.seq for message in tries] == [1, 1, 1] + [event["seq"] for event in events]
    assert len({message.id for message in tries[:4]}) == 1
    pauses = [second.at - first.at for first, second in zip(tries[:3], tries[1:4])]
    assert all(low <= pause < low * 2 + 1.5 for low, pause in zip((0.45, 0.95, 1.95), pauses)), pauses
    assert receiver.events(job_id) == events


def test_how_it_stands_is_shown_while_it_fails(place, receivers):
    receiver = receivers(lambda message: 500)
    job_id = place.submit(receiver.url + "?key=s3cret")
    place.site.wait_until(lambda: place.webhook(job_id)["tries"] >= 2, 20, "two tries")
    shown = place.webhook(job_id)
    assert shown["state"] == "pending" and shown["error"] == "the receiver answers 500" and shown["next_try_at"] and shown["delivered_seq"] == 0
    job = place.client().job(job_id)
    assert job["meta"]["webhook_url"] == receiver.url + "?***"
    assert json.dumps(job).count('"status"') == 1
    receiver.answer = None
    place.wait(job_id)
    assert receiver.seen[-1].path == "/hook?key=s3cret"
    assert "s3cret" not in place.server.log() and place.secret not in place.server.log()


def test_a_pause_that_a_receiver_asks_for_is_kept(place, receivers):
    receiver = receivers(lambda message: (429, {"Retry-After": "4"}) if len(receiver.seen) == 1 else None)
    job_id = place.submit(receiver.url)
    place.wait(job_id)
    first, second = receiver.tries(job_id)[:2]
    assert first.id == second.id and 3.8 < second.at - first.at < 8


def test_a_410_ends_it_for_good(place, receivers):
    receiver = receivers(lambda message: 410 if message.seq == 2 else None)
    job_id = place.submit(receiver.url, seconds=1)
    events = place.wait(job_id, "stopped")
    assert len(events) > 2 and receiver.seqs(job_id) == [1]
    time.sleep(2)
    assert [message.seq for message in receiver.tries(job_id)] == [1, 2]
    assert "410" in place.webhook(job_id)["error"]


def test_a_redirect_is_not_followed(place, receivers):
    elsewhere = receivers()
    receiver = receivers(lambda message: (307, {"Location": elsewhere.url}) if len(receiver.seen) < 3 else None)
    job_id = place.submit(receiver.url)
    place.wait(job_id)
    assert elsewhere.seen == [] and len(receiver.tries(job_id)) > 3


def test_receivers_that_hang_or_are_gone_hold_back_nobody_else(place, receivers):
    """Five that never answer, with more jobs than there are senders, and one that is not even there."""
    release = threading.Event()
    hung = [receivers(lambda message: release.wait(30) and None) for _ in range(5)]
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))
    stuck = [place.submit(one.url, hold="1") for one in hung for _ in range(2)]
    stuck += [place.submit(f"http://127.0.0.1:{nobody.getsockname()[1]}/", hold="1") for _ in range(3)]
    place.site.wait_until(lambda: sum(place.webhook(job_id)["tries"] for job_id in stuck[:10]) >= 5, 60, "they have been found out")
    receiver = receivers()
    started = time.monotonic()
    job_id = place.submit(receiver.url)
    events = place.wait(job_id)
    late = max(message.at - _seconds(message.data["at"]) for message in receiver.tries(job_id))
    assert receiver.events(job_id) == events
    assert late < 3, f"an event came {late:.1f} s late; the whole took {time.monotonic() - started:.1f} s"
    for job_id in stuck:
        place.client().post(f"/jobs/{job_id}/cancel")
        place.client().wait(job_id, state=None)
    release.set()
    for job_id in stuck[:10]:
        place.wait(job_id)
    nobody.close()


def _seconds(text):
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float("0" + text[19:-1])


@pytest.mark.parametrize("url", [
    "https://127.0.0.2/", "https://localhost/", "https://10.0.0.1/", "https://192.168.1.1:8443/x", "https://169.254.169.254/latest/", "https://[::1]/",
    "https://[::ffff:127.0.0.2]/", "https://2130706434/", "https://0x7f.2/", "http://127.0.0.2/", "http://example.org/", "ftp://127.0.0.1/", "x", "https://",
    "https://user:pa55word@example.org/", "http://user@127.0.0.1/"])
def test_what_is_no_receiver_is_refused_at_the_submit(place, url):
    client = place.client()
    response = client.post("/jobs", data={"dataset_sha": place.tools, "command_key": "echo_params", "webhook_url": url, "dry_run": "1"})
    assert response.status_code == 400 and "webhook_url" in response.json()["detail"] and "pa55word" not in response.text
    response = client.post("/jobs", data={"dataset_sha": place.tools, "command_key": "echo_params", "webhook_url": url})
    assert response.status_code == 400 and "webhook_url" in response.json()["detail"], response.text
    assert "pa55word" not in place.server.log()


def test_a_name_of_a_private_address_is_not_connected_to(place):
    """This machine's own name: what it resolves to is known only when the message is sent."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        pytest.skip(f"nothing resolves {name} here")
    listener = socket.create_server(("0.0.0.0", 0))
    listener.setblocking(False)
    job_id = place.submit(f"https://{name}:{listener.getsockname()[1]}/")
    place.site.wait_until(lambda: place.webhook(job_id)["tries"] >= 1, 20, "a try")
    assert "no public address" in place.webhook(job_id)["error"]
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()
    place.client().wait(job_id)


def test_a_deleted_job_sends_nothing_more(place, receivers):
    receiver = receivers(lambda message: 500)
    job_id = place.submit(receiver.url)
    client = place.client()
    client.wait(job_id)
    client.wait_indexed(job_id)
    assert client.delete(f"/jobs/{job_id}").status_code == 200
    time.sleep(0.5)  # a try may be under way
    tries = len(receiver.tries(job_id))
    receiver.answer = None
    time.sleep(5)
    assert len(receiver.tries(job_id)) == tries and receiver.seqs(job_id) == []


def test_the_secret_is_the_server_s_alone(place, receivers, site):
    root = pathlib.Path(place.server.environment["JR_ROOT"])
    assert (root / "webhook_secret").read_text() == place.secret + "\n"
    about = (root / "webhook_secret").stat()
    assert stat.S_IMODE(about.st_mode) == 0o600 and about.st_uid == (root / "jr_slurm.db").stat().st_uid
    with site.client(place.server, token="") as anonymous:
        assert anonymous.get("/webhooks/secret").status_code == 401
    assert place.client().get("/webhooks/secret").headers["Cache-Control"] == "no-store"
    place.server.restart()
    assert place.client().get("/webhooks/secret").json()["secret"] == place.secret


def test_a_server_that_dies_loses_nothing_and_keeps_the_order(place, receivers):
    """Killed while it waits for an answer and right after one, and stopped, again and again, while jobs run."""
    receiver, kills = receivers(), []

    def die(message):
        if len(kills) < 6 and message.seq % 2 == len(kills) % 2 and message.id not in kills:
            kills.append(message.id)
            if len(kills) % 3 == 0:
                threading.Thread(target=place.server.kill).start()  # the answer may come first
            else:
                place.server.kill()  # so that nobody hears the answer
        return None
    jobs = [place.submit(receiver.url, seconds=n % 4) for n in range(8)]
    receiver.answer = die
    end = time.monotonic() + 120
    while len(kills) < 6 and time.monotonic() < end:
        if not place.server.alive():
            try:
                place.server.start()
                jobs.append(place.submit(receiver.url))
            except (AssertionError, requests.RequestException):
                assert place.server.process.wait(10) == -9, place.server.log()[-3000:]  # killed meanwhile
        time.sleep(0.05)
    receiver.answer = None
    time.sleep(0.5)
    if not place.server.alive():
        place.server.start()
    assert len(kills) >= 3
    for job_id in jobs:
        events = place.wait(job_id)
        assert receiver.events(job_id) == events, job_id
        seqs = receiver.seqs(job_id)
        assert sorted(seqs) == seqs, f"out of order: {seqs}"


def test_it_gives_up_when_the_time_is_up(site):
    place = Place(site, "giveup", JR_WEBHOOK_GIVE_UP_S="3", JR_WEBHOOK_SECRET=f"{OTHER_SECRET} whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    receiver = Receiver()
    try:
        assert place.secret == OTHER_SECRET
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            job_id = place.submit(f"http://127.0.0.1:{nobody.getsockname()[1]}/")
            place.wait(job_id, "failed", 30)
            shown = place.webhook(job_id)
            assert shown["tries"] >= 3 and shown["delivered_seq"] == 0 and shown["error"]
        receiver.secret = OTHER_SECRET
        job_id = place.submit(receiver.url)
        events = place.wait(job_id)
        assert receiver.events(job_id) == events
        assert all(len(message.signatures) == 2 for message in receiver.seen) and receiver.wrong == []
    finally:
        receiver.stop()
        place.server.stop()
