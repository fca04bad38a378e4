"""Files to upload, as large as they are asked for, and not the same twice."""
import io
import os
import tarfile

BLOCK = 1 << 20


def random_file(path, size):
    with open(path, "wb") as file:
        for at in range(0, size, BLOCK):
            file.write(os.urandom(min(BLOCK, size - at)))
    return path


def change_begin(path, number):
    """Another file of the same size."""
    with open(path, "r+b") as file:
        file.write(number.to_bytes(8, "big"))


def tar_of_files(path, count, each=9000):
    """Half of each file is random, so that it compresses as data does."""
    with tarfile.open(path, "w") as archive:
        for number in range(count):
            _add(archive, f"data/{number // 100:03}/{number:05}.bin", os.urandom(each // 2) + bytes(each - each // 2))
    return path


def append_file(path, number):
    """The same archive with one file more."""
    with tarfile.open(path, "a") as archive:
        _add(archive, f"more/{number}", os.urandom(16))


def _add(archive, name, content):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
