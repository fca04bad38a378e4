"""Datasets once they are there: listed, shown with their files, tagged, pinned, removed, stored without extraction."""
import concurrent.futures
import secrets
import time

import pytest
from harness import datasets


def tag():
    return "t" + secrets.token_hex(6)


def put(client, content, name="data.bin", **query):
    return client.put(f"/datasets/{datasets.sha256(content)}", params={"filename": name, **query}, data=content)


def page_through(client, **params):
    found, cursor = [], None
    while True:
        page = client.get("/datasets", params={**params, **({"cursor": cursor} if cursor else {})}).json()
        found.append([one["sha256"] for one in page["datasets"]])
        cursor = page["next_cursor"]
        if not cursor:
            return found


def test_the_list_is_newest_first_and_its_pages_join_without_gap_or_double(client):
    made = []
    for _ in range(7):
        made.append(client.upload("x.bin", datasets.fresh())["sha256"])
    everything = page_through(client, limit=1000)[0]
    assert everything[:7] == made[::-1]
    pages = page_through(client, limit=3)
    assert [sha for page in pages for sha in page] == everything
    assert all(len(page) == 3 for page in pages[:-1])


def test_tags_filter_the_list_and_outlive_a_restart(client, server, site):
    mine, shas = tag(), [client.upload("x.bin", datasets.fresh())["sha256"] for _ in range(3)]
    for sha in shas[:2]:
        answer = client.patch(f"/datasets/{sha}", json={"tags": f" {mine}, b,a ,a", "note": "ä\nnote", "pinned": True})
        assert answer.status_code == 200
        assert (answer.json()["tags"], answer.json()["note"], answer.json()["pinned"]) == (sorted(["a", "b", mine]), "ä\nnote", True)
    assert page_through(client, tag=mine, limit=1) == [[shas[1]], [shas[0]]]
    server.kill()
    server.start()
    with site.client() as again:
        assert page_through(again, tag=mine) == [shas[1::-1]]
        shown = again.get(f"/datasets/{shas[0]}").json()
        assert (shown["note"], shown["pinned"]) == ("ä\nnote", True)
        assert again.patch(f"/datasets/{shas[0]}", data={"tags": ""}).json()["tags"] == []
        assert again.get(f"/datasets/{shas[0]}").json()["pinned"] is True, "what is left out stays"
        assert page_through(again, tag=mine) == [[shas[1]]]


@pytest.mark.parametrize("fields", [{}, {"pinned": "maybe"}, {"tags": "x" * 65}, {"tags": "a\x01b"}, {"note": "n" * 5000}, {"name": "x"},
                                    {"tags": ",".join(map(str, range(40)))}])
def test_a_change_that_is_none_is_a_400(client, toolbox, fields):
    assert client.patch(f"/datasets/{toolbox}", data=fields).status_code == 400


def test_what_is_not_there_is_a_404(client):
    for method in ("GET", "HEAD", "DELETE"):
        assert client.request(method, f"/datasets/{'0' * 64}").status_code == 404
    assert client.patch(f"/datasets/{'0' * 64}", data={"note": "x"}).status_code == 404
    assert client.get("/datasets/nonsense").status_code == 404


@pytest.mark.parametrize("cursor", ["x", "1.", "1.zz", "." + "0" * 64, "-"])
def test_a_cursor_of_nobody_s_is_a_400(client, toolbox, cursor):
    assert client.get("/datasets", params={"cursor": cursor}).status_code == 400
    assert client.get(f"/datasets/{toolbox}", params={"cursor": cursor}).status_code == 400
    assert client.get(f"/datasets/{toolbox}", params={"cursor": 5}).status_code == 400


@pytest.mark.parametrize("name,content", [pair for pair in datasets.every_archive({f"d{n}/f{n}": bytes([n]) * n * 100 for n in range(30)})
                                          if pair[0] in ("set.tar", "set.tar.xz", "set.zip")], ids=lambda value: value if isinstance(value, str) else "")
