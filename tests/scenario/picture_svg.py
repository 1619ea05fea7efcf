"""Reads a picture back from its SVG, as a person would: what stands in which box, where arrows lead.

Nothing here knows how Thimble lays a picture out; it knows that a label belongs to the smallest box around it, that an
arrow begins in a box and ends at the edge of one, and that columns are below each other.
"""
import re

SVG = "{http://www.w3.org/2000/svg}"
NEAR = 4  # pixels between the end of an arrow and the box that it points at


class Box:
    def __init__(self, element):
        self.x, self.y, self.width, self.height = (float(element.get(key)) for key in ("x", "y", "width", "height"))
        self.fill = element.get("fill")

    def has(self, x, y, near=0):
        return (self.x - near <= x <= self.x + self.width + near) and (self.y - near <= y <= self.y + self.height + near)

    @property
    def area(self):
        return self.width * self.height


class Arrow:
    def __init__(self, element):
        numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", element.get("d"))]
        self.begin, self.end = tuple(numbers[:2]), tuple(numbers[-2:])
        self.dashed = element.get("stroke-dasharray") is not None


def is_name(text, name):
    """Whether this is the name, or the name with its middle left out."""
    begin, dots, end = text.partition("…")
    return text == name or (dots and name.startswith(begin) and name.endswith(end))


class Drawing:
    def __init__(self, root, files):
        """files: names of the files on the disk."""
        self.files = files
        boxes = [Box(element) for element in root.iter(SVG + "rect")]
        self.hatches = [box for box in boxes if box.fill and box.fill.startswith("url(")]
        self.boxes = [box for box in boxes if box not in self.hatches]
        self.texts = [("".join(element.itertext()), float(element.get("x")), float(element.get("y")))
                      for element in root.iter(SVG + "text")]
        self.arrows = [Arrow(element) for element in root.iter(SVG + "path") if element.get("marker-end")]

    def box_around(self, x, y, near=0):
        """The smallest box there; None: there is none."""
        return min((box for box in self.boxes if box.has(x, y, near)), key=lambda box: box.area, default=None)

    def inside(self, box):
        return [text for text, x, y in self.texts if box.has(x, y)]

    def find(self, pattern):
        """(match, x, y) of each text that is of this form."""
        found = ((re.fullmatch(pattern, text), x, y) for text, x, y in self.texts)
        return [entry for entry in found if entry[0]]

    def is_hatched(self, x, y):
        return any(hatch.has(x, y) for hatch in self.hatches)

    def frame_label(self, box):
        """("PP3", "6") of a frame's box; the second is None without a page."""
        texts = self.inside(box)
        names = [text for text in texts if re.fullmatch(r"PP\d+", text)]
        pages = [text[1:-1] for text in texts if re.fullmatch(r"\(\d+\)", text)]
        return names[0] if len(names) == 1 else None, pages[0] if pages else None

    def target(self, arrow):
        """What an arrow leads to: "PP3 (6)", "PP5", "swap 6", "/bin/bash 3"."""
        box = self.box_around(*arrow.end, near=NEAR)
        if box is None:
            return "nothing"
        name, page = self.frame_label(box)
        if name:
            return name + (f" ({page})" if page else "")
        numbers = [text for text in self.inside(box) if text.isdigit()]
        return f"{self.row_name(box)} {numbers[0]}" if numbers else "a box"

    def row_name(self, box):
        """Whose row of numbered pages this box is in: that of the file whose name is at its left, or the swap area's."""
        names = [(x, name) for text, x, y in self.texts if box.y <= y <= box.y + box.height and x < box.x
                 for name in self.files if is_name(text, name)]
        return max(names)[1] if names else "swap"

    def strips(self):
        """pid → {cell: is coloured}."""
        found = {}
        for title, x, y in self.find(r"VAS for PID (\d+): .*"):
            cells = [(match, cx, cy) for match, cx, cy in self.find(r"VPN(\d+)")
                     if 0 < cy - y < 80 and abs(cx - x) < 320]
            found[int(title[1])] = {int(match[1]): not self.is_hatched(cx, cy) for match, cx, cy in cells}
        return found

    def tables(self):
        """pid → [(permissions, is dashed or None, target or None), …] from left to right."""
        found = {}
        for title, x, y in self.find(r"Page Table for PID (\d+)"):
            head = self.box_around(x, y)
            columns = sorted((cx, match[0]) for match, cx, cy in self.find(r"[r-][w-][x-]")
                             if head.has(cx, head.y) and 0 < cy - y < 60)
            entries = []
            for cx, access in columns:
                arrows = [arrow for arrow in self.arrows if abs(arrow.begin[0] - cx) < 4 and 0 < arrow.begin[1] - y < 100]
                arrow = arrows[0] if len(arrows) == 1 else None
                entries.append((access, arrow and arrow.dashed, arrow and self.target(arrow)))
            found[int(title[1])] = entries
        return found

    def register(self):
        """pid of the table that the CPU's arrow ends at."""
        (_, x, y), = self.find("CPU")
        own = self.box_around(x, y + 20)
        arrow, = (arrow for arrow in self.arrows if own.has(*arrow.begin))
        tables = {int(title[1]): self.box_around(tx, ty) for title, tx, ty in self.find(r"Page Table for PID (\d+)")}
        return next((pid for pid, box in tables.items() if box.has(*arrow.end, near=NEAR)), None)

    def pool(self, title):
        """Numbers of the frames in the box that has this title."""
        (_, x, y), = self.find(title)
        box = self.box_around(x, y)
        return sorted(int(match[1]) for match, fx, fy in self.find(r"PP(\d+)") if box.has(fx, fy))

    def swap(self):
        """Slot → is hatched."""
        (_, x, y), = self.find("SWAP")
        found = {}
        for match, sx, sy in self.find(r"(\d+)"):
            box = self.box_around(sx, sy)
            if sy > y and box and self.row_name(box) == "swap":
                found[int(match[1])] = self.is_hatched(sx, sy)
        return found

    def fill_of_frame(self, number):
        (_, x, y), = self.find(f"PP{number}")
        return self.box_around(x, y).fill

    def fill_of_page(self, row, page):
        for match, x, y in self.find(str(page)):
            box = self.box_around(x, y)
            if box and self.row_name(box) == row:
                return box.fill
        return None
