"""The lecture's pictures, drawn from programs that run, against what the lecture says (expected.py).

    lecture.py THIMBLE

One case a picture compares the JSON of the drawn state; another one asks the SVG whether it says what the JSON says.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import expected
import picture_svg

THIMBLE = None
FRAMES, RESERVED, SWAP = 9, 3, 28
DRAWN = {}  # name → {"json": state, "svg": root element}, each picture drawn once


def draw(name, kind):
    found = DRAWN.setdefault(name, {})
    if kind not in found:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "picture." + kind)
            subprocess.run([THIMBLE, "scenario", "draw", "lecture/" + name, "-o", path], check=True, timeout=60,
                           stdin=subprocess.DEVNULL)
            text = path.read_text()
        found[kind] = json.loads(text) if kind == "json" else xml.etree.ElementTree.fromstring(text)
    return found[kind]


def short(name):
    """The short name of a file that is drawn under this one."""
    for key, value in expected.FILES.items():
        if value == name:
            return key
    return name


def disk_text(disk):
    if disk is None:
        return "nothing"
    if disk["source"] == "swap":
        return "swap " + ("-" if disk["slot"] is None else str(disk["slot"]))
    return f"{short(disk['name'])} {disk['page']}"


def cell_text(cell):
    """A cell of the drawn table in the words of expected.py; None: nothing is there."""
    if cell["arrow"] == "frame":
        return f"{cell['access']} PP{cell['frame']} {disk_text(cell['disk'])}"
    if cell["arrow"] == "disk":
        return f"{cell['access']} -> {disk_text(cell['disk'])}"
    return None if cell["access"] == "---" else cell["access"] + " without an arrow"


def is_coloured(text):
    """Whether a cell with this entry has been touched."""
    return text is not None and ("PP" in text or "-> swap" in text)


def frame_text(state, number):
    """A frame as it is labelled: "PP3 (6)"."""
    disk = next(frame["disk"] for frame in state["frames"] if frame["number"] == number)
    page = disk["page"] if disk["source"] == "file" else disk["slot"]
    return f"PP{number}" if page is None else f"PP{number} ({page})"


def arrow_of(state, cell):
    """(is dashed, what it leads to: "PP3 (6)", "swap 6", "/bin/bash 3") of a cell's arrow."""
    disk = cell["disk"]
    if cell["arrow"] == "frame":
        return False, frame_text(state, cell["frame"])
    if cell["arrow"] == "disk":
        return True, f"swap {disk['slot']}" if disk["source"] == "swap" else f"{disk['name']} {disk['page']}"
    return None, None


