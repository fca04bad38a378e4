"""Resumable uploads: tus 1.0 by its own client with cuts and restarts, and by raw requests."""
import base64
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest
from harness import datasets
from harness.cutter import Cutter

SCRIPT = pathlib.Path(__file__).parent / "tus" / "upload.cjs"
BYTES = {"Content-Type": "application/offset+octet-stream"}
V = {"Tus-Resumable": "1.0.0"}


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def metadata(**fields):
    return ",".join(f"{name} {b64(value)}" for name, value in fields.items())


def create(client, length, status=201, **more):
    headers = {**V, "Upload-Length": str(length), **more}
    response = client.post("/uploads", headers={name: value for name, value in headers.items() if value is not None})
    assert response.status_code == status, response.text
    assert response.headers["Tus-Resumable"] == "1.0.0"
    return response.headers.get("Location", response)


def append(client, path, offset, content, **more):
    return client.patch(path, data=content, headers={**V, **BYTES, "Upload-Offset": str(offset), **more})


def offset_of(client, path):
    response = client.head(path, headers=V)
    assert response.status_code == 200 and response.headers["Cache-Control"] == "no-store"
    return int(response.headers["Upload-Offset"])


def whole(client, path, seconds=60):
    shown = client.get(path, params={"wait": seconds}).json()
    assert shown["state"] == "done", shown
    return shown["dataset"]


def stored_bytes(site, dataset):
    return (site.root / dataset["stored_path"]).read_bytes()


# By its own client


