#!/usr/bin/python3
"""A class of attackers and two honest students. Every attack fails its own row and nothing else; without a
sandbox each of them is seen to succeed.

usage: attacks.py THIMBLE ATTACK"""
import csv
import ctypes
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import json

# What is run on the host itself to see it succeed.
STEALING = ["by-path", "by-dots", "by-link", "by-directory-link", "by-hard-link", "by-proc-root",
            "by-proc-descriptor", "by-inherited-descriptor", "by-moved-directory", "by-racing-link",
            "by-path-descriptor", "by-rename", "by-exec", "by-mapping", "by-socket", "by-abstract-socket",
            "by-network"]
STEALING_AS_ROOT = ["by-chroot", "by-process-memory"]
HARMING = ["do-delete", "do-overwrite", "do-overwrite-by-descriptor", "do-change-mode", "do-truncate", "do-plant",
           "do-plant-socket", "do-spoil-scratch", "do-kill", "do-leave"]
HARMING_AS_ROOT = ["by-device", "do-trace"]
# Would be the end of the host, or of this test: seen in a machine that has no sandbox.
TAKING = ["take-processes", "take-sleepers", "take-generations", "take-output", "take-time", "take-time-asleep", "take-names"]
# Contained by every machine, or not safely shown at all.
OTHERS = ["do-mark", "do-kill-all", "take-memory", "take-disk", "take-disk-unseen", "take-depth", "crash"]
ALL = STEALING + STEALING_AS_ROOT + HARMING + HARMING_AS_ROOT + TAKING + OTHERS


class Scene:
    """The teacher's files, a class, and what else an attack could aim at."""

    def __init__(self, top, attack):
        self.top, self.attack = top, attack
        self.secret = f"the answer is {random.SystemRandom().getrandbits(64)}\n"
        self.teacher, self.folders = os.path.join(top, "teacher"), os.path.join(top, "class")
        self.temporary = os.path.join(top, "temporary")
        for directory in (self.teacher, self.folders, self.temporary):
            os.mkdir(directory)
        self.answers = os.path.join(self.teacher, "answers.txt")
        self.reset()
        self.victim = subprocess.Popen(["/bin/sleep", "600"])
        self.memory = ctypes.create_string_buffer(self.secret.encode())
        self.path = os.path.join(self.teacher, "socket")
        self.name = f"thimble-test-{os.getpid()}"
        self.servers = [self.serve(socket.AF_UNIX, self.path), self.serve(socket.AF_UNIX, "\0" + self.name),
                        self.serve(socket.AF_INET, ("127.0.0.1", 0))]
        for name in ALL:
            self.add_attacker(name)
        for name in ("ann", "zoe"):
            self.add_student(name, "#!/bin/sh\nexec cat\n")

    def reset(self):
        with open(self.answers, "w") as file:
            file.write(self.secret)
        os.chmod(self.answers, 0o644)

    def serve(self, family, address):
        server = socket.socket(family)
        server.bind(address)
        server.listen()

        def answer():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                client.sendall(self.secret.encode())
                client.close()
        threading.Thread(target=answer, daemon=True).start()
        return server

    def argument(self, name):
        return {"by-socket": self.path, "by-abstract-socket": self.name,
                "by-network": str(self.servers[2].getsockname()[1]),
                "by-process-memory": f"{os.getpid()}:{ctypes.addressof(self.memory):x}",
                "do-kill": str(self.victim.pid), "do-trace": str(self.victim.pid),
                "do-plant-socket": os.path.join(self.teacher, "planted.socket"),
                "do-spoil-scratch": self.temporary}.get(name, "")

    def add_attacker(self, name):
        self.add_student(name, f"#!/bin/sh\nexec ./attack {name} '{self.answers}' '{self.argument(name)}'\n")

    def add_student(self, name, script):
        folder = os.path.join(self.folders, name)
        os.makedirs(folder, exist_ok=True)
        shutil.copy(self.attack, os.path.join(folder, "attack"))
        with open(os.path.join(folder, "run"), "w") as file:
            file.write(script)
        os.chmod(os.path.join(folder, "run"), 0o755)

    def snapshot(self):
        found = []
        for parent, directories, files in os.walk(self.top):
            if parent.startswith(self.temporary):
                continue
            for name in sorted(directories + files):
                path = os.path.join(parent, name)
                if path == self.temporary:
                    continue
                status = os.lstat(path)
                found.append((path, status.st_mode, status.st_size, status.st_mtime_ns, status.st_nlink,
                              tuple(sorted(os.listxattr(path, follow_symlinks=False)))))
        return sorted(found)

    def harmed(self, name):
        """Whether that attack has done what it wanted; also puts it right again."""
        if name in ("do-kill", "do-trace"):
            try:
                self.victim.wait(timeout=1)
            except subprocess.TimeoutExpired:
                return False
            self.victim = subprocess.Popen(["/bin/sleep", "600"])
            for attack in ("do-kill", "do-trace"):
                self.add_attacker(attack)
            return True
        if name in ("do-plant", "do-plant-socket", "do-leave", "do-spoil-scratch", "by-device"):
            places = {"do-plant": self.answers + ".planted", "do-plant-socket": self.argument(name),
                      "do-leave": os.path.join(self.folders, name, "left-behind"),
                      "by-device": os.path.join(self.folders, name, "disk"),
                      "do-spoil-scratch": os.path.join(self.temporary, "thimble-check-x", "spoilt")}
            there = os.path.lexists(places[name])
            if there:
                os.unlink(places[name])
            return there
        try:
            with open(self.answers) as file:
                content = file.read()
            mode = stat.S_IMODE(os.stat(self.answers).st_mode)
        except FileNotFoundError:
            content, mode = None, None
        self.reset()
        return content != self.secret or mode != 0o644

    def close(self):
        self.victim.kill()
        self.victim.wait()
        for server in self.servers:
            server.close()


