"""What the lecture's pictures show, written down from the lecture itself, not from what Thimble draws.

A table maps the number of a cell (VPN0 ... VPN9) to its entry:

    "r-x PP4 mypgm 1"     permissions, an arrow to frame PP4, which holds page 1 of the file mypgm
    "rw- PP5 swap 11"     the same, for a page of the swap area
    "--- -> swap 6"       a dashed arrow: the page is on the disk and was in memory before (coloured)
    "--- -> numbers 0"    a dashed arrow to a page of a file that nobody has touched (not coloured)

Cells that are not named have no permissions, no arrow and no colour. Every frame that no table names is reserved
(PP0 - PP2) or free.
"""

MYPGM, BASH, LS = "/home/jovyan/mypgm", "/bin/bash", "/bin/ls"
MYPGM2, NUMBERS, MYFUNC = "/home/jovyan/mypgm2", "/home/jovyan/numbers.bin", "/home/jovyan/myfunc.so"
USE1, USE2 = "/home/jovyan/usesumshared1dynamic", "/home/jovyan/usesumshared2dynamic"
SUMIT = "/home/jovyan/sumitshared.so"
FILES = {"mypgm": MYPGM, "bash": BASH, "ls": LS, "mypgm2": MYPGM2, "numbers": NUMBERS, "myfunc": MYFUNC, "ld.so": "ld.so",
         "use1": USE1, "use2": USE2, "sumit": SUMIT}

# 012: pid 21 with text, read-only data and stack; pid 7 with text and stack.
TABLE_21 = {1: "r-x PP4 mypgm 1", 3: "r-- PP6 mypgm 5", 5: "rw- PP5 swap 11"}
TABLE_7 = {1: "r-x PP8 bash 3", 6: "rw- PP3 swap 6"}
HEAP_7 = {**TABLE_7, 5: "rw- PP7 swap 24"}
EVICTED_7 = {**HEAP_7, 6: "--- -> swap 6"}
DISK = [(MYPGM, 9), (BASH, None), (LS, None)]


def two(register, table_21, table_7, free, written=(), kind="tables", **more):
    return {"kind": kind, "register": register, "names": {21: MYPGM, 7: BASH}, "order": [21, 7],
            "tables": {21: table_21, 7: table_7}, "free": free, "files": DISK, "written": list(written), **more}


def dashed(name, pages=(0, 1, 2, 3)):
    return {6 + page: f"--- -> {name} {page}" for page in pages}


# 019: pid 21 alone; the file's pages appear at VPN6 - VPN9.
def alone(table, free):
    return {"kind": "tables", "register": 21, "names": {21: MYPGM}, "order": [21], "tables": {21: table}, "free": free,
            "files": [(NUMBERS, 4), (MYPGM, 9)], "written": []}


# 022, 023: both processes have touched page 1 of one file.
def shared(name, access):
    page = {7: f"{access} PP7 {name} 1"}
    return {"kind": "tables", "register": 21, "names": {21: MYPGM, 42: MYPGM2}, "order": [21, 42],
            "tables": {21: {**TABLE_21, **dashed(name, (0, 2, 3)), **page},
                       42: {1: "r-x PP3 mypgm2 3", **dashed(name, (0, 2, 3)), **page}},
            "free": [8], "files": [(FILES[name], 4), (MYPGM, 9), (MYPGM2, None)], "written": []}


EMPTY = {"register": None, "names": {}, "order": [], "tables": {}, "free": [3, 4, 5, 6, 7, 8], "files": [], "written": []}

PICTURES = {
    "000": {**EMPTY, "kind": "computer"},
    "001": {**EMPTY, "kind": "computer"},
    "002": {**EMPTY, "kind": "memory"},
    "003": {**EMPTY, "kind": "frames"},
    "004": {**EMPTY, "kind": "pool"},
    "005": {**EMPTY, "kind": "spaces", "order": [7], "tables": {7: {}}, "files": [("/home/jovyan/unmap-all", 2)]},
    # A program that has emptied its own address space; the page of its file that it ran from stays in memory.
    "006": {**EMPTY, "kind": "table", "order": [7], "tables": {7: {}}, "register": 7, "free": None,
            "files": [("/home/jovyan/unmap-all", 2)]},
    "007": two(21, TABLE_21, TABLE_7, [7], kind="table"),
    "008": two(7, TABLE_21, TABLE_7, [7], kind="table"),
    # Swap pages are not drawn in 009: memory of no file has none before it is evicted.
    "009": {"kind": "contexts", "register": 21, "names": {12: LS, 7: BASH, 3: BASH, 21: "~/mypgm"}, "order": [12, 7, 3, 21],
            "tables": {21: {1: "r-x PP4 ~/mypgm 1", 3: "r-- PP6 ~/mypgm 5", 5: "rw- PP5 swap -"}}, "free": None,
            "files": [("~/mypgm", 9), (BASH, None), (LS, None)], "written": []},
    "012": two(7, TABLE_21, TABLE_7, [7]),
    "013": two(7, TABLE_21, HEAP_7, []),
    "014": two(21, TABLE_21, HEAP_7, [], faulting=(21, 4)),
    "015": two(21, TABLE_21, HEAP_7, [], faulting=(21, 4), victim=3),
    "016": two(21, TABLE_21, HEAP_7, [], faulting=(21, 4), victim=3, written=[6]),
    # PP3 is nobody's for the moment: unmapped from pid 7, not yet given to pid 21.
    "017": two(21, TABLE_21, EVICTED_7, [], faulting=(21, 4), victim=3, written=[6]),
    "018": two(21, {**TABLE_21, 4: "rw- PP3 mypgm 6"}, EVICTED_7, [], written=[6]),
    "019": alone(TABLE_21, [3, 7, 8]),
    "020": alone({**TABLE_21, **dashed("numbers")}, [3, 7, 8]),
    "021": alone({**TABLE_21, **dashed("numbers", (0, 2, 3)), 7: "rw- PP7 numbers 1"}, [3, 8]),
    "022": shared("numbers", "rw-"),
    "023": shared("myfunc", "rwx"),
    "023b": shared("myfunc", "r-x"),
    "026": {"kind": "sharing", "register": None, "names": {21: USE1, 42: USE2}, "order": [21, 42],
            "tables": {21: {0: "r-x PP8 ld.so 0", 1: "r-x PP4 use1 1", 3: "r-- PP6 use1 5", 5: "rw- PP5 swap 11",
                            7: "r-x PP7 sumit 1"},
                       42: {0: "r-x PP8 ld.so 0", 1: "r-x PP3 use2 3", 7: "r-x PP7 sumit 1"}},
            "free": [], "files": [(USE1, 9), (USE2, None), ("ld.so", 1), (SUMIT, 4)], "written": []},
    "contexts2": {"kind": "system", "register": 21, "names": {12: LS, 7: BASH, 3: BASH, 21: "~/mypgm"},
                  "order": [12, 7, 3, 21], "tables": {}, "free": None,
                  "files": [("~/mypgm", 9), (BASH, None), (LS, None)], "written": []},
}
