"""Starting and stopping: one server to a JR_ROOT, a quick end on SIGTERM, clear words when it cannot start."""
import concurrent.futures
import os
import signal
import socket
import time

import pytest
import requests
from harness import datasets, ports
from harness.server import Server


def ends(server, seconds=15):
    """Exit status and log of a server that is expected not to start."""
    server.spawn()
    try:
        return server.process.wait(seconds), server.log()
    finally:
        server.kill()


def variant(site, name, **environment):
    """The site's server once more, with other settings and its own log."""
    port = ports.free(1)[0]
    settings = {**site.server.environment, "JR_PORT": str(port), **environment}
    return Server(site.server.program, settings, port, site.top / f"{name}.log")


def test_a_second_server_on_the_same_root_refuses(site, server, client):
    status, log = ends(variant(site, "second"))
    assert status not in (0, None) and status > 0, status
    assert str(site.root) in log, log
    assert server.alive() and client.get("/health").json()["ok"] is True


@pytest.mark.parametrize("name,value", [("JR_PORT", "http"), ("JR_PORT", "70000"), ("JR_ROOT", "relative"), ("JR_POLL_INTERVAL_MS", "soon"),
                                        ("JR_MAX_UPLOAD_BYTES", "-1"), ("JR_IO_THREADS", "0")])
def test_a_bad_setting_is_named(site, name, value):
    status, log = ends(variant(site, f"bad-{name}-{value}", **{name: value}))
    assert status is not None and status > 0
    assert name in log and value in log, log


def test_an_address_that_is_none_is_named(site):
    other = site.another_server("nowhere")
    other.environment["JR_BIND"] = "nowhere"
    status, log = ends(other)
    assert status > 0 and "nowhere" in log, log


def test_a_port_that_is_taken_is_named(site, server):
    other = site.another_server("taken")
    other.environment["JR_PORT"] = str(server.port)
    other.port = server.port
    status, log = ends(other)
    assert status > 0 and str(server.port) in log, log


def test_a_broken_database_is_refused_and_not_replaced(site):
    other = site.another_server("broken")
    database = site.top / "broken" / "jr_slurm.db"
    database.write_bytes(b"this is no database" * 1000)
    if os.geteuid() == 0:
        owner = (site.root / "jr_slurm.db").stat()
        os.chown(database, owner.st_uid, owner.st_gid)
    status, log = ends(other)
    assert status > 0 and "jr_slurm.db" in log, log
    assert database.read_bytes().startswith(b"this is no database")


def test_sigterm_with_everything_open_ends_in_time(site, server, client, run_tool):
    job_id = run_tool("nap.py", {"seconds": 60})
    client.wait_state(job_id, {"RUNNING"})
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    half = socket.create_connection(("127.0.0.1", server.port))
    half.sendall(f"POST /datasets/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                 "Content-Length: 1000000\r\n\r\n--b\r\n".encode())

    def poll(_):
        try:
            return site.client().get(f"/jobs/{job_id}", params={"wait": 60}).status_code
        except requests.RequestException:
            return None  # closed: fine too
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = pool.map(poll, range(20))
        time.sleep(1)
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0, server.log()[-2000:]
        assert time.monotonic() - started < 10
        assert set(answers) <= {200, 503, None}
    for connection in (*idle, half):
        connection.close()
    server.start()
    with site.client() as again:
        assert again.job(job_id)["status"] == "RUNNING"
        again.post(f"/jobs/{job_id}/cancel")
    site.nothing_staged()


def test_its_children_end_with_it(site, server):
    from test_secrets import descendants
    children = descendants(server.pid)
    server.kill()
    site.wait_until(lambda: not [pid for pid in children if os.path.exists(f"/proc/{pid}")], 10, "no child outlives a killed server")
    server.start()


@pytest.mark.parametrize("of", ["jobs", "extractors"])
def test_it_ends_when_a_launcher_dies_and_works_again_when_it_is_started(site, server, client, of):
    from test_secrets import descendants
    first, second = sorted(descendants(server.pid))[:2]  # as main.cpp makes them
    os.kill(first if of == "jobs" else second, signal.SIGKILL)
    assert server.process.wait(10) == 1
    assert f"launcher_died of={of}" in server.log().splitlines()[-1]
    server.start()
    client.upload("after.tar.gz", datasets.tar({"a": datasets.fresh()}))
    assert client.get("/health").json()["slurm"] is True
