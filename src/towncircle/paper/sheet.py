"""A letter-size form of our own design: a head, labelled fields in sections, prose, a foot.

Here: where things stand on such pages, over as many as it takes. Not here: what they say, files.
Kept: not anybody's printed form; every page says so and that it is a SPECIMEN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from towncircle.mailpiece.elements import Element, Page, Path, Text
from towncircle.mailpiece.geometry import INCH, Form
from towncircle.mailpiece.typeface import Face, FontKey, face

LETTER = Form(key="letter", name="letter sheet", shape="form", width=8 * INCH + INCH // 2, height=11 * INCH, flap=0)
LEFT, RIGHT = INCH, LETTER.width - INCH
_BOTTOM = INCH
GREY, _LINE = 420, 700
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
            lines, size = _value(value)
            _row(room(_FIELD + _LINE_HEIGHT * (len(lines) - 1)), label, lines, size)
        if section.prose:
            pages[-1].y -= _GAP
        for paragraph in section.prose:
            for line in lines_of(paragraph, size=_SIZE, most=RIGHT - LEFT):
                sheet = room(_LINE_HEIGHT)
                sheet.y -= _LINE_HEIGHT
                sheet.elements.append(text_at(line, "sans", _SIZE, LEFT, sheet.y))
            pages[-1].y -= _LINE_HEIGHT // 2
    return [_page(sheet, number, len(pages)) for number, sheet in enumerate(pages, start=1)]


def _begun(form: str, title: str, *, first: bool) -> _Sheet:
    top, mark = LETTER.height - INCH, "SPECIMEN"
    sheet = _Sheet(y=top - 40_000)
    sheet.elements += [
        text_at(form, "bold", 18_000 if first else 11_000, LEFT, top),
        text_at(mark, "bold", 11_000, RIGHT - face("bold").width(mark, 11_000), top),
        text_at(title if first else f"{title}, continued", "sans", 12_000 if first else 9_000, LEFT, top - 22_000),
        rule_at(sheet.y),
    ]
    return sheet


def _head(sheet: _Sheet, heading: str) -> None:
    sheet.y -= _HEAD
    sheet.elements.append(text_at(heading, "bold", 10_000, LEFT, sheet.y))


def _row(sheet: _Sheet, label: str, lines: Sequence[str], size: int) -> None:
    sheet.y -= _FIELD
    sheet.elements += [text_at(label, "sans", 7_500, LEFT, sheet.y + 15_000, ink=GREY)]
    for number, line in enumerate(lines):
        sheet.y -= _LINE_HEIGHT if number else 0
        sheet.elements.append(text_at(line, "sans", size, LEFT, sheet.y))
    sheet.elements.append(rule_at(sheet.y - 7_000))


def _value(value: str) -> tuple[list[str], int]:
    """Set a value in one line, smaller if it must be; what is too long for that stands on several."""
    value = plain(value)
    size = face("sans").fitting(value, size=12_000, most=RIGHT - LEFT, least=_SIZE) if value else 12_000
    return ([value], size) if size else (lines_of(value, size=_SIZE, most=RIGHT - LEFT), _SIZE)


def _page(sheet: _Sheet, number: int, of: int) -> Page:
    foot = [text_at(_FOOT, "sans", 7_500, LEFT, INCH // 2, ink=GREY)]
    if of > 1:
        count = f"{number} of {of}"
        foot.append(text_at(count, "sans", 7_500, RIGHT - face("sans").width(count, 7_500), INCH // 2, ink=GREY))
    return Page(form=LETTER, side="nonaddress", specimen=True, elements=(*sheet.elements, *foot))


def plain(text: str) -> str:
    """Give a text in the letters that the fonts have; another one becomes a question mark."""
    return text.encode("cp1252", "replace").decode("cp1252")


def lines_of(text: str, *, size: int, most: int, font: FontKey = "sans") -> list[str]:
    """Break a text into lines that are no wider than `most` (thousandths of a point) at a size.

    It breaks between words; a word that is wider than a line is broken where the line ends.
    """
    lines, line, metrics = [], "", face(font)
    for word in plain(text).split():
        longer = f"{line} {word}".strip()
        if metrics.width(longer, size) > most:
            lines += [line] if line else []
            *whole, longer = _parts(word, metrics, size=size, most=most)
            lines += whole
        line = longer
    return [*lines, line]


def _parts(word: str, metrics: Face, *, size: int, most: int) -> list[str]:
    parts, part = [], ""
    for letter in word:
        if part and metrics.width(part + letter, size) > most:
            parts.append(part)
            part = ""
        part += letter
    return [*parts, part]


def text_at(text: str, font: FontKey, size: int, x: int, y: int, *, ink: int = 0) -> Text:
    """Set a line of text with its left lower corner at a place."""
    return Text(role="decoration", text=text, font=font, size=size, x=x, y=y, ink=ink)


def rule_at(y: int) -> Path:
    """Draw a thin rule from margin to margin."""
    return Path(role="decoration", ops=(("M", (LEFT, y)), ("L", (RIGHT, y))), stroke=_LINE, width=500)
