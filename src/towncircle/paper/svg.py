"""Pages as SVG, with their fonts inside.

Here: the same page model as PDF, drawn in XML. Not here: where things stand.
Kept: a file stands alone (fonts as data) and is the same on every run. The unit is the point; y is turned, because SVG
counts from the top.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from towncircle.mailpiece.elements import ArcText, Bars, Element, Fim, Image, Page, Path, Symbol, Text
from towncircle.mailpiece.geometry import Box
from towncircle.mailpiece.typeface import face
from towncircle.paper.fonts import font_file
from towncircle.paper.operators import number

_DARK = re.compile("1+")


def render(page: Page) -> str:
    """Draw a page as an SVG document."""
    return document(page.form.sheet, [element for element, _ in page.boxed])


def document(view: Box, elements: Iterable[Element], *, extra: str = "") -> str:
    """Draw elements in a view (a box of the page) as an SVG document; `extra` is SVG in points of the view."""
    drawn = list(elements)
    keys = sorted({element.font for element in drawn if isinstance(element, Text | ArcText)})
    body = "\n".join(part for element in drawn for part in _element(element, view))
    width, height = number(view.width), number(view.height)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}">\n<style>{"".join(map(_font, keys))}'
        f"text{{font-kerning:none;white-space:pre}}</style>\n"
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n{body}\n{extra}</svg>\n'
    )


_FAMILIES = {
    "sans": ("Towncircle Sans", "Liberation Sans,Arial,Helvetica,sans-serif", 400),
    "bold": ("Towncircle Sans", "Liberation Sans,Arial,Helvetica,sans-serif", 700),
    "mono": ("Towncircle Mono", "Liberation Mono,Courier New,monospace", 400),
}


def _font(key: str) -> str:
    family, _, weight = _FAMILIES[key]
    data = b64encode(font_file(face(key).name)).decode()
    return f'@font-face{{font-family:"{family}";font-weight:{weight};src:url(data:font/ttf;base64,{data})}}'


def _family(key: str) -> str:
    """Name the embedded font, and what comes nearest for programs that do not read embedded fonts."""
    family, others, weight = _FAMILIES[key]
    return f'font-family="{family},{others}" font-weight="{weight}"'


def _grey(ink: int) -> str:
    level = round(ink * 255 / 1000)
    return f"#{level:02x}{level:02x}{level:02x}"


def _element(element: Element, view: Box) -> Iterator[str]:
    if isinstance(element, Text):
        spacing = f' letter-spacing="{number(element.tracking)}"' if element.tracking else ""
        yield (
            f'<text x="{number(element.x - view.left)}" y="{number(view.top - element.y)}" '
            f'{_family(element.font)} font-size="{number(element.size)}"{spacing} '
            f'fill="{_grey(element.ink)}">{escape(element.text)}</text>'
        )
    elif isinstance(element, ArcText):
        yield from _arc(element, view)
    elif isinstance(element, Path):
        yield _path(element, view)
    elif isinstance(element, Symbol):
        yield _rects(_runs(element), view)
    elif isinstance(element, Bars):
        yield _rects(_bars(element), view)
    elif isinstance(element, Image):
        yield _image(element, view)
    else:
        yield _rects(_fim(element), view)


def _arc(element: ArcText, view: Box) -> Iterator[str]:
    yield f'<g {_family(element.font)} font-size="{number(element.size)}" fill="{_grey(element.ink)}">'
    for char, x, y, turn in element.glyphs():
        if char != " ":
            place = f"translate({(x - view.left) / 1000:.3f} {(view.top - y) / 1000:.3f}) rotate({-turn:.3f})"
            yield f'<text transform="{place}">{escape(char)}</text>'
    yield "</g>"


def _path(element: Path, view: Box) -> str:
    steps = []
    for op, values in element.ops:
        pairs = zip(values[0::2], values[1::2], strict=True)
        steps.append(op + " ".join(f"{number(x - view.left)} {number(view.top - y)}" for x, y in pairs))
    fill = _grey(element.fill) if element.fill is not None else "none"
    stroke = ""
    if element.stroke is not None:
        stroke = f' stroke="{_grey(element.stroke)}" stroke-width="{number(element.width)}"'
    return f'<path d="{"".join(steps)}" fill="{fill}"{stroke}/>'


def _image(element: Image, view: Box) -> str:
    """Draw the dark runs of a picture's rows, in dots of the picture; nothing is linked or embedded."""
    bitmap, steps = element.bitmap, []
    for row in range(bitmap.height):
        bits = f"{int.from_bytes(bitmap.row(row), 'big'):0{8 * bitmap.stride}b}"
        steps += [
            f"M{run.start()} {row}h{run.end() - run.start()}v1h{run.start() - run.end()}z"
            for run in _DARK.finditer(bits)
        ]
    place = f"translate({number(element.x - view.left)} {number(view.top - element.box.top)})"
    size = number(element.dot)
    return f'<path transform="{place} scale({size})" d="{"".join(steps)}" shape-rendering="crispEdges"/>'


def _rects(boxes: Iterator[Box], view: Box) -> str:
    steps = [
        f"M{number(box.left - view.left)} {number(view.top - box.top)}"
        f"h{number(box.width)}v{number(box.height)}h{number(-box.width)}z"
        for box in boxes
    ]
    return f'<path d="{"".join(steps)}" shape-rendering="crispEdges"/>'


def _runs(element: Symbol) -> Iterator[Box]:
    """Give the dark runs of the symbol's rows. A turned symbol is not drawn turned: the lints refuse it."""
    modules, size = element.modules, element.module
    high = modules.row_height * size
    for row in range(modules.rows):
        top, column = element.box.top - row * high, 0
        while column < modules.width:
            start = column
            while column < modules.width and modules.dark(row=row, column=column):
                column += 1
            if column > start:
                yield Box(element.x + start * size, top - high, element.x + column * size, top)
            column += 1


def _bars(element: Bars) -> Iterator[Box]:
    for at, letter in enumerate(element.letters):
        left = element.x + at * element.pitch
        foot, head = element.span(letter)
        yield Box(left, element.y + foot, left + element.bar, element.y + head)


def _fim(element: Fim) -> Iterator[Box]:
    for at, mark in enumerate(element.pattern):
        if mark == "1":
            left = element.x + at * element.pitch
            yield Box(left, element.y, left + element.bar, element.y + element.height)
