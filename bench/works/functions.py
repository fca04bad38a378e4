"""Pure functions of ours alone, by Google Benchmark."""
import json
import subprocess

from bench.harness.result import Result

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def run(stage):
    done = subprocess.run([str(stage.programs / "bench_functions"), "--benchmark_format=json", f"--benchmark_repetitions={stage.rounds}",
                           f"--benchmark_min_time={stage.size(0.3, 0.005)}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=600)
    runs = {}
    for one in json.loads(done.stdout)["benchmarks"]:
        if one["run_type"] == "iteration":
            runs.setdefault(one["run_name"], []).append(one["cpu_time"] * SECONDS[one["time_unit"]] * 1e6)
    result = Result("functions", "pure functions, in CPU time")
    for name, microseconds in runs.items():
        what, _, size = name.partition("/")
        result.measured(what.replace("_", " "), f"{size} lines or files" if size else "one", microseconds, "us")
    return result
