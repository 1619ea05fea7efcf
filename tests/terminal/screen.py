"""A program on a pseudo-terminal, and what a person would see there: pyte is the terminal."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import pyte

PATIENCE = 20  # seconds until something that must appear is missed
KEYS = {"right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[1~", "end": "\x1b[4~", "enter": "\r", "escape": "\x1b",
        "tab": "\t", "backspace": "\x7f"}


class Missing(AssertionError):
    pass


class Screen:
    """Runs `arguments` with a terminal of its own as controlling terminal."""

    def __init__(self, arguments, rows=24, columns=80, environment=None, cwd=None, stdin=None):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.status = None
        self.child, self.terminal = pty.fork()  # its size is set before the program can ask
        if self.child == 0:
            self.become(arguments, rows, columns, environment, cwd, stdin)

    def become(self, arguments, rows, columns, environment, cwd, stdin):
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            if stdin:
                os.dup2(os.open(stdin, os.O_RDONLY), 0)
            if cwd:
                os.chdir(cwd)
            base = {**os.environ, "TERM": "linux", "LC_ALL": "C.UTF-8"}  # pyte is no whole xterm
            base.pop("NO_COLOR", None)
            os.execve(arguments[0], [os.fspath(a) for a in arguments], {**base, **(environment or {})})
        finally:
            os._exit(99)

    def set_size(self, rows, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.set_size(rows, columns)
        os.kill(self.child, signal.SIGWINCH)

    def read(self, seconds):
        """Takes what is written within so many seconds; False: nothing."""
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if not ready:
            return False
        try:
            got = os.read(self.terminal, 65536)
        except OSError:  # nobody has it open any more
            return False
        self.raw += got
        self.stream.feed(got)
        return bool(got)

    def settle(self, seconds=0.3):
        """Reads until nothing has been written for a while."""
        while self.read(seconds):
            pass
        return self.lines()

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def wait(self, *wanted, absent=()):
        """Until all of these texts are to be seen, and none of `absent`."""
        end = time.monotonic() + PATIENCE
        while True:
            text = self.text()
            if all(w in text for w in wanted) and not any(a in text for a in absent):
                return text
            left = end - time.monotonic()
            if left <= 0:
                raise Missing(f"not to be seen: {wanted} without {absent}\n{text}")
            self.read(min(left, 0.5))

    def type(self, text):
        os.write(self.terminal, text.encode())

    def press(self, name):
        self.type(KEYS[name])

    def finish(self):
        """Until the program has ended; its exit status."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.read(0.05)
            child, status = os.waitpid(self.child, os.WNOHANG)
            if child:
                while self.read(0.05):
                    pass
                self.status = os.waitstatus_to_exitcode(status)
                return self.status
        raise Missing(f"it does not end\n{self.text()}")

    def cpu(self):
        """Seconds of processor time that it has used."""
        with open(f"/proc/{self.child}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        if self.status is None:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        os.close(self.terminal)
