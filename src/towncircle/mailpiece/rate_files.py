"""Rate files: one dated table of prices in the form in which a Provider publishes it (docs/rate-tables.md).

Here: reading a file with its control totals, writing one, and the files that come with the program. Not here: who
publishes it and when (`provider.rates`), how tables lie over each other (`tariff`).
Kept: a file whose totals are not those of its lines is refused whole, one with faults with all of them (`rate_checks`),
and what was taken once stays readable; each line names its source, and a price that was
not found is a line without an amount. Prices by weight and zone stand in grids, so that a whole class fits one message.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from functools import cache, lru_cache, partial
from importlib.resources import files
from itertools import groupby
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, RefusedOnGrounds
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece import rate_checks
from towncircle.mailpiece.tariff import FIRST_CLASS, KINDS, Line, Table

MOST_LINES = 2_000
MOST_TOLD = 200  # faults of a file
_SURE = ("none", "low", "medium", "high")
_SAID = ("kind", "shape", "price_type", "status", "confidence", "source", "url", "note", "level", "for_class")
_LINE = (*_SAID, "zone", "not_over_oz", "amount_usd", "not_over_value_usd")
_GRID = (*_SAID, "zones", "rows")
_HEAD = ("id", "dates_from", "derive_ounces_through", "derive_because")
_GAP = "-"  # a cell of a grid whose price was not found
_ZONES = tuple("123456789")
_OUNCES = re.compile(r"[0-9]{1,5}(?:/[1-9][0-9]{0,4}|\.[0-9]{1,4})?\Z", re.ASCII)


@cites("IMI-03/2")
def read(data: bytes) -> Table:
    """Read a rate file that is to be published or taken, and check it against its own totals.

    Raises `BadInput` (updates.file-unreadable, updates.file-totals), and `RefusedOnGrounds` (updates.file-faulty) with
    everything that is wrong with its head and its lines, each with its place.
    """
    sheet = _sheet(data)
    faults, placed = rate_checks.head_faults(sheet), list[rate_checks.Placed]()
    for count, (where, make) in enumerate(_makers(sheet), start=1):
        if count > MOST_LINES:
            faults.append(rate_checks.fault(where, f"a table has at most {MOST_LINES:,} lines"))
            break
        try:
            placed += [(where, line) for line in make()]
        except (ValueError, KeyError, BadInput) as error:
            faults.append(rate_checks.fault(where, f"it lacks {error}" if isinstance(error, KeyError) else error))
    faults += rate_checks.line_faults(str(sheet.get("series", FIRST_CLASS)), placed)
    if faults:
        raise RefusedOnGrounds("updates.file-faulty", tuple(faults[:MOST_TOLD]), count=len(faults))
    return _read(data)


def _sheet(data: bytes) -> dict[str, Any]:
    try:
        sheet = tomllib.loads(data.decode("utf-8"))
        for name in ("line", "grid"):
            if not all(isinstance(row, dict) for row in sheet.get(name, ())):
                raise ValueError(f"its {name} is no list of tables")
    except (UnicodeDecodeError, ValueError, TypeError, RecursionError) as error:
        raise BadInput("updates.file-unreadable", what=error) from error
    return sheet


def _makers(sheet: dict[str, Any]) -> Iterator[tuple[str, Callable[[], list[Line]]]]:
    """Give each line of a file, and each row of its grids, by its place and unread."""
    for number, row in enumerate(sheet.get("line", ()), start=1):
        yield f"line {number}", partial(_one_line, row)
    for number, grid in enumerate(sheet.get("grid", ()), start=1):
        rows = (text for text in str(grid.get("rows", "")).split("\n") if text.strip())
        for at, text in enumerate(rows, start=1):
            yield f"grid {number}, row {at}", partial(_grid_row, {**grid, "rows": text})


def _one_line(row: dict[str, Any]) -> list[Line]:
    return [_line(row)]


def _grid_row(grid: dict[str, Any]) -> list[Line]:
    return list(_cells(grid))


def _read(data: bytes) -> Table:
    """Read a file line by line and check its totals; what today's checks say of its names is not asked."""
    try:
        sheet = tomllib.loads(data.decode("utf-8"))
        lines = (*map(_line, sheet.get("line", ())), *(line for grid in sheet.get("grid", ()) for line in _cells(grid)))
        told = (sheet["lines"], Mills.parse(sheet["total_usd"]))
        table = _table(sheet, lines)
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, RecursionError, BadInput) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise BadInput("updates.file-unreadable", what=what) from error
    counted = (len(lines), total_of(table))
    if told != counted:
        raise BadInput(
            "updates.file-totals", lines=told[0], total=told[1], counted_lines=counted[0], counted_total=counted[1]
        )
    return table


@lru_cache(maxsize=64)
def read_taken(data: bytes) -> Table:
    """Read a file that was taken before: what was in order then is not looked at by today's checks again."""
    return _read(data)


@cache
def packaged() -> tuple[Table, ...]:
    """Read the tables that come with the program, each series oldest first."""
    folder = files("towncircle.mailpiece") / "data" / "rates"
    tables = (_read(file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".toml"))
    return tuple(sorted(tables, key=lambda table: (table.series, table.in_force_from)))


