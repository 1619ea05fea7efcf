"""Executables for the tests of exec: small ELF files that are right, and ways to spoil them."""
import dataclasses
import random
import struct

PAGE = 4096
ET_EXEC, ET_DYN = 2, 3
PT_LOAD, PT_INTERP, PT_GNU_STACK = 1, 3, 0x6474E551
R, W, X = 4, 2, 1

# Exits with 42 if a word of the data is 7 and a word behind it, of the bss, is 0; else with 1.
#     mov data(%rip), %edi; mov bss(%rip), %eax; cmp $7, %edi; jne 1f; test %eax, %eax; jne 1f
#     mov $42, %edi; jmp 2f; 1: mov $1, %edi; 2: mov $60, %eax; syscall
CODE = (b"\x8b\x3d%b\x8b\x05%b\x83\xff\x07\x75\x0b\x85\xc0\x75\x07\xbf\x2a\0\0\0\xeb\x05\xbf\x01\0\0\0"
        b"\xb8\x3c\0\0\0\x0f\x05")
CODE_OFFSET = 0x200
DATA_OFFSET = 0x1000  # and where it is in memory, relative to the beginning
BSS_DISTANCE = 0x10

HEADER_FIELDS = {"class": (4, 1), "data": (5, 1), "version1": (6, 1), "abi": (7, 1), "type": (16, 2),
                 "machine": (18, 2), "version": (20, 4), "entry": (24, 8), "phoff": (32, 8), "shoff": (40, 8),
                 "flags": (48, 4), "ehsize": (52, 2), "phentsize": (54, 2), "phnum": (56, 2), "shentsize": (58, 2),
                 "shnum": (60, 2), "shstrndx": (62, 2)}
SEGMENT_FIELDS = {"type": (0, 4), "flags": (4, 4), "offset": (8, 8), "vaddr": (16, 8), "paddr": (24, 8),
                  "filesz": (32, 8), "memsz": (40, 8), "align": (48, 8)}
HEADER_BYTES, SEGMENT_BYTES = 64, 56


def code(offset):
    """The program, at that offset; its data are DATA_OFFSET behind the beginning."""
    data = struct.pack("<i", DATA_OFFSET - (offset + 6))
    bss = struct.pack("<i", DATA_OFFSET + BSS_DISTANCE - (offset + 12))
    return CODE.replace(b"%b", data, 1).replace(b"%b", bss, 1)


def build(kind=ET_EXEC, base=0x400000, interpreter=None, stack=R | W):
    """Code and data in a page each, then the interpreter's name."""
    base = 0 if kind == ET_DYN else base
    name = interpreter.encode() + b"\0" if interpreter is not None else b""
    segments = [(PT_LOAD, R | X, 0, base, 0x300, 0x300, PAGE),
                (PT_LOAD, R | W, DATA_OFFSET, base + DATA_OFFSET, 8, 0x2000, PAGE),
                (PT_GNU_STACK, stack, 0, 0, 0, 0, 16)]
    if interpreter is not None:
        segments.insert(0, (PT_INTERP, R, DATA_OFFSET + 8, 0, len(name), len(name), 1))
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", kind, 62, 1, base + CODE_OFFSET, HEADER_BYTES, 0, 0,
                         HEADER_BYTES, SEGMENT_BYTES, len(segments), 0, 0, 0)
    table = b"".join(struct.pack("<IIQQQQQQ", t, flags, offset, address, address, filesz, memsz, align)
                     for t, flags, offset, address, filesz, memsz, align in segments)
    text = (header + table).ljust(CODE_OFFSET, b"\0") + code(CODE_OFFSET)
    return text.ljust(DATA_OFFSET, b"\0") + struct.pack("<II", 7, 8) + name


@dataclasses.dataclass(frozen=True)
class Field:
    """A number in the file."""

    name: str
    offset: int
    bytes: int

    def read(self, data):
        return int.from_bytes(data[self.offset:self.offset + self.bytes], "little")

    def write(self, data, value):
        value %= 1 << 8 * self.bytes
        return data[:self.offset] + value.to_bytes(self.bytes, "little") + data[self.offset + self.bytes:]


def fields(data):
    """All that a program loader may look at."""
    found = [Field(name, *where) for name, where in HEADER_FIELDS.items()]
    for i in range(int.from_bytes(data[56:58], "little")):
        start = HEADER_BYTES + i * SEGMENT_BYTES
        found += [Field(f"segment{i}-{name}", start + at, size) for name, (at, size) in SEGMENT_FIELDS.items()]
    return found


BOUNDARIES = (0, 1, 2, 3, 7, 8, 16, 0x38, 0x40, 0xff, 0xfff, PAGE, PAGE + 1, 0xffff, 0x10000, 0x7fffffff, 0xffffffff,
              0x7ffffffde000, 0x7fffffffe000, 0x7fffffffefff, 0x7ffffffff000, 0x7fffffffffff, 0x800000000000,
              0xffff800000000000, 0xffffffffff600000, (1 << 62), (1 << 63) - 1, 1 << 63, (1 << 63) + PAGE, -PAGE - 1,
              -PAGE, -1)
DELTAS = (-PAGE, -8, -1, 1, 8, PAGE, 2 * PAGE)


def is_left_out(field, value):
    """What depends on who executes the file: addresses below vm.mmap_min_addr, where a segment comes to be with a fixed
    type or an enormous alignment; and what depends on how much memory there is."""
    value %= 1 << 8 * field.bytes
    low = field.name.endswith("vaddr") and value < 0x20000
    fixed = field.name == "type" and value == ET_EXEC
    aligned = field.name.endswith("align") and value >= 1 << 40
    large = field.name.endswith("memsz") and 1 << 28 <= value < 1 << 40
    return low or fixed or aligned or large


def single_changes(data):
    """(name, file) with one number changed."""
    for field in fields(data):
        old = field.read(data)
        values = {value % (1 << 8 * field.bytes) for value in BOUNDARIES} | {old + delta for delta in DELTAS}
        for value in sorted(values - {old}):
            if not is_left_out(field, value):
                yield f"{field.name}={value % (1 << 8 * field.bytes):x}", field.write(data, value)


def random_changes(data, seed, count):
    """(name, file) with several numbers changed."""
    draw = random.Random(seed)
    choices = fields(data)
    for i in range(count):
        changed, names = data, []
        for field in draw.sample(choices, draw.choice((2, 2, 3, 4))):
            value = draw.choice(BOUNDARIES) if draw.random() < 0.5 else field.read(data) + draw.choice(DELTAS)
            if not is_left_out(field, value):
                changed = field.write(changed, value)
                names.append(field.name)
        yield f"random{seed}-{i}-" + "-".join(names), changed


def truncations(data):
    for length in (0, 1, 3, 4, 16, 18, 20, 32, 56, 63, 64, 65, 100, 120, 176, 231, 232, 0x200, 0x22a, DATA_OFFSET - 1,
                   DATA_OFFSET, DATA_OFFSET + 4, DATA_OFFSET + 8):
        if length < len(data):
            yield f"cut-{length}", data[:length]
