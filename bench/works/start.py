"""From the start of the server's binary to its first answer, with 1,000,000 jobs in the database.

A restart must not be felt. The binary reads its configuration, takes the lock, opens the database, recovers what was under way, listens.
"""
import http.client
import time

from bench.harness import database
from bench.harness.result import Result
from bench.harness.rounds import memory


def first_answer(server):
    """Milliseconds until GET /health is answered."""
    started = time.monotonic()
    server.spawn()
    while True:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended:\n{server.log()[-3000:]}")
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        try:
            connection.request("GET", "/health")
            assert connection.getresponse().status == 200
            return 1000 * (time.monotonic() - started)
        except OSError:
            time.sleep(0.001)
        finally:
            connection.close()


def run(stage):
    count = stage.size(1_000_000, 1000)
    result = Result("start", f"start to first answer, {count:,} jobs in the database")
    site = stage.site()
    times, resident = {}, {}
    for have, want in ((0, 0), (0, count)):
        site.server.stop()
        if want:
            database.jobs(site, have, want)
        times[want] = []
        for _ in range(stage.size(10, 2)):
            times[want].append(first_answer(site.server))
            resident[want] = memory(site.server.pid)
            site.server.stop()
        result.measured("start to first answer", f"{want:,} jobs", times[want], "ms")
        result.measured("VmRSS then", f"{want:,} jobs", resident[want] / 2**20, "MiB")
    result.target("start to first answer", times[count], at_most=100, unit="ms")
    return result
