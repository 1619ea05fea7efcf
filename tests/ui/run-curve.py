"""thimble curve, compare and heat as people meet them: numbers against known ones, against each other and against
live runs; files; mistakes."""
import csv
import io
import json
import os
import re
import signal
import struct
import subprocess
import xml.etree.ElementTree as ElementTree

import thimble_case
from thimble_case import ThimbleCase

SVG = "{http://www.w3.org/2000/svg}"
# Belady, Nelson, Shedler, "An anomaly in space-time characteristics of certain programs running in a paging
# machine", CACM 12:6, 1969.
BELADY = [1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5]


def lru_write_backs(references, frames):
    """How many pages are evicted that were written to since they came in."""
    there, write_backs = {}, 0
    for page, kind in references:
        dirty = there.pop(page, False) or kind == "w"
        if len(there) == frames:
            write_backs += there.pop(next(iter(there)))
        there[page] = dirty
    return write_backs


def opt_misses(pages, frames):
    """Belady's rule, looked up in the future each time."""
    there, misses = set(), 0
    for now, page in enumerate(pages):
        if page in there:
            continue
        misses += 1
        if len(there) == frames:
            rest = pages[now + 1:]
            there.remove(max(there, key=lambda p: rest.index(p) if p in rest else len(pages)))
        there.add(page)
    return misses


