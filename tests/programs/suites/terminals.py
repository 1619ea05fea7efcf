"""People at terminals: shells with job control, editors, pagers, multiplexers, and programs that make terminals."""
import re

import sessions
from cases import Case, differences
from sessions import Session, Size, Wait

UP, DOWN, LEFT, RIGHT = "\x1b[A", "\x1b[B", "\x1b[D", "\x1b[C"
BASH = ["bash", "--norc", "--noprofile", "-i"]


def mask_numbers(line):
    """Process numbers in what bash says of jobs, which of them it calls the current one, and dumped cores."""
    line = re.sub(r"(\[\d+\][+-]?) +\d+", r"\1 PID", line)
    line = re.sub(r"^\[\d+\] \d+$", "[JOB] PID", line)
    line = re.sub(r"^(\[\d+\])[+-]? +(Killed|Terminated)", r"\1 \2", line)
    return line.replace(" (core dumped)", "")


def mask_age(line):
    """How long ago a change was made, which vi tells of what it takes back."""
    return re.sub(r"  (\d+ seconds? ago|\d\d:\d\d:\d\d)", "  AGE", line)


def text_files(folder):
    (folder / "poem").write_text("".join(f"line {n} of the poem\n" for n in range(1, 101)))
    (folder / "prose").write_text("It was a dark and stormy night.\n")


def tmux_files(folder):
    (folder / "conf").write_text("set -g status off\nset -g default-command 'bash --norc --noprofile'\nset -g escape-time 0\n")


SESSIONS = [
    Session("edit", BASH, [
        "echo one two three\r", "echo onex" + LEFT + "\x04\x7f\x7fn" + LEFT * 2 + "w\r", UP, UP + "\r", "echo \x12tw", "\r",
        "cat p\t", "\t", "oem | head -\x01time \x05" + "3", "\x15true\r", "echo a b c\x17\x17\x19\x19\r",
        "\x1b[200~echo pasted\necho more\x1b[201~", "\r", "echo 'öä€'" + LEFT * 2 + "\x7f\r", "printf '%s\\n' {1..30}\r", "\x0c",
        "stty size; stty -a | grep -o '.icanon'\r", "\x04"], text_files),
    Session("jobs", BASH, [
        "sleep 100\r", "\x03", "echo $?\r", "sleep 100\r", "\x1a", "jobs\r", "bg\r", "jobs\r", "fg\r", "\x03", "sleep 50 & sleep 0.2\r",
        "kill %1; sleep 0.3\r", Wait(0.5), "\r", "cat\r", "a line\r", "\x1a", "fg\r", "\x04", "sleep 100\r", "\x1c", "echo $?\r", "cat & sleep 0.3\r", Wait(0.5), "\r",
        "kill -9 %1; sleep 0.3\r", Wait(0.5), "\r", "stty tostop; echo late & sleep 0.3\r", Wait(0.5), "\r", "stty -tostop; fg\r", "read -t 0.2 x; echo $?\r",
        "read -n 3 x\r", "abc", "sleep 0.1 & wait; echo waited\r", Wait(0.3), "sleep 100 & disown; jobs; kill $!\r",
        "bash --norc\r", "sleep 100\r", "\x1a", "exit\r", "exit\r", "jobs\r", "trap 'echo INT' INT; sleep 1\r", "\x03", "(sleep 100; echo no)\r", "\x03",
        "sleep 100 | cat\r", "\x1a", "jobs -l | wc -l; kill -9 %1; sleep 0.3\r", Wait(0.5), "exit 3\r"], mask=mask_numbers),
    Session("outer", BASH, [
        "$RUN cat & sleep 1\r", Wait(1.2), "\r", "fg\r", "hello\r", "\x04", "(trap : INT; $RUN sleep 100; echo $?)\r", "\x1a", "jobs\r", "bg\r", "fg\r", "\x03",
        "$RUN sh -c 'kill -STOP $$; echo on'\r", "fg\r", "stty tostop; $RUN echo late & sleep 1\r", Wait(1.2), "\r", "fg\r", "stty -tostop\r",
        "$RUN bash --norc --noprofile -i\r", "echo in\r", "sleep 100\r", "\x1a", "kill -9 %1; sleep 0.2\r", Wait(0.5), "suspend\r", "jobs\r", "fg\r", "exit\r",
        "$RUN bash --norc --noprofile -i & sleep 1\r", Wait(1.2), "\r", "fg\r", "echo back\r", "exit\r", "$RUN sleep 100 | cat\r", "\x1a", "fg\r", "\x03",
        "$RUN vi -u NONE prose\r", "\x1a", "fg\r", ":q!\r", "exit\r"], text_files,
        mask=mask_numbers, inside=False),
    Session("size", BASH, ["stty size; trap 'stty size' WINCH; echo $LINES $COLUMNS\r", Size(30, 100), "\r", "sleep 1\r", Size(20, 60),
                           Wait(1.2), "echo $LINES $COLUMNS\r", "exit\r"]),
    Session("script", BASH, [
        "script -q /dev/null\r", "PS1='> '; tty | cut -c1-9; stty size\r", Size(30, 90), "stty size\r", "sleep 100\r", "\x03",
        "sleep 100\r", "\x1a", "jobs\r", "fg\r", "\x03", "exit 7\r", "script -qec 'exit 9' /dev/null; echo $?\r", "exit\r"]),
    Session("python", BASH, [
        "/usr/bin/python3 -c 'import pty; pty.spawn([\"bash\", \"--norc\"])'\r", "echo inside; tty < /dev/tty | cut -c1-9\r", "sleep 100\r",
        "\x03", "cat\r", "typed\r", "\x04", "\x1c", "\x04", "exit\r"]),
    Session("tmux", BASH, [
        "unset TMUX; tmux -S ./socket -f ./conf new-session\r", "echo first pane\r", "\x02%", "echo second pane\r", "stty size\r",
        "\x02o", "sleep 100\r", "\x1a", "jobs\r", Size(20, 70), "\x02d", "echo detached\r", "tmux -S ./socket attach\r",
        "kill -9 %1\r", "exit\r", "exit\r", "exit\r"], tmux_files, frames="400"),
    Session("less", ["less", "poem"], [" ", "b", "/line 42\r", "n", "G", Size(12, 50), "g", "q"], text_files),
    Session("more", ["more", "poem"], [" ", "\r", "q"], text_files),
    Session("nano", ["nano", "-I", "prose"], ["Once upon a time:\r", DOWN, "\x0b", "\x15\x15", "\x17dark\r", "\x0f\r", Size(15, 60), "\x18"],
            text_files),
    Session("vi", ["vi", "-u", "NONE", "prose"],
        ["ihello\rworld\x1b", "ggdd", "p", ":s/o/0/g\r", "u", Size(18, 70), ":w\r", ":q\r"], text_files,
        mask=mask_age),
]


def cases():
    return [Case(name, ["{guests}/terminals/terminals-" + name], few=48) for name in ("ends", "requests", "reading", "jobs")]


def in_a_sandbox(workshop, report, full):
    """Programs make terminals in a sandbox as they do outside."""
    for name in ("ends", "jobs"):
        case = Case(name, ["{guests}/terminals/terminals-" + name])
        native = workshop.native(case)
        result = workshop.machine(case, ["-n", "65536", "--files", "overlay"], case.timeout)
        report(name, differences(case, native, result))


def make_check(session):
    """A check of its own, so that each can be run alone."""

    def run(workshop, report, full):
        sessions.check(session, workshop, report)

    run.__name__ = session.name
    return run


def checks():
    return [*[make_check(session) for session in SESSIONS], in_a_sandbox]
