"""Whatever a job leaves in RESULT_DIR, by mistake or on purpose: the listing says what was wrong, nothing hangs and nothing leaks."""
import hashlib
import json
import os
import subprocess
import tarfile
import threading
import time

import pytest

from harness.sanitizers import patient

CANARY = "canary: no listing and no answer has these bytes"


def problems(client, job_id):
    answer = client.get(f"/outputs/by_job/{job_id}").json()
    assert len(answer["problems"]) == min(100, answer["problems_total"])
    return answer["problems"]


def done(client, job_id, seconds=90):
    client.wait(job_id, seconds)
    client.wait_indexed(job_id, seconds)
    return client.job(job_id)["meta"]["result_dir"]


def hashes(client, job_id, seconds=120):
    """Path and hash of all outputs, once each has one."""
    end = time.monotonic() + patient(seconds)
    while True:
        found = {path: output["sha256"] for path, output in client.outputs(job_id).items()}
        if all(found.values()):
            return found
        assert time.monotonic() < end, f"not hashed after {seconds} s: {[path for path, known in found.items() if not known][:10]}"
        time.sleep(0.1)


def descriptors(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def memory_kib(server):
    with open(f"/proc/{server.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def test_what_is_no_regular_file_is_left_out_and_said(client, server, run_tool, site):
    canary = site.top / "canary-outputs"
    canary.write_text(CANARY)
    before = descriptors(server)
    job_id = run_tool("leave.py", {"canary": str(canary), "database": str(site.root / "jr_slurm.db")})
    result_dir = done(client, job_id)
    said = problems(client, job_id)
    for name in ("link_absolute", "link_relative", "link_inside", "link_root", "link_folder", "link_folder_inside", "link_proc", "link_zero", "link_database", "loop"):
        assert f'"{name}" is a symbolic link: left out' in said
    assert '"fifo" is a FIFO: left out' in said and '"socket" is a socket: left out' in said
    assert r'"bad\xff\xfe.txt" has a name that is not UTF-8: left out' in said
    outputs = client.outputs(job_id)
    assert {"plain.txt", "hard.txt", "folder/deep/inner.txt", "new\nline.txt", "a" * 255} <= set(outputs)
    assert not any(path.startswith(("link", "loop", "fifo", "socket", "bad")) for path in outputs)
    listing = client.get(f"/outputs/by_job/{job_id}").text
    assert CANARY not in listing and str(canary) not in listing
    if os.geteuid() == 0:
        os.mknod(os.path.join(result_dir, "zero"), 0o20666, os.makedev(1, 5))
        os.mknod(os.path.join(result_dir, "disk"), 0o60666, os.makedev(7, 0))
        assert client.post(f"/outputs/index/{job_id}").status_code == 200
        said = problems(client, job_id)
        assert '"zero" is a device: left out' in said and '"disk" is a device: left out' in said
        assert "zero" not in client.outputs(job_id) and client.file(job_id, "zero").status_code == 404
    assert hashes(client, job_id)["plain.txt"] == hashlib.sha256(b"plain\n").hexdigest()
    site.wait_until(lambda: descriptors(server) <= before + 3, 20, "all files are closed again")


ENTRY = '{"id": "a", "path": "one.txt"}'
MANIFESTS = [  # manifest.json, what the listing says of it, and whether it is used all the same
    ("{", "manifest.json is not used: it is not JSON", False), ("[]", 'manifest.json is not used: it has no list "outputs"', False),
    ('{"outputs": 1}', 'it has no list "outputs"', False), ('{"outputs": [1]}', "names an output without a fit id or path", True),
    ('{"outputs": [{"id": 1, "path": "one.txt"}]}', "names an output without a fit id or path", True),
    ('{"outputs": [{"id": "a", "path": ["one.txt"]}]}', "names an output without a fit id or path", True),
    ('{"outputs": [{"id": "a", "path": "../../jr_slurm.db"}]}', 'manifest.json names "../../jr_slurm.db", which is no regular file below RESULT_DIR', True),
    ('{"outputs": [{"id": "a", "path": "/etc/passwd"}]}', 'manifest.json names "/etc/passwd", which is no regular file', True),
    ('{"outputs": [{"id": "a", "path": "gone"}]}', 'manifest.json names "gone"', True),
    (f'{{"outputs": [{ENTRY}, {ENTRY}]}}', 'manifest.json names two outputs "a"; one of them is "one.txt"', True),
    (f'{{"experimentId": 7, "outputs": [{ENTRY}]}}', "an experimentId that is no text", True),
    ('{"outputs": [{"id": "\udcff", "path": "one.txt"}]}', "it is not JSON", False), ("\udcff\udcfe", "it is not JSON", False),
    ('{"outputs": ' + "[" * 50 + "]" * 50 + "}", "it is not JSON", False), ('{"outputs": [], "size": NaN}', "it is not JSON", False)]


def test_what_is_wrong_with_a_manifest_is_said(client, run_tool):
    jobs = [run_tool("manifest.py", {"hex": text.encode(errors="surrogateescape").hex()}) for text, _, _ in MANIFESTS]
    for job_id, (text, why, used) in zip(jobs, MANIFESTS):
        done(client, job_id)
        said = problems(client, job_id)
        assert len(said) == 1 and why in said[0], (text, said)
        outputs = client.outputs(job_id)
        assert used == ("two.pth" not in outputs), text
        if not used:  # as good as none
            assert {"one.txt", "two.pth", "manifest.json"} <= set(outputs)
    assert client.get("/health").status_code == 200


def test_a_manifest_of_a_gibibyte_a_link_and_a_fifo_harm_nobody(client, server, run_tool, site):
    canary = site.top / "canary-big-manifest"
    canary.write_text(json.dumps({"experimentId": CANARY, "outputs": []}))
    before = memory_kib(server)
    huge, bracket = run_tool("manifest.py", {"sparse": 1 << 30}), run_tool("manifest.py", {"hex": b"[".hex(), "times": 10_000_000})
    link, fifo = run_tool("manifest.py", {"link": str(canary)}), run_tool("manifest.py", {"fifo": True})
    for job_id in (huge, bracket, link, fifo):
        done(client, job_id)
        assert {"one.txt", "two.pth"} <= set(client.outputs(job_id))
    assert "manifest.json is not used: it is larger than 16777216 bytes" in problems(client, huge)
    assert "manifest.json is not used: it is not JSON" in problems(client, bracket)[0]
    assert problems(client, link) == ['"manifest.json" is a symbolic link: left out']
    assert problems(client, fifo) == ['"manifest.json" is a FIFO: left out']
    assert CANARY not in client.get(f"/outputs/by_job/{link}").text
    assert memory_kib(server) < before + 128 * 1024


def archive_of_all(client, server, job_id):
    """It has them all, also those that are no outputs; slow readers of it share one plan, and nobody is sent away for them."""
    result_dir = client.job(job_id)["meta"]["result_dir"]
    wanted = sum(len(names) for _, _, names in os.walk(result_dir)) - 1  # manifest.json is a link
    before, started = memory_kib(server), time.monotonic()
    first = client.get("/outputs/archive", params={"job_id": job_id}, stream=True, timeout=120)
    one = memory_kib(server) - before
    print(f"the archive of {wanted} files is planned in {time.monotonic() - started:.1f} s, {one // 1024} MiB")
    assert first.status_code == 200
    size = int(first.headers["Content-Length"])
    before = memory_kib(server)
    slow = [client.get("/outputs/archive", params={"job_id": job_id}, headers={"Range": f"bytes={n * size // 30}-"}, stream=True, timeout=120)
            for n in range(12)]
    assert {response.status_code for response in slow} == {206}
    assert {response.headers["ETag"] for response in slow} == {first.headers["ETag"]}
    assert memory_kib(server) - before < 6 * max(one, 10 * 1024), "each has a plan of its own"
    for response in slow:
        response.close()
    with tarfile.open(fileobj=first.raw, mode="r|") as opened:
        assert sum(1 for _ in opened) == wanted


@pytest.mark.slow
def test_more_files_than_there_can_be_outputs(client, server, site, run_tool):
    """100,000 files and folders become outputs, within a minute of the job's end, all of them an archive; others are served meanwhile. JR_FLOOD=1000000 leaves a million."""
    job_id = run_tool("flood.py", {"count": int(os.environ.get("JR_FLOOD", "100200")), "folder": 1000})
    client.wait(job_id, 280)
    waited, slowest, over = [], [], threading.Event()

    def look():
        with site.client() as other:
            while not over.is_set():
                started = time.monotonic()
                assert other.get("/health").status_code == 200 and other.get("/outputs", params={"limit": 10}).status_code == 200
                waited.append(time.monotonic() - started)
                time.sleep(0.05)
        slowest.append(max(waited))
    looking = threading.Thread(target=look)
    looking.start()
    client.wait_indexed(job_id, 60)
    over.set()
    looking.join()
    print(f"slowest answer meanwhile {slowest[0]:.2f} s, {memory_kib(server) // 1024} MiB")
    assert slowest and slowest[0] < patient(5)
    assert "there are more than 100000 files and folders: the others are left out" in problems(client, job_id)
    count, cursor, paths = 0, None, set()
    while True:
        page = client.get(f"/outputs/by_job/{job_id}", params={"limit": 1000, **({"cursor": cursor} if cursor else {})}).json()
        count += len(page["outputs"])
        paths |= {output["path"] for output in page["outputs"]}
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert 99_800 <= count == len(paths) <= 100_000
    assert memory_kib(server) < 400 * 1024
    archive_of_all(client, server, job_id)
    again = time.monotonic()
    assert client.post(f"/outputs/index/{job_id}", timeout=120).json()["count"] == count
    assert time.monotonic() - again < patient(60)


def test_two_jobs_that_claim_the_same_name_both_stay_reachable(client, run_tool):
    text = json.dumps({"experimentId": "claimed twice", "outputs": [{"id": "weights", "path": "two.pth"}]})
    first, second = (run_tool("manifest.py", {"hex": text.encode().hex()}) for _ in range(2))
    for job_id in (first, second):
        result_dir = done(client, job_id)
        with open(os.path.join(result_dir, "two.pth"), "w") as file:
            file.write(f"of job {job_id}")

    def short():
        return client.get("/outputs/download", params={"experiment_id": "claimed twice", "output_id": "weights"}).text
    newest = short()
    assert newest in (f"of job {first}", f"of job {second}")
    older, newer = (first, second) if newest.endswith(str(second)) else (second, first)
    for job_id in (first, second):
        assert client.file(job_id, "two.pth").text == f"of job {job_id}"
        assert len(client.outputs(job_id)) == 1
    found = client.get("/outputs", params={"experiment_id": "claimed twice"}).json()["outputs"]
    assert [output["job_id"] for output in found] == [newer, older]
    # Indexing the older one again does not take the name from the newer one; a newer job does.
    assert client.post(f"/outputs/index/{older}").json() == {"experiment_id": "claimed twice", "count": 1}
    assert short() == f"of job {newer}"
    third = run_tool("manifest.py", {"hex": text.encode().hex()})
    done(client, third)
    assert short() == "22"
    assert client.delete(f"/jobs/{third}").status_code == 200
    assert short() == f"of job {newer}"


def test_every_output_gets_the_hash_that_sha256sum_has(client, run_tool):
    job_id = run_tool("many.py", {"count": 120, "big": 3_000_000})
    result_dir = done(client, job_id)
    known = hashes(client, job_id)
    listed = subprocess.run(["sha256sum", "--", *known], cwd=result_dir, capture_output=True, text=True, check=True).stdout
    assert {line[66:]: line[:64] for line in listed.splitlines()} == known
    assert len(known) >= 121
    found = client.get("/outputs", params={"experiment_id": f"job-{job_id}", "prefix": "big"}).json()["outputs"]
    assert found[0]["sha256"] == known["big.bin"]


def test_a_file_that_changed_is_not_given_an_old_hash(client, run_tool):
    job_id = run_tool("many.py", {"count": 2, "big": 1000})
    path = os.path.join(done(client, job_id), "big.bin")
    before = hashes(client, job_id)["big.bin"]
    times = os.stat(path)
    with open(path, "r+b") as file:
        file.write(b"other bytes, the same size, and the time set back")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert client.outputs(job_id)["big.bin"]["sha256"] is None
    client.post(f"/outputs/index/{job_id}")
    assert hashes(client, job_id)["big.bin"] not in (before, None)
    with open(path, "rb") as file:
        assert hashes(client, job_id)["big.bin"] == hashlib.sha256(file.read()).hexdigest()
    os.remove(path)
    assert client.outputs(job_id)["big.bin"]["sha256"] is None


def test_what_a_crash_left_without_a_hash_is_hashed_later(client, site, run_tool):
    job_id = run_tool("many.py", {"count": 300, "big": 0})
    client.wait(job_id)
    client.wait_indexed(job_id)
    site.server.kill()
    site.server.start()
    with site.client() as later:
        assert set(hashes(later, job_id).values()) - {None}


def test_an_index_is_all_or_nothing_for_readers(client, site, run_tool):
    job_id = run_tool("many.py", {"count": 400, "big": 10})
    done(client, job_id)
    whole = set(client.outputs(job_id))
    over = threading.Event()

    def index():
        with site.client() as other:
            while not over.is_set():
                assert other.post(f"/outputs/index/{job_id}").status_code == 200
    indexing = threading.Thread(target=index)
    indexing.start()
    try:
        for _ in range(30):
            assert set(client.outputs(job_id)) == whole
            paths, cursor = [], None  # also page by page
            while True:
                page = client.get(f"/outputs/by_job/{job_id}", params={"limit": 150, **({"cursor": cursor} if cursor else {})}).json()
                paths += [output["path"] for output in page["outputs"]]
                cursor = page["next_cursor"]
                if not cursor:
                    break
            assert len(paths) == len(whole) and set(paths) == whole
    finally:
        over.set()
        indexing.join()
