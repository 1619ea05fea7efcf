#!/usr/bin/python3
"""What a policy sees is the same in every memory: runs of the machine against a simulation of one recording.

    run.py --thimble FILE --tap FILE --oracle FILE --guest FILE --guests FOLDER [--full] [WORD]...

Each case is a program. `tap` writes its reference string in a large memory and in a small one: they must be the
same, byte for byte (but where pages are given up: those that are lost come back as others). Then, for policies and numbers of frames, `thimble run --deterministic --available N` must
have as many misses and evictions (clean, to swap, to files) as `oracle`, a simulation that shares no code with
Thimble's own, has on that string. Quick runs cover a few programs, each with a few policies and one number of frames, such that
every policy has its turn; --full covers all of it, but slow programs have each policy once: half an hour on two
idle cores. With WORDS, only cases whose names contain one of them.
Prints TAP.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LARGE = 1 << 20  # frames: nothing is evicted

# name → (command, numbers of frames). GUEST is guest.c, GUESTS the folder of tests/guest.
SHELL = 'for i in 1 2 3; do ls / | sort -r -S 1M | head -3; done; x=$(echo a b c | wc -w); echo $x'
SQL = ("create table t(a,b); with recursive c(x) as (select 1 union all select x+1 from c where x<3000) "
       "insert into t select x, x*7919 % 3001 from c; create index i on t(b); select sum(a) from t where b<500;")
CASES = {
    "asm": (["GUESTS/asm-wide"], [3, 8, 100]),
    "hello": (["GUESTS/c-hello"], [12, 40, 90]),
    "cow": (["GUEST", "cow"], [16, 40, 100, 400]),
    "memfd": (["GUEST", "memfd"], [16, 40, 100, 200]),
    "file": (["GUEST", "file"], [16, 40, 100, 200]),
    "threads": (["GUEST", "threads"], [16, 60, 130]),
    "advice": (["GUEST", "advice"], [16, 40, 100]),
    "true": (["/bin/true"], [16, 50]),
    "shell": (["/bin/bash", "-c", SHELL], [40, 150, 600]),
    "free": (["GUEST", "free"], [16, 40, 100]),
    "sort": (["/usr/bin/sort", "-S", "2M", "-R", "--random-source=/bin/true", "/etc/services"], [40, 150, 400]),
    "python": (["/usr/bin/python3", "-c", "print(sum(hash(str(i)) & 15 for i in range(2000)))"], [100, 600, 1500]),
    "sqlite": (["/usr/bin/sqlite3", ":memory:", SQL], [60, 200, 500]),
    "as": (["/usr/bin/as", "-o", "/dev/null", "HERE/../guest/asm/library.s"], [60, 200, 600]),
    "gcc": (["/usr/bin/gcc", "-fsyntax-only", "-x", "c", "HERE/item.h"], [300, 1000, 3000]),
    "ls": (["/bin/ls", "-lR", "HERE/.."], [40, 90, 200]),
    "awk": (["/usr/bin/awk", "{ count[$2]++; sum += $1 } END { for (k in count) print k, count[k], sum }", "/etc/services"],
            [50, 100, 200]),
    "sed": (["/bin/sed", "-n", "s/t\\(.\\)p/\\1/p", "/etc/services"], [40, 80, 150]),
    "grep": (["/bin/grep", "-rc", "struct", "HERE/.."], [50, 100, 200]),
    "gzip": (["/bin/gzip", "-kfc", "/etc/services"], [40, 80, 150]),
    "find": (["/usr/bin/find", "HERE/..", "-name", "*.py", "-size", "+2k"], [50, 100, 200]),
    "tar": (["/bin/tar", "-cf", "/dev/stdout", "HERE"], [60, 120, 250]),
    "perl": (["/usr/bin/perl", "-e", "my %h; $h{$_ * 7919 % 1009} .= $_ for 1..20000; print scalar(keys %h), chr 10"],
             [80, 200, 500]),
}
# How `guest ask` learns about memory. With the truth all of it is a condition; else what is told is made up,
# but for single pages.
ASKED_PAGES = {"MADV_FREE", "/proc/PID/smaps", "/proc/PID/pagemap", "/proc/PID/numa_maps", "/proc/PID/smaps_rollup"}
ASKED = ASKED_PAGES | {
    "sysinfo", "getrusage", "wait4 (rusage)", "waitid (rusage)", "mincore", "move_pages", "shmctl (SHM_INFO)", "memory refused",
    "/proc/meminfo", "/proc/vmstat", "/proc/swaps", "/proc/PID/stat", "/proc/PID/statm", "/proc/PID/status", "/proc/PID/io",
    "/proc/PID/oom_score", "/sys/fs/cgroup/cgroup.controllers", "/sys/devices/system/node/node0/meminfo"}
QUICK = {"asm": 1, "cow": 1, "memfd": 1, "file": 1, "advice": 1, "threads": 1, "free": 1}  # index into the numbers of frames
QUICK_POLICIES = 4
SLOW = {"shell", "python", "sqlite", "as", "gcc", "ls", "grep", "find", "perl"}  # in full runs: each policy once …
SLOW_STEP = 6  # … and each so manieth also with --page-cache all and --observe bits
GIVEN_UP = {"free"}  # programs that call MADV_FREE: exact all the same, as they do not ask for what may be lost
RECORDED = {"memfd", "advice", "free"}  # in quick runs, too: pages that die and come back, by all policies
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/", "PYTHONHASHSEED": "0"}
SWAP_PAGES = 1 << 18
WORK = "work"  # the folder, in that of a case, in which its program runs: no other run makes files there
BITS = 20000  # --observe bits:…


class Suite:
    def __init__(self, arguments):
        self.arguments = arguments
        self.number = self.failures = 0
        self.conditions = set()
        here = str(pathlib.Path(__file__).resolve().parent)
        self.places = {"GUESTS": arguments.guests, "GUEST": arguments.guest, "HERE": here}

    def report(self, good, name, detail=""):
        self.number += 1
        self.failures += not good
        print(f"{'ok' if good else 'not ok'} {self.number} {name}", flush=True)
        if detail:
            print("".join(f"# {line}\n" for line in detail.splitlines()), end="", flush=True)

    def command(self, words):
        first = re.compile("^(GUESTS|GUEST|HERE)(?=/|$)")
        return [first.sub(lambda match: str(self.places[match[1]]), word) for word in words]

    def run(self, *words, folder="/"):
        done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=ENVIRONMENT, cwd=folder)
        return done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"), done.returncode

    def record(self, frames, policy, file, command, cache="mapped"):
        _, errors, status = self.run(self.arguments.tap, cache, frames, policy, SWAP_PAGES, file, *command,
                                     folder=clean(file.parent))
        return None if status == 0 else f"tap {frames} {policy}: status {status}: {errors}"

    def live(self, frames, policy, bits, folder, command, cache):
        """Misses and evictions, or a message."""
        summary = folder / "summary.json"
        options = ["--observe", f"bits:{bits}"] if bits else []
        _, errors, _ = self.run(self.arguments.thimble, "run", "--deterministic", "--available", frames, "--policy", policy,
                                "--swap", f"{SWAP_PAGES}p", "--page-cache", cache, "--stats-file", summary, *options,
                                "--", *command, folder=clean(folder))
        try:
            found = json.loads(summary.read_text())
        except (OSError, ValueError):
            return errors or "no summary"
        summary.unlink()
        self.conditions |= set(found["conditions"])
        evictions = found["evictions"]
        return [found["faults"]["misses"], evictions["clean"], evictions["to_swap"], evictions["to_file"]]

    def simulated(self, file, policy, frames, bits):
        output, errors, status = self.run(self.arguments.oracle, file, policy, frames, *([bits] if bits else []))
        return [int(word) for word in output.split()][:4] if status == 0 else errors

    def compare(self, name, file, policy, frames, bits, folder, command, cache="mapped"):
        live = self.live(frames, policy, bits, folder, command, cache)
        simulated = self.simulated(file, policy, frames, bits)
        title = f"{name}: {policy}{f', bits:{bits}' if bits else ''}, {frames} frames: {live[0] if isinstance(live, list) else '?'} misses"
        detail = "" if live == simulated else f"live      {live}\nsimulated {simulated}   (misses, clean, to swap, to file)"
        self.report(live == simulated, title, detail)

    def case(self, name, words, sizes, policies, bits):
        command = self.command(words)
        with tempfile.TemporaryDirectory(prefix="thimble-references-") as folder:
            folder = pathlib.Path(folder)
            (folder / WORK).mkdir()
            large, small = folder / "large", folder / "small"
            wrong = (self.record(LARGE, "fifo", large, command) or
                     self.record(sizes[0], "lru", small, command))
            if wrong:
                self.report(False, f"{name}: recorded", wrong)
                return
            if name not in GIVEN_UP:
                self.report(*same(large, small, f"{name}: the same string in {LARGE} and {sizes[0]} frames"))
            if self.arguments.full or name in RECORDED:
                self.recorded(name, sizes, folder, command, large)
            slow = self.arguments.full and name in SLOW
            some = policies[len(name) % SLOW_STEP::SLOW_STEP] if slow else policies
            if self.arguments.full:
                self.cached(name, sizes[0], small, some, folder, command)
            for i, policy in enumerate(policies):
                for frames in [sizes[i % len(sizes)]] if slow else sizes:
                    self.compare(name, large, policy, frames, 0, folder, command)
            for policy in some if self.arguments.full else ["lru"] if bits else []:
                self.compare(name, large, policy, sizes[-1], BITS, folder, command)
            expected = {"MADV_FREE"} if name in GIVEN_UP else set()
            self.report(self.conditions == expected, f"{name}: {' '.join(expected) or 'no'} conditions",
                        ", ".join(sorted(self.conditions)))
            self.conditions = set()

    def recorded(self, name, sizes, folder, command, large):
        """The simulations of thimble's own recording are those of tap's."""
        file = folder / "own.refs"
        names = policies_known(self.arguments.thimble)
        self.run(self.arguments.thimble, "record", "-o", file, "--", *command, folder=clean(folder))
        output, errors, _ = self.run(self.arguments.thimble, "compare", "--json", "--policies", ",".join(names), "--sizes",
                                     ",".join(map(str, sizes)), file)
        found = json.loads(output)["policies"] if output else {}
        wrong = [] if found else [errors]
        for policy in names if found else []:
            for i, frames in enumerate(sizes):
                expected = self.simulated(large, policy, frames, 0)
                own = [found[policy]["faults"][i], found[policy]["writebacks"][i]]
                if own != [expected[0], expected[2] + expected[3]]:
                    wrong.append(f"{policy}, {frames} frames: {own}, not {expected}  (misses, write-backs)")
        file.unlink(missing_ok=True)
        self.report(not wrong, f"{name}: thimble compare of a recording", "\n".join(wrong))

    def cached(self, name, frames, small, policies, folder, command):
        """With data that is read and written in frames of its own."""
        wrong = self.record(LARGE, "lru", small, command, cache="all")
        if wrong:
            self.report(False, f"{name}: recorded with --page-cache all", wrong)
        for policy in [] if wrong else policies:
            self.compare(f"{name}, --page-cache all", small, policy, frames, 0, folder, command, "all")

    def asked(self, frames, *options):
        """What guest.c is told in so many frames, and what of that was a condition."""
        output, errors, _ = self.run(self.arguments.thimble, "run", *options, "-p", "lru", "--available", frames, "--stats",
                                     "json", "--", self.arguments.guest, "ask")
        return output, set(json.loads(errors[errors.index("{"):])["conditions"])

    def told(self):
        """Programs are told the same in every memory, unless the truth is asked for; then what they ask is named."""
        (few, conditions), (many, _) = self.asked(40, "--deterministic"), self.asked(4000, "--deterministic")
        self.report(few == many != "", "ask: the same is told in 40 and 4000 frames", "" if few == many else few + many)
        self.report(conditions == ASKED_PAGES, "ask: only single pages are a condition",
                    " ".join(sorted(conditions ^ ASKED_PAGES)))
        few, conditions = self.asked(40, "--deterministic", "--tell-memory", "real")
        self.report(few != many, "ask: the truth is another")
        self.report(conditions == ASKED, "ask: each way to learn it is named", " ".join(sorted(conditions ^ ASKED)))
        clock = self.asked(4000, "--tell-memory", "4G")[1] - ASKED_PAGES
        good = clock == {"the host's clock"}
        self.report(good, "ask: so is time that is not the machine's", "" if good else " ".join(clock))


def clean(folder):
    """The folder in which programs run, empty: what a run leaves there would make the next another."""
    shutil.rmtree(folder / WORK)
    (folder / WORK).mkdir()
    return folder / WORK


def same(a, b, title):
    """Whether two recordings are equal; where not, the first difference."""
    a, b = a.read_bytes(), b.read_bytes()
    if a == b:
        return True, f"{title}: {len(a) // 24} items"
    for at in range(0, min(len(a), len(b)), 24):
        if a[at:at + 24] != b[at:at + 24]:
            break
    show = lambda item: (f"instruction {int.from_bytes(item[:8], 'little')} page {int.from_bytes(item[8:16], 'little'):#x} "
                         f"kind {int.from_bytes(item[16:20], 'little')} flags {int.from_bytes(item[20:], 'little')}")
    around = "\n".join(f"{i // 24}: {show(a[i:i + 24])}  |  {show(b[i:i + 24])}" for i in range(max(0, at - 72), at + 96, 24))
    return False, title, f"{len(a) // 24} and {len(b) // 24} items, item {at // 24} differs:\n{around}"


def policies_known(thimble):
    output = subprocess.run([thimble, "run", "--policy", "list"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return [line.split()[0] for line in output.splitlines() if line.strip() and not line[0].isspace()]


def main():
    parser = argparse.ArgumentParser()
    for option in ("--thimble", "--tap", "--oracle", "--guest", "--guests"):
        parser.add_argument(option, required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--policy", action="append")
    parser.add_argument("--plugin", help="a policy of its own: PATH of its shared object")
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    suite = Suite(arguments)
    policies = arguments.policy or policies_known(arguments.thimble)
    if arguments.full and not arguments.policy:
        policies += ["random:seed=7"] + ([arguments.plugin] if arguments.plugin else [])
    for index, (name, (words, sizes)) in enumerate(CASES.items()):
        if arguments.words and not any(word in name for word in arguments.words):
            continue
        if arguments.full:
            suite.case(name, words, sizes, policies, True)
        elif name in QUICK:
            turn = [policies[(index * QUICK_POLICIES + i) % len(policies)] for i in range(min(QUICK_POLICIES, len(policies)))]
            suite.case(name, words, [sizes[QUICK[name]]], turn, name == "cow")
    if not arguments.words or "ask" in arguments.words:
        suite.told()
    print(f"1..{suite.number}")
    return suite.failures > 0


if __name__ == "__main__":
    sys.exit(main())
