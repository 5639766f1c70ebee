"""A letter-size form of our own design: a head, labelled fields in sections, prose, a foot.

Here: where things stand on such pages, over as many as it takes. Not here: what they say, files.
Kept: not anybody's printed form; every page says so and that it is a SPECIMEN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from towncircle.mailpiece.elements import Element, Page, Path, Text
from towncircle.mailpiece.geometry import INCH, Form
from towncircle.mailpiece.typeface import FontKey, face

_LETTER = Form(key="letter", name="letter sheet", shape="form", width=8 * INCH + INCH // 2, height=11 * INCH, flap=0)
_LEFT, _RIGHT = INCH, _LETTER.width - INCH
_BOTTOM = INCH
_GREY, _LINE = 420, 700
_FIELD, _HEAD, _GAP, _LINE_HEIGHT, _SIZE = 34_000, 28_000, 16_000, 12_500, 9_000
_FOOT = "A page of towncircle's own design, not the Postal Service's print of the form."


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Hold one section: its heading (or none), labelled fields, then prose by paragraphs."""

    heading: str = ""
    rows: Sequence[tuple[str, str]] = ()
    prose: Sequence[str] = ()


@dataclass(slots=True)
class _Sheet:
    y: int
    elements: list[Element] = field(default_factory=list)


def sheets(form: str, title: str, sections: Sequence[Section]) -> list[Page]:
    """Lay out a form: every section in order, on a new page where the last one is full."""
    pages = [_begun(form, title, first=True)]

    def room(height: int) -> _Sheet:
        if pages[-1].y - height < _BOTTOM:
            pages.append(_begun(form, title, first=False))
        return pages[-1]

    for section in sections:
        if section.heading:
            _head(room(_FIELD + _HEAD), section.heading)
        for label, value in section.rows:
            _row(room(_FIELD), label, value)
        if section.prose:
            pages[-1].y -= _GAP
        for paragraph in section.prose:
            for line in lines_of(paragraph, size=_SIZE, most=_RIGHT - _LEFT):
                sheet = room(_LINE_HEIGHT)
                sheet.y -= _LINE_HEIGHT
                sheet.elements.append(_text(line, "sans", _SIZE, _LEFT, sheet.y))
            pages[-1].y -= _LINE_HEIGHT // 2
    return [_page(sheet, number, len(pages)) for number, sheet in enumerate(pages, start=1)]


def _begun(form: str, title: str, *, first: bool) -> _Sheet:
    top, mark = _LETTER.height - INCH, "SPECIMEN"
    sheet = _Sheet(y=top - 40_000)
    sheet.elements += [
        _text(form, "bold", 18_000 if first else 11_000, _LEFT, top),
        _text(mark, "bold", 11_000, _RIGHT - face("bold").width(mark, 11_000), top),
        _text(title if first else f"{title}, continued", "sans", 12_000 if first else 9_000, _LEFT, top - 22_000),
        _rule(sheet.y),
    ]
    return sheet


def _head(sheet: _Sheet, heading: str) -> None:
    sheet.y -= _HEAD
    sheet.elements.append(_text(heading, "bold", 10_000, _LEFT, sheet.y))


def _row(sheet: _Sheet, label: str, value: str) -> None:
    sheet.y -= _FIELD
    size = face("sans").fitting(value, size=12_000, most=_RIGHT - _LEFT, least=6_000) if value else 12_000
    sheet.elements += [
        _text(label, "sans", 7_500, _LEFT, sheet.y + 15_000, ink=_GREY),
        _text(value, "sans", size, _LEFT, sheet.y),
        _rule(sheet.y - 7_000),
    ]


def _page(sheet: _Sheet, number: int, of: int) -> Page:
    foot = [_text(_FOOT, "sans", 7_500, _LEFT, INCH // 2, ink=_GREY)]
    if of > 1:
        count = f"{number} of {of}"
        foot.append(_text(count, "sans", 7_500, _RIGHT - face("sans").width(count, 7_500), INCH // 2, ink=_GREY))
    return Page(form=_LETTER, side="nonaddress", specimen=True, elements=(*sheet.elements, *foot))


def lines_of(text: str, *, size: int, most: int) -> list[str]:
    """Break a text into lines that are no wider than `most` (thousandths of a point) at a size."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if face("sans").width(longer, size) > most and line:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _text(text: str, font: FontKey, size: int, x: int, y: int, *, ink: int = 0) -> Text:
    return Text(role="decoration", text=text, font=font, size=size, x=x, y=y, ink=ink)


def _rule(y: int) -> Path:
    return Path(role="decoration", ops=(("M", (_LEFT, y)), ("L", (_RIGHT, y))), stroke=_LINE, width=500)