class TraceCase(ThimbleCase):
    def setUp(self):
        super().setUp()
        self.belady = self.trace("belady.csv", [(page, "r") for page in BELADY])

    def trace(self, name, references):
        path = self.folder / name
        path.write_text("page,kind\n" + "".join(f"{page},{kind}\n" for page, kind in references))
        return path

    def thimble(self, *arguments, status=0):
        done = self.run_thimble(*arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def rows(self, name):
        return list(csv.DictReader(io.StringIO((self.folder / name).read_text())))

    def json_of(self, *arguments):
        return json.loads(self.thimble(*arguments, "--json").stdout)

    def refused(self, expected, *arguments, status=125):
        done = self.thimble(*arguments, status=status)
        message = done.stderr.decode()
        self.assertTrue(message.startswith("thimble: "), message)
        self.assertIn(expected, message)
        self.assertEqual(done.stdout, b"")


class WarmUp(TraceCase):
    """What is counted behind a warm-up is the whole less the beginning."""

    def setUp(self):
        super().setUp()
        references = [((i * i) % 97 % (1 + i % 60), "rw"[i % 5 == 0]) for i in range(3000)]
        self.whole = self.trace("whole.csv", references)
        self.beginning = self.trace("beginning.csv", references[:1000])

    def test_of_curves(self):
        options = ("curve", "--policy", "fifo,lru,2q,opt", "--sizes", "5,20,50")
        counted = self.json_of(*options, "--warm-up", "1000i", self.whole)
        whole, beginning = self.json_of(*options, self.whole), self.json_of(*options, self.beginning)
        self.assertEqual((counted["references"], counted["counted"], counted["warm_up"]), (3000, 2000, 1000))
        self.assertEqual(counted["cold"], whole["cold"] - beginning["cold"])
        for name, policy in counted["policies"].items():
            expected = [a - b for a, b in zip(whole["policies"][name]["faults"], beginning["policies"][name]["faults"])]
            self.assertEqual((name, policy["faults"]), (name, expected))
        self.assertIn("warm-up of 1,000 references", self.thimble(*options, "--warm-up", "1000i", self.whole).stdout.decode())

    def test_of_comparisons(self):
        options = ("compare", "--policies", "fifo", "--sizes", "20")
        curve = self.json_of("curve", "--policy", "fifo", "--sizes", "20", "--warm-up", "1000i", self.whole)
        counted = self.json_of(*options, "--warm-up", "1000i", self.whole)
        self.assertEqual(counted["policies"]["fifo"]["faults"], curve["policies"]["fifo"]["faults"])
        self.assertEqual(counted["runs"][0]["counted"], 2000)
        self.thimble(*options, "--warm-up", "1000i", "--csv", "c.csv", self.whole)
        self.assertEqual(self.rows("c.csv")[0]["counted"], "2000")
        self.assertIn("warm-up of 1,000 references", self.thimble("compare", "--from", "c.csv").stdout.decode())

    def test_of_heat_maps(self):
        got = self.json_of("heat", "--warm-up", "1000i", self.whole)
        self.assertEqual((got["start"], got["time"]), (1000, 2000))
        self.assertEqual(sum(map(sum, got["cells"])), 2000)

    def test_of_the_marks_of_a_recording(self):
        options = ("--policy", "lru", "--sizes", "1000", "marked")
        for warm_up in "0.1", "1", "10":  # a host that is busy may not have begun by then
            self.thimble("record", "-o", "marked", "--warm-up", warm_up, "--duration", "0.3", "--", "sh", "-c",
                         "while :; do :; done")
            marked = self.json_of("curve", *options)
            if marked["warm_up"] > 0:
                break
        whole = self.json_of("curve", "--warm-up", "0i", *options)
        self.assertEqual(whole["counted"], whole["references"])
        self.assertIn(marked["counted"], range(1, whole["references"]))
        self.assertGreater(marked["warm_up"], 0)
        places = [self.json_of("where", "--sizes", "1000", *more, "marked")["totals"]["misses"]
                  for more in ((), ("--warm-up", "0i"))]
        self.assertEqual(places, [marked["cold"], whole["cold"]])
        self.assertLess(marked["cold"], whole["cold"])

    def test_of_places_in_a_run(self):
        options = ("--json", "--sizes", "30", "--warm-up", "50000i", "true")
        live = json.loads(self.thimble("where", *options).stdout)
        curve = json.loads(self.thimble("curve", "--policy", "clock", *options).stdout)
        self.assertEqual([live["totals"]["misses"]], curve["policies"]["clock"]["faults"])

    def test_seconds_are_of_a_run(self):
        for command in (["curve"], ["compare"], ["size", "--cpu-seconds", "1"], ["where", "--sizes", "3"], ["heat"]):
            for option in "--duration", "--warm-up":
                self.refused("seconds are of a run", *command, option, "1", self.whole)

    def test_a_service_is_stopped(self):
        for command in (["curve", "--policy", "lru"], ["compare", "--policies", "fifo"], ["heat"],
                        ["where", "--sizes", "1000"]):
            said = json.loads(self.thimble(*command, "--json", "--warm-up", "0.1", "--duration", "0.3", "sh", "-c",
                                           "while :; do :; done").stdout)
            for run in said.get("runs", [said]):
                if "counted" in run:
                    self.assertIn(run["counted"], range(1, run["references"] + 1))


class Curve(TraceCase):
    def test_beladys_anomaly_and_the_shape_of_the_json(self):
        got = self.json_of("curve", "--policy", "fifo,lru,opt", "--sizes", "1..5", self.belady)
        self.assertEqual(got["references"], 12)
        self.assertEqual(got["pages"], 5)
        self.assertEqual(got["cold"], 5)
        self.assertEqual(got["sizes"], [1, 2, 3, 4, 5])
        self.assertRegex(got["trace_hash"], "^[0-9a-f]{32}$")
        self.assertEqual(list(got["policies"]), ["fifo", "lru", "opt"])
        for policy in got["policies"].values():
            self.assertEqual(policy["label"], "exact")
            self.assertEqual(len(policy["faults"]), 5)
        for policy in got["policies"].values():
            self.assertEqual(len(policy["writebacks"]), 5)
        self.assertEqual(got["policies"]["fifo"]["faults"], [12, 12, 9, 10, 5])
        self.assertEqual(got["policies"]["lru"]["faults"], [12, 12, 10, 8, 5])
        self.assertEqual(got["policies"]["opt"]["faults"], [opt_misses(BELADY, n) for n in range(1, 6)])

    def test_pages_of_a_string_are_written_back_if_it_wrote_to_them(self):
        pages = [(i * i) % 97 % (1 + i % 60) for i in range(2000)]
        references = [(page, "w" if page % 2 and i % 7 == 0 else "rx"[i % 2]) for i, page in enumerate(pages)]
        got = self.json_of("curve", "--policy", "lru", "--sizes", "1..40", self.trace("mixed.csv", references))
        self.assertEqual(got["policies"]["lru"]["writebacks"], [lru_write_backs(references, n) for n in range(1, 41)])
        got = self.json_of("curve", "--policy", "lru,clock,opt,lirs", "--sizes", "3", self.belady)
        self.assertEqual([policy["writebacks"] for policy in got["policies"].values()], [[0]] * 4)

    def test_the_table_has_the_numbers_and_their_labels(self):
        text = self.thimble("curve", "--policy", "fifo,opt", "--sizes", "3,4", self.belady).stdout.decode()
        self.assertRegex(text, r"(?m)^ +3 +12 KiB +9 +7$")
        self.assertRegex(text, r"(?m)^ +4 +16 KiB +10 +6$")
        self.assertIn("fifo: exact\n", text)
        self.assertIn("not writes or stall", text)

    def test_the_table_has_every_size_that_was_asked_for(self):
        text = self.thimble("curve", "--policy", "fifo", "--sizes", "1..100", self.belady).stdout.decode()
        for size in range(1, 101):
            self.assertRegex(text, rf"(?m)^ +{size} +{4 * size} KiB +\d+$")

    def test_sizes_nobody_asked_for(self):
        got = self.json_of("curve", self.belady)
        self.assertEqual(list(got["policies"]), ["lru", "clock", "opt"])
        self.assertEqual(got["sizes"], [1, 2, 3, 4, 5])
        loop = self.trace("loop.csv", [(i % 5000, "r") for i in range(10000)])
        sizes = self.json_of("curve", "--policy", "lru", loop)["sizes"]
        self.assertEqual(sizes, sorted(set(sizes)))
        self.assertTrue(10 <= len(sizes) <= 16 and sizes[-1] == 5000, sizes)

    def test_the_picture_holds_the_numbers(self):
        references = [((i * i) % 97 % (1 + i % 60), "rw"[i % 5 == 0]) for i in range(3000)]
        path = self.trace("some.csv", references)
        sizes = "2,3,5,8,13,21,34,55"
        got = self.json_of("curve", "--policy", "clock,fifo", "--sizes", sizes, path)
        self.thimble("curve", "--policy", "clock,fifo", "--sizes", sizes, path, "-o", "c.svg")
        root = ElementTree.parse(self.folder / "c.svg").getroot()
        self.assertEqual(root.tag, SVG + "svg")
        self.assertEqual(root.find(SVG + "title").text, "some.csv")
        area = next(g for g in root.iter(SVG + "g") if "data-x" in g.attrib)
        axes = {}
        for name in "xy":
            scale, *numbers = area.attrib["data-" + name].split()
            axes[name] = (scale, *map(float, numbers))

        def value(axis, pixel):
            scale, low, high, start, end = axes[axis]
            part = (float(pixel) - start) / (end - start)
            return low * (high / low) ** part if scale == "log" else low + part * (high - low)

        for policy, curve in got["policies"].items():
            group = next(g for g in area if g.attrib.get("data-series") == policy)
            path = next(p for p in group.iter(SVG + "path") if "stroke" in p.attrib)
            points = re.findall(r"[ML]([\d.]+) ([\d.]+)", path.attrib["d"])
            self.assertEqual(len(points), len(got["sizes"]))
            for (x, y), size, faults in zip(points, got["sizes"], curve["faults"]):
                self.assertAlmostEqual(value("x", x), size, delta=size * 0.002)
                self.assertAlmostEqual(value("y", y), faults, delta=faults * 0.002)

    def test_other_files(self):
        self.thimble("curve", self.belady, "-o", "c.png", "--width", "400")
        data = (self.folder / "c.png").read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">I", data[16:20])[0], 800)
        self.thimble("curve", "--policy", "fifo", "--sizes", "3,4", self.belady, "-o", "c.csv")
        rows = self.rows("c.csv")
        self.assertEqual([(row["frames"], row["faults"], row["label"]) for row in rows],
                         [("3", "9", "exact"), ("4", "10", "exact")])
        self.thimble("curve", self.belady, "-o", "c.json")
        self.assertEqual(json.loads((self.folder / "c.json").read_text()), self.json_of("curve", self.belady))

    def test_mistakes(self):
        self.refused("nonesuch", "curve", "--policy", "nonesuch", self.belady)
        self.refused("empty name", "curve", "--policy", "lru,", self.belady)
        self.refused("twice", "curve", "--policy", "lru,lru", self.belady)
        for sizes in ("", "0", "5..3", "x", "1..4:0", "-1"):
            self.refused("--sizes", "curve", "--sizes", sizes, self.belady)
        self.refused("c.pdf", "curve", self.belady, "-o", "c.pdf")
        self.refused("no program was given", "curve")
        self.refused("leave the options of one out", "curve", "-n", "64", self.belady)
        self.refused("--observe: 'bits'", "curve", "--observe", "bits", self.belady)
        self.refused("--observe: 'bits:0' is too small: give all, or bits:K", "curve", "--observe", "bits:0", self.belady)
        self.assertEqual(self.json_of("curve", "--observe", "all", self.belady)["observed"], "every reference")
        self.refused("--swap: '1G'", "curve", "--swap", "1G", self.belady)
        self.refused("--format: 'x'", "curve", "--format", "x", self.belady)
        self.refused("not one reference", "curve", self.trace("none.csv", []))
        self.refused("--warm-up: 'soon'", "curve", "--warm-up", "soon", self.belady)
        self.refused("--warm-up: '3ii'", "curve", "--warm-up", "3ii", self.belady)
        self.refused("warm-up was not over", "curve", "--warm-up", "12i", self.belady)
        self.refused("-o /no/such/c.svg cannot be written: No such", "curve", self.belady, "-o", "/no/such/c.svg")
        self.refused("", "curve", "/no/such/program", status=127)

    def test_a_file_that_is_wrong_is_refused_with_the_record(self):
        path = self.folder / "cut.csv"
        path.write_text("page,kind\n1,r\n2,r\nthree,r\n")
        self.refused("4", "curve", path)
        path.write_bytes(b"\x00\x01nothing known")
        self.refused("cut.csv", "curve", path)
        done = self.run_thimble("heat", "--format", "csv", path)
        self.assertEqual(done.stderr.decode().count("cut.csv"), 1)

    def test_content_says_that_it_is_a_file_wherever_it_stands(self):
        odd = self.trace("--odd", [(page, "r") for page in (1, 2, 3)])
        for arguments in (["--", odd.name], ["--format", "csv", "--", odd.name]):
            self.assertIn("3 references", self.thimble("curve", *arguments).stdout.decode())
        self.trace("true", [(page, "r") for page in (1, 2, 3)])
        self.assertIn("3 references", self.thimble("curve", "true").stdout.decode())
        self.assertNotIn("true: 3 references to", self.thimble("curve", "--sizes", "90", "--", "true").stdout.decode())
        self.refused("to run the program of that name, put --", "curve", "true", "x")


