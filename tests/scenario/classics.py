"""The classics: each teaches something, and these are the numbers that it teaches it by.

    classics.py THIMBLE

Where theory says what the numbers must be, a few lines here compute them again, from the reference string and not from
Thimble.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

THIMBLE = None
RESERVED = 3
TEXT, STACK = "text", "stack"


def thimble(*arguments):
    return subprocess.run([THIMBLE, *arguments], check=True, timeout=120, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True).stdout


def series(name):
    """{(policy, frames): {column: number}} of a table that `scenario run` prints."""
    lines = thimble("scenario", "run", name).splitlines()
    columns = re.split(r"\s+", lines[0].strip().replace("faults/1000 in.", "rate"))
    rows = (dict(zip(columns, line.split())) for line in lines[1:])
    return {(row["policy"], int(row["frames"])): {key: float(value) for key, value in row.items() if key != "policy"}
            for row in rows}


def draw(name):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "picture.json")
        thimble("scenario", "draw", name, "-o", path)
        return json.loads(path.read_text())


def run_summary(name, *options):
    """(what the programs print, the summary) of a run."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "summary.json")
        output = thimble("scenario", "run", name, *options, "--stats-file", path)
        return output, json.loads(path.read_text())


# ---- theory ----

def misses_fifo(references, frames):
    memory, misses = collections.deque(), 0
    for page in references:
        if page not in memory:
            misses += 1
            if len(memory) == frames:
                memory.popleft()
            memory.append(page)
    return misses


def misses_lru(references, frames):
    memory, misses = collections.OrderedDict(), 0
    for page in references:
        if page not in memory:
            misses += 1
            if len(memory) == frames:
                memory.popitem(last=False)
        memory[page] = True
        memory.move_to_end(page)
    return misses


def misses_clock(references, frames):
    """Second chance; a page enters with its bit set (Corbató 1968)."""
    ring, bit, hand, misses = [], {}, 0, 0
    for page in references:
        if page in bit:
            bit[page] = True
            continue
        misses += 1
        if len(ring) < frames:
            ring.append(page)
        else:
            while bit[ring[hand]]:
                bit[ring[hand]] = False
                hand = (hand + 1) % frames
            del bit[ring[hand]]
            ring[hand] = page
            hand = (hand + 1) % frames
        bit[page] = True
    return misses


BELADY = [1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5]
# scan: exec touches the stack; then the text at the start of the loop and after each of five times twelve pages.
SCAN = [STACK, TEXT] + [page for number in range(60) for page in (number % 12, TEXT)]


