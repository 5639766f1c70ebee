"""A letter sheet that is filled from the top down: rows in columns, paragraphs, rules, further pages.

Here: where things stand on the papers of our own design. Not here: what they say (`form_3533`, `statement`).
Kept: every page says that it is a SPECIMEN, whose it is and which of how many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from towncircle.kernel.instants import Instant
from towncircle.mailpiece.elements import Element, Page, Path, Text, polyline
from towncircle.mailpiece.geometry import INCH, POINT, Form
from towncircle.mailpiece.typeface import FontKey, face
from towncircle.paper.sheet import lines_of, plain

SHEET = Form(key="letter-sheet", name="letter sheet", shape="sheet", width=17 * INCH // 2, height=11 * INCH, flap=0)
LEFT, RIGHT = 3 * INCH // 4, 17 * INCH // 2 - 3 * INCH // 4
GREY, _LEAD, _FOOT = 420, 14 * POINT, INCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Say where a column stands: cells begin at `x`, or end there where they are set to the right."""

    x: int
    right: bool = False


class Sheet:
    """Fill pages from the top down; what `heading` writes is written again on every further page."""

    def __init__(self, name: str, *, columns: Sequence[Column], foot: str) -> None:
        self._name, self._columns, self._foot = name, columns, foot
        self._done: list[list[Element]] = []
        self._own: list[Element] = []
        self._y = 0
        self.heading: Callable[[], None] | None = None
        self._turn()

    def row(
        self,
        *cells: str,
        font: FontKey = "sans",
        size: int = 9_500,
        ink: int = 0,
        gap: int = 0,
        columns: Sequence[Column] = (),
    ) -> None:
        """Write one row of cells at the columns."""
        self._down(_LEAD + gap)
        for column, text in zip(columns or self._columns, cells, strict=False):
            if text:
                cell = plain(text)
                x = column.x - face(font).width(cell, size) if column.right else column.x
                self._put(cell, x, font, size, ink)

    def text(self, text: str, *, font: FontKey = "sans", size: int = 9_500, ink: int = 0, gap: int = 0) -> None:
        """Write a paragraph over the whole width."""
        self._down(gap)
        for line in lines_of(text, size=size, most=RIGHT - LEFT, font=font):
            self._down(size + 4 * POINT)
            self._put(line, LEFT, font, size, ink)

    def rule(self, *, gap: int = 6 * POINT) -> None:
        """Draw a line across."""
        self._down(gap)
        line = polyline((LEFT, self._y), (RIGHT, self._y))
        self._own.append(Path(role="decoration", ops=line, stroke=GREY, width=500))

    def need(self, height: int) -> None:
        """Turn the page where less than that is left."""
        if self._y - height < _FOOT:
            self._turn()

    def pages(self) -> Iterator[Page]:
        """Give the pages with their feet."""
        every = [*self._done, self._own]
        for number, elements in enumerate(every, start=1):
            foot = f"{self._name}   page {number} of {len(every)}   {self._foot}"
            mark = Text(role="decoration", text=foot, font="sans", size=7_000, x=LEFT, y=_FOOT * 2 // 3, ink=GREY)
            yield Page(form=SHEET, side="address", specimen=True, elements=(*elements, mark))

    def _down(self, by: int) -> None:
        self._y -= by
        if self._y < _FOOT:
            self._turn()
            self._y -= _LEAD

    def _turn(self) -> None:
        if self._own:
            self._done.append(self._own)
        self._own, self._y = [], SHEET.height - 3 * INCH // 4
        if self.heading is not None:
            self.heading()

    def _put(self, text: str, x: int, font: FontKey, size: int, ink: int) -> None:
        self._own.append(Text(role="decoration", text=text, font=font, size=size, x=x, y=self._y, ink=ink))


def moment(text: str, zone: str) -> str:
    """Write an ISO instant as the clock of an office showed it, or nothing for none."""
    return Instant.parse(text).words_in(zone) if text else ""
