"""The dated price tables: what one holds, and how newer ones lie over older ones.

Here: `Table`, `Line`, the tables that come with the program. Not here: which line prices a piece (`rates`), the files
(`rate_files`).
Kept: every amount carries its source and how sure it is; a price that was not found is a line without an amount. Tables
of one series follow one another in time and never overlap; series stack (a temporary addition lies on its base).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from towncircle.kernel.money import Mills

FIRST_CLASS, EXTRA_SERVICES = "first-class", "extra-services"
TEMPORARY = "-temporary"  # a series of additions is named as the one that it lies on, and this
PIECE, OUNCE, NONMACHINABLE, ADDITION, EXTRA = "piece", "additional-ounce", "nonmachinable", "addition", "extra"
_EVERY_WEIGHT = Fraction(10**9)
KINDS = (PIECE, OUNCE, NONMACHINABLE, ADDITION, EXTRA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Hold one published price: what it is for, up to which weight, and where it comes from.

    `zone` is a postal zone or a span of them (`1-4`), '' where one price holds for all; `level` the presort level or
    the extra service; `for_class` the one class that the source states it for; `not_over_value` the declared value.
    """

    kind: str
    shape: str
    price_type: str
    not_over_oz: Fraction | None
    amount: Mills | None
    status: str
    confidence: str
    source: str
    url: str
    note: str
    zone: str = ""
    level: str = ""
    for_class: str = ""
    not_over_value: Mills | None = None


Shelf = Mapping[tuple[str, str, str], Mapping[str, tuple[Line, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Hold the prices of a series that are in force between two dates, both included."""

    id: str
    in_force_from: date
    in_force_through: date
    dates_from: str
    checked_on: date | None
    derive_ounces_through: Fraction | None
    derive_because: str
    lines: tuple[Line, ...]
    series: str = FIRST_CLASS
    shelf: Shelf = field(init=False, repr=False, compare=False)
    offers: Mapping[tuple[str, str], frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shelf", _shelved(self.lines))
        offers: dict[tuple[str, str], set[str]] = {}
        for line in self.lines:
            if line.kind == PIECE:
                offers.setdefault((line.shape, line.level), set()).add(line.price_type)
        object.__setattr__(self, "offers", {key: frozenset(types) for key, types in offers.items()})

    @property
    def name(self) -> str:
        """Give the name with its series, such as `first-class 2026-07-12`."""
        return f"{self.series} {self.id}"

    def pieces(self, shape: str) -> tuple[Line, ...]:
        """Give the piece prices of a shape without a presort level, lightest first."""
        found = (line for line in self.lines if line.kind == PIECE and line.shape == shape and not line.level)
        return tuple(sorted(found, key=lambda line: line.not_over_oz or 0))

    def only(self, kind: str) -> Line | None:
        """Give the one line of a kind that a table has once, or None."""
        return next((line for line in self.lines if line.kind == kind), None)

    def priced(self, shape: str, level: str, price_type: str) -> Mapping[str, tuple[Line, ...]]:
        """Give the piece prices of a shape by zone, lightest first; the key is '' where one price holds for all."""
        return self.shelf.get((shape, level, price_type), {})


def known_tables() -> tuple[Table, ...]:
    """Give the tables that come with the program, each series oldest first."""
    from towncircle.mailpiece.rate_files import packaged  # it reads what stands here

    return packaged()


def first_class_tables() -> tuple[Table, ...]:
    """Give the First-Class tables that come with the program, oldest first."""
    return tuple(table for table in known_tables() if table.series == FIRST_CLASS)


def laid_over(tables: tuple[Table, ...], newer: Iterable[Table]) -> tuple[Table, ...]:
    """Lay newer tables, in the order of their publication, over others; give each series oldest first.

    The first day decides: from it on a table holds alone in its series, until the next one begins, whichever was
    published first. A table published later for the same first day stands in the place of the earlier one.
    """
    held = {(one.series, one.in_force_from): one for one in (*tables, *newer)}
    ordered = [held[key] for key in sorted(held)]
    return tuple(_until(one, after) for one, after in zip(ordered, (*ordered[1:], None), strict=True))


def _until(one: Table, following: Table | None) -> Table:
    """Cut a table where the next one of its series begins."""
    if following is None or following.series != one.series or following.in_force_from > one.in_force_through:
        return one
    return replace(one, in_force_through=following.in_force_from - timedelta(days=1))


def _shelved(lines: tuple[Line, ...]) -> Shelf:
    found: dict[tuple[str, str, str], dict[str, list[Line]]] = {}
    for line in lines:
        if line.kind == PIECE:
            by_zone = found.setdefault((line.shape, line.level, line.price_type), {})
            for zone in zones_of(line.zone):
                by_zone.setdefault(zone, []).append(line)
    return {key: {zone: tuple(sorted(held, key=reach)) for zone, held in zones.items()} for key, zones in found.items()}


def reach(line: Line) -> Fraction:
    """Give the weight in ounces up to which a line answers: a line without one takes every weight."""
    return line.not_over_oz if line.not_over_oz is not None else _EVERY_WEIGHT


def zones_of(span: str) -> tuple[str, ...]:
    """Give the zones of a span such as `1-4`; of '' just ''."""
    first, dash, last = span.partition("-")
    return tuple(str(zone) for zone in range(int(first), int(last) + 1)) if dash else (span,)
