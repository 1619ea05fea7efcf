"""Assembly without libc: what students write. All in nine frames, three of them the OS's."""
import struct

from cases import SMALL, TINY, Case

TWO_PROCESSES = {"array": ("-n", "9"), "x86-64": ("-n", "28")}  # seven frames of page table for each


def numbers(folder):
    """4,000 64-bit numbers: eight pages of file."""
    (folder / "numbers.bin").write_bytes(struct.pack("<4000Q", *(i * i + 7 for i in range(4000))))


def poem(folder):
    lines = (f"{i:4} a banana and a pineapple, and an apple at last\n" for i in range(600))
    (folder / "poem.txt").write_text("".join(lines))


def case(name, *arguments, **keywords):
    keywords.setdefault("smallest", TINY)
    return Case(name, ["{guests}/asm-" + name, *arguments], few=12, **keywords)


def cases():
    yield case("print")
    yield case("sum-bss", "numbers.bin", files=numbers)
    yield case("sum-heap", "numbers.bin", files=numbers)
    yield case("brk")
    yield case("shout", "poem.txt", files=poem)
    yield case("selfmod")
    yield case("trap")
    yield case("wild")
    yield case("wide")
    yield case("layout", stdin=b"go on\n")
    yield case("share", "{guests}/libsharedsum.so", smallest=TWO_PROCESSES)
    yield case("usesum-static")
    yield case("usesum-dynamic", smallest=SMALL)
    yield Case("layout-maps", ["bash", "-c", LAYOUT_MAPS, "bash", "{guests}/asm-layout"])


# The program waits in its read; somebody else looks at its mappings. ($! is its pid, the name is its own.)
LAYOUT_MAPS = r"""
mkfifo go
: > told
"$1" < go > told &
exec 3> go
until [ "$(wc -l < told)" -ge 5 ]; do sleep 0.01; done
sed 's/^\([0-9a-f]*-[0-9a-f]* .... [0-9a-f]*\) .*asm-layout$/\1 asm-layout/; s/^[0-9a-f]*-[0-9a-f]* \(....\) .*\(\[stack\]\)/\1 \2/' \
    /proc/$!/maps | grep -E 'asm-layout$|stack'
echo now >&3
exec 3>&-
wait $!
echo $?
cat told
"""
