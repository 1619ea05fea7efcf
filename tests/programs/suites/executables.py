"""Hostile executables: execve's result, and what becomes of the process, are those of the host's kernel."""
import os

import elf_files as elf
from cases import Case

NEW_ENOUGH = (6, 10)  # Linux maps zeroed tails as it does now since then


def kernel_is_new():
    return tuple(int(part) for part in os.uname().release.split(".")[:2]) >= NEW_ENOUGH


def write(folder, name, data, mode=0o755):
    path = folder / name
    path.write_bytes(data)
    path.chmod(mode)


def mutants(base, wanted):
    """Lays out a folder of files made from one."""
    def lay_out(folder):
        (folder / "all").mkdir()
        write(folder / "all", "0-right", base)
        for name, data in wanted(base):
            write(folder / "all", name, data)
    return lay_out


BASES = {"fixed": elf.build(), "independent": elf.build(elf.ET_DYN),
         "interpreted": elf.build(interpreter="/bin/true"),
         "interpreted-independent": elf.build(elf.ET_DYN, interpreter="/lib64/ld-linux-x86-64.so.2")}


def part(generate, index, of):
    """Each of the parts has every so-manieth of the changes."""
    def wanted(base):
        for i, change in enumerate(generate(base)):
            if i % of == index:
                yield change
    return wanted


def script(folder, name, text):
    write(folder, name, text if isinstance(text, bytes) else text.encode())


def odd_interpreters(folder):
    """What PT_INTERP and #! can name."""
    inside = folder / "all"
    inside.mkdir()
    write(inside, "data", b"no program at all")
    write(inside, "empty", b"")
    write(inside, "not-executable", elf.build(), 0o644)
    write(inside, "right", elf.build())
    (inside / "folder").mkdir()
    (inside / "loop").symlink_to("loop")
    os.mkfifo(inside / "fifo")
    for name in ("data", "empty", "right", "folder", "loop", "missing", "not-executable", "fifo", "right/below",
                 "x" * 300, "y/" * 2100, "", ".", "/", "/dev/null", "/proc/self/exe"):
        path = name if name.startswith("/") or len(name) < 2 else "./" + name
        label = name.replace("/", "_")[:20] or "nothing"
        write(inside, f"interpreted-{label}", elf.build(interpreter=path))
        script(inside, f"script-{label}", f"#!{path}\n")
    write(inside, "interpreted-itself", elf.build(interpreter="./interpreted-itself"))
    script(inside, "script-itself", "#!./script-itself\n")
    for depth in range(1, 9):
        script(inside, f"deep-{depth}", "#!./right\n" if depth == 1 else f"#!./deep-{depth - 1}\n")


def odd_lines(folder):
    """The #! line itself."""
    inside = folder / "all"
    inside.mkdir()
    echo = "/bin/echo"
    lines = {"plain": f"#!{echo}\n", "blanks": f"#!  \t {echo} \t a  b \t\n", "no-newline": f"#!{echo}", "only": "#!",
             "nothing": "#!\n", "only-blanks": "#!   \t \n", "carriage": f"#!{echo}\r\n", "nul": f"#!{echo}\0x\n",
             "nul-argument": f"#!{echo} a\0b\n", "tab": f"#!{echo}\ta\n", "space-before": f" #!{echo}\n",
             "relative": "#!echo\n", "byte": "#", "argument-blank": f"#!{echo} a b c\n"}
    for length in (250, 251, 252, 253, 254, 255, 256, 257, 258, 300):
        lines[f"long-argument-{length}"] = f"#!{echo} ".ljust(length, "a") + "\n"
        lines[f"long-name-{length}"] = "#!/".ljust(length, "a") + "\n"
        lines[f"long-blank-{length}"] = f"#!{echo}".ljust(length) + "\n"
        lines[f"blank-name-{length}"] = "#!".ljust(length - len(echo)) + echo + "\n"
    for name, line in lines.items():
        script(inside, name, line)


def case(name, lay_out, **keywords):
    return Case(name, ["{guests}/cpu/cpu-launch", "all"], files=lay_out, few=64, **keywords)


def cases():
    yield case("interpreters", odd_interpreters)
    yield case("lines", odd_lines)
    if not kernel_is_new():
        return
    for name, base in BASES.items():
        yield case(f"cut-{name}", mutants(base, elf.truncations))
        for index in range(8):
            yield case(f"changed-{name}-{index}", mutants(base, part(elf.single_changes, index, 8)),
                       full_only=index > 0, heavy=True)
        for seed in range(6):
            yield case(f"random-{name}-{seed}", mutants(base, lambda b, s=seed: elf.random_changes(b, s, 150)),
                       full_only=seed > 0, heavy=True)
