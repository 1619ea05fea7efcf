"""The command line as people meet it: guide, mistakes, exit statuses, files that cannot be written."""
import os
import pathlib
import subprocess

import thimble_case
from thimble_case import THIMBLE, ThimbleCase

HELLO = ["sh", "-c", "echo hello"]


class Guide(ThimbleCase):
    def test_alone_it_shows_how_to_begin(self):
        done = self.run_thimble()
        self.assertEqual(done.returncode, 0)
        self.assertGreaterEqual(done.stdout.count(b"    thimble run "), 4)
        self.assertEqual(done.stderr, b"")

    def test_help_and_version(self):
        self.assertIn(b"Usage: thimble run [OPTION...] [--] PROGRAM", self.run_thimble("run", "--help").stdout)
        self.assertRegex(self.run_thimble("--version").stdout, rb"^thimble \d+\.\d+\.\d+\n")

    def test_every_command_speaks_of_itself(self):
        for command in ("check", "compare", "curve", "doctor", "draw", "export", "heat", "html", "import", "policies",
                        "record", "run", "size", "step", "trace", "web", "where"):
            for option in "--help", "--usage":
                done = self.run_thimble(command, option)
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertTrue(done.stdout.startswith(f"Usage: thimble {command} ".encode()), done.stdout)
            wrong = self.run_thimble(command, "--bogus")
            self.assertNotEqual(wrong.returncode, 0)
            self.assertIn(f"thimble {command}: unrecognized option '--bogus'", wrong.stderr.decode())
            self.assertIn(f"Try `thimble {command} --help'", wrong.stderr.decode())

    def test_the_help_names_every_option_of_the_man_page(self):
        page = (pathlib.Path(__file__).parents[2] / "docs" / "thimble.1").read_text().replace("\\-", "-")
        described = self.run_thimble("run", "--help").stdout.decode()
        options = [word for word in described.split() if word.startswith("--") and word.strip("-")]
        self.assertGreater(len(options), 15)
        for option in options:
            name = option.split("=")[0].rstrip(",")
            self.assertIn(name, page)

    def test_options_stand_below_a_heading_of_their_own(self):
        for command, heading in (("curve", "Curves"), ("where", "Places"), ("size", "The question")):
            described = self.run_thimble(command, "--help").stdout.decode()
            groups = [block.strip("\n").splitlines() for block in described.split("\n\n")]
            headings = {lines[0].strip(" :"): lines[1:] for lines in groups if lines[0].startswith(" ") and "--" not in lines[0]}
            self.assertEqual(next(iter(headings)), heading)
            self.assertTrue(all(headings.values()), headings)
            self.assertTrue(any("--sizes" in line or "--slowdown" in line for line in headings[heading]))
            self.assertTrue(any("--frames" in line for line in headings["Memory"]))

    def test_policy_list_describes_each(self):
        lines = self.run_thimble("run", "--policy", "list").stdout.decode().splitlines()
        self.assertLessEqual({"fifo", "clock", "lru", "random"}, {line.split()[0] for line in lines})

    def test_an_unknown_command_is_refused(self):
        done = self.run_thimble("ls")
        self.assertEqual(done.returncode, 125)
        self.assertEqual(done.stderr, b"thimble: 'ls' is not a command: to run a program say thimble run ls\n")


