"""What is wrong with a rate file, all of it at once, before anybody prices by it.

Here: the head of a file, each line of its own, and lines against one another. Not here: reading a cell (`rate_files`).
Kept: a name that nothing prices by (a series, shape, price type, class or level) is a fault, never a line that lies
idle; so are two prices for one weight of one zone, and a table whose first day is not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from towncircle.kernel.errors import BadInput
from towncircle.kernel.money import ZERO
from towncircle.mailpiece.categories import CLASSES, LEVELS, PRICE_TYPES, SHAPES
from towncircle.mailpiece.tariff import (
    ADDITION,
    EXTRA,
    EXTRA_SERVICES,
    FIRST_CLASS,
    NONMACHINABLE,
    OUNCE,
    PIECE,
    TEMPORARY,
    Line,
    zones_of,
)

HEAD = (
    "id", "series", "dates_from", "in_force_from", "in_force_through", "checked_on", "derive_ounces_through",
    "derive_because", "lines", "total_usd", "line", "grid",
)  # fmt: skip
STATUS = ("found", "derived", "not found")
ALL = "all"
_SIDED = ("priority", "express", "ground")
_BASES = (FIRST_CLASS, "standard", "media", *(f"{one}-{side}" for one in _SIDED for side in ("retail", "commercial")))
SERIES = (*_BASES, EXTRA_SERVICES, *(f"{one}{TEMPORARY}" for one in _BASES))
Placed = tuple[str, Line]


def fault(where: str, what: object) -> BadInput:
    """Say what is wrong at a place of the file."""
    return BadInput("updates.file-row", where=where, what=what)


def head_faults(sheet: Mapping[str, Any]) -> list[BadInput]:
    """Give everything that is wrong with the head of a file."""
    found = [fault("the head", f"the key {key[:40]!r} is not known") for key in sheet if key not in HEAD]
    found += [
        fault(name, "it is missing, or no date: nobody knows from when to when the table holds")
        for name in ("in_force_from", "in_force_through")
        if type(sheet.get(name)) is not date
    ]
    if "checked_on" in sheet and type(sheet["checked_on"]) is not date:
        found.append(fault("checked_on", "it is no date"))
    if not found and sheet["in_force_through"] < sheet["in_force_from"]:
        found.append(fault("in_force_through", "the table ends before it begins"))
    found += [
        fault(name, "it is missing") for name in ("id", "dates_from", "lines", "total_usd") if not sheet.get(name)
    ]
    if sheet.get("series", FIRST_CLASS) not in SERIES:
        said = f"the series {str(sheet.get('series'))[:40]!r} is not known: {', '.join(SERIES)}"
        found.append(fault("series", said))
    return found


def line_faults(series: str, lines: Iterable[Placed]) -> Iterator[BadInput]:
    """Give everything that is wrong with lines that could be read, each by itself and against one another."""
    seen: dict[tuple[object, ...], str] = {}
    for where, line in lines:
        for what in _wrong(series, line):
            yield fault(where, what)
        for key in _keys(line):
            if key in seen:
                yield fault(where, f"{seen[key]} has a price for the same: one weight of one zone has one price")
                break
            seen[key] = where


def _wrong(series: str, line: Line) -> Iterator[str]:
    kinds = (EXTRA,) if series == EXTRA_SERVICES else (ADDITION,) if series.endswith(TEMPORARY) else _OF_A_BASE
    if series in SERIES and line.kind not in kinds:
        yield f"the kind {line.kind} does not belong in the series {series}"
    extra = line.kind == EXTRA
    if line.shape not in (("",) if extra else SHAPES):
        yield f"the shape {line.shape[:20]!r} is not known"
    if line.price_type not in (("",) if extra else (*PRICE_TYPES, ALL)):
        yield f"the price type {line.price_type[:20]!r} is not known"
    if line.for_class and line.for_class not in CLASSES:
        yield f"the class {line.for_class[:20]!r} is not known"
    if line.status not in STATUS or (line.status == "not found") != (line.amount is None):
        yield f"the status {line.status[:20]!r} is none of {', '.join(STATUS)}, or does not go with the amount"
    if line.kind == PIECE and line.level and line.level not in LEVELS:
        yield f"the presort level {line.level[:40]!r} is not known"
    if extra and not line.level:
        yield "an extra service has no name (level)"
    if line.not_over_oz is not None and line.not_over_oz <= 0:
        yield "its weight is not above zero"
    if line.not_over_value is not None and line.not_over_value <= ZERO:
        yield "its declared value is not above zero"


_OF_A_BASE = (PIECE, OUNCE, NONMACHINABLE)


def _keys(line: Line) -> Iterator[tuple[object, ...]]:
    """Give what a line prices, once for each zone; of the prices that a table has once, the kind alone."""
    if line.kind in (OUNCE, NONMACHINABLE):
        yield (line.kind,)
        return
    said = (line.kind, line.shape, line.price_type, line.level, line.for_class, line.not_over_oz, line.not_over_value)
    for zone in zones_of(line.zone) if line.zone else "123456789":  # one price for all is one for each zone
        yield (*said, zone)
