"""Jobs for measurements: one that runs as long as is needed, and thousands that wait."""
import contextlib
import json
import signal

import requests

from harness import datasets

SMALL = {"gpus": 0, "cpus": 1, "mem_gb": 1, "time_limit": "00:30:00"}


def toolbox(client):
    """The dataset with the scripts of the integration tests."""
    return client.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]


def script(client, sha, name, **fields):
    """Submits a script of the toolbox; `params` are its parameters."""
    params = {**fields.pop("params", {}), "script": name, "args": []}
    return client.submit(sha, "pytorch_infer", params_json=json.dumps(params), **{**SMALL, **fields})


def running(client, sha, seconds=1500):
    """A job that runs for so long."""
    made = script(client, sha, "nap.py", params={"seconds": seconds})
    client.wait_state(made, {"RUNNING"})
    return made


def finished(client, sha):
    made = script(client, sha, "nap.py", params={"seconds": 0})
    client.wait(made)
    client.wait_indexed(made)
    return made


def queue(client, sha, count, each=1000):
    """So many jobs that are held in Slurm's queue, submitted as arrays through our server; their ids."""
    ids = []
    while len(ids) < count:
        size = min(each, count - len(ids))
        form = {**SMALL, "dataset_sha": sha, "command_key": "echo_params", "hold": "1", "array": f"0-{size - 1}"}
        answer = client.post("/jobs", data=form, timeout=600)
        assert answer.status_code == 200, answer.text
        ids += [task["job_id"] for task in answer.json()["array"]["tasks"]]
    return ids


def fastapi_submit(peer, sha, seconds=0.0):
    answer = requests.post(f"{peer.base}/jobs", headers={"Authorization": f"Bearer {peer.token}"}, timeout=60, data={
        "dataset_sha": sha, "command_key": "echo_params", "params_json": json.dumps({"seconds": seconds}), **SMALL})
    answer.raise_for_status()
    return answer.json()["job_id"]


def fastapi_dataset(peer):
    answer = requests.post(f"{peer.base}/datasets/upload", headers={"Authorization": f"Bearer {peer.token}"}, timeout=60,
                           files={"file": ("data.bin", b"some bytes")})
    answer.raise_for_status()
    return answer.json()["sha256"]


def fastapi_job(peer, job_id):
    answer = requests.get(f"{peer.base}/jobs/{job_id}", headers={"Authorization": f"Bearer {peer.token}"}, timeout=60)
    answer.raise_for_status()
    return answer.json()


@contextlib.contextmanager
def paused(*processes):
    """These do nothing meanwhile: whoever is measured does not pay for their clocks."""
    for one in processes:
        one.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in processes:
            one.send_signal(signal.SIGCONT)