class Mistakes(ThimbleCase):
    def test_unknown_options(self):
        self.assert_refused(["--frame", "9", "--bogus", "ls"], "--bogus")

    def test_no_program(self):
        self.assert_refused([], "no program was given")

    def test_bad_amounts_of_memory(self):
        for value in "0", "-1", "many", "4294967295", "99999999999999999999":
            self.assert_refused(["-n", value, *HELLO], f"--frames: '{value}'")
        self.assert_refused(["-n", "4294967294", *HELLO], "more than this host has memory")

    def test_too_few_frames(self):
        self.assert_refused(["-n", "4", *HELLO], "4 frames are too few for the array page-table format",
                            "3 reserved")
        self.assert_refused(["-n", "12", "--page-table", "x86-64", *HELLO], "too few for the x86-64",
                            "try --page-table array")
        self.assert_refused(["--available", "1", *HELLO], "1 frames for pages are too few")

    def test_too_little_memory_to_start(self):
        arguments = "x" * 100000  # 25 pages of the new stack
        self.assert_refused(["-n", "9", "--swap", "none", "true", arguments],
                            "true: 9 frames (3 of them reserved) and 0 pages of swap are too few to start it")

    def test_names_that_do_not_exist(self):
        self.assert_refused(["--policy", "belady", *HELLO], "unknown policy 'belady'", "fifo", "clock", "lru",
                            "random")
        self.assert_refused(["--policy", "random:speed=3", *HELLO], "random", "speed=3")
        self.assert_refused(["--page-table", "hashed", *HELLO], "'hashed'", "array", "x86-64")
        self.assert_refused(["--cpu", "z80", *HELLO], "'z80'", "x86-64-v2")

    def test_a_tlb_that_cannot_be_built(self):
        self.assert_refused(["--tlb", "100", *HELLO], "100", "power of two")

    def test_swap_files_that_cannot_be_used(self):
        self.assert_refused(["--swap-file", "/nonexistent/swap", *HELLO], "/nonexistent/swap", "No such file")
        self.assert_refused(["--swap-file", self.folder, *HELLO], str(self.folder), "directory")
        self.assert_refused(["--swap-file", "/dev/full", "--swap", "28p", *HELLO], "/dev/full")


class Statuses(ThimbleCase):
    def test_the_programs_own(self):
        for status in 0, 1, 7, 124, 125, 255:
            self.assertEqual(self.run_program("sh", "-c", f"exit {status}").returncode, status)

    def test_a_signal_is_128_more(self):
        for number in 1, 9, 11, 15:
            self.assertEqual(self.run_program("sh", "-c", f"kill -{number} $$").returncode, 128 + number)

    def test_not_found(self):
        self.assert_refused(["no-such-program"], "no-such-program: not found in PATH", status=127)
        self.assert_refused(["./no-such-program"], "./no-such-program: No such file", status=127)
        self.assert_refused(["/no/such/program"], "/no/such/program", status=127)

    def write_program(self, name, content, mode=0o755):
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(mode)
        return path

    def test_not_executable(self):
        true = pathlib.Path("/bin/true").read_bytes()
        arm = bytearray(true)
        arm[18:20] = b"\xb7\x00"  # e_machine: EM_AARCH64
        self.assert_refused([self.write_program("plain", b"echo\n", 0o644)], "Permission denied", status=126)
        self.assert_refused([self.folder], "denied", status=126)
        for name, content in ("garbage", b"\x7fELF but not really"), ("short", true[:100]), ("arm", bytes(arm)):
            self.assert_refused([self.write_program(name, content)], f"{name}: not a program", status=126)

    def test_the_limit_of_instructions(self):
        done = self.run_program("sh", "-c", "while :; do :; done", options=["--max-instructions", "300000"])
        self.assertEqual(done.returncode, 124)
        self.assertRegex(done.stderr, rb"^thimble: stopped after 3\d\d,\d\d\d instructions")


class Streams(ThimbleCase):
    def test_output_is_untouched(self):
        content = bytes(range(256)) * 1000
        done = self.run_program("cat", input=content)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, content, b""))

    def test_the_guest_sees_none_of_our_descriptors(self):
        options = ["--trace", "events", "--stats-file", "summary", "--swap-file", "swap", "-n", "64"]
        here = os.open("/dev/null", os.O_RDONLY)
        self.addCleanup(os.close, here)
        script = "echo /proc/self/fd/*"  # one of them is the folder itself
        seen = self.run_program("sh", "-c", script, options=options, pass_fds=[here]).stdout.split()
        self.assertIn(f"/proc/self/fd/{here}".encode(), seen)
        self.assertLessEqual(len(seen), 5)

    def test_closed_standard_streams_stay_closed(self):
        swap = self.folder / "swap"
        command = f"exec {THIMBLE} run -n 48 --swap-file {swap} -- sh -c 'echo lost >&2; echo $?' 2>&- <&-"
        done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, timeout=60, check=False)
        self.assertNotEqual(done.stdout.strip(), b"0")
        self.assertFalse(swap.read_bytes().startswith(b"lost"))


