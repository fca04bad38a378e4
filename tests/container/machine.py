#!/usr/bin/python3
"""Runs container tests on a machine of their own: a virtual one, of Debian with systemd, Docker and cgroups version 2,
for hosts that have another engine or version 1. Needs root, and patience where the processor helps no virtual machines.

    machine.py JUNIT_XML [PYTEST_WORD...]
"""
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import engine as engines
from engine import IMAGE, SOURCE, TORCH, run

PACKAGES = ("systemd-sysv dbus udev kmod linux-image-cloud-amd64 initramfs-tools docker.io iptables apparmor procps curl jq xz-utils zip zstd "
            "python3-pytest python3-pytest-rerunfailures python3-requests python3-jsonschema").split()
TESTS = ["tests/container/test_settings.py", "tests/container/test_service.py"]
LONGEST = 5400  # seconds
HELPED = os.access("/dev/kvm", os.W_OK) and any(f" {flag} " in Path("/proc/cpuinfo").read_text() for flag in ("vmx", "svm"))

# What the machine does when it is up: its console is its standard output, its second disk takes the result.
UNIT = """[Unit]
After=docker.service
Wants=docker.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
ExecStart=/opt/tests
[Install]
WantedBy=multi-user.target
"""
SCRIPT = """#!/bin/bash
echo "cgroups: $(stat -fc %T /sys/fs/cgroup)"
docker load -q -i /opt/image.tar
cd /opt/source && PYTHONDONTWRITEBYTECODE=1 JR_ENGINE=docker JR_IMAGE={image} JR_TORCH={torch} JR_SLOWER={slower} /usr/bin/python3 -m pytest -v -p no:cacheprovider --junitxml /opt/junit.xml {words}
tar -C /opt -cf /dev/vdb junit.xml
poweroff -f
"""


def make(root, engine, words):
    run(["debootstrap", "--variant=minbase", "bookworm", root])
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    with tempfile.TemporaryDirectory() as settings:
        engines.hosts_apt(Path(settings))
        shutil.copy(f"{settings}/conf", root / "etc/apt/apt.conf.d/99host")
        if os.path.exists(f"{settings}/list"):
            shutil.copy(f"{settings}/list", root / "etc/apt/sources.list")
    policy = root / "usr/sbin/policy-rc.d"  # nothing is started here
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    install = "mount -t proc proc /proc && apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \"$@\""
    run(["unshare", "-m", "chroot", root, "sh", "-c", install, "sh", *PACKAGES], 1200)
    policy.unlink()
    (root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    shutil.copytree(SOURCE, root / "opt/source", ignore=shutil.ignore_patterns("build", ".git"), symlinks=True)
    run([*engine.cli, "save", "-o", root / "opt/image.tar", IMAGE])
    script = root / "opt/tests"
    script.write_text(SCRIPT.format(image=IMAGE, torch=TORCH, slower=2 if HELPED else 10, words=shlex.join(words)))
    script.chmod(0o755)
    (root / "etc/systemd/system/tests.service").write_text(UNIT)
    run(["chroot", root, "systemctl", "enable", "tests.service"])


def main(junit, words):
    engine = engines.find()
    engine.build(IMAGE, TORCH=TORCH)
    with tempfile.TemporaryDirectory(prefix="jr-machine-") as folder:
        here = Path(folder)
        root, disk, result = here / "root", here / "disk", here / "result"
        make(root, engine, words)
        run(["mke2fs", "-q", "-t", "ext4", "-d", root, disk, "12G"])
        result.write_bytes(bytes(1 << 20))
        kernel, = (root / "boot").glob("vmlinuz-*")
        initrd, = (root / "boot").glob("initrd.img-*")
        accel = ["-accel", "kvm", "-cpu", "host"] if HELPED else ["-accel", "tcg,thread=multi", "-cpu", "max"]
        drives = [word for file in (disk, result) for word in ("-drive", f"file={file},if=virtio,format=raw,cache=unsafe")]
        subprocess.run(["qemu-system-x86_64", *accel, "-smp", str(os.cpu_count()), "-m", "4096", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
                        "-nic", "none", "-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 root=/dev/vda rw quiet", *drives],
                       stdin=subprocess.DEVNULL, timeout=LONGEST, check=True)
        with tarfile.open(result) as inside:
            Path(junit).write_bytes(inside.extractfile("junit.xml").read())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or TESTS)
