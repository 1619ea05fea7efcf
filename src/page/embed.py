#!/usr/bin/python3
"""embed.py [--table NAME] OUTPUT FILE...: the page's files as an assembly file with a table of them (struct
page_asset), NAME_table and NAME_count (default: page_asset).

A file NAME becomes the asset /NAME, page.html the asset /. The bytes are taken in by the assembler, so that
nothing is converted and a large file costs nothing."""
import os
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".c": "text/plain",
    ".h": "text/plain",
    "": "text/plain",
}


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def entry(number, path):
    name = os.path.basename(path)
    address = "/" if name == "page.html" else "/" + name
    mime = TYPES[os.path.splitext(name)[1]]
    data = f"""    .section .rodata
path_{number}: .asciz {quoted(address)}
type_{number}: .asciz {quoted(mime)}
bytes_{number}: .incbin {quoted(os.path.abspath(path))}
end_{number}: .byte 0
"""
    return data, f"    .quad path_{number}, type_{number}, bytes_{number}, end_{number} - bytes_{number}\n"


def main(table, output, paths):
    entries = [entry(number, path) for number, path in enumerate(paths)]
    with open(output, "w", encoding="utf-8") as file:
        file.write("/* Made by embed.py from the page's files. */\n")
        file.writelines(data for data, _ in entries)
        file.write(f"    .section .data.rel.ro, \"aw\"\n    .balign 8\n    .globl {table}_table\n{table}_table:\n")
        file.writelines(row for _, row in entries)
        file.write(f"    .globl {table}_count\n{table}_count: .quad {len(entries)}\n")
        file.write('    .section .note.GNU-stack, "", @progbits\n')


if sys.argv[1] == "--table":
    main(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    main("page_asset", sys.argv[1], sys.argv[2:])