class Classics(unittest.TestCase):
    def test_belady(self):
        """FIFO has nine faults in three frames and ten in four; LRU has no such anomaly."""
        rows = series("classics/belady")
        self.assertEqual(rows["fifo", RESERVED + 3]["file"], 9)
        self.assertEqual(rows["fifo", RESERVED + 4]["file"], 10)
        for frames in (3, 4):
            self.assertEqual(rows["fifo", RESERVED + frames]["file"], misses_fifo(BELADY, frames))
            self.assertEqual(rows["lru", RESERVED + frames]["file"], misses_lru(BELADY, frames))
        self.assertLessEqual(rows["lru", RESERVED + 4]["file"], rows["lru", RESERVED + 3]["file"])

    def test_scan(self):
        """LRU and CLOCK lose every page of a file that is a little too large; choosing at random does not."""
        rows = series("classics/scan")
        for frames in (8, 12, 13, 14):
            self.assertEqual(rows["lru", RESERVED + frames]["faults"], misses_lru(SCAN, frames))
            self.assertEqual(rows["fifo", RESERVED + frames]["faults"], misses_fifo(SCAN, frames))
            self.assertEqual(rows["clock", RESERVED + frames]["faults"], misses_clock(SCAN, frames))
        small, enough = RESERVED + 8, RESERVED + 14
        self.assertEqual(rows["lru", small]["file"], 1 + 60)
        self.assertEqual(rows["clock", small]["faults"], rows["lru", small]["faults"])
        self.assertLess(rows["random", small]["faults"], rows["lru", small]["faults"] - 5)
        for policy in ("lru", "clock", "fifo", "random"):
            self.assertEqual(rows[policy, enough]["faults"], 14)

    def test_thrashing(self):
        """The fewer frames, the more faults for a thousand instructions; with enough there is one a page."""
        rows = [row for (_, _), row in sorted(series("classics/thrashing").items(), key=lambda item: item[0][1])]
        rates = [row["rate"] for row in rows]
        self.assertEqual(rates, sorted(rates, reverse=True))
        self.assertEqual(rows[-1]["faults"], 18)
        self.assertEqual(rows[-1]["evictions"], 0)
        self.assertGreater(rows[0]["faults"], 3000)
        self.assertGreater(rates[0], 100 * rates[-1])

    def entry(self, process, number):
        return next(cell for cell in process["table"] if cell["number"] == number)

    def test_fork_shares_until_somebody_writes(self):
        before, after = draw("classics/fork"), draw("classics/fork-write")
        for state in (before, after):
            self.assertEqual([process["pid"] for process in state["processes"]], [21, 22])
        for number in (1, 3, 5):
            frames = {self.entry(process, number)["frame"] for process in before["processes"]}
            self.assertEqual(len(frames), 1, f"VPN{number} after fork")
        for process in before["processes"]:
            data = self.entry(process, 3)
            self.assertEqual((data["access"], data["allowed"], data["copy_on_write"]), ("rw-", "r--", True))
        parent, child = (self.entry(process, 3) for process in after["processes"])
        self.assertNotEqual(parent["frame"], child["frame"])
        self.assertEqual(child["allowed"], "rw-")
        self.assertEqual(parent["frame"], self.entry(before["processes"][0], 3)["frame"])
        self.assertEqual(before["memory"]["free"] - after["memory"]["free"], 1)

    def test_the_parent_does_not_see_the_childs_write(self):
        run_summary("classics/fork")  # exits with 0 only if it still finds its own number

    def test_stack_growth(self):
        """A page of zeros for each page pushed to, and a mapping that grows beyond its first 128 KiB."""
        before, after = draw("classics/stack"), draw("classics/stack-growth")

        def stack(state):
            cells = state["processes"][0]["table"]
            end = len(cells)
            begin = end
            while cells[begin - 1]["mapped"]:
                begin -= 1
            return sum(cell["pages"] for cell in cells[begin:end]), sum(cell["present"] for cell in cells[begin:end])

        self.assertEqual(stack(before), (33, 1))
        pages, present = stack(after)
        self.assertEqual(present, 49)
        self.assertGreaterEqual(pages, 49)
        _, summary = run_summary("classics/stack-growth")
        self.assertEqual(summary["faults"]["zero_fill"], 49)

    def test_shared_counter(self):
        output, _ = run_summary("classics/shared-counter")
        self.assertEqual(output.split(), ["2000", "2000"])
        state = draw("classics/shared-counter")
        counters = [self.entry(process, 5) for process in state["processes"]]
        self.assertEqual(len({cell["frame"] for cell in counters}), 1)
        self.assertEqual([cell["access"] for cell in counters], ["rw-", "rw-"])
        self.assertTrue(all(cell["shared"] for cell in counters))
        stacks = {self.entry(process, 7)["frame"] for process in state["processes"]}
        self.assertEqual(len(stacks), 2)

    def test_ten_programs_take_less_when_they_share_a_library(self):
        used = {}
        for kind in ("static", "dynamic"):
            memory = draw("classics/ten-" + kind)["memory"]
            used[kind] = memory["frames"] - memory["reserved"] - memory["free"]  # page tables included
        self.assertLess(used["dynamic"], 0.75 * used["static"])

    def test_the_real_linker_touches_dozens_of_pages_before_main(self):
        start, main = draw("classics/real-ld.so-start"), draw("classics/real-ld.so")

        def present(state):
            return sum(cell["present"] for cell in state["processes"][0]["table"])

        self.assertLess(present(start), 5)
        self.assertGreater(present(main), 48)
        mapped = {file["name"].split("/")[-1] for file in main["files"]}
        self.assertTrue(any(name.startswith("libc") for name in mapped), mapped)
        self.assertTrue(any(name.startswith("ld-linux") for name in mapped), mapped)
        output, _ = run_summary("classics/real-ld.so")
        self.assertEqual(output, "hello\n")


if __name__ == "__main__":
    THIMBLE = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