class BeforeAnythingRuns(TraceCase):
    """A run may take an hour: what is wrong with the command is said first."""

    def refused_at_once(self, expected, *arguments):
        self.refused(expected, *arguments, "--", "touch", "ran")
        self.assertFalse((self.folder / "ran").exists())

    def test_policies(self):
        for command in "curve", "compare", "size", "where":
            self.refused_at_once("clock", command, "-p", "clock:x=1")
        self.refused_at_once("policy lfu cannot be used with 'age=0': it has the parameters age=10", "curve", "-p", "lfu:age=0")
        self.refused_at_once("policy fifo cannot be used with 'x': it has no parameters", "compare", "--baseline", "fifo:x")
        for command in "size", "where":
            self.refused_at_once("opt knows the future", command, "-p", "opt")

    def test_sizes(self):
        for command in "curve", "compare", "where":
            self.refused_at_once("thimble: --sizes: '0' is not", command, "--sizes", "0")
        (self.folder / "suite").write_text("first: touch ran\nsecond sizes=4,x : touch ran\n")
        self.refused("second: --sizes: 'x' is not", "compare", "--suite", "suite")
        self.assertFalse((self.folder / "ran").exists())

    def test_files(self):
        (self.folder / "d.svg").mkdir()
        for command, option, suffix in (("curve", "-o", ".svg"), ("heat", "-o", ".svg"), ("compare", "--csv", ".csv"),
                                        ("where", "-o", ""), ("record", "-o", "")):
            self.refused_at_once("cannot be written", command, option, "/no/such/x" + suffix)
        for command, option in ("curve", "-o"), ("heat", "-o"), ("compare", "--csv"), ("where", "-o"), ("record", "-o"):
            self.refused_at_once("Is a directory", command, option, "d.svg")
            self.refused_at_once(f"thimble: {option}: the name of the file is empty" if command in ("compare", "where", "record")
                                 else "ends in none", command, option, "")
        self.refused_at_once("name a file", "record", "-o", "-")
        self.assertIn(b"misses", self.thimble("where", "-o", "-", "--", "true").stdout)


