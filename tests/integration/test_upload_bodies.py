"""Bodies of uploads that are cut, malformed, hostile in their names or of the wrong kind."""
import socket

import pytest
from harness import datasets


def multipart(parts, boundary="b0undary", end=True):
    """Bytes of a form; `parts` are (header lines, content)."""
    body = b"".join(b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), head, content) for head, content in parts)
    return body + (b"--%s--\r\n" % boundary.encode() if end else b"")


def file_part(filename, content):
    return b'Content-Disposition: form-data; name="file"; filename="' + filename + b'"', content


def post(client, body, boundary="b0undary"):
    return client.post("/datasets/upload", data=body, headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", "text/plain", "application/octet-stream", ""])
def test_an_upload_that_is_no_multipart_is_a_415(client, kind):
    response = client.post("/datasets/upload", data=b'{"file":"x"}', headers={"Content-Type": kind} if kind else {})
    assert response.status_code == 415
    assert "multipart/form-data" in response.json()["detail"]


def test_an_upload_without_a_file_is_a_400(client):
    sha = b'Content-Disposition: form-data; name="sha256"', b"0" * 64
    assert post(client, multipart([sha])).status_code == 400
    assert post(client, multipart([])).status_code == 400
    no_name = b'Content-Disposition: form-data; name="file"', b"text"
    assert post(client, multipart([no_name])).status_code == 400


@pytest.mark.parametrize("body", [b"", b"junk", b"--b0undary", b"--b0undary\r\n", b"--b0undary\r\n\r\nx\r\n--b0undary--\r\n",
                                  multipart([file_part(b"a", b"x")], end=False), multipart([file_part(b"a", b"x")], boundary="other"),
                                  b"--b0undary\r\n" + b"X: y\r\n" * 10000 + b"\r\nx\r\n--b0undary--\r\n",
                                  multipart([(b'Content-Disposition: form-data; name="' + b"n" * 20000 + b'"', b"x")]),
                                  multipart([(b'Content-Disposition: form-data; name="f%d"' % number, b"") for number in range(5000)]),
                                  multipart([(b'Content-Disposition: form-data; name="sha256"', b"0" * (2 << 20)), file_part(b"a", b"x")]),
                                  multipart([file_part(b"a", b"1"), file_part(b"b", b"2")]), b"\r\n" * 2_000_000])
def test_a_malformed_form_is_refused(client, body):
    # A body that is refused early is not read to its end; a client that still sends may see the connection closed.
    try:
        response = post(client, body)
    except OSError:
        assert len(body) > 10_000
        return
    assert response.status_code in (400, 413), response.text


def test_a_boundary_that_is_none_is_a_400(client):
    for boundary in ("", "x" * 300, '"unterminated'):
        assert post(client, multipart([file_part(b"a", b"x")]), boundary).status_code in (400, 415), boundary
    response = client.post("/datasets/upload", data=b"x", headers={"Content-Type": "multipart/form-data"})
    assert response.status_code in (400, 415)


def test_text_like_the_boundary_inside_a_file_is_content(client, site):
    content = datasets.fresh(8) + b"\r\n--b0undar\r\n--b0undaryx"[:14] + b"\r\n-\r\n--\r\n"
    response = post(client, multipart([file_part(b"a.bin", content)]))
    assert response.status_code == 200
    assert (site.root / response.json()["stored_path"]).read_bytes() == content


HOSTILE = [b"../../etc/passwd", b"/etc/cron.d/x", b"..", b".", b"a/../../b", b"..\\..\\win", b"C:\\x", b"nul\x00byte", b"esc\x1b[31m",
           b"line\r\nfeed", b"a" * 300, b"a" * 5000, b"\xff\xfe", b"caf\xc3\xa9.txt", b"%2e%2e%2fx", b"semi;colon", b"$(touch x)", b"`id`",
           b"-rf", b" ", b"", b"trailing.", b"CON", b".hidden", b"~root", b"a\tb", b"\xe2\x80\xae.txt"]


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_a_hostile_file_name_stays_inside_or_is_refused(client, site, name):
    content = datasets.fresh()
    response = post(client, multipart([file_part(name, content)]))
    sha = datasets.sha256(content)
    folder = site.root / "datasets" / sha
    if response.status_code == 200:
        found = list(folder.iterdir())
        assert [path.read_bytes() for path in found] == [content]
        assert (site.root / response.json()["stored_path"]).resolve() == found[0]
        assert not any(ord(char) < 32 for char in found[0].name)
    else:
        assert response.status_code == 400, response.text
        assert not folder.exists()


def test_an_upload_that_breaks_off_leaves_nothing(client, server, site):
    content = datasets.fresh(300_000)
    body = multipart([file_part(b"cut.bin", content)])
    for length in (len(body) // 2, 70, len(body) - 5):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(b"POST /datasets/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                               b"Content-Type: multipart/form-data; boundary=b0undary\r\nContent-Length: %d\r\n\r\n"
                               % (site.token.encode(), len(body)) + body[:length])
    site.nothing_staged()
    assert client.get(f"/datasets/exists/{datasets.sha256(content)}").json() == {"exists": False}


def test_an_upload_in_chunks_is_stored_or_refused_by_length(client):
    content = datasets.fresh(200_000)
    body = multipart([file_part(b"chunked.bin", content)])
    pieces = (body[start:start + 1000] for start in range(0, len(body), 1000))
    response = post(client, pieces)
    assert response.status_code in (200, 411)
    if response.status_code == 200:
        assert response.json()["sha256"] == datasets.sha256(content)
