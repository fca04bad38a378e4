"""Archives and files for uploads, small and different from each other."""
import bz2
import gzip
import hashlib
import io
import lzma
import pathlib
import secrets
import subprocess
import tarfile
import zipfile

TOOLBOX = pathlib.Path(__file__).parent.parent / "toolbox"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def tar(files):
    """A tar of {name: bytes}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def zstd(content):
    return subprocess.run(["zstd", "-q", "-c"], input=content, stdout=subprocess.PIPE, check=True).stdout


def every_archive(files):
    """(name, bytes) of `files` in each kind that is extracted."""
    plain = tar(files)
    old = lzma.compress(plain, lzma.FORMAT_ALONE)
    packed = {".tar": plain, ".tar.gz": gzip.compress(plain), ".tgz": gzip.compress(plain), ".tar.xz": lzma.compress(plain),
              ".txz": lzma.compress(plain), ".tar.lzma": old, ".tlz": old, ".tar.zst": zstd(plain), ".tzst": zstd(plain),
              ".tar.bz2": bz2.compress(plain), ".tbz2": bz2.compress(plain), ".zip": zipped(files),
              ".TAR.GZ": gzip.compress(plain)}
    return [(f"set{ending}", content) for ending, content in packed.items()]


def toolbox():
    """The scripts that tests let jobs run, as one archive that is new each time."""
    files = {path.name: path.read_bytes() for path in sorted(TOOLBOX.glob("*.py"))}
    return gzip.compress(tar({**files, "fresh": secrets.token_bytes(8)}))


def fresh(size=32):
    """Content that no other test has uploaded."""
    return secrets.token_bytes(size)
