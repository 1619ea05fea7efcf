#!/usr/bin/python3
"""The overlay against the host's own file system: random-tree prints the same in both, and what lies below the
overlay stays as it was.

usage: overlay-model.py THIMBLE RANDOM-TREE SEEDS OPERATIONS"""
import os
import random
import shutil
import subprocess
import sys
import tempfile

NAMES = ["a", "b", "c", "d"]


def populate(directory, rng, depth=0):
    for name in rng.sample(NAMES, rng.randint(1, 4)):
        path = os.path.join(directory, name)
        kind = rng.choice(["file", "directory", "directory", "file", "link"])
        if kind == "directory" and depth < 2:
            os.mkdir(path)
            populate(path, rng, depth + 1)
        elif kind == "link":
            os.symlink(rng.choice(["a", "b", "../a", "b/c", "nowhere", "."]), path)
        else:
            with open(path, "w") as file:
                file.write("below " * rng.randint(0, 3))


def snapshot(directory):
    found = []
    for parent, directories, files in os.walk(directory):
        directories.sort()
        for name in sorted(directories + files):
            path = os.path.join(parent, name)
            status = os.lstat(path)
            content = ""
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                with open(path) as file:
                    content = file.read()
            found.append((path, status.st_mode, status.st_mtime_ns, status.st_ino, content))
    return found


def compare(thimble, program, seed, operations, mode):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="thimble-model-") as top:
        # Paths with ".." lead out of the tree: into directories that are called alike on both sides.
        one, two = os.path.join(top, "one"), os.path.join(top, "two")
        lower, copy = os.path.join(one, "up/up/up/up/up"), os.path.join(two, "up/up/up/up/up")
        os.makedirs(lower)
        populate(lower, rng)
        shutil.copytree(one, two, symlinks=True)
        before = snapshot(one)
        arguments = [program, str(seed), str(operations)]
        native = subprocess.run(arguments, cwd=copy, capture_output=True, timeout=60)
        boxed = subprocess.run([thimble, "run", "--stats", "none", *mode(one), *arguments], cwd=lower,
                               capture_output=True, timeout=120)
        assert native.returncode == 0, native
        if native.stdout != boxed.stdout:
            for line, (a, b) in enumerate(zip(native.stdout.splitlines(), boxed.stdout.splitlines())):
                if a != b:
                    sys.exit(f"seed {seed}, line {line + 1}: native {a}, overlay {b}")
            sys.exit(f"seed {seed}: {boxed.stderr.decode()}, status {boxed.returncode}")
        assert snapshot(one) == before, f"seed {seed}: the tree below the overlay has changed"


def main():
    thimble, program = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    seeds, operations = int(sys.argv[3]), int(sys.argv[4])
    for seed in range(1, seeds + 1):
        compare(thimble, program, seed, operations, lambda tree: ["--files", "overlay"])
        compare(thimble, program, seed + 1000, operations,
                lambda tree: ["--files", "none", "--allow", tree + ":overlay", "--allow", "/usr", "--allow", "/lib",
                              "--allow", "/lib64"])


main()
