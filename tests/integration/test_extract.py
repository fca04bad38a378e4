"""jobrunner-extract against hostile, cut and ordinary archives; see extract_place.py."""
import errno
import gzip
import hashlib
import io
import itertools
import json
import lzma
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parent.parent / "archives")]
import make_archives  # noqa: E402
from extract_place import PROGRAM, one_line  # noqa: E402
from harness import sanitizers  # noqa: E402

SLOWEST_S = 10

# What becomes of each archive that is not refused: the names below the folder, by name of archive.
# Every other one is refused as a whole, with exit status 1. Links of any kind are refused.
HARMLESS = {
    "17_setuid.tar": {"suid"},
    "18_setgid_dir.tar": {"d", "sticky"},
    "19_dirperm000_then_child.tar": {"d", "d/f"},
    "24_nul_pax.tar": {"good"},  # libarchive ends the name at the NUL
    "27_nfc_nfd_wide.tar": {"\u00e9", "e\u0301", "\uff0e\uff0e", "\uff0e\uff0e/x", "..\u2215x"},
    "29_root_dot.tar": {"ok"},
    "34_huge_mtime.tar": {"t"},
    "35_uid_other.tar": {"u"},
    "38_xattr.tar": {"x"},
    "39_acl_flags.tar": {"x"},
    "46_pax_global_path.tar": {"ok"},  # a name for all entries is not heard
    "54_zip_suid.zip": {"s"},
    "56_zip_swells_100M.zip": {"b"},  # below 256 MiB any ratio is allowed
}


def archives(victim):
    """Each as it is and in every compression; in one of them, by turns, where each takes longer."""
    turns = itertools.cycle(make_archives.COMPRESSIONS.items())
    for name, data in make_archives.hostile(victim).items():
        yield name, name, data
        if name.endswith(".tar"):
            for ending, compress in itertools.islice(turns, 1) if sanitizers.SLOWER > 1 else make_archives.COMPRESSIONS.items():
                yield name, name + ending, compress(data)


def test_every_hostile_archive_is_refused_or_harmless(place):
    count, unused = 0, set(HARMLESS)
    for original, name, data in archives(str(place.victim)):
        begun = time.monotonic()
        status, said = place.extract(data, "zip" if name.endswith(".zip") else "tar")
        took = time.monotonic() - begun
        assert place.canaries() == place.before, f"{name} reached a canary"
        assert took < sanitizers.patient(SLOWEST_S), f"{name} took {took:.1f} s"
        if original in HARMLESS:
            assert (status, place.names()) == (0, HARMLESS[original]), (name, said)
            place.check_made()
            unused.discard(original)
        else:
            assert status == 1, (name, status, said)
            assert said["error"].startswith("The archive ") and said["error"].endswith("."), said
            assert said["error"].isprintable(), said
        place.remove()
        assert place.canaries() == place.before, f"removing {name} reached a canary"
        count += 1
    assert not unused and count > (300 if sanitizers.SLOWER == 1 else 100)


def test_the_sentence_names_the_entry_and_what_would_be_right(place):
    archive = make_archives.tar(make_archives.file("fine"), make_archives.file("a/../../b\n"))
    status, said = place.extract(archive)
    assert status == 1
    assert r'"a/../../b\x0a"' in said["error"] and "must" in said["error"]


def sample_tar():
    noise = random.Random(7)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for i in range(12):
            data = noise.randbytes(noise.randrange(6000))
            info = tarfile.TarInfo(f"folder/{i}" + "\u00e9" * (i % 3))
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
        end = t.offset
    return out.getvalue()[:end] + bytes(1024)  # without padding: every cut is a loss


def sample_zip():
    noise = random.Random(8)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for i in range(12):
            z.writestr(f"folder/{i}", noise.randbytes(noise.randrange(6000)))
    return out.getvalue()


