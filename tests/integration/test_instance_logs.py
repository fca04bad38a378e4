"""What an instance logs does not fill its disk."""
import os
import re

import pytest

pytestmark = pytest.mark.no_server


def test_what_the_programs_print_goes_to_files_that_rotate(fresh):
    one = fresh()
    one.ok("prepare")
    path = one.root / "run/supervisord.conf"
    conf, changed = re.subn(r"^(stdout_)?logfile_maxbytes=\d+MB$", r"\1logfile_maxbytes=512", path.read_text(), flags=re.M)
    assert changed == 1 + conf.count("[program:") and conf.count("logfile_backups=") == changed
    path.write_text(conf)
    one.ok("start")
    one.until(lambda: one.slurm("sinfo", "-h", "-o", "%T") == "idle", "the node is idle")
    for _ in range(12):
        one.submit("true\n")
    last = one.submit("true\n")
    one.result(last)
    for name in ("slurmctld", "slurmd"):
        one.until((one.root / f"log/{name}.log.2").exists, f"{name}.log has rotated")
        files = sorted((one.root / "log").glob(f"{name}.log*"))
        assert len(files) == 3 and sum(f.stat().st_size for f in files) < 30_000, files
    # And nothing of Slurm's anywhere else.
    for daemon in ("SlurmctldLogFile", "SlurmdLogFile"):
        assert re.search(rf"^{daemon}\s+= \(null\)$", one.slurm("scontrol", "show", "config"), re.M)


def test_the_completion_log_is_begun_anew_when_it_is_large_and_slurm_goes_on_in_the_new_one(fresh):
    one = fresh()
    one.up()
    log, before = one.root / "slurm/jobcomp.log", one.root / "slurm/jobcomp.log.1"
    first = one.submit("true\n")
    one.result(first)
    one.until(lambda: f"JobId={first} " in log.read_text(), "the first job is in the log")
    owner = log.owner()
    os.truncate(log, (64 << 20) + 1)
    one.until(before.exists, "the log is turned", 30)  # HealthCheckInterval is 10 s
    one.until(lambda: "Logrotate" in (one.root / "log/slurmctld.log").read_text(), "slurmctld has heard of it")
    second = one.submit("true\n")
    one.result(second)
    one.until(lambda: f"JobId={second} " in log.read_text(), "the second job is in the new log")
    assert log.owner() == owner and log.stat().st_mode & 0o777 == 0o644
    with open(before, "rb") as f:
        assert f"JobId={first} ".encode() in f.read(4096)
