"""An instance works whatever its machine is called, has or runs besides."""
import json
import os
import socket
import subprocess

import pytest
from harness.instance import as_root

pytestmark = pytest.mark.no_server


# Its name is nothing, as Debian sets it up, as containers do, and as only some have it.
@pytest.mark.parametrize("line,kept_inside", [("", False), ("127.0.1.1", False), ("192.0.2.77", False), ("127.0.0.1", True)])
def test_jobs_and_srun_work_whatever_the_address_of_the_machines_name(fresh, line, kept_inside):
    one = fresh(hosts="127.0.0.1 localhost\n" + (f"{line} {socket.gethostname()}\n" if line else ""))
    said = one.ok("prepare")
    one.up()
    assert one.result(one.submit("srun echo step\n")).strip() == "step"
    ours = {f"pid={pid}," for name, pid in one.pids().items() if name.startswith("slurm")}
    lines = [row for row in subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
             if any(pid in row for pid in ours)]
    assert len(lines) == 2
    assert all(row.split()[3].startswith("127.0.0.1:" if kept_inside else "0.0.0.0:") for row in lines)
    assert ("listen on all addresses" in said) != kept_inside


@pytest.fixture
def loopback_only():
    """Words that run a command where there is no network but loopback, as with `docker run --network none`."""
    holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec sleep 1000"], stdout=subprocess.PIPE, text=True)
    if holder.stdout.readline() != "up\n":
        pytest.skip("nobody may have a network of their own here")
    yield ["nsenter", "-t", str(holder.pid), "-n"]
    holder.kill()
    holder.wait()


# As docker and podman set it up: without IPv6, without the machine's name, with both.
@pytest.mark.parametrize("ipv6,hosts", [("1", "127.0.0.1 localhost\n"), ("0", "127.0.0.1 localhost\n"),
                                        ("0", f"127.0.0.1 localhost {socket.gethostname()}\n")])
def test_jobs_and_srun_work_without_any_network(fresh, loopback_only, ipv6, hosts):
    # Of the whole namespace: what follows in it finds it so.
    subprocess.run([*loopback_only, "sh", "-c", f"echo {ipv6} >/proc/sys/net/ipv6/conf/all/disable_ipv6"], check=True)
    one = fresh(hosts=hosts)
    one.inside = loopback_only + one.inside
    one.up()
    assert one.result(one.submit("srun echo step\n")).strip() == "step"


@pytest.mark.parametrize("user", [None, "games"])
@pytest.mark.parametrize("mounts", ["umount -R /sys/fs/cgroup", "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup"])
def test_jobs_run_whatever_cgroups_the_machine_has(fresh, mounts, user):
    one = fresh(mounts=mounts, user=user)
    one.ok("prepare")
    one.up()
    assert one.result(one.submit("srun echo step\n")).strip() == "step"


def test_a_second_instance_with_more_cpus_than_there_are_runs_beside_it(instance, fresh):
    count = len(os.sched_getaffinity(0)) + 3
    other = fresh(JR_NUM_CPUS=str(count))
    said = other.ok("prepare")
    assert f"WARNING: JR_NUM_CPUS={count}" in said
    other.up()
    assert other.slurm("sinfo", "-h", "-o", "%T %c") == f"idle {count}"
    assert other.result(other.submit("srun hostname | wc -l\n", "-n", str(count))).strip() == str(count)
    assert instance.slurm("sinfo", "-h", "-o", "%T") == "idle"
    mine, its = (json.loads((i.root / "slurm/ports.json").read_text()) for i in (instance, other))
    assert not set(mine.values()) & set(its.values())
    assert other.slurm("sinfo", "-h", "-o", "%G") == "(null)"


@as_root
def test_another_user_than_root_runs_all_of_it_alone(fresh):
    alone = fresh(user="games")
    assert "not root: server, Slurm and jobs all run as games" in alone.ok("prepare")
    alone.up()
    assert alone.result(alone.submit("id -un; srun -n1 id -un\n")).split() == ["games", "games"]
    assert set(alone.owners().values()) == {"games"}
    assert {p.owner() for p in alone.root.rglob("*")} == {"games"}