class Ending(TraceCase):
    def test_a_program_that_failed_is_named(self):
        for command in ["curve"], ["compare", "--sizes", "60"], ["heat"]:
            done = self.thimble(*command, "--", "sh", "-c", "kill -9 $$")
            self.assertEqual(done.stderr, b"thimble: sh -c kill -9 $$ ended with status 137: the numbers are of that run\n")
            self.assertEqual(self.thimble(*command, "--", "true").stderr, b"")


class Programs(TraceCase):
    """One real program: the curve, the comparison and live runs have the same misses."""

    def test_curve_compare_and_live_runs_agree(self):
        command = ["sh", "-c", "i=0; while [ $i -lt 20 ]; do i=$((i+1)); done; echo $i"]
        sizes, names = [24, 40], "clock,lru,fifo"
        done = self.thimble("curve", "--policy", names + ",opt", "--sizes", "24,40", "--json", "--", *command)
        self.assertEqual(done.stderr, b"20\n")  # the program's own output is kept apart
        curve = json.loads(done.stdout)
        compared = self.thimble("compare", "--policies", names, "--sizes", "24,40", "--json", "--", *command)
        compared = json.loads(compared.stdout)
        self.assertEqual(curve["trace_hash"], compared["trace_hash"])
        for name in names.split(",") + ["opt"]:
            for key in ("label", "faults", "writebacks"):
                self.assertEqual(curve["policies"][name][key], compared["policies"][name][key], name)
        for name in names.split(","):
            live = []
            for size in sizes:
                options = ["--deterministic", "--available", str(size), "--policy", name]
                live.append(self.summary(*command, options=options)["faults"]["misses"])
            self.assertEqual(curve["policies"][name]["faults"], live, name)
            for policy, opt in zip(curve["policies"][name]["faults"], curve["policies"]["opt"]["faults"]):
                self.assertGreaterEqual(policy, opt)