def test_random_truncations_in_six_formats_are_refused(place):
    """A thousand of them; fewer where each takes longer."""
    seed = int(os.environ.get("JOBRUNNER_TEST_SEED", "20"))
    print(f"JOBRUNNER_TEST_SEED={seed}")
    pick = random.Random(seed)
    whole = sample_tar()
    formats = {"tar": whole, "zip": sample_zip()}
    for ending in (".gz", ".xz", ".lzma", ".zst"):
        formats[ending] = make_archives.COMPRESSIONS[ending](whole)
    for name, data in formats.items():
        status, said = place.extract(data, "zip" if name == "zip" else "tar")
        assert (status, said.get("files")) == (0, 12), (name, said)
        place.remove()
    for i in range(int(1000 / sanitizers.SLOWER ** 2)):
        name = list(formats)[i % len(formats)]
        # Cuts near the end are the ones that pass for whole.
        near_end = pick.random() < 0.3
        size = len(formats[name])
        cut = size - pick.randrange(1, 64) if near_end else pick.randrange(size)
        status, said = place.extract(formats[name][:cut], "zip" if name == "zip" else "tar")
        assert status == 1, f"{name} cut to {cut} of {size} bytes: {status} {said}"
        place.remove()


def test_remove_gives_back_also_what_lies_in_closed_folders(place):
    status, said = place.extract(sample_tar())
    assert status == 0
    assert place.remove() == said


def test_remove_goes_on_after_what_is_not_its_own(place):
    if not place.user:
        pytest.skip("needs a second user")
    closed = place.out / "closed"
    closed.mkdir()
    (closed / "kept").write_bytes(b"x")
    closed.chmod(0o755)
    assert place.extract(sample_tar())[0] == 0
    done = place.run("remove", place.out, stdin=subprocess.DEVNULL)
    assert done.returncode == 3
    assert "closed/kept" in one_line(done)["error"]
    assert place.names() == {"closed", "closed/kept"}
    shutil.rmtree(closed)


def test_an_archive_that_swells_is_stopped_and_the_ratio_can_be_set(place):
    archive = make_archives.gzip_of_zeros(400)  # beyond the 256 MiB that may swell as they like
    status, said = place.extract(archive)
    assert status == 1 and "250 times" in said["error"], said
    place.remove()
    status, said = place.extract(archive, max_ratio=10)
    assert status == 1 and "10 times" in said["error"], said
    place.remove()
    assert place.extract(archive, max_ratio=5000)[0] == 0


def test_an_archive_that_takes_too_long_is_stopped(place):
    with tempfile.TemporaryFile() as file:
        file.write(make_archives.gzip_of_zeros(8192))  # half a minute of work
        file.seek(0)
        done = place.run("extract", "tar", place.out, "max_bytes=10000000000", "max_files=10", "max_ratio=1000000", "max_seconds=1",
                         "list=" + str(place.base / "t" / "list"), stdin=file)
    assert done.returncode == -signal.SIGXCPU, done  # by which the server knows why
    (place.base / "t" / "list").unlink()


def test_a_path_longer_than_the_limit_is_refused(place):
    archive = make_archives.tar(make_archives.file("a" * 50 + "/" + "b" * 50))
    assert place.extract(archive, max_path=101)[0] == 0
    place.remove()
    status, said = place.extract(archive, max_path=100)
    assert status == 1 and "longer than 100 bytes" in said["error"], said


def test_the_list_names_every_file_with_its_hash(place):
    files = {f"d/{n}": random.Random(n).randbytes(n * 1000) for n in range(20)}
    archive = make_archives.tar(*(make_archives.file(name, data) for name, data in files.items()))
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        assert place.extract(archive, list=folder + "/list")[0] == 0
        lines = Path(folder, "list").read_text().splitlines()
    assert lines == [f"{hashlib.sha256(data).hexdigest()} {len(data)} {name}" for name, data in files.items()]


def test_too_little_free_space_is_a_full_disk(place):
    archive = make_archives.tar(make_archives.file("f", bytes(40 << 20)))
    status, said = place.extract(archive, min_free_bytes=1 << 62)
    assert status == 2 and "full" in said["error"]


def test_a_disk_that_fills_up_is_a_full_disk(place):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=770", "none", place.out],
                             capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("may not mount a small disk here")
    try:
        archive = make_archives.tar(make_archives.file("f", random.Random(1).randbytes(4 << 20)))
        status, said = place.extract(archive)
        assert status == 2 and "No space left" in said["error"], said
        place.remove()
    finally:
        subprocess.run(["umount", place.out], check=True)


