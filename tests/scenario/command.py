"""`thimble scenario` and `thimble run --machine` as people meet them.

    command.py THIMBLE
"""
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

THIMBLE = None
EXAMPLES = None  # the scenarios' folder in the build


def thimble(*arguments, program=None, **environment):
    return subprocess.run([program or THIMBLE, *map(str, arguments)], timeout=60, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, env={**os.environ, **environment})


class Command(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = pathlib.Path(held.name)

    def write(self, name, value):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    def machine(self, **more):
        return {"frames": 9, "programs": [{"file": str(EXAMPLES / "lecture" / "ls")}], **more}

    # ---- names ----

    def test_list_has_one_name_a_line(self):
        result = thimble("scenario", "list")
        names = result.stdout.splitlines()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(names, sorted(names))
        numbers = [f"{n:03}" for n in range(24)] + ["023b", "026", "contexts2"]
        self.assertEqual([name for name in names if name.startswith("lecture/")], sorted("lecture/" + n for n in numbers))
        self.assertIn("classics/belady", names)

    def test_list_v_adds_titles(self):
        names = thimble("scenario", "list").stdout.splitlines()
        lines = thimble("scenario", "list", "-v").stdout.splitlines()
        self.assertEqual(len(lines), len(names))
        for name, line in zip(names, lines):
            self.assertRegex(line, re.escape(name) + r"  +\S.{10,}")

    def test_an_unknown_name_suggests_near_ones(self):
        for given, near in (("lecture/18", "lecture/018"), ("belady", "classics/belady"), ("lecture/contexts", "lecture/contexts2")):
            result = thimble("scenario", "run", given)
            self.assertEqual((result.returncode, result.stdout), (127, ""))
            self.assertIn(f"there is no scenario '{given}': did you mean", result.stderr)
            self.assertIn(near, result.stderr)
        self.assertNotIn("did you mean", thimble("scenario", "run", "xyzzy").stderr)

    def test_what_is_not_a_subcommand_gets_the_usage(self):
        for arguments in (["dance"], ["draw"], ["list", "lecture/012"]):
            result = thimble("scenario", *arguments)
            self.assertEqual((result.returncode, result.stdout), (125, ""))
            self.assertIn("Usage: thimble scenario list", result.stderr)

    # ---- showing ----

    def step_of(self, name):
        path = self.folder / "state.json"
        self.assertEqual(thimble("scenario", "draw", name, "-o", path).returncode, 0)
        return json.loads(path.read_text())["sequence"]

    def test_options_behind_the_name_have_the_last_word(self):
        path = self.folder / "p.json"
        thimble("scenario", "draw", "lecture/012", "--kind", "pool", "--caption", "Mine.", "-o", path)
        state = json.loads(path.read_text())
        self.assertEqual((state["kind"], state["narration"]), ("pool", "Mine."))

    def test_web_begins_at_the_named_step(self):
        step = self.step_of("lecture/018")
        process = subprocess.Popen([THIMBLE, "scenario", "web", "lecture/018"], stdout=subprocess.PIPE, text=True,
                                   stdin=subprocess.DEVNULL)
        try:
            self.assertTrue(select.select([process.stdout], [], [], 30)[0], "no address was printed")
            self.assertRegex(process.stdout.readline(), rf"^http://127\.0\.0\.1:\d+/#token=[0-9a-f]{{32}}&s={step}$")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
            process.stdout.close()

    def test_html_is_one_file_with_the_title(self):
        path = self.folder / "r.html"
        result = thimble("scenario", "html", "lecture/018", "-o", path)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("Step 4: the page is read and the program goes on", path.read_text())

    def test_a_goal_that_is_not_met_is_named(self):
        pictures = [{"name": "p", "until": ["kind=process_exec", "kind=oom"]}]
        path = self.write("m.json", self.machine(scenario={"pictures": pictures}))
        result = thimble("scenario", "draw", f"{path}:p", "-o", self.folder / "p.svg")
        self.assertEqual(result.returncode, 125)
        self.assertRegex(result.stderr, r"goal 2 of the picture, 'kind=oom', is not met after event \d+")

    def test_a_file_of_ones_own(self):
        pictures = [{"name": "p", "until": ["fault"]}, {"name": "q", "until": ["end"]}]
        path = self.write("m.json", self.machine(scenario={"pictures": pictures}))
        for name in (f"{path}:p", path):
            result = thimble("scenario", "draw", name, "-o", self.folder / "p.json")
            self.assertEqual(result.returncode, 0, result.stderr)
        result = thimble("scenario", "draw", f"{path}:nosuch", "-o", self.folder / "p.json")
        self.assertEqual(result.returncode, 127)
        self.assertIn("has no picture 'nosuch'", result.stderr)

    # ---- running ----

    def test_run_is_run_with_the_machine(self):
        result = thimble("scenario", "run", "lecture/018", "--stats", "text")
        self.assertEqual((result.returncode, result.stdout), (0, "mypgm: the data at 0x406000 is there\n"))
        self.assertIn("9 frames of 4 KiB (36 KiB), 3 of them reserved", result.stderr)

    def test_options_behind_the_machine_change_it(self):
        path = EXAMPLES / "classics" / "belady.json"
        for frames, faults in ((6, 9), (7, 10)):
            summary = self.folder / "s.json"
            thimble("run", "--machine", path, "-n", frames, "--stats-file", summary)
            self.assertEqual(json.loads(summary.read_text())["faults"]["file"], faults)

    def test_machine_comes_first_once_and_without_a_program(self):
        path = self.write("m.json", self.machine())
        for arguments, message in ((["-n", "12", "--machine", path], "in front of options that change the machine"),
                                   (["--machine", path, "--machine", path], "give it once"),
                                   (["--machine", path, "true"], "no program may follow")):
            result = thimble("run", *arguments)
            self.assertEqual((result.returncode, result.stdout), (125, ""))
            self.assertIn(message, result.stderr)

    def test_a_wrong_machine_file_is_named_with_its_place(self):
        path = self.write("m.json", self.machine(policy=3))
        result = thimble("run", "--machine", path)
        self.assertEqual(result.returncode, 125)
        self.assertEqual(result.stderr, f"thimble: {path}: policy: is a number where a string is wanted\n")

    def test_a_program_that_cannot_be_started_is_named(self):
        self.write("text", "no program\n")
        path = self.write("m.json", {"frames": 9, "programs": [{"file": str(EXAMPLES / "lecture" / "ls")},
                                                               {"name": "second", "file": "text"}]})
        result = thimble("run", "--machine", path)
        self.assertEqual(result.returncode, 126)
        self.assertIn("second: ", result.stderr)

    def test_a_choice_that_cannot_be_followed_ends_the_machine(self):
        path = self.write("m.json", self.machine(frame_order=[3, 3]))
        result = thimble("run", "--machine", path)
        self.assertEqual(result.returncode, 125)
        self.assertRegex(result.stderr, "frame")

    def test_the_same_file_gives_the_same_trace(self):
        traces = [self.folder / name for name in ("a.trace", "b.trace")]
        for trace in traces:
            thimble("scenario", "run", "lecture/018", "--trace", trace)
        self.assertEqual(traces[0].read_bytes(), traces[1].read_bytes())
        self.assertGreater(traces[0].stat().st_size, 1000)

    def test_standard_input_from_a_file(self):
        self.write("words", "from a file\n")
        path = self.write("m.json", {"frames": 256, "programs": [{"file": "/bin/cat", "stdin": "words"}]})
        self.assertEqual(thimble("run", "--machine", path).stdout, "from a file\n")

    def test_arguments_and_environment_are_the_files(self):
        program = {"name": "sh", "file": "/bin/sh", "args": ["-c", "echo $0 $A $HOME"], "env": {"A": "1"}}
        path = self.write("m.json", {"frames": 256, "programs": [program]})
        self.assertEqual(thimble("run", "--machine", path, HOME="/nonexistent").stdout, "sh 1\n")

    def test_scratch_files_are_copies_and_vanish(self):
        shown = "echo changed >>words; pwd; cat words other"
        self.write("words", "words\n")
        path = self.write("m.json", {"frames": 512, "scratch": ["words", {"file": "words", "name": "other"}],
                                     "programs": [{"file": "/bin/sh", "args": ["-c", shown], "env": {"PATH": "/bin"}}]})
        result = thimble("run", "--machine", path, TMPDIR=str(self.folder))
        place, *words = result.stdout.splitlines()
        self.assertEqual(words, ["words", "changed", "words"])
        self.assertEqual(pathlib.Path(place).parent, self.folder.resolve())
        self.assertFalse(pathlib.Path(place).exists())
        self.assertEqual((self.folder / "words").read_text(), "words\n")

    # ---- where the scenarios are ----

    def test_they_are_found_where_they_were_installed(self):
        (self.folder / "bin").mkdir()
        program = shutil.copy(THIMBLE, self.folder / "bin")
        result = thimble("scenario", "list", program=program)
        self.assertEqual(result.returncode, 125)
        self.assertIn("set THIMBLE_SCENARIOS to their folder", result.stderr)
        shutil.copytree(EXAMPLES, self.folder / "lib" / "thimble" / "scenarios", ignore=shutil.ignore_patterns("*.p"))
        result = thimble("scenario", "run", "lecture/018", program=program)
        self.assertEqual((result.returncode, result.stdout), (0, "mypgm: the data at 0x406000 is there\n"))
        result = thimble("scenario", "draw", "lecture/026", "-o", self.folder / "p.json", program=program)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_broken_file_does_not_hide_the_others(self):
        self.write("own/good.json", self.machine(scenario={"pictures": [{"name": "p"}]}))
        self.write("own/bad.json", "{")
        result = thimble("scenario", "list", THIMBLE_SCENARIOS=str(self.folder))
        self.assertEqual((result.returncode, result.stdout), (125, "own/p\n"))
        self.assertIn("own/bad.json: line 1", result.stderr)


if __name__ == "__main__":
    THIMBLE = os.path.abspath(sys.argv.pop(1))
    EXAMPLES = pathlib.Path(THIMBLE).parent / "examples"
    unittest.main(verbosity=2)
