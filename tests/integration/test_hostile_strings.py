"""Hostile strings reach no shell, no SQL and no file: they arrive in the job byte for byte, or are refused."""
import json

import naughty
import pytest


@pytest.fixture(scope="module")
def canary(site):
    return site.top / "canary-created"


@pytest.fixture(scope="module")
def texts(canary):
    found = naughty.strings(canary)
    assert len(found) >= 200
    return found


@pytest.fixture(autouse=True)
def nothing_ran(site, canary, server):
    pid = server.pid
    yield
    assert not canary.exists(), "a string was run as a command"
    assert server.alive() and server.pid == pid
    assert site.client().get("/health").json()["ok"] is True


def refused(response, text, *more):
    """400 or 404, or 414 for what is too long for a target, or one of `more`; never an internal error."""
    allowed = (400, 404, *more, *((414,) if len(response.request.url) > 8000 else ()))
    assert response.status_code in allowed, f"{text[:200]!r}: {response.status_code} {response.text[:300]}"


def test_they_arrive_in_the_job_byte_for_byte(client, toolbox, run_tool, texts):
    params = {f"s{number}": text for number, text in enumerate(texts)}
    params.update({text: number for number, text in enumerate(texts)})
    written = [json.dumps(params), json.dumps(params, ensure_ascii=False, indent=1)]
    for text in written:
        job_id = client.submit(toolbox, "echo_params", params_json=text)
        assert client.job(job_id)["meta"]["params_json"] == text
        client.wait(job_id)
        assert client.get(f"/jobs/{job_id}/result").json()["params"] == params


def test_the_environment_of_the_job_has_the_exact_bytes(client, toolbox, texts):
    # A multipart form carries any byte as it is; JR_PARAMS must be the very same.
    params = {"script": "surroundings.py", "args": [], "texts": texts}
    sent = json.dumps(params, ensure_ascii=False).encode()
    response = client.post("/jobs", files={"dataset_sha": (None, toolbox), "command_key": (None, "pytorch_infer"), "params_json": (None, sent),
                                           "gpus": (None, "0"), "cpus": (None, "1"), "mem_gb": (None, "1"), "time_limit": (None, "00:02:00")})
    assert response.status_code == 200, response.text
    job_id = response.json()["job_id"]
    client.wait(job_id)
    environment = dict(entry.split(b"=", 1) for entry in client.file(job_id, "environ").content.split(b"\0") if entry)
    assert environment[b"JR_PARAMS"] == sent


def test_arguments_are_words_and_never_text(client, run_tool, texts):
    words = [text for text in texts if "\0" not in text]
    with_nul = [text for text in texts if "\0" in text]
    job_id = run_tool("surroundings.py", args=words)
    client.wait(job_id)
    arguments = client.file(job_id, "cmdline").content.split(b"\0")[:-1]
    assert arguments[arguments.index(b"--params") + 2:] == [word.encode() for word in words]
    for text in with_nul:
        response = client.post("/jobs", json={"dataset_sha": client.job(job_id)["meta"]["dataset_sha"], "command_key": "pytorch_infer", "gpus": 0, "cpus": 1,
                                              "mem_gb": 1, "params_json": json.dumps({"script": "nap.py", "args": [text]})})
        assert response.status_code == 400, response.text


def test_as_script_they_name_no_program(client, toolbox, texts, canary):
    jobs = []
    for text in naughty.shell(canary)[:20] + list(naughty.PATHS) + list(naughty.SLURM[:6]):
        response = client.post("/jobs", data={"dataset_sha": toolbox, "command_key": "pytorch_infer", "gpus": 0, "cpus": 1, "mem_gb": 1, "time_limit": "00:01:00",
                                              "params_json": json.dumps({"script": text})})
        if response.status_code == 200:
            jobs.append((text, response.json()["job_id"]))
        else:
            refused(response, text)
    for text, job_id in jobs:
        assert client.wait(job_id, state=None)["status"] == "FAILED", text


GOOD = {"dataset_sha": "0" * 64, "command_key": "echo_params", "params_json": "{}", "gpus": "0", "cpus": "1", "mem_gb": "1", "time_limit": "00:01:00",
        "name": "n", "experiment_id": "e", "labels": "{}", "env": "{}", "array": "0-3", "after": "", "webhook_url": "https://example.org/", "signal": "USR1@60", "hold": "1"}


@pytest.mark.parametrize("field", sorted(GOOD))
def test_in_the_fields_of_a_submit_they_are_refused(client, texts, field):
    # The dataset is unknown, so what passes as a value (a time limit of "1") still makes no job.
    kinds = [lambda fields: {"data": fields}, lambda fields: {"json": fields}, lambda fields: {"files": {name: (None, value) for name, value in fields.items()}}]
    for number, text in enumerate(texts):
        refused(client.post("/jobs", **kinds[number % 3]({**GOOD, field: text})), text)
    for value in naughty.BYTES:
        refused(client.post("/jobs", files={name: (None, text) for name, text in {**GOOD, field: value}.items()}), value)


def test_as_names_of_labels_and_variables_they_are_refused(client, texts):
    for number, text in enumerate(texts):
        for field in ("labels", "env"):
            value = {text: "x"} if number % 2 else json.dumps({text: "x"})
            refused(client.post("/jobs", json={**GOOD, field: value}), text)


