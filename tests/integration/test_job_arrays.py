"""Arrays: as many jobs as tasks, all or none, and one thing to look at."""
import json
import threading
import time

GOOD = {"gpus": 0, "cpus": 1, "mem_gb": 1, "time_limit": "00:02:00"}


def submit(client, toolbox, array, script="nap.py", params=None, **fields):
    form = {**GOOD, "dataset_sha": toolbox, "command_key": "pytorch_infer", "array": array, "params_json": json.dumps({**(params or {}), "script": script, "args": []}), **fields}
    response = client.post("/jobs", data=form)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["job_id"] == answer["array"]["tasks"][0]["job_id"] and response.headers["Location"] == f"/jobs/{answer['job_id']}"
    return answer["array"]["id"], {task["index"]: task["job_id"] for task in answer["array"]["tasks"]}


def wait(client, array, seconds=120):
    end = time.monotonic() + seconds
    while not (found := client.get(f"/arrays/{array}", params={"limit": 1000}).json())["done"]:
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return found


def test_each_task_is_a_job_that_knows_its_index(client, toolbox):
    array, tasks = submit(client, toolbox, "1,4-8:2", "surroundings.py", name="an array", env='{"MINE": "x"}')
    assert list(tasks) == [1, 4, 6, 8] and len(set(tasks.values())) == 4
    found = wait(client, array)
    assert found["counts"] == {"COMPLETED": 4} and [task["job_id"] for task in found["tasks"]] == list(tasks.values())
    for index, job_id in tasks.items():
        job = client.job(job_id)
        assert job["array"] == {"id": array, "index": index} and job["name"] == "an array"
        entries = client.file(job_id, "environ").content.split(b"\0")
        for expected in (f"JR_ARRAY_INDEX={index}", f"SLURM_ARRAY_TASK_ID={index}", "SLURM_ARRAY_TASK_COUNT=4", "SLURM_ARRAY_TASK_MIN=1", "SLURM_ARRAY_TASK_MAX=8", "MINE=x"):
            assert entries.count(expected.encode()) == 1, expected
        assert client.get(f"/jobs/{job_id}/log").text.startswith("JOB_START")
    assert {job["job_id"] for job in client.get("/jobs", params={"array": array}).json()["jobs"]} == set(tasks.values())