def run_native(scene, name):
    """On the host, as the grader's user, with a descriptor of the teacher's directory left open."""
    folder = os.path.join(scene.folders, name)
    teacher = os.open(scene.teacher, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return subprocess.run(["./run"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=20,
                              pass_fds=[teacher])
    finally:
        os.close(teacher)
        for left in os.listdir(folder):
            if left not in ("attack", "run"):
                path = os.path.join(folder, left)
                if os.path.islink(path) or not os.path.isdir(path):
                    if name not in ("do-leave", "by-device"):
                        os.unlink(path)
                else:
                    shutil.rmtree(path)


def see_them_succeed(scene, thimble):
    root = os.geteuid() == 0
    for name in STEALING + (STEALING_AS_ROOT if root else []):
        ended = run_native(scene, name)
        assert scene.secret.encode() in ended.stdout, f"{name} does not get the answers without a sandbox: {ended}"
        scene.reset()
    os.mkdir(os.path.join(scene.temporary, "thimble-check-x"))
    for name in HARMING + (HARMING_AS_ROOT if root else []):
        ended = run_native(scene, name)
        assert scene.harmed(name), f"{name} does no harm without a sandbox: {ended}"
    shutil.rmtree(os.path.join(scene.temporary, "thimble-check-x"))
    for name in TAKING:
        folder = os.path.join(scene.top, "taking")
        os.mkdir(folder)
        shutil.copy(scene.attack, folder)
        with subprocess.Popen([thimble, "run", "-n", "4096", "--swap", "none", "./attack", name], cwd=folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            try:
                child.wait(timeout=1)
                sys.exit(f"{name} ends by itself without limits")
            except subprocess.TimeoutExpired:
                child.kill()
        shutil.rmtree(folder)


def grade(scene, thimble, *options):
    spec = {"tests": [{"name": "answer", "command": ["./run"], "input": scene.secret, "frames": 2048, "swap": "8M",
                       "expect": {"output_file": "answers.txt"},
                       "limits": {"seconds": 3, "output": "64K", "processes": 8, "disk": "24M"}}]}
    with open(os.path.join(scene.teacher, "hw.json"), "w") as file:
        json.dump(spec, file)
    before = scene.snapshot()
    results = os.path.join(scene.temporary, "results")
    teacher = os.open(scene.teacher, os.O_RDONLY | os.O_DIRECTORY)
    command = [thimble, "check", "--spec", os.path.join(scene.teacher, "hw.json"), "--output", results, *options,
               *(os.path.join(scene.folders, name) for name in sorted(os.listdir(scene.folders)))]
    graded = subprocess.run(command, capture_output=True, timeout=300, pass_fds=[teacher],
                            env={**os.environ, "TMPDIR": scene.temporary})
    os.close(teacher)
    assert graded.returncode == 1, graded
    assert scene.snapshot() == before, set(scene.snapshot()) ^ set(before)
    assert scene.victim.poll() is None, "the victim was killed"
    assert os.listdir(scene.temporary) == ["results"], os.listdir(scene.temporary)
    with open(os.path.join(results, "results.csv"), newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}, graded.stdout.decode()


def main():
    thimble, attack = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    signal.alarm(400)
    top = tempfile.mkdtemp(prefix="thimble-attacks-")
    scene = Scene(top, attack)
    try:
        see_them_succeed(scene, thimble)
        rows, lines = grade(scene, thimble)
        assert sorted(rows) == sorted(ALL + ["ann", "zoe"])
        for name, row in rows.items():
            expected = "passed" if name in ("ann", "zoe") else "failed"
            assert row["status"] == expected, f"{name}: {row['status']}, not {expected}\n{lines}"
            with open(os.path.join(scene.temporary, "results", name, "results.json")) as file:
                assert json.load(file)["score"] == (1 if expected == "passed" else 0)
        for name in TAKING + ["take-disk", "take-disk-unseen"]:
            assert f"FAIL  {name}: answer: status: stopped" in lines or "refused" in lines, (name, lines)
        print(lines)
    finally:
        scene.close()
        shutil.rmtree(top, ignore_errors=True)


main()
