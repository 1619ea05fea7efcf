"""Running a program, on the host and in the machine.

A run has a folder of its own, always of the same name, in which a case lays out its files; what can be seen of
a run is its standard streams, its exit status and the files that it leaves there. Every process that a run
starts belongs to one process group, which is gone when the run is over.
"""
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import time

RESERVED = 3  # frames of the OS, unless --reserved says otherwise
REFUSED = {"rseq", "ptrace"}  # system calls that are unimplemented on purpose
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "HOME": "/nonexistent",
    "LANG": "C",
    "LC_ALL": "C",
    "TZ": "UTC",
    "SHELL": "/bin/sh",
}


@dataclasses.dataclass
class Result:
    """What can be seen of a run. status: as a shell has it, 128 + signal included; None: it took too long."""

    status: int | None
    out: bytes
    err: bytes
    files: dict
    seconds: float
    summary: dict | None = None


def tree_digest(folder):
    """Path → what is there: kind, mode, and content or target. Times are no part of it."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in folders + names:
            path = os.path.join(parent, name)
            info = os.lstat(path)
            if stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    content = hashlib.file_digest(file, "sha256").hexdigest()
            elif stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            else:
                content = ""
            found[os.path.relpath(path, folder)] = (stat.filemode(info.st_mode), content)
    return found


def end_group(process):
    """Whatever the run has started and not ended."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(command, folder, stdin=b"", environment=None, timeout=120):
    """Runs the command in the folder; its streams go through files, so that no reader is needed."""
    start = time.monotonic()
    streams = [folder.parent / name for name in ("stdin", "stdout", "stderr")]
    streams[0].write_bytes(stdin)
    with open(streams[0], "rb") as stdin_file, open(streams[1], "wb") as out, open(streams[2], "wb") as err:
        process = subprocess.Popen([os.fspath(word) for word in command], cwd=folder, stdin=stdin_file, stdout=out,
                                   stderr=err, env=ENVIRONMENT | (environment or {}), start_new_session=True)
        try:
            status = process.wait(timeout)
            status = 128 - status if status < 0 else status
        except subprocess.TimeoutExpired:
            status = None
        finally:
            end_group(process)
            process.wait()
    return Result(status, streams[1].read_bytes(), streams[2].read_bytes(), tree_digest(folder),
                  time.monotonic() - start)


def read_summary(path):
    """None when there is none, or not a whole one: the run was ended, or the machine could not be built."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


class Workshop:
    """A folder to run cases in. Programs see the same path, whether on the host or in the machine."""

    def __init__(self, thimble, guests, scratch):
        self.thimble, self.guests = thimble, guests
        self.scratch = pathlib.Path(scratch)
        self.folder = self.scratch / "work"
        self.summary_path = self.scratch / "summary.json"

    def prepare(self, files):
        """An empty folder, then what `files` puts into it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        if files:
            files(self.folder)

    def words(self, command):
        return [word.replace("{guests}", os.fspath(self.guests)) for word in command]

    def native(self, case):
        self.prepare(case.files)
        return run(self.words(case.command), self.folder, case.stdin, case.environment, case.timeout)

    def machine_command(self, case, options):
        return [self.thimble, "run", *options, "--stats", "json", "--stats-file", self.summary_path, "--",
                *self.words(case.command)]

    def machine(self, case, options, timeout):
        self.prepare(case.files)
        self.summary_path.unlink(missing_ok=True)
        result = run(self.machine_command(case, options), self.folder, case.stdin, case.environment, timeout)
        result.summary = read_summary(self.summary_path)
        return result


def faults_wrong(faults):
    """What is wrong in the counts of faults of a machine or a process; None: they add up."""
    kinds = sum(faults[kind] for kind in ("zero_fill", "file", "swap_in", "cow", "protection"))
    if faults["total"] != kinds or faults["total"] != faults["minor"] + faults["major"]:
        return f"faults do not add up: {faults}"
    if faults["misses"] > faults["total"] - faults["protection"]:
        return f"more misses than faults that can fill a frame: {faults}"
    return None


def summary_wrong(summary, result):
    """The identities that every summary keeps; None: they hold."""
    frames, evictions, swap = summary["frames"], summary["evictions"], summary["swap"]
    uses = sum(frames[use] for use in ("reserved", "free", "page_tables", "anonymous", "page_cache"))
    problems = [faults_wrong(process["faults"]) for process in summary["processes"]]
    # The kernel fills frames in nobody's name, too: of memfds that are written and read.
    filled = sum(process["faults"]["misses"] for process in summary["processes"])
    if filled > summary["faults"]["misses"]:
        problems.append(f"faults.misses: the processes have {filled}, the machine {summary['faults']['misses']}")
    for kind in ("total", "minor", "major", "zero_fill", "file", "swap_in", "cow", "protection"):
        parts = sum(process["faults"][kind] for process in summary["processes"])
        if parts != summary["faults"][kind]:
            problems.append(f"faults.{kind}: the processes have {parts}, the machine {summary['faults'][kind]}")
    if frames["total"] != uses:
        problems.append(f"frames do not add up: {frames}")
    if evictions["total"] != evictions["clean"] + evictions["to_swap"] + evictions["to_file"]:
        problems.append(f"evictions do not add up: {evictions}")
    if swap["used"] > swap["peak"] or swap["peak"] > swap["pages"]:
        problems.append(f"swap does not fit: {swap}")
    if summary["exit_status"] != result.status or not summary["complete"]:
        problems.append(f"says status {summary['exit_status']}, complete {summary['complete']}")
    unimplemented = summary["syscalls"]["unimplemented"].keys() - REFUSED
    if unimplemented:
        problems.append(f"unimplemented: {sorted(unimplemented)}")
    return "; ".join(filter(None, problems)) or None
