"""`thimble step` as a person at a terminal meets it."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from screen import PATIENCE, Screen

THIMBLE = pathlib.Path(sys.argv[1]).resolve()
GUESTS = pathlib.Path(sys.argv[2]).resolve()
NINE = ["-n", "9", "--reserved", "3", "--deterministic", "--stats", "none"]
WIDE = GUESTS / "asm-wide"
KEYS = "? help  q quit"  # stands in the last line while the walker has the keyboard


class StepCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="thimble-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def step(self, *arguments, **keywords):
        screen = Screen([THIMBLE, "step", *arguments], cwd=self.folder, **keywords)
        self.addCleanup(screen.close)
        return screen

    def record(self, name="trace", program=WIDE, options=()):
        path = self.folder / name
        subprocess.run([THIMBLE, "run", *NINE, *options, "--trace", path, "--", program], check=True,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        return path

    def place(self, screen):
        """The event whose state is shown."""
        return int(screen.lines()[0].split(" of ")[0].split("event ")[1])

    def go(self, screen, keys, *wanted):
        """Types, and waits until another place is shown; its number."""
        before = screen.lines()[0]
        screen.type(keys)
        end = time.monotonic() + PATIENCE
        while screen.lines()[0] == before:
            self.assertLess(time.monotonic(), end, screen.text())
            screen.read(0.1)
        screen.settle(0.1)
        if wanted:
            screen.wait(*wanted)
        return self.place(screen)


class Recorded(StepCase):
    def setUp(self):
        super().setUp()
        self.screen = self.step(self.record())
        self.screen.wait(KEYS, "recorded")

    def test_it_begins_where_the_program_begins(self):
        self.screen.wait("PID 2 runs", "asm-wide", "PP8", "── the program's terminal ──")
        lines = self.screen.lines()
        self.assertIn("recorded", lines[0])
        self.assertIn("→ step", lines[23])

    def test_steps_forth_and_back(self):
        first = self.place(self.screen)
        picture = self.screen.settle()
        places = [self.go(self.screen, "s") for _ in range(5)]
        self.assertEqual(places, sorted(set(places)))
        self.assertGreater(places[0], first)
        for place in reversed([first, *places[:-1]]):
            self.screen.press("left")
            self.screen.wait(f"event {place} of")
        self.assertEqual(self.screen.settle(), picture)
        self.screen.press("right")
        self.screen.wait(f"event {places[0]} of")

    def test_faults(self):
        first = self.go(self.screen, "n", "not present")
        second = self.go(self.screen, "n", "not present")
        self.assertGreater(second, first)

    def test_first_and_last(self):
        self.screen.press("end")
        self.screen.wait("The machine stops")
        self.screen.type("s")
        self.screen.wait("No step follows: the run has ended")
        self.screen.press("home")
        self.screen.wait("The machine starts")

    def test_going_somewhere(self):
        self.screen.type("g")
        self.screen.wait("Go to (", "0xADDRESS")
        self.screen.type("fault=7\r")
        self.screen.wait(KEYS, "not present")
        seventh = self.place(self.screen)
        self.screen.type("g")
        self.screen.wait("Go to (")
        self.screen.type("12x")
        self.screen.press("backspace")
        self.screen.wait("> 12")
        self.screen.press("enter")
        self.screen.wait(KEYS)
        self.assertLess(self.place(self.screen), min(seventh, 13))

    def test_an_answer_that_cannot_be_understood(self):
        self.screen.type("g")
        self.screen.wait("Go to (")
        self.screen.type("fault=x\r")
        self.screen.wait("fault=x", "a number from 1 up is needed", "Go to (")
        self.screen.press("escape")
        self.screen.wait(KEYS)

    def test_the_prediction(self):
        self.screen.type("p")
        text = self.screen.wait("Which frame will be the victim? PP")
        self.assertNotIn("of 1 right", text)
        self.screen.type("1\r")
        self.screen.wait("PP1 is reserved for the OS")
        self.screen.type("3\r")
        text = self.screen.wait(KEYS, "of 1")
        self.assertRegex(text, r"Right: PP3 \(1 of 1\)|not PP3: the victim is PP[4-8] \(0 of 1\)")
        self.assertRegex(text, r"[01] of 1 right")

    def test_the_help_names_every_key(self):
        self.screen.type("?")
        text = self.screen.wait("Any key goes back")
        for key in "the next page fault", "predict", "filter", "export", "quit", "Ctrl-Z":
            self.assertIn(key, text)
        self.screen.type("x")
        self.screen.wait(KEYS)

    def test_the_filter(self):
        self.screen.type("f")
        self.screen.wait("Show only")
        self.screen.type("kind=victim\r")
        self.screen.wait("Only kind=victim")
        self.screen.press("right")
        self.screen.wait("victim", absent=["Only kind"])
        first = self.place(self.screen)
        self.assertGreater(self.go(self.screen, "s"), first)

    def test_symbolic_and_real_numbers(self):
        self.screen.wait("VPN1")
        self.screen.type("l")
        self.screen.wait("Real page numbers", "0x400")

    def test_the_picture_as_a_file(self):
        place = self.place(self.screen)
        for name in f"thimble-{place}.svg", f"thimble-{place}-2.svg":
            self.screen.type("e")
            self.screen.wait(f"This picture is in {name}")
            self.assertIn("</svg>", (self.folder / name).read_text())
        self.folder.chmod(0o500)
        if os.getuid():
            self.screen.type("e")
            self.screen.wait("could not be written here: Permission denied")
        self.folder.chmod(0o700)

    def test_nothing_can_be_typed(self):
        for key in "i", "\t":
            self.screen.type(key)
            self.screen.wait("This is a recording: no program reads here")
            self.screen.type("l")
            self.screen.wait("page numbers")

    def test_leaving(self):
        self.screen.type("q")
        self.assertEqual(self.screen.finish(), 0)

    def test_what_the_program_wrote_is_shown_with_its_place(self):
        screen = self.step(self.record("printed", GUESTS / "asm-print"))
        screen.wait(KEYS)
        heading = next(i for i, line in enumerate(screen.lines()) if "the program's terminal" in line)
        self.assertEqual("".join(screen.lines()[heading + 1:22]), "")
        screen.press("end")
        screen.wait("The machine stops")
        self.assertNotEqual("".join(screen.settle()[heading + 1:22]), "")


class Live(StepCase):
    def test_it_steps_and_ends(self):
        screen = self.step(*NINE, "--", WIDE)
        screen.wait(KEYS, "paused", "PID 2 runs")
        places = [self.go(screen, "n", "not present") for _ in range(5)]
        self.assertEqual(places, sorted(set(places)))
        screen.type("c")
        screen.wait("The run has ended")
        screen.type("q")
        self.assertEqual(screen.finish(), 0)

    def test_the_status_is_the_programs(self):
        screen = self.step("-n", "64", "--stats", "none", "--", "sh", "-c", "exit 7")
        screen.wait(KEYS, "paused")
        screen.type("c")
        screen.wait("The run has ended")
        screen.type("q")
        self.assertEqual(screen.finish(), 7)

    def test_until_main(self):
        screen = self.step("-n", "64", "--stats", "none", "--until", "main", "--", GUESTS / "c-hello")
        screen.wait(KEYS, "paused", "main")

    def test_until_something_that_never_happens(self):
        screen = self.step(*NINE, "--until", "syscall=fork", "--", WIDE)
        screen.wait(KEYS, "ended", "No such system call follows: the run has ended", "The machine stops")

    def test_until_a_symbol_that_is_not_there(self):
        screen = self.step(*NINE, "--until", "no_such_symbol", "--", WIDE)
        screen.wait(KEYS, "ended", "has no symbol 'no_such_symbol'", "The machine stops")
        screen.type("q")
        self.assertEqual(screen.finish(), 0)
        self.assertIn("has no symbol 'no_such_symbol'", " ".join(screen.text().split()))

    def test_a_program_that_reads(self):
        script = "echo name?; read n; echo hello $n; read m; echo bye $m"
        screen = self.step("-n", "64", "--stats", "none", "--", "sh", "-c", script)
        screen.wait(KEYS, "paused")
        screen.type("c")
        screen.wait("name?", "running")
        screen.type("i")
        screen.wait("typing into the program's terminal")
        screen.type("Adq")
        screen.wait("Adq")
        screen.press("backspace")
        screen.type("a\r")
        screen.wait("hello Ada")
        screen.press("escape")
        screen.wait("── the program's terminal ──")
        screen.press("tab")
        screen.wait("typing into")
        screen.type("Bob\r")
        screen.wait("bye Bob", "The run has ended", "── the program's terminal ──")
        screen.type("i")
        screen.wait("The program has ended: nothing reads here any more")
        screen.type("q")
        self.assertEqual(screen.finish(), 0)

    def test_ctrl_c_typed_into_the_program_ends_it(self):
        screen = self.step("-n", "64", "--stats", "none", "--", "sh", "-c", "echo re\"\"ady; exec sleep 60")
        screen.wait(KEYS, "paused")
        screen.type("ci")
        screen.wait("ready", "typing into")
        screen.type("\x03")
        screen.wait("The run has ended")
        screen.type("q")
        self.assertEqual(screen.finish(), 130)

    def test_the_programs_terminal_controls_them_and_has_the_panes_size(self):
        screen = self.step("-n", "512", "--stats", "none", "--", "bash", "--norc", "--noprofile", "-i", rows=40, columns=100,
                           environment={"PS1": "ready "})
        screen.wait(KEYS, "paused")
        screen.type("ci")
        screen.wait("typing into", "ready")
        screen.type("stty size; sleep 60\r")
        screen.wait("7 100", "calls clock_nanosleep")
        screen.type("\x1a")
        screen.wait("Stopped")
        screen.type("kill %1; tty; echo $((6 * 7))\r")
        screen.wait("/dev/pts/", "42")
        screen.resize(40, 90)
        screen.type("stty size\r")
        screen.wait("7 90")
        self.assertNotIn(b"no job control", screen.raw)
        screen.type("exit\r")
        screen.wait("The run has ended")
        screen.type("q")
        self.assertEqual(screen.finish(), 0)

    def test_input_that_was_redirected(self):
        (self.folder / "input").write_text("Ada\n")
        script = "read n; echo hello $n"
        screen = self.step("-n", "64", "--stats", "none", "--", "sh", "-c", script, stdin=self.folder / "input")
        screen.wait(KEYS, "paused")
        screen.type("c")
        screen.wait("hello Ada", "The run has ended")
        screen.type("q")
        self.assertEqual(screen.finish(), 0)

    def test_a_run_that_goes_on_is_stopped_by_a_key(self):
        script = "while :; do read x < /dev/null; done"
        screen = self.step("-n", "64", "--stats", "none", "--", "sh", "-c", script)
        screen.wait(KEYS, "paused")
        screen.type("c")
        screen.wait("running")
        screen.type("s")
        screen.wait("paused", absent=["running"])
        before = self.place(screen)
        self.assertGreater(self.go(screen, "s"), before)
        screen.type("q")
        self.assertEqual(screen.finish(), 130)

    def test_control_sequences_of_the_program_do_nothing(self):
        script = r"printf '\033[2J\033[1;1HX\033]0;title\007\033[31mred\033[m\033c\tend\n'; sleep 60"
        screen = self.step("-n", "64", "--stats", "none", "--", "sh", "-c", script)
        screen.wait(KEYS, "paused")
        screen.type("c")
        screen.wait("Xred", "end", KEYS, "event")
        self.assertNotIn(b"\x1b]0;title", screen.raw)

    def test_held_it_uses_no_processor_time(self):
        screen = self.step(*NINE, "--", WIDE)
        screen.wait(KEYS, "paused")
        screen.type("n")
        screen.settle()
        before = screen.cpu()
        time.sleep(2)
        self.assertLessEqual(screen.cpu() - before, 0.01)

    def test_a_program_that_is_not_there(self):
        screen = self.step(*NINE, "--", "no-such-program")
        self.assertEqual(screen.finish(), 127)
        self.assertIn("thimble: no-such-program: not found in PATH", screen.text())
        self.assertNotIn(b"\x1b", screen.raw)  # the screen was not even taken over


class Terminal(StepCase):
    def settings(self, screen):
        return termios.tcgetattr(screen.terminal)[:4]

    def start(self, *arguments, **keywords):
        """A stepper, and the settings of its terminal before."""
        screen = self.step(*(arguments or [*NINE, "--", WIDE]), **keywords)
        settings = self.settings(screen)
        screen.wait(KEYS)
        return screen, settings

    def test_it_is_given_back_by_every_way_out(self):
        for way, status in (lambda s: s.type("q"), 130), (lambda s: s.type("\x03"), 130), (
                lambda s: os.kill(s.child, signal.SIGTERM), 143), (
                lambda s: os.kill(s.child, signal.SIGINT), 130), (
                lambda s: os.kill(s.child, signal.SIGHUP), 129):
            screen, before = self.start()
            way(screen)
            self.assertEqual(screen.finish(), status)
            self.assertEqual(self.settings(screen), before)
            self.assertFalse(screen.screen.cursor.hidden)

    def test_it_is_given_back_while_the_program_runs(self):
        screen, before = self.start("-n", "64", "--stats", "none", "--", "sh", "-c", "trap '' TERM INT; while :; do :; done")
        screen.type("c")
        screen.wait("running")
        screen.type("q")
        self.assertEqual(screen.finish(), 130)
        self.assertEqual(self.settings(screen), before)

    def test_it_is_given_back_while_thimble_is_stopped(self):
        screen, before = self.start()
        for stop in lambda: screen.type("\x1a"), lambda: os.kill(screen.child, signal.SIGTSTP):
            stop()
            end = time.monotonic() + PATIENCE
            while True:
                screen.read(0.1)
                child, status = os.waitpid(screen.child, os.WNOHANG | os.WUNTRACED)
                if child:
                    break
                self.assertLess(time.monotonic(), end)
            self.assertTrue(os.WIFSTOPPED(status))
            self.assertEqual(self.settings(screen), before)
            screen.screen.reset()
            os.kill(screen.child, signal.SIGCONT)
            screen.wait(KEYS, "PID 2 runs", "event")
        screen.type("q")
        screen.finish()

    def test_it_ends_when_the_terminal_is_gone(self):
        screen, _ = self.start()
        os.close(screen.terminal)
        end = time.monotonic() + PATIENCE
        while not (waited := os.waitpid(screen.child, os.WNOHANG))[0]:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        screen.status = os.waitstatus_to_exitcode(waited[1])
        screen.terminal = os.open("/dev/null", os.O_RDONLY)
        self.assertEqual(screen.status, 129)

    def test_sizes(self):
        screen, _ = self.start()
        screen.resize(40, 120)
        lines = screen.settle()
        self.assertIn("q quit", lines[39])
        self.assertEqual(len(screen.screen.display[0]), 120)
        screen.resize(23, 80)
        screen.wait("This terminal is 80 x 23. Make it 80 x 24 or more.", absent=[KEYS])
        screen.resize(24, 60)
        screen.wait("This terminal is 60 x 24.")
        screen.resize(2, 10)
        screen.settle()
        screen.resize(24, 80)
        screen.wait(KEYS, "PID 2 runs")
        self.assertIn("q quit", screen.settle()[23])
        screen.resize(5, 40)
        screen.wait("This terminal is 40 x 5")
        screen.type("q")
        self.assertEqual(screen.finish(), 130)

    def colours(self, environment):
        screen, _ = self.start(environment=environment)
        screen.type("nnn")
        screen.settle()
        return {cell.fg for row in screen.screen.buffer.values() for cell in row.values()}

    def test_colours_are_the_themes(self):
        self.assertGreater(len(self.colours({})), 1)
        self.assertEqual(self.colours({"NO_COLOR": "1"}), {"default"})
        self.assertGreater(len(self.colours({"NO_COLOR": ""})), 1)

    def test_ascii(self):
        for environment in {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"TERM": "vt100"}:
            screen, _ = self.start(environment=environment)
            screen.type("nn")
            screen.settle()
            visible = screen.raw.replace(b"\x0e", b"").replace(b"\x0f", b"")
            self.assertTrue(visible.isascii(), visible)
            screen.type("?")
            screen.wait("the next page fault")
            self.assertTrue(screen.raw.isascii())

    def test_terminals_that_cannot_do_it(self):
        for term in "dumb", "no-such-terminal", "":
            screen = self.step(*NINE, "--", WIDE, environment={"TERM": term})
            self.assertEqual(screen.finish(), 125, term)
            self.assertIn(f"(TERM={term}) cannot place its cursor", screen.text())

    def test_without_a_terminal(self):
        done = subprocess.run([THIMBLE, "step", *NINE, "--", WIDE], stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, timeout=PATIENCE, start_new_session=True)
        self.assertEqual((done.returncode, done.stdout), (125, b""))
        self.assertIn(b"step needs a terminal", done.stderr)

    def test_what_thimble_says_comes_afterwards(self):
        screen, _ = self.start("-n", "64", "--stats", "text", "--", "sh", "-c", "exit 3")
        screen.type("c")
        screen.wait("The run has ended")
        self.assertNotIn("thimble: ended with status", screen.text())
        screen.type("q")
        self.assertEqual(screen.finish(), 3)
        self.assertIn(b"thimble: ended with status 3", screen.raw)


class BadRecordings(StepCase):
    def refuse(self, path, *wanted):
        screen = self.step(path)
        self.assertEqual(screen.finish(), 125)
        text = " ".join(screen.text().split())
        for part in wanted:
            self.assertIn(part, text)
        self.assertNotIn(b"\x1b", screen.raw)

    def test_one_that_was_cut_is_shown_up_to_there(self):
        path = self.record()
        path.write_bytes(path.read_bytes()[:-3000])
        screen = self.step(path)
        screen.wait(KEYS)
        screen.press("end")
        screen.settle()
        screen.type("s")
        screen.wait("the trace was cut here")

    def test_others_are_refused(self):
        path = self.record()
        whole = path.read_bytes()
        path.write_bytes(whole[:40])
        self.refuse(path, "the trace is damaged")
        path.write_bytes(whole[:24] + b"\xff" + whole[25:])
        self.refuse(path, "it is a trace of format 255")

    def test_damage_in_the_middle_is_said_where_it_is(self):
        path = self.record()
        content = bytearray(path.read_bytes())
        content[len(content) // 2:len(content) // 2 + 200] = bytes(200)
        path.write_bytes(content)
        screen = self.step(path)
        screen.wait(KEYS)
        screen.press("end")
        screen.settle()
        screen.type("q")
        self.assertEqual(screen.finish(), 0)

    def test_a_file_that_is_no_trace(self):
        path = self.folder / "notes"
        path.write_text("not a trace")
        path.chmod(0o755)
        screen = self.step(path)
        self.assertEqual(screen.finish(), 126)
        self.assertIn("nor a recording", " ".join(screen.text().split()))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
