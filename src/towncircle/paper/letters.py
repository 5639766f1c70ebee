"""Letters of supervision as pages of our own design: notices, decisions, sanctions.

Here: where things stand on a letter that may run over several pages. Not here: what it says.
Kept: not the Postal Service's own paper; every page says so, says SPECIMEN, and is numbered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from towncircle.mailpiece.elements import Element, Page
from towncircle.mailpiece.geometry import INCH
from towncircle.mailpiece.typeface import face
from towncircle.paper.sheet import GREY, LEFT, LETTER, RIGHT, lines_of, plain, rule_at, text_at

_SIZE, _STEP, _LABEL, _VALUE, _LEAST = 10_000, 14_000, 8_000, 150_000, 8_500
_NUMBER = re.compile(r"[0-9]{1,3}\. ")
_TOP, _BOTTOM = LETTER.height - INCH, INCH + 14_000


def letter_pages(
    title: str, rows: Sequence[tuple[str, str]], paragraphs: Sequence[tuple[str, str]], *, foot: str
) -> list[Page]:
    """Lay out a letter: its title, rows of label and value, then paragraphs under their headings."""
    lines: list[tuple[str, str, int]] = []  # a kind of line, its text, and how far it is set in
    for heading, text in paragraphs:
        if text:
            lines += [("space", "", 0), ("head", heading, 0)]
            lines += [("text", line, indent) for part in text.splitlines() for line, indent in _lines(part)]
    pages: list[Page] = []
    elements, y = _head(title, rows)
    for kind, text, indent in lines:
        if y < _BOTTOM + (2 * _STEP if kind == "head" else 0):  # a heading stands above what it heads
            pages.append(_page(elements, foot, len(pages) + 1))
            elements, y = _head(f"{title}, continued", ())
        y -= _STEP
        if kind != "space":
            elements.append(text_at(text, "bold" if kind == "head" else "sans", _SIZE, LEFT + indent, y))
    return [*pages, _page(elements, foot, len(pages) + 1)]


def _lines(part: str) -> list[tuple[str, int]]:
    """Break a line of a paragraph; what follows a number stands below what follows it."""
    number = _NUMBER.match(part)
    indent = face("sans").width(number[0], _SIZE) if number else 0
    first, *more = lines_of(part, size=_SIZE, most=RIGHT - LEFT - indent)
    return [(first, 0), *((line, indent) for line in more)]


def numbered(lines: Sequence[str]) -> str:
    """Give lines with their numbers before them, as the text of a paragraph."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))


def _head(title: str, rows: Sequence[tuple[str, str]]) -> tuple[list[Element], int]:
    specimen, title = "SPECIMEN", plain(title)
    elements: list[Element] = [
        text_at(title, "bold", face("bold").fitting(title, size=16_000, most=380_000, least=8_000), LEFT, _TOP),
        text_at(specimen, "bold", 11_000, RIGHT - face("bold").width(specimen, 11_000), _TOP),
        rule_at(_TOP - 10_000),
    ]
    y = _TOP - 12_000
    for label, text in rows:
        y, value, most = y - 18_000, plain(text), RIGHT - LEFT - _VALUE
        size = face("sans").fitting(value, size=_SIZE, most=most, least=_LEAST) if value else _SIZE
        elements.append(text_at(label, "sans", _LABEL, LEFT, y, ink=GREY))
        for number, line in enumerate([value] if size else lines_of(value, size=_SIZE, most=most)):
            y -= (_STEP - 2_000) if number else 0
            elements.append(text_at(line, "sans", size or _SIZE, LEFT + _VALUE, y))
    if rows:
        y -= 10_000
        elements.append(rule_at(y))
    return elements, y


def _page(elements: Sequence[Element], foot: str, number: int) -> Page:
    words = f"{foot} A page of towncircle's own design. Page {number}."
    return Page(
        form=LETTER,
        side="nonaddress",
        specimen=True,
        elements=(*elements, text_at(words, "sans", 7_500, LEFT, INCH // 2, ink=GREY)),
    )
