#!/usr/bin/python3
"""Real programs in a machine whose n-th allocation, host call or swap transfer fails, once or for good.

    run.py --thimble build/thimble --guests build/tests/guest --shim build/tests/faults/libshim.so [--full] [--only REGEX]

Whatever fails, the machine ends in good order: it is not ended by a signal, does not hang, breaks none of its
invariants (all checkers are on), and says what was wrong when it could not go on. A run that says nothing and has
status 0 has the right output. Reports in TAP, a line for each program, kind of failure and duration.
"""
import argparse
import dataclasses
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile

TIMEOUT = 60
SWAP_POINTS = ("swap-in", "swap-out")
SCRIPT = "seq 200 > numbers; sort -rn numbers | head -3; (exit 3); echo $?; cat < numbers | wc -l; ls | wc -l; rm numbers"
PYTHON = "import subprocess, mmap; m = mmap.mmap(-1, 100000); m[:3] = b'abc'; print(m[:3], subprocess.run(['echo', 'x'], capture_output=True).stdout)"


@dataclasses.dataclass
class Program:
    name: str
    options: list  # of the machine
    command: list
    tries: int  # how many n of each kind in the ordinary run; the full one has seventy-five times as many


PROGRAMS = (
    Program("assembly", ["-n", "9", "--page-table", "array"], ["{guests}/asm-shout", "hello"], 5),
    Program("hello", ["-n", "24"], ["{guests}/c-hello"], 6),
    Program("fork", ["-n", "40", "--page-table", "array"], ["{guests}/c-fork-cow", "24", "2"], 4),
    Program("maps", ["-n", "24"], ["{guests}/c-map-kinds"], 4),
    Program("threads", ["-n", "60"], ["{guests}/programs/programs-pthreads"], 3),
    Program("shell", ["-n", "100"], ["bash", "-c", SCRIPT], 4),
    Program("python", ["-n", "400"], ["/usr/bin/python3", "-c", PYTHON], 2),
)


def spread(total, tries):
    """Which of `total` calls fail: all of them, or the first ones and some everywhere."""
    if total <= tries:
        return range(1, total + 1)
    first = tries // 3
    rest = tries - first
    return [*range(1, first + 1), *(first + 1 + (total - first - 1) * i // max(1, rest - 1) for i in range(rest))]


def said_all(kind, out, expected):
    """Whether a run with status 0 and no message said what it should. A program need not look whether its output could
    be written; then some of it is missing when the write was what failed."""
    if kind == "calls":
        return set(out.splitlines()) <= set(expected[1].splitlines())
    return (0, out) == expected


class Trial:
    """One program; its runs with failures."""

    def __init__(self, arguments, program, folder):
        self.arguments, self.program, self.folder = arguments, program, folder
        words = [word.replace("{guests}", os.fspath(arguments.guests)) for word in program.command]
        self.words = words
        self.counts = {}
        self.command = [arguments.thimble, "run", *program.options, "--", *words]

    def run(self, command, **environment):
        """Status, output, messages; status None: it took too long."""
        base = {"PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C", "HOME": "/nonexistent"}
        process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=base | environment, start_new_session=True)
        try:
            out, err = process.communicate(timeout=TIMEOUT)
            return process.returncode, out, err.decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None, b"", ""
        finally:
            for left in self.folder.iterdir():
                if left.is_file():
                    left.unlink()

    def environment(self, kind, n, for_good):
        common = {"THIMBLE_CHECK": "1"}
        if kind in SWAP_POINTS:
            return common | {"THIMBLE_FAIL": f"{kind}={n}{'+' if for_good else ''}"}
        shim = {"LD_PRELOAD": os.fspath(self.arguments.shim), "FAULT_KIND": kind, "FAULT_AT": str(n)}
        return common | shim | ({"FAULT_GOOD": "1"} if for_good else {})

    def count(self, kind):
        """How many of this kind a run has, and its status and output; asked once for each kind."""
        if kind in self.counts:
            return self.counts[kind]
        path = self.folder.parent / "count"
        environment = self.environment(kind, 0, False)
        status, out, err = self.run(self.command, **environment, FAULT_COUNT=os.fspath(path))
        passed = re.search(rf"{kind} (\d+)", err)
        self.counts[kind] = int(passed.group(1) if passed else path.read_text()), status, out
        return self.counts[kind]

    def wrong(self, kind, result, expected):
        """What must not be, whatever failed; None: all is well."""
        status, out, err = result
        err = re.sub(r"thimble: THIMBLE_FAIL passed.*\n", "", err)
        if status is None:
            return f"still running after {TIMEOUT} s"
        if status < 0:
            return f"Thimble was ended by {signal.Signals(-status).name}: {err[-500:]}"
        if "invariant" in err or "Assertion" in err:
            return err[-500:]
        if status == 125 and not re.search(r"^thimble: .{8}", err, re.M):
            return f"status 125, and no message: {err!r}"
        if status == 0 and not err and not said_all(kind, out, expected):
            return f"other output, and nothing said: {out[-200:]!r}"
        return None

    def series(self, kind, for_good):
        """Problems of all runs of one kind, and how many runs there were."""
        total, *expected = self.count(kind)
        tries = self.program.tries * (75 if self.arguments.full else 1)
        problems, runs = [], 0
        for n in spread(total, tries):
            runs += 1
            problem = self.wrong(kind, self.run(self.command, **self.environment(kind, n, for_good)), tuple(expected))
            if problem:
                settings = " ".join(f"{k}={shlex.quote(v)}" for k, v in self.environment(kind, n, for_good).items())
                problems.append(f"{n} of {total}: {problem}\n{settings} {shlex.join(map(os.fspath, self.command))}")
        return problems, runs, total


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("thimble", "guests", "shim"):
        parser.add_argument("--" + name, type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default="")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    count = failed = 0
    with tempfile.TemporaryDirectory(prefix="thimble-faults-") as scratch:
        folder = pathlib.Path(scratch) / "work"
        folder.mkdir()
        for program in PROGRAMS:
            trial = Trial(arguments, program, folder)
            for kind in ("memory", "calls", *SWAP_POINTS):
                for for_good in (False, True):
                    name = f"{program.name}: {kind} fail {'for good' if for_good else 'once'}"
                    if not re.search(arguments.only, name):
                        continue
                    problems, runs, total = trial.series(kind, for_good)
                    count += 1
                    failed += bool(problems)
                    print(f"{'not ' if problems else ''}ok {count} - {name} ({runs} runs; there are {total})")
                    for problem in problems:
                        print("".join(f"#   {line}\n" for line in problem.splitlines()), end="")
                    sys.stdout.flush()
    print(f"1..{count}")
    return 1 if failed or not count else 0


sys.exit(main())
