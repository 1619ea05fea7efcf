"""System calls about files, case by case: a line for each, the same on the host and in the machine."""
from cases import SMALL, Case

TRANSFER = ("bytes", "vectors", "flags", "positioned", "seeking", "sizes", "allocation", "advice", "controls",
            "mapping", "status", "copies", "copy-borders", "limits", "special", "direct")


def case(program, part, **keywords):
    keywords.setdefault("few", 40)
    keywords.setdefault("smallest", SMALL)
    return Case(f"{program}-{part}", [f"{{guests}}/files/files-{program}", part], **keywords)


def cases():
    for part in TRANSFER:
        yield case("transfer", part)
