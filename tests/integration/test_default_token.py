"""With the token everybody knows, `change-me`, nobody but this machine is served."""
import socket
import subprocess

import pytest


@pytest.fixture(scope="module")
def outer_address():
    found = subprocess.run(["hostname", "-I"], stdout=subprocess.PIPE, text=True).stdout.split()
    found = [address for address in found if ":" not in address and not address.startswith("127.")]
    if not found:
        pytest.skip("this machine has no address but loopback")
    return found[0]


@pytest.fixture(scope="module")
def everywhere(site, outer_address):
    server = site.another_server("default-token", JR_BIND="0.0.0.0", JR_AUTH_TOKEN="change-me")
    yield server.start()
    server.stop()


def test_others_get_a_403_that_says_what_to_set(site, everywhere, outer_address):
    client = site.client(everywhere, "change-me", base=f"http://{outer_address}:{everywhere.port}")
    for path in ("/jobs/1", "/commands", "/outputs"):
        response = client.get(path)
        assert response.status_code == 403
        assert "JR_AUTH_TOKEN" in response.json()["detail"]


def test_loopback_is_served(site, everywhere):
    client = site.client(everywhere, "change-me")
    assert client.get("/outputs").status_code == 200


def test_a_wrong_token_from_loopback_is_still_a_401(site, everywhere):
    assert site.client(everywhere, "nope").get("/outputs").status_code == 401


def test_a_forwarded_header_makes_nobody_local(site, everywhere, outer_address):
    client = site.client(everywhere, "change-me", base=f"http://{outer_address}:{everywhere.port}")
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        assert client.get("/outputs", headers={name: "127.0.0.1", "Host": "localhost"}).status_code == 403


def test_the_server_says_so_when_it_starts(everywhere):
    assert "change-me" in everywhere.log() or "JR_AUTH_TOKEN" in everywhere.log()


def test_the_private_site_listens_on_loopback_alone(server, outer_address):
    with pytest.raises(OSError):
        socket.create_connection((outer_address, server.port), timeout=3).close()
