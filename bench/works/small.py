"""GET /health and GET /datasets/exists at 16 clients, beside FastAPI.

Health is asked before anything else, by every monitor; in the seed it starts a process. The dataset asked for exists.
"""
import requests

from bench.harness.result import Result
from bench.harness.rounds import column, interleaved, ratios

CASES = {"GET /health": 150, "GET /datasets/exists": 20}


def uploaded(peer, token):
    answer = requests.post(f"{peer.base}/datasets/upload", files={"file": ("small.bin", b"some bytes")},
                           headers={"Authorization": f"Bearer {token}"}, timeout=30)
    answer.raise_for_status()
    return answer.json()["sha256"]


def run(stage):
    result = Result("small", "GET /health and /datasets/exists, 16 clients")
    site = stage.site()
    fastapi = stage.fastapi(site)
    sha = uploaded(fastapi, site.token)
    assert uploaded(site.server, site.token) == sha
    for case, wanted in CASES.items():
        path = "/health" if "health" in case else f"/datasets/exists/{sha}"
        seen = interleaved(stage.rounds, {"ours": lambda p=path: stage.load(site.server, p, token=site.token),
                                          "FastAPI": lambda p=path: stage.load(fastapi, p)})
        for who, answers in seen.items():
            result.measured(case, who, column(answers, "rps"), "requests/s", column(answers, "cpu_us"))
            result.measured(f"{case}, p99", who, [us / 1000 for us in column(answers, "p99_us")], "ms")
        result.target(f"{case} against FastAPI", ratios(column(seen["ours"], "rps"), column(seen["FastAPI"], "rps")), at_least=wanted, unit="x")
    return result
