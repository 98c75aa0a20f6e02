"""Closes a test run: `N passed, N failed`, from the result files of Meson and pytest.

usage: summary.py FILE…    .xml (JUnit), .json (Meson's log), .txt and .log (output of tests)

Counts single test cases. A test program that ends badly after all of its cases have passed (a leak, a crash at
exit) counts as one failure, and so does a log with a CRITICAL or WARNING of GLib's, which no run may print.
"""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

GLIB_COMPLAINT = re.compile(r"(-CRITICAL|-WARNING|\bCRITICAL|\bWARNING) \*\*:")


def read_junit(file: Path, counts: Counter[str]) -> list[str]:
    """Count the cases of a JUnit file; returns the names of those that failed."""
    failed = []
    for case in ElementTree.parse(file).iter("testcase"):
        name = f"{case.get('classname') or ''}.{case.get('name')}".lstrip(".")
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            counts["skipped"] += 1
        else:
            counts["passed"] += 1
    return failed


def read_meson_log(file: Path) -> list[str]:
    """Programs that failed although no case of theirs did."""
    failed = []
    for line in file.read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        cases_failed = "[  FAILED  ]" in test.get("stdout", "")
        if test["result"] not in ("OK", "EXPECTEDFAIL", "SKIP") and "[  PASSED  ]" in test.get("stdout", "") \
                and not cases_failed:
            failed.append(f"{test['name']}: ended with {test['result']} ({test.get('returncode')}) after its cases")
    return failed


def read_output(file: Path) -> list[str]:
    """GLib's complaints in the output of tests, each text once."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return list(dict.fromkeys(f"{file}: {line.strip()}" for line in lines if GLIB_COMPLAINT.search(line)))


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
