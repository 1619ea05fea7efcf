"""What is documented to differ from a real CPU. Each test shows the difference: it fails when the machine
stops differing (then the documentation is to be changed) as well as when it differs in another way."""
import machine

# name: (on the host, in the machine)
DIFFERENCES = {
    "long-double": (b"64 bits\n", b"53 bits\n"),
    "sse-flags": (b"inexact is noted\n", b"inexact is not noted\n"),
    "x87-flags": (b"division by zero is noted\n", b"division by zero is not noted\n"),
    "sse-unmasked": (b"SIGFPE\n", b"no signal\n"),
    "flush-to-zero": (b"flushed\n", b"not flushed\n"),
    "rounding": (b"up\n", b"to nearest\n"),
    "empty-register": (b"negative\n", b"positive\n"),
    "nan-sign": (b"kept\n", b"changed\n"),
    "impossible-jump": (b"at the jump\n", b"at its target\n"),
    "selector": (b"2b\n", b"0\n"),
}
PROGRAM = "{guests}/c-exemptions"


def run(workshop, name, *options, native=False):
    workshop.prepare(None)
    command = workshop.words([PROGRAM, name])
    if not native:
        command = [workshop.thimble, "run", *options, "--", *command]
    return machine.run(command, workshop.folder)


def arithmetic(workshop, report, full):
    for name, (host, guest) in DIFFERENCES.items():
        native, result = run(workshop, name, native=True), run(workshop, name)
        problems = []
        if native.out != host:
            problems.append(f"the host says {native.out}, not {host}")
        if result.out != guest:
            problems.append(f"the machine says {result.out} (status {result.status}), not {guest}")
        report(name, problems)


def time_stamp(workshop, report, full):
    """RDTSC counts the guest's work: the same in each run under --deterministic."""
    outputs = {run(workshop, "time-stamp", "--deterministic").out for _ in range(3)}
    report("the same each time", [] if len(outputs) == 1 and outputs.pop().strip().isdigit() else [f"{outputs}"])


def one_processor(workshop, report, full):
    result = run(workshop, "processors")
    report("one", [] if result.out == b"1 in the mask, 1 online, now on 0\n" else [f"{result.out} {result.err}"])


def checks():
    return [arithmetic, time_stamp, one_processor]
