"""Threads, processes and signals: each program prints its cases and what the kernel answers."""
from cases import Case

ROOMY = {"array": ("-n", "24"), "x86-64": ("-n", "128")}


def case(name, *arguments, **keywords):
    keywords.setdefault("few", 48)
    return Case(name, ["{guests}/threads/threads-" + name, *arguments], **keywords)


def cases():
    yield case("clone", smallest=ROOMY)
    yield case("wait", smallest=ROOMY)
    yield case("signals", smallest=ROOMY)
    yield case("exec", few=200)
    yield case("frames", smallest=ROOMY)
    yield case("futex", smallest=ROOMY)
    yield case("groups", smallest=ROOMY, heavy=True)
    yield case("pthreads", heavy=True)
    for seed in range(1, 4):
        yield Case(f"random-signals-{seed}", ["{guests}/threads/threads-random-signals", str(seed), "3000"], few=48)
    for seed in range(4, 40):
        yield Case(f"random-signals-{seed}", ["{guests}/threads/threads-random-signals", str(seed), "20000"], few=48, full_only=True)
    yield case("restart", heavy=True)
    yield case("timers", smallest=ROOMY, heavy=True)