class Compare(TraceCase):
    def loop(self):
        """A loop over 20 pages, each written to: LRU and FIFO miss always at 15 frames, OPT does not."""
        return self.trace("loop.csv", [(i % 20, "w") for i in range(2000)])

    def test_distances_and_stall(self):
        got = self.json_of("compare", "--policies", "fifo", "--sizes", "15,20", "--disk",
                           "latency=1ms,bandwidth=4096000,depth=1", self.loop())
        self.assertEqual(got["baseline"], "lru")
        self.assertEqual(list(got["policies"]), ["fifo", "lru", "opt"])
        self.assertEqual(got["policies"]["lru"]["faults"], [2000, 20])
        opt = got["policies"]["opt"]
        self.assertLess(opt["faults"][0], 700)
        self.assertAlmostEqual(got["policies"]["lru"]["ratio_to_opt"][0], 2000 / opt["faults"][0])
        self.assertEqual(opt["distance_to_opt"], [0, None])  # lru is as good as opt in 20 frames
        self.assertEqual(got["policies"]["fifo"]["distance_to_opt"][0], 1)
        lru = got["policies"]["lru"]
        # Misses that are not cold wait 1 ms + 1 ms; each write-back, the same once more.
        self.assertAlmostEqual(lru["stall_seconds"][0], (2000 - 20) * 0.002 + lru["writebacks"][0] * 0.002)
        self.assertEqual(lru["stall_seconds"][1], 0)
        self.assertIn("not writes or stall", got["remark"])

    def test_a_file_of_rows_gives_the_same_table(self):
        arguments = ["compare", "--policies", "fifo,clock", "--sizes", "50%,20", self.loop(), "--csv", "rows.csv"]
        table = self.thimble(*arguments).stdout
        self.assertIn(b"every reference", table)
        self.assertEqual(self.thimble("compare", "--from", "rows.csv").stdout, table)
        rows = self.rows("rows.csv")
        self.assertEqual(len(rows), 4 * 2)
        self.assertEqual({row["size"] for row in rows}, {"50%", "20"})
        self.assertEqual({row["frames"] for row in rows}, {"10", "20"})
        self.assertEqual({row["command"] for row in rows}, {"loop.csv"})

    def test_intervals_of_paired_differences(self):
        """Three programs of eight runs; the policy misses 10% less, give or take what is drawn."""
        out = io.StringIO()
        names = "name,seed,layout,policy,size,frames,label,misses,writebacks,stall_seconds".split(",")
        write = csv.DictWriter(out, names)
        write.writeheader()
        for program, misses in (("a", 1000), ("b", 50000), ("c", 200)):
            for seed in range(8):
                for policy, factor in (("lru", 1), ("mine", 0.9 + 0.004 * ((seed * 5) % 8 - 3.5)), ("opt", 0.5)):
                    row = [program, seed, seed, policy, "10%", 64, "exact", round(misses * factor), 0, factor]
                    write.writerow(dict(zip(names, row)))
        (self.folder / "rows.csv").write_text(out.getvalue())
        got = self.json_of("compare", "--from", "rows.csv")
        for key in ("misses_to_baseline", "stall_to_baseline"):
            mine = got["policies"]["mine"][key][0]
            self.assertTrue(0.88 < mine["low"] < mine["ratio"] < mine["high"] < 0.92, mine)
            self.assertAlmostEqual(mine["ratio"], 0.9, delta=0.002)
            self.assertEqual(got["policies"]["lru"][key][0], {"ratio": 1, "low": 1, "high": 1})
        table = self.thimble("compare", "--from", "rows.csv").stdout.decode()
        self.assertIn("24 runs of 3 programs", table)
        self.assertRegex(table, r"mine .*-10\.\d% \[-1\d\.\d%, -\d+\.\d%\]")

    def test_a_suite(self):
        (self.folder / "programs").write_text("# two programs\n\n"
                                              "true seed=5 : /bin/true\n"
                                              "echo sizes=30 : sh -c 'echo \"$0\"' hello\n")
        self.thimble("compare", "--policies", "fifo", "--suite", "programs", "--runs", "2", "--sizes", "20", "--csv",
                     "rows.csv")
        rows = self.rows("rows.csv")
        self.assertEqual(len(rows), 2 * 2 * 3)
        runs = {(row["name"], row["seed"], row["layout"], row["size"]) for row in rows}
        self.assertEqual(runs, {("true", "5", "6", "20"), ("true", "6", "7", "20"), ("echo", "1", "2", "30"),
                                ("echo", "2", "3", "30")})
        self.assertEqual(len({row["trace_hash"] for row in rows if row["name"] == "echo"}), 2)

    def test_a_suite_goes_on_behind_a_program_that_cannot_be_recorded(self):
        (self.folder / "programs").write_text("one : /bin/true\nnone : /no/such\necho : sh -c 'echo hello'\n")
        done = self.run_thimble("compare", "--policies", "fifo", "--suite", "programs", "--sizes", "20", "--runs", "2",
                                "--csv", "rows.csv")
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"thimble: none: it could not be recorded: thimble: /no/such: No such file", done.stderr)
        self.assertEqual(done.stderr.count(b"none, run"), 1)
        self.assertIn(b"4 runs of 2 programs", done.stdout)
        self.assertEqual({row["name"] for row in self.rows("rows.csv")}, {"one", "echo"})

    def test_a_suite_that_is_killed_leaves_the_rows_it_had_and_nothing_else(self):
        (self.folder / "programs").write_text("one : /bin/true\nendless : sleep 1000\n")
        (self.folder / "temporary").mkdir()
        process = subprocess.Popen([thimble_case.THIMBLE, "compare", "--policies", "fifo", "--suite", "programs", "--sizes",
                                    "20", "--csv", "rows.csv"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   cwd=self.folder, start_new_session=True,
                                   env={**os.environ, "TMPDIR": os.fspath(self.folder / "temporary")})
        try:
            said = [process.stderr.readline() for _ in range(2)]
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)
        self.assertEqual(said, [b"thimble: one, run 1 of 1\n", b"thimble: endless, run 1 of 1\n"])
        self.assertEqual({row["name"] for row in self.rows("rows.csv")}, {"one"})
        self.assertEqual(list((self.folder / "temporary").iterdir()), [])

    def test_services_of_a_suite_end_after_the_duration(self):
        (self.folder / "services").write_text("busy : sh -c 'while :; do :; done'\nends : /bin/true\n")
        self.thimble("compare", "--policies", "fifo", "--suite", "services", "--sizes", "20", "--duration", "0.5", "--csv",
                     "rows.csv")
        rows = {row["name"]: (int(row["references"]), int(row["counted"])) for row in self.rows("rows.csv")}
        self.assertEqual(rows.keys(), {"busy", "ends"})
        self.assertTrue(all(all_of_them == counted > 1000 for all_of_them, counted in rows.values()), rows)

    def test_so_they_do_with_a_warm_up(self):
        (self.folder / "services").write_text("busy : sh -c 'while :; do :; done'\n")
        self.thimble("compare", "--policies", "fifo", "--suite", "services", "--sizes", "20", "--duration", "0.5",
                     "--warm-up", "0.7", "--csv", "rows.csv") # a busy host may need a part of it to begin
        row = self.rows("rows.csv")[0]
        self.assertGreater(int(row["counted"]), 1000)
        self.assertGreater(int(row["references"]), int(row["counted"]))

    def test_a_suite_goes_on_when_asked_how_it_stands(self):
        (self.folder / "programs").write_text("true : /bin/true\necho : sh -c 'echo hello'\n")
        process = subprocess.Popen([thimble_case.THIMBLE, "compare", "--policies", "fifo", "--suite", "programs", "--sizes", "20"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.folder)
        self.addCleanup(process.kill)
        self.assertEqual(process.stderr.readline(), b"thimble: true, run 1 of 1\n")
        process.send_signal(signal.SIGUSR1)
        _, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, errors), (0, b"thimble: echo, run 1 of 1\n"))

    def test_what_policies_cost_is_measured_where_that_is_asked_for(self):
        path = self.trace("long.csv", [(i * i % 301, "r") for i in range(60000)])
        self.thimble("compare", "--policies", "clock", "--sizes", "100", "--measure", path, "--csv", "rows.csv")
        costs = {row["policy"]: float(row["ns_per_reference"]) for row in self.rows("rows.csv")}
        self.assertGreater(costs["clock"], 0)
        self.assertGreater(costs["lru"], 0)

    def test_mistakes(self):
        self.refused("give one of", "compare")
        self.refused("give one of", "compare", "--from", "x", self.belady)
        self.refused("--runs", "compare", "--runs", "3", self.belady)
        self.refused("--runs: '0'", "compare", "--runs", "0", self.belady)
        self.refused("--baseline", "compare", "--baseline", "lru,opt", self.belady)
        self.refused("--disk", "compare", "--disk", "floppy", self.belady)
        self.refused("no part of the pages", "compare", "--sizes", "0%", self.belady)
        self.refused("/no/such", "compare", "--from", "/no/such")
        self.refused("--from runs nothing", "compare", "--from", "x", "--warm-up", "3i")
        self.refused("--from runs nothing", "compare", "--from", "x", "--duration", "3")
        self.refused("/no/such", "compare", "--suite", "/no/such")
        for text, expected in (("", "names no program"), ("a b\n", "line 1"), ("# x\nb: \n", "no command"),
                               ("a: true\na: true\n", "another program"), ("a x=1 : true\n", "x=1"),
                               ("a: cat | wc\n", "sh -c"), ("a: echo 'x\n", "quotation")):
            (self.folder / "suite").write_text(text)
            self.refused(expected, "compare", "--suite", "suite")
        for text, expected in (("", "empty"), ("a,b\n", "no column"),
                               ("name,seed,layout,policy,size,frames,label,misses\nx,1,0,lru,3\n", "line 2"),
                               ("name,seed,layout,policy,size,frames,label,misses\nx,1,0,lru,3,3,exact,many\n", "'many'"),
                               ("name,seed,layout,policy,size,frames,label,misses\nx,1,0,fifo,3,3,exact,5\n", "'lru'")):
            (self.folder / "rows").write_text(text)
            self.refused(expected, "compare", "--from", "rows")


