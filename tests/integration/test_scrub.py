"""Bit rot is found, said, and no job runs on it; and what a job left becomes a dataset."""
import os
import subprocess

import pytest
from harness import datasets


def flip(path):
    """One byte on the disk, whoever owns the file."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    path.chmod(mode)


def scrubbed(client, site, sha):
    before = client.get(f"/datasets/{sha}").json()["checked_at"]
    response = client.post(f"/datasets/{sha}/scrub")
    assert response.status_code == 202 and response.headers["Location"] == f"/datasets/{sha}"
    site.wait_until(lambda: client.get(f"/datasets/{sha}").json()["checked_at"] != before, 60, "the scrub is over")
    return client.get(f"/datasets/{sha}").json()["damage"]


def submit(client, sha):
    return client.post("/jobs", data={"dataset_sha": sha, "command_key": "echo_params", "gpus": 0, "cpus": 1, "mem_gb": 1})


@pytest.mark.skipif(os.geteuid() != 0, reason="the files are another user's")
def test_a_flipped_byte_is_found_and_no_job_runs_on_it_until_it_is_uploaded_again(client, server, site):
    content = datasets.tar({"d/a": datasets.fresh(1000), "d/b": datasets.fresh(2000)})
    sha = client.upload("set.tar", content)["sha256"]
    client.patch(f"/datasets/{sha}", data={"tags": "kept", "pinned": "true"})
    assert scrubbed(client, site, sha) is None
    flip(site.root / "datasets" / sha / "d" / "b")
    damage = scrubbed(client, site, sha)
    assert '"d/b" has other bytes' in damage
    refused = submit(client, sha)
    assert refused.status_code == 409 and "d/b" in refused.json()["detail"]
    server.kill()
    server.start()
    with site.client() as again:
        assert submit(again, sha).status_code == 409, "what was found is kept"
        again.upload("set.tar", content)
        shown = again.get(f"/datasets/{sha}").json()
        assert (shown["damage"], shown["tags"], shown["pinned"]) == (None, ["kept"], True)
        assert scrubbed(again, site, sha) is None
        again.wait(submit(again, sha).json()["job_id"])


@pytest.mark.skipif(os.geteuid() != 0, reason="the files are another user's")
def test_a_plain_file_is_looked_at_too_and_without_being_asked(site):
    server = site.another_server("scrubbing", JR_AUTH_TOKEN=site.token)
    server.environment.update(JR_SCRUB_EVERY_S="1", JR_AUTH_TOKEN=site.token)
    server.start()
    try:
        with site.client(server) as client:
            answer = client.upload("plain.bin", datasets.fresh(5000))
            shown = lambda: client.get(f"/datasets/{answer['sha256']}").json()  # noqa: E731
            site.wait_until(lambda: shown()["checked_at"], 30, "it was looked at")
            assert shown()["damage"] is None
            flip(site.top / "scrubbing" / answer["stored_path"])
            site.wait_until(lambda: shown()["damage"], 30, "the flipped byte is found")
            # Damaged, it is received anew.
            content_type = {"Content-Type": "application/octet-stream"}
            response = client.put(f"/datasets/{answer['sha256']}", params={"filename": "plain.bin"}, data=b"other", headers=content_type)
            assert response.status_code == 400, "it is read, and has another hash"
    finally:
        server.stop()


def test_what_a_job_left_becomes_a_dataset_that_the_job_s_user_cannot_change(client, site, run_tool):
    job_id = run_tool("many.py", {"count": 20, "big": 100_000})
    assert client.post("/datasets/from_job", data={"job_id": job_id}).status_code in (200, 409)
    client.wait(job_id)
    response = client.post("/datasets/from_job", data={"job_id": job_id})
    assert response.status_code == 200, response.text
    folder = site.root / response.json()["stored_path"]
    result = client.job(job_id)["meta"]["result_dir"]
    made = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    left = subprocess.run(["find", result, "-type", "f", "-printf", "%P\n"], capture_output=True, text=True).stdout.split("\n")[:-1]
    assert sorted(made) == sorted(left)
    for name, path in made.items():
        assert path.stat().st_ino != os.stat(f"{result}/{name}").st_ino, "the same file under two names could be changed by its owner"
        assert path.stat().st_uid != site.job_uid or os.geteuid() != 0
        assert path.stat().st_mode & 0o222 == 0
        assert path.read_bytes() == open(f"{result}/{name}", "rb").read()
    sums = "".join(f"{datasets.sha256(made[name].read_bytes())} {made[name].stat().st_size} {name}\n" for name in sorted(made, key=str.encode))
    assert response.json()["sha256"] == datasets.sha256(sums.encode()), "that of the list of its files"
    assert client.post("/datasets/from_job", json={"job_id": job_id}).json() == response.json(), "the same again"
    client.wait(submit(client, response.json()["sha256"]).json()["job_id"])


def test_only_some_of_them_and_none_of_a_job_that_is_not_there(client, run_tool):
    job_id = run_tool("many.py", {"count": 12})
    client.wait(job_id)
    assert client.post("/datasets/from_job", data={"job_id": job_id, "prefix": "none/"}).status_code == 404
    assert client.post("/datasets/from_job", data={"job_id": 999999999}).status_code == 404
    for fields in ({}, {"job_id": "x"}, {"job_id": job_id, "all": "1"}):
        assert client.post("/datasets/from_job", data=fields).status_code == 400


def test_links_that_a_job_left_are_not_taken(client, site, run_tool):
    job_id = run_tool("leave.py", {"canary": str(site.root / "auth_token"), "database": str(site.root / "jr_slurm.db")})
    client.wait(job_id)
    response = client.post("/datasets/from_job", data={"job_id": job_id})
    assert response.status_code == 422 and "name" in response.json()["detail"], "there are names with newlines"
    response = client.post("/datasets/from_job", data={"job_id": job_id, "prefix": "folder/"})
    assert response.status_code == 200, response.text
    found = [str(path.relative_to(site.root / response.json()["stored_path"])) for path in (site.root / response.json()["stored_path"]).rglob("*")]
    assert sorted(found) == ["folder", "folder/deep", "folder/deep/inner.txt"]
    assert client.post("/datasets/from_job", data={"job_id": job_id, "prefix": "link_"}).status_code == 404, "links are no files"
