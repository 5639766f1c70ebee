"""The dated price tables, read from the package's data.

Here: `Table`, `Line` and their reading. Not here: which line prices a piece (`rates`).
Kept: every amount carries its source and how sure it is; a price that was not found is a line without an amount.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from importlib.resources import files

from towncircle.kernel.money import Mills


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Hold one published price: what it is for, up to which weight, and where it comes from."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Hold the prices in force between two dates, both included."""

    id: str
    in_force_from: date
    in_force_through: date
    dates_from: str
    checked_on: date | None
    derive_ounces_through: Fraction | None
    derive_because: str
    lines: tuple[Line, ...]

    def pieces(self, shape: str) -> tuple[Line, ...]:
        """Give the piece prices of a shape, lightest first."""
        found = (line for line in self.lines if line.kind == "piece" and line.shape == shape)
        return tuple(sorted(found, key=lambda line: line.not_over_oz or 0))

    def only(self, kind: str) -> Line | None:
        """Give the one line of a kind that a table has once, or None."""
        return next((line for line in self.lines if line.kind == kind), None)


@cache
def first_class_tables() -> tuple[Table, ...]:
    """Read the First-Class tables that come with the program, oldest first."""
    folder = files("towncircle.mailpiece") / "data"
    with (folder / "first_class.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    tables = tomllib.loads((folder / "first_class_tables.toml").read_text(encoding="utf-8"))["table"]
    return tuple(
        Table(
            id=table["id"],
            in_force_from=table["in_force_from"],
            in_force_through=table["in_force_through"],
            dates_from=table["dates_from"],
            checked_on=table.get("checked_on"),
            derive_ounces_through=_weight(table.get("derive_ounces_through", "")),
            derive_because=table.get("derive_because", ""),
            lines=tuple(_line(row) for row in rows if row["table"] == table["id"]),
        )
        for table in tables
    )


def laid_over(tables: tuple[Table, ...], newer: Iterable[Table]) -> tuple[Table, ...]:
    """Lay newer tables over others, one after the other: from its first day on a newer one holds alone."""
    held = tables
    for table in newer:
        last = table.in_force_from - timedelta(days=1)
        kept = [
            replace(one, in_force_through=min(one.in_force_through, last)) for one in held if one.in_force_from <= last
        ]
        held = (*kept, table)
    return held


def _weight(text: str) -> Fraction | None:
    return Fraction(text) if text else None


def _line(row: dict[str, str]) -> Line:
    return Line(
        kind=row["kind"],
        shape=row["shape"],
        price_type=row["price_type"],
        not_over_oz=_weight(row["not_over_oz"]),
        amount=Mills.parse(row["amount_usd"]) if row["amount_usd"] else None,
        status=row["status"],
        confidence=row["confidence"],
        source=row["source"],
        url=row["source_url"],
        note=row["note"],
    )
