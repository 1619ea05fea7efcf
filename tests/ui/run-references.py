"""`thimble import` and `export`, and `thimble trace` on references: what is said, lost and refused."""
import json
import pathlib
import re
import struct
import subprocess
import sys

import thimble_case
from thimble_case import THIMBLE, ThimbleCase

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "refs"

CSV = "page,kind,space\n1,r,0\n2,w,0\n0x3,x,1\n1,r,0\n2,r,0\n"


class References(ThimbleCase):
    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def good(self, *arguments):
        done = self.run_thimble(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode(), done.stderr.decode()

    def refused(self, *arguments, says):
        done = self.run_thimble(*arguments)
        self.assertEqual(done.returncode, 125)
        self.assertIn(says, done.stderr.decode())

    def hash_of(self, name):
        return re.search(r"hash ([0-9a-f]{32})", self.good("trace", name)[0]).group(1)

    def test_there_and_back(self):
        self.write("a.csv", CSV)
        self.good("import", "a.csv", "-o", "a.refs")
        self.assertIn("5 references, 1 of them writes, to 3 pages", self.good("trace", "a.refs")[0])
        for name in "b.csv", "b.oracleGeneral", "b.oracleGeneral.zst", "b.refs":
            self.good("export", "a.refs", "-o", name)
            self.assertEqual(self.hash_of(name), self.hash_of("a.refs"), name)
        self.assertEqual((self.folder / "b.csv").read_text(), CSV.replace("0x3", "3"))
        records = (self.folder / "b.oracleGeneral").read_bytes()
        self.assertEqual([record[3] for record in struct.iter_unpack("<IQIq", records)], [4, 5, -1, -1, -1])

    def test_a_recording_leaves_whole(self):
        done = self.run_thimble("record", "-o", "r.refs", "--", "/bin/true")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.good("export", "r.refs", "-o", "r.oracleGeneral.zst")
        self.assertEqual(self.hash_of("r.oracleGeneral.zst"), self.hash_of("r.refs"))
        _, said = self.good("export", "r.refs", "-o", "r.csv")
        self.assertRegex(said, r"r\.csv: [\d,]+ deaths, write-backs and marks are not in it")
        (self.folder / "cut.refs").write_bytes((self.folder / "r.refs").read_bytes()[:-60])
        done = self.run_thimble("import", "cut.refs", "-o", "again.refs")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cut.refs is cut", done.stderr)
        self.assertIn("cut: the recording was not finished", self.good("trace", "again.refs")[0])

    def test_refusals(self):
        self.write("a.csv", CSV)
        self.write("bad.csv", "page,kind\n1,r\n2,q\n")
        self.refused("import", "bad.csv", "-o", "x.refs", says='bad.csv: line 3: "2,q": the kind is r, w or x')
        self.refused("import", "a.csv", "-o", "a.csv", says="is the file itself")
        self.refused("import", "none.csv", "-o", "x", says="none.csv: cannot be opened: No such file")
        self.refused("import", "a.csv", says="-o FILE")
        self.refused("import", "--format", "ostep", "a.csv", "-o", "x", says='line 1: "page,kind,space" is no page')
        self.refused("export", "a.csv", "-o", "x.dat", says="which format?")
        self.refused("export", "--format", "gif", "a.csv", "-o", "x", says="formats are thimble, oracleGeneral")
        self.refused("export", "a.csv", "-o", "/nonexistent/x.csv", says="/nonexistent/x.csv cannot be written")
        self.refused("import", sys.executable, "-o", "x", says="in no format of references")

    def test_belady(self):
        """Belady, Nelson, Shedler 1969: FIFO misses more with four frames than with three; in every format."""
        expected = {"fifo": [9, 10], "lru": [10, 8], "opt": [7, 6]}
        for name in "belady.refs", "belady.oracleGeneral.zst", "belady.lackey", "belady.csv":
            self.good("export", EXAMPLES / "belady.csv", "-o", name)
            curve = json.loads(self.good("curve", "--json", "--policy", "fifo,lru,opt", "--sizes", "3,4", name)[0])
            self.assertEqual({p: curve["policies"][p]["faults"] for p in expected}, expected, name)
            self.assertEqual((curve["references"], curve["pages"], curve["cold"]), (12, 5, 5))

    def test_a_full_disk_is_said(self):
        self.write("a.csv", CSV)
        self.refused("export", "--format", "csv", "a.csv", "-o", "/dev/full", says="/dev/full cannot be written: No space")

    def test_a_pipe_can_be_read(self):
        script = f'printf "page,kind\\n7,r\\n9,w\\n" | "{THIMBLE}" export /dev/stdin --format csv -o p.csv'
        done = subprocess.run(["sh", "-c", script], cwd=self.folder, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.folder / "p.csv").read_text(), "page,kind,space\n0,r,0\n1,w,0\n")
        self.assertIn(b"pages are called 0, 1", done.stderr)

    def test_an_analysis_reads_a_pipe_as_often_as_it_wants(self):
        belady = (EXAMPLES / "belady.csv").read_bytes()
        expected = json.loads(self.good("curve", "--json", EXAMPLES / "belady.csv")[0])
        for name, title in ("-", "standard input"), ("/dev/stdin", "stdin"):
            got = json.loads(self.run_thimble("curve", "--json", name, input=belady).stdout)
            self.assertEqual(got, {**expected, "subject": title})
        for command in ["compare", "--sizes", "3"], ["heat"], ["size", "--cpu-seconds", "1"]:
            done = self.run_thimble(*command, "-", input=belady)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.good("record", "-o", "r.refs", "--", "/bin/true")
        recording = (self.folder / "r.refs").read_bytes()
        self.assertEqual(self.run_thimble("where", "--sizes", "60", "-", input=recording).stdout.decode(),
                         self.good("where", "--sizes", "60", "r.refs")[0])
        done = self.run_thimble("curve", "-", input=b"page,kind\n1,r\n2,q\n")
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"/dev/stdin: line 3", done.stderr)
        piped = self.run_thimble("import", "-", "-o", "-", input=belady)
        self.good("import", EXAMPLES / "belady.csv", "-o", "b.refs")
        self.assertEqual(piped.stdout, (self.folder / "b.refs").read_bytes())


if __name__ == "__main__":
    thimble_case.main()
