"""Idempotency-Key: a request that is sent again answers the first one's job, and runs nothing more."""
import concurrent.futures
import json
import secrets
import socket
import time

import pytest


@pytest.fixture
def form(toolbox):
    return {"dataset_sha": toolbox, "command_key": "echo_params", "gpus": "0", "cpus": "1", "mem_gb": "1", "time_limit": "00:05:00",
            "params_json": json.dumps({"n": secrets.token_hex(4)})}


@pytest.fixture
def key():
    return secrets.token_hex(16)


def names(site):
    return site.slurm.run("squeue", "-t", "all", "-h", "-o", "%j").stdout.split()


def test_a_request_sent_again_answers_the_same_job_however_its_fields_come(site, server, client, form, key):
    before = len(names(site))
    first = client.post("/jobs", data=form, headers={"Idempotency-Key": f'"{key}"'})
    assert first.status_code == 200
    typed = {name: int(value) if value in ("0", "1") else value for name, value in form.items()}
    repeats = [client.post("/jobs", data=form, headers={"Idempotency-Key": key}),
               client.post("/jobs", json=typed, headers={"Idempotency-Key": key}),
               client.post("/jobs", files={name: (None, value) for name, value in reversed(form.items())}, headers={"Idempotency-Key": key}),
               client.post("/jobs", json=form, headers={"Idempotency-Key": key})]
    server.kill()
    server.start()
    repeats.append(site.client().post("/jobs", data=form, headers={"Idempotency-Key": key}))
    for again in repeats:
        assert again.status_code == 200, again.text
        assert again.json() == first.json() and again.headers["Location"] == first.headers["Location"]
    assert len(names(site)) == before + 1


def test_another_request_with_the_key_is_refused(client, form, key):
    assert client.post("/jobs", data=form, headers={"Idempotency-Key": key}).status_code == 200
    for other in ({**form, "params_json": "{}"}, {**form, "cpus": "2"}, {name: value for name, value in form.items() if name != "cpus"}):
        refused = client.post("/jobs", data=other, headers={"Idempotency-Key": key})
        assert refused.status_code == 422 and key in refused.json()["detail"], refused.text


def test_a_request_that_was_refused_leaves_its_key_free(client, form, key):
    assert client.post("/jobs", data={**form, "cpus": "9999"}, headers={"Idempotency-Key": key}).status_code == 400
    assert client.post("/jobs", data=form, headers={"Idempotency-Key": key}).status_code == 200


@pytest.mark.parametrize("bad", ["", '""', '"open', "two words", "k" * 256, '"a";p=1'])
def test_what_is_no_key_is_said(client, form, bad):
    refused = client.post("/jobs", data=form, headers={"Idempotency-Key": bad})
    assert refused.status_code == 400 and "Idempotency-Key" in refused.json()["detail"], refused.text


def test_of_many_at_once_one_is_submitted(site, client, form, key):
    before = len(names(site))

    def send(_):
        return site.client().post("/jobs", data=form, headers={"Idempotency-Key": key})
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(send, range(24)))
    assert {answer.status_code for answer in answers} <= {200, 409}, [answer.text for answer in answers]
    ids = {answer.json()["job_id"] for answer in answers if answer.status_code == 200}
    assert len(ids) == 1
    assert client.post("/jobs", data=form, headers={"Idempotency-Key": key}).json()["job_id"] in ids
    assert len(names(site)) == before + 1


def test_a_client_that_was_gone_finds_its_job(site, server, client, form, key):
    before = len(names(site))
    body = json.dumps(form).encode()
    with socket.create_connection(("127.0.0.1", server.port)) as gone:
        gone.sendall(f"POST /jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\nIdempotency-Key: {key}\r\n"
                     f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    end = time.monotonic() + 30
    while (again := client.post("/jobs", data=form, headers={"Idempotency-Key": key})).status_code == 409:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert again.status_code == 200, again.text
    client.wait(again.json()["job_id"])
    assert len(names(site)) == before + 1
