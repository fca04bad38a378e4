"""The acceptance tests, as a user would run them, against the private site."""
import os
import pathlib
import re
import subprocess

import pytest

OWN = pathlib.Path(__file__).parent.parent / "acceptance.sh"
# More scripts of the same kind (BASE, TOK, GPUS, CPUS, MEM_GB; last line 'N passed, N failed'), separated by colons.
SCRIPTS = [str(OWN)] + [path for path in os.environ.get("JR_MORE_ACCEPTANCE", "").split(":") if path]


@pytest.mark.parametrize("gpus", ["0", "1"])
@pytest.mark.parametrize("script", SCRIPTS, ids=os.path.basename)
def test_acceptance(site, server, script, gpus):
    done = subprocess.run(["bash", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                          env={"PATH": os.environ["PATH"], "HOME": str(site.top), "BASE": server.base, "TOK": site.token, "GPUS": gpus, "CPUS": "2", "MEM_GB": "1"})
    print(done.stdout)
    last = done.stdout.strip().splitlines()[-1]
    assert re.fullmatch(r"[1-9]\d* passed, 0 failed", last) and done.returncode == 0, done.stdout
