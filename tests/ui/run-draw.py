"""thimble draw as people meet it: every format, series, exercises, mistakes."""
import json
import pathlib
import re
import struct
import xml.etree.ElementTree as ElementTree

import thimble_case
from thimble_case import ThimbleCase

SVG = "{http://www.w3.org/2000/svg}svg"
TRACE = None  # of one run, shared by all tests


class DrawCase(ThimbleCase):
    def setUp(self):
        super().setUp()
        self.trace = self.folder / "run.trace"
        global TRACE
        if TRACE is None:
            done = self.run_thimble("run", "-n", "12", "--swap", "64p", "--deterministic", "--trace", self.trace, "sh", "-c",
                                    "echo hello")
            self.assertEqual((done.returncode, done.stdout), (0, b"hello\n"))
            TRACE = self.trace.read_bytes()
        self.trace.write_bytes(TRACE)

    def draw(self, *arguments, status=0):
        done = self.run_thimble("draw", *arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def refused(self, expected, *arguments):
        """Says what is wrong in one line, writes nothing."""
        before = sorted(self.folder.iterdir())
        done = self.draw(*arguments, status=125)
        message = done.stderr.decode()
        self.assertTrue(message.startswith("thimble: "), message)
        self.assertEqual(message.count("\n"), 1, message)
        self.assertIn(expected, message)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(sorted(self.folder.iterdir()), before)

    def json_of(self, *arguments):
        return json.loads(self.draw(self.trace, "-o", "-", "--format", "json", *arguments).stdout)

    def step_of(self, goal):
        return self.json_of("--until", goal)["sequence"]


class Formats(DrawCase):
    def test_svg(self):
        self.draw(self.trace, "--until", "kind=victim", "-o", "v.svg")
        self.assertEqual(ElementTree.parse(self.folder / "v.svg").getroot().tag, SVG)

    def test_png_has_the_width_asked_for(self):
        self.draw(self.trace, "-o", "p.png", "--width", "800")
        data = (self.folder / "p.png").read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", data[16:24])
        self.assertEqual(width, 800)
        self.assertTrue(200 < height < 2000)

    def test_text(self):
        self.draw(self.trace, "--until", "kind=victim", "-o", "v.txt", "--columns", "80")
        text = (self.folder / "v.txt").read_text()
        self.assertTrue(text.startswith("The OS picks a victim: PP"))
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()[1:]))
        self.assertIn("free pool: empty", text)
        self.assertNotIn("\033", text)
        ascii_text = self.draw(self.trace, "-o", "-", "--format", "txt", "--ascii").stdout
        self.assertTrue(ascii_text.isascii())
        self.assertIn(b"\033[", self.draw(self.trace, "-o", "-", "--format", "txt", "--colour").stdout)

    def test_json_says_where_the_run_stands(self):
        state = self.json_of("--until", "kind=victim")
        victims = [frame["number"] for frame in state["frames"] if frame["victim"]]
        self.assertEqual(len(victims), 1)
        self.assertEqual(len(state["frames"]), 12)
        self.assertEqual(state["free"], [])
        self.assertIn(f"victim: PP{victims[0]}", state["narration"])

    def test_the_format_wins_over_the_name(self):
        self.draw(self.trace, "-o", "picture", "--format", "svg")
        self.assertEqual(ElementTree.parse(self.folder / "picture").getroot().tag, SVG)
        self.draw(self.trace, "-o", "a.svg", "--format", "json")
        json.loads((self.folder / "a.svg").read_text())

    def test_the_same_trace_gives_the_same_picture(self):
        first = self.draw(self.trace, "-o", "-", "--format", "svg").stdout
        self.assertEqual(self.draw(self.trace, "-o", "-", "--format", "svg").stdout, first)


class Steps(DrawCase):
    def test_a_step_is_an_event(self):
        self.assertEqual(self.json_of("--step", "30")["sequence"], 30)

    def test_goals(self):
        faults = [self.step_of(f"fault={n}") for n in (1, 2, 3)]
        self.assertEqual(faults, sorted(set(faults)))
        self.assertEqual(self.step_of("fault"), faults[0])
        self.assertLess(faults[0], self.step_of("syscall=brk"))
        self.assertEqual(self.step_of(f"event={faults[1]}"), faults[1])

    def test_a_place_by_its_name(self):
        start = self.step_of("_start")
        self.assertIn("reaches", self.json_of("--step", str(start))["narration"])
        self.refused("no place of this name", self.trace, "--until", "no_such_symbol", "-o", "a.svg")

    def test_a_series_has_a_file_for_each_step(self):
        first = self.step_of("kind=victim")
        self.draw(self.trace, "--step", f"{first}..{first + 12}", "-o", "s-%05d.json")
        names = sorted(path.name for path in self.folder.glob("s-*"))
        self.assertTrue(3 <= len(names) <= 13, names)
        for name in names:
            number = int(re.fullmatch(r"s-(\d{5})\.json", name).group(1))
            state = json.loads((self.folder / name).read_text())
            self.assertEqual(state["sequence"], number)
            self.assertTrue(first <= number <= first + 12)
        narrations = [json.loads((self.folder / name).read_text())["narration"] for name in names]
        self.assertIn("victim", narrations[0])
        self.assertEqual(len(narrations), len([n for n in narrations if n]))

    def test_beyond_the_end(self):
        end = self.json_of()["sequence"]
        self.refused(f"ends at event {end}", self.trace, "--step", str(end + 1), "-o", "a.svg")
        self.refused(f"ends at event {end}", self.trace, "--step", f"1..{end + 1}", "-o", "a%d.svg")
        self.refused("this never happens", self.trace, "--until", "fault=1000000", "-o", "a.svg")

    def test_wrong_steps_and_goals(self):
        for steps in "0", "x", "1..x", "..3", "-1", "3..2":
            self.refused("--step", self.trace, "--step", steps, "-o", "a%d.svg")
        self.refused("--until: 'fault=0'", self.trace, "--until", "fault=0", "-o", "a.svg")
        self.refused("--until: 'kind=nothing'", self.trace, "--until", "kind=nothing", "-o", "a.svg")


