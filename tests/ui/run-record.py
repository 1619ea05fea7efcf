"""`thimble record`: the same references whatever the memory, complete files however the run ends."""
import json
import os
import re
import signal
import subprocess

import thimble_case
from thimble_case import THIMBLE, TIMEOUT, ThimbleCase

PIPELINE = ["sh", "-c", "ls / | head -3; exit 7"]


class Recording(ThimbleCase):
    def record(self, *program, options=(), status=0, name="r.refs"):
        path = self.folder / name
        done = self.run_thimble("record", "--verbose", "-o", path, *options, "--", *program)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr.decode(), r"recorded [\d,]+ references to [\d,]+ pages")
        return path

    def curve(self, path):
        done = self.run_thimble("curve", "--json", "--policy", "lru,opt", "--sizes", "20,60,200", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_references_do_not_depend_on_the_memory(self):
        recordings = [self.record(*PIPELINE, options=options, status=7, name=f"{i}.refs")
                      for i, options in enumerate(([], ["-n", "300"], ["--available", "9"]))]
        curves = [self.curve(path) for path in recordings]
        for curve in curves:
            self.assertGreater(curve["references"], 10000)
            for key in "trace_hash", "references", "pages", "policies":
                self.assertEqual(curve[key], curves[0][key])

    def test_what_a_reduced_recording_leaves_out_changes_no_misses(self):
        whole = self.curve(self.record(*PIPELINE, status=7))
        reduced = self.curve(self.record(*PIPELINE, options=["--reduce", "20"], status=7, name="reduced.refs"))
        self.assertLess(reduced["references"], whole["references"] / 2)
        for policy in "lru", "opt":
            self.assertEqual(reduced["policies"][policy]["faults"], whole["policies"][policy]["faults"])
            self.assertEqual(reduced["policies"][policy]["label"], "exact")
        few = self.run_thimble("compare", "--json", "--policies", "lru", "--sizes", "10,60", "reduced.refs")
        truth = self.run_thimble("compare", "--json", "--policies", "lru", "--sizes", "10,60", "r.refs")
        for policy, exact in json.loads(truth.stdout)["policies"].items():
            bounded = json.loads(few.stdout)["policies"][policy]
            self.assertEqual(bounded["label"], "bounded")
            self.assertLess(bounded["lower"][0], exact["faults"][0])
            self.assertLessEqual(exact["faults"][0], bounded["upper"][0])
            self.assertLess(bounded["upper"][0], whole["references"])
            self.assertEqual([bounded["lower"][1], bounded["upper"][1]], [exact["faults"][1]] * 2)

    def test_an_estimate_from_some_pages_is_near_the_exact_curve(self):
        (self.folder / "lines").write_text("".join(f"{i * 7919 % 10007}\n" for i in range(10007)))
        path = self.record("sort", "lines")

        def misses(*options):
            done = self.run_thimble("curve", "--json", "--policy", "lru", *options, path)
            lru = json.loads(done.stdout)["policies"]["lru"]
            return lru["faults"], lru["label"], json.loads(done.stdout)["references"]
        exact, label, references = misses()
        self.assertEqual(label, "exact")
        self.assertEqual(misses("--sample", "100%")[0], exact)
        for sample in "25%", "100":
            estimate, label, _ = misses("--sample", sample)
            self.assertEqual(label, "estimated")
            error = sum(abs(a - b) for a, b in zip(exact, estimate, strict=True)) / len(exact) / references
            self.assertLess(error, 0.05, sample)
            self.assertGreater(error, 0)

    def test_the_name_or_an_option_says_the_format(self):
        def curve(path):
            done = self.run_thimble("curve", "--json", "--policy", "lru", "--sizes", "200", path)
            return json.loads(done.stdout)["policies"]["lru"]["faults"]
        whole = curve(self.record(*PIPELINE, status=7))
        done = self.run_thimble("record", "-o", "r.csv", "--reduce", "20", "--", *PIPELINE)
        self.assertEqual(done.returncode, 7)
        self.assertIn("are not in it", done.stderr.decode())
        self.assertIn("(--reduce 20), and this format does not say so", done.stderr.decode())
        self.assertTrue((self.folder / "r.csv").read_text().startswith("page,kind"))
        done = self.run_thimble("record", "-o", "r", "--format", "oracleGeneral", "--", *PIPELINE)
        self.assertEqual((done.returncode, done.stderr), (7, b""))
        self.assertEqual(curve("r"), whole)

    def test_a_cut_recording_is_not_called_exact(self):
        path = self.record(*PIPELINE, status=7)
        path.write_bytes(path.read_bytes()[:path.stat().st_size * 2 // 3])
        done = self.run_thimble("curve", "--policy", "lru", "--sizes", "200", path)
        self.assertIn("lru: conditional (the recording was cut: this is its beginning)", done.stdout.decode())
        items = re.search(r"is cut behind item ([\d,]+): a recording that was not finished", done.stderr.decode())[1]
        self.assertEqual(done.returncode, 1)
        for command in ("compare", "--sizes", "200"), ("where", "--sizes", "200"), ("heat",), ("size", "--cpu-seconds", "1"):
            done = self.run_thimble(*command, path)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"is cut behind item {items}:", done.stderr.decode())

    def test_sigterm_ends_the_file_in_good_order(self):
        path = self.folder / "service.refs"
        process = subprocess.Popen([THIMBLE, "record", "-o", path, "--", "sh", "-c", "echo ready; while :; do :; done"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        process.send_signal(signal.SIGUSR1)
        self.assertRegex(process.stderr.readline(), rb"recorded [\d,]+ references to")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM, errors)
        self.assertGreater(self.curve(path)["references"], 1000)

    def report_of_a_service(self, *command):
        """A service that waits, and the first line of what it says of itself for SIGUSR1."""
        process = subprocess.Popen([THIMBLE, *command, "--", "sh", "-c", "echo ready; read line"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder, text=True)
        self.addCleanup(process.kill)
        self.assertEqual(process.stderr.readline(), "ready\n")
        process.send_signal(signal.SIGUSR1)
        self.assertRegex(process.stderr.readline(), r"recorded [\d,]+ references to")
        self.assertEqual(process.stderr.readline(), "thimble: provisional, of the run up to here:\n")
        return process, process.stderr.readline()

    def reports_of_a_service(self, *command):
        """What comes on standard error for SIGUSR1, and what the command says when the service has ended."""
        process, report = self.report_of_a_service(*command)
        while not report.endswith("\n\n"):
            report += process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 0, errors)
        return report + errors, output

    def test_sigusr1_prints_what_is_known_of_a_service(self):
        for command in (["curve", "--policy", "lru,opt", "--sizes", "20"],
                        ["compare", "--policies", "fifo", "--sizes", "20"],
                        ["size", "--no-rerun", "--slowdown", "100"]):
            report, output = self.reports_of_a_service(*command)
            said, finally_said = (int(re.search(r"([\d,]+) references to", text)[1].replace(",", ""))
                                  for text in (report, output))
            self.assertLess(1000, said)
            self.assertLessEqual(said, finally_said)

    def test_sigusr1_in_a_warm_up_finds_nothing_to_count(self):
        for command in ["curve", "--policy", "lru", "--sizes", "20"], ["compare", "--sizes", "20"], ["size"], ["heat"]:
            process, said = self.report_of_a_service(*command, "--warm-up", "1000")
            self.assertIn("the warm-up was not over, so that there is nothing to count", said, command)
            self.assertIsNone(process.poll())
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=TIMEOUT)
            self.assertEqual((process.returncode, output, errors), (125, "", said))

    def test_duration_ends_a_service(self):
        path = self.record("sh", "-c", "while :; do :; done", options=["--warm-up", "0.1", "--duration", "0.3"])
        self.assertGreater(self.curve(path)["references"], 1000)

    def test_nonsense_is_refused(self):
        for arguments, expected in ((["ls"], "no file was given"), (["-o", "x", "--reduce", "0", "ls"], "--reduce: '0'"),
                                    (["-o", "x", "--warm-up", "soon", "ls"], "--warm-up: 'soon'"),
                                    (["-o", "/nowhere/x", "ls"], "/nowhere/x")):
            done = self.run_thimble("record", *arguments)
            self.assertEqual((done.returncode, done.stdout), (125, b""))
            self.assertIn(expected, done.stderr.decode())
        self.assertFalse(os.path.exists(self.folder / "x"))


thimble_case.main()
