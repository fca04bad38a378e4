"""For all tests in Python."""


def pytest_terminal_summary(terminalreporter):
    """Why a test failed that was run again: it may have passed then, and nobody would know."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"failed and run again: {report.nodeid}, {report.when}")
        terminalreporter.line(report.longreprtext[-4000:])
