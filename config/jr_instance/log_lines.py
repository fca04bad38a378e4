"""Copies what the programs print, line by line and with the program's name, to standard error: an event
listener of supervisord's, whose standard output is taken (supervisord.org, "Event Listener Notification Protocol")."""

import sys


def _fields(text):
    return dict(word.split(":", 1) for word in text.split())


def run():
    begun = {}  # the line that each program has not ended yet
    while True:
        sys.stdout.write("READY\n")
        sys.stdout.flush()
        header = sys.stdin.buffer.readline()
        if not header:
            return
        body = sys.stdin.buffer.read(int(_fields(header.decode())["len"])).decode(errors="replace")
        about, _, text = body.partition("\n")
        name = _fields(about)["processname"]
        *lines, begun[name] = (begun.get(name, "") + text).split("\n")
        sys.stderr.write("".join(f"{name} | {line}\n" for line in lines))
        sys.stderr.flush()
        sys.stdout.write("RESULT 2\nOK")
        sys.stdout.flush()
