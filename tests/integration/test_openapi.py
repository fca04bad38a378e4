"""The description is valid, is what is served, and describes exactly the paths and methods that are there."""
import json
import os
import shutil
import subprocess

import pytest

KNOWN = {"{sha256}": "0" * 64, "{upload_id}": "0", "{key}": "echo_params", "{job_id}": "999999999",
         "{array_id}": "none", "{transfer_id}": "00000000-0000-4000-8000-000000000000"}


def concrete(path):
    for name, value in KNOWN.items():
        path = path.replace(name, value)
    assert "{" not in path, path
    return path


def test_the_served_description_is_the_file(anonymous, site):
    response = anonymous.get("/openapi.json")
    assert response.status_code == 200 and response.json() == json.loads((site.share / "openapi.json").read_text())
    assert response.json()["openapi"].startswith("3.1.")


def test_a_validator_accepts_it(site):
    validator = os.environ.get("JR_OPENAPI_VALIDATOR") or shutil.which("validate-api")
    if not validator:
        pytest.skip("JR_OPENAPI_VALIDATOR names no validate-api (npm: @seriousme/openapi-schema-validator); run_tests.sh installs it")
    done = subprocess.run([validator, str(site.share / "openapi.json")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0 and '"valid": true' in done.stdout, done.stdout


def test_its_examples_are_true(contract):
    checked = 0

    def walk(node):
        nonlocal checked
        if isinstance(node, dict):
            if "schema" in node:
                for value in ([node["example"]] if "example" in node else []) + [one["value"] for one in node.get("examples", {}).values()]:
                    contract._validate(value, node["schema"])
                    checked += 1
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)
    walk(contract.document)
    assert checked > 40


def test_every_described_path_is_routed_and_knows_its_methods(client, contract):
    for path, item in contract.document["paths"].items():
        response = client.request("TRACE", concrete(path))
        assert response.status_code == 405, path
        allowed = {name.strip() for name in response.headers["Allow"].split(",")} - {"OPTIONS"}
        wanted = {method.upper() for method in item if method != "parameters"} - {"OPTIONS"} | ({"HEAD"} if "get" in item else set())
        assert allowed == wanted, path


def test_a_method_that_is_not_described_is_a_405(client, contract):
    for path, item in contract.document["paths"].items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if method.lower() not in item:
                assert client.request(method, concrete(path)).status_code == 405, f"{method} {path}"


def test_head_is_get_without_a_body(client, contract):
    for path, item in contract.document["paths"].items():
        if "get" in item:
            # JSON: events as a stream would not end
            get, head = (call(concrete(path), headers={"Accept": "application/json"}) for call in (client.get, client.head))
            assert head.status_code == get.status_code and head.content == b"", path
            assert head.headers["Content-Type"] == get.headers["Content-Type"], path


def test_what_is_not_described_is_a_404(client):
    for path in ("/", "/nope", "/jobs/1/nope", "/datasets/exists", "/outputs/by_job", "/commands/echo_params/x", "/openapi.yaml", "/docs/x", "/favicon.ico"):
        assert client.get(path).status_code == 404, path


def test_commands_are_listed_with_their_parameters(client):
    listed = {command["key"]: command for command in client.get("/commands").json()["commands"]}
    assert {"echo_params", "pytorch_example", "pytorch_infer"} <= set(listed)
    for key, command in listed.items():
        assert client.get(f"/commands/{key}").json() == command
        assert command["description"]
    assert {"script", "args"} <= set(listed["pytorch_infer"]["params"])
    assert client.get("/commands/nope").status_code == 404


def test_every_operation_can_be_called_with_its_own_example(client, contract):
    """The example bodies are real: refused only for what does not exist here."""
    for path, method, operation in contract.operations():
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            if "example" not in content:
                continue
            fields = {name: str(value) for name, value in content["example"].items()}
            send = {"multipart/form-data": {"files": {name: (None, value) for name, value in fields.items()}},
                    "application/x-www-form-urlencoded": {"data": fields}, "application/json": {"json": content["example"]}}[kind]
            response = client.request(method, concrete(path), **send)
            assert response.status_code in (200, 404), f"{method} {path} as {kind}: {response.text}"