def test_its_tasks_are_paged(client, toolbox):
    array, tasks = submit(client, toolbox, "0-4")
    first = client.get(f"/arrays/{array}", params={"limit": 3}).json()
    second = client.get(f"/arrays/{array}", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [task["index"] for task in first["tasks"] + second["tasks"]] == [0, 1, 2, 3, 4] and second["next_cursor"] is None
    assert sum(first["counts"].values()) == sum(second["counts"].values()) == 5
    wait(client, array)


def test_no_more_run_at_once_than_it_says(client, toolbox):
    array, tasks = submit(client, toolbox, "0-5%2", params={"seconds": 1})
    wait(client, array)
    spans = []
    for job_id in tasks.values():  # by the wrapper's clock: Slurm's has whole seconds
        lines = client.get(f"/jobs/{job_id}/log").text.split()
        spans.append((lines[lines.index("JOB_START") + 1], lines[lines.index("JOB_END") + 1]))
    for start, _ in spans:
        assert sum(one <= start < end for one, end in spans) <= 2, spans


def test_a_cancel_ends_all_tasks_and_is_fine_twice(client, toolbox):
    array, tasks = submit(client, toolbox, "0-3%2", params={"seconds": 200})
    client.wait_state(tasks[0], {"RUNNING"})
    assert client.post(f"/arrays/{array}/cancel").json() == {"id": array, "cancel_requested": 4}
    assert wait(client, array)["counts"] == {"CANCELLED": 4}
    assert client.job(tasks[3])["started_at"] is None, "it was started by the end of the one it waited for"
    assert client.post(f"/arrays/{array}/cancel").json()["cancel_requested"] == 0


def test_a_retry_runs_the_failed_ones_again_in_their_places(client, toolbox):
    array, tasks = submit(client, toolbox, "0-3", "by_index.py", {"fail": [1, 3]})
    found = wait(client, array)
    assert found["counts"] == {"COMPLETED": 2, "FAILED": 2}
    again = client.post(f"/arrays/{array}/retry").json()
    assert again["id"] == array and [task["index"] for task in again["tasks"]] == [1, 3]
    found = wait(client, array)
    now = {task["index"]: task["job_id"] for task in found["tasks"]}
    assert now == {**tasks, **{task["index"]: task["job_id"] for task in again["tasks"]}}
    assert client.job(now[1])["requeued_from"] == tasks[1]
    assert client.get(f"/jobs/{now[1]}/result").json() == {"index": "1", "count": "4"}
    assert client.get(f"/jobs/{tasks[1]}").json()["status"] == "FAILED", "the first run is still there"
    one = client.post(f"/jobs/{now[3]}/requeue").json()
    assert {task["index"]: task["job_id"] for task in client.get(f"/arrays/{array}").json()["tasks"]}[3] == one["job_id"]
    wait(client, array)


def test_two_retries_at_once_run_no_task_twice(site, client, toolbox):
    array, _ = submit(client, toolbox, "0-2", "by_index.py", {"fail": [0, 1, 2]})
    wait(client, array)
    answers = []

    def retry():
        with site.client() as own:
            answers.append(own.post(f"/arrays/{array}/retry").status_code)
    threads = [threading.Thread(target=retry) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409]
    wait(client, array)
    assert len(client.get("/jobs", params={"array": array}).json()["jobs"]) == 6


def test_a_retry_of_what_has_not_failed_is_a_409(client, toolbox):
    array, _ = submit(client, toolbox, "0-1")
    wait(client, array)
    response = client.post(f"/arrays/{array}/retry")
    assert response.status_code == 409 and "badly" in response.json()["detail"]


def test_an_array_may_wait_for_a_job_and_be_held(client, toolbox, run_tool):
    first = run_tool("nap.py", {"seconds": 2})
    array, tasks = submit(client, toolbox, "0-1", after=str(first), hold="1")
    client.wait(first)
    assert client.job(tasks[0], wait=2)["held"] is True and client.job(tasks[1])["done"] is False
    for job_id in tasks.values():
        client.post(f"/jobs/{job_id}/release")
    wait(client, array)


def test_an_unknown_array_is_a_404(client):
    for array in ("none", "00000000-0000-4000-8000-000000000000", "' OR 1=1 --"):
        for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry")):
            assert client.request(method, f"/arrays/{array}{path}").status_code == 404


def test_a_server_killed_in_the_middle_of_an_array_leaves_all_of_it_or_nothing(site, server, client, toolbox):
    for round_number in range(6):
        name = f"cut-{time.time_ns()}"
        answers = []

        def send():
            try:
                with site.client() as own:
                    answers.append(submit(own, toolbox, "0-39", "by_index.py", name=name))
            except Exception as error:  # killed in the middle: not acknowledged
                answers.append(error)
        thread = threading.Thread(target=send)
        thread.start()
        time.sleep(0.05 + 0.1 * round_number)
        server.kill()
        thread.join(60)
        server.start()
        with site.client() as again:
            site.wait_until(lambda: again.get("/health").json()["slurm"], 30, "health sees Slurm")
            again.wait(again.submit(toolbox))  # several looks later
            jobs = again.get("/jobs", params={"name": name, "limit": 1000}).json()["jobs"]
            assert len(jobs) in (0, 40), f"round {round_number}: {len(jobs)} tasks"
            acknowledged = isinstance(answers[0], tuple)
            assert len(jobs) == 40 or not acknowledged
            if jobs:
                wait(again, jobs[0]["array"]["id"])
            site.wait_until(lambda: not queued(site), 60, "Slurm has nothing left of it")
    names = site.slurm.run("squeue", "-t", "all", "-h", "-o", "%j").stdout.split()
    assert len(names) == len(set(names))


def queued(site):
    return site.slurm.run("squeue", "-h", "-t", "PENDING,RUNNING", "-o", "%j").stdout.split()


def test_slurm_that_goes_down_in_the_middle_takes_none_of_it(site, client, toolbox):
    name = f"down-{time.time_ns()}"
    form = {**GOOD, "dataset_sha": toolbox, "command_key": "echo_params", "array": "0-199", "name": name}
    before = {f"jr-{path.name}" for path in (site.root / "jobs").iterdir()}
    answers = []

    def send():
        with site.client() as own:
            answers.append(own.post("/jobs", data=form, timeout=150))
    thread = threading.Thread(target=send)
    thread.start()
    time.sleep(0.4)
    site.slurm.stop_controller()
    thread.join(150)
    site.slurm.start_controller()
    site.wait_until(lambda: client.get("/health").json()["slurm"], 40, "health sees Slurm again")
    assert answers[0].status_code in (200, 503), answers[0].text
    jobs = client.get("/jobs", params={"name": name, "limit": 1000}).json()["jobs"]
    assert len(jobs) == (200 if answers[0].status_code == 200 else 0)
    client.wait(client.submit(toolbox))
    if jobs:
        client.post(f"/arrays/{jobs[0]['array']['id']}/cancel")
    made = {f"jr-{path.name}" for path in (site.root / "jobs").iterdir()} - before  # slurmctld may have forgotten how others ended
    site.wait_until(lambda: not made & set(queued(site)), 120, "Slurm has nothing left of it")
