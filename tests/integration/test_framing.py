"""Framing tricks: one request, one answer at most; what hides behind it is never answered."""
import concurrent.futures
import re
import socket

import pytest
import raw_inputs

ANSWER = re.compile(rb"HTTP/1\.[01] (\d\d\d) ")


def talk(server, data, seconds=3.0):
    """(statuses answered, whether the server closed the connection) for these bytes, sent at once and left open."""
    answer, closed = b"", False
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        try:
            connection.sendall(data)
        except OSError:
            closed = True
        try:
            while more := connection.recv(65536):
                answer += more
            closed = True
        except socket.timeout:
            pass
        except ConnectionError:
            closed = True
    return [int(status) for status in ANSWER.findall(answer)], closed


@pytest.mark.parametrize("target", ["/", "/jobs/1/cancel", "/datasets/upload"])
@pytest.mark.parametrize("with_token", [False, True], ids=["stranger", "with token"])
def test_nothing_hidden_is_ever_answered(server, site, target, with_token):
    head = b"Content-Type: application/json\r\n" + (f"Authorization: Bearer {site.token}\r\n".encode() if with_token else b"")
    inputs = raw_inputs.inputs(target.encode(), head)
    with concurrent.futures.ThreadPoolExecutor(len(inputs)) as pool:
        results = dict(zip(inputs, pool.map(lambda data: talk(server, data), inputs.values())))
    wrong = {}
    for name, (statuses, closed) in results.items():
        final = [status for status in statuses if status >= 200]
        if len(final) > 1 or any(status >= 500 and status not in (501, 505) for status in final) or any(200 <= status < 300 for status in final):
            wrong[name] = (statuses, closed)
        if name[:2] in raw_inputs.REFUSED and (final != [400] or not closed):
            wrong[name] = (statuses, closed, "want 400 and the end")
        if name[:2] in raw_inputs.LAST and (len(final) != 1 or not closed):
            wrong[name] = (statuses, closed, "want one refusal and the end")
    assert not wrong, wrong
    assert server.alive() and site.client().get("/health").json()["ok"] is True


def test_every_connection_is_let_go(server, site):
    import os
    folder = f"/proc/{server.pid}/fd"
    before = len(os.listdir(folder))
    for data in raw_inputs.inputs().values():
        with socket.create_connection(("127.0.0.1", server.port), timeout=3) as connection:
            try:
                connection.sendall(data)
            except OSError:
                pass  # refused already
    site.wait_until(lambda: len(os.listdir(folder)) <= before + 2, 10, "no descriptor is left")


def test_requests_in_one_go_are_answered_in_order(server, site):
    paths = ["/health", "/commands/nope", "/health", "/openapi.json", "/nope", "/health"]
    data = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\n".encode()
                    + (b"Connection: close\r\n\r\n" if number == len(paths) - 1 else b"\r\n") for number, path in enumerate(paths))
    statuses, closed = talk(server, data, 10)
    assert statuses == [200, 404, 200, 200, 404, 200] and closed


def test_a_request_that_comes_byte_by_byte_is_read(server, site):
    data = f"GET /outputs?limit=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            connection.sendall(bytes([byte]))
        answer = b""
        while more := connection.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 200")


def test_expect_100_continue_is_answered(server, site):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        body = b'{"src_path":"nope"}'
        connection.sendall(f"POST /datasets/import_path HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\nContent-Type: application/json\r\n"
                           f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert connection.recv(4096).startswith(b"HTTP/1.1 404")


def chunked(server, site, trailer, path="/datasets/import_path"):
    """The status of a call whose chunked body, a path that is not there, has this trailer."""
    body = b'{"src_path":"nope"}'
    head = (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n").encode()
    return talk(server, head + b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, trailer)
                + b"GET /smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 10)


def test_a_trailer_changes_nothing_about_its_request(server, site):
    # The second request is the client's own: it is answered, for want of a token.
    for trailer in (b"", b"X: y\r\n", b"Content-Type: text/plain\r\nExpect: 200-foo\r\nConnection: close\r\n"):
        assert chunked(server, site, trailer)[0] == [404, 401], trailer


def test_a_trailer_that_frames_or_authorises_ends_the_connection(server, site):
    for trailer in (b"Content-Length: 50\r\n", b"Transfer-Encoding: gzip\r\n", b"Host: y\r\n", f"Authorization: Bearer {site.token}\r\n".encode()):
        assert chunked(server, site, trailer) == ([400], True), trailer


def test_a_token_in_a_trailer_is_none(server, site):
    head = b"POST /datasets/import_path HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    statuses, closed = talk(server, head + f"0\r\nAuthorization: Bearer {site.token}\r\n\r\n".encode(), 10)
    assert statuses == [401] and closed


@pytest.mark.parametrize("line", [b"Host:\r\n x\r\n", b"Host: x\r\n y\r\n", b"Host: x\r\nX-A: 1\r\n\t2\r\n", b"Host: x\r\nX-A:\r\n  \r\n"])
@pytest.mark.parametrize("piece", [10_000, 1], ids=["at once", "byte by byte"])
def test_a_folded_header_is_refused_in_words(server, line, piece):
    data = b"GET /health HTTP/1.1\r\n" + line + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), piece):
            connection.sendall(data[at:at + piece])
        answer = b""
        while more := connection.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 400") and b"folded" in answer, answer


def test_errors_of_framing_are_problems_too(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n")
        answer = b""
        while more := connection.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 400") and b"application/problem+json" in answer
