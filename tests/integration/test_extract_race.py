"""A job cannot put links in the way of a dataset that is being extracted."""
import hashlib
import os
import random
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "archives"))
import make_archives  # noqa: E402
from harness.sanitizers import patient  # noqa: E402


def test_a_job_that_swaps_folders_for_links_moves_no_file_out(client, run_tool, site):
    target = Path(tempfile.mkdtemp(dir=site.top))
    target.chmod(0o777)  # only the place of the staging folders protects it
    files = [make_archives.file(f"d/{number}/f", random.Random(number).randbytes(2000)) for number in range(300)]
    archives = [make_archives.tar(make_archives.file("f", str(number).encode()), *files) for number in range(12)]
    hashes = [hashlib.sha256(content).hexdigest() for content in archives]
    job_id = run_tool("swap.py", {"root": str(site.root), "target": str(target), "seconds": patient(8), "sha256": hashes[-1]})
    client.wait_state(job_id, {"RUNNING"})
    for content, sha in zip(archives, hashes):
        assert client.upload("race.tar", content)["sha256"] == sha
    assert client.job(job_id)["status"] == "RUNNING", "it was over before the last dataset was made"
    client.wait(job_id)
    said = client.file(job_id, "swap.json").json()
    assert said["tries"] > 1000 and said["done"] == [], said
    assert list(target.iterdir()) == []
    for number, sha in enumerate(hashes):
        folder = site.root / "datasets" / sha
        assert (folder / "f").read_text() == str(number)
        found = [Path(at) / name for at, _, names in os.walk(folder) for name in names]
        assert len(found) == 301 and not any(path.is_symlink() for path in found)
