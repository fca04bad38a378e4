"""The places at which a server of the preset failpoints can be killed, as its sources name them."""
import os
import pathlib
import re

import pytest

from .sanitizers import patient

SOURCES = pathlib.Path(__file__).parent.parent.parent.parent / "src"
ALL = sorted({name for file in SOURCES.rglob("*.cpp") for name in re.findall(r'JR_FAILPOINT\("(\w+)"\)', file.read_text())})


def begin_with(*prefixes):
    return [name for name in ALL if name.startswith(prefixes)]


TRANSFERS, IMPORTS, EXPORTS, OUTPUTS = begin_with("transfer_"), begin_with("import_"), begin_with("export_"), begin_with("output")
DATASETS = [name for name in ALL if name not in TRANSFERS + IMPORTS + EXPORTS + OUTPUTS]


def server(site, name, **environment):
    """Another one, not started, that dies where JR_FAILPOINT says; the test is skipped where there is none."""
    prefix = os.environ.get("JOBRUNNER_FAILPOINTS_PREFIX")
    if not prefix:
        pytest.skip("JOBRUNNER_FAILPOINTS_PREFIX names no install of the preset failpoints; run_tests.sh makes one")
    made = site.another_server(name, **environment)
    made.program = prefix + "/bin/jobrunner"
    made.environment["JR_AUTH_TOKEN"] = site.token
    return made


def dies(server, seconds=60):
    """It was killed at its failpoint, at which it will not be killed again."""
    point = server.environment.pop("JR_FAILPOINT")
    server.process.wait(patient(seconds))
    assert server.process.returncode == -9, f"{point} was not reached"