def test_names_labels_and_experiments_come_back_as_they_were_sent(client, toolbox, texts, canary):
    chosen = [text for text in [*naughty.shell(canary)[:12], *naughty.SLURM[:6], *naughty.SQL[:6], *naughty.HTML[:4], *naughty.JSON[:4], *naughty.UNICODE[:4]]
              if "\0" not in text]
    for text in chosen:
        job_id = client.submit(toolbox, name=text, experiment_id=text, labels=json.dumps({"k": text}), hold="1")
        job = client.job(job_id)
        assert (job["name"], job["experiment_id"], job["labels"]) == (text, text, {"k": text})
        for query in ({"name": text}, {"experiment_id": text}, {"label": f"k:{text}"}):
            assert job_id in [one["job_id"] for one in client.get("/jobs", params=query).json()["jobs"]], query
        client.post(f"/jobs/{job_id}/cancel")


@pytest.mark.parametrize("action,field", [("cancel", "signal"), ("cancel", "grace_s"), ("clone", "name"), ("clone", "env"), ("hold", "x")])
def test_in_the_fields_of_other_calls_they_harm_nothing(client, texts, action, field):
    for number, text in enumerate(texts):
        refused(client.post(f"/jobs/999999999/{action}", **({"json": {field: text}} if number % 2 else {"data": {field: text}})), text)


def test_unknown_fields_with_hostile_names_harm_nothing(client, texts):
    for number, text in enumerate(texts):
        fields = {**GOOD, text: "x"} if text not in GOOD else GOOD
        refused(client.post("/jobs", **({"json": fields} if number % 2 else {"data": fields})), text, 413)


def test_as_path_of_an_import_they_are_refused(client, texts):
    for number, text in enumerate(texts):
        refused(client.post("/datasets/import_path", **({"json": {"src_path": text}} if number % 2 else {"data": {"src_path": text}})), text)
    for value in naughty.BYTES:
        refused(client.post("/datasets/import_path", files={"src_path": (None, value)}), value)


def test_as_sha256_or_name_of_an_upload(client, site, texts):
    from harness import datasets
    before = {path.name for path in site.root.iterdir()}
    for number, text in enumerate(texts):
        wrong = client.post("/datasets/upload", files=[("sha256", (None, text)), ("file", ("a.bin", b"x%d" % number))])
        refused(wrong, text, *((200,) if text.strip() == "" else ()))
        response = client.post("/datasets/upload", files={"file": (text, datasets.fresh())})
        if response.status_code == 200:
            inside = (site.root / response.json()["stored_path"]).resolve()
            assert (site.root / "datasets" / response.json()["sha256"]) in inside.parents and inside.is_file(), text
        else:
            refused(response, text)
    assert {path.name for path in site.root.iterdir()} == before


QUERIES = [("/outputs", "experiment_id"), ("/outputs", "prefix"), ("/outputs", "cursor"), ("/outputs", "limit"), ("/outputs/download", "experiment_id"),
           ("/outputs/download", "output_id"), ("/outputs/download_by_job", "job_id"), ("/outputs/download_by_job", "rel_path"), ("/jobs/1", "wait"), ("/jobs/1", "since")]
QUERIES += [("/jobs", name) for name in ("status", "command_key", "dataset_sha", "experiment_id", "name", "label", "array", "since", "until", "cursor", "limit")]
OTHERS = {"experiment_id": "x", "output_id": "x", "job_id": "1", "rel_path": "x"}


@pytest.mark.parametrize("path,name", QUERIES, ids=lambda value: value.strip("/").replace("/", "."))
def test_in_a_query_they_find_nothing(client, texts, path, name):
    rest = {key: value for key, value in OTHERS.items() if key != name} if "download" in path else {}
    for text in texts:
        response = client.get(path, timeout=10, params={**rest, name: text, **({"limit": "1"} if name in ("experiment_id", "prefix") and path == "/outputs" else {})})
        # Any text may be a state that a job is not in.
        # "-0" is a number like 0.
        refused(response, text, *((200,) if path in ("/outputs", "/jobs") or name == "since" or text == "-0" else ()))
        if path == "/outputs" and name == "experiment_id" and response.status_code == 200:
            # An empty one is none given.
            assert text == "" or response.json()["outputs"] == [], text
    for value in naughty.BYTES:
        encoded = "".join(f"%{byte:02x}" for byte in value)
        refused(client.get(f"{path}?{name}={encoded}&" + "&".join(f"{key}={text}" for key, text in rest.items())), value)


@pytest.mark.parametrize("path", ["/jobs/{}", "/jobs/{}/log", "/commands/{}", "/arrays/{}", "/datasets/exists/{}", "/outputs/by_job/{}", "/{}"])
def test_in_a_path_they_find_nothing(client, texts, path):
    import urllib.parse
    for text in texts:
        if text.strip("/.") == "" or text in ("1", "echo_params"):
            continue  # the client would make another path of it
        target = path.format(urllib.parse.quote(text, safe=""))
        refused(client.get(target), text, *((200,) if "exists" in path else ()))


def test_in_headers_they_harm_nothing(client, texts):
    for text in texts:
        try:
            value = text.encode("latin-1")
        except UnicodeEncodeError:
            continue
        if any(byte < 32 or byte == 127 for byte in value) or value != value.strip():
            continue
        for name in ("Range", "If-None-Match", "If-Range", "Prefer", "Accept", "User-Agent", "X-Request-Id"):
            refused(client.get("/jobs/999999999", headers={name: value}, timeout=10), text, 431)
