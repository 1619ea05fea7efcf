#!/usr/bin/python3
"""thimble check from end to end: the example of the documentation, mistakes in specs, one program by options.

usage: check.py THIMBLE SOURCE"""
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

THIMBLE, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
EXAMPLE = os.path.join(SOURCE, "examples/grading")


class Case(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="thimble-check-test-")
        self.addCleanup(shutil.rmtree, self.top)

    def check(self, *arguments, cwd=None):
        done = subprocess.run([THIMBLE, "check", *arguments], cwd=cwd or self.top, capture_output=True, text=True,
                              timeout=240, check=False, stdin=subprocess.DEVNULL)
        return done

    def submission(self, name, **files):
        folder = os.path.join(self.top, name)
        os.makedirs(folder)
        for file, content in files.items():
            path = os.path.join(folder, file)
            with open(path, "w") as to:
                to.write(content)
            os.chmod(path, 0o755)
        return folder

    def spec(self, **content):
        path = os.path.join(self.top, "spec.json")
        with open(path, "w") as to:
            json.dump(content, to)
        return path

    def rows(self, directory="thimble-results"):
        with open(os.path.join(self.top, directory, "results.csv"), newline="") as file:
            return list(csv.DictReader(file))


class Example(Case):
    def test_the_documentation_is_true(self):
        with open(os.path.join(SOURCE, "docs/GRADING.md")) as file:
            page = file.read()
        with open(os.path.join(EXAMPLE, "hw3.json")) as file:
            self.assertIn(file.read().strip(), page)
        arguments = ["--spec", os.path.join(EXAMPLE, "hw3.json"), os.path.join(EXAMPLE, "alice"),
                     os.path.join(EXAMPLE, "bob")]
        done = self.check(*arguments)
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual(done.stderr, "")
        alice, bob = self.rows()
        self.assertEqual((alice["submission"], alice["status"], alice["score"]), ("alice", "passed", "10"))
        self.assertEqual((bob["submission"], bob["status"], bob["score"]), ("bob", "failed", "5"))
        self.assertEqual(bob["few faults in 48 frames: faults"], "fail")
        self.assertEqual(bob["right sum: output"], "pass")
        with open(os.path.join(self.top, "thimble-results/bob/results.json")) as file:
            results = json.load(file)
        self.assertEqual(results["score"], 5)
        self.assertEqual([test["status"] for test in results["tests"]], ["passed", "failed", "failed"])
        self.assertEqual(results["tests"][2]["visibility"], "after_due_date")
        self.assertEqual([test["max_score"] for test in results["tests"]], [4, 5, 1])
        self.assertEqual(sorted(os.listdir(os.path.join(EXAMPLE, "alice"))), ["matrix.c"])
        again = self.check("-j", "1", *arguments)
        self.assertEqual(again.stdout, done.stdout)


