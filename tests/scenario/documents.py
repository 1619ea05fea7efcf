"""Every block of commands in the pages for teachers and students does what it says: it runs.

    documents.py THIMBLE DOCUMENT...

The ```sh blocks of a page are run in one empty folder, one after the other. (```console blocks need somebody at a
terminal.)
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

THIMBLE = None


class Documents(unittest.TestCase):
    def check(self, path):
        blocks = re.findall(r"^```sh\n(.*?)^```$", path.read_text(), re.M | re.S)
        self.assertGreater(len(blocks), 2)
        environment = {**os.environ, "PATH": f"{os.path.dirname(THIMBLE)}:{os.environ['PATH']}"}
        with tempfile.TemporaryDirectory() as folder:
            for block in blocks:
                result = subprocess.run(["/bin/bash", "-e", "-o", "pipefail", "-c", block], cwd=folder, env=environment,
                                        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
                self.assertEqual(result.returncode, 0, f"{block}\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}")
                for name in re.findall(r"-o '?([a-z0-9-]+\.(?:svg|png|html|json))", block):
                    self.assertTrue((pathlib.Path(folder) / name).stat().st_size > 0, name)


def add_test(path):
    setattr(Documents, "test_" + path.stem.lower(), lambda self: self.check(path))


if __name__ == "__main__":
    THIMBLE = os.path.abspath(sys.argv[1])
    for document in sys.argv[2:]:
        add_test(pathlib.Path(document).resolve())
    unittest.main(argv=sys.argv[:1], verbosity=2)
