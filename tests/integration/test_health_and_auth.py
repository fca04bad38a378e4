"""Who is let in: nobody without the token, on no path, before a byte of the body is read."""
import socket
import time

import pytest

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


def every_path(contract):
    paths = [path.replace("{sha256}", "0" * 64).replace("{key}", "echo_params").replace("{job_id}", "1")
             for path in contract.document["paths"] if path not in ("/health", "/openapi.json")]
    return paths + ["/", "/jobs/", "/nope", "/jobs/1/nope", "/datasets", "/outputs/by_job/x", "/metrics"]


def test_health_answers_without_a_token(anonymous):
    health = anonymous.get("/health").json()
    assert health["ok"] is True and health["slurm"] is True and health["problems"] == []
    assert isinstance(health["b2_mounted"], bool)


def test_health_is_compact_json_as_the_seed_wrote_it(anonymous):
    assert '"ok":true' in anonymous.get("/health").text


def test_every_path_wants_a_token(anonymous, contract):
    for path in every_path(contract):
        response = anonymous.get(path)
        assert response.status_code == 401, path
        assert response.headers["WWW-Authenticate"].startswith("Bearer"), path


def test_every_method_wants_a_token(anonymous, contract):
    for path in every_path(contract):
        for method in METHODS:
            assert anonymous.request(method, path).status_code == 401, f"{method} {path}"


def test_no_wrong_token_is_let_in(anonymous, site):
    token = site.token
    wrong = ["Bearer nope", "Bearer", "Bearer ", f"Bearer {token[:-1]}", f"Bearer {token}x", f"Bearer {token[:8]}", f"Basic {token}",
             token, f"Bearer {token} {token}", f"Bearer {token.upper()}" if token.upper() != token else "Bearer x", "Bearer " + "a" * 4000,
             f"Bearer\t{token}x", f'Bearer "{token}"', f"Token {token}", "Bearer \x80\xff"]
    for value in wrong:
        response = anonymous.get("/jobs/1", headers={"Authorization": value.encode("latin-1")})
        assert response.status_code == 401, value
        assert token not in response.text


def test_a_token_in_the_query_or_a_cookie_is_none(anonymous, site):
    for name in ("token", "access_token", "auth", "api_key"):
        assert anonymous.get("/jobs/1", params={name: site.token}).status_code == 401
    assert anonymous.get("/jobs/1", headers={"Cookie": f"token={site.token}"}).status_code == 401


def test_the_scheme_may_be_in_any_case(client, site):
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert client.get("/jobs/999999999", headers={"Authorization": f"{scheme} {site.token}"}).status_code == 404


def test_two_authorization_headers_are_refused(server, site):
    for first, second in ((site.token, "x"), ("x", site.token)):
        answer = raw(server, f"GET /jobs/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {first}\r\n"
                             f"Authorization: Bearer {second}\r\nConnection: close\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 400")), answer[:80]


def test_the_answer_is_the_same_for_every_wrong_token(anonymous):
    bodies = {anonymous.get("/jobs/1", headers={"Authorization": f"Bearer {guess}"}).text for guess in ("a", "b" * 64, "")}
    assert len(bodies) == 1


@pytest.mark.parametrize("path", ["/datasets/upload", "/jobs", "/datasets/import_path", "/nope"])
def test_a_hundred_gigabytes_without_a_token_are_refused_before_the_body(server, path):
    started = time.monotonic()
    answer = raw(server, f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                         f"Content-Length: {100 << 30}\r\n\r\n", read_all=False)
    assert answer.startswith(b"HTTP/1.1 401"), answer[:80]
    assert time.monotonic() - started < 1


def test_expect_100_continue_without_a_token_gets_no_100(server):
    answer = raw(server, "POST /datasets/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                         "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n", read_all=False)
    assert answer.startswith(b"HTTP/1.1 401"), answer[:80]


def raw(server, text, read_all=True):
    """What the server answers to these bytes: until it closes, or the first of it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(text.encode("latin-1"))
        answer = connection.recv(65536)
        while read_all and (more := connection.recv(65536)):
            answer += more
        return answer
