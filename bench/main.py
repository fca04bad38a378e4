"""Runs works: each is a file of bench/works with a function run(stage) that answers a Result."""
import argparse
import ast
import importlib
import pathlib
import signal
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
# `harness` is that of the integration tests, whose private Slurm and server are used here too; ours is bench.harness.
sys.path[0:1] = [str(HERE.parent), str(HERE.parent / "tests" / "integration")]

from bench.harness.stage import Stage  # noqa: E402


def works():
    """Name and first line of the docstring of each."""
    return {path.stem: ast.get_docstring(ast.parse(path.read_text())).splitlines()[0]
            for path in sorted((HERE / "works").glob("*.py"))}


def perform(name, options):
    """Runs one work and writes down what it found; whether it ran to its end."""
    started = time.monotonic()
    print(f"\n=== {name}: {works()[name]}", flush=True)
    try:
        with Stage(options.prefix, options.programs, options.out, options.quick) as stage:
            result = importlib.import_module(f"bench.works.{name}").run(stage)
        result.write(options.out, options.quick)
    except Exception:  # the other works can still run
        traceback.print_exc()
        print(f"--- {name}: an error", flush=True)
        return False
    print(result.markdown(), flush=True)
    print(f"--- {name}: {time.monotonic() - started:.0f} s", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description="What is measured, and beside what.")
    parser.add_argument("--prefix", type=pathlib.Path, help="where `cmake --install` put the programs")
    parser.add_argument("--programs", type=pathlib.Path, help="where the programs of bench/ were built")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/bench-results"))
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether it works, not how fast")
    parser.add_argument("--list", action="store_true", help="names the works")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    known = works()
    if options.list:
        print("\n".join(f"{name:12} {line}" for name, line in known.items()))
        return 0
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"there is no work {unknown[0]!r}; there are: {' '.join(known)}")
    if not options.prefix or not options.programs:
        parser.error("--prefix and --programs are needed; bench/run.sh gives them")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended, as after Ctrl-C
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    bad = [name for name in options.names or known if not perform(name, options)]
    if bad:
        print(f"\nerrors in: {' '.join(bad)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
