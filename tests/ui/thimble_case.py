"""What the tests of the command line share: running Thimble, and looking at what it said."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

THIMBLE = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
TIMEOUT = 120  # seconds for one run


class ThimbleCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="thimble-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_thimble(self, *arguments, **keywords):
        """Runs `thimble ARGUMENTS`; standard error and output are bytes."""
        keywords.setdefault("stdin", subprocess.DEVNULL if "input" not in keywords else None)
        if keywords["stdin"] is None:
            del keywords["stdin"]
        return subprocess.run([THIMBLE, *map(os.fspath, arguments)], capture_output=True, timeout=TIMEOUT,
                              cwd=self.folder, **keywords)

    def run_program(self, *arguments, options=(), **keywords):
        return self.run_thimble("run", *options, "--", *arguments, **keywords)

    def summary(self, *arguments, options=(), status=0):
        """Runs a program that ends with `status`; the JSON summary."""
        path = self.folder / "summary.json"
        done = self.run_program(*arguments, options=[*options, "--stats-file", path])
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(path.read_text())

    def assert_refused(self, arguments, *expected, status=125):
        """Nothing runs; one line on standard error says all that is expected."""
        done = self.run_thimble("run", *arguments)
        message = done.stderr.decode()
        self.assertEqual(done.returncode, status, message)
        self.assertEqual(done.stdout, b"")
        self.assertTrue(message.startswith(("thimble: ", "thimble run: ")), message)
        for text in expected:
            self.assertIn(text, message)


def main():
    unittest.main(argv=sys.argv[:1], verbosity=2)
