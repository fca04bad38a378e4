"""The machine's clock jumps by a day: waits, deadlines and running jobs go on as if it had not."""
import concurrent.futures
import glob
import json
import time

import pytest
from harness import datasets


@pytest.fixture
def clock(own_site):
    """Moves the server's clock; every other program's stays."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    assert found, "Debian's package faketime is missing"
    file = own_site.top / "clock"
    server, before = own_site.server, dict(own_site.server.environment)

    def move(to):
        file.write_text(to + "\n")
        file.chmod(0o644)
    move("+0")
    server.stop()
    server.environment.update(LD_PRELOAD=found[0], FAKETIME_TIMESTAMP_FILE=str(file), FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1")
    server.start()
    yield move
    server.stop()
    server.environment = before
    server.start()


@pytest.mark.slow
@pytest.mark.parametrize("jump", ["+1d", "-1d"])
def test_a_jump_during_a_wait_and_a_running_job_changes_nothing(own_site, clock, jump):
    site = own_site
    with site.client() as client, concurrent.futures.ThreadPoolExecutor(2) as pool:
        sha = client.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
        job_id = client.submit(sha, "pytorch_infer", params_json=json.dumps({"script": "nap.py", "seconds": 8}))
        client.wait_state(job_id, {"RUNNING"})
        started = time.monotonic()
        short = pool.submit(site.client().job, job_id, wait=3)
        until_done = pool.submit(site.client().job, job_id, wait=60)
        time.sleep(1)
        clock(jump)
        wanted = time.time() + (86400 if jump == "+1d" else -86400)
        site.wait_until(lambda: client.get("/health").json()["slurm_checked_at"][:13] == time.strftime("%FT%H", time.gmtime(wanted)), 10, "the server's clock has jumped")
        assert short.result(30)["status"] == "RUNNING" and time.monotonic() - started > 2.5
        assert client.job(job_id)["stale"] is False
        done = until_done.result(60)
        assert done["status"] == "COMPLETED" and 5 < time.monotonic() - started < 40
        client.wait_indexed(job_id)
        later = client.submit(sha)
        clock("+0")
        client.wait(later)
        assert client.job(job_id)["status"] == "COMPLETED"
        health = client.get("/health").json()
        assert health["slurm"] and health["uptime_s"] < 3600, health
