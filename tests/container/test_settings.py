"""Settings that cannot be are told in log and health, and the service works with what can be."""
import pytest
from harness import datasets

WRONG = {"JR_NUM_GPUS": "4", "JR_NUM_CPUS": "999", "JR_REAL_MEM_MB": "99999999", "JR_USE_CGROUPS": "1", "JR_MAX_TIME": "tomorrow",
         "JR_GPU_TYPE": "two words"}


def test_more_than_there_is_and_what_cannot_be_is_said_and_jobs_run_all_the_same(make_box):
    box = make_box(**WRONG).up()
    health = box.health()
    for name, value in WRONG.items():
        assert any(problem.startswith(f"{name}={value}") for problem in health["problems"]), (name, health)
        assert f"error: {name}={value}" in box.logs()
    assert health["ok"] and health["slurm"]
    with box.client() as client:
        node, = client.get("/cluster").json()["nodes"]
        assert node["gpus"]["total"] == 0 and 0 < node["cpus"]["total"] < 999 and node["mem_mb"]["total"] < 99999999
        sha = client.upload("one.txt", datasets.fresh())["sha256"]
        client.wait(client.submit(sha))
        refused = client.post("/jobs", data={"dataset_sha": sha, "command_key": "echo_params", "gpus": 1})
        assert refused.status_code == 400 and "gpus" in refused.json()["detail"]


def test_a_limit_of_the_container_is_what_the_node_has(make_box):
    box = make_box("--memory", "1g", JR_NUM_CPUS="1").up()
    with box.client() as client:
        node, = client.get("/cluster").json()["nodes"]
    assert (node["cpus"]["total"], node["mem_mb"]["total"]) == (1, 1024)
    assert box.health()["problems"] == []


def test_without_a_token_one_is_made_and_with_the_default_one_nobody_outside_is_served(make_box):
    box = make_box()
    del box.environment["JR_AUTH_TOKEN"]
    box.up()
    token = box.inside("cat", "/opt/jobrunner/auth_token").strip()
    assert len(token) == 64 and token not in box.logs()
    box.remove(keep_volume=True)
    box.environment["JR_AUTH_TOKEN"] = "change-me"
    box.start()
    with box.client() as client:
        def refused():
            try:
                return client.get("/health").status_code == 403
            except OSError:
                return False
        box.until(refused, "strangers get a 403")
        assert "JR_AUTH_TOKEN" in client.get("/health").json()["detail"]


PATIENT = b"""
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("told to go", flush=True), sys.exit(0)))
print("ready", flush=True)
time.sleep(300)
"""

HUNGRY = b"""
import json, os
cores = len(os.sched_getaffinity(0))
json.dump({"cores": cores}, open(os.environ["RESULT_DIR"] + "/cores.json", "w"))
kept = []
while True:
    kept.append(bytearray(64 << 20))
"""


def test_cgroups_keep_a_job_to_its_memory_and_its_cores_and_a_cancel_is_told(make_box):
    box = make_box("--privileged", JR_USE_CGROUPS="1").up()
    with box.client() as client:
        assert client.get("/cluster").json()["host"]["cgroups"]["used"] is True and box.health()["problems"] == []
        sha = client.upload("hungry.tar", datasets.tar({"hungry.py": HUNGRY}))["sha256"]
        job = client.submit(sha, "pytorch_infer", params_json='{"script": "hungry.py"}', mem_gb=1, cpus=1)
        ended = client.wait(job, state=None)
        assert ended["status"] == "OUT_OF_MEMORY", (ended, client.get(f"/jobs/{job}/log").text)
        assert client.file(job, "cores.json").json() == {"cores": 1}
        # Slurm signals its own child alone there: a command of several processes hears of a cancel all the same.
        sha = client.upload("patient.tar", datasets.tar({"patient.py": PATIENT}))["sha256"]
        job = client.submit(sha, "pytorch_infer", params_json='{"script": "patient.py"}', cpus=1)
        box.until(lambda: "ready" in client.get(f"/jobs/{job}/log").text, "the job catches signals")
        client.post(f"/jobs/{job}/cancel")
        assert client.wait(job, state=None)["status"] == "CANCELLED"
        assert "told to go" in client.get(f"/jobs/{job}/log").text


