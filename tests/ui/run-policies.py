"""Policies of one's own: the beginning that `thimble policies --new` writes builds and runs; what goes wrong in
one is named, and the program does not notice. The second argument is the folder of the test's plug-ins."""
import json
import pathlib
import re
import subprocess
import sys

import thimble_case
from thimble_case import THIMBLE, ThimbleCase

PLUGINS = pathlib.Path(sys.argv[2]).resolve()
# Enough pages come and go in so few frames that a policy which fails at its hundredth victim does.
SMALL = ["-n", "48", "--deterministic"]


class Listing(ThimbleCase):
    def test_every_policy_is_listed_with_what_it_needs(self):
        done = self.run_thimble("policies", "--json")
        policies = {p["name"]: p for p in json.loads(done.stdout)["policies"]}
        self.assertEqual(policies["clock"]["needs"], "referenced-bits")
        self.assertEqual(policies["lru"]["needs"], "every-reference")
        self.assertEqual(policies["fifo"]["needs"], "nothing")
        self.assertIn("seed=", policies["random"]["parameters"])
        self.assertTrue(all(p["file"] is None and p["description"] for p in policies.values()))
        text = self.run_thimble("policies").stdout.decode()
        for name in policies:
            self.assertIn("\n" + name + " ", "\n" + text)

    def test_parameters_are_listed_with_their_defaults(self):
        trace = self.folder / "some.csv"
        trace.write_text("page,kind\n" + "".join(f"{i * i % 97 % (1 + i % 60)},{'rw'[i % 5 == 0]}\n" for i in range(3000)))

        def misses(policy):
            done = self.run_thimble("curve", "--json", "--sizes", "20,40", "-p", policy, trace)
            return next(iter(json.loads(done.stdout)["policies"].values())) if done.returncode == 0 else None

        with_parameters = set()
        for policy in json.loads(self.run_thimble("policies", "--json").stdout)["policies"]:
            name, given = policy["name"], re.findall(r"(\w+)=(\d+)", policy["parameters"] or "")
            with_parameters |= {name} if policy["parameters"] else set()
            for key, value in given:
                self.assertEqual(misses(f"{name}:{key}={value}"), misses(name))
            self.assertIsNone(misses(f"{name}:nonesuch=1"))
        self.assertEqual(with_parameters, {"wsclock", "lfu", "2q", "lirs", "s3-fifo", "linux-2q-model", "mglru-model", "random"})

    def test_one_in_a_file_is_described(self):
        done = self.run_thimble("policies", "--json", PLUGINS / "acts.so")
        (policy,) = json.loads(done.stdout)["policies"]
        self.assertEqual(policy["file"], str(PLUGINS / "acts.so"))
        self.assertIn("share=0.5 (0 to 1): of nothing", policy["parameters"])

    def test_one_that_cannot_be_used_is_refused(self):
        for name, expected in ("old-version", "version 7"), ("no-symbol", "thimble_policy"), ("none", "No such"):
            done = self.run_thimble("policies", PLUGINS / f"{name}.so")
            self.assertEqual((done.returncode, done.stdout), (125, b""))
            self.assertIn(expected, done.stderr.decode())
            self.assert_refused(["-p", PLUGINS / f"{name}.so", "true"], expected)


class Beginning(ThimbleCase):
    def begin(self, name):
        done = self.run_thimble("policies", "--new", name)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        subprocess.run(["make", "CFLAGS=-O2 -Wall -Wextra -Wno-unused-parameter -Werror"], cwd=self.folder, check=True,
                       capture_output=True)

    def test_it_builds_and_runs_as_it_is(self):
        self.begin("my-own_2")
        summary = self.summary("ls", "/", options=[*SMALL, "-p", "./my-own_2.so:alpha=0.5"])
        self.assertEqual((summary["policy"], summary["policy_failed"]), ("my-own_2", None))
        self.assertGreater(summary["evictions"]["total"], 100)
        self.assertIn("my-own_2.so", (self.folder / "README").read_text())

    def test_with_an_empty_second_queue_it_is_fifo(self):
        self.begin("mine")
        faults = [self.summary("ls", "/", options=[*SMALL, "-p", policy])["faults"]
                  for policy in ("./mine.so:alpha=0", "fifo", "./mine.so:alpha=1")]
        self.assertEqual(faults[0], faults[1])
        self.assertNotEqual(faults[0], faults[2])

    def test_the_header_is_cxx_as_well(self):
        self.begin("mine")
        source = self.folder / "header.cc"
        source.write_text('#include <thimble/policy.h>\n'
                          'static uint32_t victim(void *) { return THIMBLE_NO_FRAME; }\n'
                          'const struct thimble_policy thimble_policy = {.version = THIMBLE_POLICY_VERSION,\n'
                          '    .size = sizeof thimble_policy, .name = "cxx", .victim = victim};\n')
        subprocess.run(["c++", "-std=c++20", "-I.", "-Wall", "-Werror", "-Wno-missing-field-initializers", "-shared",
                        "-fPIC", "-o", "header.so", source], cwd=self.folder, check=True)
        done = self.run_thimble("policies", "./header.so")
        self.assertIn("`description` is NULL", done.stderr.decode())

    def test_nothing_is_overwritten(self):
        (self.folder / "Makefile").write_text("all:\n")
        done = self.run_thimble("policies", "--new", "mine")
        self.assertEqual(done.returncode, 125)
        self.assertIn("./Makefile is there already", done.stderr.decode())
        self.assertEqual([p.name for p in self.folder.iterdir()], ["Makefile"])
        self.assertEqual(self.run_thimble("policies", "--new", "mine", "-o", "sub").returncode, 0)
        self.assertTrue((self.folder / "sub" / "mine.c").exists())

    def test_names_that_cannot_be_one_are_refused(self):
        for name in "", "9lives", "Mine", "a/b", "x" * 33:
            done = self.run_thimble("policies", "--new", name)
            self.assertEqual(done.returncode, 125, name)
            self.assertIn("cannot be the name of a policy", done.stderr.decode())
        self.assertEqual(list(self.folder.iterdir()), [])


