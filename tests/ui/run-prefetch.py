"""Pages that are brought along with missing ones: the account against one made from the events of the run, which
know nothing of it, and what must not change. The second argument is check-trace, the third the test's plug-ins."""
import json
import pathlib
import subprocess
import sys

import thimble_case
from thimble_case import ThimbleCase

CHECK_TRACE = pathlib.Path(sys.argv[2]).resolve()
PLUGINS = pathlib.Path(sys.argv[3]).resolve()
PROGRAM = ["sh", "-c", "ls / | wc -l"]
FIXED = ["--deterministic", "--seed", "5"]
LATE = 3000  # instructions


FOLLOWED = [f'"event":"{kind}' for kind in ("fault", "zero_fill", "swap_in", "file_read", "copy", "frame", "pte",
                                            "machine_stop")]


def account(path):
    """What became of each page that was read in a fault that had already got its own."""
    waiting, counts = {}, {"pages": 0, "useful": 0, "late": 0, "wasted": 0}
    in_fault = filled = False
    candidate = None

    def used(frame, now):
        brought = waiting.pop(frame, None)
        if brought is not None:
            counts["useful"] += 1
            counts["late"] += now - brought < LATE

    for line in path.read_text().splitlines():
        if not any(kind in line for kind in FOLLOWED):
            continue
        e = json.loads(line)
        kind = e["event"]
        if kind == "fault":
            in_fault, filled = True, False
        elif kind == "fault_done":
            in_fault = False
        elif kind in ("zero_fill", "swap_in", "file_read"):
            if in_fault and filled:
                candidate = e["frame"]
            filled = in_fault
        elif kind == "copy":
            used(e["from"], e["i"])
            filled = in_fault
        elif kind == "frame" and e["use"] == "free":
            if waiting.pop(e["frame"], None) is not None:
                counts["wasted"] += 1
        elif kind == "frame" and e["frame"] == candidate:
            counts["pages"] += 1
            waiting[candidate] = e["i"]
            candidate = None
        elif kind == "pte" and e["new"]["kind"] == "present" and e["new"].get("frame") != e["old"].get("frame"):
            used(e["new"]["frame"], e["i"])
        elif kind == "machine_stop":
            break
    counts["waiting"] = len(waiting)
    return counts


class Account(ThimbleCase):
    def run_with(self, prefetch, frames, *options):
        """The summary, after comparing it with the events, and the output with a run that brings nothing."""
        trace = self.folder / "run.jsonl"
        summary = self.summary(*PROGRAM, options=[*FIXED, "-n", frames, "--prefetch", prefetch, "--trace", trace, *options])
        said = dict(summary["prefetch"])
        self.assertEqual(said.pop("name"), prefetch)
        self.assertEqual(said, account(trace))
        self.assertEqual(said["pages"], said["useful"] + said["wasted"] + said["waiting"])
        return summary

    def test_it_is_what_the_events_say(self):
        for prefetch in "fault-around:late=3000", "swap-ahead:late=3000", "swap-ahead-address:late=3000", \
                        "fault-around:pages=4,late=3000+swap-ahead:slots=4":
            with self.subTest(prefetch=prefetch):
                summary = self.run_with(prefetch, "90")
                self.assertGreater(summary["prefetch"]["useful"], 5)
                self.assertGreater(summary["prefetch"]["wasted"], 5)

    def test_windows_of_files_spare_most_misses_where_memory_is_ample(self):
        alone = self.summary(*PROGRAM, options=[*FIXED, "-n", "4096"])
        along = self.run_with("fault-around:late=3000", "4096")
        self.assertLess(along["faults"]["misses"], 0.8 * alone["faults"]["misses"])
        self.assertEqual(along["evictions"]["total"], 0)

    def test_a_trace_of_it_is_whole(self):
        trace = self.folder / "run.trace"
        self.summary(*PROGRAM, options=[*FIXED, "-n", "80", "--prefetch", "fault-around+swap-ahead", "--trace", trace])
        checked = subprocess.run([CHECK_TRACE, trace], capture_output=True)
        self.assertEqual(checked.returncode, 0, checked.stdout[-500:])

    def test_a_plugin_asks_for_pages_and_learns_which_were_brought(self):
        """It asks for the page behind, by address, and takes what was brought for the next victim."""
        summary = self.run_with("policy:late=3000", "120", "-p", f"{PLUGINS}/ahead.so")
        self.assertGreater(summary["prefetch"]["pages"], 20)
        self.assertIsNone(summary["policy_failed"])

    def test_wishes_that_are_none_are_caught(self):
        for parameter, expected in (("by=7", "wished for a page by 7"), ("count=1000", "wrote 1000 wishes")):
            summary = self.summary(*PROGRAM, options=[*FIXED, "-n", "120", "--prefetch", "policy",
                                                      "-p", f"{PLUGINS}/ahead.so:{parameter}"])
            self.assertIn(expected, summary["policy_failed"])


class Unchanged(ThimbleCase):
    def events(self, *options):
        trace = self.folder / "run.jsonl"
        self.summary(*PROGRAM, options=[*FIXED, "-n", "80", "--trace", trace, *options])
        return trace.read_bytes()

    def test_without_it_nothing_is_different(self):
        self.assertEqual(self.events(), self.events("--prefetch", "none"))

    def test_the_invariants_hold_with_it(self):
        done = self.run_program(*PROGRAM, options=[*FIXED, "-n", "70", "--prefetch", "fault-around+swap-ahead-address"],
                                env={"PATH": "/usr/bin:/bin", "THIMBLE_CHECK": "1"})
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout, subprocess.run(PROGRAM, capture_output=True).stdout)

    def test_in_a_small_memory_nothing_goes_for_a_guess(self):
        """60 frames hold 57 pages: no victim falls in a fault that has its page already."""
        has_page = False
        for line in self.events("-n", "60", "--prefetch", "fault-around+swap-ahead").decode().splitlines():
            kind = line.partition('"event":"')[2].partition('"')[0]
            if kind in ("fault", "fault_done"):
                has_page = False
            elif kind in ("zero_fill", "swap_in", "file_read", "copy"):
                has_page = True
            self.assertFalse(has_page and kind == "victim", line)


class Mistakes(ThimbleCase):
    def test_what_is_not_known_is_refused(self):
        self.assert_refused(["--prefetch", "ahead", "ls"], "'ahead' is not known", "fault-around:pages=16")
        self.assert_refused(["--prefetch", "fault-around+", "ls"], "'' is not known")
        for wrong in "fault-around:pages=1", "fault-around:slots=4", "swap-ahead:slots=65", "policy:pages=2":
            self.assert_refused(["--prefetch", wrong, "ls"], f"'{wrong}' cannot be used")
        self.assert_refused(["--prefetch", "policy", "ls"], "policy clock has no prefetch of its own")


if __name__ == "__main__":
    thimble_case.main()
