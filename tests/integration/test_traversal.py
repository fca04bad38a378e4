"""Downloads stay inside RESULT_DIR, whatever is asked for and whatever the job put there."""
import json
import os
import time
import urllib.parse

import pytest

CANARY = b"canary: these bytes must never be sent\n"


@pytest.fixture(scope="module")
def canary(site):
    path = site.top / "canary"
    path.write_bytes(CANARY)
    path.chmod(0o644)
    return path


@pytest.fixture(scope="module")
def job_id(site, toolbox, canary):
    if not site.server.alive():
        site.server.start()
    with site.client() as client:
        params = {"script": "leave.py", "args": [], "canary": str(canary), "database": str(site.root / "jr_slurm.db")}
        made = client.submit(toolbox, "pytorch_infer", params_json=json.dumps(params))
        client.wait(made)
        client.wait_indexed(made)
        return made


def spellings(canary, result_dir):
    """Sixty ways to write a path out of RESULT_DIR, as they stand in the query, percent-encoded or not."""
    up = os.path.relpath(canary, result_dir)
    plain = [up, str(canary), "/" + str(canary), f"./{up}", f"folder/../{up}", f"folder/deep/../../{up}", f"x/../{up}", up.replace("/", "//"),
             up.replace("/", "/./"), up.replace("../", "..\\"), up.replace("/", "\\"), up + "/", up + "/.", f"{up}\x00.txt", f"plain.txt\x00/../{up}",
             f" {up}", f"{up} ", f"\t{up}", f"file://{canary}", f"file:{canary}", f"~/{up}", "../jr_slurm.db", "../../jr_slurm.db", "../../../jr_slurm.db",
             "../../auth_token", "/etc/passwd", "/etc/shadow", "/proc/self/environ", "/proc/self/root/etc/passwd", "/proc/self/fd/3", "/dev/zero", "..", ".",
             "../", "./", "", "/", "...", "..../x", "....//....//etc/passwd", "..;/..;/etc/passwd", "folder/..", "folder/../..", "a" * 8192,
             "/".join(["a"] * 4000), "../" * 2000 + "etc/passwd", "plain.txt/..", "plain.txt/../plain.txt/../../x", "link_folder/canary",
             f"link_root{canary}", f"link_proc{canary}", "link_folder_inside/deep/inner.txt", "\u2025/x", "\uff0e\uff0e/\uff0e\uff0e/etc/passwd", "..\u2215etc", "C:\\x"]
    encoded = [urllib.parse.quote(text, safe="") for text in plain]
    raw = [up.replace("../", "%2e%2e%2f"), up.replace("../", "%252e%252e%252f"), up.replace("../", "..%c0%af"), up.replace("../", "%c0%ae%c0%ae/"),
           up.replace("../", "%2e%2e/"), up.replace("../", "%u002e%u002e/"), "%", "%2", "%zz", "%ff%fe", "%00", "..%2f" * 10 + "etc%2fpasswd"]
    return encoded + raw


def test_no_spelling_leads_out(client, job_id, canary):
    tried = spellings(canary, client.job(job_id)["meta"]["result_dir"])
    assert len(tried) >= 60
    for spelling in tried:
        response = client.get(f"/outputs/download_by_job?job_id={job_id}&rel_path={spelling}")
        assert response.status_code in (400, 404, 414), f"{spelling[:200]}: {response.status_code}"
        assert CANARY not in response.content and b"root:" not in response.content and b"SQLite format" not in response.content


def test_climbing_out_is_a_400(client, job_id):
    for path in ("../../jr_slurm.db", "/etc/passwd", "folder/../../x"):
        assert client.file(job_id, path).status_code == 400


def test_no_path_of_the_url_leads_to_a_file(client, server, site, canary):
    import socket
    for target in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", f"//{canary}", "/openapi.json/../../../etc/passwd", "/commands/..%2f..%2fopenapi.json",
                   "/commands/../openapi.json", "/commands/%2e%2e", "/jobs/1/../../etc/passwd", "/./health", "//health", "/health/", "/health%00", "/HEALTH"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while more := connection.recv(65536):
                answer += more
        assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), f"{target}: {answer[:60]}"


@pytest.mark.parametrize("name", ["link_absolute", "link_relative", "link_inside", "link_folder/canary", "link_folder_inside/deep/inner.txt", "link_zero",
                                  "link_database", "link_root", "loop", "fifo", "socket", "folder", "folder/deep", "link_proc/etc/passwd"])
def test_what_is_no_regular_file_is_refused_at_once(client, job_id, name):
    started = time.monotonic()
    response = client.file(job_id, name, timeout=5)
    assert response.status_code in (400, 404), response.status_code
    assert time.monotonic() - started < 1
    assert CANARY not in response.content


@pytest.mark.parametrize("name", ["plain.txt", "folder/deep/inner.txt", "with space.txt", 'quote"s.txt', "semi;colon.txt", "caf\u00e9.txt", "percent%41.txt",
                                  "plus+.txt", "-dash.txt", ".hidden", "a" * 255])
def test_odd_names_download_as_what_they_are(client, job_id, name):
    response = client.file(job_id, name)
    assert response.status_code == 200
    assert response.content == {"plain.txt": b"plain\n", "folder/deep/inner.txt": b"inner\n"}.get(name, name.encode())
    assert "\r" not in response.headers["Content-Disposition"]


@pytest.mark.parametrize("name", ["new\nline.txt", "cr\r\nX-Injected: 1.txt", "back\\slash.txt"])
def test_a_name_with_control_characters_injects_no_header(client, job_id, name):
    response = client.file(job_id, name)
    assert response.status_code in (200, 400, 404)
    assert "X-Injected" not in response.headers


def test_the_index_names_no_link_and_no_special_file(client, job_id):
    outputs = client.outputs(job_id)
    assert not [path for path in outputs if path.startswith(("link_", "loop", "fifo", "socket"))]
    assert {"plain.txt", "folder/deep/inner.txt", ".hidden"} <= set(outputs)
    for output in outputs.values():
        response = client.get("/outputs/download", params={"experiment_id": output["experiment_id"], "output_id": output["output_id"]})
        assert response.status_code == 200, output


def test_a_log_that_became_a_link_is_not_followed(client, run_tool, canary, site):
    job_id = run_tool("nap.py")
    client.wait(job_id)
    log = site.root / client.job(job_id)["meta"]["log_path"]
    log.unlink()
    log.symlink_to(canary)
    response = client.get(f"/jobs/{job_id}/log")
    assert response.status_code == 404 and CANARY not in response.content
