"""C programs about memory, processes, signals and files; each also checks itself."""
import cases as judge
from cases import SMALL, Case

NUMBERS = b" ".join(b"%d" % (i * 7919 % 1000 - 500) for i in range(500))
FORKING = {"array": ("-n", "16"), "x86-64": ("-n", "96")}  # several processes, each with page tables

CROWD = {"array": ("-n", "24"), "x86-64": ("-n", "640")}  # 40 of them
SPARSE = {"array": ("-n", "12"), "x86-64": ("-n", "48")}  # pages far apart: three frames of page table each


def case(name, *arguments, program=None, **keywords):
    keywords.setdefault("smallest", SMALL)
    keywords.setdefault("few", 20)
    return Case(name, ["{guests}/" + (program or "c-" + name), *arguments], **keywords)


def cases():
    yield case("hello", stdin=NUMBERS)
    yield case("hello-static", program="static-hello", stdin=NUMBERS)
    yield case("hello-static-pie", program="static-pie-hello", stdin=NUMBERS)
    yield case("hello-no-input", program="c-hello")
    yield case("pointers")
    yield case("pointers-static", program="static-pointers")
    yield case("environment", "one", "two words", "", environment={"EMPTY": "", "LONG": "x" * 5000})
    yield case("environment-static", program="static-environment", environment={"A": "b"})
    yield case("exit-0", "exit", "0", program="c-status")
    yield case("exit-255", "exit", "255", program="c-status")
    yield case("exit-300", "exit", "300", program="c-status")
    yield case("abort", "abort", program="c-status")
    for signal in (1, 6, 9, 11, 13, 15, 35):
        yield case(f"signal-{signal}", "signal", str(signal), program="c-status")
    yield case("map-kinds", few=24)
    yield case("repair")
    yield case("repair-static", program="static-repair")
    yield case("exceptions")
    yield case("single-step")
    yield case("altstack")
    yield case("remap")
    yield case("advice")
    yield case("reserve", smallest=SPARSE)
    yield case("own-maps", "one", few=24)
    yield case("wild-calls")
    yield case("vectors")
    yield case("timers", few=32, smallest=FORKING)
    yield case("pipes", few=32, smallest=FORKING)
    yield case("spawn", few=32, smallest=CROWD)
    yield case("fork-cow", "48", "3", few=48, smallest=FORKING)
    yield case("fork-cow-static", "24", "2", program="static-fork-cow", few=32, smallest=FORKING)
    yield case("bigset-small", "1", program="c-bigset", few=64)
    yield case("jit", smallest=FORKING)
    yield case("straddle")
    yield case("limits", few=64, smallest=FORKING)
    for seed in range(1, 4):
        yield case(f"random-files-{seed}", str(seed), "4000", program="c-random-files", few=48, smallest=FORKING)
    for seed in range(4, 24):
        yield case(f"random-files-{seed}", str(seed), "40000", program="c-random-files", few=48, smallest=FORKING,
                   full_only=True, timeout=300)
    for seed in range(1, 5):
        yield case(f"random-memory-{seed}", str(seed), "400", "200", program="c-random-memory", few=48,
                   smallest=FORKING)
    for seed in range(5, 25):
        yield case(f"random-memory-{seed}", str(seed), "3000", "400", program="static-random-memory", few=40,
                   smallest=FORKING, full_only=True, timeout=300)
    yield Case("redirect", ["bash", "-c", "{guests}/c-hello < in > out; {guests}/c-environment a >> out 2>> out; cat out"],
               files=lambda folder: (folder / "in").write_bytes(NUMBERS))


# Machines beside the matrix: programs must not notice them either.
OTHER_MACHINES = (
    ("--cpu", "x86-64-v2"),
    ("--cpu", "x86-64-v2", "-n", "100"),
    ("--tlb", "16", "-n", "60"),
    ("--tlb", "4096", "-n", "300"),
    ("--reserved", "40", "-n", "100"),
    ("--swap", "2000p", "-n", "50", "-p", "random", "--seed", "7"),
    ("-m", "400K", "-p", "lru", "--deterministic"),
)


def other_machines(workshop, report, full):
    programs = (case("hello", stdin=NUMBERS), case("vectors"), case("repair"), case("jit"), case("fork-cow", "24", "2"),
                case("random-memory", "77", "300"), case("exceptions"))
    natives = [workshop.native(program) for program in programs]
    for options in OTHER_MACHINES:
        problems = []
        for program, native in zip(programs, natives):
            result = workshop.machine(program, list(options), program.timeout)
            problems += [f"{program.name}: {problem}" for problem in judge.differences(program, native, result)]
        report(" ".join(options), problems)


def checks():
    return [other_machines]