class Misbehaving(ThimbleCase):
    def act(self, number, expected, options=()):
        """The program's output and status are its own; one line says what the policy did."""
        done = self.run_program("sh", "-c", "ls / | sort -r; exit 7",
                                options=[*SMALL, *options, "-p", PLUGINS / f"acts.so:act={number}"])
        native = subprocess.run(["sh", "-c", "ls / | sort -r"], capture_output=True)
        self.assertEqual((done.returncode, done.stdout), (7, native.stdout), done.stderr)
        (line,) = done.stderr.decode().splitlines()
        self.assertTrue(line.startswith(f"thimble: policy acts ({PLUGINS}/acts.so) "), line)
        self.assertIn(expected, line)

    def test_a_crash_is_named_and_the_program_goes_on(self):
        self.act(4, "crashed in victim(): Segmentation fault")

    def test_so_it_is_while_a_trace_is_recorded(self):
        trace = self.folder / "a.trace"
        self.act(9, "crashed in victim(): Segmentation fault", options=["--trace", trace])
        self.assertEqual(self.run_thimble("trace", trace).returncode, 0)

    def test_a_wrong_frame(self):
        self.act(2, "named frame 48, where numbers are below 48")

    def test_an_exit(self):
        self.act(10, "called exit(3) in victim()")

    def test_memory_that_is_kept(self):
        self.act(13, "kept 1 block of memory (300 bytes)")

    def test_the_summary_does_not_pass_it_off_as_the_policys(self):
        summary = self.summary("ls", "/", options=[*SMALL, "-p", PLUGINS / "acts.so:act=6"])
        self.assertIn("called abort() in victim()", summary["policy_failed"])

    def test_wrong_parameters_are_named_and_nothing_runs(self):
        self.assert_refused(["-p", PLUGINS / "acts.so:share=2", "echo"], "cannot use 'share=2'", "out of range",
                            "share (from 0 to 1)")

    def compare(self, act, *options):
        references = self.folder / "loop.csv"
        references.write_text("page,kind\n" + "".join(f"{i % 20},r\n" for i in range(600)))
        policies = f"fifo,{PLUGINS}/acts.so:act={act}"
        done = self.run_thimble(*options, "--policies", policies, "--sizes", "8,12", "--json", references)
        answer = json.loads(done.stdout)["policies"]
        self.assertEqual([answer["fifo"]["label"], answer["fifo"]["faults"]], ["exact", [600, 600]])
        return done.returncode, answer[policies.split(",")[1]]

    def test_beside_others_it_fails_alone(self):
        for act, expected in (2, "named frame 8, where"), (4, "crashed in victim()"), (14, "its create() returned NULL"):
            for command in "curve", "compare":
                with self.subTest(act=act, command=command):
                    status, failed = self.compare(act, command)
                    self.assertEqual((status, failed["label"], failed["faults"]), (1, "failed", None))
                    self.assertIn("with 8 frames: policy acts", failed["failed"])
                    self.assertIn(expected, failed["failed"])
                    self.assertNotIn("goes on", failed["failed"])

    def test_memory_that_is_kept_changes_no_number(self):
        status, leaking = self.compare(13, "curve")
        self.assertEqual((status, leaking["label"], leaking["faults"]), (0, "exact", [600, 600]))
        self.assertIn("kept 1 block of memory", leaking["remark"])

    def test_rows_say_that_it_failed(self):
        self.compare(4, "compare", "--csv", "rows.csv")
        done = self.run_thimble("compare", "--from", "rows.csv")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout.decode(), r"(?m)^  \S+acts\.so:act=4 +-  failed$")
        self.assertIn("act=4 failed, loop.csv: with 8 frames: policy acts", done.stdout.decode())


if __name__ == "__main__":
    thimble_case.main()
