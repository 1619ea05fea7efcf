"""Signals that reach Thimble itself: guests are told, and nothing that they wrote is lost."""
import json
import os
import pty
import select
import signal
import subprocess
import time

import thimble_case
from thimble_case import THIMBLE, ThimbleCase

TRAPPING = "trap 'echo told; exit 5' {signal}; echo ready; while :; do {body}; done"


class Signals(ThimbleCase):
    def start(self, *arguments, options=()):
        """A guest that has said "ready"."""
        child = subprocess.Popen([THIMBLE, "run", *options, "--", *arguments], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder)
        self.addCleanup(self.end, child)
        self.assertEqual(child.stdout.readline(), b"ready\n")
        return child

    @staticmethod
    def end(child):
        child.kill()
        child.communicate()

    def finish(self, child):
        output, errors = child.communicate(timeout=60)
        return child.returncode, output, errors

    def test_a_guest_that_computes_is_told(self):
        for name in "INT", "TERM", "HUP", "QUIT", "USR1":
            child = self.start("bash", "-c", TRAPPING.format(signal=name, body=":"))
            child.send_signal(getattr(signal, "SIG" + name))
            self.assertEqual(self.finish(child)[:2], (5, b"told\n"), name)

    def test_a_guest_that_sleeps_is_told(self):
        child = self.start("bash", "-c", TRAPPING.format(signal="TERM", body="read -t 30 line"))
        time.sleep(0.2)
        child.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(child)[:2], (5, b"told\n"))

    def test_without_a_handler_it_ends_as_it_would_natively(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE:
            child = self.start("sh", "-c", "echo ready; exec sleep 60")
            child.send_signal(number)
            self.assertEqual(self.finish(child)[:2], (128 + number, b""))

    def test_a_second_one_within_a_second_stops_the_machine(self):
        options = ["--stats-file", "summary.json"]
        child = self.start("sh", "-c", "trap '' TERM; echo ready; while :; do :; done", options=options)
        child.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        self.assertIsNone(child.poll())
        child.send_signal(signal.SIGTERM)
        status, _, errors = self.finish(child)
        self.assertEqual(status, 128 + signal.SIGTERM, errors)
        self.assertIn(b"thimble: stopped by Terminated", errors)
        summary = json.loads((self.folder / "summary.json").read_text())
        self.assertFalse(summary["complete"])
        self.assertEqual(summary["exit_status"], 128 + signal.SIGTERM)

    def test_dirty_pages_of_shared_files_are_written_back(self):
        path = self.folder / "data"
        path.write_bytes(b"." * 10000)
        script = ("import mmap, signal, sys\n"
                  "if sys.argv[1] == 'deaf': signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                  "file = open('data', 'r+b')\n"
                  "memory = mmap.mmap(file.fileno(), 0)\n"
                  "memory[0:3] = memory[5000:5003] = sys.argv[1][:3].encode()\n"
                  "print('ready', flush=True)\n"
                  "while True: signal.sigtimedwait([], 1)\n")
        for manner, signals in ("told", 1), ("deaf", 2):
            child = self.start("/usr/bin/python3", "-S", "-c", script, manner)
            for _ in range(signals):
                child.send_signal(signal.SIGTERM)
                time.sleep(0.2)
            self.assertEqual(self.finish(child)[0], 128 + signal.SIGTERM)
            content = path.read_bytes()
            self.assertEqual(content[0:3] + content[5000:5003], 2 * manner[:3].encode())
            self.assertEqual(len(content), 10000)

    def test_ctrl_c_on_a_terminal(self):
        script = "trap 'echo told; exit 5' INT; echo ready; sleep 60 | cat"
        child, terminal = pty.fork()
        if child == 0:
            os.execv(THIMBLE, [THIMBLE, "run", "--stats", "none", "--", "sh", "-c", script])
        self.addCleanup(os.close, terminal)
        self.assertIn(b"ready", os.read(terminal, 1000))
        time.sleep(0.5)
        os.write(terminal, b"\x03")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 5)
        self.assertIn(b"told", os.read(terminal, 1000))

    def shell(self):
        """An interactive shell of the host on a terminal, for job control."""
        child, terminal = pty.fork()
        if child == 0:
            os.environ.update(PS1="$ ", PATH="/usr/bin:/bin")
            os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
        self.addCleanup(os.close, terminal)
        self.addCleanup(os.waitpid, child, 0)
        self.addCleanup(os.kill, child, signal.SIGKILL)
        return terminal

    def expect(self, terminal, text):
        """Reads until the text has come, at most ten seconds."""
        seen, end = b"", time.monotonic() + 10
        while text not in seen:
            ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
            self.assertTrue(ready, f"{text} did not come, but {seen}")
            seen += os.read(terminal, 1000)
        return seen

    def run_script(self, terminal, script, shell):
        """In a file, so that the terminal's echo shows nothing of what it prints."""
        path = self.folder / "script"
        path.write_text(script)
        os.write(terminal, f"{THIMBLE} run --stats none -- {shell} {path}\n".encode())

    def test_ctrl_z_stops_the_job_and_fg_goes_on(self):
        terminal = self.shell()
        self.run_script(terminal, "trap 'echo continued' CONT; echo ready; read word; echo got $word", "bash")
        self.expect(terminal, b"ready")
        os.write(terminal, b"\x1a")
        self.expect(terminal, b"Stopped")
        os.write(terminal, b"echo outer$((1+1)); fg\n")
        self.expect(terminal, b"outer2")
        os.write(terminal, b"word\n")
        self.assertIn(b"continued", self.expect(terminal, b"got word"))

    def test_ctrl_z_within_a_shell_of_the_machine(self):
        terminal = self.shell()
        self.run_script(terminal, "sh -c 'echo running; exec sleep 60'\necho inner $$; kill %1; fg\n",
                        "bash --norc -m")
        self.expect(terminal, b"running")
        os.write(terminal, b"\x1a")
        self.expect(terminal, b"inner 2\r\n")  # it is the machine's shell that noticed
        self.expect(terminal, b"Terminated")

    def test_a_closed_pipe_is_the_guests_affair(self):
        command = f"{THIMBLE} run -- sh -c 'while echo yes; do :; done; echo not told >&2' | head -n 1"
        done = subprocess.run(["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (128 + signal.SIGPIPE, b"yes\n", b""))

    def test_what_the_caller_ignores_the_guest_ignores(self):
        command = f"trap '' HUP; exec {THIMBLE} run -- sh -c 'kill -HUP $$; echo alive'"
        done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"alive\n"))


if __name__ == "__main__":
    thimble_case.main()
