"""How long a clean build takes, and one after a change of one file, without ccache.

All programs, no tests: as a user builds them, in batches (preset release), and as whoever changes a file does (preset dev).
Of the changed files one is a handler of HTTP, one an actor, one of the core.
"""
import os
import pathlib
import shutil
import subprocess
import time

from bench.harness.result import Result

HERE = pathlib.Path(__file__).resolve().parent.parent.parent
CHANGED = ("src/http/jobs.cpp", "src/actors/job_registry.cpp", "src/core/launcher.cpp")
COPIED = ("CMakeLists.txt", "CMakePresets.json", "cmake", "config", "src", "bench", "supervisord.conf")


def run(stage):
    result = Result("build", f"building with {os.cpu_count()} cores, without ccache")
    source = stage.folder("source")
    for name in COPIED:
        copy = shutil.copytree if (HERE / name).is_dir() else shutil.copy2
        copy(HERE / name, source / name)

    def seconds(*command):
        started = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=source)
        if done.returncode:
            raise RuntimeError(done.stdout[-3000:])
        return time.monotonic() - started

    def ninja(preset):
        return seconds("cmake", "--build", stage.top / preset, "--", f"-j{os.cpu_count()}", target)

    def clean(preset):
        configured = seconds("cmake", "--preset", preset, "-B", stage.top / preset, "-DCCACHE=OFF", "-DJOBRUNNER_TESTS=OFF", "-DJOBRUNNER_BENCH=ON", "-Wno-dev")
        took = configured + ninja(preset)
        result.measured("clean, with configuring", f"preset {preset}", took, "s")
        return took

    target, changed = stage.size(("src/all", CHANGED), ("src/core/CMakeFiles/jobrunner_core.dir/hex.cpp.o", ("src/core/hex.cpp",)))
    result.target("clean, as a user builds it", clean("release"), at_most=360, unit="s")
    clean("dev")
    slowest = 0.0
    for name in changed:
        with open(source / name, "a", encoding="utf-8") as file:
            file.write("// changed\n")
        took = ninja("dev")
        slowest = max(slowest, took)
        result.measured("after a change, preset dev", name, took, "s")
    result.target("after a change of one file", slowest, at_most=20, unit="s")
    return result