class Class(Case):
    def test_every_submission_has_its_row_in_the_order_given(self):
        hello = "#!/bin/sh\necho hello\n"
        folders = [self.submission(name, run=hello) for name in ("c", "a", "x/a", "=1+1")]
        folders.append(self.submission("b", run="#!/bin/sh\necho bye\n"))
        spec = self.spec(tests=[{"name": "greets", "command": ["./run"], "expect": {"output": "hello\n"}}])
        done = self.check("--spec", spec, *folders)
        self.assertEqual(done.returncode, 1)
        rows = self.rows()
        self.assertEqual([row["submission"] for row in rows], ["c", "a", "a-2", "'=1+1", "b"])
        self.assertEqual([row["status"] for row in rows], ["passed"] * 4 + ["failed"])
        self.assertIn('FAIL  b: greets: output: line 1 is "bye", expected "hello"\n', done.stdout)
        self.assertTrue(done.stdout.startswith("pass  c: greets: status: 0\n"))

    def test_all_passed_is_status_0(self):
        folder = self.submission("a", run="#!/bin/sh\nexit 7\n")
        spec = self.spec(tests=[{"name": "ends", "command": ["./run"], "expect": {"status": 7}}])
        self.assertEqual(self.check("--spec", spec, folder).returncode, 0)

    def test_a_build_that_fails_says_why(self):
        folder = self.submission("a", Makefile="all:\n\t@echo no such luck >&2; false\n")
        spec = self.spec(build={"command": ["make", "-s"]}, tests=[{"name": "t", "command": ["./run"]}])
        done = self.check("--spec", spec, folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL  a: it does not build: no such luck", done.stdout)
        self.assertEqual(self.rows()[0]["status"], "not built")

    def test_a_test_sees_the_build_and_no_other_test(self):
        script = "#!/bin/sh\ncat state; echo changed >> state; rm -f kept /tmp/*; ls\n"
        folder = self.submission("a", run=script, kept="")
        tests = [{"name": str(n), "command": ["./run"], "expect": {"output": "built\nrun\nstate\n"}} for n in range(2)]
        done = self.check("--spec", self.spec(build={"command": "echo built > state"}, tests=tests), folder)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(sorted(os.listdir(folder)), ["kept", "run"])

    def test_ways_to_compare(self):
        folder = self.submission("a", run="#!/bin/sh\nprintf 'one  \\ntwo\\n\\n'\n")
        expectations = [({"output": "one  \ntwo\n\n"}, True), ({"output": "one\ntwo\n"}, False),
                        ({"output": "one\ntwo", "compare": "trailing-space"}, True),
                        ({"output": "one\ntoo", "compare": "trailing-space"}, False),
                        ({"output": "one *\n(two|three)\n+", "compare": "pattern"}, True),
                        ({"output": "two", "compare": "pattern"}, False)]
        tests = [{"name": str(i), "command": ["./run"], "expect": expect} for i, (expect, _) in enumerate(expectations)]
        self.check("--spec", self.spec(tests=tests), folder)
        row = self.rows()[0]
        for i, (expect, right) in enumerate(expectations):
            self.assertEqual(row[f"{i}: output"], "pass" if right else "fail", expect)

    def test_a_limit_does_not_count_for_a_program_that_does_nothing(self):
        folder = self.submission("a", run="#!/bin/sh\n")
        spec = self.spec(tests=[{"name": "t", "command": ["./run"], "expect": {"output": "x"},
                                 "limits": {"faults": 100000}, "points": {"faults": 5}}])
        done = self.check("--spec", spec, folder)
        self.assertIn("faults: does not count", done.stdout)
        self.assertEqual(self.rows()[0]["score"], "0")

    def test_further_files_and_variables(self):
        folder = self.submission("a", run="#!/bin/sh\ncat ../data/file; echo $NAME\n; echo no > ../data/file")
        self.submission("data", file="shared\n")
        spec = self.spec(allow=["data"], environment={"NAME": "value"},
                         tests=[{"name": "t", "command": ["./run"],
                                 "expect": {"output": "shared\nvalue\n", "status": "any"}}])
        self.assertEqual(self.check("--spec", spec, folder).returncode, 0)
        with open(os.path.join(self.top, "data/file")) as file:
            self.assertEqual(file.read(), "shared\n")


class Mistakes(Case):
    def expect(self, message, **content):
        done = self.check("--spec", self.spec(**content), self.top)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn(message, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertFalse(os.path.exists(os.path.join(self.top, "thimble-results")))

    def test_the_place_is_named(self):
        good = {"name": "t", "command": ["./run"]}
        self.expect("spec.json: tests: an array of 1 to", name="x")
        self.expect("spec.json: tsets: there is no such key; there are name, build", tsets=[])
        self.expect("spec.json: tests[1].name: tests[0] is called 't' already", tests=[good, good])
        self.expect("tests[0].command: each test needs a command", tests=[{"name": "t"}])
        self.expect("tests[0].command: word 1 is not a string", tests=[{"name": "t", "command": ["x", 1]}])
        self.expect("tests[0].limits.faults: a whole number", tests=[{**good, "limits": {"faults": -1}}])
        self.expect("tests[0].limits.output: a number of bytes", tests=[{**good, "limits": {"output": "64Q"}}])
        self.expect("tests[0].points.faults: this test is not judged by that", tests=[{**good, "points": {"faults": 1}}])
        self.expect("tests[0].expect.compare: 'roughly' is none of exact", tests=[{**good, "expect": {
            "compare": "roughly"}}])
        self.expect("tests[0].expect.output: this is not a regular expression", tests=[{**good, "expect": {
            "output": "(", "compare": "pattern"}}])
        self.expect("tests[0].expect.output_file: the file gone cannot be read", tests=[{**good, "expect": {
            "output_file": "gone"}}])
        self.expect("tests[0].visibility: 'secret' is none of visible", tests=[{**good, "visibility": "secret"}])
        self.expect("build.limits: a build is limited by", build={"command": "x", "limits": {"faults": 1}},
                    tests=[good])
        self.expect("defaults.frames: a whole number", defaults={"frames": 0}, tests=[good])

    def test_what_is_no_json(self):
        with open(os.path.join(self.top, "spec.json"), "w") as file:
            file.write('{"tests": [}')
        done = self.check("--spec", "spec.json", ".")
        self.assertEqual(done.returncode, 2)
        self.assertIn("spec.json: line 1, column 12:", done.stderr)

    def test_arguments(self):
        spec = self.spec(tests=[{"name": "t", "command": ["./run"]}])
        os.symlink("/etc", os.path.join(self.top, "link"))
        for arguments, message in (((), "no program was given"), (("--spec", spec), "no submission was given"),
                                   (("--spec", spec, "gone"), "gone: No such file"),
                                   (("--spec", spec, spec), "is not a folder"),
                                   (("--spec", spec, "link"), "link is a symbolic link"),
                                   (("--spec", spec, "--max-faults", "1", "."), "a spec says itself"),
                                   (("--max-faults", "x", "--", "ls"), "--max-faults: 'x'"),
                                   (("--spec", spec, "--output", "inside", self.top), "is inside the submission"),
                                   (("--spec", spec, "--allow", "gone", "."), "--allow")):
            done = self.check(*arguments)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn(message, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.top, "inside")))


class OneProgram(Case):
    def test_by_options(self):
        with open(os.path.join(self.top, "expected"), "w") as file:
            file.write("hello\n")
        with open(os.path.join(self.top, "input"), "w") as file:
            file.write("hello\n")
        done = self.check("--stdin", "input", "--expect-output", "expected", "--max-faults", "2000", "--", "cat")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("pass  program: output: as expected\n", done.stdout)
        self.assertEqual(sorted(os.listdir(self.top)), ["expected", "input"])
        done = self.check("--max-faults", "3", "--", "cat")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, "FAIL  program: faults: [0-9]+, at most 3\n")

    def test_what_it_writes_vanishes(self):
        done = self.check("--", "sh", "-c", "echo x > file; mkdir d; cat file")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(os.listdir(self.top), [])


unittest.main(argv=["check.py", *sys.argv[3:]])
