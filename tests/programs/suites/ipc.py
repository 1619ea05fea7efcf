"""Calls between processes, limits, and the rest of the system call interface: case by case, as on the host."""
from cases import SMALL, Case

FORKING = {"array": ("-n", "16"), "x86-64": ("-n", "96")}  # several processes, each with page tables


def case(name, *arguments, program=None, **keywords):
    keywords.setdefault("smallest", FORKING)
    keywords.setdefault("few", 40)
    return Case(name, ["{guests}/ipc-" + (program or name), *arguments], **keywords)


def cases():
    for name in ("shm", "sem", "msg", "process-vm", "pidfd", "scheduling"):
        yield case(name)
