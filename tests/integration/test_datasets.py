"""Uploads: what is stored, under which name, and that the same content is stored once."""
import concurrent.futures
import json
import os
import stat

import pytest
from harness import datasets

FILES = {"data/file.txt": b"test content\n", "data/deep/er/empty": b"", "top.bin": bytes(range(256))}


def stored(site, answer):
    return site.root / answer["stored_path"]


def below(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name,content", datasets.every_archive(FILES), ids=lambda value: value if isinstance(value, str) else "")
def test_every_kind_of_archive_is_extracted_and_not_kept(client, site, name, content):
    sha = datasets.sha256(content)
    answer = client.upload(name, content, sha256=sha)
    assert answer == {"sha256": sha, "stored_path": f"datasets/{sha}/", "bytes": sum(map(len, FILES.values()))}
    assert below(stored(site, answer)) == FILES


def test_a_plain_file_is_kept_under_its_own_name(client, site):
    content = datasets.fresh(100_000)
    answer = client.upload("weights v2.bin", content)
    sha = datasets.sha256(content)
    assert answer == {"sha256": sha, "stored_path": f"datasets/{sha}/weights v2.bin", "bytes": 100_000}
    assert stored(site, answer).read_bytes() == content


def test_an_empty_file_is_a_dataset_too(client, site):
    answer = client.upload("empty.txt", b"")
    assert answer["bytes"] == 0 and answer["sha256"] == datasets.sha256(b"")
    assert stored(site, answer).read_bytes() == b""


def test_exists_answers_with_blanks_as_the_seed_did(client):
    content = datasets.fresh()
    sha = datasets.sha256(content)
    assert client.get(f"/datasets/exists/{sha}").text == '{"exists": false}'
    stored_answer = client.upload("x.bin", content)
    response = client.get(f"/datasets/exists/{sha}")
    assert response.text.startswith('{"exists": true, "info": {"')
    info = response.json()["info"]
    assert (info["sha256"], info["rel_path"], info["bytes"]) == (sha, stored_answer["stored_path"], 32)
    assert response.text == json.dumps(response.json(), ensure_ascii=False)


def test_a_wrong_sha256_is_a_400_and_nothing_is_kept(client, site):
    content = datasets.tar({"a": datasets.fresh()})
    sha, wrong = datasets.sha256(content), datasets.sha256(b"other")
    response = client.post("/datasets/upload", files={"file": ("a.tar", content)}, data={"sha256": wrong})
    assert response.status_code == 400
    assert wrong in response.json()["detail"] and "sha256" in response.json()["detail"]
    for digest in (sha, wrong):
        assert client.get(f"/datasets/exists/{digest}").json() == {"exists": False}
        assert not (site.root / "datasets" / digest).exists()
    site.nothing_staged()


def test_a_sha256_that_is_none_is_a_400(client):
    for text in ("abc", "", "g" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"):
        response = client.post("/datasets/upload", files={"file": ("a.bin", datasets.fresh())}, data={"sha256": text})
        # Nothing given is nothing claimed.
        assert response.status_code == (200 if text == "" else 400), text


def test_sha256_may_be_in_capital_letters(client):
    content = datasets.fresh()
    assert client.upload("a.bin", content, sha256=datasets.sha256(content).upper())["sha256"] == datasets.sha256(content)


@pytest.mark.parametrize("first", ["sha256", "file"])
def test_the_order_of_the_fields_does_not_matter(client, first):
    content = datasets.fresh()
    fields = [("sha256", (None, datasets.sha256(content))), ("file", ("a.bin", content))]
    response = client.post("/datasets/upload", files=fields if first == "sha256" else fields[::-1])
    assert response.status_code == 200
    wrong = [("sha256", (None, "0" * 64)), ("file", ("a.bin", datasets.fresh()))]
    assert client.post("/datasets/upload", files=wrong if first == "sha256" else wrong[::-1]).status_code == 400


def test_the_same_content_again_answers_the_same(client, site):
    content = datasets.tar({"same": datasets.fresh()})
    first = client.upload("one.tar", content)
    folder = stored(site, first)
    made = folder.stat().st_ino
    assert client.upload("one.tar", content) == first
    assert client.upload("another.name.tar", content) == first
    assert folder.stat().st_ino == made


def test_thirty_two_twins_at_once_are_stored_once(client, site):
    content = datasets.tar({f"f{number}": datasets.fresh(2000) for number in range(200)})
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        def send(_):
            return site.client(client_of=client).post("/datasets/upload", files={"file": ("twin.tar", content)})
        responses = list(pool.map(send, range(32)))
    answers = [response for response in responses if response.status_code == 200]
    assert {response.status_code for response in responses} <= {200, 429}
    assert answers and len({response.text for response in answers}) == 1
    assert len(below(stored(site, answers[0].json()))) == 200
    site.nothing_staged()


def test_what_is_stored_cannot_be_changed_by_jobs(client, site):
    folder = stored(site, client.upload("modes.tar", datasets.tar({"d/f": datasets.fresh()})))
    for path in (folder, *folder.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o555 if path.is_dir() else 0o444), f"{path}: {mode:o}"
    if os.geteuid() == 0:
        assert folder.stat().st_uid != site.job_uid


def test_a_refused_archive_leaves_nothing(client, site):
    for name, content in (("climbs.tar", datasets.tar({"../out": b"x", "fresh": datasets.fresh()})),
                          ("cut.tar.gz", datasets.toolbox()[:-200]), ("garbage.zip", datasets.fresh(500))):
        response = client.post("/datasets/upload", files={"file": (name, content)})
        assert response.status_code == 422, name
        assert client.get(f"/datasets/exists/{datasets.sha256(content)}").json() == {"exists": False}
        assert not (site.root / "datasets" / datasets.sha256(content)).exists()
    site.nothing_staged()
