"""JR_B2_ENABLE=1 against a real S3 server in the container's own network; and what health says where it cannot work."""
import json
import os
import secrets
import subprocess
from pathlib import Path

import pytest
from engine import inspect, run
from harness import datasets

KEY_ID, KEY = "AKTEST" + secrets.token_hex(5), "secret-" + secrets.token_hex(16)
SERVER = """
const S3rver = require(process.argv[1]);
new S3rver({address: '127.0.0.1', port: 9000, directory: process.argv[2], silent: true, allowMismatchedSignatures: false,
            configureBuckets: [{name: 'my-bucket'}]}).run();
"""
ENVIRONMENT = {"JR_B2_ENABLE": "1", "JR_B2_BUCKET": "my-bucket", "JR_B2_ENDPOINT": "http://127.0.0.1:9000"}


class S3:
    """A real S3 server that knows the keys S3RVER and S3RVER alone, on loopback in a container's network."""

    def __init__(self, folder):
        self.folder, self.server = folder, None
        self.module = Path(os.environ["JR_S3RVER"]).parent.parent  # run_tests.sh names its program

    def start(self, box):
        self.inside = ["nsenter", "-t", str(inspect(box.engine, box.name)["State"]["Pid"]), "-n"]
        (self.folder / "data").mkdir()
        self.server = subprocess.Popen([*self.inside, "node", "-e", SERVER, str(self.module), str(self.folder / "data")])
        box.until(lambda: run([*self.inside, "curl", "-s", "http://127.0.0.1:9000/"], check=False).returncode == 0, "the S3 server answers")

    def put(self, name, content):
        (self.folder / "object").write_bytes(content)
        run([*self.inside, "curl", "-sS", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", "S3RVER:S3RVER",
             "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-T", self.folder / "object", f"http://127.0.0.1:9000/my-bucket/{name}"])

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait(10)


@pytest.fixture
def s3(tmp_path):
    server = S3(tmp_path)
    yield server
    server.stop()


def problems(box):
    return " ".join(box.health().get("problems", []))


def import_path(client, path):
    return client.post("/datasets/import_path", data={"src_path": path})


def test_a_bucket_is_mounted_imported_from_and_mounted_again_when_s3fs_dies(make_box, s3):
    box = make_box("--privileged", **ENVIRONMENT, JR_B2_KEY_ID="S3RVER", JR_B2_APP_KEY="S3RVER")
    content = datasets.fresh(100_000)
    box.up()
    assert "JR_B2_ENABLE=1" in problems(box)  # no server yet: the service runs on and says so
    s3.start(box)
    s3.put("sets/one.bin", content)
    box.until(lambda: box.health().get("b2_mounted"), "the bucket is mounted")
    assert problems(box) == ""
    with box.client() as client:
        answer = import_path(client, "sets/one.bin")
        assert answer.status_code == 200 and answer.json()["sha256"] == datasets.sha256(content), answer.text
        assert import_path(client, "sets/none.bin").status_code == 404
        assert import_path(client, "../auth_token").status_code == 400
    runs_as = box.inside("sh", "-c", "for p in /proc/[0-9]*; do [ \"$(readlink $p/exe)\" = /usr/bin/s3fs ] && stat -c %U $p && basename $p; done; true").split()
    assert runs_as[0] == "s3fs"
    box.kill(runs_as[1])
    box.until(lambda: not box.health().get("b2_mounted"), "health sees that it is gone")
    box.until(lambda: box.health().get("b2_mounted"), "it is mounted again")
    box.until(lambda: "s3fs" in box.pids(), "supervisord takes it for running")
    box.kill(box.pids()["s3fs"])
    s3.put("sets/two.bin", content + b"2")
    with box.client() as client:
        box.until(lambda: box.health().get("b2_mounted") and import_path(client, "sets/two.bin").status_code == 200, "and again")
    took, code = box.stop()
    assert took < 10 and code == 0


def test_wrong_keys_are_said_and_stay_secret_and_the_service_runs_on(make_box, s3):
    box = make_box("--privileged", **ENVIRONMENT, JR_B2_KEY_ID=KEY_ID, JR_B2_APP_KEY=KEY)
    box.up()
    s3.start(box)
    box.until(lambda: "refuses the keys" in problems(box), "health says that the keys are wrong")
    health = box.health()
    assert health["ok"] and health["slurm"] and health["b2_mounted"] is False
    with box.client() as client:
        assert import_path(client, "sets/one.bin").status_code == 503
        sha = client.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
        job = client.submit(sha, "pytorch_infer", params_json='{"script": "surroundings.py"}')
        client.wait(job)
        seen = client.get(f"/jobs/{job}/log").text + client.get(f"/jobs/{job}/result").text
        hunt = client.submit(sha, "pytorch_infer", params_json=json.dumps({"script": "reach.py"}))
        client.wait(hunt, state=None)
        seen += client.get(f"/jobs/{hunt}/log").text
    for pid in (1, *box.pids().values()):
        seen += box.inside("sh", "-c", f"tr '\\0' ' ' </proc/{pid}/cmdline; tr '\\0' ' ' </proc/{pid}/environ", check=False)  # s3fs may have gone to begin anew
    seen += box.cli("top", box.name, check=False) + box.logs() + "".join(box.inside("sh", "-c", "cat /opt/jobrunner/log/*"))
    assert "s3fs" in seen and KEY not in seen and KEY_ID not in seen
    modes = box.inside("stat", "-c", "%a %U", "/opt/jobrunner/run/s3fs.key", "/opt/jobrunner/run/server.json").split("\n")
    assert modes[:2] == ["400 s3fs", "600 root"]


def test_without_the_right_to_mount_the_service_runs_on_and_health_says_what_is_missing(make_box):
    box = make_box(**ENVIRONMENT, JR_B2_KEY_ID=KEY_ID, JR_B2_APP_KEY=KEY).up()
    box.until(lambda: "/dev/fuse" in problems(box) and "--privileged" in problems(box), "health says what is missing")
    assert box.health()["slurm"] and not box.health()["b2_mounted"]
    assert KEY not in box.logs()


def test_a_bucket_without_keys_is_said(make_box):
    box = make_box(JR_B2_ENABLE="1", JR_B2_BUCKET="my-bucket").up()
    assert "JR_B2_KEY_ID" in problems(box) and "JR_B2_APP_KEY" in problems(box)
