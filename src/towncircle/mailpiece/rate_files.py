"""Rate files: one dated table of prices in the form in which a Provider publishes it (docs/rate-tables.md).

Here: reading a file with its control totals, and writing one. Not here: who publishes it and when (`provider.rates`),
how tables lie over each other (`tariff`).
Kept: a file whose totals are not those of its lines is refused whole; each line names its source, and a price that was
not found is a line without an amount.
"""

from __future__ import annotations

import tomllib
from datetime import date
from fractions import Fraction
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece.tariff import Line, Table

MOST_LINES = 500
_KINDS = ("piece", "additional-ounce", "nonmachinable")
_SURE = ("none", "low", "medium", "high")
_LINE = ("kind", "shape", "price_type", "not_over_oz", "amount_usd", "status", "confidence", "source", "url", "note")
_HEAD = ("id", "dates_from", "derive_ounces_through", "derive_because")


@cites("IMI-03/2")
def read(data: bytes) -> Table:
    """Read a rate file and check it against its own totals. Raises `BadInput`: updates.file-*."""
    try:
        sheet = tomllib.loads(data.decode("utf-8"))
        lines = tuple(_line(row) for row in sheet["line"])
        told = (sheet["lines"], Mills.parse(sheet["total_usd"]))
        table = _table(sheet, lines)
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, BadInput) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise BadInput("updates.file-unreadable", what=what) from error
    counted = (len(lines), total_of(table))
    if told != counted:
        raise BadInput(
            "updates.file-totals", lines=told[0], total=told[1], counted_lines=counted[0], counted_total=counted[1]
        )
    return table


def write(table: Table) -> bytes:
    """Write a table as a rate file, with its totals."""
    days = {name: getattr(table, name) for name in ("in_force_from", "in_force_through", "checked_on")}
    weight = table.derive_ounces_through
    head: dict[str, object] = {
        "id": table.id,
        "dates_from": table.dates_from,
        **{name: day for name, day in days.items() if day is not None},
        **({"derive_ounces_through": str(weight), "derive_because": table.derive_because} if weight else {}),
        "lines": len(table.lines),
        "total_usd": str(total_of(table)).replace(",", ""),
    }
    rows = [f"{name} = {_toml(value)}" for name, value in head.items()]
    for line in table.lines:
        amount = str(line.amount) if line.amount is not None else ""
        ounces = str(line.not_over_oz) if line.not_over_oz is not None else ""
        cells = {name: getattr(line, name, "") for name in _LINE} | {"amount_usd": amount, "not_over_oz": ounces}
        rows += ["", "[[line]]", *(f"{name} = {_toml(value)}" for name, value in cells.items())]
    return ("\n".join(rows) + "\n").encode()


def total_of(table: Table) -> Mills:
    """Add up the amounts of a table: the control total of its file."""
    return sum((line.amount for line in table.lines if line.amount is not None), ZERO)


def _table(sheet: dict[str, Any], lines: tuple[Line, ...]) -> Table:
    first, last, checked = sheet["in_force_from"], sheet["in_force_through"], sheet.get("checked_on")
    for day in (first, last, *([checked] if checked is not None else ())):
        if type(day) is not date:
            raise ValueError(f"{day} is no date")
    if last < first:
        raise ValueError("it ends before it begins")
    words = {name: str(sheet.get(name, "")) for name in _HEAD}
    if not words["id"] or not words["dates_from"] or not 0 < len(lines) <= MOST_LINES:
        raise ValueError("it has no id, no source of its dates, or no line (at most 500)")
    through = words["derive_ounces_through"]
    return Table(
        id=words["id"],
        in_force_from=first,
        in_force_through=last,
        dates_from=words["dates_from"],
        checked_on=checked,
        derive_ounces_through=Fraction(through) if through else None,
        derive_because=words["derive_because"],
        lines=lines,
    )


def _line(row: dict[str, Any]) -> Line:
    if row.keys() - set(_LINE):
        raise ValueError(f"a line has the unknown columns {sorted(row.keys() - set(_LINE))}")
    said = {name: str(row.get(name, "")) for name in _LINE}
    amount = Mills.parse(said["amount_usd"]) if said["amount_usd"] else None
    if said["kind"] not in _KINDS or said["confidence"] not in _SURE or not said["source"]:
        raise ValueError("a line has no known kind or confidence, or no source")
    if (amount is None) != (said["confidence"] == "none") or (amount is not None and amount <= ZERO):
        raise ValueError("a line without an amount has the confidence none, and no other has")
    return Line(
        kind=said["kind"],
        shape=said["shape"],
        price_type=said["price_type"],
        not_over_oz=Fraction(said["not_over_oz"]) if said["not_over_oz"] else None,
        amount=amount,
        status=said["status"],
        confidence=said["confidence"],
        source=said["source"],
        url=said["url"],
        note=said["note"],
    )


def _toml(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
