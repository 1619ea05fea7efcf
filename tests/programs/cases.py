"""What a case is, on which machines it runs, and how a run is judged."""
import dataclasses
import typing

import machine

POLICIES = ("clock", "fifo", "lru", "random")
FORMATS = ("array", "x86-64")
AMPLE = 65536
LEAST = 48  # frames: no program but those that say so is asked to run in fewer

# Frames of the smallest machine, by format: options for Thimble.
TINY = {"array": ("-n", "9"), "x86-64": ("-n", "16")}  # assembly without libc
SMALL = {"array": ("-n", "12"), "x86-64": ("-n", "24")}  # one C program
MODEST = {"array": ("-n", "48"), "x86-64": ("--available", "45")}  # shells and what they start


@dataclasses.dataclass
class Case:
    """A command whose output, exit status and files must be the same on the host and in the machine.

    command    "{guests}" in a word stands for the folder of the guest programs
    files      lays out the folder that it runs in
    smallest   options by format; None: it is not run on a smallest machine
    few        frames for the machine with few; None: a quarter of what it touches, but at least LEAST
    mask       applied to both outputs before they are compared: takes out what may differ
    heavy      takes long: the quick run leaves out the smallest machine, and the ample one where `few` says how
               many frames are few: a machine that evicts does all that an ample one does, and more
    full_only  not part of the quick run
    """

    name: str
    command: list
    stdin: bytes = b""
    files: typing.Callable | None = None
    environment: dict | None = None
    smallest: dict | None = None
    few: int | None = None
    mask: typing.Callable = bytes
    timeout: float = 60
    heavy: bool = False
    full_only: bool = False


@dataclasses.dataclass(frozen=True)
class Machine:
    """One point of the matrix."""

    size: str  # smallest, few or ample
    policy: str
    page_table: str

    def __str__(self):
        return f"{self.size}, {self.policy}, {self.page_table}"


def frames_touched(summary):
    peak = summary["frames_peak"]
    return peak["anonymous"] + peak["page_cache"]


def options_for(case, where, ample_summary):
    """Options that build this machine; the number of few frames depends on what the case touches."""
    if where.size == "ample":
        memory = ("-n", str(AMPLE))
    elif where.size == "smallest":
        memory = case.smallest[where.page_table]
    else:
        few = case.few or max(LEAST, frames_touched(ample_summary) // 4)
        if where.page_table == "array":
            memory = ("-n", str(few))
        else:
            memory = ("--available", str(few - machine.RESERVED))
    return [*memory, "-p", where.policy, "--page-table", where.page_table]


def quick_machines(case, index):
    """A few points of the matrix, others for each case, so that all of them together cover it."""
    if not (case.heavy and case.few):
        yield Machine("ample", "clock", "x86-64")
    yield Machine("few", POLICIES[index % 4], FORMATS[index // 4 % 2])
    if case.smallest and not case.heavy:
        yield Machine("smallest", POLICIES[(index + 1) % 4], FORMATS[(index // 4 + 1) % 2])


def all_machines(case):
    for size in ("ample", "few", "smallest"):
        if size != "smallest" or case.smallest:
            for policy in POLICIES:
                for page_table in FORMATS:
                    yield Machine(size, policy, page_table)


def shorten(data):
    text = data.decode(errors="backslashreplace")
    return text if len(text) < 1500 else text[:700] + "\n  […]\n" + text[-700:]


def first_difference(expected, got):
    expected_lines, got_lines = expected.splitlines(), got.splitlines()
    for number, (a, b) in enumerate(zip(expected_lines, got_lines), 1):
        if a != b:
            return f"line {number}: expected {shorten(a)!r}, got {shorten(b)!r}"
    return f"expected {len(expected_lines)} lines, got {len(got_lines)}; the longer goes on: " + repr(
        shorten(b"\n".join(max(expected_lines, got_lines, key=len)[min(len(expected_lines), len(got_lines)):])))


def differences(case, native, result):
    """How the run in the machine differs from the one on the host; empty: it does not."""
    if result.status is None:
        return [f"ended after {result.seconds:.0f} s: too long", "standard error: " + shorten(result.err)]
    found = []
    if result.status != native.status:
        found.append(f"exit status {result.status}, expected {native.status}")
    for name in ("out", "err"):
        expected, got = case.mask(getattr(native, name)), case.mask(getattr(result, name))
        if expected != got:
            found.append(f"standard {'output' if name == 'out' else 'error'}: {first_difference(expected, got)}")
    for path in sorted(native.files.keys() | result.files.keys()):
        if native.files.get(path) != result.files.get(path):
            found.append(f"file {path}: expected {native.files.get(path)}, got {result.files.get(path)}")
    if result.summary is None:
        found.append("no summary")
    else:
        wrong = machine.summary_wrong(result.summary, result)
        if wrong:
            found.append(f"summary: {wrong}")
    return found