class Layout(ThimbleCase):
    def maps(self, layout):
        done = self.run_program("cat", "/proc/self/maps", options=["--layout", layout])
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode().splitlines()

    @staticmethod
    def starts(lines):
        """Where the program, its heap, the C library and the stack begin."""
        names = ("/cat", "[heap]", "/libc.so.6", "[stack]")
        return [next(int(line.split("-")[0], 16) for line in lines if line.endswith(name)) for name in names]

    def test_a_seed_moves_all_parts_of_an_address_space_and_always_alike(self):
        fixed, moved, again, other = (self.maps(n) for n in ("0", "7", "7", "8"))
        self.assertEqual(self.starts(fixed)[0], 0x555555554000)
        self.assertEqual(moved, again)
        for left, right in ((fixed, moved), (moved, other)):
            for a, b in zip(self.starts(left), self.starts(right)):
                self.assertNotEqual(a, b)
        self.assertTrue(all(start % 4096 == 0 for start in self.starts(moved)))
        self.assertEqual(self.starts(moved), sorted(self.starts(moved)))

    def test_programs_run_wherever_they_are(self):
        for layout in ("1", "2", "3"):
            done = self.run_program("sh", "-c", "ls / | sort | head -3 | wc -l", options=["--layout", layout, "-n", "64"])
            self.assertEqual((done.returncode, done.stdout), (0, b"3\n"), done.stderr)


class OurOutput(ThimbleCase):
    def test_a_full_disk_is_said(self):
        trace = self.folder / "a.csv"
        trace.write_text("page,kind\n1,r\n2,w\n")
        for arguments in (["--help"], ["policies"], ["policies", "--json"], ["trace", trace], ["curve", trace],
                          ["compare", "--sizes", "1", trace], ["where", "--sizes", "60", "--", "true"], ["heat", trace],
                          ["size", "--cpu-seconds", "1", trace], ["doctor"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([THIMBLE, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(done.returncode, 125, arguments)
            self.assertIn(b"No space left on device", done.stderr)


class OurFiles(ThimbleCase):
    def test_a_summary_that_cannot_be_opened_stops_us_before_anything_ran(self):
        self.assert_refused(["--stats-file", "/nonexistent/summary", *HELLO], "/nonexistent/summary",
                            "No such file")

    def test_a_summary_that_cannot_be_written_is_reported(self):
        done = self.run_program(*HELLO, options=["--stats-file", "/dev/full", "--stats", "json"])
        self.assertEqual((done.returncode, done.stdout), (0, b"hello\n"))
        self.assertIn(b"thimble: the summary could not be written to /dev/full: No space left", done.stderr)

    def test_a_trace_that_cannot_be_opened_stops_us_before_anything_ran(self):
        self.assert_refused(["--trace", "/nonexistent/trace", *HELLO], "/nonexistent/trace", "No such file")

    def test_a_trace_that_fills_the_disk_is_cut_and_the_program_goes_on(self):
        for name in "full", "full.jsonl", "full.jsonl.zst":
            path = self.folder / name
            path.symlink_to("/dev/full")
            done = self.run_program(*HELLO, options=["--trace", path])
            self.assertEqual((done.returncode, done.stdout), (0, b"hello\n"))
            self.assertIn(b"trace", done.stderr)
            self.assertIn(b"No space left", done.stderr)


if __name__ == "__main__":
    thimble_case.main()
