"""What a submit can say besides the command: name, labels, variables, experiment, dependencies, warning signal, dry run."""
import json

import naughty
import pytest

GOOD = {"command_key": "echo_params", "gpus": 0, "cpus": 1, "mem_gb": 1, "time_limit": "00:02:00"}


def environment_of(client, job_id):
    entries = client.file(job_id, "environ").content.split(b"\0")
    return dict(entry.split(b"=", 1) for entry in entries if entry)


@pytest.mark.parametrize("kind", ["multipart", "urlencoded", "json", "json with text"])
def test_they_may_come_in_any_kind_of_body(client, toolbox, kind):
    first = client.submit(toolbox)
    client.wait(first)
    fields = {**GOOD, "dataset_sha": toolbox, "name": "a name", "experiment_id": f"e-{kind}", "labels": {"team": "vision"},
              "env": {"MINE": "a=b, c"}, "after": [first], "signal": "usr1@30", "hold": True}
    text = {name: json.dumps(value) if isinstance(value, (dict, bool)) else str(value) for name, value in fields.items()}
    text["after"] = str(first)
    response = {"multipart": lambda: client.post("/jobs", files={name: (None, value) for name, value in text.items()}),
                "urlencoded": lambda: client.post("/jobs", data=text), "json": lambda: client.post("/jobs", json=fields),
                "json with text": lambda: client.post("/jobs", json=text)}[kind]()
    assert response.status_code == 200, response.text
    job = client.job(response.json()["job_id"])
    assert (job["name"], job["labels"], job["experiment_id"], job["after"], job["held"], job["attempt"]) == (
        "a name", {"team": "vision"}, f"e-{kind}", [first], True, 1)
    assert job["meta"]["signal"] == "USR1@30" and job["array"] is None and job["requeued_from"] is None
    assert "MINE" not in json.dumps(job)
    client.post(f"/jobs/{job['job_id']}/cancel")


def test_variables_reach_the_job_byte_for_byte_and_nothing_else_does(client, site, toolbox, run_tool):
    canary = site.top / "canary-env"
    texts = [text for text in naughty.strings(canary) if "\0" not in text]
    wanted = {f"MINE_{number}": text for number, text in enumerate(texts)}
    job_id = run_tool("surroundings.py", env=json.dumps(wanted))
    client.wait(job_id)
    got = environment_of(client, job_id)
    for name, text in wanted.items():
        assert got[name.encode()] == text.encode(), name
    assert not canary.exists() and client.get("/health").json()["ok"] is True
    plain = run_tool("surroundings.py")
    client.wait(plain)
    assert set(got) - {name.encode() for name in wanted} == set(environment_of(client, plain))


@pytest.mark.parametrize("field,value", [
    ("env", "{"), ("env", "[]"), ("env", '{"PATH": "x"}'), ("env", '{"LD_PRELOAD": "x"}'), ("env", '{"SLURM_JOB_ID": "1"}'), ("env", '{"JR_PARAMS": "{}"}'),
    ("env", '{"1": "x"}'), ("env", '{"A": 1}'), ("env", '{"A": "\\u0000"}'), ("env", '{"A=B": "x"}'),
    ("labels", '{"a": 1}'), ("labels", '{"status": "x"}'), ("labels", '{"a:b": "c"}'), ("labels", "x"), ("labels", json.dumps({str(n): "" for n in range(33)})),
    ("name", "n" * 257), ("experiment_id", "e" * 257), ("array", ""), ("array", "0-"), ("array", "0-1000"), ("array", "1,1"), ("array", "0-3%0"),
    ("after", "x"), ("after", "999999999"), ("after", "1,,2"), ("after", "0"), ("signal", "TERM@60"), ("signal", "USR1@0"), ("signal", "nope"),
    ("webhook_url", "ftp://h/"), ("webhook_url", "x"), ("webhook_url", "http://127.0.0.1/"), ("webhook_url", "https://u:p@h/"),
    ("hold", "perhaps"), ("dry_run", "2")])
def test_a_bad_value_is_a_400_that_names_the_field(client, toolbox, field, value):
    response = client.post("/jobs", data={**GOOD, "dataset_sha": toolbox, field: value})
    assert response.status_code == 400 and field in response.json()["detail"], response.text


