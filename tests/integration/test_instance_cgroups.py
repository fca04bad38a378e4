"""Room for Slurm's groups on cgroups version 2: over a tree of files with the kernel's rules, and over a real one."""
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness.instance import SOURCE, as_root

pytestmark = pytest.mark.no_server

FILES = ("cgroup.procs", "cgroup.controllers", "cgroup.subtree_control")


@pytest.fixture
def cgroups(monkeypatch):
    monkeypatch.syspath_prepend(str(SOURCE / "config"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    from jr_instance import cgroups as module
    return module


class Tree:
    """The topmost group of a container. What is written to its files does what the kernel would do."""

    def __init__(self, top, monkeypatch, cgroups):
        self.top, self.real_folder, self.stuck, self.refused = top, cgroups._folder, set(), set()
        monkeypatch.setattr(cgroups, "_write", self.write)
        monkeypatch.setattr(cgroups, "_folder", self.folder)
        self.fill(top, "cpuset cpu io memory pids")
        (top / "cgroup.type").write_text("domain\n")
        self.put(top, 1, 7, 9)

    @staticmethod
    def fill(path, controllers):
        for name in FILES:
            (path / name).write_text(controllers + "\n" if name == "cgroup.controllers" else "")

    def words(self, path, name):
        return (path / name).read_text().split()

    def put(self, path, *pids):
        (path / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))

    def folder(self, path):
        path = Path(path)
        new = not path.exists()
        self.real_folder(path)
        if new:
            self.fill(path, " ".join(self.words(path.parent, "cgroup.subtree_control")))

    def write(self, path, word):
        path = Path(path)
        group, name = path.parent, path.name
        if name == "cgroup.procs":
            if word in self.stuck:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
            for other in (self.top, *self.top.iterdir()):
                if other.is_dir() and word in self.words(other, name):
                    self.put(other, *(pid for pid in self.words(other, name) if pid != word))
                    return self.put(group, *self.words(group, name), word)
            raise ProcessLookupError(errno.ESRCH, "ended")
        controller = word.removeprefix("+")
        if controller in self.refused:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        if self.words(group, "cgroup.procs") and (group / "cgroup.type").exists() | (group != self.top):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))  # no internal processes
        assert controller in self.words(group, "cgroup.controllers")
        path.write_text(" ".join([*self.words(group, name), controller]))
        for child in group.iterdir():
            if child.is_dir():
                (child / "cgroup.controllers").write_text(path.read_text())
        return None


@pytest.fixture
def tree(tmp_path, monkeypatch, cgroups):
    return Tree(tmp_path, monkeypatch, cgroups)


def test_a_containers_processes_make_room_and_its_controllers_are_given_on(tree, cgroups):
    assert cgroups.make_room(str(tree.top), 0.2) is None
    assert tree.words(tree.top, "cgroup.procs") == []
    assert tree.words(tree.top / "init", "cgroup.procs") == ["1", "7", "9"]
    for group in (tree.top, tree.top / "system.slice"):
        assert tree.words(group, "cgroup.subtree_control") == ["cpuset", "cpu", "memory", "pids"]
        # Slurm 22.05 takes the last one, which ends with the line, for none that it knows.
        assert tree.words(group, "cgroup.subtree_control")[-1] not in ("cpuset", "cpu", "memory")
    assert tree.words(tree.top / "system.slice", "cgroup.procs") == []


def test_a_second_time_moves_only_what_has_come_since(tree, cgroups):
    assert cgroups.make_room(str(tree.top), 0.2) is None
    tree.put(tree.top, 12)
    assert cgroups.make_room(str(tree.top), 0.2) is None
    assert tree.words(tree.top / "init", "cgroup.procs") == ["1", "7", "9", "12"]
    assert tree.words(tree.top, "cgroup.subtree_control") == ["cpuset", "cpu", "memory", "pids"]


def test_the_machines_own_root_keeps_its_processes(tree, cgroups):
    (tree.top / "cgroup.type").unlink()
    assert cgroups.make_room(str(tree.top), 0.2) is None
    assert tree.words(tree.top, "cgroup.procs") == ["1", "7", "9"] and not (tree.top / "init").exists()
    assert tree.words(tree.top / "system.slice", "cgroup.subtree_control") == ["cpuset", "cpu", "memory", "pids"]


def test_what_the_host_does_not_allow_is_said(tree, cgroups):
    tree.stuck = {"7"}
    assert "process 7" in cgroups.make_room(str(tree.top), 0.2)
    tree.stuck, tree.refused = set(), {"memory"}
    assert "does not give memory to its children" in cgroups.make_room(str(tree.top), 0.2)
    tree.refused = {"cpu"}  # Slurm does without
    assert cgroups.make_room(str(tree.top), 0.2) is None


def test_a_process_that_cannot_be_seen_from_here_is_not_taken_for_ourselves(tree, cgroups):
    tree.put(tree.top, 0, 1)
    assert "does not give cpuset" in cgroups.make_room(str(tree.top), 0.2)
    assert tree.words(tree.top / "init", "cgroup.procs") == ["1"]


@as_root
def test_what_speaks_against_cgroups_is_said(tree, cgroups, tmp_path):
    first = tmp_path / "first"
    first.write_text("0::/\n")
    assert cgroups.problem(str(tree.top), str(first)) is None
    (tree.top / "cgroup.type").unlink()
    assert cgroups.problem(str(tree.top), str(first)) is None
    first.write_text("0::/system.slice/docker-1.scope\n")
    assert "--cgroupns=private" in cgroups.problem(str(tree.top), str(first))
    (tree.top / "cgroup.controllers").write_text("cpu memory\n")
    assert "no controller cpuset and pids" in cgroups.problem(str(tree.top), str(first))
    assert "there are no cgroups" in cgroups.problem(str(tree.top / "none"), str(first))


# A group of its own in which it is the topmost, as for a container.
REAL = """
mkdir -p $1 && mount -t cgroup2 cgroup2 $1 && mkdir $1/$2 && echo $$ >$1/$2/cgroup.procs || exit 77
sleep 100 &
unshare -C -m sh -c 'umount $1 && mount -t cgroup2 cgroup2 $1 || exit 77
  sleep 100 & /usr/bin/python3 -I -c "$3" $1 $4; kill $!
  echo left $(cat $1/cgroup.procs); echo moved $(wc -l <$1/init/cgroup.procs)' sh "$@"
status=$?
kill $!
echo $$ >$1/cgroup.procs
wait
rmdir $1/$2/init $1/$2/system.slice $1/$2
umount $1
exit $status
"""
CALL = "import sys; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[2]); from jr_instance import cgroups; print(cgroups.make_room(sys.argv[1]))"


@as_root
def test_real_processes_of_a_real_group_are_moved(tmp_path):
    done = subprocess.run(["unshare", "-m", "sh", "-c", REAL, "sh", tmp_path / "mounted", f"jr-test-{os.getpid()}", CALL, SOURCE / "config"],
                          capture_output=True, text=True, check=False, timeout=60)
    if done.returncode == 77:
        pytest.skip("no cgroups of version 2 can be mounted here")
    # The shell, the one above it, both sleeps, and those that look: all but who has ended.
    assert "left\n" in done.stdout and int(done.stdout.split()[-1]) >= 4, done.stdout + done.stderr
    assert done.stdout.startswith("None\n"), done.stdout + done.stderr
