#!/usr/bin/python3
"""Soak: random programs on random machines with the checkers on, for SOAK_SECONDS (20).

    run.py --thimble build/thimble --guests build/tests/guest [--seed N] [--jobs N] [SUITE...]

Programs are cases of the suites, compared with the host as always; a machine that ends verifies that its frames, slots
and descriptors were given back. Beside them one machine lives through all of it and runs programs one after the other:
neither its memory nor its descriptors may grow with their number. Reports in TAP.
"""
import argparse
import concurrent.futures
import importlib
import os
import pathlib
import pkgutil
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAMS = pathlib.Path(__file__).resolve().parents[1] / "programs"
sys.path.insert(0, str(PROGRAMS))

import cases  # noqa: E402
import machine  # noqa: E402
import suites  # noqa: E402

# Others need a terminal, a port or a machine of their own choice.
SUITES = ("asm", "attacks", "c", "coreutils", "cpu", "file_calls", "ipc", "languages", "memory", "memory_calls", "shell", "threads")
LEAST_FRAMES, MOST_FRAMES = 256, 20000
WARM = 100  # programs before the long-lived machine is first measured
BYTES_OF_A_PROGRAM = 1536  # that stay: its line in the summary
BYTES_OF_CHANCE = 6 << 20  # heap that fragments, tables that double, code that was translated in between

# Programs of several sorts without end; a line for each.
LONG_LIVED = """
while :; do
    /bin/true; echo
    echo text | cat > /dev/null; echo; echo
    (exit 3); echo
    sh -c 'read x < /dev/null; kill -9 $$'; echo
    expr 1 + 1 > scratch; echo
    {guests}/c-hello < /dev/null > /dev/null; echo
    rm -f scratch; echo
done 2> /dev/null
"""


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def report(self, name, problems):
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ' if problems else ''}ok {self.count} - {name}")
        for problem in problems:
            for line in problem.splitlines():
                print(f"#   {line}")
        sys.stdout.flush()


def all_cases(names):
    """The quick cases of those suites that are there."""
    found = []
    for module in pkgutil.iter_modules(suites.__path__):
        if module.name in names:
            suite = importlib.import_module("suites." + module.name)
            for case in getattr(suite, "cases", list)():
                case.name = f"{module.name}/{case.name}"
                if not case.full_only and not case.heavy:
                    found.append(case)
    return found


def random_options(rng, case):
    frames = int(LEAST_FRAMES * (MOST_FRAMES / LEAST_FRAMES) ** rng.random()) + 4 * (case.few or 0)
    size = rng.choice((("-n", str(frames)), ("--available", str(frames))))
    options = [*size, "-p", rng.choice(cases.POLICIES), "--page-table", rng.choice(cases.FORMATS)]
    options += ["--tlb", str(rng.choice((16, 256, 1024, 4096))), "--seed", str(rng.randrange(1000))]
    return options


def run_case(workshop, case, options):
    """Problems of one run."""
    native = workshop.native(case)
    if native.status is None:
        return [] # the host is too busy to say anything
    result = workshop.machine(case, options, 2 * case.timeout + 60 * native.seconds)
    problems = cases.differences(case, native, result)
    if problems:
        problems.append("with: thimble run " + " ".join(options) + " -- " + shlex.join(workshop.words(case.command)))
    return problems


def soak(arguments, seed, end, scratch):
    """Runs until `end`; the number of runs and the problems by name."""
    rng, found, runs = random.Random(seed), all_cases(arguments.suites), 0
    workshop = machine.Workshop(arguments.thimble, arguments.guests, scratch / str(seed))
    workshop.scratch.mkdir()
    bad = {}
    while time.monotonic() < end:
        case = rng.choice(found)
        problems = run_case(workshop, case, random_options(rng, case))
        runs += 1
        if problems:
            bad[f"seed {seed}, run {runs}: {case.name}"] = problems
    return runs, bad


def measure(process):
    """Bytes of memory and number of descriptors of the machine's host process."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    resident = int(re.search(r"RssAnon:\s*(\d+) kB", status).group(1)) * 1024
    return resident, len(os.listdir(f"/proc/{process.pid}/fd"))


def wait_for(path, process, lines, end):
    """Until so many programs have run. Their number, which is smaller if the time is over."""
    while process.poll() is None:
        count = path.stat().st_size
        if count >= lines or time.monotonic() > end:
            return count
        time.sleep(0.05)
    return path.stat().st_size


def long_lived(arguments, end, scratch):
    """What is wrong about a machine that runs programs until `end`, and how it grew."""
    script = LONG_LIVED.replace("{guests}", str(arguments.guests))
    output = scratch / "lines"
    command = [arguments.thimble, "run", "-n", "3000", "--", "bash", "-c", script]
    with open(output, "wb") as out, open(os.devnull, "rb") as nothing:
        process = subprocess.Popen(command, cwd=scratch, stdin=nothing, stdout=out, env=machine.ENVIRONMENT)
    try:
        before = wait_for(output, process, WARM, end)
        if before < WARM:
            return [f"only {before} programs"], ""
        memory, descriptors = measure(process)
        after = wait_for(output, process, sys.maxsize, end)
        if process.poll() is not None:
            return [f"ended after {after} programs with status {process.returncode}"], ""
        memory_after, descriptors_after = measure(process)
    finally:
        process.kill()
        process.wait()
    grown, programs = memory_after - memory, after - before
    problems = []
    if grown > programs * BYTES_OF_A_PROGRAM + BYTES_OF_CHANCE:
        problems.append(f"{programs} programs made it grow by {grown} bytes")
    if descriptors_after > descriptors + 2: # of a moment: a pipe between two of them
        problems.append(f"{programs} programs left descriptors: {descriptors}, then {descriptors_after}")
    return problems, f"{programs} programs, {grown} bytes more"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--thimble", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--guests", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("SOAK_SECONDS", "20")))
    parser.add_argument("suites", nargs="*", default=SUITES, metavar="SUITE")
    return parser.parse_args()


def main():
    arguments, tap = parse_arguments(), Tap()
    machine.ENVIRONMENT["THIMBLE_CHECK"] = "1" # for the host's run as well: programs show their environment
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="thimble-soak-"))
    end = time.monotonic() + arguments.seconds
    try:
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs + 1) as pool:
            living = pool.submit(long_lived, arguments, end, scratch)
            soaking = [pool.submit(soak, arguments, arguments.seed + i, end, scratch) for i in range(arguments.jobs)]
            for future in soaking:
                runs, bad = future.result()
                for name, problems in bad.items():
                    tap.report(name, problems)
                tap.report(f"{runs} programs on machines of their own", [] if runs else ["none"])
            problems, note = living.result()
            tap.report(f"one machine for all: {note}", problems)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


sys.exit(main())
