"""What the summary says, where it can be told beforehand. (That its numbers add up is checked in every run.)"""
from cases import Case


def run(workshop, command, *options):
    case = Case("check", command)
    return workshop.machine(case, list(options), 120)


def counts_of_big_set(workshop, report, full):
    """1 MiB touched in ample memory: a zero-fill for each page, nothing evicted. In 100 frames: everything."""
    pages = 256
    ample = run(workshop, ["{guests}/c-bigset", "1", "0"], "-n", "4096").summary
    few = run(workshop, ["{guests}/c-bigset", "1", "0"], "-n", "100", "--page-table", "array").summary
    problems = []
    if not pages <= ample["faults"]["zero_fill"] <= pages + 60:
        problems.append(f"zero fills: {ample['faults']}")
    if ample["evictions"]["total"] or ample["swap"]["out"] or ample["refaults"]:
        problems.append(f"evictions in ample memory: {ample['evictions']}")
    if few["faults"]["zero_fill"] != ample["faults"]["zero_fill"]:
        problems.append("zero fills depend on the number of frames")
    if few["swap"]["out"] < pages - 100 or few["faults"]["swap_in"] < pages - 100:
        problems.append(f"too little swapping: {few['swap']} {few['faults']}")
    if few["frames"]["total"] != 100 or few["frames"]["page_tables"] != 0:
        problems.append(f"frames: {few['frames']}")
    report("zero fill and swap", problems)


def page_tables_are_charged(workshop, report, full):
    for page_table in ("array", "x86-64"):
        peak = run(workshop, ["{guests}/asm-print"], "-n", "64", "--page-table", page_table).summary["frames_peak"]
        expected = {"array": 0, "x86-64": 7}[page_table]
        problems = [] if peak["page_tables"] == expected else [f"{peak['page_tables']} frames, expected {expected}"]
        report(page_table, problems)


def processes_are_listed(workshop, report, full):
    result = run(workshop, ["bash", "-c", "/bin/true; /bin/false; (exit 3); kill -9 $$"])
    processes = result.summary["processes"]
    statuses = [process["exit_status"] for process in processes]
    problems = [] if statuses == [137, 0, 1, 3] else [f"exit statuses {statuses}"]
    if [process["pid"] for process in processes] != sorted(process["pid"] for process in processes):
        problems.append("not in order of pids")
    if "/bin/true" not in processes[1]["command"] or not all(process["peak_resident"] > 0 for process in processes):
        problems.append(f"{processes[1]}")
    report("bash and three children", problems)


def format_by_size(workshop, report, full):
    for frames, expected in (("255", "array"), ("256", "x86-64")):
        got = run(workshop, ["{guests}/asm-print"], "-n", frames).summary["page_table"]
        report(f"{frames} frames", [] if got == expected else [f"{got}, expected {expected}"])


def exact_frames(workshop, report, full):
    """--available N: N frames for pages, whatever page tables take."""
    result = run(workshop, ["{guests}/c-bigset", "1"], "--available", "60", "--page-table", "x86-64").summary
    most = result["frames_peak"]["anonymous"] + result["frames_peak"]["page_cache"]
    report("60", [] if most >= 60 and result["evictions"]["total"] else [f"{result['frames_peak']}"])


def checks():
    return [counts_of_big_set, page_tables_are_charged, processes_are_listed, format_by_size, exact_frames]