@pytest.mark.parametrize("args", [
    [], ["extract"], ["extract", "rar", "DIR", "max_bytes=1", "max_files=1"], ["remove"],
    ["extract", "tar", "DIR", "max_bytes=1", "max_files=-1"], ["extract", "tar", "DIR", "max_bytes=1x", "max_files=1"],
    ["extract", "tar", "DIR"], ["extract", "tar", "DIR", "max_bytes=1", "max_files=1", "max_ration=1"],
    ["extract", "tar", "/nonexistent", "max_bytes=1", "max_files=1"], ["remove", "/nonexistent"],
    ["extract", "tar", "DIR", "max_bytes=1", "max_files=1", "list=/nonexistent/list"],
    ["extract", "zip", "DIR", "max_bytes=1", "max_files=1"],  # from something that is not a file
])
def test_a_wrong_call_is_our_own_fault(place, args):
    args = [str(place.out) if a == "DIR" else a for a in args]
    done = place.run(*args, stdin=subprocess.DEVNULL)
    assert done.returncode == 3 and "error" in one_line(done)


@pytest.mark.no_server
@pytest.mark.parametrize("program", ["jobrunner-extract", "jobrunner-job"])
def test_it_loads_no_library_that_it_has_no_use_for(program):
    """Started for each archive or job: what is loaded costs time, and is there to be attacked."""
    loaded = subprocess.run(["ldd", Path(PROGRAM).parent / program], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "libstdc++" in loaded
    for other in ("libcurl", "libsqlite3", "libcaf", "libssl"):
        assert other not in loaded, loaded


def test_it_is_confined_before_it_reads(place):
    reader, writer = os.pipe()
    secret = os.open("/etc/hostname", os.O_RDONLY)
    running = subprocess.Popen([PROGRAM, "extract", "tar", place.out, "max_bytes=1000000", "max_files=10"],
                               stdin=reader, stdout=subprocess.PIPE, env={}, pass_fds=[secret],
                               **place.user)
    try:
        proc = Path("/proc") / str(running.pid)
        for _ in range(1000):
            if len(list((proc / "task").iterdir())) >= 2:
                time.sleep(0.2)  # the rest of it follows at once
                break
            time.sleep(0.01)
        status = (proc / "status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert "Umask:\t0022" in status
        limits = {line[:26].strip(): line[26:].split()[:2] for line in
                  (proc / "limits").read_text().splitlines()[1:]}
        tasks = [(task / "status").read_text() for task in (proc / "task").iterdir()]
        assert len(tasks) >= 2 and all("NoNewPrivs:\t1" in task for task in tasks)  # one unpacks, one writes
        assert sanitizers.SLOWER > 1 or limits["Max processes"] == ["0", "0"], "it may start another"
        assert limits["Max core file size"] == ["0", "0"]
        assert limits["Max open files"] == ["64", "64"]
        assert limits["Max file size"] == ["1000000", "1000000"]
        opened = {os.readlink(fd) for fd in (proc / "fd").iterdir() if int(fd.name) > 2}
        assert opened == {str(place.out)}, "descriptors it was not meant to have"
    finally:
        os.close(secret)
        os.close(reader)
        os.write(writer, sample_tar()[:5000])
        os.close(writer)
        running.communicate()
    assert running.returncode == 1


def test_a_writer_into_the_pipe_is_never_interrupted_by_a_good_archive(place):
    for compress in (bytes, gzip.compress, lzma.compress):
        running = subprocess.Popen([PROGRAM, "extract", "tar", place.out, "max_bytes=1000000", "max_files=100"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={},
                                   **place.user)
        try:
            running.stdin.write(compress(sample_tar() + bytes(3 << 20)) + bytes(1 << 20))
            running.stdin.close()
        except OSError as e:
            assert e.errno != errno.EPIPE, "it stopped reading"
            raise
        assert json.loads(running.stdout.read())["files"] == 12
        running.stdout.close()
        assert running.wait() == 0
        place.remove()


def test_ten_thousand_small_files(place):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for i in range(10000):
            info = tarfile.TarInfo(f"{i % 100:03}/{i:05}")
            info.size = 100
            t.addfile(info, io.BytesIO(b"x" * 100))
    begun = time.monotonic()
    status, said = place.extract(out.getvalue(), max_files=10100)
    print(f"10,000 files in {time.monotonic() - begun:.2f} s")
    assert (status, said) == (0, {"files": 10000, "bytes": 1000000})
    place.check_made()
    assert place.remove() == said
