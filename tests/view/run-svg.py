"""What an SVG drawing shows is what the JSON of the same picture says, element by element.

usage: run-svg.py DRAW-STATES
"""
import json
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
DRAW_STATES = sys.argv.pop(1)


def texts(element):
    return [t.text or "" for t in element.iter(SVG + "text")]


def text_box(text):
    """Where a text is, about: narrow letters, without what hangs below the line."""
    size, x, y = (int(text.get(k)) for k in ("font-size", "x", "y"))
    width = len(text.text or "") * size / 2
    left = {"start": x, "middle": x - width / 2, "end": x - width}[text.get("text-anchor")]
    return left, y - size * 0.7, left + width, y, text.text


class Drawing:
    """The parts of an interactive drawing, by what they are."""

    def __init__(self, path):
        self.root = ElementTree.parse(path).getroot()
        self.parts = {}
        for element in self.root.iter():
            if "data-part" in element.attrib:
                self.parts.setdefault(element.get("data-part"), []).append(element)

    def of(self, kind):
        return self.parts.get(kind, [])

    def by_token(self, kind):
        """Parts by their own token, the first of their chain."""
        found = {}
        for element in self.of(kind):
            chain = element.get("data-chain").split()
            if chain:
                found.setdefault(chain[0], []).append(element)
        return found


def for_each_state(test):
    """Runs the test for every picture and its drawing; a failure says for which one."""
    def run(self):
        for n, picture, drawing in self.states:
            with self.subTest(picture=n):
                test(self, picture, drawing)
    return run


def token_of(process, cell):
    return f"v{process['pid']}:{int(cell['vpn'], 16):x}"