# An error tells a device that the job may not open from one that has no driver here.
PROBE = b"""
import errno, json, os
def opened(path):
    try:
        return os.close(os.open(path, os.O_RDWR))
    except OSError as e:
        return errno.errorcode[e.errno]
found = {path: opened(path) for path in ("/dev/nvidia0", "/dev/nvidia1", "/dev/null")}
json.dump({"found": found, "visible": os.environ.get("CUDA_VISIBLE_DEVICES")}, open(os.environ["RESULT_DIR"] + "/found.json", "w"))
"""


def test_cgroups_keep_a_job_to_the_gpus_it_asked_for(make_box):
    """Device files as the driver makes them; no driver answers behind them."""
    command = "for n in 0 1; do mknod -m 666 /dev/nvidia$n c 195 $n; done; exec /usr/local/share/jobrunner/entrypoint.sh"
    box = make_box("--privileged", "--entrypoint", "sh", command=("-c", command), JR_USE_CGROUPS="1").up()
    with box.client() as client:
        node, = client.get("/cluster").json()["nodes"]
        assert node["gpus"]["total"] == 2 and client.get("/cluster").json()["host"]["cgroups"]["used"] is True
        sha = client.upload("probe.tar", datasets.tar({"probe.py": PROBE}))["sha256"]
        for gpus, open_ones in ((0, 0), (1, 1), (2, 2)):
            job = client.submit(sha, "pytorch_infer", params_json='{"script": "probe.py"}', cpus=1, gpus=gpus)
            client.wait(job)
            seen = client.file(job, "found.json").json()
            assert seen["found"].pop("/dev/null") is None
            assert sorted(seen["found"].values()) == sorted(["ENXIO"] * open_ones + ["EPERM"] * (2 - open_ones)), (gpus, seen)
            assert len([word for word in (seen["visible"] or "").split(",") if word.isdigit()]) == gpus, seen


def test_jobs_run_without_any_network(make_box):
    box = make_box("--network", "none").start()
    box.until(lambda: '"slurm":true' in box.instance("health"), "Slurm takes jobs")
    step = "SLURM_CONF=/opt/jobrunner/slurm/slurm.conf setpriv --reuid=runner --regid=runner --clear-groups srun --mem=50 --chdir=/ id -un"
    assert box.inside("sh", "-c", step).strip() == "runner"


def test_a_root_that_cannot_be_ends_the_container_with_one_clear_line(make_box):
    box = make_box()
    out = box.cli("run", "--rm", *box.engine.run_options, "-e", "JR_ROOT=/etc", box.image, check=False)
    assert "error: JR_ROOT=/etc" in out and "Traceback" not in out


@pytest.mark.parametrize("options", [(), ("--privileged",)])
def test_as_one_program_of_another_images_supervisord(make_box, options):
    """supervisor-dropin.conf below Debian's own supervisord.conf: the same service, and it ends with the outer one."""
    conf = "/usr/local/share/jobrunner/supervisor-dropin.conf"
    command = f"cp {conf} /etc/supervisor/conf.d/jobrunner.conf && exec /usr/bin/supervisord -n -c /etc/supervisor/supervisord.conf"
    box = make_box(*options, "--entrypoint", "sh", command=("-c", command), JR_BIND="0.0.0.0").start()
    box.until(lambda: box.health().get("slurm"), "Slurm takes jobs")
    with box.client() as client:
        client.wait(client.submit(client.upload("one.txt", datasets.fresh())["sha256"]))
    took, _ = box.stop(20)
    assert took < 20
