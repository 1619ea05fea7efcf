"""Calls between processes, limits, and the rest of the system call interface: case by case, as on the host."""
import os

from cases import SMALL, Case

FORKING = {"array": ("-n", "16"), "x86-64": ("-n", "96")}  # several processes, each with page tables


def case(name, *arguments, program=None, **keywords):
    keywords.setdefault("smallest", FORKING)
    keywords.setdefault("few", 40)
    return Case(name, ["{guests}/ipc-" + (program or name), *arguments], **keywords)


def host_seals_execution():
    """MFD_EXEC and what belongs to it: Linux 6.3."""
    try:
        os.close(os.memfd_create("probe", 0x10))
    except OSError:
        return False
    return True


def cases():
    for name in ("memfd", "shm", "sem", "msg", "process-vm", "pidfd", "scheduling", "limits"):
        yield case(name)
    if host_seals_execution():
        yield case("memfd-exec", "exec", program="memfd")
