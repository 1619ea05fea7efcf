#!/usr/bin/python3
"""thimble doctor: tells the truth about a computer where something was taken away.

usage: doctor.py THIMBLE"""
import json
import os
import resource
import subprocess
import sys
import unittest

THIMBLE = os.path.abspath(sys.argv[1])


def doctor(*arguments, environment=None, limit=None):
    def lower():
        if limit:
            resource.setrlimit(*limit)
    return subprocess.run([THIMBLE, "doctor", *arguments], capture_output=True, text=True, timeout=50, check=False,
                          env={**os.environ, **(environment or {})}, preexec_fn=lower)


class Doctor(unittest.TestCase):
    def capabilities(self, **how):
        done = doctor("--json", **how)
        answer = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if answer["runs"] else 1)
        return answer["runs"], {c["name"]: c for c in answer["capabilities"]}

    def test_here_programs_run(self):
        runs, capabilities = self.capabilities()
        self.assertTrue(runs)
        self.assertTrue(capabilities["machine"]["works"], capabilities["machine"])
        self.assertFalse(capabilities["terminal"]["works"])
        for c in capabilities.values():
            self.assertEqual(c["remedy"] is None, c["works"], c)

    def test_lines_say_what_to_do(self):
        done = doctor(environment={"TMPDIR": "/nonexistent"})
        self.assertRegex(done.stdout, r"missing sandbox +.*/nonexistent: No such file or directory\n +set TMPDIR")
        self.assertEqual(done.stderr, "")

    def test_without_memory_nothing_runs(self):
        runs, capabilities = self.capabilities(limit=(resource.RLIMIT_AS, (200 << 20, 200 << 20)))
        self.assertFalse(runs)
        self.assertFalse(capabilities["memory"]["works"])

    def test_the_locale_is_asked(self):
        _, capabilities = self.capabilities(environment={"LC_ALL": "C"})
        self.assertFalse(capabilities["UTF-8"]["works"])


unittest.main(argv=["doctor.py"])
