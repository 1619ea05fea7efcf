"""--deterministic: the same command, seed and input give the same trace, byte for byte, and the same system
calls at any number of frames."""
import json
import pathlib

import machine

# None of them asks how much memory there is (as sort does, unless told how much to take).
PROGRAMS = {
    "assembly": ["{guests}/asm-share", "{guests}/libsharedsum.so"],
    "signals": ["{guests}/c-timers"],
    "pipes": ["{guests}/c-pipes"],
    "processes": ["{guests}/c-spawn"],
    "copy-on-write": ["{guests}/c-fork-cow", "20", "2"],
    "random numbers": ["sh", "-c", "od -N 16 -t x1 /dev/urandom; shuf -i 1-100 -n 5; mktemp -u XXXXXXXX; date +%N"],
    "bash": ["bash", "-c", "trap 'echo signal' USR1; (sleep 0.05; kill -USR1 $$) & seq 1 100 | sort -n -S 1M | tail -n 1; "
                           "wait; echo $RANDOM $SECONDS $EPOCHREALTIME"],
    "python": ["/usr/bin/python3", "-S", "-c", "import time, os; print({'a', 'b', 'c'}, time.time(), os.urandom(4)); "
                                               "os.fork() or os._exit(0); print(os.wait()[1])"],
}


def run(workshop, command, *options):
    workshop.prepare(None)
    return machine.run([workshop.thimble, "run", "--deterministic", *options, "--", *workshop.words(command)],
                       workshop.folder, timeout=60)


def same_trace(workshop, report, full):
    for name, command in PROGRAMS.items():
        for frames in ("200", "3000") if full else ("400",):
            traces, results = [], []
            for attempt in "ab":
                path = workshop.scratch / f"trace-{attempt}"
                results.append(run(workshop, command, "-n", frames, "--trace", path))
                traces.append(path.read_bytes() if path.exists() else b"")
                path.unlink(missing_ok=True)
            problems = []
            if None in (results[0].status, results[1].status) or not traces[0]:
                problems.append(f"it did not run: {results[0].status} {results[0].err}")
            if results[0].out != results[1].out or results[0].err != results[1].err:
                problems.append(f"outputs differ: {results[0].out} and {results[1].out}")
            if traces[0] != traces[1]:
                at = next((i for i, (a, b) in enumerate(zip(*traces)) if a != b), min(map(len, traces)))
                problems.append(f"traces of {len(traces[0])} and {len(traces[1])} bytes differ from byte {at}")
            report(f"{name}, {frames} frames", problems)


def seeds_differ(workshop, report, full):
    command = PROGRAMS["random numbers"]
    outputs = [run(workshop, command, "--seed", seed).out for seed in ("1", "1", "2")]
    problems = []
    if outputs[0] != outputs[1] or not outputs[0]:
        problems.append("the same seed gives other numbers")
    if outputs[0] == outputs[2]:
        problems.append("another seed gives the same numbers")
    report("seed", problems)


def system_calls(path):
    """Every system call of a trace, with the count of instructions at which it was made."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if '"syscall_' in line:
                event = json.loads(line)
                del event["n"]  # events are numbered, and faults are events
                yield event


def same_calls_at_any_size(workshop, report, full):
    for name, command in PROGRAMS.items():
        expected = expected_out = None
        for frames in ("3000", "400", "150") if full else ("3000", "250"):
            path = pathlib.Path(workshop.scratch) / "trace.jsonl"
            result = run(workshop, command, "-n", frames, "--page-table", "array", "--trace", path)
            calls = list(system_calls(path)) if path.exists() else []
            path.unlink(missing_ok=True)
            if result.status is None or not calls:
                report(f"{name}, {frames} frames", [f"it did not run: status {result.status}, {result.err}"])
                continue
            if expected is None:
                expected, expected_out = calls, result.out
            problems = [] if result.out == expected_out else [f"output {result.out}, expected {expected_out}"]
            if calls != expected:
                at = next((i for i, (a, b) in enumerate(zip(calls, expected)) if a != b), min(len(calls), len(expected)))
                problems.append(f"{len(calls)} events, expected {len(expected)}; number {at} differs: "
                                f"{calls[at:at + 1]}, expected {expected[at:at + 1]}")
            report(f"{name}, {frames} frames", problems)


def checks():
    return [same_trace, seeds_differ, same_calls_at_any_size]
