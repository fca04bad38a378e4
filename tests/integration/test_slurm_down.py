"""Slurm does not answer: the service says so, keeps what it knew, and goes on when Slurm is back."""
import concurrent.futures
import json
import time

import pytest


@pytest.fixture
def controller(site):
    """slurmctld, running and answering again afterwards whatever the test did to it."""
    yield site.slurm
    site.slurm.resume_controller() if site.slurm.children["slurmctld"].poll() is None else site.slurm.start_controller()
    site.wait_until(lambda: site.client().get("/health").json()["slurm"], 40, "health sees Slurm again")


def submit(site, toolbox, **fields):
    form = {"dataset_sha": toolbox, "command_key": "echo_params", "gpus": 0, "cpus": 1, "mem_gb": 1, "time_limit": "00:02:00", **fields}
    with site.client() as client:
        started = time.monotonic()
        response = client.post("/jobs", data=form)
        return response, time.monotonic() - started


def quick(client, path, seconds=1.0):
    started = time.monotonic()
    response = client.get(path)
    assert time.monotonic() - started < seconds, f"{path} took {time.monotonic() - started:.1f} s"
    return response


def test_a_stopped_controller(site, client, controller, toolbox, run_tool):
    done = client.submit(toolbox)
    client.wait(done)
    running = run_tool("nap.py", {"seconds": 45})
    client.wait_state(running, {"RUNNING"})
    time.sleep(6)  # slurmctld saves its state every five seconds; a job it had not saved would be lost to it
    controller.stop_controller()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        refused = [pool.submit(submit, site, toolbox) for _ in range(2)]
        waiting = pool.submit(site.client().job, running, wait=3)
        site.wait_until(lambda: not quick(client, "/health").json()["slurm"], 25, "health says that Slurm is down")
        health = quick(client, "/health").json()
        assert health["ok"] is True and health["problems"], health
        assert waiting.result(20)["status"] == "RUNNING"
        assert client.job(running)["stale"] is True and client.job(running)["stale_since"] < time.strftime("%FT%TZ", time.gmtime())
        assert client.job(done)["stale"] is False
        for response, seconds in (one.result(30) for one in refused):
            assert response.status_code == 503 and seconds < 20, (response.status_code, seconds)
            assert int(response.headers["Retry-After"]) >= 1 and "Slurm" in response.json()["detail"]
    assert quick(client, f"/jobs/{done}").json()["status"] == "COMPLETED"
    assert quick(client, f"/jobs/{running}").json()["status"] == "RUNNING"
    assert quick(client, f"/jobs/{done}/log").status_code == 200
    content = b"uploads go on" + str(time.time_ns()).encode()
    assert client.upload("while-down.bin", content)["bytes"] == len(content)
    controller.start_controller()
    site.wait_until(lambda: client.get("/health").json()["slurm"], 30, "health sees Slurm again")
    client.wait(client.submit(toolbox))
    assert client.job(running)["stale"] is False and client.job(running)["stale_since"] is None
    client.post(f"/jobs/{running}/cancel")
    assert client.wait(running, 60, None)["status"] in ("CANCELLED", "COMPLETED")


@pytest.mark.slow
def test_a_hung_controller_runs_nothing_twice(site, client, controller, toolbox):
    known = set(site.slurm.run("squeue", "-t", "all", "-h", "-o", "%j").stdout.split())
    controller.pause_controller()
    marker = json.dumps({"hung": time.time_ns()})
    response, seconds = submit(site, toolbox, params_json=marker)
    assert response.status_code in (202, 503) and seconds < 20, (response.status_code, seconds)
    assert "Retry-After" in response.headers
    site.wait_until(lambda: not client.get("/health").json()["slurm"], 25, "health says that Slurm is down")
    controller.resume_controller()
    site.wait_until(lambda: client.get("/health").json()["slurm"], 40, "health sees Slurm again")
    client.wait(client.submit(toolbox))
    names = site.slurm.run("squeue", "-t", "all", "-h", "-o", "%j").stdout.split()
    assert len(names) == len(set(names))
    assert len(set(names) - known) <= 2  # the one just sent, and at most once the one that was refused


def test_a_dead_slurmd_harms_no_answer(site, client, toolbox):
    site.slurm.children["slurmd"].terminate()
    site.slurm.children["slurmd"].wait(15)
    try:
        job_id = client.submit(toolbox)
        assert client.job(job_id)["done"] is False
        assert client.get("/health").json()["ok"] is True
    finally:
        site.slurm.spawn("slurmd")
        site.slurm.wait_up()
    client.wait(job_id, 90)


def test_health_is_false_while_no_node_can_start_a_job_and_says_why(site, client):
    def node(*change):
        site.slurm.run("scontrol", "update", f"NodeName={site.slurm.node}", *change)
    node("State=DRAIN", "Reason=a fan is being mended")
    try:
        site.wait_until(lambda: not client.get("/health").json()["slurm"], 30, "health says that no node can run jobs")
        assert any(site.slurm.node in text and "a fan is being mended" in text for text in client.get("/health").json()["problems"])
    finally:
        node("State=RESUME")
    site.wait_until(lambda: client.get("/health").json()["slurm"], 30, "health sees the node again")
    assert client.get("/health").json()["problems"] == []
