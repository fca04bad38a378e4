"""jobrunner-extract against archives that nobody made: known ones, changed at random.

JOBRUNNER_TEST_SEED names the run, JR_FUZZ_S its length (the first N archives are the same for a seed)."""
import os
import random
import sys
import time
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parent.parent / "archives")]
import make_archives  # noqa: E402
from harness.sanitizers import patient  # noqa: E402

SLOWEST_S = 10
LARGEST = 1 << 20  # of what is changed: larger ones try budgets and not parsers
NUMBERS = [b"\0" * 8, b"\xff" * 8, b"\x80" + b"\0" * 7, b"7" * 8, b"-1      ", b"\x7f" + b"\xff" * 7, b"\xff\xff\xff\x7f", b"\0\0\0\x80"]


def with_checksum(tar, at):
    """The header at `at` with the checksum that it should have, so that more than the sum is looked at."""
    header = bytearray(tar[at:at + 512].ljust(512, b"\0"))
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return tar[:at] + bytes(header) + tar[at + 512:]


def changed(data, others, pick):
    """`data` with one to five changes of the kinds that break parsers."""
    for _ in range(pick.randrange(1, 6)):
        at, size = pick.randrange(len(data) + 1), pick.choice([1, 2, 4, 8, 100, 512])
        how = pick.randrange(8)
        if how == 0 and data:
            at = pick.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << pick.randrange(8)]) + data[at + 1:]
        elif how == 1:
            data = data[:at] + pick.randbytes(size) + data[at + size:]
        elif how == 2:
            number = pick.choice(NUMBERS)
            data = data[:at] + number + data[at + len(number):]
        elif how == 3:
            data = data[:at] + data[at + size:]
        elif how == 4:
            data = data[:at] + data[at:at + size] * pick.randrange(2, 5) + data[at + size:]
        elif how == 5:
            other = pick.choice(others)
            data = data[:at] + other[pick.randrange(len(other) + 1):]
        elif how == 6:
            data = data[:at]
        else:
            number, field = pick.choice(NUMBERS), pick.choice([0, 100, 108, 116, 124, 136, 156, 157, 257, 265, 345])
            block = pick.randrange(len(data) // 512 + 1) * 512
            data = data[:block + field] + number + data[block + field + len(number):]
            data = with_checksum(data, block)
    return data


def test_archives_that_nobody_made_end_in_an_answer(place):
    seed, seconds = int(os.environ.get("JOBRUNNER_TEST_SEED", "26")), float(os.environ.get("JR_FUZZ_S", "15"))
    print(f"JOBRUNNER_TEST_SEED={seed}")
    known = {name: data for name, data in make_archives.hostile(str(place.victim)).items() if 0 < len(data) <= LARGEST}
    tars = [data for name, data in sorted(known.items()) if name.endswith(".tar")]
    zips = [data for name, data in sorted(known.items()) if name.endswith(".zip")]
    assert len(tars) > 30 and len(zips) > 5
    endings = sorted(make_archives.COMPRESSIONS)
    ends, number, refused = time.monotonic() + patient(seconds), 0, 0
    while time.monotonic() < ends:
        pick = random.Random(f"{seed} {number}")
        number += 1
        kind = "zip" if pick.random() < 0.3 else "tar"
        of = zips if kind == "zip" else tars
        data = changed(pick.choice(of), of, pick)
        if kind == "tar" and pick.random() < 0.5:
            data = make_archives.COMPRESSIONS[pick.choice(endings)](data)
            if pick.random() < 0.5:
                data = changed(data, [data], pick)
        began = time.monotonic()
        try:
            status, said = place.extract(data, kind, max_bytes=1 << 26)
            assert status in (0, 1), (status, said)
            assert ("error" in said) == (status == 1), said
            assert time.monotonic() - began < patient(SLOWEST_S)
            assert place.canaries() == place.before
            if status == 0:
                place.check_made()
        except AssertionError:
            (Path("/tmp") / f"fuzz-{seed}-{number - 1}.{kind}").write_bytes(data)
            print(f"archive {number - 1} of seed {seed} is kept as /tmp/fuzz-{seed}-{number - 1}.{kind}")
            raise
        refused += status
        place.remove()
    print(f"{number} archives, {refused} refused")
    assert number > 50 and 0 < refused < number
