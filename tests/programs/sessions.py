"""A person at a terminal: the same keys typed on the host and in the machine, and what the screens show.

On the host a step is over when nothing more is printed for a while; where that was too early, on a busy host, the
session is typed again, more slowly. In the machine it is over when the screen is the host's, which is all that is
asked of it, and the machine waits for what comes next, however long it takes.
"""
import dataclasses
import difflib
import errno
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import pyte

import machine

QUIET = 0.35  # seconds without output until a step on the host is over
QUIET_ON_A_BUSY_HOST = 1.5
END = 5  # seconds until a program on the host must have ended
PATIENCE = 30  # seconds until the machine's screen must be the host's
ROWS, COLUMNS = 24, 80
ENVIRONMENT = {"TERM": "linux", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "PS1": "$ ", "HISTFILE": "/dev/null",
               "INPUTRC": "/dev/null"}


@dataclasses.dataclass
class Size:
    """A step: the window changes."""

    rows: int
    columns: int


@dataclasses.dataclass
class Wait:
    """A step: time passes; on the host it is given so many seconds more."""

    seconds: float


@dataclasses.dataclass
class Session:
    """steps: text is typed; see Size and Wait above. The program must end by itself with the last one."""

    name: str
    command: list
    steps: list
    files: object = None
    environment: dict | None = None
    mask: object = None  # a line of the screen → what is compared
    inside: bool = True  # the program runs in the machine; else it is a shell of the host, which starts machines by $RUN
    frames: str = "140"


class Terminal:
    """A program with a pseudo-terminal of its own, which controls it, and the screen at its other end."""

    def __init__(self, command, folder, environment, rows=ROWS, columns=COLUMNS):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.ended = False
        self.child, self.fd = pty.fork()
        if self.child == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.chdir(folder)
                os.execvpe(os.fspath(command[0]), [os.fspath(word) for word in command], environment)
            finally:
                os._exit(127)

    def read(self, seconds):
        """Takes what is printed within so many seconds. False: nothing is."""
        if self.ended or not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        self.ended = not data
        self.stream.feed(data)
        return bool(data)

    def do(self, step):
        if isinstance(step, Size):
            self.screen.resize(step.rows, step.columns)
            fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", step.rows, step.columns, 0, 0))
        elif isinstance(step, str):
            data = step.encode()
            while data:
                data = data[os.write(self.fd, data):]
                while self.read(0):
                    pass

    def settle(self, seconds):
        while self.read(seconds):
            pass

    def shown(self, mask):
        lines = [line.rstrip() for line in self.screen.display]
        lines = [mask(line) for line in lines] if mask else lines
        return [*lines, f"cursor {self.screen.cursor.y},{self.screen.cursor.x}"]

    def foreground(self):
        """The process that leads the terminal's foreground: the program, or a job that it has started."""
        try:
            return os.tcgetpgrp(self.fd) or self.child
        except OSError:
            return self.child

    def work(self):
        """What the program has done so far, None while it is at work."""
        try:
            with open(f"/proc/{self.foreground()}/stat", encoding="utf-8") as file:
                fields = file.read().rpartition(")")[2].split()
        except FileNotFoundError:
            return None
        return None if fields[0] in "RD" else [*fields[:1], *fields[11:13]]

    def is_idle(self):
        if self.ended:
            return True
        before = self.work()
        return before is not None and not self.read(0.04) and before == self.work()

    def end(self, seconds):
        """The status that the program ended with, None if it had to be killed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read(0.02)
            pid, status = os.waitpid(self.child, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.fd)
        return None


def environment_of(session, run=""):
    return machine.ENVIRONMENT | ENVIRONMENT | {"RUN": run} | (session.environment or {})


def record(session, workshop, quiet):
    """The screens after each step on the host, and the exit status."""
    workshop.prepare(session.files)
    terminal = Terminal(workshop.words(session.command), workshop.folder, environment_of(session))
    terminal.settle(quiet)
    screens = [terminal.shown(session.mask)]
    for step in session.steps:
        terminal.do(step)
        terminal.settle(quiet + (step.seconds if isinstance(step, Wait) else 0))
        screens.append(terminal.shown(session.mask))
    return screens, terminal.end(END)


def await_screen(terminal, expected, mask):
    deadline = time.monotonic() + PATIENCE
    while terminal.shown(mask) != expected or not terminal.is_idle():
        if time.monotonic() > deadline or (terminal.ended and not terminal.read(0)):
            return False
        terminal.read(0.1)
    return True


def difference(step, expected, got):
    lines = difflib.unified_diff(expected, got, "on the host", "in the machine", lineterm="", n=1)
    return f"after {step!r}:\n" + "\n".join(lines)


def replay(session, workshop, screens, status, options):
    """What differs in the machine; empty: nothing."""
    workshop.prepare(session.files)
    run = [os.fspath(workshop.thimble), "run", *options, "--stats", "none", "--"]
    command = [*(run if session.inside else []), *workshop.words(session.command)]
    terminal = Terminal(command, workshop.folder, environment_of(session, " ".join(run)))
    problems = []
    for step, expected in zip([None, *session.steps], screens):
        terminal.do(step)
        if not await_screen(terminal, expected, session.mask):
            problems.append(difference(step, expected, terminal.shown(session.mask)))
            break
    got = terminal.end(0.5 if problems else PATIENCE)
    if not problems and got != status:
        problems.append(f"exit status {got}, expected {status}")
    return problems


def compare(session, workshop, screens, status):
    """What differs in each size of machine: (the case's name, problems)."""
    if status is None:
        return [(session.name, ["does not end on the host; its screen:", *screens[-1]])]
    sizes = ["-n", "65536"], ["-n", session.frames, "--page-table", "array"]
    return [(f"{session.name}, {' '.join(size)}", replay(session, workshop, screens, status, size)) for size in sizes]


def check(session, workshop, report):
    recorded = record(session, workshop, QUIET)
    results = compare(session, workshop, *recorded)
    if any(problems for _, problems in results):
        # They count unless the host itself, given more time, shows something else.
        slowly = record(session, workshop, QUIET_ON_A_BUSY_HOST)
        if slowly != recorded:
            results = compare(session, workshop, *slowly)
    for name, problems in results:
        report(name, problems)
