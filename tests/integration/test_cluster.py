"""GET /cluster: what there is, what of it is free, and what the host allows; and who is let in with X-API-Key."""
import requests


def amounts(client):
    node, = client.get("/cluster").json()["nodes"]
    return node


def test_it_shows_the_node_as_slurm_knows_it(client, site):
    seen = client.get("/cluster").json()
    node, = seen["nodes"]
    assert seen["slurm"] is True and seen["problems"] == []
    assert (node["name"], node["gpus"]["total"], node["cpus"]["total"], node["gpu_type"]) == (site.slurm.node, 2, 8, "nvidia")
    assert node["mem_mb"]["total"] == site.about["memory_mb"]
    main, = seen["partitions"]
    assert (main["name"], main["state"], main["default"], main["max_time"]) == ("main", "UP", True, "7-00:00:00")


def test_what_a_running_job_has_is_not_free(client, site, toolbox, run_tool):
    def used():
        node = amounts(client)
        assert all(node[kind]["free"] == node[kind]["total"] - node[kind]["used"] for kind in ("gpus", "cpus", "mem_mb"))
        return node["gpus"]["used"], node["cpus"]["used"], node["mem_mb"]["used"]
    site.wait_until(lambda: used() == (0, 0, 0), 30, "nothing runs")
    job = run_tool("nap.py", {"seconds": 60}, gpus=1, cpus=2, mem_gb=1)
    client.wait_state(job, {"RUNNING"})
    site.wait_until(lambda: used() == (1, 2, 1024), 10, "the job's share is used")
    client.post(f"/jobs/{job}/cancel")
    site.wait_until(lambda: used() == (0, 0, 0), 30, "it is free again")


def test_it_tells_the_disk_and_what_the_host_allows(client, site):
    seen = client.get("/cluster").json()
    assert 0 < seen["disk"]["free_bytes"] <= seen["disk"]["total_bytes"] and seen["disk"]["kept_free_bytes"] == 1 << 20
    host = seen["host"]
    assert host["gpus"] == {"usable": False, "problem": host["gpus"]["problem"], "names": [], "simulated": True}
    assert host["ports"]["api"] == {"address": "127.0.0.1", "port": site.about["port"]}
    for thing in ("cgroups", "fuse"):
        assert (host[thing]["problem"] is None) == host[thing]["usable"]


def test_it_answers_without_nodes_while_slurm_is_down(client, site):
    site.slurm.stop_controller()
    try:
        site.wait_until(lambda: not client.get("/health").json()["slurm"], 40, "health sees that Slurm is down")
        seen = client.get("/cluster").json()
        assert seen["slurm"] is False and seen["nodes"] == [] and seen["disk"]["total_bytes"] > 0
        assert "Slurm does not answer" in seen["problems"][0]
    finally:
        site.slurm.start_controller()
        site.wait_until(lambda: client.get("/health").json()["slurm"], 40, "health sees Slurm again")


def test_a_node_that_takes_no_jobs_is_a_problem_in_health(client, site):
    site.slurm.run("scontrol", "update", f"NodeName={site.slurm.node}", "State=DRAIN", "Reason=being repaired")
    client.get("/cluster")  # asks Slurm at once
    try:
        def told():
            client.get("/cluster")
            return any("being repaired" in problem and "DRAIN" in problem for problem in client.get("/health").json()["problems"])
        site.wait_until(told, 10, "health tells")
    finally:
        site.slurm.run("scontrol", "update", f"NodeName={site.slurm.node}", "State=RESUME")
    site.wait_until(lambda: not client.get("/health").json()["problems"], 20, "health is well again, by itself")


def test_the_token_may_come_as_an_api_key_and_only_the_right_one(server, site):
    def code(**headers):
        session = requests.Session()
        session.trust_env = False
        return session.get(server.base + "/jobs/999999999", headers={k.replace("_", "-"): v for k, v in headers.items()}, timeout=10).status_code
    assert code(X_API_Key=site.token) == 404
    assert code(X_API_Key=site.token, Authorization="Basic dXNlcjpwYXNz") == 404
    assert code(X_API_Key=site.token, Authorization=f"Bearer {site.token}") == 404
    assert code(X_API_Key=site.token[:-1]) == code(X_API_Key="") == 401
    assert code(X_API_Key="other", Authorization=f"Bearer {site.token}") == 401
    assert code(X_API_Key=site.token, Authorization="Bearer other") == 401


def test_nodes_and_partitions_are_looked_at_by_turns_one_command_each(site):
    """Where nothing happens: the queue ten times, then the nodes; the queue ten times, then the partitions."""
    folder, started = site.top / "counted", site.top / "started"
    folder.mkdir(exist_ok=True)
    started.write_text("")
    started.chmod(0o666)
    for name in ("squeue", "sacct", "scancel", "sbatch", "scontrol"):
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{started}\nexec /usr/bin/{name} "$@"\n')
        (folder / name).chmod(0o755)
    folder.chmod(0o755)
    other = site.another_server("counted-root", JR_POLL_INTERVAL_MS="100")
    other.environment["JR_SLURM_BIN"] = str(folder)

    def looks():
        """Since the first at both, by which it knows of Slurm."""
        kinds = [next((kind for kind in ("show config", "show node", "show partition") if kind in line), "squeue") for line in started.read_text().splitlines()]
        kinds = [kind for kind in kinds if kind != "show config"]
        return kinds[kinds.index("show partition") + 1:] if "show partition" in kinds else []
    other.start()
    try:
        site.wait_until(lambda: sum(kind != "squeue" for kind in looks()) >= 4, 60, "four turns")
    finally:
        other.stop()
    places = [place for place, kind in enumerate(looks()) if kind != "squeue"]
    assert all(later - earlier > 10 for earlier, later in zip(places, places[1:])), looks()
    turns = [looks()[place] for place in places]
    assert all(earlier != later for earlier, later in zip(turns, turns[1:])), turns