class Heat(TraceCase):
    def test_every_reference_is_in_a_cell(self):
        path = self.trace("some.csv", [((i * 7) % 30 + 5000 * (i % 3), "r") for i in range(900)])
        got = json.loads(self.thimble("heat", "--window", "90", path, "--json").stdout)
        self.assertEqual(got["references"], 900)
        self.assertEqual(sum(map(sum, got["cells"])), 900)
        self.assertEqual(sum(band["pages"] for band in got["bands"]), got["pages"])
        self.assertEqual(sum(band["rows"] for band in got["bands"]), len(got["cells"]))
        self.assertEqual(got["window"], 90)
        # Any 90 references in a row are to the same pages: (7i mod 30, i mod 3) comes again after 30.
        self.assertEqual(set(got["working_set"][60:]), {30})

    def test_files_and_characters(self):
        self.thimble("heat", self.belady, "-o", "h.svg", "--by", "references")
        root = ElementTree.parse(self.folder / "h.svg").getroot()
        self.assertEqual(root.tag, SVG + "svg")
        self.assertIsNotNone(root.find(SVG + "desc"))
        self.assertTrue(any("data-band" in g.attrib for g in root.iter(SVG + "g")))
        text = self.thimble("heat", "--ascii", "--columns", "60", self.belady).stdout.decode()
        self.assertTrue(text.isascii())
        self.assertIn("working set: at most", text)

    def test_a_program_has_bands_of_its_files(self):
        got = json.loads(self.thimble("heat", "--json", "/bin/true").stdout)
        names = {band["name"].rsplit("/", 1)[-1] for band in got["bands"]}
        self.assertLessEqual({"true", "[stack]", "libc.so.6"}, names)

    def test_mistakes(self):
        self.refused("--by: 'x'", "heat", "--by", "x", self.belady)
        self.refused("--window: '0'", "heat", "--window", "0", self.belady)
        self.refused("h.csv", "heat", self.belady, "-o", "h.csv")
        self.refused("not one reference", "heat", self.trace("none.csv", []))


if __name__ == "__main__":
    thimble_case.main()
