#!/usr/bin/python3
"""Who may include whom. The build cannot say it, so this does.

    layers_test.py SRC      exits 1 and names every include that goes upwards
"""
import pathlib
import re
import sys

LEAVES = {"archive", "s3", "slurm", "store", "webhook"}
MAY_INCLUDE = {
    "core": {"core"},
    "archive": {"core", "archive"},
    "s3": {"core", "s3"},
    "slurm": {"core", "slurm"},
    "store": {"core", "store"},
    "webhook": {"core", "webhook"},
    "actors": {"core", *LEAVES, "actors"},
}
# Of the actors http knows their messages, the way to ask, and what they publish to be read; of the
# leaves, the templates it shows, the receiving end of an upload, the plan of an archive that it
# sends and who makes it, and which of a job's files are not of its last attempt.
HTTP_SEES = {"actors/api.hpp", "actors/ask.hpp", "actors/board.hpp", "slurm/commands.hpp", "slurm/job_results.hpp",
             "archive/ingest.hpp", "archive/tar_planner.hpp"}
# core wraps the C libraries for all; these two stay out of it.
NOT_IN_CORE = re.compile(r"^#include <(caf/|boost/(asio|beast))", re.M)
BODIES = {"core/boost.cpp"}  # compiled once, for those above


def wrong_includes(src):
    for file in sorted(src.glob("*/**/*.[ch]pp")):
        name, layer, text = str(file.relative_to(src)), file.relative_to(src).parts[0], file.read_text()
        for target in re.findall(r'^#include "([^"]+)"', text, re.M):
            top = target.split("/")[0]
            if layer == "http":
                fine = top in {"core", "http"} or target in HTTP_SEES
            else:
                fine = top in MAY_INCLUDE[layer]
            if not fine:
                yield f"src/{name} includes {target}"
        if layer == "core" and name not in BODIES and NOT_IN_CORE.search(text):
            yield f"src/{name} includes CAF, Asio or Beast"


if __name__ == "__main__":
    sys.exit("\n".join(wrong_includes(pathlib.Path(sys.argv[1]))) or 0)
