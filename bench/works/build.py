"""How long a clean build takes, and one after a change of one file, without ccache.

What a user builds: all programs, no tests, by the preset of that name. Of the changed files one is a handler of HTTP, one an actor, one of the core.
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
    source, build = stage.folder("source"), stage.top / "build"
    for name in COPIED:
        copy = shutil.copytree if (HERE / name).is_dir() else shutil.copy2
        copy(HERE / name, source / name)

    def seconds(*command):
        started = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=source)
        if done.returncode:
            raise RuntimeError(done.stdout[-3000:])
        return time.monotonic() - started

    configure = seconds("cmake", "--preset", "release", "-B", build, "-DCCACHE=OFF", "-DJOBRUNNER_TESTS=OFF", "-DJOBRUNNER_BENCH=ON", "-Wno-dev")
    target, changed = stage.size(("src/all", CHANGED), ("src/core/CMakeFiles/jobrunner_core.dir/hex.cpp.o", ("src/core/hex.cpp",)))
    ninja = ("cmake", "--build", build, "--", f"-j{os.cpu_count()}", target)
    clean = configure + seconds(*ninja)
    result.measured("clean, with configuring", "all programs", clean, "s")
    result.target("clean", clean, at_most=360, unit="s")
    slowest = 0.0
    for name in changed:
        with open(source / name, "a", encoding="utf-8") as file:
            file.write("// changed\n")
        took = seconds(*ninja)
        slowest = max(slowest, took)
        result.measured("after a change", name, took, "s")
    result.target("after a change of one file", slowest, at_most=20, unit="s")
    return result
