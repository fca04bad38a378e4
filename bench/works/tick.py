"""What looking at Slurm costs with 10,000 jobs in the queue: processes started, and CPU time beside one plain squeue.

Slurm's commands are written down by a wrapper that the server starts instead of them, for some time without clients and with 16
that poll. What starts less than half a second after the command before belongs to the same look: pauses are longer. CPU time is
that of the server, its launchers and whatever they started, divided by the looks.
"""
import os
import pwd
import resource
import subprocess
import time

from bench.harness import jobs
from bench.harness.result import Result
from bench.harness.rounds import Cost, median

PLAIN = ["squeue", "-h", "-o", "%i %T %r"]


def counting(stage):
    """A folder with all of Slurm's commands that the server starts, and where they write down that they were."""
    folder, log = stage.folder("counted"), stage.top / "started"
    log.touch()
    log.chmod(0o666)
    for name in ("sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo"):
        wrapper = folder / name
        wrapper.write_text(f'#!/bin/sh\nread -r now idle </proc/uptime\necho "$now {name}" >>{log}\nexec /usr/bin/{name} "$@"\n')
        wrapper.chmod(0o755)
    folder.chmod(0o755)
    return folder, log


def seen(log):
    """How many looks there were, and how many commands."""
    starts = sorted(float(line.split()[0]) for line in log.read_text().splitlines())
    return sum(late - early >= 0.5 for early, late in zip([0, *starts], starts)), len(starts)


def plain_squeue(site):
    """CPU seconds of one."""
    account = pwd.getpwnam(site.about["job_user"])
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(PLAIN, stdout=subprocess.DEVNULL, check=True, env={"PATH": "/usr/bin:/bin", "SLURM_CONF": str(site.slurm.conf)}, **user)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(stage):
    count, seconds = stage.size(10_000, 40), stage.size(20, 3)
    result = Result("tick", f"{count:,} jobs in the queue")
    folder, log = counting(stage)
    site = stage.site(JR_SLURM_BIN=str(folder))
    with site.client() as client:
        sha = jobs.toolbox(client)
        ids = jobs.queue(client, sha, count)
    time.sleep(stage.size(10, 1))  # the events of so many submits are over
    for clients in (0, 16):
        load = None
        costs, looks, commands, shares, squeues = [], [], 0, [], []
        for _ in range(stage.rounds):
            log.write_text("")
            if clients:
                load = subprocess.Popen([str(stage.programs / "bench_load"), "--port", str(site.server.port), "--path", f"/jobs/{ids[0]}",
                                         "--header", f"Authorization: Bearer {site.token}", "--connections", str(clients), "--pause-ms", "200", "--seconds", str(seconds)], stdout=subprocess.DEVNULL)
            with Cost(site.server.pid) as cost, Cost(site.slurm.children["slurmctld"].pid) as controller:
                time.sleep(seconds)
            if load:
                load.wait(30)
            count_of_looks, started = seen(log)
            commands += started
            looks.append(count_of_looks)
            costs.append(cost.cpu / max(1, count_of_looks))
            shares.append(100 * cost.cpu / cost.wall)
            squeues += [plain_squeue(site) for _ in range(3)]
        who = f"{clients} clients" if clients else "nobody asks"
        result.measured(f"looks in {seconds} s", who, looks, "")
        result.target(f"processes a look, {who}", commands / max(1, sum(looks)), at_most=1)
        if not clients:  # otherwise the answers are in it
            result.measured("CPU time of a look", "ours", [1000 * one for one in costs], "ms")
            result.measured("CPU time of slurmctld for it", "ours", 1000 * controller.cpu / max(1, looks[-1]), "ms")
            result.measured("CPU time", "a plain squeue", [1000 * one for one in squeues], "ms")
            result.measured("share of a core", "ours", shares, "%")
            result.target("CPU time of a look against a plain squeue", median(costs) / median(squeues), at_most=1.2, unit="x")
            result.target("share of a core", shares, at_most=10, unit="%")
    return result