class Options(DrawCase):
    def test_the_last_option_counts(self):
        fault = self.step_of("fault")
        self.assertEqual(self.json_of("--step", "5", "--until", "fault")["sequence"], fault)
        self.assertEqual(self.json_of("--until", "fault", "--step", "7")["sequence"], 7)
        self.assertEqual(self.json_of("--kind", "pool", "--kind", "sharing")["kind"], "sharing")

    def test_kinds_captions_and_processes(self):
        for kind in "tables regions sharing table spaces contexts system computer memory frames pool".split():
            self.assertEqual(self.json_of("--kind", kind, "--until", "fault=20")["kind"], kind)
            self.draw(self.trace, "--kind", kind, "-o", "-", "--format", "svg")
            self.draw(self.trace, "--kind", kind, "-o", "-", "--format", "txt")
        state = self.json_of("--until", "fault=20", "--caption", "Look here", "--pids", "2")
        self.assertEqual(state["narration"], "Look here")
        self.assertEqual([process["pid"] for process in state["processes"]], [2])
        self.assertEqual(self.json_of("--until", "fault=20", "--process", "99")["processes"], [])

    def test_real_numbers(self):
        text = self.draw(self.trace, "--until", "fault=20", "--real-numbers", "-o", "-", "--format", "txt").stdout.decode()
        self.assertIn("0x5555555", text)
        text = self.draw(self.trace, "--until", "fault=20", "--real-numbers", "--labels", "-o", "-", "--format", "txt")
        self.assertIn(b"VPN1", text.stdout)

    def test_palettes(self):
        pictures = {self.draw(self.trace, "--until", "fault=20", "--palette", palette, "-o", "-", "--format", "svg").stdout
                    for palette in ("okabe-ito", "lecture", "mono")}
        self.assertEqual(len(pictures), 3)
        self.draw(self.trace, "--until", "fault=20", "--projector", "-o", "p.svg")

    def test_mistakes(self):
        self.refused("which trace?", "-o", "a.svg")
        self.refused("say where the picture goes", self.trace)
        self.refused("one argument too many", self.trace, self.trace, "-o", "a.svg")
        self.refused("--kind: 'cube'", self.trace, "-o", "a.svg", "--kind", "cube")
        self.refused("--palette: 'pink'", self.trace, "-o", "a.svg", "--palette", "pink")
        self.refused("--pids: '2x'", self.trace, "-o", "a.svg", "--pids", "2x")
        self.refused("--width: '0'", self.trace, "-o", "a.png", "--width", "0")
        self.refused("--format: 'gif'", self.trace, "-o", "a.svg", "--format", "gif")
        self.refused("ends in none of", self.trace, "-o", "a.gif")
        self.refused("--format", self.trace, "-o", "-")
        self.refused("a.svg: No such file", self.trace, "-o", "nowhere/a.svg")
        self.assertEqual(self.run_thimble("draw", "--bogus").returncode, 125)

    def test_patterns(self):
        for name in "a%s.svg", "a%d%d.svg", "a%n.svg", "a%.svg", "a%9999d.svg", "a%-3d.svg", "a%%d.svg":
            self.refused("%d", self.trace, "-o", name)
        self.refused("is a series", self.trace, "--step", "10..20", "-o", "a.svg")
        self.draw(self.trace, "--step", "30", "-o", "a%d.svg")
        self.assertTrue((self.folder / "a30.svg").exists())

    def test_the_help_names_every_option_of_the_man_page(self):
        page = (pathlib.Path(__file__).parents[2] / "docs" / "thimble-draw.1").read_text().replace("\\-", "-")
        described = self.run_thimble("draw", "--help").stdout.decode()
        options = set(re.findall(r"--[a-z][a-z-]+", described)) - {"--help", "--usage", "--version"}
        self.assertGreater(len(options), 14)
        for option in options:
            self.assertIn(option, page)


