"""What can be done to a job after its submit: cancel with a signal and grace, hold, release, requeue, clone, delete."""
import os
import threading
import time

import pytest


def on_site(site, path):
    return (site.root / path).exists()


def test_a_cancel_with_a_signal_lets_the_command_end_by_itself(client, run_tool):
    job_id = run_tool("until_signal.py", {"seconds": 100})
    wait_for_line(client, job_id, "ready")
    assert client.post(f"/jobs/{job_id}/cancel", data={"signal": "USR2", "grace_s": 60}).json() == {"job_id": job_id, "status": "CANCELLED_REQUESTED"}
    job = client.wait(job_id, 40)
    assert job["cancel_requested"] is True
    assert client.get(f"/jobs/{job_id}/result").json()["all"] == ["SIGUSR2"]


def test_the_signal_term_comes_once(client, run_tool):
    job_id = run_tool("until_signal.py", {"seconds": 3, "signals": 5})
    wait_for_line(client, job_id, "ready")
    client.post(f"/jobs/{job_id}/cancel", json={"signal": "TERM", "grace_s": 60})
    client.wait(job_id, 40)
    assert client.get(f"/jobs/{job_id}/result").json()["all"] == ["SIGTERM"]


def test_a_cancel_of_a_job_that_is_just_starting_is_not_lost(client, run_tool):
    for pause in (0, 0.005, 0.01, 0.02, 0.04, 0.08):
        job_id = run_tool("nap.py", {"seconds": 100})
        client.wait_state(job_id, {"RUNNING"})
        time.sleep(pause)
        client.post(f"/jobs/{job_id}/cancel")
        client.wait(job_id, 20, "CANCELLED")  # 30 s after a SIGTERM that did nothing comes SIGKILL


def test_a_job_that_dies_by_the_signal_is_cancelled(client, run_tool):
    job_id = run_tool("until_signal.py", {"die": True})
    wait_for_line(client, job_id, "ready")
    client.post(f"/jobs/{job_id}/cancel", data={"signal": "INT"})
    assert "signal" in client.wait(job_id, 40, "CANCELLED")["reason"]


def test_the_grace_ends_a_job_that_does_not_listen_also_after_a_restart(client, site, server, run_tool):
    job_id = run_tool("until_signal.py", {"seconds": 200, "signals": 2})
    wait_for_line(client, job_id, "ready")
    client.post(f"/jobs/{job_id}/cancel", data={"signal": "USR1", "grace_s": 6})
    server.kill()
    server.start()
    with site.client() as again:  # TERM is its second signal
        again.wait(job_id, 60, state=None)
        assert again.get(f"/jobs/{job_id}/result").json()["all"] == ["SIGUSR1", "SIGTERM"]


def test_a_cancel_of_what_has_ended_is_fine_and_bad_fields_are_not(client, toolbox):
    job_id = client.submit(toolbox)
    client.wait(job_id)
    for fields in ({}, {"signal": "TERM"}, {"signal": 15, "grace_s": 5}):
        assert client.post(f"/jobs/{job_id}/cancel", json=fields).status_code == 200
    for field, value in (("signal", "STOP"), ("signal", "-9"), ("signal", ""), ("grace_s", "-1"), ("grace_s", "3601"), ("grace_s", "x"), ("when", "now")):
        response = client.post(f"/jobs/{job_id}/cancel", data={field: value})
        assert response.status_code == 400 and field in response.json()["detail"], response.text


def test_a_held_job_starts_when_it_is_released(client, toolbox):
    job_id = client.submit(toolbox, hold="1")
    job = client.job(job_id)
    assert job["held"] is True
    client.get(f"/jobs/{job_id}", params={"wait": 3})
    assert client.wait_state(job_id, {"PENDING"})["reason"] == "held by a user"
    assert client.post(f"/jobs/{job_id}/hold").json()["held"] is True
    assert client.post(f"/jobs/{job_id}/release").json()["held"] is False
    client.wait(job_id)
    for action in ("hold", "release"):
        response = client.post(f"/jobs/{job_id}/{action}")
        assert response.status_code == 409 and "COMPLETED" in response.json()["detail"]


def test_a_waiting_job_can_be_held_and_a_running_one_cannot(client, toolbox, run_tool):
    first = run_tool("nap.py", {"seconds": 8})
    second = client.submit(toolbox, after=str(first))
    client.wait_state(second, {"PENDING"})
    assert client.post(f"/jobs/{second}/hold").json()["held"] is True
    client.wait_state(first, {"RUNNING"})
    response = client.post(f"/jobs/{first}/hold")
    assert response.status_code == 409 and "RUNNING" in response.json()["detail"]
    client.wait(first)
    assert client.job(second, wait=2)["done"] is False
    client.post(f"/jobs/{second}/release")
    client.wait(second)


def test_a_requeue_is_a_new_job_with_the_same_inputs(client, run_tool):
    first = run_tool("nap.py", {"exit": 3}, name="again", labels='{"a": "b"}', env='{"MINE": "kept"}')
    response = client.post(f"/jobs/{first}/requeue")
    assert response.status_code in (200, 409)  # it may have ended by now
    client.wait(first, state="FAILED")
    response = client.post(f"/jobs/{first}/requeue")
    assert response.json()["requeued_from"] == first and response.headers["Location"] == f"/jobs/{response.json()['job_id']}"
    second = client.wait(response.json()["job_id"], state="FAILED")
    was = client.job(first)
    assert second["requeued_from"] == first and second["job_id"] != first and was["requeued_from"] is None
    for key in ("dataset_sha", "command_key", "params_json", "gpus", "cpus", "mem_gb", "time_limit"):
        assert second["meta"][key] == was["meta"][key], key
    assert (second["name"], second["labels"]) == ("again", {"a": "b"})
    assert second["meta"]["result_dir"] != was["meta"]["result_dir"]
    assert client.get(f"/jobs/{first}/result").status_code == 200


