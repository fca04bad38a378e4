"""All outputs of a job as one tar: the same bytes each time, any part of them, resumed with curl, and cut where a file changes."""
import hashlib
import io
import os
import random
import subprocess
import tarfile
import time

import pytest
import requests

from harness.cutter import Cutter
from harness.sanitizers import patient
from harness.streams import Cut

BIG = 6_000_000


@pytest.fixture(scope="module")
def job_id(indexed_job):
    return indexed_job("tree.py", big=BIG, small=300)


@pytest.fixture
def make_job(client, run_tool):
    """A job of which a test may change the files: its id and its folder."""
    def make(**params):
        made = run_tool("tree.py", {"big": 1000, **params})
        client.wait(made)
        client.wait_indexed(made)
        return made, client.job(made)["meta"]["result_dir"]
    return make


def archive(client, job_id, **kwargs):
    return client.get("/outputs/archive", params={"job_id": job_id}, **kwargs)


def files_below(folder):
    """Path and bytes of all regular files."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = file.read()
    return found


def members(content):
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        return [(member, opened.extractfile(member).read()) for member in opened]


def test_it_has_every_regular_file_and_nothing_else(client, job_id):
    result_dir = client.job(job_id)["meta"]["result_dir"]
    response = archive(client, job_id)
    assert response.status_code == 200 and len(response.content) == int(response.headers["Content-Length"])
    assert response.headers["Content-Type"] == "application/x-tar" and f"job-{job_id}.tar" in response.headers["Content-Disposition"]
    found = members(response.content)
    wanted = files_below(result_dir)
    assert len(wanted) > 310
    assert {member.name: content for member, content in found} == wanted
    names = [member.name.encode() for member, _ in found]
    assert names == sorted(names)
    for member, _ in found:
        assert member.isreg() and member.mode == 0o644 and member.uid == member.gid == 0 and member.uname == member.gname == ""
        assert member.mtime == int(os.stat(os.path.join(result_dir, member.name)).st_mtime)


def test_gnu_tar_extracts_it(client, job_id, tmp_path):
    content = archive(client, job_id).content
    listed = subprocess.run(["tar", "-tvf", "-"], input=content, capture_output=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]})
    assert listed.stderr == b"" and len(listed.stdout.splitlines()) == len(members(content))
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=content, check=True)
    assert files_below(tmp_path) == files_below(client.job(job_id)["meta"]["result_dir"])


def test_two_downloads_are_the_same_also_after_a_restart(site, client, job_id):
    first, second = archive(client, job_id), archive(client, job_id)
    site.server.restart()
    with site.client() as later:
        third = archive(later, job_id)
    assert first.content == second.content == third.content
    assert first.headers["ETag"] == second.headers["ETag"] == third.headers["ETag"]


def test_head_is_get_without_the_bytes(client, job_id):
    whole = archive(client, job_id)
    head = client.head("/outputs/archive", params={"job_id": job_id})
    assert head.status_code == 200 and head.content == b""
    for name in ("Content-Length", "ETag", "Last-Modified", "Accept-Ranges", "Content-Type", "Content-Disposition"):
        assert head.headers[name] == whole.headers[name], name
    assert not head.headers["ETag"].startswith("W/")


def test_nothing_is_compressed(client, job_id):
    for path, params in (("/outputs/archive", {"job_id": job_id}), ("/outputs/download_by_job", {"job_id": job_id, "rel_path": "big.bin"}),
                         (f"/jobs/{job_id}/log", {})):
        response = client.get(path, params=params, headers={"Accept-Encoding": "gzip, br, zstd, deflate"})
        assert response.status_code == 200 and "Content-Encoding" not in response.headers and "Transfer-Encoding" not in response.headers, path


def test_any_range_is_that_part(client, job_id):
    whole = archive(client, job_id).content
    chosen = random.Random(7)
    borders = {0, len(whole), len(whole) - 1024, len(whole) - 512}
    for member, _ in members(whole):
        borders |= {member.offset, member.offset_data, member.offset_data + member.size}
    borders = sorted(max(0, min(len(whole) - 1, border + step)) for border in borders for step in (-1, 0, 1))
    pairs = [sorted(chosen.sample(borders, 2)) for _ in range(100)] + [[at, at] for at in chosen.sample(borders, 30)]
    for first, last in pairs:
        response = archive(client, job_id, headers={"Range": f"bytes={first}-{last}"})
        assert response.status_code == 206 and response.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
        assert response.content == whole[first:last + 1], (first, last)
    assert archive(client, job_id, headers={"Range": "bytes=-1500"}).content == whole[-1500:]
    beyond = archive(client, job_id, headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416 and beyond.headers["Content-Range"] == f"bytes */{len(whole)}"


def test_curl_resumes_it_until_it_is_whole(site, server, client, job_id, tmp_path):
    wanted = archive(client, job_id).content
    target, cuts = tmp_path / "all.tar", [1_000_000, 700, 2_500_000, 1024, 65_536, 1_000_001]
    line = Cutter(server.port, cuts, downloads=True)
    command = ["curl", "-sS", "-f", "-C", "-", "-o", str(target), "-H", f"Authorization: Bearer {site.token}", f"{line.base}/outputs/archive?job_id={job_id}"]
    for tries in range(20):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            break
        assert done.returncode in (18, 56), done.stderr  # it broke off
        if tries == 2:
            site.server.restart()
    line.close()
    assert done.returncode == 0 and line.done == len(cuts)
    assert target.read_bytes() == wanted


def test_conditions(client, make_job):
    job_id, result_dir = make_job()
    first = archive(client, job_id)
    tag, date, ranged = first.headers["ETag"], first.headers["Last-Modified"], {"Range": "bytes=512-1023"}
    for value in (tag, "*", f'"other", {tag}'):
        response = archive(client, job_id, headers={"If-None-Match": value})
        assert response.status_code == 304 and response.content == b"" and response.headers["ETag"] == tag
    assert archive(client, job_id, headers={**ranged, "If-Range": tag}).content == first.content[512:1024]
    # A date says nothing about a file that is gone.
    for stale in (date, '"other"', f"W/{tag}", "nonsense"):
        response = archive(client, job_id, headers={**ranged, "If-Range": stale})
        assert response.status_code == 200 and response.content == first.content, stale
    with open(os.path.join(result_dir, "one"), "w") as file:
        file.write("2")
    changed = archive(client, job_id, headers={**ranged, "If-Range": tag})
    assert changed.status_code == 200 and changed.headers["ETag"] != tag
    assert dict((member.name, content) for member, content in members(changed.content))["one"] == b"2"


def test_the_tag_changes_with_names_sizes_and_times(client, make_job):
    job_id, result_dir = make_job()

    def path(name):
        return os.path.join(result_dir, name)

    def append(name):
        with open(path(name), "a") as file:
            file.write("x")

    def replace(name):
        with open(path("new"), "w") as file:
            file.write("y")
        times = os.stat(path(name))
        os.utime(path("new"), ns=(times.st_atime_ns, times.st_mtime_ns))
        os.rename(path("new"), path(name))

    tags = [archive(client, job_id).headers["ETag"]]
    for change in (lambda: append("block"), lambda: os.utime(path("one")), lambda: os.rename(path("one"), path("two")), lambda: replace("two"),
                   lambda: os.remove(path("two")), lambda: open(path("another"), "w").close()):
        change()
        tags.append(archive(client, job_id).headers["ETag"])
    assert len(set(tags)) == len(tags)
    assert archive(client, job_id).headers["ETag"] == tags[-1]


def drain(response, seen=0):
    """The bytes that still come, and whether the connection ended before its time."""
    try:
        for chunk in response.raw.stream(65536):
            seen += len(chunk)
    except Cut:
        return seen, True
    return seen, seen < int(response.headers["Content-Length"])


CHANGES = {"written to": lambda path: open(path, "r+b").write(b"other"), "longer": lambda path: open(path, "ab").write(b"more"),
           "shorter": lambda path: os.truncate(path, 10_000_000), "empty": lambda path: os.truncate(path, 0), "gone": os.remove,
           "another": lambda path: (os.rename(path, path + ".old"), open(path, "wb").close(), os.truncate(path, 64 << 20)),
           "a link": lambda path: (os.remove(path), os.symlink("/etc/passwd", path)), "touched": os.utime}


# One file is sent just now, the other is not opened yet. What is sent comes from the file that was opened, whatever has its name by then.
@pytest.mark.parametrize("name,how", [(name, how) for name in ("big.bin", "later.bin") for how in CHANGES
                                      if name == "later.bin" or how not in ("gone", "another", "a link")])
def test_a_file_that_changes_meanwhile_cuts_the_archive(site, make_job, how, name):
    job_id, result_dir = make_job(big=0)
    for file in ("big.bin", "later.bin"):
        with open(os.path.join(result_dir, file), "wb") as made:
            made.truncate(64 << 20)
    with site.client() as other:
        response = archive(other, job_id, stream=True)
        seen = len(response.raw.read(1_000_000))
        time.sleep(0.2)
        CHANGES[how](os.path.join(result_dir, name))
        total, cut = drain(response, seen)
    assert cut and total < int(response.headers["Content-Length"])
    assert "archive_cut" in site.server.log()
    with site.client() as again:
        assert archive(again, job_id, stream=True).status_code == 200


@pytest.mark.parametrize("how", ["written to", "longer", "shorter", "touched"])
def test_a_file_of_a_job_that_is_done_is_cut_too(site, make_job, how):
    job_id, result_dir = make_job(big=0)
    path = os.path.join(result_dir, "big.bin")
    os.truncate(path, 64 << 20)
    with site.client() as other:
        response = other.file(job_id, "big.bin", stream=True)
        seen = len(response.raw.read(1_000_000))
        time.sleep(0.2)
        CHANGES[how](path)
        total, cut = drain(response, seen)
    assert cut and total < 64 << 20


def test_two_hundred_gigabytes_are_planned_at_once_and_any_part_of_them_is_sent(client, server, make_job):
    job_id, result_dir = make_job()
    size = 200 << 30
    with open(os.path.join(result_dir, "huge.bin"), "wb") as file:
        file.truncate(size)  # sparse
        file.seek(size - 3)
        file.write(b"end")
    started = time.monotonic()
    head = client.head("/outputs/archive", params={"job_id": job_id})
    whole = int(head.headers["Content-Length"])
    assert size < whole < size + 1_000_000 and time.monotonic() - started < patient(5)
    tail = archive(client, job_id, headers={"Range": f"bytes={whole - 20_000_000}-", "If-Range": head.headers["ETag"]}, stream=True)
    assert tail.status_code == 206
    content = b""
    for chunk in tail.raw.stream(1 << 20):
        content = (content + chunk)[-100_000:]
    assert content.endswith(b"\0" * 1024)
    # The header of the file before says where it begins; tar reads on from there.
    first = archive(client, job_id, headers={"Range": "bytes=0-99999"}).content
    with tarfile.open(fileobj=io.BytesIO(first), mode="r|") as opened:
        names = {}
        try:
            for member in opened:
                names[member.name] = member
        except tarfile.ReadError:
            pass
    at = names["huge.bin"].offset_data + size - 3
    assert names["huge.bin"].size == size
    assert archive(client, job_id, headers={"Range": f"bytes={at}-{at + 2}"}).content == b"end"


def test_what_it_does_not_take(client, anonymous, job_id):
    assert archive(client, 999999999).status_code == 404
    missing = client.get("/outputs/archive")
    assert missing.status_code == 400 and "job_id" in missing.json()["detail"]
    assert client.get("/outputs/archive", params={"job_id": job_id, "format": "zip"}).status_code == 400
    assert archive(anonymous, job_id).status_code == 401


def test_clients_that_leave_in_the_middle_harm_nobody(site, server, client, job_id):
    def descriptors():
        return len(os.listdir(f"/proc/{server.pid}/fd"))
    before = descriptors()
    for _ in range(20):
        with site.client() as other:
            response = archive(other, job_id, stream=True)
            response.raw.read(10)
            response.close()
    digests = {hashlib.sha256(archive(client, job_id).content).hexdigest() for _ in range(2)}
    assert len(digests) == 1
    site.wait_until(lambda: descriptors() <= before + 2, 20, "all files are closed again")


def test_many_at_once(site, job_id):
    from concurrent.futures import ThreadPoolExecutor

    def one(_):
        with site.client() as other:
            return hashlib.sha256(archive(other, job_id).content).hexdigest()
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(one, range(48)))) == 1
