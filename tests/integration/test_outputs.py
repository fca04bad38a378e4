"""What a job left is indexed without being asked, listed by job and by experiment, page by page."""
import json

import pytest


@pytest.fixture(scope="module")
def many(site, toolbox):
    """A job with 250 small files and a big one."""
    if not site.server.alive():
        site.server.start()
    with site.client() as client:
        text = json.dumps({"script": "many.py", "args": [], "count": 250, "big": 300_000, "experimentId": "many-files"})
        job_id = client.submit(toolbox, "pytorch_infer", params_json=text)
        client.wait(job_id)
        client.wait_indexed(job_id)
        return job_id


def walk(client, path, **params):
    """All pages of a list."""
    found, cursor = [], None
    while True:
        answer = client.get(path, params={**params, **({"cursor": cursor} if cursor else {})}).json()
        found += answer["outputs"]
        cursor = answer["next_cursor"]
        if cursor is None:
            return found
        assert len(found) < 5000


def test_a_job_is_indexed_without_being_asked(client, toolbox):
    job_id = client.submit(toolbox)
    client.wait(job_id)
    client.wait_indexed(job_id)
    outputs = client.outputs(job_id)
    assert outputs["result.json"]["kind"] == "result" and outputs["result.json"]["experiment_id"] == f"job-{job_id}"
    size = len(client.file(job_id, "result.json").content)
    assert outputs["result.json"]["bytes"] == size


def test_the_experiment_is_named_by_the_parameters(client, many):
    assert {output["experiment_id"] for output in client.outputs(many).values()} == {"many-files"}


def test_ids_are_names_without_endings_and_unique(client, many):
    outputs = client.outputs(many)
    assert outputs["part000/file00007.txt"]["output_id"] == "file00007"
    assert len({output["output_id"] for output in outputs.values()}) == len(outputs) >= 251


def test_pages_hold_everything_once(client, many):
    whole = {output["path"] for output in client.get(f"/outputs/by_job/{many}", params={"limit": 1000}).json()["outputs"]}
    for limit in (1, 7, 100) if len(whole) < 300 else (100,):
        paths = [output["path"] for output in walk(client, f"/outputs/by_job/{many}", limit=limit)]
        assert len(paths) == len(set(paths)) and set(paths) == whole
    paths = [output["path"] for output in walk(client, "/outputs", experiment_id="many-files", limit=60)]
    assert sorted(paths) == sorted(whole)


def test_the_default_page_has_a_hundred(client, many):
    answer = client.get(f"/outputs/by_job/{many}").json()
    assert len(answer["outputs"]) == 100 and answer["next_cursor"]
    assert answer["job_id"] == many and answer["result_dir"].startswith("/")


def test_a_list_is_newest_first(client, toolbox):
    first = client.submit(toolbox)
    client.wait(first)
    client.wait_indexed(first)
    second = client.submit(toolbox)
    client.wait(second)
    client.wait_indexed(second)
    ids = [output["job_id"] for output in client.get("/outputs", params={"limit": 50}).json()["outputs"]]
    assert ids.index(second) < ids.index(first)


def test_a_prefix_is_text_and_no_pattern(client, many):
    assert len(walk(client, "/outputs", experiment_id="many-files", prefix="part001/")) == 100
    assert [o["path"] for o in walk(client, "/outputs", experiment_id="many-files", prefix="big.bi")] == ["big.bin"]
    for prefix in ("%", "_", "part00_/", "PART", "*", "part001/file00100.txt ", "x"):
        assert walk(client, "/outputs", experiment_id="many-files", prefix=prefix) == []


def test_an_unknown_experiment_is_an_empty_list(client):
    assert client.get("/outputs", params={"experiment_id": "nobody's"}).json() == {"outputs": [], "next_cursor": None}


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "1001"}, {"limit": "-1"}, {"limit": "x"}, {"limit": "1.5"}, {"cursor": "nonsense"},
                                    {"cursor": "' OR 1=1"}, {"cursor": "A" * 3000}, {"limit": "99999999999999999999"}])
def test_bad_paging_is_a_400(client, many, params):
    for path in ("/outputs", f"/outputs/by_job/{many}"):
        assert client.get(path, params=params).status_code == 400, path


def test_indexing_again_changes_nothing(client, many):
    before = client.outputs(many)
    answer = client.post(f"/outputs/index/{many}").json()
    assert answer == {"experiment_id": "many-files", "count": len(before)}
    after = client.outputs(many)
    assert {path: output["output_id"] for path, output in after.items()} == {path: output["output_id"] for path, output in before.items()}


def test_a_manifest_names_experiment_and_outputs(client, run_tool):
    text = json.dumps({"experimentId": "exp of manifest", "outputs": [{"id": "first", "path": "one.txt"}, {"id": "w\u00e9ights", "path": "two.pth"}]})
    job_id = run_tool("manifest.py", {"hex": text.encode().hex()})
    client.wait(job_id)
    client.wait_indexed(job_id)
    outputs = {output["output_id"]: output for output in client.outputs(job_id).values()}
    assert outputs["first"]["path"] == "one.txt" and outputs["w\u00e9ights"]["kind"] == "weights"
    assert outputs["first"]["experiment_id"] == "exp of manifest"
    response = client.get("/outputs/download", params={"experiment_id": "exp of manifest", "output_id": "w\u00e9ights"})
    assert response.content == b"22"


BAD_MANIFESTS = ["", "{", "[]", "null", '{"outputs": 1}', '{"outputs": [1]}', '{"outputs": [{}]}', '{"outputs": [{"id": "a", "path": "../../x"}]}',
                 '{"outputs": [{"id": "a", "path": "/etc/passwd"}]}', '{"outputs": [{"id": "a", "path": "nope"}]}', '{"outputs": [{"id": 1, "path": 2}]}',
                 '{"outputs": [{"id": "a", "path": "one.txt"}, {"id": "a", "path": "two.pth"}]}', '{"experimentId": 7, "outputs": []}',
                 '{"experimentId": "", "outputs": []}', '{"outputs": [{"id": "", "path": ""}]}', '{"a": "\udcff"}', '{"experimentId": "\udcff"}', '{"outputs": [{"id": "a\\u0000b", "path": "one.txt"}]}',
                 '{"experimentId": "a", "experimentId": "b", "outputs": []}', '{"outputs": [{"id": "d", "path": "."}]}']


def test_a_bad_manifest_harms_nothing_but_itself(client, run_tool, site):
    canary = site.top / "canary-manifest"
    canary.write_text(json.dumps({"experimentId": "canary", "outputs": []}))
    jobs = [run_tool("manifest.py", {"hex": text.encode(errors="surrogateescape").hex()}) for text in BAD_MANIFESTS]
    jobs += [run_tool("manifest.py", {"hex": b"[".hex(), "times": 100_000}), run_tool("manifest.py", {"hex": b" ".hex(), "times": 100_000_000}),
             run_tool("manifest.py", {"link": str(canary)}), run_tool("manifest.py", {"fifo": True})]
    for job_id in jobs:
        client.wait(job_id)
        client.wait_indexed(job_id)
        for output in client.outputs(job_id).values():
            assert not output["path"].startswith(("/", "..")) and output["experiment_id"] != "canary"
