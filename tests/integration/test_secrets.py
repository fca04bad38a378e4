"""No job sees the server's token or keys, and none lies about in files."""
import json
import os
import pathlib
import re
import time

import pytest

# What a job is given: its own three, what a program needs, and what Slurm says of the job.
OURS = {"DATASET_DIR", "RESULT_DIR", "JR_PARAMS", "PYTHONUNBUFFERED", "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "PWD", "OLDPWD", "SHLVL", "_", "TMPDIR", "TZ"}
SLURMS = ("SLURM_", "SLURMD_", "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK", "ENVIRONMENT", "HOSTNAME")


def names(environment):
    return {entry.split(b"=", 1)[0].decode() for entry in environment.split(b"\0") if entry}


@pytest.fixture(scope="module")
def surroundings(site, toolbox):
    """A job that wrote down what it was given, with srun inside."""
    if not site.server.alive():
        site.server.start()
    with site.client() as client:
        text = json.dumps({"script": "surroundings.py", "args": ["srun"]})
        job_id = client.submit(toolbox, "pytorch_infer", params_json=text, gpus=1)
        client.wait(job_id)
        return job_id


def test_the_environment_holds_nothing_but_the_allowed(client, surroundings):
    found = names(client.file(surroundings, "environ").content)
    assert {"DATASET_DIR", "RESULT_DIR", "JR_PARAMS", "PYTHONUNBUFFERED", "PATH", "SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES"} <= found
    assert {name for name in found if name not in OURS and not name.startswith(SLURMS)} == set()
    assert {name for name in found if name.startswith("JR_")} == {"JR_PARAMS"}
    assert "SLURM_EXPORT_ENV" not in found


def test_srun_works_inside_a_job_and_sees_no_more(client, surroundings):
    error = client.file(surroundings, "srun.err").text
    assert error.startswith("0\n"), error
    found = names(client.file(surroundings, "srun").content)
    assert "DATASET_DIR" in found
    extra = {name for name in found if name not in OURS and not name.startswith((*SLURMS, "SRUN_", "PMI"))}
    assert extra == set()


def test_a_job_runs_as_its_own_user_in_the_dataset(client, surroundings, site, toolbox):
    facts = client.file(surroundings, "facts.json").json()
    assert facts["cwd"] == str(site.root / "datasets" / toolbox)
    assert facts["uid"] == site.job_uid
    if os.geteuid() == 0:
        assert facts["uid"] not in (0, (site.root / "jr_slurm.db").stat().st_uid) and 0 not in facts["groups"]


def test_a_job_has_no_descriptor_of_the_server(client, surroundings):
    facts = client.file(surroundings, "facts.json").json()
    extra = {number: target for number, target in facts["descriptors"].items() if int(number) > 2 and "surroundings" not in target and not target.endswith("/run/lock") and "/fd" not in target}
    assert extra == {}, facts["descriptors"]


def test_a_hunter_in_proc_finds_no_token(client, site, toolbox, run_tool):
    hunter = run_tool("hunt.py", {"seconds": 10, "prefix": list(site.secret_prefix)})
    client.wait_state(hunter, {"RUNNING"})
    jobs = []
    for _ in range(30):
        jobs.append(client.submit(toolbox))
        time.sleep(0.1)
    for job_id in jobs:
        client.post(f"/jobs/{job_id}/cancel")
    client.wait(hunter)
    report = client.file(hunter, "hunt.json").json()
    assert report["looks"] > 100
    if os.geteuid() == 0:  # where all is one user, the server's own environment is for all to see: it says so
        assert report["hits"] == []
    for job_id in jobs:
        client.wait(job_id, state=None)


def test_the_children_of_the_server_hold_no_secret(server, site):
    # The launchers were forked from a process that knew the token.
    for pid in descendants(server.pid):
        for name in ("environ", "cmdline"):
            data = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            assert site.secret_prefix.encode() not in data, f"{pid}/{name}"


def test_the_servers_own_environment_is_wiped(server, site):
    environment = pathlib.Path(f"/proc/{server.pid}/environ").read_bytes()
    assert site.token.encode() not in environment
    assert site.server.environment["JR_B2_APP_KEY"].encode() not in environment


@pytest.mark.skipif(os.geteuid() != 0, reason="all is one user here")
def test_the_server_is_not_root_and_dumps_no_core(server, site):
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{server.pid}/status").read_text().splitlines() if ":\t" in line)
    assert "0" not in status["Uid"].split() and "0" not in status["Gid"].split()
    assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
    limits = pathlib.Path(f"/proc/{server.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M), limits
    assert (site.root / "jr_slurm.db").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="all is one user here")
def test_a_job_can_neither_change_its_dataset_nor_read_the_servers_files(client, site, run_tool):
    forbidden = [site.root / name for name in ("jr_slurm.db", "auth_token", "webhook_secret", "run/server.json", "datasets/.staging", "slurm/munge/key", "slurm/state")]
    job_id = run_tool("reach.py", {"forbidden": [str(path) for path in forbidden if path.exists()]})
    client.wait(job_id)
    assert client.file(job_id, "reach.json").json()["done"] == []


def test_the_token_is_in_no_file_but_its_own(client, site, server, anonymous):
    anonymous.get("/jobs/1", headers={"Authorization": f"Bearer {site.token}x"})
    anonymous.get("/jobs/1", params={"token": site.token})
    found = []
    for path in [*site.root.rglob("*"), site.server.log_path, site.slurm.log]:
        if path.is_file() and not path.is_symlink() and path.name not in ("auth_token", "server.json") and path.stat().st_size < 1 << 26:
            if site.token.encode() in path.read_bytes():
                found.append(str(path))
    assert found == []


def descendants(pid):
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, unseen = [], [pid]
    while unseen:
        unseen += (below := children.get(unseen.pop(), []))
        found += below
    return found
