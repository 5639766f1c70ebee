"""What a piece of mail costs on a date, and why.

Here: `price()`: the base price, what is stacked on it (additional ounces, the nonmachinable surcharge, temporary
additions, extra services), and its explanation. Not here: the tables (`tariff`), which zone a piece goes to (`zones`),
what may be mailed so at all (`eligibility`), what the licensee pays with.
Kept: P050 1.5, the indicium's value equals or exceeds the amount due, so the price must be known: a price that no
source gives is refused with the reason, never guessed. Sums of the additional-ounce price are made only where a
source confirms such sums, and the explanation then says "derived". While temporary additions are in force, a piece
whose addition was not found is refused.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece.categories import (
    CLASSES,
    MAIL_CLASSES,
    PRICE_TYPES,
    SHAPES,
    PriceType,
    Shape,
    category_code,
    describe_category,
    printed_category,
)
from towncircle.mailpiece.eligibility import Piece, Size, faults
from towncircle.mailpiece.tariff import (
    ADDITION,
    EXTRA,
    EXTRA_SERVICES,
    FIRST_CLASS,
    NONMACHINABLE,
    OUNCE,
    TEMPORARY,
    Line,
    Table,
    known_tables,
    reach,
    zones_of,
)
from towncircle.mailpiece.weights import show_weight

__all__ = [
    "MAIL_CLASSES", "PRICE_TYPES", "SHAPES", "ZONES", "Price", "PriceRequest", "PriceType", "Shape", "Step",
    "describe_category", "extras_of", "price", "printed_category", "table_on",
]  # fmt: skip
ZONES = tuple("123456789")
_ONE_SERIES = {"first": FIRST_CLASS, "standard": "standard", "media": "media"}
_SURE = ("none", "low", "medium", "high")
_NOTHING_FOUND = "the sources carried here give none"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRequest:
    """Describe a piece to be priced. `weight_oz` is exact; `on` is the date of mailing.

    `zone` is `1` to `9`, '' where it is not known or the class has none; `zone_note` says where it comes from, and
    `zone_estimated` that it is no word of the Postal Service. `level` is a presort level, '' for single pieces;
    `extras` are extra services; `declared_value` is what insurance is asked for.
    """

    on: date
    weight_oz: Fraction
    shape: Shape = "letter"
    price_type: PriceType = "metered"
    mail_class: str = "first"
    nonmachinable: bool = False
    zone: str = ""
    zone_note: str = ""
    zone_estimated: bool = False
    level: str = ""
    extras: tuple[str, ...] = ()
    declared_value: Mills | None = None
    size: Size | None = None

    def piece(self) -> Piece:
        """Give the piece as the check of eligibility takes it."""
        return Piece(
            on=self.on, mail_class=self.mail_class, shape=self.shape, weight_oz=self.weight_oz, size=self.size,
            level=self.level, extras=self.extras, nonmachinable=self.nonmachinable,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Hold one line of the explanation: an amount, or a remark with none."""

    text: str
    amount: Mills | None = None
    status: str = ""
    confidence: str = ""
    source: str = ""
    url: str = ""
    note: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Hold a price and how it came about. `confidence` is that of the least sure step.

    It holds from `in_force_from` to `in_force_through`: the days on which every table it was made of is in force.
    """

    amount: Mills
    category: str
    table: str
    in_force_from: date
    in_force_through: date
    confidence: str
    derived: bool
    steps: tuple[Step, ...]
    zone: str = ""
    zone_estimated: bool = False


@cites("P050-1.5", "PRE-14/1", "PRE-20", "502.22b", "P050-1.4/1", "P050-1.5/1")
def price(request: PriceRequest, *, tables: tuple[Table, ...] | None = None) -> Price:
    """Price a piece and explain it, by the tables given (each series oldest first), or by those of the program.

    Raises `BadInput` for a class, shape, type, zone, service or weight that makes no sense, and `Refused` (`rates.*`)
    where no source gives the price: dates outside the tables, weights past a table's end, what was not found.
    """
    known = tables if tables is not None else known_tables()
    _sensible(request, known)
    series = _series_of(request)
    table = table_on(request.on, series=series, tables=known)
    lines, steps = _lines_for(table, request)
    steps[:0] = [*_base(table, lines, request), *_surcharge(table, request)]
    used = [table]
    addition = _temporary(request, series, known)
    if addition is not None:
        used.append(addition)
        steps.append(_added(addition, request))
    if request.extras:
        services = table_on(request.on, series=EXTRA_SERVICES, tables=known)
        used.append(services)
        steps += [_service(services, extra, request) for extra in request.extras]
    steps += _remarks(request, table)
    counted = [step for step in steps if step.amount is not None]
    sureness = [step.confidence for step in counted]
    return Price(
        amount=sum((step.amount for step in counted if step.amount is not None), ZERO),
        category=category_code(
            request.mail_class, request.shape, lines[0].price_type,
            nonmachinable=request.nonmachinable, extra_services=bool(request.extras),
        ),
        table=table.name,
        in_force_from=max(one.in_force_from for one in used),
        in_force_through=min(*(one.in_force_through for one in used), _before_additions(series, request, known)),
        confidence=min([*sureness, "low"] if request.zone_estimated else sureness, key=_SURE.index),
        derived=any(step.status == "derived" for step in counted),
        steps=tuple(steps),
        zone=request.zone,
        zone_estimated=request.zone_estimated,
    )  # fmt: skip


def table_on(on: date, *, series: str = FIRST_CLASS, tables: tuple[Table, ...] | None = None) -> Table:
    """Find the table of a series in force on a date.

    Raises `Refused` (`rates.before-tables`, `.after-tables`, `.no-table`).
    """
    known = [one for one in (tables if tables is not None else known_tables()) if one.series == series]
    if not known:
        raise Refused("rates.no-series", what=series.replace("-", " "))
    for table in known:
        if table.in_force_from <= on <= table.in_force_through:
            return table
    if on < known[0].in_force_from:
        raise Refused("rates.before-tables", on=on.isoformat(), first=known[0].in_force_from.isoformat())
    if on > known[-1].in_force_through:
        raise Refused("rates.after-tables", on=on.isoformat(), last=known[-1].in_force_through.isoformat())
    spans = ", ".join(f"{t.in_force_from.isoformat()} to {t.in_force_through.isoformat()}" for t in known)
    raise Refused("rates.no-table", on=on.isoformat(), known=spans)


def extras_of(tables: tuple[Table, ...]) -> tuple[str, ...]:
    """Give the names of all extra services that any table knows, found or not."""
    lines = (line for table in tables if table.series == EXTRA_SERVICES for line in table.lines)
    return tuple(sorted({line.level for line in lines if line.kind == EXTRA}))


def _sensible(request: PriceRequest, known: tuple[Table, ...]) -> None:
    """Refuse what makes no sense, and what may not be mailed so."""
    if request.mail_class not in CLASSES:
        raise BadInput("rates.unknown-class", text=str(request.mail_class)[:20])
    if request.shape not in SHAPES:
        raise BadInput("rates.unknown-shape", text=str(request.shape)[:20])
    if request.price_type not in PRICE_TYPES:
        raise BadInput("rates.unknown-type", text=str(request.price_type)[:20])
    if request.zone and request.zone not in ZONES:
        raise BadInput("rates.unknown-zone", text=str(request.zone)[:20])
    if request.weight_oz <= 0:
        raise BadInput("weight.not-positive", text=show_weight(request.weight_oz))
    for extra in request.extras:
        if extra not in extras_of(known):
            raise BadInput("rates.unknown-extra", text=extra[:40], known=", ".join(extras_of(known)))
    grounds = faults(request.piece())
    if grounds:
        raise grounds[0]


def _series_of(request: PriceRequest) -> str:
    """Give the series of a piece: one a class, or one each for retail and commercial prices."""
    side = "commercial" if request.price_type == "commercial" else "retail"
    return _ONE_SERIES.get(request.mail_class) or f"{request.mail_class}-{side}"


def _lines_for(table: Table, request: PriceRequest) -> tuple[tuple[Line, ...], list[Step]]:
    """Choose the lines of the asked price type; where the table knows one price only, that one, and say so."""
    types = table.offers.get((request.shape, request.level))
    if types is None:
        raise _no_offer(table, request)
    if request.price_type in types:
        return _in_zone(table.priced(request.shape, request.level, request.price_type), request), []
    if len(types) > 1 or (request.price_type == "commercial" and types != {"all"}):
        raise Refused(
            "rates.no-such-type", shape=request.shape, text=request.price_type, known=", ".join(sorted(types))
        )
    (kind,) = types
    lines = _in_zone(table.priced(request.shape, request.level, kind), request)
    said = "one price for all" if kind == "all" else f"the {kind} price"
    text = f"No separate {request.price_type} price for a {_words(request.shape)} is published: {said} holds"
    return lines, [Step(text=text)]


def _no_offer(table: Table, request: PriceRequest) -> Refused:
    levels = sorted(level for shape, level in table.offers if shape == request.shape)
    if levels:
        known = ", ".join(level or "none" for level in levels)
        return Refused("rates.no-such-level", shape=_words(request.shape), level=request.level or "none", known=known)
    shapes = ", ".join(sorted({_words(shape) for shape, _ in table.offers}))
    note = f"table {table.name} has prices for: {shapes}" if shapes else _NOTHING_FOUND
    return _not_found(f"a {_words(request.shape)}", request, note)


def _in_zone(by_zone: Mapping[str, tuple[Line, ...]], request: PriceRequest) -> tuple[Line, ...]:
    lines = by_zone.get("") or by_zone.get(request.zone)
    if lines is None:
        if request.zone:
            raise _not_found(f"zone {request.zone}", request, _NOTHING_FOUND)
        raise Refused("rates.zone-needed", mail_class=CLASSES[request.mail_class].name)
    return lines


def _base(table: Table, lines: tuple[Line, ...], request: PriceRequest) -> list[Step]:
    weight, piece = request.weight_oz, _words(request.shape).capitalize()
    zone = f", zone {request.zone}" if lines[0].zone else ""
    level = f", {request.level}" if request.level else ""
    place = bisect_left(lines, weight, key=reach)
    if place == len(lines):
        return _derived(table, lines[-1], request)
    line = lines[place]
    if line.amount is None:
        raise _not_found(f"a {_words(request.shape)} of {show_weight(weight)}", request, line.note)
    most = f", weight not over {show_weight(line.not_over_oz)}" if line.not_over_oz is not None else ""
    return [_step(line, f"{piece}{level}{zone}{most}", table)]


def _derived(table: Table, last: Line, request: PriceRequest) -> list[Step]:
    """Add up additional ounces past the last line, where a source confirms such sums."""
    extra = table.only(OUNCE)
    weight, through, top = request.weight_oz, table.derive_ounces_through, last.not_over_oz
    assert top is not None  # a line without a weight takes every weight
    if extra is not None and extra.amount is not None and through is not None and weight <= through:
        ounces = ceil(weight - top)
        words = f"{ounces} additional ounce{'s' if ounces > 1 else ''} at {extra.amount}"
        return [
            _step(last, f"{request.shape.capitalize()}, first {show_weight(top)}", table),
            Step(
                text=words, amount=extra.amount * ounces, status="derived", confidence=extra.confidence,
                source=extra.source, url=extra.url, note=table.derive_because, table=table.name,
            ),
        ]  # fmt: skip
    if request.shape == "letter" and not request.level and table.pieces("flat"):
        raise Refused("rates.letter-too-heavy", weight=show_weight(weight), most=show_weight(top))
    most = max(top, through or top)
    shape = _words(request.shape)
    raise Refused("rates.too-heavy", shape=shape, weight=show_weight(weight), most=show_weight(most), table=table.name)


def _surcharge(table: Table, request: PriceRequest) -> list[Step]:
    if not request.nonmachinable:
        return []
    if request.shape != "letter" or request.mail_class != "first" or request.level:
        raise Refused("rates.nonmachinable-letters-only", shape=_words(request.shape))
    line = table.only(NONMACHINABLE)
    if line is None or line.amount is None:
        raise _not_found("the nonmachinable surcharge", request, line.note if line else _NOTHING_FOUND)
    return [_step(line, "Nonmachinable surcharge", table)]


def _temporary(request: PriceRequest, series: str, known: tuple[Table, ...]) -> Table | None:
    for table in known:
        if table.series == series + TEMPORARY and table.in_force_from <= request.on <= table.in_force_through:
            return table
    return None


def _before_additions(series: str, request: PriceRequest, known: tuple[Table, ...]) -> date:
    """Give the day before the next temporary additions, or the end of time."""
    starts = [one.in_force_from for one in known if one.series == series + TEMPORARY and one.in_force_from > request.on]
    return min(starts) - timedelta(days=1) if starts else date.max


def _added(table: Table, request: PriceRequest) -> Step:
    for line in table.lines:
        fits = line.not_over_oz is None or request.weight_oz <= line.not_over_oz
        if line.kind == ADDITION and line.shape == request.shape and fits:
            if line.amount is None:
                raise _not_found("the temporary addition", request, line.note)
            if request.zone in zones_of(line.zone):
                most = show_weight(line.not_over_oz) if line.not_over_oz is not None else "any weight"
                return _step(line, f"Temporary addition, zones {line.zone}, not over {most}", table)
    note = f"table {table.name} has none for a {_words(request.shape)} of {show_weight(request.weight_oz)}"
    raise _not_found("the temporary addition", request, note)


def _service(table: Table, extra: str, request: PriceRequest) -> Step:
    lines = [line for line in table.lines if line.level == extra]
    words = extra.replace("-", " ")
    if not lines:
        raise _not_found(words, request, f"table {table.name} has none")
    chosen = [line for line in lines if line.for_class in ("", request.mail_class)]
    if not chosen:
        raise _not_found(words, request, f"its source states it for {CLASSES[lines[0].for_class].name} only")
    line = _valued(chosen, request) if chosen[0].not_over_value is not None else chosen[0]
    if line.amount is None:
        raise _not_found(words, request, line.note or _NOTHING_FOUND)
    upto = f", declared value not over {line.not_over_value}" if line.not_over_value is not None else ""
    return _step(line, f"{words.capitalize()}{upto}", table)


def _valued(lines: list[Line], request: PriceRequest) -> Line:
    steps = [(line.not_over_value, line) for line in lines if line.not_over_value is not None]
    if request.declared_value is None:
        raise BadInput("rates.value-needed")
    for most, line in steps:
        if request.declared_value <= most:
            return line
    raise Refused("rates.value-too-high", value=request.declared_value, most=steps[-1][0])


def _remarks(request: PriceRequest, table: Table) -> list[Step]:
    found = []
    if request.zone and request.zone_estimated:
        words = request.zone_note or "its source is not known"
        found.append(Step(text=f"Zone {request.zone} is an ESTIMATE: {words}", confidence="low", source="house"))
    elif request.zone and request.zone_note:
        found.append(Step(text=f"Zone {request.zone}: {request.zone_note}"))
    if table.checked_on and request.on > table.checked_on:
        text = f"Prices last checked on {table.checked_on.isoformat()}: a later change is not known here"
        found.append(Step(text=text))
    return found


def _not_found(what: str, request: PriceRequest, note: str) -> Refused:
    return Refused("rates.not-found", what=what, on=request.on.isoformat(), note=note or _NOTHING_FOUND)


def _words(shape: str) -> str:
    return shape.replace("-", " ").replace("box", "flat rate box").replace("envelope", "flat rate envelope")


def _step(line: Line, text: str, table: Table) -> Step:
    return Step(
        text=text, amount=line.amount, status=line.status, confidence=line.confidence,
        source=line.source, url=line.url, note=line.note, table=table.name,
    )  # fmt: skip
