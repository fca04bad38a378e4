"""Builds with sanitizers: what these have said, and how much longer everything may take; and what else a program says that should say nothing."""
import os
import re

# The extractor's standard error belongs to sanitizers and the C library; the server passes on what they write there.
# Reports name the program's pid; UBSan's the place. LeakSanitizer looks into nobody who has given up root.
REPORT = re.compile(r"(at=ingest event=extractor_says |ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|FATAL: \w+Sanitizer|\w+Sanitizer:DEADLYSIGNAL|LeakSanitizer has encountered|: runtime error: ).*")

# Every limit of the tests is multiplied by it; run_tests.sh sets it.
SLOWER = float(os.environ.get("JR_SLOWER", "1"))


def patient(seconds):
    return seconds * SLOWER


def logs(folder):
    """Name and text of each log at or below `folder`: of servers, and of jobs, whose wrapper writes there too."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".log", ".out") and path.is_file() and not path.is_symlink():
            yield path.name, path.read_text(errors="replace")


def reports(folder):
    """All that sanitizers wrote into these logs, and extractors where they have nothing to say: the first line of each."""
    return [f"{name}: {match.group(0)}" for name, text in logs(folder) for match in REPORT.finditer(text)]


def first_report(folder, lines=80):
    """One of them as it was written; empty if there is none."""
    for _, text in logs(folder):
        if match := REPORT.search(text):
            return "\n".join(text[match.start():].splitlines()[:lines])
    return ""
