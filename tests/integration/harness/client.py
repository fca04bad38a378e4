"""A client that believes nothing: each answer it sees is checked against the contract."""
import time
import urllib.parse

import requests

from .sanitizers import patient

FINAL = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "LOST", "BOOT_FAIL", "DEADLINE"}


class Client(requests.Session):
    """`get("/jobs/7")` and so on; paths are relative to the server. Without a token it sends none."""

    def __init__(self, base, token, contract):
        super().__init__()
        self.trust_env = False
        self.base, self.contract = base, contract
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"

    def request(self, method, path, **kwargs):
        kwargs["timeout"] = patient(kwargs.get("timeout", 60))
        kwargs.setdefault("allow_redirects", False)
        response = super().request(method, self.base + path, **kwargs)
        body = b"" if kwargs.get("stream") else response.content
        if not kwargs.get("stream"):
            sent = urllib.parse.urlsplit(response.request.url).path
            self.contract.check(method, sent, response.status_code, response.headers, body)
        return response

    # What tests do all the time; each fails loudly where the call does.
    def upload(self, name, content, **fields):
        response = self.post("/datasets/upload", files={"file": (name, content)}, data=fields)
        assert response.status_code == 200, response.text
        return response.json()

    def submit(self, dataset_sha, command_key="echo_params", **fields):
        form = {"dataset_sha": dataset_sha, "command_key": command_key, "gpus": 0, "cpus": 1, "mem_gb": 1,
                "time_limit": "00:05:00", **fields}
        response = self.post("/jobs", data=form)
        assert response.status_code == 200, response.text
        assert response.headers["Location"] == f"/jobs/{response.json()['job_id']}"
        return response.json()["job_id"]

    def job(self, job_id, **params):
        response = self.get(f"/jobs/{job_id}", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def wait(self, job_id, seconds=90, state="COMPLETED"):
        """The job as it ended, found by long-poll; fails if it did not end in `state` (None: any)."""
        job, end = self.job(job_id, wait=20), time.monotonic() + patient(seconds)
        while not job["done"] and time.monotonic() < end:
            job = self.job(job_id, wait=20)
        assert job["done"], f"job {job_id} is {job['status']} after {seconds} s ({job['reason']})"
        if state and job["status"] != state:
            log = self.get(f"/jobs/{job_id}/log").text
            raise AssertionError(f"job {job_id} ended as {job['status']} ({job['reason']}), want {state}\n{log[-3000:]}")
        return job

    def wait_state(self, job_id, states, seconds=60):
        end = time.monotonic() + patient(seconds)
        while True:
            job = self.job(job_id)
            if job["status"] in states:
                return job
            assert time.monotonic() < end and not job["done"], f"job {job_id} is {job['status']}, want {states}"
            time.sleep(0.1)

    def wait_indexed(self, job_id, seconds=20):
        end = time.monotonic() + patient(seconds)
        while not self.job(job_id)["indexed"]:
            assert time.monotonic() < end, f"job {job_id} was not indexed without being asked"
            time.sleep(0.1)

    def outputs(self, job_id):
        """All outputs of a job by path."""
        found = self.get(f"/outputs/by_job/{job_id}", params={"limit": 1000}).json()["outputs"]
        return {output["path"]: output for output in found}

    def file(self, job_id, path, **kwargs):
        return self.get("/outputs/download_by_job", params={"job_id": job_id, "rel_path": path}, **kwargs)
