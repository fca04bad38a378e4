"""GET /jobs: each filter, pages that miss and repeat nothing, and a table that is long."""
import json
import secrets
import sqlite3
import time

import pytest


@pytest.fixture(scope="module")
def mark():
    return secrets.token_hex(6)


@pytest.fixture(scope="module")
def three(site, toolbox, mark):
    """Three jobs that ended: two that succeeded, with names and labels, and one that failed."""
    with site.client() as client:
        first = client.submit(toolbox, name=f"n-{mark}", labels=json.dumps({"set": mark, "k": "v:w x"}))
        second = client.submit(toolbox, "pytorch_infer", params_json=json.dumps({"script": "nap.py", "args": [], "exit": 3}), labels=json.dumps({"set": mark}),
                               experiment_id=f"e-{mark}")
        third = client.submit(toolbox, labels=json.dumps({"set": mark}))
        for job_id in (first, second, third):
            client.wait(job_id, state=None)
            client.wait_indexed(job_id)
    return [first, second, third]


def listed(client, **params):
    """Ids over all pages."""
    found, cursor = [], None
    while True:
        response = client.get("/jobs", params={**params, **({"cursor": cursor} if cursor else {})})
        assert response.status_code == 200, response.text
        found += [job["job_id"] for job in response.json()["jobs"]]
        cursor = response.json()["next_cursor"]
        if not cursor:
            return found


def test_each_filter_leaves_what_it_names(client, three, mark, toolbox):
    first, second, third = three
    label = f"set:{mark}"
    assert listed(client, label=label) == [third, second, first]
    assert listed(client, label="k:v:w x") == [first]
    assert listed(client, name=f"n-{mark}") == [first]
    assert listed(client, experiment_id=f"e-{mark}") == [second]
    assert listed(client, label=label, status="FAILED") == [second]
    assert listed(client, label=label, command_key="echo_params") == [third, first]
    assert listed(client, label=label, command_key="echo_params", status="FAILED") == []
    assert set(three) <= set(listed(client, dataset_sha=toolbox.upper()))
    assert listed(client, label=label, dataset_sha="0" * 64) == []
    assert first in listed(client, status="COMPLETED") and first not in listed(client, status="FAILED")


def test_since_and_until_bound_the_time_of_creation(client, three, mark):
    first, second, third = three
    created = client.job(second)["meta"]["created_at"]
    label = f"set:{mark}"
    assert listed(client, label=label, since=created) == [third, second]
    assert listed(client, label=label, until=created) == [first]
    assert second in listed(client, since=created) and second not in listed(client, until=created)
    assert listed(client, label=label, since="0", until="1") == []


def test_pages_of_any_size_hold_every_job_once(client, three):
    whole = listed(client, limit=1000)
    assert len(whole) >= 3 and len(set(whole)) == len(whole)
    for limit in (1, 2, 7):
        assert listed(client, limit=limit) == whole


def test_a_job_that_comes_meanwhile_shifts_no_page(client, toolbox, three):
    page = client.get("/jobs", params={"limit": 2}).json()
    seen = [job["job_id"] for job in page["jobs"]]
    new = client.submit(toolbox)
    cursor = page["next_cursor"]
    rest = [job["job_id"] for job in client.get("/jobs", params={"cursor": cursor, "limit": 1000}).json()["jobs"]]
    assert new not in rest and not set(seen) & set(rest) and set(three) <= set(seen + rest)
    client.wait(new)


@pytest.mark.parametrize("name,value", [("limit", "0"), ("limit", "1001"), ("limit", "x"), ("cursor", "x"), ("cursor", "1-0"), ("since", "yesterday"), ("since", ""),
                                        ("until", "2026-02-30T00:00:00Z"), ("label", "x"), ("label", ":x"), ("color", "red")])
def test_a_bad_parameter_is_a_400_that_names_it(client, name, value):
    response = client.get("/jobs", params={name: value})
    assert response.status_code == 400 and name in response.json()["detail"], response.text


@pytest.mark.slow
def test_a_list_of_many_is_as_quick_as_one_of_few(site, toolbox):
    """200,000 jobs that somebody ran before: the list answers from its indexes."""
    server = site.another_server("long-list")
    server.start()
    server.stop()
    root = site.top / "long-list"
    db = sqlite3.connect(root / "jr_slurm.db")
    with db:
        db.execute("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200000) "
                   "INSERT INTO jobs(uuid, job_id, slurm_id, dataset_sha, command_key, params_json, result_dir, log_path, gpus, cpus, mem_mb, time_limit_s, "
                   "state, done, indexed, cancel_requested, seq, reason, node, created_at, name) SELECT 'x' || i, i, i, 'd', 'echo_params', '{}', '/r', 'l', 0, 1, "
                   "1024, 60, CASE WHEN i = 5 THEN 'FAILED' ELSE 'COMPLETED' END, 1, 1, 0, 1, '', '', i, CASE WHEN i = 7 THEN 'seven' ELSE '' END FROM c")
    db.close()
    server.start()
    try:
        with site.client(server) as client:
            assert [job["job_id"] for job in client.get("/jobs", params={"limit": 2}).json()["jobs"]] == [200000, 199999]
            assert listed(client, name="seven") == [7] and listed(client, status="FAILED") == [5]
            started = time.monotonic()
            for _ in range(20):
                client.get("/jobs", params={"command_key": "echo_params", "until": "100", "limit": 10})
            few = time.monotonic() - started
            assert few < 20, few
    finally:
        server.stop()
