"""Builds with sanitizers: what these have said, and how much longer everything may take."""
import os
import re

# Reports name the program's pid; UBSan's the place. LeakSanitizer looks into nobody who has given up root.
REPORT = re.compile(r"(ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|FATAL: \w+Sanitizer|\w+Sanitizer:DEADLYSIGNAL|LeakSanitizer has encountered|: runtime error: ).*")

# Every limit of the tests is multiplied by it; run_tests.sh sets it.
SLOWER = float(os.environ.get("JR_SLOWER", "1"))


def patient(seconds):
    return seconds * SLOWER


def reports(folder):
    """All that sanitizers wrote into logs at or below `folder`: of servers, and of jobs, whose wrapper writes there too."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".log", ".out") and path.is_file() and not path.is_symlink():
            text = path.read_text(errors="replace")
            found += [f"{path.name}: {match.group(0)}" for match in REPORT.finditer(text)]
    return found
