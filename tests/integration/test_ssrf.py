"""A client that names an endpoint reaches through the server nothing that only the server can: no connection at all."""
import socket
import threading

import pytest


class Listener:
    """Counts connections to a port of an address."""

    def __init__(self, address, family=socket.AF_INET):
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.bind((address, 0))
        self.socket.listen(64)
        self.port, self.seen = self.socket.getsockname()[1], 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.seen += 1
            connection.close()

    def close(self):
        self.socket.close()


@pytest.fixture(scope="module")
def api(site, bucket):
    server = site.another_server("s3ssrf", **bucket.environment(JR_S3_ANY_ENDPOINT="1", JR_S3_RETRY_S="2"))
    server.start()
    with site.client(server) as made:
        yield made
    server.stop()


HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.2.", "127.2", "127.0.2", "2130706434", "0x7f000002", "0X7F.0.0.2", "017700000002", "0177.0.0.2",
         "0177.0.0.0x2", "127.000.000.002", "%31%32%37.0.0.2", "0.0.0.0", "0", "localhost", "LOCALHOST", "localhost.", "[::1]", "[::]",
         "[::ffff:127.0.0.2]", "[::ffff:7f00:2]", "[0:0:0:0:0:ffff:127.0.0.2]", "[64:ff9b::7f00:2]", "[2002:7f00:2::1]", "[::127.0.0.2]",
         "\u2460\u2461\u2466.0.0.2", "127\u30020.0.2", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "10.0.0.1", "172.16.0.1",
         "192.168.0.1", "100.64.0.1", "[fe80::1]", "[fc00::1]", "224.0.0.1", "255.255.255.255", "[ff02::1]"]
URLS = ["file:///etc/passwd", "ftp://127.0.0.2:{port}", "gopher://127.0.0.2:{port}", "dict://127.0.0.2:{port}", "ldap://127.0.0.2:{port}",
        "scp://127.0.0.2:{port}", "telnet://127.0.0.2:{port}", "smb://127.0.0.2:{port}/x", "http://127.0.0.2:{port}", "127.0.0.2:{port}",
        "//127.0.0.2:{port}", "https://user:password@127.0.0.2:{port}", "https://example.org@127.0.0.2:{port}",
        "https://127.0.0.2:{port}#@example.org", "https://127.0.0.2:{port}\\@example.org", "https://127.0.0.2:{port}?x=.example.org",
        "https://127.0.0.2:{port}\r\nHost: x", "unix:///run/x", "https://", "https://[::1", "jar:https://127.0.0.2:{port}!/"]


def attempt(api, endpoint):
    """Imports from there; it must not work."""
    answer = api.post("/datasets/import", json={"endpoint": endpoint, "bucket": "data", "key": "x"})
    if answer.status_code == 202:
        found = api.get(f"/imports/{answer.json()['id']}", params={"wait": 60}).json()
        assert found["done"] and found["state"] == "FAILED", (endpoint, found)
        assert found["error"]["status"] in (400, 503), (endpoint, found)
    else:
        assert answer.status_code in (400, 422), (endpoint, answer.text)


def test_no_spelling_of_a_forbidden_address_is_connected_to(api):
    assert len(HOSTS) >= 40
    listeners = [Listener("127.0.0.1"), Listener("127.0.0.2"), Listener("::1", socket.AF_INET6)]
    try:
        for listener in listeners:
            for host in HOSTS:
                attempt(api, f"https://{host}:{listener.port}")
            for url in URLS:
                attempt(api, url.format(port=listener.port))
        assert [listener.seen for listener in listeners] == [0, 0, 0]
        socket.create_connection(("127.0.0.2", listeners[1].port)).close()  # it would have been seen
    finally:
        for listener in listeners:
            listener.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(api, bucket, status):
    listener = Listener("127.0.0.2")

    def elsewhere(handler, _):
        handler.answer(status, {"Location": f"http://127.0.0.2:{listener.port}/"}, b"")
        return True
    try:
        bucket.proxy.fault = elsewhere
        attempt(api, bucket.proxy.endpoint)
        assert bucket.proxy.count("HEAD") >= 1 and listener.seen == 0
    finally:
        bucket.proxy.calm()
        listener.close()


def test_an_allow_listed_endpoint_works_and_gets_no_keys(api, bucket):
    bucket.put("open.bin", b"open to all")

    def anonymous(handler, _):
        assert "Authorization" not in handler.headers
        status, headers, body = handler.upstream()
        handler.send_response_only(status)
        for name in ("ETag", "Content-Length", "Content-Range"):
            if name in headers:
                handler.send_header(name, headers[name])
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)
        return True
    bucket.proxy.calm()
    bucket.proxy.fault = anonymous
    answer = api.post("/datasets/import", data={"endpoint": bucket.proxy.endpoint, "bucket": "data", "key": "open.bin"})
    found = api.get(f"/imports/{answer.json()['id']}", params={"wait": 60}).json()
    bucket.proxy.calm()
    assert found["state"] == "COMPLETED" and found["dataset"]["bytes"] == 11, found
    assert found["endpoint"] == bucket.proxy.endpoint


def test_a_listed_port_opens_no_other_of_its_host(api, bucket):
    listener = Listener("127.0.0.1")
    attempt(api, f"https://127.0.0.1:{listener.port}")
    attempt(api, f"http://127.0.0.1:{listener.port}")
    listener.close()
    assert listener.seen == 0


def test_an_endpoint_needs_a_bucket(api):
    assert api.post("/datasets/import", data={"endpoint": "https://example.org", "key": "x"}).status_code == 400
