"""Archives of 10,000 files, uploaded and extracted, beside bsdtar with a hash and beside xz alone."""
import hashlib
import io
import lzma
import random
import subprocess
import tarfile

from bench.harness import data
from bench.harness.result import Result
from bench.harness.rounds import Cost, column, interleaved, ratios

FILE_BYTES = 9000


def entry(name, content):
    header = tarfile.TarInfo(name)
    header.size, header.mtime = len(content), 1_700_000_000
    return header.tobuf() + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def common(count):
    """What all archives begin with: half of each file can be compressed, half cannot."""
    source, out = random.Random(1), io.BytesIO()
    for number in range(count):
        half = source.randbytes(FILE_BYTES // 2)
        text = f"{number} is the number of this file. ".encode()
        out.write(entry(f"part{number // 100:03}/file{number:05}.bin", half + (text * 200)[:FILE_BYTES - len(half)]))
    return out.getvalue()


def ending(number):
    """What makes each archive a new dataset: what is there already would not be received."""
    return entry(f"round{number}", random.Random(number).randbytes(64)) + bytes(2 * tarfile.BLOCKSIZE)


class Archives:
    """New ones as they are asked for, of the same work."""

    def __init__(self, stage):
        self.folder = stage.folder("from")
        self.made = 0
        self.tar = common(stage.size(10_000, 300))
        # xz joins streams as gzip does, so only the new end is compressed each time; how hard, changes little about unpacking.
        self.xz = lzma.compress(self.tar, preset=1)

    def make(self, packed):
        self.made += 1
        path = self.folder / f"{self.made}.tar{'.xz' if packed else ''}"
        content = self.xz + lzma.compress(ending(self.made)) if packed else self.tar + ending(self.made)
        path.write_bytes(content)
        return path, hashlib.sha256(content).hexdigest()


def run(stage):
    site = stage.site()
    archives, extracted = Archives(stage), stage.folder("extracted")
    pid = site.server.pid

    def ours(packed):
        def one():
            path, sha256 = archives.make(packed)
            data.settle()
            with Cost(pid) as cost:
                seconds = data.curl("-T", path, f"{site.server.base}/datasets/{sha256}?filename={path.name}", token=site.token)
            # What was extracted stays: for a minute after many files were deleted, ext4 makes new ones slowly.
            return {"seconds": seconds, "cpu": 1e6 * cost.cpu}
        return one

    def bsdtar(durable):
        def one():
            path, _ = archives.make(False)
            data.settle()
            to = extracted / f"{archives.made}"
            to.mkdir()
            seconds = data.timed("openssl", "dgst", "-sha256", path, stdout=subprocess.DEVNULL)
            seconds += data.timed("bsdtar", "-xf", path, "-C", to)
            if durable:
                seconds += data.timed("sync", "-f", to)
            return {"seconds": seconds}
        return one

    def xz():
        path, _ = archives.make(True)
        return {"seconds": data.timed("xz", "-dc", path, stdout=subprocess.DEVNULL)}

    got = interleaved(stage.rounds, {"ours, .tar": ours(False), "sha256, then bsdtar": bsdtar(False), "sha256, bsdtar, sync": bsdtar(True),
                                     "ours, .tar.xz": ours(True), "xz -dc": xz})
    result = Result("archives", f"{stage.size(10_000, 300):,} files of {FILE_BYTES} bytes")
    for who, answers in got.items():
        result.measured("upload" if who.startswith("ours") else "peer", who, column(answers, "seconds"), "s",
                        column(answers, "cpu") if who.startswith("ours") else ())
    seconds = {who: column(answers, "seconds") for who, answers in got.items()}
    result.target(".tar beside sha256 and bsdtar", ratios(seconds["ours, .tar"], seconds["sha256, then bsdtar"]), at_most=1.5, unit="x")
    result.target(".tar beside those and sync", ratios(seconds["ours, .tar"], seconds["sha256, bsdtar, sync"]), at_most=1.5, unit="x")
    result.target(".tar.xz beside xz -dc", ratios(seconds["ours, .tar.xz"], seconds["xz -dc"]), at_most=1.15, unit="x")
    result.note("Ours is received over HTTP, hashed as a whole and by file, extracted in a sandbox, and on the disk before the answer; bsdtar and xz alone "
                "leave their files to the page cache, or make none.")
    return result
