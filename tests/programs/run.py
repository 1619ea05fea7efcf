#!/usr/bin/python3
"""Programs on the host and in the machine: same output, same exit status, same files.

    run.py --thimble build/thimble --guests build/tests/guest [--full] [--only REGEX] SUITE...

Reports in TAP, a line for each run in the machine (or check). --full runs the whole matrix of frames, policies
and page-table formats instead of a covering part of it; --only runs the cases whose name matches; --list names
them; --keep keeps the folder of the run.
"""
import argparse
import concurrent.futures
import importlib
import itertools
import os
import pathlib
import pkgutil
import re
import shlex
import shutil
import sys
import tempfile
import threading
import time
import traceback

import cases
import machine
import suites

SUITES = {module.name: importlib.import_module("suites." + module.name) for module in pkgutil.iter_modules(suites.__path__)}
SLOWER = 12  # how much longer than on the host a run may take, beside a constant


class Tap:
    """Numbers the results and prints them, whichever thread they come from."""

    def __init__(self):
        self.lock, self.count, self.failed = threading.Lock(), 0, 0

    def report(self, name, problems, seconds=None, skip=None):
        with self.lock:
            self.count += 1
            self.failed += bool(problems)
            note = "" if seconds is None else f" ({seconds:.1f} s)"
            note += f" # SKIP {skip}" if skip else ""
            print(f"{'not ' if problems else ''}ok {self.count} - {name}{note}")
            for problem in problems:
                for line in problem.splitlines():
                    print(f"#   {line}")
            sys.stdout.flush()

    def finish(self):
        print(f"1..{self.count}")
        return 1 if self.failed or not self.count else 0


class Programs:
    """Runs cases: on the host first, then on each machine."""

    def __init__(self, arguments, tap):
        self.arguments, self.tap = arguments, tap
        self.workshops = threading.local()
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="thimble-programs-"))
        self.numbers = itertools.count()

    def workshop(self):
        """Each thread has a folder of its own."""
        if not hasattr(self.workshops, "own"):
            scratch = self.scratch / str(next(self.numbers))
            scratch.mkdir()
            self.workshops.own = machine.Workshop(self.arguments.thimble, self.arguments.guests, scratch)
        return self.workshops.own

    def run_machine(self, case, where, native, ample_summary):
        workshop = self.workshop()
        options = cases.options_for(case, where, ample_summary)
        timeout = case.timeout + SLOWER * native.seconds
        result = workshop.machine(case, options, timeout)
        problems = cases.differences(case, native, result)
        if problems:
            problems.append("with: thimble run " + " ".join(options) + " -- " + shlex.join(workshop.words(case.command)))
        self.tap.report(f"{case.name}: {where}, {' '.join(options[:2])}", problems, result.seconds)
        return result

    def run_case(self, case, index):
        workshop = self.workshop()
        native = workshop.native(case)
        if native.status is None:
            self.tap.report(case.name, [f"took more than {case.timeout} s on the host"])
            return
        full = self.arguments.full
        ample_summary = None
        for where in cases.all_machines(case) if full else cases.quick_machines(case, index):
            if where.size == "few" and not case.few and not ample_summary:
                continue  # how many frames are few is not known: the run that tells has failed, and was reported
            result = self.run_machine(case, where, native, ample_summary)
            if where.size == "ample":
                ample_summary = ample_summary or result.summary

    def attempt(self, name, work, *arguments):
        """An error in a suite is a failed test, not the end of them all."""
        try:
            work(*arguments)
        except Exception:  # whatever it is, it is reported
            self.tap.report(name, [traceback.format_exc()])

    def run_suite(self, name, pool):
        suite = SUITES[name]
        wanted = re.compile(self.arguments.only)
        futures = []
        for index, case in enumerate(getattr(suite, "cases", list)()):
            case.name = f"{name}/{case.name}"
            if wanted.search(case.name) and (self.arguments.full or not case.full_only):
                futures.append(pool.submit(self.attempt, case.name, self.run_case, case, index))
        for check in getattr(suite, "checks", list)():
            check_name = f"{name}/{check.__name__.replace('_', '-')}"
            if wanted.search(check_name):
                futures.append(pool.submit(self.attempt, check_name, self.run_check, check_name, check))
        return futures

    def run_check(self, name, check):
        """A check reports as often as it likes: report(what, problems), or report(what, [], skip=why)."""
        start = time.monotonic()

        def report(what, problems, skip=None):
            self.tap.report(f"{name}: {what}", problems, time.monotonic() - start, skip)

        check(self.workshop(), report, self.arguments.full)

    def close(self):
        if self.arguments.keep:
            print(f"# kept {self.scratch}")
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--thimble", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--guests", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--full", action="store_true", default=False)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], metavar="SUITE")
    arguments = parser.parse_args()
    arguments.suites = arguments.suites or list(SUITES)
    return arguments


def list_cases(names):
    for name in names:
        for case in getattr(SUITES[name], "cases", list)():
            print(f"{name}/{case.name}")
        for check in getattr(SUITES[name], "checks", list)():
            print(f"{name}/{check.__name__.replace('_', '-')}")
    return 0


def main():
    arguments = parse_arguments()
    if arguments.list:
        return list_cases(arguments.suites)
    os.umask(0o022)
    tap = Tap()
    programs = Programs(arguments, tap)
    try:
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            futures = [future for name in arguments.suites for future in programs.run_suite(name, pool)]
            for future in futures:
                future.result()
    finally:
        programs.close()
    return tap.finish()


sys.exit(main())
