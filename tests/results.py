#!/usr/bin/python3
"""Counts what the last `meson test` of each build folder did: results.py FOLDER...

Prints the failed tests and, as the last line, "N passed, N failed". A test program that reports the cases in it
(cmocka, TAP, unittest) counts once for each case; any other counts as one. A program that fails without a failed
case (a crash, a leak found at exit, a timeout) is one failure more. The exit status is 0 iff nothing failed.
"""
import json
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


def main(folders):
    passed = failed = 0
    for folder in folders:
        with open(f"{folder}/meson-logs/testlog.json") as log:
            for line in log:
                p, f, why = count(json.loads(line))
                passed += p
                failed += f
                if why:
                    print(f"{folder}: {why}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main(sys.argv[1:]))
