"""The processor: every instruction pattern against the host's. A pattern is an opcode with its prefixes, a ModRM.reg,
and an operand in a register or in memory; see guest/cpu/pattern.c. And code that changes, moves and ends."""
import cases as judge
from cases import Case

ALL = 10_000_000  # more than there are
STRIDE = 89  # of the quick run; a prime, so that it meets every combination of prefix and opcode in the end
CHUNKS = 8  # of the full run


TWO_PROCESSES = {"array": ("-n", "24"), "x86-64": ("-n", "96")}


def case(name, first, stride, **keywords):
    return Case(f"opcodes-{name}", ["{guests}/cpu/cpu-opcodes", str(first), str(ALL), str(stride)], few=24,
                smallest={"array": ("-n", "16"), "x86-64": ("-n", "32")}, **keywords)


def cases():
    yield Case("code", ["{guests}/cpu/cpu-code"], few=40, smallest=TWO_PROCESSES)
    yield case("sample", 0, STRIDE, heavy=True)
    for chunk in range(CHUNKS):
        yield case(f"all-{chunk}", chunk, CHUNKS, full_only=True, heavy=True, timeout=600)


def not_announced(workshop, report, full):
    """What CPUID does not announce is undefined in the machine; the host may have it."""
    for level, mode in (("x86-64-v3", "absent"), ("x86-64-v2", "absent-v2")):
        command = Case("absent", ["{guests}/cpu/cpu-opcodes", mode, "0", str(ALL), str(1 if full else STRIDE)])
        result = workshop.machine(command, ["-n", "1000", "--cpu", level], 600)
        problems = [] if result.out == b"end\n" and result.status == 0 else [judge.shorten(result.out)]
        report(level, problems)


def checks():
    return [not_announced]
