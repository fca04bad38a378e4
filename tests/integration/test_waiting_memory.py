"""Ten thousand clients wait, and the server hardly notices."""
import pathlib
import re
import resource
import selectors
import socket
import time

import pytest
from harness import datasets

CLIENTS = 10_000
EACH = 4096
pytestmark = pytest.mark.slow  # a sanitizer's own memory is beside the point


def resident(pid):
    """Bytes of memory that the process has for itself: RssAnon of proc(5)."""
    return 1024 * int(re.search(r"RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


def many_files(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"at most {hard} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


@pytest.fixture
def roomy(site):
    """A server for as many clients as that, and a job that waits for one which runs."""
    many_files(CLIENTS + 1000)
    server = site.another_server("roomy", JR_MAX_CONNECTIONS=str(CLIENTS + 100), JR_MAX_CONNECTIONS_PER_ADDRESS=str(CLIENTS + 50))
    server.start()
    yield server
    server.stop()


def wait_many(server, target, token):
    request = f"GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    connections = []
    for _ in range(CLIENTS):
        one = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        one.sendall(request)
        connections.append(one)
    return connections


def settled(pid):
    """The memory once it grows no more."""
    seen = resident(pid)
    while True:
        time.sleep(0.5)
        if (now := resident(pid)) <= seen:
            return now
        seen = now


def answers(connections, seconds=60):
    """The first line of what each gets."""
    lines = []
    with selectors.DefaultSelector() as ready:
        for one in connections:
            ready.register(one, selectors.EVENT_READ)
        end = time.monotonic() + seconds
        while len(lines) < len(connections):
            assert time.monotonic() < end, f"{len(connections) - len(lines)} of {len(connections)} hear nothing"
            for key, _ in ready.select(1):
                lines.append(key.fileobj.recv(65536).split(b"\r\n")[0])
                ready.unregister(key.fileobj)
    return lines


@pytest.mark.parametrize("target", ["/jobs/{}?wait=300", "/jobs/{}/events?wait=300&after={}"])
def test_a_waiting_client_costs_at_most_4_kib_and_all_are_woken(site, roomy, target):
    with site.client(roomy) as client:
        sha = client.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
        job = client.submit(sha, "pytorch_infer", params_json='{"script": "nap.py", "seconds": 300}', gpus=0, mem_gb=1)
        client.wait_state(job, {"RUNNING"})
        known = client.get(f"/jobs/{job}").headers["ETag"].strip('"')
        before = settled(roomy.pid)
        connections = wait_many(roomy, target.format(job, known), site.token)
        try:
            each = (settled(roomy.pid) - before) / CLIENTS
            print(f"{each:.0f} bytes of memory for each of {CLIENTS} waiting clients")
            assert each <= EACH
            client.post(f"/jobs/{job}/cancel")
            assert set(answers(connections)) == {b"HTTP/1.1 200 OK"}
        finally:
            for one in connections:
                one.close()
