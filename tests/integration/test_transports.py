"""Four ways to hear of a job's changes are one sequence: a client may go from any to any other at any point, and misses and repeats nothing."""
import random
import threading
import time

import pytest
import requests
from harness.hooks import Place, Receiver
from harness.sanitizers import patient
from harness.streams import Cut, Stream

JOBS, FOLLOWERS = 6, 3  # of each job


@pytest.fixture(scope="module")
def place(site):
    made = Place(site, "transports", JR_WEBHOOK_SENDERS="8")
    yield made
    made.server.stop()


class Follower(threading.Thread):
    """Follows one job to its end, each step by another way; `seen` are the events in the order it saw them."""

    def __init__(self, place, receiver, job_id, seed):
        super().__init__(daemon=True)
        self.client, self.receiver, self.job_id = place.client(), receiver, job_id
        self.random, self.seen, self.ways, self.over, self.failed = random.Random(seed), [], [], False, None

    @property
    def last(self):
        return self.seen[-1]["seq"] if self.seen else 0

    def run(self):
        try:
            end = time.monotonic() + patient(120)
            while not self.over:
                assert time.monotonic() < end, f"the job has no end after {self.last}"
                way = self.random.choice([self.page, self.waiting_page, self.stream, self.long_poll, self.webhook])
                self.ways.append(way.__name__)
                way()
        except BaseException as error:
            self.failed = error

    def take_page(self, **params):
        page = self.client.get(f"/jobs/{self.job_id}/events", params={"after": self.last, **params}, headers={"Accept": "application/json"}).json()
        self.seen += page["events"]
        self.over = page["over"] and page["next_after"] == self.last

    def page(self):
        self.take_page(limit=self.random.randint(1, 3))

    def waiting_page(self):
        self.take_page(limit=self.random.randint(1, 100), wait=1)

    def stream(self):
        """Cut after some events, or when nothing comes for a while."""
        wanted = self.random.randint(1, 4)
        try:
            with Stream(self.client, f"/jobs/{self.job_id}/events", last=self.last, timeout=2) as stream:
                if stream.response.status_code == 204:
                    self.over = True
                    return
                for event in stream:
                    assert event.id == event.data["seq"]
                    self.seen.append(event.data)
                    wanted -= 1
                    if wanted == 0:
                        return
        except Cut:
            self.client.close()

    def long_poll(self):
        """It tells of the newest change alone; what was before it is in the page behind the last one seen."""
        answer = self.client.get(f"/jobs/{self.job_id}", params={"wait": 1}, headers={"If-None-Match": f'"{self.last}"'})
        if answer.status_code == 304:
            return
        job = answer.json()
        assert answer.headers["ETag"] == f'"{job["seq"]}"' and job["seq"] > self.last
        while self.last < job["seq"]:
            self.take_page(limit=1)
        assert (self.seen[-1]["seq"], self.seen[-1]["status"], self.seen[-1]["done"]) == (job["seq"], job["status"], job["done"])

    def webhook(self):
        """What has come to the receiver, behind the last one seen; it may be behind the others."""
        time.sleep(self.random.random() / 2)
        for event in self.receiver.events(self.job_id):
            if event["seq"] > self.last:
                self.seen.append(event)


def test_a_client_that_changes_the_way_misses_and_repeats_nothing_under_load(place):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    flaky = random.Random(seed + 1)
    receiver = Receiver()
    receiver.secret, receiver.answer = place.secret, lambda message: 500 if flaky.random() < 0.1 else None
    over, errors = threading.Event(), []

    def load(work):
        def run():
            client = place.client()
            while not over.is_set():
                try:
                    work(client)
                except (AssertionError, requests.RequestException) as error:
                    errors.append(error)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def submit(client):
        job_id = client.submit(place.tools, hold="1")
        client.post(f"/jobs/{job_id}/cancel")
        time.sleep(0.2)

    def poll(client):
        client.get("/jobs", params={"limit": 20})
        client.get("/events", params={"after": 0, "limit": 50}, headers={"Accept": "application/json"})
        client.get("/health")
        time.sleep(0.05)

    def live(job_id, rng):
        """Something happens to the job every now and then."""
        client = place.client()
        for step in range(rng.randint(2, 6)):
            time.sleep(rng.random())
            client.post(f"/jobs/{job_id}/{'hold' if step % 2 else 'release'}")  # a 409 once it runs
        client.post(f"/jobs/{job_id}/release")
    loads = [load(submit), load(submit), load(poll), load(poll)]
    jobs = [place.submit(receiver.url, seconds=chance.randint(0, 3), hold="1") for _ in range(JOBS)]
    lives = [threading.Thread(target=live, args=(job_id, random.Random(seed + job_id)), daemon=True) for job_id in jobs]
    followers = [Follower(place, receiver, job_id, seed + 1000 * number + job_id) for job_id in jobs for number in range(FOLLOWERS)]
    try:
        for thread in lives + followers:
            thread.start()
        for thread in lives + followers:
            thread.join(patient(150))
            assert not thread.is_alive(), f"seed {seed}"
        for job_id in jobs:
            place.wait(job_id)
    finally:
        over.set()
        for thread in loads:
            thread.join(30)
        receiver.stop()
    assert errors == [], f"seed {seed}"
    for follower in followers:
        assert follower.failed is None, (seed, follower.job_id, follower.ways, follower.failed)
        events = place.events(follower.job_id)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), f"seed {seed}"
        assert follower.seen == events, (seed, follower.job_id, follower.ways)
    for job_id in jobs:
        assert receiver.events(job_id) == place.events(job_id), f"seed {seed}"
    assert receiver.wrong == []
    changes = sum(len(set(follower.ways)) > 1 for follower in followers)
    assert changes == len(followers) and sum(len(place.events(job_id)) for job_id in jobs) >= 5 * JOBS
    assert {way for follower in followers for way in follower.ways} == {"page", "waiting_page", "stream", "long_poll", "webhook"}
