"""Elements as PDF operators.

Here: the bytes that draw one element. Not here: files, objects, fonts as objects (`pdf`).
Kept: the symbol is a one-bit image mask on its own grid, because fills touch every pixel they graze and would grow
the modules; masks are in hexadecimal digits, so that nothing in them can read as their end; the Intelligent Mail
barcode is text in a font of four bars. Same elements, same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, radians, sin
from typing import Protocol

from towncircle.mailpiece.elements import ArcText, Bars, Element, Fim, Image, Path, Symbol, Text

FONT_NAMES = {"sans": b"/S", "bold": b"/B", "mono": b"/M"}
_ESCAPED = str.maketrans({"\\": "\\\\", "(": "\\(", ")": "\\)"})
BarSize = tuple[int, int, int, int]


class Resources(Protocol):
    """Remember what was drawn with, and name it."""

    def font(self, key: str) -> bytes:
        """Give the resource name of a font."""
        ...

    def bars(self, size: BarSize) -> bytes:
        """Give the resource name of a barcode font: pitch, bar width, third of the height."""
        ...


def number(units: float) -> str:
    """Write units as points, at most three decimals."""
    whole, rest = divmod(units, 1000)
    if not rest:
        return str(int(whole))
    return f"{units / 1000:.3f}".rstrip("0").rstrip(".")


def draw(elements: Iterable[Element], resources: Resources) -> bytes:
    """Give the operators of all elements, in their order."""
    parts: list[bytes] = []
    ink = 0
    for element in elements:
        if isinstance(element, Text | ArcText):
            if element.ink != ink:
                ink = element.ink
                parts.append(b"%s g" % number(ink).encode())
            parts.append(_text(element, resources) if isinstance(element, Text) else _arc(element, resources))
            continue
        if isinstance(element, Path):
            parts.append(_path(element))
            continue
        if ink:
            ink = 0
            parts.append(b"0 g")
        if isinstance(element, Symbol):
            parts.append(_symbol(element))
        elif isinstance(element, Bars):
            parts.append(_bars(element, resources))
        elif isinstance(element, Image):
            parts.append(_image(element))
        else:
            parts.append(_fim(element))
    return b"\n".join(parts)


def _string(text: str) -> bytes:
    return b"(%s)" % text.translate(_ESCAPED).encode("cp1252")


def _text(element: Text, resources: Resources) -> bytes:
    spacing = b"%s Tc " % number(element.tracking).encode() if element.tracking else b""
    reset = b" 0 Tc" if element.tracking else b""
    place = f" {number(element.size)} Tf {number(element.x)} {number(element.y)} Td ".encode()
    return b"BT %s%s%s%s Tj%s ET" % (
        spacing, resources.font(element.font), place, _string(element.text), reset,
    )  # fmt: skip


def _arc(element: ArcText, resources: Resources) -> bytes:
    parts = [b"BT %s %s Tf" % (resources.font(element.font), number(element.size).encode())]
    for char, x, y, turn in element.glyphs():
        if char == " ":
            continue
        across, up = cos(radians(turn)), sin(radians(turn))
        matrix = f"{across:.5f} {up:.5f} {-up:.5f} {across:.5f} {x / 1000:.3f} {y / 1000:.3f} Tm "
        parts.append(matrix.encode() + _string(char) + b" Tj")
    parts.append(b"ET")
    return b"\n".join(parts)


def _path(element: Path) -> bytes:
    parts = ["q"]
    if element.fill is not None:
        parts.append(f"{number(element.fill)} g")
    if element.stroke is not None:
        parts.append(f"{number(element.stroke)} G {number(element.width)} w")
    letters = {"M": "m", "L": "l", "C": "c", "Z": "h"}
    for op, values in element.ops:
        parts.append(" ".join([*map(number, values), letters[op]]))
    paint = "B" if element.fill is not None and element.stroke is not None else "f" if element.fill is not None else "S"
    parts.append(f"{paint} Q")
    return "\n".join(parts).encode()


def _symbol(element: Symbol) -> bytes:
    # A hair inside its box (0.001 point): renderers take every pixel an image touches, and a rounding error of the
    # last digit would add a row of them.
    modules, box = element.modules, element.box.grown(left=-1, bottom=-1, right=-1, top=-1)
    width, height, x, y = number(box.width), number(box.height), number(box.left), number(box.bottom)
    matrix = (
        f"0 {height} -{width} 0 {number(box.right)} {y}" if element.turned % 180 else f"{width} 0 0 {height} {x} {y}"
    )
    head = f"q {matrix} cm\nBI /W {modules.width} /H {modules.rows} /IM true /BPC 1 /D [1 0] /F /AHx\nID "
    return b"%s%s>\nEI Q" % (head.encode(), modules.packed.hex().encode())


def _image(element: Image) -> bytes:
    """Draw a picture as a mask; in hexadecimal digits, so that no dots of it can read as the end of the image."""
    bitmap, box = element.bitmap, element.box.grown(left=-1, bottom=-1, right=-1, top=-1)
    place = f"{number(box.width)} 0 0 {number(box.height)} {number(box.left)} {number(box.bottom)}"
    head = f"q {place} cm\nBI /W {bitmap.width} /H {bitmap.height} /IM true /BPC 1 /D [1 0] /F /AHx\nID "
    return b"%s%s>\nEI Q" % (head.encode(), bitmap.packed.hex().encode())


def _bars(element: Bars, resources: Resources) -> bytes:
    name = resources.bars((element.pitch, element.bar, element.third, element.short))
    place = f" 1 Tf {number(element.x)} {number(element.y)} Td ({element.letters}) Tj ET".encode()
    return b"BT " + name + place


def _fim(element: Fim) -> bytes:
    rest = f"{number(element.y)} {number(element.bar)} {number(element.height)} re"
    bars = [
        f"{number(element.x + at * element.pitch)} {rest}" for at, mark in enumerate(element.pattern) if mark == "1"
    ]
    return "\n".join([*bars, "f"]).encode()


def bar_glyphs(size: BarSize) -> dict[str, bytes]:
    """Give the glyphs of a barcode font, in thousandths of a point, with the foot of a full bar at zero."""
    pitch, bar, third, short = size
    spans = {"A": (third, 2 * third), "D": (0, 2 * third), "F": (0, 3 * third), "T": (third, third)}
    if short:
        spans = {"0": (0, short), "1": (0, 3 * third)}
    return {
        letter: f"{pitch} 0 0 {foot} {bar} {foot + high} d1 0 {foot} {bar} {high} re f".encode()
        for letter, (foot, high) in spans.items()
    }
