#!/usr/bin/python3
"""docs/SYSTEM-CALLS.md names exactly the handlers that there are, where they are, and every call of this host's
headers up to the last one that it knows. Reports in TAP.

    system-calls.py SOURCE-FOLDER
"""
import pathlib
import re
import sys

SOURCE = pathlib.Path(sys.argv[1])
HEADERS = [pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), pathlib.Path("/usr/include/asm/unistd_64.h")]
ROW = re.compile(r"\| (\d+) \| `(\w+)` \| (ours|host|both|refused|never|not) \| (?:`([\w.]+)`)? \| (.*) \|$", re.M)
HANDLER = re.compile(r'\{(?:SYS_)?(\w+),\s*"(\w+)",\s*\w+\}')


def documented():
    text = (SOURCE / "docs/SYSTEM-CALLS.md").read_text()
    return {name: (int(number), way, where, remarks) for number, name, way, where, remarks in ROW.findall(text)}


def handlers():
    found = {"restart_syscall": "syscall.c"}  # entered by syscall.c itself
    for path in sorted((SOURCE / "src/kernel").rglob("*.c")):
        for _, name in HANDLER.findall(path.read_text()):
            found[name] = path.name
    return found


def numbers():
    header = next(path for path in HEADERS if path.exists()).read_text()
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", header)}


def main():
    rows, there, known = documented(), handlers(), numbers()
    last = max(number for number, *_ in rows.values())
    carried_out = {name: row for name, row in rows.items() if row[1] != "not"}
    checks = {
        "every handler is in the table": sorted(set(there) - set(carried_out)),
        "everything that is carried out has a handler": sorted(set(carried_out) - set(there)),
        "the table says where": sorted(n for n, row in carried_out.items() if n in there and there[n] != row[2]),
        "what is not implemented has a reason": sorted(n for n, row in rows.items() if row[1] == "not" and not row[3]),
        "every call of the headers is in the table": sorted(n for n, i in known.items() if i <= last and n not in rows),
        "the numbers are right": sorted(n for n, row in rows.items() if n in known and known[n] != row[0]),
    }
    print(f"1..{len(checks)}")
    for i, (what, wrong) in enumerate(checks.items(), 1):
        print(f"{'not ' if wrong else ''}ok {i} - {what}" + (f" # {' '.join(wrong)}" if wrong else ""))
    return any(checks.values())


sys.exit(main())
