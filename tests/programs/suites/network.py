"""Sockets, pipes and waiting for many of them: C programs that show every call, and programs that serve."""
from cases import Case

MACHINES = {"array": ("-n", "24"), "x86-64": ("-n", "160")}  # a few processes at a time


def case(name, *arguments, **keywords):
    keywords.setdefault("smallest", MACHINES)
    keywords.setdefault("few", 48)
    return Case(name, ["{guests}/network/network-" + name, *arguments], **keywords)


def cases():
    yield case("inet")
    yield case("pipe")
    yield case("unix")
    yield case("rights")
    yield case("wait")