class SvgSaysWhatJsonSays(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        count = int(subprocess.run([DRAW_STATES, cls.folder.name], check=True, capture_output=True, text=True).stdout)
        folder = Path(cls.folder.name)
        cls.states = [(n, json.loads((folder / f"{n}.json").read_text()), Drawing(folder / f"{n}.svg"))
                      for n in range(count)]

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def single_cells(self, picture):
        for process in picture["processes"]:
            for cell in process["table"]:
                if cell["pages"] == 1:
                    yield process, cell

    def test_there_are_states(self):
        self.assertGreater(len(self.states), 60)
        arrows = [cell["arrow"] for _, picture, _ in self.states for _, cell in self.single_cells(picture)]
        self.assertEqual(set(arrows), {"none", "frame", "disk"})

    @for_each_state
    def test_permissions(self, picture, drawing):
        entries = drawing.by_token("pte")
        for process, cell in self.single_cells(picture):
            entry = entries[token_of(process, cell)]
            self.assertEqual(len(entry), 1)
            self.assertEqual(texts(entry[0])[0], cell["access"])
            self.assertEqual("copy" in texts(entry[0]), cell["copy_on_write"])

    @for_each_state
    def test_arrows(self, picture, drawing):
        arrows = drawing.by_token("arrow")
        for process, cell in self.single_cells(picture):
            drawn = arrows.pop(token_of(process, cell), [])
            self.assertEqual(len(drawn), 0 if cell["arrow"] == "none" else 1)
            if not drawn:
                continue
            lines = [p for p in drawn[0].iter(SVG + "path") if "marker-end" in p.attrib]
            self.assertEqual(len(lines), 1)
            self.assertEqual("stroke-dasharray" in lines[0].attrib, cell["arrow"] == "disk")
            if cell["arrow"] == "frame":
                self.assertIn(f"f{cell['frame']}", drawn[0].get("data-chain").split())

    @for_each_state
    def test_frames(self, picture, drawing):
        frames = drawing.by_token("frame")
        self.assertEqual(set(frames), {f"f{frame['number']}" for frame in picture["frames"]})
        for frame in picture["frames"]:
            drawn = frames[f"f{frame['number']}"]
            self.assertEqual(len(drawn), 1, "a frame is drawn once")
            shown = texts(drawn[0])
            self.assertIn(f"PP{frame['number']}", shown)
            disk = frame["disk"] or {}
            page = disk.get("page", disk.get("slot"))
            if page is not None:
                self.assertIn(f"({page})", shown)
            if disk.get("source") == "file" and disk["file"] is not None:
                self.assertIn(picture["files"][disk["file"]]["initial"], shown)

    @for_each_state
    def test_frames_stand_apart(self, _picture, drawing):
        boxes = []
        for frame in drawing.of("frame"):
            rect = frame.find(SVG + "rect")
            x, y, width, height = (int(rect.get(k)) for k in ("x", "y", "width", "height"))
            boxes.append((x, y, x + width, y + height))
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                self.assertTrue(a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a, b))

    @for_each_state
    def test_everything_is_on_the_canvas(self, _picture, drawing):
        x, y, width, height = map(int, drawing.root.get("viewBox").split())
        self.assertAlmostEqual(width / height, 16 / 9, delta=0.02)
        for text in drawing.root.iter(SVG + "text"):
            self.assertTrue(x <= int(text.get("x")) <= x + width and y <= int(text.get("y")) <= y + height)
        for rect in drawing.root.iter(SVG + "rect"):
            self.assertGreaterEqual(int(rect.get("x")), x)
            self.assertLessEqual(int(rect.get("y")) + int(rect.get("height")), y + height)

    @for_each_state
    def test_arrows_cross_no_text(self, _picture, drawing):
        boxes = [text_box(text) for text in drawing.root.iter(SVG + "text")]
        for arrow in drawing.of("arrow"):
            for path in (p for p in arrow.iter(SVG + "path") if "marker-end" in p.attrib):
                points = [(int(x), int(y)) for x, y in re.findall(r"(-?\d+) (-?\d+)(?=[LQ ]|$)", path.get("d"))]
                for (x, y), (u, v) in zip(points, points[1:]):
                    for left, top, right, bottom, text in boxes:
                        self.assertFalse(min(x, u) < right and max(x, u) > left and min(y, v) < bottom and
                                         max(y, v) > top, (path.get("d"), text))

    @for_each_state
    def test_files_and_swap(self, picture, drawing):
        pages = drawing.by_token("file")
        for file in picture["files"]:
            for page in range(file["first"], file["first"] + file["shown"]):
                if file["object"]:
                    self.assertEqual(texts(pages[f"o{file['object']}:{page}"][0]), [str(page)])
        slots = drawing.by_token("slot")
        for slot in picture["swap"]["slots"]:
            box = slots[f"s{slot['number']}"][0]
            self.assertEqual(texts(box), [str(slot["number"])])
            hatched = any("thimble-data" in (r.get("fill") or "") for r in box.iter(SVG + "rect"))
            self.assertEqual(hatched, slot["written"])

    @for_each_state
    def test_register(self, picture, drawing):
        registers = [r.get("data-chain") for r in drawing.of("register")]
        self.assertEqual(registers, [f"p{picture['register']['pid']}"] if picture["register"] else [])

    @for_each_state
    def test_marks(self, picture, drawing):
        changed = any(cell["changed"] or cell["faulting"] for p in picture["processes"] for cell in p["table"])
        rings = drawing.root.findall(f".//{SVG}ellipse[@data-ring]")
        if changed:
            self.assertGreater(len(rings), 0)
        victims = [t for t in texts(drawing.root) if t == "victim"]
        self.assertEqual(len(victims), sum(frame["victim"] for frame in picture["frames"]))

    @for_each_state
    def test_screen_readers(self, picture, drawing):
        self.assertEqual(drawing.root.get("role"), "img")
        description = drawing.root.find(SVG + "desc").text
        self.assertIn(f"{picture['memory']['frames']} page frames", description)
        self.assertIn(picture["narration"].strip(), description)
        self.assertEqual(drawing.root[0].tag, SVG + "title")

    @for_each_state
    def test_chains_name_what_is_there(self, picture, drawing):
        for kind in ("vpn", "pte", "arrow", "chip"):
            for part in drawing.of(kind):
                for token in part.get("data-chain").split():
                    self.assertRegex(token, re.compile(r"^(v\d+:[0-9a-f]+|f\d+|o\d+:\d+|s\d+)$"))


if __name__ == "__main__":
    unittest.main()