def test_the_manifest_then_the_field_then_the_parameters_name_the_experiment(client, toolbox, run_tool):
    field_and_params = client.submit(toolbox, params_json='{"experimentId": "params-e"}', experiment_id="field-e")
    params = client.submit(toolbox, params_json='{"experimentId": "params-e"}')
    text = json.dumps({"experimentId": "manifest-e", "outputs": [{"id": "one", "path": "one.txt"}]})
    manifest = run_tool("manifest.py", {"hex": text.encode().hex(), "experimentId": "params-e"}, experiment_id="field-e")
    nothing = client.submit(toolbox)
    for job_id, name in ((field_and_params, "field-e"), (params, "params-e"), (manifest, "manifest-e"), (nothing, f"job-{nothing}")):
        client.wait(job_id)
        client.wait_indexed(job_id)
        found = {output["experiment_id"] for output in client.outputs(job_id).values()}
        shown = client.job(job_id)["experiment_id"]
        assert found == {shown}, job_id
        assert shown == name
        assert job_id in [job["job_id"] for job in client.get("/jobs", params={"experiment_id": shown}).json()["jobs"]]


def test_a_job_waits_until_another_one_has_succeeded(client, toolbox, run_tool):
    first = run_tool("nap.py", {"seconds": 3})
    second = client.submit(toolbox, after=str(first))
    waiting = client.wait_state(second, {"PENDING"})
    assert waiting["after"] == [first]
    first_end, second_job = client.wait(first)["ended_at"], client.wait(second)
    assert second_job["started_at"] >= first_end[:19]


def test_a_job_whose_dependency_fails_never_starts_and_says_why(client, toolbox, run_tool):
    first = run_tool("nap.py", {"seconds": 2, "exit": 3})
    second = client.submit(toolbox, after=str(first))
    job = client.wait(second, state="CANCELLED")
    assert job["reason"] == f"never started: job {first}, which had to succeed first, is FAILED" and job["started_at"] is None
    response = client.post("/jobs", data={**GOOD, "dataset_sha": toolbox, "after": str(first)})
    assert response.status_code == 409 and "FAILED" in response.json()["detail"]


def test_a_warning_signal_reaches_the_command_before_the_time_limit(client, run_tool):
    job_id = run_tool("until_signal.py", {"seconds": 100}, time_limit="00:01:00", signal="USR1@50")
    client.wait(job_id, 110)
    assert client.get(f"/jobs/{job_id}/result").json()["signal"] == "SIGUSR1"


def test_a_failed_job_carries_its_last_lines_and_a_good_one_does_not(client, run_tool):
    failing, well = run_tool("nap.py", {"exit": 3}), run_tool("nap.py")
    job = client.wait(failing, state="FAILED")
    assert "napping" in job["log_tail"] and "JOB_END" in job["log_tail"]
    assert client.wait(well)["log_tail"] is None


def test_a_dry_run_says_what_would_happen_and_does_nothing(client, toolbox, site):
    before = {name: sorted(path.name for path in (site.root / name).iterdir()) for name in ("jobs", "results", "logs")}
    def newest():
        return [job["job_id"] for job in client.get("/jobs", params={"limit": 1}).json()["jobs"]]
    last = newest()
    response = client.post("/jobs", json={**GOOD, "dataset_sha": toolbox, "dry_run": True, "env": {"MINE": "a secret"}, "signal": "USR1@60", "array": "0-9%3"})
    assert response.status_code == 200, response.text
    plan = response.json()
    assert plan["dry_run"] is True and plan["missing"] == [] and plan["estimated_start"] and plan["tasks"] == 10
    assert plan["script"][0].endswith("sbatch") and "--signal=B:USR1@60" in plan["script"]
    assert {"MINE", "RESULT_DIR", "SLURM_ARRAY_TASK_ID", "JR_PARAMS"} <= set(plan["environment"])
    assert "a secret" not in response.text and plan["argv"]
    assert {name: sorted(path.name for path in (site.root / name).iterdir()) for name in before} == before
    assert newest() == last
    missing = client.post("/jobs", json={**GOOD, "dataset_sha": "0" * 64, "dry_run": 1}).json()
    assert "0" * 64 in missing["missing"][0]
    assert client.post("/jobs", json={**GOOD, "dataset_sha": toolbox, "cpus": 1000, "dry_run": 1}).status_code == 400


def test_a_dry_run_tells_what_slurm_would_refuse(client, toolbox, site):
    site.slurm.run("scontrol", "update", "PartitionName=main", "State=INACTIVE")
    try:
        plan = client.post("/jobs", json={**GOOD, "dataset_sha": toolbox, "dry_run": 1}).json()
        assert plan["missing"], plan
    finally:
        site.slurm.run("scontrol", "update", "PartitionName=main", "State=UP")
    site.wait_until(lambda: client.get("/health").json()["slurm"], 20, "health sees Slurm again")
