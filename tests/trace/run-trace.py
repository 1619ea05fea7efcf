#!/usr/bin/env python3
"""Runs real programs with a trace and checks it: the events must not contradict each other, the state that they
give must hold together whenever the kernel is between two steps, and a tally over them must be what the always-on
tally of the summary says, for the machine and for each process.

  run-trace.py THIMBLE CHECK-TRACE
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

THIMBLE, CHECK = sys.argv[1:3]

RUNS = {
    "few frames": ["-n", "16", "-p", "fifo", "--", "/bin/true"],
    "processes": ["-n", "48", "--", "bash", "-c", "ls / | wc -l; (exit 3); echo $((3*4)) | cat; sleep 0 & wait"],
    "borrowed space": ["-n", "300", "--", "/usr/bin/python3", "-c",
                       "import os; os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)"],
    "radix tree": ["-n", "80", "--page-table", "x86-64", "-p", "lru", "--", "sh", "-c", "ls -l /etc | sort | wc -c"],
    "random policy": ["-n", "64", "-p", "random", "--", "sh", "-c", "seq 3000 | sort -n | tail -1 > /dev/null"],
    "ample memory": ["-n", "65536", "--", "sh", "-c", "echo $(seq 100) | wc -w"],
}


def expected_tally(summary):
    """A machine's or a process's summary in the words of check-trace."""
    faults, tally = summary["faults"], {}
    for kind in ("zero_fill", "file", "swap_in", "cow", "protection"):
        tally["fault_" + kind] = faults[kind]
    for name in ("total", "misses", "minor", "major"):
        tally[name] = faults[name]
    return tally


class TraceAgrees(unittest.TestCase):
    def run_traced(self, arguments):
        with tempfile.TemporaryDirectory() as folder:
            trace, stats = os.path.join(folder, "trace"), os.path.join(folder, "stats")
            subprocess.run([THIMBLE, "run", "--trace", trace, "--stats", "json", "--stats-file", stats] + arguments,
                           check=True, stdout=subprocess.DEVNULL, timeout=60)
            checked = subprocess.run([CHECK, trace], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            with open(stats) as file:
                summary = json.load(file)
        self.assertEqual(checked.stderr, "")
        self.assertEqual(checked.returncode, 0)
        return json.loads(checked.stdout), summary

    def assert_tally(self, counted, expected):
        self.assertEqual({name: counted[name] for name in expected}, expected)

    def check(self, arguments):
        counted, summary = self.run_traced(arguments)
        self.assertTrue(counted["complete"])
        expected = expected_tally(summary)
        expected.update(refaults=summary["refaults"], swap_in=summary["swap"]["in"], swap_out=summary["swap"]["out"])
        for how in ("clean", "to_swap", "to_file"):
            expected["evicted_" + how] = summary["evictions"][how]
        self.assert_tally(counted["machine"], expected)
        self.assertEqual(counted["syscalls"], summary["syscalls"]["total"])
        self.assertEqual(counted["switches"], summary["context_switches"])
        self.assertEqual(counted["slots_used"], summary["swap"]["used"])
        self.assertEqual(counted["frames_free"], summary["frames"]["free"])
        self.assertGreater(counted["machine"]["total"], 0)
        for process in summary["processes"]:
            expected = expected_tally(process)
            for how in ("clean", "to_swap", "to_file"):
                expected["evicted_" + how] = process["evictions"][how]
            self.assert_tally(counted["process_%d" % process["pid"]], expected)


class TraceFiles(unittest.TestCase):
    PROGRAM = ["-n", "40", "--deterministic", "--", "sh", "-c", "trap 'echo got' USR1; kill -USR1 $$; seq 50 | sort | wc -l"]

    def trace(self, name, folder):
        path = os.path.join(folder, name)
        subprocess.run([THIMBLE, "run", "--trace", path] + self.PROGRAM, check=True, stdout=subprocess.DEVNULL,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        with open(path, "rb") as file:
            return file.read()

    def test_same_run_gives_the_same_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.trace("first", folder), self.trace("second", folder))

    def test_lines_are_json(self):
        with tempfile.TemporaryDirectory() as folder:
            lines = [json.loads(line) for line in self.trace("trace.jsonl", folder).decode("utf-8").splitlines()]
        header, events, end = lines[0], lines[1:-1], lines[-1]
        self.assertEqual(header["thimble_trace"], 1)
        self.assertEqual(header["frames"], 40)
        self.assertEqual(header["command"][0], "sh")
        self.assertTrue(end["end"])
        self.assertEqual(events[0]["event"], "machine_start")
        self.assertEqual(events[-1]["event"], "machine_stop")
        self.assertEqual(events[-1]["n"], end["events"])
        self.assertTrue(any(e["event"] == "signal" for e in events))
        self.assertTrue(all(a["n"] < b["n"] and a["i"] <= b["i"] for a, b in zip(events, events[1:])))


for name, arguments in RUNS.items():
    setattr(TraceAgrees, "test_" + name.replace(" ", "_"), lambda self, a=arguments: self.check(a))

if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