class Lecture(unittest.TestCase):
    maxDiff = None

    def check_tables(self, state, want):
        order = [process["pid"] for process in state["processes"]]
        self.assertEqual(order, want["order"])
        for process in state["processes"]:
            pid = process["pid"]
            if pid in want["names"]:
                self.assertEqual(process["name"], want["names"][pid])
            if pid not in want["tables"]:
                continue
            self.assertEqual([cell["number"] for cell in process["table"]], list(range(10)), f"cells of pid {pid}")
            drawn = {cell["number"]: cell_text(cell) for cell in process["table"]}
            table = {number: want["tables"][pid].get(number) for number in range(10)}
            self.assertEqual(drawn, table, f"table of pid {pid}")
            for cell in process["table"]:
                self.assertEqual(cell["touched"], is_coloured(table[cell["number"]]), f"colour of {cell}")
                faulting = want.get("faulting") == (pid, cell["number"])
                self.assertEqual(cell["faulting"], faulting, f"fault at {cell}")

    def check_frames(self, state, want):
        self.assertEqual([frame["number"] for frame in state["frames"]], list(range(FRAMES)))
        self.assertEqual(state["reserved"], list(range(RESERVED)))
        if want["free"] is not None:
            self.assertEqual(state["free"], want["free"])
        holds, mappers = {}, {}
        for table in want["tables"].values():
            for text in table.values():
                found = re.fullmatch(r"... PP(\d+) (.*)", text)
                if found:
                    frame = int(found[1])
                    holds[frame] = found[2]
                    mappers[frame] = mappers.get(frame, 0) + 1
        for frame in state["frames"]:
            number = frame["number"]
            if number in holds:
                self.assertEqual((disk_text(frame["disk"]), frame["mappers"]), (holds[number], mappers[number]),
                                 f"PP{number}")
            self.assertEqual(frame["victim"], want.get("victim") == number, f"victim PP{number}")
        taken = {frame["number"] for frame in state["frames"] if frame["use"] not in ("free", "reserved")}
        if want["free"] is not None:
            victim = {want["victim"]} if "victim" in want else set()
            self.assertEqual(taken, set(holds) | victim)

    def check_disk(self, state, want):
        files = [(file["name"], file["pages"]) for file in state["files"]]
        self.assertEqual([name for name, _ in files], [name for name, _ in want["files"]])
        for (name, pages), (_, wanted) in zip(files, want["files"]):
            if wanted is not None:
                self.assertEqual(pages, wanted, f"pages of {name}")
        slots = state["swap"]["slots"]
        self.assertEqual([slot["number"] for slot in slots], list(range(SWAP)))
        self.assertEqual([slot["number"] for slot in slots if slot["written"]], want["written"])
        owned = set()
        for table in want["tables"].values():
            for text in table.values():
                found = re.search(r"swap (\d+)$", text)
                owned |= {int(found[1])} if found else set()
        self.assertEqual({slot["number"] for slot in slots if slot["used"]}, owned)

    def check_picture(self, name):
        state, want = draw(name, "json"), expected.PICTURES[name]
        self.assertEqual(state["kind"], want["kind"])
        if name != "026":  # no CPU is drawn there
            self.assertEqual(state["register"] and state["register"]["pid"], want["register"])
        self.check_tables(state, want)
        self.check_frames(state, want)
        self.check_disk(state, want)
        self.assertTrue(state["narration"].strip(), "a picture without a sentence")

    def check_svg_tables(self, state, drawing):
        """Permissions and arrows of each table, and where the register points."""
        tables = drawing.tables()
        self.assertEqual(set(tables), {process["pid"] for process in state["processes"]})
        self.assertEqual(drawing.register(), state["register"]["pid"])
        for process in state["processes"]:
            entries = tables[process["pid"]]
            self.assertEqual(len(entries), len(process["table"]))
            for cell, (access, dashed, target) in zip(process["table"], entries):
                self.assertEqual(access, cell["access"])
                self.assertEqual((dashed, target), arrow_of(state, cell), f"arrow of {cell}")

    def check_svg_memory(self, state, drawing):
        named = sorted(int(match[1]) for match, _, _ in drawing.find(r"PP(\d+)"))
        self.assertEqual(named, list(range(FRAMES)))
        self.assertEqual(drawing.pool("Free Pool.*"), state["free"])
        self.assertEqual(drawing.pool("Reserved for OS.*"), state["reserved"])

    def check_svg_disk(self, state, drawing):
        self.assertEqual(drawing.swap(), {slot["number"]: slot["written"] for slot in state["swap"]["slots"]})
        for file in state["files"]:
            pages = [drawing.fill_of_page(file["name"], page) for page in range(file["pages"])]
            self.assertEqual(len(set(pages)), 1, f"colours of {file['name']}: {pages}")
        for frame in state["frames"]:
            disk = frame["disk"]
            if disk and disk["source"] == "file":
                colour = drawing.fill_of_page(disk["name"], disk["page"])
                self.assertEqual(drawing.fill_of_frame(frame["number"]), colour, f"colour of PP{frame['number']}")

    def check_svg(self, name):
        state, root = draw(name, "json"), draw(name, "svg")
        drawing = picture_svg.Drawing(root, {file["name"] for file in state["files"]})
        strips = {process["pid"]: {cell["number"]: cell["touched"] for cell in process["table"]}
                  for process in state["processes"]}
        if state["kind"] in ("tables", "table", "sharing", "spaces"):
            self.assertEqual(drawing.strips(), strips)
        if state["kind"] in ("tables", "table"):
            self.check_svg_tables(state, drawing)
            self.check_svg_memory(state, drawing)
        if state["kind"] == "tables":
            self.check_svg_disk(state, drawing)
        if state["kind"] == "sharing":
            self.check_svg_sharing(state, drawing)

    def check_svg_sharing(self, state, drawing):
        """Arrows lead from the strips' cells straight to frames."""
        wanted = sorted(frame_text(state, cell["frame"]) for process in state["processes"]
                        for cell in process["table"] if cell["arrow"] == "frame")
        self.assertEqual(sorted(drawing.target(arrow) for arrow in drawing.arrows), wanted)

    def test_many_address_spaces(self):
        """010, 011: more addresses than anybody has memory, more pages than this machine has frames."""
        for name, least in (("010", 12), ("011", 36)):
            state = draw(name, "json")
            self.assertEqual(state["kind"], "spaces")
            self.assertEqual(len(state["processes"]), 6)
            self.assertEqual(state["memory"]["frames"], FRAMES)
            self.assertEqual(state["swap"]["pages"], 1024)
            self.assertEqual(state["memory"]["free"], 0)
            touched = sum(cell["present"] + cell["swapped"] for process in state["processes"]
                          for cell in process["table"])
            self.assertGreaterEqual(touched, least)
            for process in state["processes"]:
                mapped = sum(cell["pages"] for cell in process["table"] if cell["mapped"])
                self.assertGreater(mapped * 4096, 2 ** 46)
        self.assertGreater(len([s for s in draw("011", "json")["swap"]["slots"] if s["written"]]), 20)

    def test_register_moves_and_nothing_else(self):
        """007 → 008: only what follows from the register differs."""
        one, two = (json.loads(json.dumps(draw(name, "json"))) for name in ("007", "008"))
        for state in (one, two):
            for key in ("sequence", "instruction", "narration", "register"):
                del state[key]
            for process in state["processes"]:
                for key in ("current", "running", "changed"):
                    del process[key]
        self.assertEqual(one, two)


def add_picture_tests(name):
    setattr(Lecture, f"test_{name}_shows_what_the_lecture_shows", lambda self: self.check_picture(name))
    if expected.PICTURES[name]["kind"] in ("tables", "table", "sharing"):
        setattr(Lecture, f"test_{name}_is_drawn_as_its_json_says", lambda self: self.check_svg(name))


if __name__ == "__main__":
    THIMBLE = os.path.abspath(sys.argv.pop(1))
    for picture in expected.PICTURES:
        add_picture_tests(picture)
    unittest.main(verbosity=2)
