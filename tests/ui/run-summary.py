"""The summary of real runs: the identities of its numbers, and that they tell the truth."""
import json
import os
import pty
import subprocess

import thimble_case
from thimble_case import THIMBLE, ThimbleCase

PIPELINE = ["sh", "-c", "for i in 1 2 3; do ls / | sort | wc -l; done"]
FRAME_USES = ("reserved", "free", "page_tables", "anonymous", "page_cache")


class Identities(ThimbleCase):
    def check_faults(self, faults):
        kinds = sum(faults[kind] for kind in ("zero_fill", "file", "swap_in", "cow", "protection"))
        self.assertEqual(faults["total"], kinds)
        self.assertEqual(faults["total"], faults["minor"] + faults["major"])
        self.assertLessEqual(faults["misses"], faults["total"])
        self.assertGreaterEqual(faults["misses"], faults["zero_fill"])

    def check(self, s):
        self.check_faults(s["faults"])
        self.assertEqual(s["frames"]["total"], sum(s["frames"][use] for use in FRAME_USES))
        for use in FRAME_USES:
            self.assertLessEqual(s["frames_peak"][use], s["frames"]["total"])
        e = s["evictions"]
        self.assertEqual(e["total"], e["clean"] + e["to_swap"] + e["to_file"])
        self.assertLessEqual(s["refaults"], s["faults"]["misses"])
        self.assertLessEqual(s["swap"]["used"], s["swap"]["peak"])
        self.assertLessEqual(s["swap"]["peak"], s["swap"]["pages"])
        for process in s["processes"]:
            self.check_faults(process["faults"])
        for kind, count in s["faults"].items():
            self.assertEqual(count, sum(p["faults"][kind] for p in s["processes"]), kind)

    def test_they_hold_on_every_kind_of_machine(self):
        for frames in "60", "300", "4096":
            for policy in "fifo", "clock", "lru", "random":
                with self.subTest(frames=frames, policy=policy):
                    s = self.summary(*PIPELINE, options=["-n", frames, "--policy", policy])
                    self.check(s)
                    self.assertEqual(s["frames"]["total"], int(frames))
                    self.assertEqual(s["policy"], policy)
                    self.assertEqual(s["page_table"], "array" if frames == "60" else "x86-64")

    def test_a_small_machine_evicts_and_a_large_one_does_not(self):
        small, large = (self.summary(*PIPELINE, options=["-n", n, "--page-table", "array"])
                        for n in ("60", "65536"))
        self.assertGreater(small["evictions"]["total"], 0)
        self.assertGreater(small["refaults"], 0)
        self.assertEqual(small["frames_peak"]["free"], 0)
        self.assertEqual(large["evictions"]["total"], 0)
        self.assertEqual(large["refaults"], 0)
        self.assertEqual(large["swap"]["peak"], 0)
        self.assertGreater(small["faults"]["misses"], large["faults"]["misses"])

    def test_page_tables_are_charged_by_the_format_that_uses_frames(self):
        array = self.summary(*PIPELINE, options=["--page-table", "array"])
        radix = self.summary(*PIPELINE, options=["--page-table", "x86-64"])
        self.assertEqual(array["frames_peak"]["page_tables"], 0)
        self.assertGreaterEqual(radix["frames_peak"]["page_tables"], 7)

    def test_available_frames_are_beside_those_of_page_tables(self):
        for page_table in "array", "x86-64":
            s = self.summary(*PIPELINE, options=["--available", "60", "--page-table", page_table])
            peak = s["frames_peak"]
            self.assertLessEqual(max(peak["anonymous"], peak["page_cache"]), 60)
            self.assertGreater(s["evictions"]["total"], 0)


class Invariants(ThimbleCase):
    def test_they_hold_after_every_trap(self):
        checked = {**os.environ, "THIMBLE_CHECK": "1"}
        expected = self.run_program(*PIPELINE).stdout
        for policy in "fifo", "clock", "lru", "random":
            for machine in ["-n", "40"], ["--available", "40", "--page-table", "x86-64"], ["-n", "1024"]:
                with self.subTest(policy=policy, machine=machine):
                    done = self.run_program(*PIPELINE, options=["--policy", policy, *machine], env=checked)
                    self.assertEqual((done.returncode, done.stdout, done.stderr), (0, expected, b""))


class Processes(ThimbleCase):
    def test_each_process_is_there_with_its_status(self):
        s = self.summary("sh", "-c", "sh -c 'exit 3'; ls / >/dev/null; (kill -9 $(exec sh -c 'echo $PPID')); exit 4",
                         status=4)
        first = s["processes"][0]
        self.assertEqual(first["exit_status"], 4)
        self.assertEqual(s["exit_status"], 4)
        statuses = [p["exit_status"] for p in s["processes"]]
        self.assertIn(3, statuses)
        self.assertIn(137, statuses)
        self.assertTrue(any(p["command"] == "ls /" for p in s["processes"]))
        self.assertTrue(all(p["parent"] == 0 or p["parent"] < p["pid"] for p in s["processes"]))
        self.assertGreater(first["peak_resident"], 10)

    def test_it_says_what_was_run(self):
        s = self.summary("sh", "-c", "exit 0", options=["--seed", "9"])
        self.assertEqual(s["command"], ["sh", "-c", "exit 0"])
        self.assertEqual((s["schema"], s["seed"], s["page_size"], s["complete"]), (1, 9, 4096, True))
        self.assertGreater(s["instructions"], 10000)
        self.assertGreater(s["syscalls"]["total"], 10)
        self.assertGreater(s["tlb"]["misses"], 10)
        self.assertGreater(s["wall_seconds"], 0)

    def test_a_run_that_was_stopped_is_not_complete(self):
        s = self.summary("sh", "-c", "while :; do :; done", options=["--max-instructions", "400000"], status=124)
        self.assertFalse(s["complete"])
        self.assertEqual(s["exit_status"], 124)
        self.assertGreaterEqual(s["instructions"], 400000)
        self.assertLess(s["instructions"], 401000)


class WhereItGoes(ThimbleCase):
    def test_nothing_unless_standard_error_is_a_terminal(self):
        self.assertEqual(self.run_program("true").stderr, b"")

    def test_text_on_a_terminal(self):
        ours, theirs = pty.openpty()
        done = subprocess.run([THIMBLE, "run", "true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=theirs, timeout=60, check=False)
        os.close(theirs)
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"thimble: ended with status 0", os.read(ours, 65536))
        os.close(ours)

    def test_on_standard_error_when_asked_for(self):
        text = self.run_program("true", options=["--stats", "text"]).stderr.decode()
        for word in "memory", "faults", "victims", "swap", "cpu", "pid":
            self.assertRegex(text, rf"(?m)^ +{word} ")
        self.assertEqual(json.loads(self.run_program("true", options=["--stats", "json"]).stderr)["schema"], 1)

    def test_the_name_of_the_file_chooses_the_format(self):
        for name, first in ("s.json", "{"), ("s.txt", "thimble: ended"):
            done = self.run_program("true", options=["--stats-file", name])
            self.assertEqual(done.stderr, b"")
            self.assertTrue((self.folder / name).read_text().startswith(first))
        self.run_program("true", options=["--stats-file", "s.txt", "--stats", "json"])
        json.loads((self.folder / "s.txt").read_text())


if __name__ == "__main__":
    thimble_case.main()