@pytest.fixture
def tus_client():
    folder = os.environ.get("JR_TUS_CLIENT")
    if not folder or not shutil.which("node"):
        pytest.skip("JR_TUS_CLIENT names no folder with npm's tus-js-client in node_modules; run_tests.sh installs it")

    def start(url, site, file, **options):
        order = {"url": url + "/uploads", "token": site.token, "file": str(file), **options}
        return subprocess.Popen(["node", str(SCRIPT), json.dumps(order)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return start


def result(process, seconds=180):
    out, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, out
    return json.loads(out.splitlines()[-1])


def big_file(tmp_path, size, name="big.bin"):
    file = tmp_path / name
    file.write_bytes(datasets.fresh(1 << 20) * (size >> 20))
    return file, hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.slow
def test_tus_js_client_gets_a_file_through_a_line_that_breaks(site, server, client, tus_client, tmp_path):
    file, sha = big_file(tmp_path, 24 << 20)
    line = Cutter(server.port, [300_000, 5_000_000, 700_000, 3_000_000, 100, 1_000_000])
    done = result(tus_client(line.base, site, file, metadata={"filename": "big.bin", "sha256": sha}))
    line.close()
    assert line.done == 6 and done["retries"] >= 3, done
    assert done["dataset"] == f"/datasets/{sha}"
    dataset = whole(client, "/uploads/" + done["url"].rsplit("/", 1)[1])
    assert (dataset["sha256"], dataset["bytes"]) == (sha, 24 << 20)
    assert hashlib.sha256(stored_bytes(site, dataset)).hexdigest() == sha


@pytest.mark.slow
def test_tus_js_client_goes_on_after_the_server_was_killed(site, server, tus_client, tmp_path):
    file, sha = big_file(tmp_path, 48 << 20)
    process = tus_client(server.base, site, file, metadata={"filename": "big.bin"})
    folder = site.root / "datasets" / ".uploads"
    for least in (5 << 20, 20 << 20):
        site.wait_until(lambda: any(one.stat().st_size > least for one in folder.iterdir()), 60, f"{least} bytes came")
        server.kill()
        time.sleep(0.3)
        server.start()
    done = result(process)
    assert done["dataset"] == f"/datasets/{sha}" and done["retries"] >= 1, done
    assert not list(folder.iterdir()), "its bytes have become the dataset's"


@pytest.mark.slow
def test_tus_js_client_uploads_in_parallel_parts_that_are_joined(site, server, client, tus_client, tmp_path):
    file, sha = big_file(tmp_path, 16 << 20)
    done = result(tus_client(server.base, site, file, parallelUploads=3, metadata={"filename": "joined.bin"}))
    dataset = whole(client, "/uploads/" + done["url"].rsplit("/", 1)[1])
    assert dataset["sha256"] == sha and dataset["stored_path"].endswith("/joined.bin")
    assert not list((site.root / "datasets" / ".uploads").iterdir())


# By hand


def test_options_says_what_is_known(client):
    response = client.options("/uploads")
    assert response.status_code == 204
    assert response.headers["Tus-Version"] == "1.0.0" and int(response.headers["Tus-Max-Size"]) > 1 << 30
    assert set(response.headers["Tus-Extension"].split(",")) == {"creation", "creation-with-upload", "checksum", "expiration", "termination",
                                                                 "concatenation"}


def test_a_file_in_pieces_becomes_a_dataset_under_its_name(client, site):
    content = datasets.fresh(100_000)
    path = create(client, len(content), **{"Upload-Metadata": metadata(filename="weights v2.bin", sha256=datasets.sha256(content))})
    for start in range(0, len(content), 30_000):
        assert offset_of(client, path) == start
        response = append(client, path, start, content[start:start + 30_000])
        assert response.status_code == 204, response.text
        assert int(response.headers["Upload-Offset"]) == min(start + 30_000, len(content))
        assert ("Upload-Expires" in response.headers) == ("Upload-Dataset" not in response.headers)
    sha = datasets.sha256(content)
    assert response.headers["Upload-Dataset"] == f"/datasets/{sha}"
    dataset = whole(client, path)
    assert dataset == {"sha256": sha, "stored_path": f"datasets/{sha}/weights v2.bin", "bytes": 100_000}
    assert stored_bytes(site, dataset) == content
    head = client.head(path, headers=V)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("100000", "100000")
    assert "filename" in head.headers["Upload-Metadata"]
    assert not list((site.root / "datasets" / ".uploads").iterdir())


@pytest.mark.parametrize("name,content", datasets.every_archive({"d/f": b"x" * 1000, "e": b""})[::3], ids=lambda value: value if isinstance(value, str) else "")
def test_an_archive_is_extracted_when_it_is_whole(client, name, content):
    path = create(client, len(content), **{"Upload-Metadata": metadata(filename=name)})
    half = len(content) // 2
    assert append(client, path, 0, content[:half]).status_code == 204
    response = append(client, path, half, content[half:])
    assert response.headers["Upload-Dataset"] == f"/datasets/{datasets.sha256(content)}"
    assert {one["path"] for one in client.get(response.headers["Upload-Dataset"]).json()["files"]} == {"d/f", "e"}


def test_an_archive_that_is_refused_says_why_and_leaves_nothing(client, site):
    content = datasets.tar({"../out": datasets.fresh()})
    path = create(client, len(content), **{"Upload-Metadata": metadata(filename="evil.tar")})
    response = append(client, path, 0, content)
    assert response.status_code == 422 and "../out" in response.json()["detail"]
    shown = client.get(path).json()
    assert shown["state"] == "failed" and "../out" in shown["problem"] and shown["dataset"] is None
    assert client.head(f"/datasets/{datasets.sha256(content)}").status_code == 404
    site.nothing_staged()
    site.wait_until(lambda: not list((site.root / "datasets" / ".uploads").iterdir()), 10, "no upload is kept")


def test_extract_false_and_another_sha256_are_heard(client):
    content = datasets.tar({"f": datasets.fresh()})
    path = create(client, len(content), **{"Upload-Metadata": metadata(filename="a.tar", extract="false")})
    append(client, path, 0, content)
    assert whole(client, path)["stored_path"].endswith("/a.tar")
    other = datasets.fresh()
    path = create(client, len(other), **{"Upload-Metadata": metadata(filename="a", sha256="0" * 64)})
    response = append(client, path, 0, other)
    assert response.status_code == 400 and "0" * 64 in response.json()["detail"]


def test_creation_with_upload_takes_the_first_bytes_or_all_of_them(client):
    content = datasets.fresh(5000)
    response = client.post("/uploads", data=content[:2000], headers={**V, **BYTES, "Upload-Length": "5000"})
    assert response.status_code == 201 and response.headers["Upload-Offset"] == "2000"
    assert append(client, response.headers["Location"], 2000, content[2000:]).headers["Upload-Dataset"] == f"/datasets/{datasets.sha256(content)}"
    content = datasets.fresh(5000)
    response = client.post("/uploads", data=content, headers={**V, **BYTES, "Upload-Length": "5000"})
    assert response.status_code == 201 and response.headers["Upload-Dataset"] == f"/datasets/{datasets.sha256(content)}"


def test_an_upload_of_no_bytes_is_whole_at_once(client):
    path = create(client, 0, **{"Upload-Metadata": metadata(filename="empty-by-tus.txt")})
    assert whole(client, path)["sha256"] == datasets.sha256(b"")


@pytest.mark.parametrize("headers,status", [
    ({"Upload-Length": "5", "Tus-Resumable": None}, 412), ({"Upload-Length": "5", "Tus-Resumable": "0.2.2"}, 412),
    ({}, 400), ({"Upload-Length": "-1"}, 400), ({"Upload-Length": "five"}, 400), ({"Upload-Length": "5x"}, 400), ({"Upload-Length": str(1 << 60)}, 413),
    ({"Upload-Length": str((1 << 42) - 1)}, 507), ({"Upload-Length": "99999999999999999999999"}, 400),
    ({"Upload-Length": "5", "Upload-Metadata": "filename !!!"}, 400), ({"Upload-Length": "5", "Upload-Metadata": "filename YQ==,filename YQ=="}, 400),
    ({"Upload-Length": "5", "Upload-Metadata": "filename " + b64("..")}, 400), ({"Upload-Length": "5", "Upload-Metadata": "sha256 " + b64("12")}, 400),
    ({"Upload-Concat": "final;"}, 400), ({"Upload-Concat": "final;/uploads/none"}, 404), ({"Upload-Length": "5", "Upload-Concat": "half"}, 400),
    ({"Upload-Length": "5", "Upload-Concat": "final;/uploads/none"}, 400)])
def test_a_creation_that_cannot_be_is_refused(client, site, headers, status):
    before = len(list((site.root / "datasets" / ".uploads").iterdir()))
    response = client.post("/uploads", headers={name: value for name, value in {**V, **headers}.items() if value is not None})
    assert response.status_code == status, response.text
    assert (response.headers.get("Tus-Version") == "1.0.0") == (status == 412)
    assert len(list((site.root / "datasets" / ".uploads").iterdir())) == before


def test_what_is_wrong_with_an_append_is_said_by_its_status(client):
    content = datasets.fresh(1000)
    path = create(client, 1000)
    assert append(client, path, 0, content[:100]).status_code == 204
    for offset in (0, 99, 101, 1000):
        response = append(client, path, offset, content[:10])
        assert response.status_code == 409 and "100" in response.json()["detail"]
    assert client.patch(path, data=b"x", headers={**V, **BYTES}).status_code == 400, "no Upload-Offset"
    assert client.patch(path, data=b"x", headers={**V, "Upload-Offset": "100", "Content-Type": "application/octet-stream"}).status_code == 415
    assert client.patch(path, data=b"x", headers={**BYTES, "Upload-Offset": "100"}).status_code == 412
    assert append(client, path, 100, content).status_code == 413, "more than the upload lacks"
    assert append(client, path, 100, (content[at:at + 100] for at in range(0, 1000, 100))).status_code == 413, "likewise, in chunks"
    assert append(client, "/uploads/none", 0, b"x").status_code == 404
    assert client.get(path, headers={"Tus-Resumable": "2"}).status_code == 412
    assert append(client, path, offset_of(client, path), content[offset_of(client, path):]).status_code == 204
    assert append(client, path, 1000, b"x").status_code == 409, "it is whole"


def test_bytes_that_are_not_what_their_checksum_says_are_not_kept(client):
    content = datasets.fresh(3000)
    path = create(client, 3000)
    right = {"Upload-Checksum": "sha256 " + b64(hashlib.sha256(content[:1000]).digest())}
    assert append(client, path, 0, content[:999] + bytes([content[999] ^ 1]), **right).status_code == 460
    assert offset_of(client, path) == 0
    assert append(client, path, 0, content[:1000], **right).status_code == 204
    wrong = append(client, path, 1000, content[1000:], **right)
    assert wrong.status_code == 460 and wrong.reason == "Checksum Mismatch"
    assert offset_of(client, path) == 1000
    for value in ("md5 " + b64(b"x" * 16), "sha256", "sha256 ???", "sha256 " + b64(b"short")):
        assert append(client, path, 1000, content[1000:], **{"Upload-Checksum": value}).status_code == 400
    response = append(client, path, 1000, content[1000:])
    assert response.headers["Upload-Dataset"] == f"/datasets/{datasets.sha256(content)}", "what was refused is in no hash"


def test_two_requests_cannot_append_at_once(client, site, server):
    import socket
    path = create(client, 1000)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
        slow.sendall(b"PATCH %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                     b"Content-Type: application/offset+octet-stream\r\nContent-Length: 1000\r\n\r\nhalf" % (path.encode(), site.token.encode()))
        # At a wrong offset, so that this one is refused in any case and never comes before the other.
        site.wait_until(lambda: append(client, path, 1, b"x" * 10).status_code == 423, 10, "the upload is locked")
        assert client.delete(path, headers=V).status_code == 423
    # Cut: what came of it is kept, and the upload free again.
    site.wait_until(lambda: offset_of(client, path) == 4, 20, "the four bytes that came are kept")
    assert append(client, path, 4, b"x" * 996).status_code == 204


def test_termination_removes_it_and_its_bytes(client, site):
    path = create(client, 1000)
    append(client, path, 0, b"x" * 500)
    file = site.root / "datasets" / ".uploads" / path.rsplit("/", 1)[1]
    assert file.stat().st_size == 500
    response = client.delete(path, headers=V)
    assert response.status_code == 204 and response.headers["Tus-Resumable"] == "1.0.0"
    assert not file.exists()
    assert client.head(path, headers=V).status_code == 404 and client.delete(path, headers=V).status_code == 404


def test_parts_are_joined_in_their_order(client):
    pieces = [datasets.fresh(n) for n in (1000, 0, 2000)]
    paths = [create(client, len(piece), **{"Upload-Concat": "partial"}) for piece in pieces]
    final = {**V, "Upload-Concat": "final;" + " ".join(paths), "Upload-Metadata": metadata(filename="joined.bin")}
    assert client.post("/uploads", headers=final).status_code == 409, "the parts are not complete"
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda pair: append(client, pair[0], 0, pair[1]), [(p, c) for p, c in zip(paths, pieces) if c]))
    assert client.head(paths[0], headers=V).headers["Upload-Concat"] == "partial"
    response = client.post("/uploads", headers=final)
    assert response.status_code == 201, response.text
    path = response.headers["Location"]
    assert whole(client, path)["sha256"] == datasets.sha256(b"".join(pieces))
    head = client.head(path, headers=V)
    assert (head.headers["Upload-Concat"], head.headers["Upload-Length"]) == ("final;" + " ".join(paths), "3000")
    assert append(client, path, 3000, b"").status_code == 403
    assert client.head(paths[0], headers=V).status_code == 404, "the parts are used up"


def test_what_is_whole_or_half_done_survives_a_crash(site, server):
    content, second = datasets.fresh(50_000), datasets.fresh(2000)
    with site.client() as client:
        half = create(client, len(content), **{"Upload-Metadata": metadata(filename="half.bin")})
        append(client, half, 0, content[:20_000])
        done = create(client, len(second))
        append(client, done, 0, second)
    server.kill()
    server.start()
    with site.client() as client:
        assert whole(client, done)["sha256"] == datasets.sha256(second)
        assert offset_of(client, half) == 20_000
        response = append(client, half, 20_000, content[20_000:])
        assert response.headers["Upload-Dataset"] == f"/datasets/{datasets.sha256(content)}"


def test_an_upload_at_rest_expires(site):
    server = site.another_server("expiring")
    server.environment["JR_UPLOAD_EXPIRES_S"] = "2"
    server.environment["JR_AUTH_TOKEN"] = site.token
    server.start()
    try:
        with site.client(server) as client:
            path = create(client, 1000)
            append(client, path, 0, b"x" * 100)
            folder = site.top / "expiring" / "datasets" / ".uploads"
            assert list(folder.iterdir())
            site.wait_until(lambda: client.head(path, headers=V).status_code == 410, 20, "it is gone")
            assert append(client, path, 100, b"x").status_code == 410
            assert not list(folder.iterdir())
            site.wait_until(lambda: client.head(path, headers=V).status_code == 404, 20, "it is forgotten")
    finally:
        server.stop()
