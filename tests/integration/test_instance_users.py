"""Who runs what of an instance, and who sees what."""
import json
import subprocess
from pathlib import Path

import pytest
from harness.instance import TOKEN, as_root

pytestmark = pytest.mark.no_server


@as_root
def test_the_job_user_can_read_no_secret_and_change_nothing_of_the_instances(instance):
    names = "auth_token webhook_secret slurm/munge/key slurm/state run/server.json log datasets/.staging".split()
    script = "".join(f"cat {instance.root}/{n} >/dev/null 2>&1 && echo read {n}; ls {instance.root}/{n}/ >/dev/null 2>&1 && echo listed {n}\n" for n in names)
    for place in ("", "datasets", "results", "jobs", "slurm", "run", "app", "slurm/munge", "slurm/spool"):
        script += f"touch {instance.root}/{place}/mine 2>/dev/null && echo wrote {place}\n"
    script += f"mv {instance.root}/slurm {instance.root}/away 2>/dev/null && echo moved\n"
    assert instance.result(instance.submit(script + "echo end\n")).split("\n") == ["end", ""]


@as_root
def test_the_servers_user_can_add_its_database_but_not_replace_what_root_runs(instance):
    def as_server(command):
        return subprocess.run(["sh", "-c", command], user="jobrunner", group="jobrunner", extra_groups=[], check=False).returncode
    assert as_server(f"touch {instance.root}/a.db && rm {instance.root}/a.db") == 0
    assert as_server(f"mv {instance.root}/slurm {instance.root}/x 2>/dev/null") != 0
    assert as_server(f"touch {instance.root}/slurm/slurm.conf 2>/dev/null") != 0


def test_only_the_server_gets_keys_and_nobody_the_token(instance):
    seen = instance.base / "app/seen.json"
    instance.until(seen.exists, "the server has started")
    server = json.loads(seen.read_text())
    assert TOKEN not in server.values()
    assert Path(server["JR_AUTH_TOKEN_FILE"]).read_text() == TOKEN
    assert (server["JR_B2_KEY_ID"], server["JR_B2_APP_KEY"]) == ("the-key-id", "the-app-key")
    assert server["JR_PORT"] == instance.env["PORT"] and server["JR_BIND"] == "127.0.0.1"
    supervisor = int((instance.root / "run/supervisord.pid").read_text())
    others = {n: p for n, p in instance.pids().items() if n != "jobrunner"}
    assert set(others) == {"munged", "slurmctld", "slurmd"}
    for pid in [supervisor, *others.values()]:
        environ = Path(f"/proc/{pid}/environ").read_text() + Path(f"/proc/{pid}/cmdline").read_text()
        assert TOKEN not in environ and "the-app-key" not in environ and "the-key-id" not in environ


@as_root
def test_each_program_runs_as_its_own_user(instance):
    users = instance.owners()
    assert (users["munged"], users["slurmctld"], users["slurmd"]) == ("munge", "slurm", "root")