class Exercises(DrawCase):
    def exercise(self, name, *arguments):
        self.draw(self.trace, "--until", "fault=30", "--blank", "victim,ptes,frames,pool,swap,register", *arguments, "-o", name)
        return (self.folder / name).read_bytes(), (self.folder / (name + ".key.txt")).read_text()

    def test_a_seed_is_an_exercise(self):
        picture, key = self.exercise("a.svg", "--seed", "7")
        again, same = self.exercise("b.svg", "--seed", "7")
        other, different = self.exercise("c.svg", "--seed", "8")
        self.assertEqual(picture, again)
        self.assertEqual(key.replace("a.svg", "b.svg"), same)
        self.assertNotEqual(key.splitlines()[2:], different.splitlines()[2:])
        self.assertTrue(key.startswith("Answers to the exercise a.svg, seed 7\n\n1. "))

    def test_the_key_agrees_with_the_state(self):
        _, key = self.exercise("a.json", "--seed", "3")
        state = self.json_of("--until", "fault=30")
        frames = {frame["number"]: frame for frame in state["frames"]}
        asked = re.findall(r"^\d+\. PP(\d+): (.*)$", key, re.MULTILINE)
        self.assertTrue(asked)
        for number, answer in asked:
            frame = frames[int(number)]
            if frame["use"] == "file":
                self.assertEqual(answer, f"page {frame['disk']['page']} of {frame['disk']['name']}")
            elif frame["disk"] and frame["disk"].get("slot") is not None:
                self.assertEqual(answer, f"swap page {frame['disk']['slot']}")
            else:
                self.assertEqual(answer, {"free": "free"}.get(frame["use"], "a page of no file"))
        pid = state["register"]["pid"]
        self.assertIn(f"The page-table register: PID {pid}'s table", key)

    def test_the_victim_to_come_is_asked(self):
        before = self.step_of("kind=victim") - 1
        victim = [f["number"] for f in self.json_of("--until", "kind=victim")["frames"] if f["victim"]]
        self.draw(self.trace, "--step", str(before), "--blank", "victim", "-o", "v.txt")
        self.assertIn(f"1. The victim: PP{victim[0]}\n", (self.folder / "v.txt.key.txt").read_text())
        self.assertIn("victim: PP____ (1)", (self.folder / "v.txt").read_text())

    def test_nothing_is_overwritten_by_surprise(self):
        (self.folder / "a.svg.key.txt").write_text("my notes\n")
        self.refused("is no key of an exercise", self.trace, "--until", "fault=30", "--blank", "ptes", "-o", "a.svg")
        self.assertEqual((self.folder / "a.svg.key.txt").read_text(), "my notes\n")
        self.draw(self.trace, "--until", "fault=30", "--blank", "ptes", "-o", "a.svg", "--key", "answers.txt")
        self.assertIn("seed 1", (self.folder / "answers.txt").read_text())
        self.exercise("b.svg")
        self.exercise("b.svg", "--seed", "2")  # its own key may be written again

    def test_mistakes(self):
        self.refused("--blank: 'frame'", self.trace, "--blank", "ptes,frame", "-o", "a.svg")
        self.refused("--key FILE", self.trace, "--blank", "ptes", "-o", "-", "--format", "svg")
        self.refused("--key without --blank", self.trace, "--key", "k", "-o", "a.svg")
        self.refused("nothing of that kind", self.trace, "--step", "5", "--blank", "victim", "-o", "a.svg")


class BadTraces(DrawCase):
    def test_what_is_no_trace(self):
        (self.folder / "x").write_text("hello, this is no trace\n")
        self.refused("not a trace", "x", "-o", "a.svg")
        (self.folder / "empty").write_text("")
        self.refused("is empty", "empty", "-o", "a.svg")
        self.refused("No such file", "missing", "-o", "a.svg")
        self.refused("Is a directory", self.folder, "-o", "a.svg")

    def test_json_lines(self):
        self.run_thimble("run", "-n", "48", "--trace", "t.jsonl", "true")
        self.refused("JSON lines", "t.jsonl", "-o", "a.svg")

    def test_another_version(self):
        magic = b"THIMBLE\ntrace\r\n\0"
        at = TRACE.index(magic) + len(magic)
        self.assertEqual(TRACE[at], 1)
        (self.folder / "new.trace").write_bytes(TRACE[:at] + b"\x09" + TRACE[at + 1:])
        self.refused("format 9", "new.trace", "-o", "a.svg")

    def test_a_trace_that_was_cut(self):
        self.trace.write_bytes(TRACE[:len(TRACE) // 2])
        done = self.draw(self.trace, "-o", "a.json")
        end = json.loads((self.folder / "a.json").read_text())["sequence"]
        self.assertIn(f"is cut: it ends after event {end}", done.stderr.decode())
        done = self.draw(self.trace, "--step", "99999999", "-o", "a.svg", status=125)
        self.assertIn(f"was cut and ends at event {end}", done.stderr.decode())


if __name__ == "__main__":
    thimble_case.main()
