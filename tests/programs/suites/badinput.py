"""Bad input: a clear error, the right exit status, and nothing lost."""
import os
import pathlib
import re
import signal
import subprocess
import time

import machine

PRINT = "{guests}/asm-print"
HELLO = b"Hello from a machine of very few pages.\n"


def run(workshop, *words, files=None, **keywords):
    workshop.prepare(files)
    return machine.run([workshop.thimble, "run", *workshop.words(list(map(os.fspath, words)))], workshop.folder,
                       **keywords)


def judge(result, status, patterns, out=b""):
    problems = []
    if result.status != status:
        problems.append(f"status {result.status}, expected {status}; {result.err}")
    if out is not None and result.out != out:
        problems.append(f"output {result.out}, expected {out}")
    for pattern in patterns:
        if not re.search(pattern, result.err.decode(errors="replace"), re.S):
            problems.append(f"standard error lacks /{pattern}/: {result.err}")
    return problems


OPTIONS = {
    "no frames": (["-n", "0"], ["thimble: ", "0"]),
    "a negative number of frames": (["-n", "-5"], ["-5"]),
    "not a number": (["-n", "many"], ["many"]),
    "absurdly many frames": (["-n", "99999999999999999999"], ["99999999999999999999"]),
    "too few frames for the machine": (["-n", "2"], [r"\d+"]),
    "too few frames for the format": (["-n", "10", "--page-table", "x86-64"], ["x86-64", "16"]),
    "more reserved than there are": (["-n", "9", "--reserved", "9"], ["9"]),
    "absurd size": (["-m", "12Q"], ["12Q"]),
    "frames and memory": (["-n", "9", "-m", "1M"], ["frames", "memory"]),
    "unknown policy": (["-p", "best"], ["best", "fifo", "clock", "lru", "random"]),
    "unknown parameter of a policy": (["-p", "fifo:x=1"], ["fifo"]),
    "unknown format": (["--page-table", "tree"], ["tree", "array", "x86-64"]),
    "unknown statistics": (["--stats", "xml"], ["xml", "text", "json", "none"]),
    "unknown CPU": (["--cpu", "z80"], ["z80", "x86-64-v2", "x86-64-v3"]),
    "TLB that is no power of two": (["--tlb", "1000"], ["1000"]),
    "unknown option": (["--nonsense"], ["nonsense"]),
    "swap of nonsense": (["--swap", "lots"], ["lots"]),
    "swap file in no folder": (["--swap-file", "/does/not/exist/swap"], ["/does/not/exist/swap", "No such file"]),
    "swap file that is a folder": (["--swap-file", "/"], ["/", "[Dd]irectory"]),
}


def options(workshop, report, full):
    for name, (words, patterns) in OPTIONS.items():
        report(name, judge(run(workshop, *words, "--", PRINT), 125, patterns))
    report("no program", judge(run(workshop), 125, ["thimble: "]))


def programs_files(folder):
    elf = bytearray(pathlib.Path("/bin/true").read_bytes())
    (folder / "truncated").write_bytes(elf[:40])
    (folder / "cut").write_bytes(elf[:200])
    elf[18] = 183  # e_machine: AArch64
    (folder / "arm").write_bytes(elf)
    elf[18], elf[4] = 3, 1  # i386
    (folder / "bits32").write_bytes(elf)
    elf[18], elf[4], elf[16] = 62, 2, 1  # e_type: relocatable
    (folder / "object").write_bytes(elf)
    (folder / "text").write_text("just text\n")
    (folder / "no-interpreter").write_text("#!/does/not/exist\n")
    (folder / "empty").write_bytes(b"")
    (folder / "not-executable").write_text("#!/bin/sh\necho never\n")
    for path in folder.iterdir():
        path.chmod(0o644 if path.name == "not-executable" else 0o755)


def programs(workshop, report, full):
    for name in ("truncated", "cut", "arm", "bits32", "object", "text", "empty", "not-executable"):
        report(name, judge(run(workshop, "--", "./" + name, files=programs_files), 126, ["thimble: .*" + name]))
    report("folder", judge(run(workshop, "--", "/tmp"), 126, ["thimble: .*/tmp"]))
    report("no interpreter", judge(run(workshop, "--", "./no-interpreter", files=programs_files), 127, ["thimble: "]))
    report("not in PATH", judge(run(workshop, "--", "no-such-program"), 127, ["thimble: .*no-such-program"]))
    report("no such path", judge(run(workshop, "--", "/no/such/program"), 127, ["thimble: .*/no/such/program"]))