def test_the_files_of_an_archive_are_shown_with_their_hashes_page_by_page(client, name, content):
    sha = client.upload(name, content)["sha256"]
    found, cursor = [], None
    while True:
        page = client.get(f"/datasets/{sha}", params={"limit": 7, **({"cursor": cursor} if cursor else {})}).json()
        found += page["files"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    wanted = [{"path": f"d{n}/f{n}", "bytes": n * 100, "sha256": datasets.sha256(bytes([n]) * n * 100)} for n in range(30)]
    assert found == wanted


def test_a_plain_file_is_its_own_list(client):
    content = datasets.fresh(1000)
    sha = client.upload("weights v2.bin", content)["sha256"]
    shown = client.get(f"/datasets/{sha}").json()
    assert shown["files"] == [{"path": "weights v2.bin", "bytes": 1000, "sha256": sha}]
    assert shown["next_cursor"] is None and shown["damage"] is None


def test_a_removed_dataset_is_gone_with_its_files_and_can_come_again(client, site):
    content = datasets.tar({"d/f": datasets.fresh()})
    sha = client.upload("a.tar", content)["sha256"]
    assert client.delete(f"/datasets/{sha}").status_code == 204
    assert client.get(f"/datasets/exists/{sha}").json() == {"exists": False}
    assert client.delete(f"/datasets/{sha}").status_code == 404
    folder = site.root / "datasets"
    assert not (folder / sha).exists() and not (folder / ".files" / sha).exists()
    site.nothing_staged()
    assert client.post("/jobs", data={"dataset_sha": sha, "command_key": "echo_params"}).status_code == 404
    assert client.upload("a.tar", content)["sha256"] == sha
    assert client.get(f"/datasets/{sha}").json()["files"][0]["path"] == "d/f"


def test_a_dataset_that_a_job_needs_cannot_be_removed_until_that_is_done(client, run_tool, toolbox):
    job_id = run_tool("nap.py", {"seconds": 60})
    response = client.delete(f"/datasets/{toolbox}")
    assert response.status_code == 409 and "job" in response.json()["detail"]
    assert client.get(f"/datasets/exists/{toolbox}").json()["exists"] is True
    client.post(f"/jobs/{job_id}/cancel")
    client.wait(job_id, state=None)


def test_of_a_removal_and_a_submit_at_once_one_wins_and_no_job_loses_its_dataset(client, site):
    """Whoever comes first: either the job is refused, or the dataset stays until the job has read it."""
    refused = kept = 0
    for _ in range(12):
        sha = client.upload("race.bin", datasets.fresh())["sha256"]

        def submit():
            with site.client() as other:
                return other.post("/jobs", data={"dataset_sha": sha, "command_key": "echo_params", "gpus": 0, "cpus": 1, "mem_gb": 1})

        def remove():
            with site.client() as other:
                return other.delete(f"/datasets/{sha}")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            job, gone = pool.submit(submit), pool.submit(remove)
        job, gone = job.result(), gone.result()
        assert (job.status_code, gone.status_code) in {(200, 409), (404, 204), (200, 204)}, (job.text, gone.text)
        if job.status_code == 200:
            ended = client.wait(job.json()["job_id"], state=None)
            # Removed behind an accepted job only when that was done already.
            assert ended["status"] == "COMPLETED", ended["reason"]
            kept += 1
        else:
            refused += 1
    print(f"{kept} jobs kept their dataset, {refused} were refused")


@pytest.mark.parametrize("how", ["form", "put"])
def test_an_archive_that_is_not_to_be_extracted_stays_one_file(client, site, how):
    content = datasets.tar({"f": datasets.fresh()})
    sha = datasets.sha256(content)
    if how == "form":
        response = client.post("/datasets/upload", files=[("extract", (None, "false")), ("file", ("whole.tar", content))])
    else:
        response = put(client, content, "whole.tar", extract="false")
    assert response.status_code in (200, 201), response.text
    assert response.json()["stored_path"] == f"datasets/{sha}/whole.tar"
    assert (site.root / response.json()["stored_path"]).read_bytes() == content


def test_extract_after_the_file_or_with_nonsense_is_a_400(client):
    content = datasets.tar({"f": datasets.fresh()})
    for fields in ([("file", ("a.tar", content)), ("extract", (None, "false"))], [("extract", (None, "perhaps")), ("file", ("a.tar", content))]):
        assert client.post("/datasets/upload", files=fields).status_code == 400


def test_used_at_moves_with_a_look(client):
    sha = client.upload("x.bin", datasets.fresh())["sha256"]
    before = client.get(f"/datasets/{sha}").json()["used_at"]
    time.sleep(0.01)
    assert client.head(f"/datasets/{sha}").status_code == 200
    assert client.get("/datasets", params={"limit": 1}).json()["datasets"][0]["used_at"] > before


def test_above_the_limit_the_least_recently_used_goes_and_its_space_is_given_back(site):
    server = site.another_server("limited")
    server.environment.update(JR_MAX_DATASET_BYTES="350000", JR_AUTH_TOKEN=site.token)
    server.start()
    try:
        with site.client(server) as client:
            def there(sha):
                return sha in {one["sha256"] for one in client.get("/datasets").json()["datasets"]}
            old, used, pinned = (client.upload("x.bin", datasets.fresh(100_000))["sha256"] for _ in range(3))
            client.patch(f"/datasets/{pinned}", data={"pinned": "true"})
            for sha in (pinned, used):
                assert client.get(f"/datasets/exists/{sha}").json()["exists"] is True
            fourth = client.upload("x.bin", datasets.fresh(100_000))["sha256"]
            assert [there(sha) for sha in (old, used, pinned, fourth)] == [False, True, True, True]
            folder = site.top / "limited" / "datasets"
            site.wait_until(lambda: not list((folder / ".staging").iterdir()), 20, "the space is given back")
            assert not (folder / old).exists()
            content = datasets.fresh(300_000)
            response = client.put(f"/datasets/{datasets.sha256(content)}", params={"filename": "x"}, data=content)
            assert response.status_code == 507 and "JR_MAX_DATASET_BYTES" in response.json()["detail"], "the pinned one stays"
            assert there(used) and there(pinned), "nothing goes for what is refused"
    finally:
        server.stop()