def write(table: Table) -> bytes:
    """Write a table as a rate file, with its totals."""
    days = {name: getattr(table, name) for name in ("in_force_from", "in_force_through", "checked_on")}
    weight = table.derive_ounces_through
    head: dict[str, object] = {
        "id": table.id,
        **({"series": table.series} if table.series != FIRST_CLASS else {}),
        "dates_from": table.dates_from,
        **{name: day for name, day in days.items() if day is not None},
        **({"derive_ounces_through": _decimal(weight), "derive_because": table.derive_because} if weight else {}),
        "lines": len(table.lines),
        "total_usd": _plain(total_of(table)),
    }
    rows = [f"{name} = {_toml(value)}" for name, value in head.items()]
    for _, group in groupby(table.lines, key=_said):
        held = list(group)
        if _is_a_grid(held):
            rows += ["", "[[grid]]", *_grid(held)]
        else:
            rows += [row for line in held for row in ("", "[[line]]", *_written(line, _cells_of(line)))]
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
        raise ValueError(f"it has no id, no source of its dates, or no line (at most {MOST_LINES:,})")
    through = words["derive_ounces_through"]
    return Table(
        id=words["id"],
        in_force_from=first,
        in_force_through=last,
        dates_from=words["dates_from"],
        checked_on=checked,
        derive_ounces_through=_ounces(through) if through else None,
        derive_because=words["derive_because"],
        lines=lines,
        series=str(sheet.get("series", FIRST_CLASS)),
    )


def _line(row: dict[str, Any]) -> Line:
    said = _checked(row, _LINE)
    amount = Mills.parse(said["amount_usd"]) if said["amount_usd"] else None
    ounces, value = said.get("not_over_oz"), said.get("not_over_value_usd")
    return _priced(said, zone=_zone(said["zone"]), ounces=_ounces(ounces) if ounces else None, amount=amount,
                   value=Mills.parse(value) if value else None)  # fmt: skip


def _cells(grid: dict[str, Any]) -> Iterator[Line]:
    """Give the lines of a grid: a row begins with its weight in ounces, then one amount a zone."""
    said, zones = _checked(grid, _GRID), [_zone(zone) for zone in (str(grid["zones"]).split() or [""])]
    for row in str(grid["rows"]).split("\n"):
        weight, *cells = row.split() or [""]
        if not weight:
            continue
        if len(cells) != len(zones):
            raise ValueError(f"the row {row[:60]!r} of a grid has not one amount a zone")
        ounces = _ounces(weight)
        for zone, cell in zip(zones, cells, strict=True):
            amount = None if cell == _GAP else Mills.parse(cell)
            yield _priced(said, zone=zone, ounces=ounces, amount=amount, value=None)


def _checked(row: dict[str, Any], columns: tuple[str, ...]) -> dict[str, str]:
    if row.keys() - set(columns):
        raise ValueError(f"a line has the unknown columns {sorted(row.keys() - set(columns))}")
    said = {name: str(row.get(name, "")) for name in columns}
    if said["kind"] not in KINDS or said["confidence"] not in _SURE or not said["source"]:
        raise ValueError("a line has no known kind or confidence, or no source")
    return said


def _priced(
    said: dict[str, str], *, zone: str, ounces: Fraction | None, amount: Mills | None, value: Mills | None
) -> Line:
    if (amount is None) != (said["confidence"] == "none") or (amount is not None and amount <= ZERO):
        raise ValueError("a line without an amount has the confidence none, and no other has")
    return Line(
        **{name: said[name] for name in _SAID}, zone=zone, not_over_oz=ounces, amount=amount, not_over_value=value
    )


def _ounces(text: str) -> Fraction:
    """Read a weight; not by `Fraction` alone, which would write `1e999999999` out."""
    if not _OUNCES.match(text):
        raise ValueError(f"{text[:20]!r} is no weight in ounces")
    return Fraction(text)


def _zone(text: str) -> str:
    first, dash, last = text.partition("-")
    if text and not (first in _ZONES and (last in _ZONES and first < last if dash else True)):
        raise ValueError(f"{text[:20]!r} is no zone")
    return text


def _is_a_grid(lines: list[Line]) -> bool:
    """Tell whether neighbouring lines that say the same are whole rows of weights by zones."""
    zones = list(dict.fromkeys(line.zone for line in lines))
    rows = [[line.zone for line in held] for _, held in groupby(lines, key=lambda line: line.not_over_oz)]
    plain = all(line.not_over_oz is not None and line.not_over_value is None for line in lines)
    return plain and len(lines) > 1 and ("" not in zones or zones == [""]) and all(row == zones for row in rows)


def _said(line: Line) -> tuple[str, ...]:
    return tuple(getattr(line, name) for name in _SAID)


def _cells_of(line: Line) -> dict[str, str]:
    cells = {
        "zone": line.zone,
        "not_over_oz": _decimal(line.not_over_oz),
        "amount_usd": _plain(line.amount) if line.amount is not None else "",
        "not_over_value_usd": _plain(line.not_over_value) if line.not_over_value is not None else "",
    }
    return {name: cell for name, cell in cells.items() if cell}


def _written(line: Line, more: dict[str, str]) -> Iterator[str]:
    told = {name: cell for name, cell in zip(_SAID, _said(line), strict=True) if cell}
    return (f"{name} = {_toml(value)}" for name, value in (told | more).items())


def _grid(lines: list[Line]) -> Iterator[str]:
    zones = list(dict.fromkeys(line.zone for line in lines))
    yield from _written(lines[0], {"zones": " ".join(zones)})
    yield 'rows = """'
    for ounces, held in groupby(lines, key=lambda line: line.not_over_oz):
        cells = {line.zone: _GAP if line.amount is None else _plain(line.amount) for line in held}
        yield " ".join((_decimal(ounces), *(cells[zone] for zone in zones)))
    yield '"""'


def _decimal(ounces: Fraction | None) -> str:
    """Write a weight as `15.999` where four decimals hold it, else as a fraction."""
    if ounces is None:
        return ""
    parts = ounces * 10_000
    if parts.denominator != 1:
        return str(ounces)
    whole, rest = divmod(parts.numerator, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")


def _plain(amount: Mills) -> str:
    return str(amount).replace(",", "").removeprefix("$")


def _toml(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
