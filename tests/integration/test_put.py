"""PUT /datasets/{sha256}: the bytes themselves, by curl -T and by hand."""
import concurrent.futures
import socket
import subprocess

import pytest
from harness import datasets


def put(client, content, name="data.bin", sha=None, **more):
    return client.put(f"/datasets/{sha or datasets.sha256(content)}", params={"filename": name}, data=content, **more)


def curl(site, server, *args):
    return subprocess.run(["curl", "-sS", "-H", f"Authorization: Bearer {site.token}", *args], capture_output=True, text=True, timeout=120)


def test_curl_T_stores_a_file_and_asks_first(client, server, site, tmp_path):
    content = datasets.fresh(3 << 20)
    sha, file = datasets.sha256(content), tmp_path / "big.bin"
    file.write_bytes(content)
    assert client.head(f"/datasets/{sha}").status_code == 404
    url = f"{server.base}/datasets/{sha}?filename=big.bin"
    done = curl(site, server, "-T", str(file), "-w", "%{http_code} %{size_upload}", "-o", "/dev/null", url)
    assert done.stdout == f"201 {3 << 20}", done
    assert client.head(f"/datasets/{sha}").status_code == 200
    assert (site.root / "datasets" / sha / "big.bin").read_bytes() == content
    # Again: answered before a byte of the body is sent (curl waits for 100 Continue).
    done = curl(site, server, "-T", str(file), "-w", "%{http_code} %{size_upload}", "-o", "/dev/null", url)
    assert done.stdout == "200 0", done


def test_an_archive_is_extracted(client, site):
    files = {"a/b": datasets.fresh(), "c": b""}
    content = datasets.every_archive(files)[1][1]
    response = put(client, content, "set.tar.gz")
    assert response.status_code == 201 and response.headers["Location"] == f"/datasets/{datasets.sha256(content)}"
    assert response.json()["bytes"] == 32
    assert {one["path"] for one in client.get(response.headers["Location"]).json()["files"]} == {"a/b", "c"}


def test_a_file_of_no_bytes_and_one_in_chunks_are_stored(client):
    assert put(client, b"").status_code in (200, 201)
    content = datasets.fresh(100_000)
    pieces = (content[at:at + 999] for at in range(0, len(content), 999))
    assert put(client, pieces, sha=datasets.sha256(content)).status_code == 201


def test_other_bytes_than_the_sha256_says_are_a_400_and_not_kept(client, site):
    content, wrong = datasets.fresh(), datasets.sha256(b"something else")
    response = put(client, content, sha=wrong)
    assert response.status_code == 400 and wrong in response.json()["detail"]
    for sha in (wrong, datasets.sha256(content)):
        assert client.head(f"/datasets/{sha}").status_code == 404
    site.nothing_staged()


@pytest.mark.parametrize("sha,query,headers,status", [
    ("abc", {"filename": "x"}, {}, 400), ("0" * 64, {}, {}, 400), ("0" * 64, {"filename": ".."}, {}, 400),
    ("0" * 64, {"filename": "x", "color": "red"}, {}, 400), ("0" * 64, {"filename": "x", "extract": "2"}, {}, 400),
    ("0" * 64, {"filename": "x"}, {"Content-Type": "multipart/form-data; boundary=b"}, 415),
    ("0" * 64, {"filename": "x"}, {"Content-Encoding": "gzip"}, 415)])
def test_a_put_that_cannot_be_is_refused(client, sha, query, headers, status):
    response = client.put(f"/datasets/{sha}", params=query, data=b"x", headers=headers)
    assert response.status_code == status, response.text


def answer_without_body(site, server, sha, length):
    """What a PUT that announces so many bytes, and sends none, is answered."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"PUT /datasets/%s?filename=x.bin HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n"
                           b"Expect: 100-continue\r\n\r\n" % (sha.encode(), site.token.encode(), length))
        return connection.recv(4096).split(b"\r\n")[0]


def test_what_cannot_fit_is_refused_before_the_body(server, site):
    assert b" 413 " in answer_without_body(site, server, "1" * 64, 1 << 60)
    assert b" 507 " in answer_without_body(site, server, "1" * 64, (1 << 42) - 1)
    assert b" 100 " in answer_without_body(site, server, "1" * 64, 10)


def test_twins_at_once_are_stored_once_and_both_answered(client, site):
    content = datasets.tar({f"f{number}": datasets.fresh(3000) for number in range(100)})

    def send(_):
        with site.client() as other:
            return put(other, content, "twin.tar")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(send, range(6)))
    assert {response.status_code for response in responses} <= {200, 201}, [response.text for response in responses]
    assert len({response.text for response in responses}) == 1
    assert len(list((site.root / "datasets" / datasets.sha256(content)).iterdir())) == 100
    site.nothing_staged()
