#!/usr/bin/python3
"""Prints 'PASSED FAILED' of JUnit files, as pytest and GoogleTest write them; skipped tests count as neither."""
import sys
import xml.etree.ElementTree

passed = failed = 0
for suite in (suite for path in sys.argv[1:] for suite in xml.etree.ElementTree.parse(path).getroot().iter("testsuite")):
    def number(name):
        return int(suite.get(name) or 0)
    bad = number("failures") + number("errors")
    failed += bad
    passed += number("tests") - bad - number("skipped") - number("disabled")
print(max(passed, 0), failed)
