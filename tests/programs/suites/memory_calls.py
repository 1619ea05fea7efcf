"""Memory calls: every flag at every boundary, their rules and effects, and random sequences of them, with what is
mapped and what is in it after each."""
import os
import re

from cases import SMALL, Case

PARTS = ("unmap", "protect", "advise", "sync", "lock", "mincore", "map", "remap", "file-pages", "brk")
RULES = ("growth", "limits", "locks", "overcommit", "truncate", "fork")
FORKING = {"array": ("-n", "16"), "x86-64": ("-n", "96")}
ALL = "mupraslftk"  # kinds of steps


def version():
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups()))


def exact():
    """Which mappings become one is what Linux 6.18 does; others differ."""
    return {"ARENA_EXACT": "1"} if version() == (6, 18) else {}


def case(name, program, *arguments, **keywords):
    return Case(name, ["{guests}/memory/memory-" + program, *arguments], environment=exact(), smallest=FORKING, few=40, **keywords)


def residency_hidden(output):
    """Which pages are in memory is not the same in every machine."""
    return output.replace(b" +", b" -")


def cases():
    for part in PARTS:
        yield case(part, "calls", part, mask=residency_hidden if part == "mincore" else bytes)
    for part in RULES:
        yield case(part, "rules", part)
    if version() >= (6, 16):  # before, more could be executed, and less advised
        yield case("execute", "rules", "execute")
        yield case("process-advice", "rules", "process-advice")
    for pages in (0, 3, 10):
        yield case(f"memlock-{pages}", "rules", "memlock", str(pages))
    for seed in range(1, 13):
        yield case(f"random-{seed}", "random", str(seed), "60", ALL)
    for seed in range(13, 113):
        yield case(f"random-{seed}", "random", str(seed), "200", ALL, full_only=True, timeout=120)