def traces(workshop, report, full):
    """The program runs to its end, whatever becomes of the trace."""
    result = run(workshop, "--trace", "/does/not/exist/trace", "--", PRINT)
    report("cannot be created", judge(result, 125, ["/does/not/exist/trace"]))
    for name in ("trace", "trace.jsonl"):
        folder = workshop.scratch / "full"
        folder.mkdir(exist_ok=True)
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/full")
        result = run(workshop, "--trace", link, "--", "bash", "-c", "for i in 1 2 3; do /bin/echo $i; done")
        report(f"{name} on a full disk", judge(result, 0, ["thimble: .*trace"], b"1\n2\n3\n"))


# In a mount namespace of its own: a file system of one mebibyte, which holds the swap file.
FULL_DISK = """
mount -t tmpfs -o size=1m none disk && exec "$@"
"""
SURVIVOR = """
x=$(seq 1 3000 | cksum)
"$1" 4; echo "status $?"
y=$(seq 1 3000 | cksum); [ "$x" = "$y" ] && echo the same
"""


def swap_errors(workshop, report, full):
    """A swap area that cannot hold what it promised: the process that needs the page gets SIGBUS, is named, and
    the others go on."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", FULL_DISK, "sh"]
    workshop.prepare(lambda folder: (folder / "disk").mkdir())
    if machine.run([*unshare, "true"], workshop.folder).status != 0:
        report("full disk", [], skip="no user namespaces here")
        return
    # bigset is the only one that needs more than fits
    result = machine.run([*unshare, workshop.thimble, "run", "-n", "512", "--swap-file", "disk/swap", "--swap", "4096p",
                          "--", "bash", "-c", SURVIVOR, "bash", *workshop.words(["{guests}/c-bigset"])],
                         workshop.folder)
    problems = judge(result, 0, ["thimble: .*c-bigset"], None)
    if result.out != b"status 135\nthe same\n":
        problems.append(f"output {result.out}")
    report("full disk", problems)
    report("swap file that cannot be written", judge(run(workshop, "-n", "64", "--swap-file", "/dev/full", "--", PRINT), 125,
                                                     ["/dev/full"]))


def instruction_limit(workshop, report, full):
    result = run(workshop, "--max-instructions", "5000000", "--", "bash", "-c", "echo begun; while :; do :; done")
    report("a loop", judge(result, 124, [], b"begun\n"))


def start(workshop, *words):
    workshop.prepare(None)
    return subprocess.Popen([workshop.thimble, "run", *workshop.words(list(words))], cwd=workshop.folder,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=machine.ENVIRONMENT, start_new_session=True)


def finish(process, timeout=20):
    """(status as a shell has it, output, errors); None: it had to be killed."""
    try:
        out, err = process.communicate(timeout=timeout)
        status = process.returncode
        return (128 - status if status < 0 else status), out, err
    except subprocess.TimeoutExpired:
        machine.end_group(process)
        out, err = process.communicate()
        return None, out, err


def signals(workshop, report, full):
    script = "trap 'echo told; exit 7' INT TERM HUP; echo ready; while :; do sleep 0.05; done"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = start(workshop, "--", "bash", "-c", script)
        ready = process.stdout.readline()
        process.send_signal(number)
        status, out, err = finish(process)
        good = ready == b"ready\n" and status == 7 and out == b"told\n"
        report(f"{number.name} reaches a handler", [] if good else [f"{ready}, status {status}, {out}, {err}"])
    process = start(workshop, "--", "sleep", "100")
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    status, out, err = finish(process)
    report("SIGTERM ends a program without one", [] if status == 143 else [f"status {status}, {err}"])


def broken_pipe(workshop, report, full):
    process = start(workshop, "--", "yes")
    process.stdout.read(1000)
    process.stdout.close()
    try:
        status = process.wait(20)
    except subprocess.TimeoutExpired:
        status = None
        machine.end_group(process)
        process.wait()
    process.stderr.close()
    report("yes", [] if status in (-signal.SIGPIPE, 128 + signal.SIGPIPE) else [f"status {status}"])


WRITE_AND_WAIT = r"""
import mmap, time
with open("kept", "w+b") as file:
    file.truncate(8192)
    m = mmap.mmap(file.fileno(), 8192)
    m[5000:5005] = b"dirty"
    print("ready", flush=True)
    time.sleep(100)
"""


def dirty_pages_survive(workshop, report, full):
    """What a guest has written into a shared mapping is in the file, even if Thimble is ended by a signal."""
    process = start(workshop, "--", "/usr/bin/python3", "-S", "-c", WRITE_AND_WAIT)
    ready = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    status, _, err = finish(process)
    content = (workshop.folder / "kept").read_bytes()[5000:5005] if (workshop.folder / "kept").exists() else b""
    good = ready == b"ready\n" and status == 143 and content == b"dirty"
    report("SIGTERM", [] if good else [f"{ready}, status {status}, file has {content}, {err}"])


def checks():
    return [options, programs, traces, swap_errors, instruction_limit, signals, broken_pipe, dirty_pages_survive]
