"""Durable before answered, as the kernel saw it: the bytes, the file, its name, the folder, the row, and only then the answer."""
import re

import pytest
from harness import datasets
from harness.tracing import traced

pytestmark = pytest.mark.slow  # what a sanitizer does between two calls is not of interest here
CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg"
BEGUN = re.compile(r"(\d+) +(\w+)\((.*)")
RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)")


class Call:
    def __init__(self, name, text, begun):
        self.name, self.text, self.begun, self.over = name, text, begun, None

    def has(self, part):
        """Whether it is among the arguments, or in the pieces of a message together."""
        return part in self.text or part in "".join(re.findall(r'iov_base="((?:[^"\\]|\\.)*)"', self.text))

    def __repr__(self):
        return f"{self.begun}-{self.over} {self.name}({self.text}"


def calls_in(text):
    """All that succeeded, each with when it began and was over."""
    found, open_ = [], {}
    for when, line in enumerate(text.splitlines()):
        if match := BEGUN.match(line):
            thread, name, rest = match.groups()
            call = Call(name, rest, when)
            if rest.endswith("<unfinished ...>"):
                open_[thread] = call
                continue
        elif (match := RESUMED.match(line)) and match.group(1) in open_:
            call = open_.pop(match.group(1))
            call.text = call.text.removesuffix("<unfinished ...>") + match.group(3)
        else:
            continue
        call.over = when
        if not re.search(r"= -1 \w+", call.text):
            found.append(call)
    return found


def in_this_order(calls, *wanted):
    """After each call comes one of the next kind, which begins when it is over; a kind is its names and a part of its arguments."""
    before = None
    for names, part in wanted:
        fitting = [call for call in calls if call.name in names and call.has(part) and (not before or call.begun > before.over)]
        assert fitting, f"no {names} of {part} after {before}: {calls}"
        before = fitting[0]


@pytest.fixture(scope="module")
def strict(site):
    server = site.another_server("sync-order", JR_POLL_INTERVAL_MS="5000")
    server.environment["JR_AUTH_TOKEN"] = site.token
    server.start()
    yield server
    server.stop()


def put(client, content):
    answer = client.put(f"/datasets/{datasets.sha256(content)}", params={"filename": "plain.bin"}, data=content)
    assert answer.status_code == 201
    return "201 Created"


def form(client, content):
    answer = client.post("/datasets/upload", files={"file": ("plain.bin", content)})
    assert answer.status_code == 200
    return "200 OK"


@pytest.mark.parametrize("door", [put, form])
def test_nothing_is_answered_before_it_is_on_the_disk(site, strict, tmp_path, door):
    trace, content = tmp_path / "trace", datasets.fresh(200_000)
    with site.client(strict) as client, traced(strict, "-y", "-s", "64", "-e", f"trace={CALLS}", into=trace):
        status = door(client, content)
    calls = calls_in(trace.read_text(errors="replace"))
    top = f"{site.top}/sync-order"
    home = f"{top}/datasets/{datasets.sha256(content)}"
    written = [call for call in calls if call.name == "write" and "/data/plain.bin>" in call.text]
    assert written, calls
    named = [call for call in calls if call.name.startswith("rename") and f'"{home}"' in call.text]
    assert len(named) == 1, "it gets its name once"
    synced = [call for call in calls if call.name == "fsync" and "/data/plain.bin>" in call.text]
    assert synced and synced[-1].begun > max(call.over for call in written), "the file is synced when its last byte is written"
    in_this_order(calls, ({"fsync"}, "/data/plain.bin>"), ({"rename", "renameat", "renameat2"}, f'"{home}"'), ({"fsync"}, f"<{top}/datasets>"),
                  ({"fsync", "fdatasync"}, "jr_slurm.db-wal>"), ({"sendto", "sendmsg"}, f"HTTP/1.1 {status}"))
    answers = [call for call in calls if call.name in ("sendto", "sendmsg") and call.has("HTTP/1.1 20")]
    assert len(answers) == 1 and answers[0].begun > named[0].over, "and it is told once"
