"""`thimble where`: a planted culprit is found, in every way that a program can be linked, and everything adds up
to what the machine counted."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

import thimble_case
from thimble_case import ThimbleCase

PROGRAMS, SOURCES = (pathlib.Path(folder).resolve() for folder in sys.argv[2:4])
KINDS = "mapping", "file", "symbol", "line", "allocation"
COUNTS = "misses", "refaults", "swap_in", "swap_out", "file_in", "file_out"
FRAMES = "120"


def line_of(source, mark):
    """The number of the line that has the mark in a comment."""
    lines = (SOURCES / source).read_text().splitlines()
    return 1 + next(i for i, line in enumerate(lines) if re.search(rf"(/\*|//) {mark}\b", line))


class WhereCase(ThimbleCase):
    def where(self, *program, by="mapping", options=("--sizes", FRAMES)):
        path = self.folder / "where.json"
        done = self.run_thimble("where", *options, "--by", by, "--json", "-o", path, "--", *program)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.output = done.stdout
        return json.loads(path.read_text())

    def check_sums(self, report):
        for table in report["tables"]:
            for count in COUNTS:
                self.assertEqual(sum(row[count] for row in table["rows"]), report["totals"][count], count)
            self.assertEqual(sum(pair["count"] for pair in table["pairs"]) + table["unpaired"],
                             report["totals"]["refaults"])
            self.assertEqual(len({row["place"] for row in table["rows"]}), len(table["rows"]))
            misses = [row["misses"] for row in table["rows"]]
            self.assertEqual(misses, sorted(misses, reverse=True))

    def row(self, report, start, table=0):
        return next(row for row in report["tables"][table]["rows"] if row["place"].startswith(start))


class Culprit(WhereCase):
    HERE, CALLED = (line_of("planted.c", mark) for mark in ("HERE", "CALLED"))

    def test_the_allocation_comes_first_with_function_and_line(self):
        for linked in "pie", "fixed", "static":
            with self.subTest(linked=linked):
                report = self.where(PROGRAMS / f"planted-{linked}", by="allocation")
                first = report["tables"][0]["rows"][0]
                self.assertEqual(first["frames"][:2], [f"entry_make planted.c:{self.HERE}",
                                                       f"entry_insert planted.c:{self.CALLED}"])
                self.assertTrue(first["frames"][2].startswith("main planted.c:"), first["frames"])
                self.assertGreater(first["refaults"], report["totals"]["refaults"] * 0.8)
                pair = report["tables"][0]["pairs"][0]
                self.assertEqual((pair["evicted_by"], pair["refaulted_in"]), (first["place"],) * 2)
                self.row(report, "make_innocent planted.c:")
                self.row(report, "main planted.c:")  # calloc
                self.check_sums(report)

    def test_a_stripped_program_has_its_places_by_number(self):
        report = self.where(PROGRAMS / "planted-stripped", by="allocation")
        first = report["tables"][0]["rows"][0]
        self.assertRegex(first["frames"][0], r"^planted-stripped\+0x[0-9a-f]+$")
        self.assertGreater(len(first["frames"]), 2)
        self.assertGreater(first["refaults"], report["totals"]["refaults"] * 0.8)

    def test_without_any_symbol_it_says_so(self):
        report = self.where(PROGRAMS / "planted-static-stripped", by="allocation")
        self.assertEqual(report["tables"][0]["rows"][0]["place"], "[heap]")
        self.assertIn("planted-static-stripped has no symbol for malloc", report["notes"][0])

    def test_the_function_and_the_line_that_miss(self):
        report = self.where(PROGRAMS / "planted-pie", by="symbol")
        self.assertEqual(report["tables"][0]["rows"][0]["place"], "entry_look_up (planted-pie)")
        squares = self.row(report, "table_of_squares (planted-pie)", table=1)
        self.assertGreaterEqual(squares["misses"], 31)
        self.assertLess(squares["misses"], 64)
        report = self.where(PROGRAMS / "planted-fixed", by="line")
        first = report["tables"][0]["rows"][0]
        self.assertIn(first["place"], [f"entry_look_up planted.c:{line_of('planted.c', 'MISSED') - i}" for i in (0, 1)])
        self.assertGreaterEqual(self.row(report, f"main planted.c:{line_of('planted.c', 'SQUARED')}")["misses"], 31)

    def test_each_instruction_of_a_block_has_its_own_misses(self):
        report = self.where(PROGRAMS / "place-lines", by="line", options=())
        for mark in "FIRST", "SECOND", "THIRD":
            self.assertEqual(self.row(report, f"touch lines.c:{line_of('lines.c', mark)}")["misses"], 40, mark)

    def test_objects_of_cxx(self):
        report = self.where(PROGRAMS / "place-objects", by="allocation")
        first = report["tables"][0]["rows"][0]
        self.assertTrue(first["frames"][0].startswith("operator new"), first["frames"])
        self.assertEqual(first["frames"][1], f"farm::herd::grow objects.cc:{line_of('objects.cc', 'HERE')}")
        report = self.where(PROGRAMS / "place-objects", by="symbol")
        self.assertEqual(report["tables"][0]["rows"][0]["place"], "farm::herd::weigh (place-objects)")

    def test_inlined_functions_are_frames(self):
        report = self.where(PROGRAMS / "place-objects", by="line")
        inner, outer = (line_of("objects.cc", mark) for mark in ("READ", "ADDED"))
        self.assertEqual(report["tables"][0]["rows"][0]["frames"],
                         [f"farm::weight_of objects.cc:{inner}", f"farm::herd::weigh objects.cc:{outer}"])
        self.check_sums(report)

    def test_the_text_leaves_the_library_and_long_templates_out(self):
        done = self.run_thimble("where", "--sizes", FRAMES, "--by", "allocation", "--", PROGRAMS / "place-objects")
        text = done.stdout.decode()
        self.assertRegex(text, r"operator new \(.*\) < farm::herd::grow objects.cc:\d+ < main objects.cc:\d+\n")
        self.assertNotIn("default_delete", text)

    def test_what_a_parent_allocated_and_a_child_missed(self):
        report = self.where(PROGRAMS / "place-parent", by="allocation", options=("--sizes", "200"))
        self.assertEqual(self.output, b"7\n")
        for function in "make_block", "make_mapping":
            place = next(row for row in report["tables"][0]["rows"]
                         if any(frame.startswith(function + " ") for frame in row["frames"]))
            self.assertGreater(place["refaults"], 500)
        self.check_sums(report)


class Sums(WhereCase):
    def check(self, *program, frames, kinds):
        run = self.summary(*program, options=["--deterministic", "--available", frames])
        for by in kinds:
            with self.subTest(by=by, program=program[0]):
                report = self.where(*program, by=by, options=("--sizes", frames))
                totals = report["totals"]
                self.assertEqual(totals["misses"], run["faults"]["misses"])
                self.assertEqual(totals["refaults"], run["refaults"])
                self.assertEqual((totals["swap_in"], totals["swap_out"]), (run["swap"]["in"], run["swap"]["out"]))
                self.assertGreater(totals["refaults"], 0)
                self.check_sums(report)

    def test_they_are_what_the_machine_counts(self):
        self.check(PROGRAMS / "planted-pie", frames=FRAMES, kinds=KINDS)

    def test_also_of_several_processes(self):
        self.check("/bin/sh", "-c", "ls / | sort | wc -l", frames="90", kinds=("allocation",))

    @unittest.skipUnless(os.environ.get("THIMBLE_FULL"), "takes seconds")
    def test_also_of_an_interpreter(self):
        program = "/usr/bin/python3", "-S", "-c", "print(sum(range(1000)))"
        run = self.summary(*program, options=["--deterministic", "--available", "1200"])
        report = self.where(*program, by="allocation", options=("--sizes", "1200"))
        self.assertEqual(self.output, b"499500\n")
        self.assertEqual(report["totals"]["misses"], run["faults"]["misses"])
        self.check_sums(report)


class Names(WhereCase):
    def test_memory_has_the_name_that_the_program_gave(self):
        report = self.where(PROGRAMS / "place-parent", options=("--sizes", "200"))
        self.assertGreater(self.row(report, "[anon:ledger] rw-p")["refaults"], 500)

    def test_prctl_and_maps(self):
        done = self.run_program(PROGRAMS / "place-names")
        self.assertEqual(done.stdout.decode().splitlines(), [
            "all of it: done", "  0+16 [anon:ledger]",
            "the middle: done", "  0+4 [anon:ledger]", "  4+2 [anon:index]", "  6+10 [anon:ledger]",
            "the middle as the rest: done", "  0+16 [anon:ledger]",
            "a part of a page: done", "  0+1 [anon:head]", "  1+15 [anon:ledger]",
            "no name: done", "  1+15 [anon:ledger]",
            "across a hole: ENOMEM", "  0+8 [anon:both]", "  9+7 [anon:both]",
            "nothing: done", "not at a page: EINVAL", "a bracket: EINVAL", "a control character: EINVAL",
            "too long: EINVAL", "just not too long: done", "no string: EFAULT", "a file: EBADF",
            "another request: done", "another request: -1"])


class Trace(WhereCase):
    def setUp(self):
        super().setUp()
        self.trace = self.folder / "planted.refs"
        done = self.run_thimble("record", "-o", self.trace, "--", PROGRAMS / "planted-pie")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_it_says_the_same_as_a_run(self):
        for policy in "clock", "lru":
            options = ("--sizes", FRAMES, "--policy", policy)
            live = self.where(PROGRAMS / "planted-pie", options=options)
            path = self.folder / "trace.json"
            done = self.run_thimble("where", *options, "--json", "-o", path, self.trace)
            self.assertEqual(done.returncode, 0, done.stderr)
            trace = json.loads(path.read_text())
            for count in "misses", "refaults", "swap_in", "swap_out":
                self.assertEqual(trace["totals"][count], live["totals"][count], count)
                self.assertEqual(self.row(trace, "[heap]")[count], self.row(live, "[heap]")[count], count)
            self.check_sums(trace)

    def test_names_and_permissions_are_those_of_the_run(self):
        misses = {}
        for what, subject in ("run", PROGRAMS / "place-renames"), ("trace", self.trace):
            if what == "trace":
                self.assertEqual(self.run_thimble("record", "-o", self.trace, "--", PROGRAMS / "place-renames").returncode, 0)
            path = self.folder / "where.json"
            done = self.run_thimble("where", "--sizes", "4000", "--json", "-o", path, subject)
            self.assertEqual(done.returncode, 0, done.stderr)
            misses[what] = {row["place"]: row["misses"] for row in json.loads(path.read_text())["tables"][0]["rows"]}
        for place in [place for place in misses["run"] if place.endswith(" (bss)")]:  # a recording has no programs to look at
            misses["run"]["[anon] rw-p"] += misses["run"].pop(place)
        self.assertEqual(misses["trace"], misses["run"])
        named = {place: count for place, count in misses["run"].items() if place.startswith("[anon") and ":" in place}
        self.assertEqual(named, {"[anon:ledger] rw-p": 100, "[anon:copy] rw-p": 40, "[anon_shmem:board] rw-s": 40,
                                 "[anon:index] rw-p": 10, "[anon:parts] rw-p": 10})
        self.assertEqual(misses["run"]["[heap]"], 4)

    def test_what_it_does_not_know_is_refused(self):
        for options, expected in ((["--sizes", "9", "--by", "line"], "no instructions"), ([], "--sizes N"),
                                  (["--sizes", "9", "-p", "nonsense"], "nonsense")):
            done = self.run_thimble("where", *options, self.trace)
            self.assertEqual((done.returncode, done.stdout), (125, b""))
            self.assertIn(expected, done.stderr.decode())
        (self.folder / "a.csv").write_text("page,kind\n1,r\n2,w\n")
        done = self.run_thimble("where", "--sizes", "9", self.folder / "a.csv")
        self.assertEqual(done.returncode, 125)
        self.assertIn("not what they are", done.stderr.decode())


class Report(WhereCase):
    def test_text(self):
        done = self.run_thimble("where", "--sizes", FRAMES, "--top", "3", "--", PROGRAMS / "planted-pie")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr.decode(), r"^\d+\n$")  # the program's own output
        text = done.stdout.decode()
        self.assertIn("120 frames for pages (480 KiB), policy clock\n", text)
        self.assertIn("[heap] → [heap]\n", text)
        self.assertIn(" more\n", text)
        self.assertIn(" in all\n", text)

    def test_ample_memory_is_told(self):
        done = self.run_thimble("where", "--", "/bin/true")
        self.assertIn("Nothing was evicted", done.stdout.decode())

    def test_folded_stacks_add_up(self):
        run = self.where(PROGRAMS / "planted-pie", by="symbol")
        for by in "symbol", "allocation":
            done = self.run_thimble("where", "--sizes", FRAMES, "--by", by, "--folded", "--", PROGRAMS / "planted-pie")
            lines = done.stdout.decode().splitlines()
            self.assertEqual(sum(int(line.rsplit(" ", 1)[1]) for line in lines), run["totals"]["misses"])
            stacks = [line.rsplit(" ", 1)[0].split(";") for line in lines]
            deepest = [frame.split(" ")[0] for frame in stacks[0]]
            self.assertIn("main", deepest)
            self.assertEqual(deepest[-1], "entry_make" if by == "allocation" else "entry_look_up")

    def test_the_policy_is_chosen(self):
        fifo, lru = (self.where(PROGRAMS / "planted-pie", options=("--sizes", FRAMES, "--policy", policy))
                     for policy in ("fifo", "lru"))
        self.assertEqual((fifo["policy"], lru["policy"]), ("fifo", "lru"))
        self.assertNotEqual(fifo["totals"]["misses"], lru["totals"]["misses"])

    def test_a_service_is_stopped_and_its_warm_up_left_out(self):
        start = self.where("sh", "-c", "exit", options=("--sizes", "19"))["totals"]
        after = self.where("sh", "-c", "while :; do :; done",
                           options=("--sizes", "40", "--warm-up", "0.4", "--duration", "0.1"))["totals"]
        self.assertGreater(start["misses"], 100)
        self.assertLess(after["misses"], 10)

    def test_sigusr1_prints_the_tables_of_a_service(self):
        process = subprocess.Popen([thimble_case.THIMBLE, "where", "--sizes", "40", "--", "sh", "-c",
                                    "echo ready; exec sleep 100"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   cwd=self.folder, text=True)
        self.addCleanup(process.kill)
        self.assertEqual(process.stderr.readline(), "ready\n")
        process.send_signal(signal.SIGUSR1)
        self.assertIn("provisional", process.stderr.readline())
        self.assertRegex(process.stderr.readline(), r"[\d,]+ misses, [\d,]+ of them")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=thimble_case.TIMEOUT)
        self.assertRegex(output, r"^[\d,]+ misses, ")

    def test_bad_options(self):
        for arguments, expected in (
                (["--by", "colour", "true"], "--by: 'colour' is no kind of place"),
                (["--sizes", "10..20", "true"], "--sizes: '10..20' is"),
                (["--sizes", "many", "true"], "sizes: 'many'"),
                (["--sizes", "100", "-n", "200", "true"], "both say how much memory"),
                (["--json", "--folded", "true"], "two formats"),
                (["--folded", "true"], "no call stack"),
                (["--depth", "0", "true"], "--depth: '0'"),
                (["-o", "/nowhere/x", "true"], "-o /nowhere/x cannot be written"),
                ([], "no program was given")):
            with self.subTest(arguments=arguments):
                done = self.run_thimble("where", *arguments)
                self.assertEqual(done.returncode, 125)
                self.assertEqual(done.stdout, b"")
                self.assertIn(expected, done.stderr.decode())


thimble_case.main()
