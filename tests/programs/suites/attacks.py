"""Attacks: what tries to bring the machine down, or to see and change what is not its own.

docs/SECURITY.md says what is promised. Programs that may be run on the host as well are cases like any other:
what is refused natively is refused in the machine, and in the same words. The others run in the machine only,
confined to an empty folder in an overlay of the host's files.
"""
import os
import shutil
import subprocess

import machine
from cases import Case

WILD_MACHINES = (
    ("-n", "300", "--swap", "64M"),
    ("-n", "80", "--swap", "64M", "-p", "fifo", "--page-table", "array"),
    ("-n", "400", "--swap", "2000p", "-p", "lru", "--page-table", "x86-64", "--deterministic"),
)
CHECKED = {"THIMBLE_CHECK": "1"}


PERTURBED = {"MALLOC_PERTURB_": "165"}  # the C library fills what it hands out, and what is given back


def open_to_all(folder):
    """The program becomes nobody before it begins."""
    folder.chmod(0o777)


def cases():
    yield Case("secret", ["{guests}/attacks/attacks-secret", "512"], few=64)
    yield Case("padding", ["{guests}/attacks/attacks-padding"], environment=PERTURBED, few=64)
    yield Case("errors", ["{guests}/attacks/attacks-errors"], files=open_to_all, few=300, heavy=True, timeout=180)
    for name in ("arguments", "borders", "channels", "races", "stale"):
        yield Case(name, ["{guests}/attacks/attacks-" + name], few=60)


def sentinel(folder):
    """What lies outside of the folder that an attack may write to."""
    (folder / "file").write_text("not yours\n")
    (folder / "link").symlink_to("file")


def field(workshop):
    """The folder that an attack may write to, empty. Its programs may have forbidden what they left in it."""
    folder = workshop.scratch / "attack"
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            os.chmod(os.path.join(parent, name), 0o700)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def confined(workshop, options, command, timeout):
    """Runs an attack in the machine; the result, and what is wrong about the world after it."""
    folder = field(workshop)
    workshop.prepare(sentinel)
    before = machine.tree_digest(workshop.folder)
    words = ["run", *options, "--network", "none", "--files", "overlay", "--allow", f"{folder}:rw", "--max-processes", "300",
             "--", "env", "-C", str(folder), *workshop.words(command)]
    result = machine.run([workshop.thimble, *words], workshop.folder, environment=CHECKED, timeout=timeout)
    field(workshop)
    return result, [] if result.files == before else ["something outside of its folder was changed"]


def wild_calls(workshop, report, full):
    """Every system call with wild arguments: the machine and its checks survive, and the parent sees every child end."""
    for seed, options in enumerate(WILD_MACHINES * (40 if full else 1), 1):
        rounds = 400 if full else 30
        command = ["{guests}/attacks/attacks-wild", str(seed), str(rounds)]
        result, problems = confined(workshop, options, command, 600 if full else 120)
        if result.status != 0 or not result.out.endswith(b"all calls made\n"):
            problems.append(f"status {result.status}; {result.out[-200:]}; {result.err[-500:]}")
        report(f"seed {seed}, {' '.join(options)}", problems)


def noise(workshop, report, full):
    """Random bytes and damaged code are executed: the machine and its checks survive, and the parent sees every end."""
    for seed, options in enumerate(WILD_MACHINES * (20 if full else 1), 1):
        runs = 2000 if full else 150
        command = ["{guests}/attacks/attacks-noise", str(seed), str(runs)]
        result, problems = confined(workshop, options, command, 600 if full else 60)
        if result.status != 0 or result.out != b"all noise executed\n":
            problems.append(f"status {result.status}; {result.out[-200:]}; {result.err[-500:]}")
        report(f"seed {seed}, {' '.join(options)}", problems)


def outside(workshop, report, full):
    """Processes of the host, the machine's own among them, cannot be reached by their numbers."""
    workshop.prepare(None)
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        script = 'exec "$0" run -n 400 -- "$1" $$ "$2"'
        command = ["sh", "-c", script, workshop.thimble, *workshop.words(["{guests}/attacks/attacks-outside"]), str(bystander.pid)]
        result = machine.run(command, workshop.folder, timeout=30)
        problems = [] if result.out == b"2 processes, 0 ways in\n" and result.status == 0 else [f"{result}"]
        if bystander.poll() is not None:
            problems.append("the bystander has ended")
        report("by number", problems)
    finally:
        bystander.kill()
        bystander.wait()


def checks():
    return [wild_calls, noise, outside]
