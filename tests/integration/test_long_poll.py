"""GET /jobs/{id}?wait=S answers when there is something to tell, and not before."""
import concurrent.futures
import time

import pytest


def test_it_answers_when_the_job_ends(client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 2})
    started = time.monotonic()
    job = client.job(job_id, wait=60)
    assert job["done"] and job["status"] == "COMPLETED"
    assert 1.5 < time.monotonic() - started < 20


def test_it_answers_soon_after_the_end(client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 1.5})
    client.job(job_id, wait=60)
    answered = time.time()
    record = client.job(job_id)["ended_at"]
    ended = time.mktime(time.strptime(record[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert answered - ended < 4


def test_it_answers_at_the_latest_when_asked_to(client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 30})
    client.wait_state(job_id, {"RUNNING"})
    started = time.monotonic()
    job = client.job(job_id, wait=2)
    assert not job["done"] and 1.8 < time.monotonic() - started < 4
    started = time.monotonic()
    assert client.get(f"/jobs/{job_id}", headers={"Prefer": "wait=2"}).json()["status"] == "RUNNING"
    assert 1.8 < time.monotonic() - started < 4
    client.post(f"/jobs/{job_id}/cancel")


def test_a_job_that_is_done_answers_at_once(client, toolbox):
    job_id = client.submit(toolbox)
    client.wait(job_id)
    for params in ({"wait": 60}, {"wait": 60, "since": "RUNNING"}):
        started = time.monotonic()
        assert client.job(job_id, **params)["done"]
        assert time.monotonic() - started < 1


def test_since_answers_when_the_state_differs(client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 30})
    client.wait_state(job_id, {"RUNNING"})
    started = time.monotonic()
    assert client.job(job_id, wait=30, since="PENDING")["status"] == "RUNNING"
    assert time.monotonic() - started < 1
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.job, job_id, wait=30, since="RUNNING")
        time.sleep(0.5)
        assert not waiting.done()
        with_own_connection = type(client)(client.base, None, client.contract)
        with_own_connection.headers.update(client.headers)
        with_own_connection.post(f"/jobs/{job_id}/cancel")
        assert waiting.result(30)["status"] != "RUNNING"


def test_if_none_match_waits_for_a_change(client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 30})
    client.wait_state(job_id, {"RUNNING"})
    tag = client.get(f"/jobs/{job_id}").headers["ETag"]
    assert client.get(f"/jobs/{job_id}", headers={"If-None-Match": tag}).status_code == 304
    started = time.monotonic()
    assert client.get(f"/jobs/{job_id}", params={"wait": 1}, headers={"If-None-Match": tag}).status_code == 304
    assert time.monotonic() - started > 0.8
    client.post(f"/jobs/{job_id}/cancel")
    response = client.get(f"/jobs/{job_id}", params={"wait": 30}, headers={"If-None-Match": tag})
    assert response.status_code == 200 and response.headers["ETag"] != tag


def test_the_tag_may_be_weak_and_one_of_several(client, toolbox):
    job_id = client.submit(toolbox)
    client.wait(job_id)
    client.wait_indexed(job_id)
    tag = client.get(f"/jobs/{job_id}").headers["ETag"]
    for header in (tag, f"W/{tag}", f'"1000", {tag}', f'"a,b" ,W/{tag}', "*"):
        response = client.get(f"/jobs/{job_id}", headers={"If-None-Match": header})
        assert response.status_code == 304 and response.headers["ETag"] == tag, header
    for header in ('"1000"', tag.strip('"'), "", '"unfinished'):
        assert client.get(f"/jobs/{job_id}", headers={"If-None-Match": header}).status_code == 200, header


def test_a_tag_that_is_not_the_present_one_is_answered_at_once(client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 30})
    client.wait_state(job_id, {"RUNNING"})
    for headers in ({"If-None-Match": '"0"'}, {"If-None-Match": 'W/"nonsense", "1000000"'}):
        started = time.monotonic()
        response = client.get(f"/jobs/{job_id}", params={"wait": 30}, headers=headers)
        assert response.status_code == 200 and response.json()["status"] == "RUNNING" and time.monotonic() - started < 5
    tag = client.get(f"/jobs/{job_id}").headers["ETag"]
    started = time.monotonic()  # another state than the one that is named, but nothing that the client has not
    assert client.get(f"/jobs/{job_id}", params={"wait": 30, "since": "PENDING"}, headers={"If-None-Match": tag}).status_code == 304
    assert time.monotonic() - started < 5
    client.post(f"/jobs/{job_id}/cancel")


def test_a_preference_that_was_followed_is_said(client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 30})
    response = client.get(f"/jobs/{job_id}", headers={"Prefer": "respond-async, wait=1"})
    assert response.headers["Preference-Applied"] == "wait=1"
    assert client.get(f"/jobs/{job_id}", headers={"Prefer": 'wait="0"'}).headers["Preference-Applied"] == "wait=0"
    for headers, params in (({"Prefer": "wait=soon"}, {}), ({"Prefer": "return=minimal"}, {}), ({"Prefer": "wait=1"}, {"wait": 0}), ({}, {})):
        assert "Preference-Applied" not in client.get(f"/jobs/{job_id}", headers=headers, params=params).headers
    client.post(f"/jobs/{job_id}/cancel")


@pytest.mark.parametrize("value", ["-1", "301", "abc", "1.5", "99999999999999999999", "", "1e2", "NaN"])
def test_a_wait_out_of_range_is_a_400(client, toolbox, value):
    job_id = client.submit(toolbox)
    response = client.get(f"/jobs/{job_id}", params={"wait": value}, timeout=10)
    assert response.status_code == 400 and "wait" in response.json()["detail"]


def test_an_unknown_job_is_a_404_at_once(client):
    started = time.monotonic()
    assert client.get("/jobs/999999999", params={"wait": 60}, timeout=10).status_code == 404
    assert time.monotonic() - started < 1


def test_two_hundred_waiters_of_one_job_are_all_answered(site, client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 4})
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda _: site.client().job(job_id, wait=60), range(200)))
    assert {answer["status"] for answer in answers} == {"COMPLETED"}


def test_waiters_that_hang_up_leave_nothing_behind(site, client, server, run_tool):
    job_id = run_tool("nap.py", {"seconds": 60})
    count = descriptors(server)
    for _ in range(100):
        with pytest.raises(OSError):
            site.client().get(f"/jobs/{job_id}", params={"wait": 60}, timeout=0.05)
    site.wait_until(lambda: descriptors(server) <= count + 5, 10, "the connections are closed")
    client.post(f"/jobs/{job_id}/cancel")


def descriptors(server):
    import os
    return len(os.listdir(f"/proc/{server.pid}/fd"))
