"""Letters of supervision as pages of our own design: notices, decisions, sanctions.

Here: where things stand on a letter that may run over several pages. Not here: what it says.
Kept: not the Postal Service's own paper; every page says so, says SPECIMEN, and is numbered.
"""

from __future__ import annotations

from collections.abc import Sequence

from towncircle.mailpiece.elements import Element, Page
from towncircle.mailpiece.geometry import INCH
from towncircle.mailpiece.typeface import face
from towncircle.paper.sheet import GREY, LEFT, LETTER, RIGHT, lines_of, plain, rule_at, text_at

_SIZE, _STEP, _LABEL, _VALUE = 10_000, 14_000, 8_000, 150_000
_TOP, _BOTTOM = LETTER.height - INCH, INCH + 14_000


def letter_pages(
    title: str, rows: Sequence[tuple[str, str]], paragraphs: Sequence[tuple[str, str]], *, foot: str
) -> list[Page]:
    """Lay out a letter: its title, rows of label and value, then paragraphs under their headings."""
    lines: list[tuple[str, str]] = []  # a kind of line, and its text
    for heading, text in paragraphs:
        if text:
            lines += [("space", ""), ("head", heading)]
            lines += [
                ("text", line) for part in text.splitlines() for line in lines_of(part, size=_SIZE, most=RIGHT - LEFT)
            ]
    pages: list[Page] = []
    elements, y = _head(title, rows)
    for kind, text in lines:
        if y < _BOTTOM:
            pages.append(_page(elements, foot, len(pages) + 1))
            elements, y = _head(f"{title}, continued", ())
        y -= _STEP
        if kind != "space":
            elements.append(text_at(text, "bold" if kind == "head" else "sans", _SIZE, LEFT, y))
    return [*pages, _page(elements, foot, len(pages) + 1)]


def _head(title: str, rows: Sequence[tuple[str, str]]) -> tuple[list[Element], int]:
    specimen, title = "SPECIMEN", plain(title)
    elements: list[Element] = [
        text_at(title, "bold", face("bold").fitting(title, size=16_000, most=380_000, least=8_000), LEFT, _TOP),
        text_at(specimen, "bold", 11_000, RIGHT - face("bold").width(specimen, 11_000), _TOP),
        rule_at(_TOP - 10_000),
    ]
    y = _TOP - 12_000
    for label, text in rows:
        y, value = y - 18_000, plain(text)
        size = face("sans").fitting(value, size=_SIZE, most=RIGHT - LEFT - _VALUE, least=5_000) or 5_000
        elements += [text_at(label, "sans", _LABEL, LEFT, y, ink=GREY), text_at(value, "sans", size, LEFT + _VALUE, y)]
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
