#!/usr/bin/python3
"""Counts what the last `meson test` of each build folder did.

    results.py [--other NAME STATUS]... FOLDER...

Prints the failed tests and, as the last line, "N passed, N failed". A test program that reports the cases in it
(cmocka, TAP, unittest) counts once for each case; any other counts as one. A program that fails without a failed
case (a crash, a leak found at exit, a timeout) is one failure more. --other counts something else, which passed
if its exit status was 0. The exit status is 0 iff nothing failed.
"""
import argparse
import json
import pathlib
import re
import sys

PASSED = re.compile(r"^(?:\[       OK \] |ok \d+(?! .*# SKIP)|.* \.\.\. ok$)", re.M)
FAILED = re.compile(r"^(?:\[  FAILED  \] (?!\d+ test)(?!tests:)|not ok \d+|.* \.\.\. (?:FAIL|ERROR)$)", re.M)
GOOD = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP", "IGNORED"}


def count(test):
    """(passed, failed, line that says why or None) of one record of testlog.json."""
    if test["result"] in SKIPPED:
        return 0, 0, None
    # One case may be named on both streams, and again in the list at the end: cases are a set of lines.
    output = test.get("stdout", "") + "\n" + test.get("stderr", "")
    passed = len(PASSED.findall(output))
    failed = len({line for line in output.splitlines() if FAILED.match(line)})
    if test["result"] in GOOD:
        return max(passed, 1), 0, None
    return passed, max(failed, 1), f"{test['result']}: {test['name']}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--other", nargs=2, action="append", default=[], metavar=("NAME", "STATUS"))
    parser.add_argument("folders", nargs="+")
    arguments = parser.parse_args()
    passed = failed = 0
    for name, status in arguments.other:
        if status == "0":
            passed += 1
        else:
            failed += 1
            print(f"FAIL: {name}")
    for folder in arguments.folders:
        log = pathlib.Path(folder, "meson-logs", "testlog.json")
        if not log.exists():
            failed += 1
            print(f"{folder}: the tests did not run")
            continue
        for line in log.read_text().splitlines():
            p, f, why = count(json.loads(line))
            passed += p
            failed += f
            if why:
                print(f"{folder}: {why}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
