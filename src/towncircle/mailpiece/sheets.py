"""Label stocks and how labels stand on a sheet: rows, columns, pitch, margins, and a start on part-used sheets.

Here: `stock()`, `impose()`, where a label stands, what a run of them takes. Not here: what stands on a label (`page`),
whether a stock is approved (`licensee.labels`).
Kept: a label is laid out alone and then moved as a whole by whole printer dots, so that its symbol stays on them; the
first label goes to the place that is asked for, counted along the rows from the upper left, from 1.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.elements import ArcText, Element, Page, Path
from towncircle.mailpiece.geometry import Form, dot, form, inches


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Hold a label stock: its form, its sheet, and where its labels stand on it, in units from the upper left."""

    key: str
    name: str
    form: Form
    columns: int
    rows: int
    left: int
    top: int
    pitch_x: int
    pitch_y: int
    sheet: Form
    source: str

    @property
    def places(self) -> int:
        """Give how many labels a sheet has."""
        return self.columns * self.rows

    def corner(self, place: int) -> tuple[int, int]:
        """Give the lower left corner of a label of the sheet, counted from 0."""
        row, column = divmod(place, self.columns)
        top = self.sheet.height - self.top - row * self.pitch_y
        return self.left + column * self.pitch_x, top - self.form.height


@cache
def stock(key: str) -> Stock:
    """Look a label stock up. Raises `BadInput` (page.unknown-stock)."""
    table = _data()
    row = table["stocks"].get(key)
    if not isinstance(row, dict):
        raise BadInput("page.unknown-stock", text=key[:40], known=", ".join(table["stocks"]))
    lengths = {name: round(inches(row[name])) for name in ("left", "top", "pitch_x", "pitch_y")}
    own = form(row["form"])
    sheet = own
    if row["columns"] * row["rows"] > 1:
        width, height = (round(inches(str(table["sheet"][name]))) for name in ("width", "height"))
        sheet = Form(key="label-sheet", name=row["name"], shape="label", width=width, height=height, flap=0)
    counts = {"columns": row["columns"], "rows": row["rows"]}
    return Stock(key=key, name=row["name"], form=own, sheet=sheet, source=row["source"], **counts, **lengths)


def stock_keys() -> tuple[str, ...]:
    """Give the keys of all stocks whose sheets are known."""
    return tuple(_data()["stocks"])


def check_start(held: Stock, start: int) -> None:
    """Refuse a first place that the sheet does not have. Raises `BadInput` (page.no-such-place)."""
    if not 1 <= start <= held.places:
        raise BadInput("page.no-such-place", place=start, name=held.name, most=held.places)


def position(held: Stock, start: int, place: int) -> tuple[int, int]:
    """Give the sheet (from 0) and the label on it (from 1) of a place (from 0) in a run that begins at a label."""
    sheet, at = divmod(start - 1 + place, held.places)
    return sheet, at + 1


def used(held: Stock, start: int, runs: Iterable[tuple[int, bool]]) -> dict[str, int]:
    """Count what runs of labels, one behind the other, take of a stock: labels, sheets, the next free label.

    Each run is a number of labels and whether they were printed; those that were not leave their places empty.
    """
    labels, first, behind = 0, 0, 0
    sheets: set[int] = set()
    for count, printed in runs:
        if printed and count:
            labels, behind = labels + count, first + count
            sheets |= set(range(position(held, start, first)[0], position(held, start, behind - 1)[0] + 1))
        first += count
    return {"labels": labels, "sheets": len(sheets), "next_start": position(held, start, behind)[1]}


def impose(pages: Iterable[Page], held: Stock, *, start: int = 1) -> Iterator[Page]:
    """Put labels on sheets, from a place on; a stock of one label a sheet gives its labels as they are.

    Raises `BadInput` (page.no-such-place).
    """
    check_start(held, start)
    if held.places == 1:
        yield from pages
        return
    filled: list[Page] = []
    first = start - 1
    for page in pages:
        filled.append(page)
        if first + len(filled) == held.places:
            yield _sheet(filled, held, first)
            filled, first = [], 0
    if filled:
        yield _sheet(filled, held, first)


def _sheet(pages: list[Page], held: Stock, first: int) -> Page:
    elements: list[Element] = []
    for place, page in enumerate(pages, start=first):
        x, y = held.corner(place)
        step = dot(page.dpi)
        top = held.sheet.height - y - held.form.height
        dx = round(round(x / step) * step)
        dy = held.sheet.height - round(round(top / step) * step) - held.form.height
        elements += [moved(element, x=dx, y=dy) for element, _ in page.boxed]
    return Page(
        form=held.sheet, side=pages[0].side, specimen=pages[0].specimen, mailer=pages[0].mailer,
        elements=tuple(elements), dpi=pages[0].dpi,
    )  # fmt: skip


def moved(element: Element, *, x: int, y: int) -> Element:
    """Give an element at another place."""
    if isinstance(element, Path):
        ops = tuple(
            (op, tuple(value + (y if at % 2 else x) for at, value in enumerate(values))) for op, values in element.ops
        )
        return replace(element, ops=ops)
    if isinstance(element, ArcText):
        return replace(element, cx=element.cx + x, cy=element.cy + y)
    return replace(element, x=element.x + x, y=element.y + y)


@cache
def _data() -> dict[str, dict[str, object]]:
    text = (files("towncircle.mailpiece") / "data" / "stocks.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