def test_a_requeue_of_what_has_not_ended_is_a_409(client, toolbox):
    job_id = client.submit(toolbox, hold="1")
    response = client.post(f"/jobs/{job_id}/requeue")
    assert response.status_code == 409 and "PENDING" in response.json()["detail"]
    client.post(f"/jobs/{job_id}/cancel")


def test_a_clone_differs_in_what_its_body_names(client, run_tool):
    first = run_tool("surroundings.py", {"x": 1}, env='{"MINE": "kept"}', name="one", labels='{"a": "b"}')
    response = client.post(f"/jobs/{first}/clone", json={"name": "two", "cpus": 2, "env": {"OTHER": "new"}})
    assert response.status_code == 200, response.text
    clone = client.wait(response.json()["job_id"])
    client.wait(first)
    assert (clone["name"], clone["labels"], clone["meta"]["cpus"], clone["requeued_from"]) == ("two", {"a": "b"}, 2, None)
    assert clone["meta"]["params_json"] == client.job(first)["meta"]["params_json"]
    for job_id, has in ((first, b"MINE=kept"), (clone["job_id"], b"OTHER=new")):
        entries = client.file(job_id, "environ").content.split(b"\0")
        assert [entry for entry in entries if entry.startswith((b"MINE=", b"OTHER="))] == [has]
    assert client.post(f"/jobs/{first}/clone", json={"dry_run": True}).json()["dry_run"] is True
    for fields in ({"cpus": 1000}, {"nope": 1}, {"env": {"PATH": "x"}}):
        assert client.post(f"/jobs/{first}/clone", json=fields).status_code == 400
    assert client.post("/jobs/999999999/clone").status_code == 404


def test_a_deleted_job_is_gone_with_all_it_left(client, site, run_tool):
    job_id, other = run_tool("leave.py"), run_tool("nap.py")
    client.wait(job_id, state=None)
    client.wait(other)
    client.wait_indexed(job_id)
    meta = client.job(job_id)["meta"]
    response = client.delete(f"/jobs/{job_id}")
    assert response.json() == {"job_id": job_id, "deleted": True}
    for path in ("", "/log", "/result"):
        assert client.get(f"/jobs/{job_id}{path}").status_code == 404
    assert client.get(f"/outputs/by_job/{job_id}").status_code == 404
    assert "deleted" in client.get(f"/jobs/{job_id}").json()["detail"]
    assert client.get("/outputs", params={"experiment_id": f"job-{job_id}"}).json()["outputs"] == []
    assert client.delete(f"/jobs/{job_id}").status_code == 404
    assert job_id not in [job["job_id"] for job in client.get("/jobs", params={"limit": 1000}).json()["jobs"]]
    places = [meta["log_path"], f"jobs/{meta['uuid']}", os.path.relpath(meta["result_dir"], site.root)]
    site.wait_until(lambda: not any(on_site(site, path) for path in places), 20, f"{places} are gone")
    assert client.get(f"/jobs/{other}/result").status_code == 200


def test_what_has_not_ended_is_not_deleted(client, toolbox):
    job_id = client.submit(toolbox, hold="1")
    second = client.submit(toolbox, after=str(job_id), hold="1")
    assert client.delete(f"/jobs/{job_id}").status_code == 409
    for one in (job_id, second):
        client.post(f"/jobs/{one}/cancel")
        client.wait(one, state="CANCELLED")
    assert client.delete(f"/jobs/{job_id}").status_code == 200


def test_the_id_of_a_deleted_job_is_never_given_again(client, site, server, toolbox):
    """Slurm loses its state, and counts again from what the service has on record."""
    job_id = client.submit(toolbox)
    client.wait(job_id)
    assert client.delete(f"/jobs/{job_id}").status_code == 200
    site.slurm.stop_controller()
    for path in (site.root / "slurm" / "state").iterdir():
        if path.is_file():
            path.unlink()
    site.slurm.start_controller()
    site.wait_until(lambda: client.get("/health").json()["slurm"], 40, "health sees Slurm again")
    new = client.submit(toolbox)
    assert new > job_id
    client.wait(new)


def test_files_of_a_deleted_job_that_a_crash_left_go_at_the_next_start(client, site, server, toolbox):
    job_id = client.submit(toolbox)
    client.wait(job_id)
    client.wait_indexed(job_id)
    meta = client.job(job_id)["meta"]
    assert client.delete(f"/jobs/{job_id}").status_code == 200
    server.kill()
    server.start()
    site.wait_until(lambda: not os.path.exists(meta["result_dir"]) and not on_site(site, meta["log_path"]), 20, "they are gone")
    with site.client() as again:
        assert again.get(f"/jobs/{job_id}").status_code == 404


def test_many_at_once_do_each_thing_once(site, client, toolbox):
    job_id = client.submit(toolbox)
    client.wait(job_id)
    answers = []

    def delete():
        with site.client() as own:
            answers.append(own.delete(f"/jobs/{job_id}").status_code)
    threads = [threading.Thread(target=delete) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [404] * 5


@pytest.mark.parametrize("action", ["hold", "release", "requeue", "clone"])
def test_an_unknown_job_is_a_404(client, action):
    for job_id in ("999999999", "0", "abc"):
        assert client.post(f"/jobs/{job_id}/{action}").status_code == 404
        assert client.delete(f"/jobs/{job_id}").status_code == 404


def wait_for_line(client, job_id, line, seconds=60):
    end = time.monotonic() + seconds
    while line not in client.get(f"/jobs/{job_id}/log").text.splitlines():
        assert time.monotonic() < end, f"job {job_id} never said {line}"
        time.sleep(0.1)
