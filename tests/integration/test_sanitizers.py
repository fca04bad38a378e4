"""What a sanitizer reports ends the run badly, whichever of our programs it comes from, and so does whatever an extractor says. See also tests/sanitizers."""
import pytest
from harness import sanitizers

REPORTS = ["==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1", "AddressSanitizer:DEADLYSIGNAL",
           "==7==ERROR: LeakSanitizer: detected memory leaks", "==7==LeakSanitizer has encountered a fatal error.",
           "/src/a.cpp:7:3: runtime error: signed integer overflow: 2147483647 + 1", "WARNING: ThreadSanitizer: data race (pid=7)",
           # As the server passes on what its extractor says.
           '2026-01-01T00:00:00Z at=ingest event=extractor_says err="==7==ERROR: AddressSanitizer: stack-overflow on"',
           '2026-01-01T00:00:00Z at=ingest event=extractor_says err="malloc(): corrupted top size"']


@pytest.mark.parametrize("where", ["root.log", "root/logs/job_1.out", "another/log/jobrunner.log"])
@pytest.mark.parametrize("report", REPORTS)
def test_a_report_is_found_in_any_log(tmp_path, where, report):
    log = tmp_path / where
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"at=main event=serving\n{report}\nat=main event=stopped\n")
    found = sanitizers.reports(tmp_path)
    assert len(found) == 1 and log.name in found[0]


def test_ordinary_logs_hold_no_report(tmp_path):
    (tmp_path / "a.log").write_text("at=main event=serving address=127.0.0.1\n")
    (tmp_path / "b.out").write_text("JOB_START\nERROR: out of memory\nWARNING: a runtime error\nJOB_END\n")
    assert sanitizers.reports(tmp_path) == []
