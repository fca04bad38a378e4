"""A JR_ROOT of the FastAPI program opens: its rows and its files are all there."""
import hashlib
import os
import pwd
import sqlite3

import pytest

SCHEMA = """
CREATE TABLE datasets(sha256 TEXT PRIMARY KEY, rel_path TEXT, bytes INTEGER, created_at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE jobs(slurm_id INTEGER PRIMARY KEY, dataset_sha TEXT, command_key TEXT, params_json TEXT, result_dir TEXT, log_path TEXT,
                  created_at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE outputs(experiment_id TEXT, output_id TEXT, path TEXT, job_id INTEGER, created_at TEXT DEFAULT CURRENT_TIMESTAMP,
                     PRIMARY KEY(experiment_id, output_id));
"""
JOBS = [900_001, 900_002]
WEIGHTS = b"weights of an old job"
PLAIN = b"one plain file"
PLAIN_SHA = hashlib.sha256(PLAIN).hexdigest()
SET_SHA = hashlib.sha256(b"an archive").hexdigest()


def build(root, database, foreign_id, owner):
    """Folders and tables as that program left them."""
    def put(path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    put(root / "datasets" / SET_SHA / "data" / "file.txt", b"test content\n")
    put(root / "datasets" / PLAIN_SHA / "plain.bin", PLAIN)
    (root / "logs").mkdir()
    database.executescript(SCHEMA)
    database.execute("INSERT INTO datasets VALUES(?, ?, 13, '2025-01-02 03:04:05')", (SET_SHA, f"datasets/{SET_SHA}/"))
    database.execute("INSERT INTO datasets VALUES(?, ?, ?, '2025-01-02 03:04:06')", (PLAIN_SHA, f"datasets/{PLAIN_SHA}/plain.bin", len(PLAIN)))
    for job_id in [*JOBS, foreign_id]:
        result = root / "results" / f"job_{job_id}"
        put(result / "result.json", b'{"ok": true, "params": {"old": %d}}' % job_id)
        put(result / "weights" / "model.pth", WEIGHTS)
        put(root / "logs" / f"slurm-{job_id}.out", b"JOB_START 2025-01-02\nold\nJOB_END 2025-01-02\n")
        for path in (result, *result.rglob("*")):
            os.chown(path, *owner)
        database.execute("INSERT INTO jobs VALUES(?, ?, 'pytorch_example', '{\"old\": 1}', ?, ?, '2025-01-02 03:05:00')",
                         (job_id, SET_SHA, str(result), f"logs/slurm-{job_id}.out"))
        for output_id, path in (("weights", "weights/model.pth"), ("result", "result.json")):
            database.execute("INSERT INTO outputs VALUES(?, ?, ?, ?, '2025-01-02 03:06:00')", (f"job-{job_id}", output_id, path, job_id))
    database.commit()
    database.close()


@pytest.fixture(scope="module")
def foreign_id(site, toolbox):
    """A job of the site's own, whose number an old job of the other root has too: Slurm's counter had started anew."""
    with site.client() as client:
        job_id = client.submit(toolbox, params_json='{"new": 1}')
        client.wait(job_id)
        return job_id


@pytest.fixture(scope="module")
def old(site, foreign_id):
    root = site.top / "seed"
    root.mkdir(mode=0o755)
    user = pwd.getpwnam(site.about["job_user"])
    build(root, sqlite3.connect(root / "jr_slurm.db"), foreign_id, (user.pw_uid, user.pw_gid) if os.geteuid() == 0 else (-1, -1))
    server = site.another_server("seed")
    yield server.start()
    server.stop()


@pytest.fixture
def client(site, old):
    return site.client(old)


def test_the_datasets_are_there(client):
    for sha, path, size in ((SET_SHA, f"datasets/{SET_SHA}/", 13), (PLAIN_SHA, f"datasets/{PLAIN_SHA}/plain.bin", len(PLAIN))):
        answer = client.get(f"/datasets/exists/{sha}").json()
        assert answer["exists"] is True
        assert (answer["info"]["rel_path"], answer["info"]["bytes"]) == (path, size)
        assert answer["info"]["created_at"].startswith("2025-01-02T03:04:0")


def test_the_jobs_are_there_with_what_was_known_of_them(client, site):
    for job_id in JOBS:
        job = client.job(job_id)
        assert job["done"] is True and job["meta"]["created_at"].startswith("2025-01-02T03:05:00")
        assert job["meta"]["params_json"] == '{"old": 1}' and job["meta"]["log_path"] == f"logs/slurm-{job_id}.out"
        assert job["meta"]["result_dir"] == str(site.top / "seed" / "results" / f"job_{job_id}")


def test_their_logs_results_and_files_are_there(client):
    for job_id in JOBS:
        assert "JOB_END" in client.get(f"/jobs/{job_id}/log").text
        assert client.get(f"/jobs/{job_id}/result").json()["params"] == {"old": job_id}
        assert client.file(job_id, "weights/model.pth").content == WEIGHTS
        response = client.get("/outputs/download", params={"experiment_id": f"job-{job_id}", "output_id": "weights"})
        assert response.content == WEIGHTS


def test_their_outputs_are_there(client):
    outputs = client.outputs(JOBS[0])
    assert {"weights/model.pth", "result.json"} <= set(outputs)
    assert outputs["weights/model.pth"]["output_id"] == "weights"
    assert outputs["weights/model.pth"]["created_at"].startswith("2025-01-02T03:06:00")


def test_an_old_job_does_not_take_the_state_of_a_new_one_with_its_number(client, foreign_id):
    job = client.job(foreign_id)
    assert job["meta"]["params_json"] == '{"old": 1}' and job["done"] is True
    assert client.get(f"/jobs/{foreign_id}/result").json()["params"] == {"old": foreign_id}


def test_indexing_an_old_job_again_works(client):
    assert client.post(f"/outputs/index/{JOBS[1]}").json()["count"] >= 2
    assert client.file(JOBS[1], "weights/model.pth").content == WEIGHTS


def test_a_new_job_runs_on_an_old_dataset(client):
    job_id = client.submit(SET_SHA, "pytorch_example")
    client.wait(job_id)
    client.wait_indexed(job_id)


def test_it_opens_a_second_time(client, old):
    old.restart()
    assert client.job(JOBS[0])["done"] is True
    assert client.file(JOBS[0], "weights/model.pth").content == WEIGHTS
