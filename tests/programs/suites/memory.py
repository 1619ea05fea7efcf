"""Working sets beyond memory, and programs that want more than there is."""
import re
from cases import Case

BIG = "{guests}/c-bigset"


def cases():
    # 64 MiB in 16 MiB: 4096 frames. The result is right, and the same as on the host.
    yield Case("64-mib-in-16", [BIG, "64", "20000"], few=4096, heavy=True, timeout=120)
    yield Case("8-mib-in-1", [BIG, "8", "3000"], few=256)


def machine_run(workshop, *options, command, stdin=b"", timeout=120):
    """A run that is not compared with the host."""
    case = Case("check", list(command), stdin=stdin, timeout=timeout)
    return workshop.machine(case, list(options), timeout)


def swap_both_ways(workshop, report, full):
    for policy in ("clock", "fifo", "lru", "random") if full else ("clock", "lru"):
        result = machine_run(workshop, "-m", "16M", "-p", policy, command=[BIG, "64", "2000"])
        problems = []
        if result.status != 0:
            problems.append(f"status {result.status}: {result.out} {result.err}")
        elif result.summary["swap"]["out"] < 12000 or result.summary["swap"]["in"] < 12000:
            problems.append(f"too little swapping: {result.summary['swap']}")
        report(policy, problems)


OOM_MESSAGE = re.compile(rb"^thimble: .*\bc-glutton\b.*$", re.M)


def out_of_memory(workshop, report, full):
    """The one that takes too much gets ENOMEM or is killed with a message; its parent goes on, and so does the
    machine."""
    for name, options in {
        "1 MiB, no swap": ("-m", "1M", "--swap", "none"),
        "1 MiB, 1 MiB of swap": ("-m", "1M", "--swap", "1M"),
        "4 MiB, 100 pages of swap, array": ("-m", "4M", "--swap", "100p", "--page-table", "array"),
        "lru": ("-m", "1M", "--swap", "200p", "-p", "lru"),
    }.items():
        result = machine_run(workshop, *options, command=["{guests}/c-glutton", "64"])
        problems = []
        if result.status != 0 or result.out != b"there was not enough, and the parent goes on\n":
            problems.append(f"status {result.status}, output {result.out}")
        if result.summary and result.summary["oom_kills"] and not OOM_MESSAGE.search(result.err):
            problems.append(f"killed without a message that names the program: {result.err}")
        if result.summary and result.summary["oom_kills"] > 1:
            problems.append(f"{result.summary['oom_kills']} processes were killed")
        if not result.summary:
            problems.append(f"no summary: {result.err}")
        report(name, problems)


def shell_survives(workshop, report, full):
    """A shell runs a glutton and goes on; what it has in memory is as it was."""
    script = 'x=$(seq 1 2000 | md5sum); "$1" 64; y=$(seq 1 2000 | md5sum); [ "$x" = "$y" ] && echo the same'
    result = machine_run(workshop, "-m", "8M", "--swap", "4M",
                         command=["bash", "-c", script, "bash", "{guests}/c-glutton"])
    expected = b"there was not enough, and the parent goes on\nthe same\n"
    report("bash", [] if result.out == expected else [f"{result.out} {result.err}"])


def without_swap(workshop, report, full):
    """What fits needs no swap; what a mapping could hold but nobody touches does not count."""
    for name, frames in (("asm-print", "9"), ("asm-sum-bss", "24"), ("c-hello", "40")):
        workshop.prepare(None)
        arguments = ["/bin/true"] if name == "asm-sum-bss" else []
        result = machine_run(workshop, "-n", frames, "--swap", "none", command=["{guests}/" + name, *arguments])
        report(f"{name} in {frames} frames", [] if result.status == 0 else [f"status {result.status}: {result.err}"])


def checks():
    return [without_swap, swap_both_ways, out_of_memory, shell_survives]
