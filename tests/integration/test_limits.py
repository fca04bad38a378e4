"""What one address may do: guess a few tokens, and open some of the connections there are."""
import concurrent.futures
import socket
import threading
import time

import pytest


@pytest.fixture(scope="module")
def strict(site):
    """A server with the limits that a user gets, and room for ten connections of one address."""
    server = site.another_server("strict", JR_MAX_WRONG_TOKENS="20", JR_MAX_CONNECTIONS_PER_ADDRESS="10")
    yield server.start()
    server.stop()


def test_guesses_are_slowed_down_and_the_right_token_is_not(site, strict):
    statuses, over = [], threading.Event()

    def guess(number):
        with site.client(strict, f"wrong-{number}") as client:
            while not over.is_set():
                response = client.get("/jobs/1")
                statuses.append(response.status_code)
                if response.status_code == 429:
                    assert 1 <= int(response.headers["Retry-After"]) <= 60
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        guessing = [pool.submit(guess, number) for number in range(6)]
        site.wait_until(lambda: 429 in statuses, 30, "guesses are refused")
        with site.client(strict) as client:
            slowest = 0
            for _ in range(20):
                started = time.monotonic()
                assert client.get("/outputs").status_code == 200
                slowest = max(slowest, time.monotonic() - started)
        time.sleep(3)
        over.set()
        for one in guessing:
            one.result(30)
    assert slowest < 1, "the right token waits as guesses do"
    assert set(statuses) == {401, 429}
    assert statuses.count(401) < 30 and len(statuses) < 100, f"{len(statuses)} guesses in a few seconds"
    assert "guessing address=127.0.0.1" in strict.log()


def test_a_call_without_a_token_is_no_guess(site, strict):
    with site.client(strict, "") as nobody:
        for _ in range(50):
            assert nobody.get("/jobs/1").status_code == 401


def test_one_address_cannot_take_all_connections(site, strict):
    held = [socket.create_connection(("127.0.0.1", strict.port), timeout=10) for _ in range(10)]
    try:
        site.wait_until(lambda: refused(strict), 10, "an eleventh connection is closed at once")
    finally:
        for one in held:
            one.close()
    site.wait_until(lambda: not refused(strict), 10, "room is given back")


def refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as one:
        try:
            one.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return one.recv(100) == b""
        except ConnectionError:
            return True
