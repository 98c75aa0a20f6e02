"""Closes a test run: `N passed, N failed`, from the result files of Meson and pytest.

usage: summary.py FILE…    .xml (JUnit), .json (Meson's log), .txt and .log (output of tests)

Counts single test cases. A test program that ends badly though no case of it failed (a crash, a time-out, a leak)
counts as one failure, and so does each CRITICAL or WARNING of GLib's and each report of a sanitizer in a log, which no
run may print.
"""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

COMPLAINT = re.compile(
    r"(-CRITICAL|-WARNING|\bCRITICAL|\bWARNING) \*\*:|\bSUMMARY: \w+Sanitizer:|: runtime error: "
)


def cases(file: Path) -> Iterator[tuple[ElementTree.Element, ElementTree.Element]]:
    """Each case of a JUnit file, with its suite."""
    for suite in ElementTree.parse(file).iter("testsuite"):
        for case in suite.iter("testcase"):
            yield suite, case


def read_junit(file: Path, counts: Counter[str]) -> list[str]:
    """Count the cases of a JUnit file; returns the names of those that failed."""
    failed = []
    for suite, case in cases(file):
        name = f"{case.get('classname') or ''}.{case.get('name')}".lstrip(".")
        if suite.get("name") == case.get("classname"):
            continue  # Meson's entry for a program that left no cases; read_meson_log() tells of it
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            counts["skipped"] += 1
        else:
            counts["passed"] += 1
    return failed


def read_meson_log(file: Path) -> list[str]:
    """Programs that ended badly although no case of theirs failed."""
    failed = []
    for line in file.read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        lists_failures = " FAILED TEST" in test.get("stdout", "")  # GoogleTest's last words, after all cases
        if test["result"] not in ("OK", "EXPECTEDFAIL", "SKIP") and not lists_failures:
            failed.append(f"{test['name']}: ended with {test['result']} (exit code {test.get('returncode')})")
    return failed


def read_output(file: Path) -> list[str]:
    """Complaints of GLib's and reports of sanitizers in the output of tests, each text once."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return list(dict.fromkeys(f"{file}: {line.strip()}" for line in lines if COMPLAINT.search(line)))


def main(files: list[Path]) -> int:
    """Print the summary; returns the exit code."""
    counts: Counter[str] = Counter()
    failed = []
    for file in files:
        if not file.exists():
            failed.append(f"{file}: missing, the tests did not run")
        elif file.suffix == ".xml":
            failed += read_junit(file, counts)
        elif file.suffix == ".json":
            failed += read_meson_log(file)
        else:
            failed += read_output(file)
    for name in failed:
        print(f"failed: {name}")
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {len(failed)} failed{skipped}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
