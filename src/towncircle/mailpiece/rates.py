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
from datetime import date, timedelta
from math import ceil

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import ZERO
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
from towncircle.mailpiece.eligibility import nonstandard
from towncircle.mailpiece.presorting import declared
from towncircle.mailpiece.rate_requests import ZONES, Price, PriceRequest, Step, extras_of, sensible
from towncircle.mailpiece.tariff import (
    ADDITION,
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
    "describe_category", "extras_of", "needs_zone", "price", "printed_category", "table_on",
]  # fmt: skip
_ONE_SERIES = {"first": FIRST_CLASS, "standard": "standard", "media": "media"}
SURE = ("none", "low", "medium", "high")
# House: the most that a price is past the last check of its source, or by a zone that no official chart confirms.
_UNCONFIRMED = "medium"
_NOTHING_FOUND = "the sources carried here give none"


@cites("P050-1.5", "PRE-14/1", "PRE-20", "502.22b", "P050-1.4/1", "P050-1.5/1")
def price(request: PriceRequest, *, tables: tuple[Table, ...] | None = None) -> Price:
    """Price a piece and explain it, by the tables given (each series oldest first), or by those of the program.

    Raises `BadInput` for a class, shape, type, zone, service or weight that makes no sense, and `Refused` (`rates.*`)
    where no source gives the price: dates outside the tables, weights past a table's end, what was not found.
    """
    known = tables if tables is not None else known_tables()
    sensible(request, known)
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
    zone = request.zone if lines[0].zone or (addition is not None and any(one.zone for one in addition.lines)) else ""
    checked = min((one.checked_on for one in used if one.checked_on is not None), default=None)
    steps += _remarks(request, zone, checked)
    steps += [_unchecked(one) for one in used if one.checked_on is None and not _later_checked(one, request.on, known)]
    counted = [step for step in steps if step.amount is not None]
    sureness = [step.confidence for step in steps if step.confidence]
    return Price(
        amount=sum((step.amount for step in counted if step.amount is not None), ZERO),
        category=category_code(
            request.mail_class, request.shape, lines[0].price_type, level=request.level,
            nonmachinable=request.nonmachinable, extra_services=bool(request.extras),
        ),
        table=table.name,
        in_force_from=max(one.in_force_from for one in used),
        in_force_through=min(*(one.in_force_through for one in used), _before_additions(series, request, known)),
        checked_on=checked,
        confidence=min(sureness, key=SURE.index),
        derived=any(step.status == "derived" for step in counted),
        steps=tuple(steps),
        zone=zone,
        zone_estimated=bool(zone) and request.zone_estimated,
    )  # fmt: skip


def needs_zone(request: PriceRequest, *, tables: tuple[Table, ...]) -> bool:
    """Tell whether the price of a piece depends on its zone; what has no price at all needs none."""
    series = _series_of(request)
    for table in tables:
        if table.in_force_from <= request.on <= table.in_force_through:
            held = (table.shelf.get((request.shape, request.level, kind)) for kind in (*PRICE_TYPES, "all"))
            if table.series == series and any(zone for by_zone in held if by_zone for zone in by_zone):
                return True
            if table.series == series + TEMPORARY and any(
                line.zone for line in table.lines if line.shape == request.shape
            ):
                return True
    return False


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
    """Give the surcharge of a letter that machines cannot sort, once called nonstandard, where it is due."""
    odd = nonstandard(request.piece())
    if not request.nonmachinable and not odd:
        return []
    if not odd and (request.shape != "letter" or request.mail_class != "first" or request.level):
        raise Refused("rates.nonmachinable-letters-only", shape=_words(request.shape))
    name, line = f"{'nonstandard' if odd else 'nonmachinable'} surcharge", table.only(NONMACHINABLE)
    if line is None or line.amount is None:
        raise _not_found(f"the {name}", request, line.note if line else _NOTHING_FOUND)
    return [_step(line, name.capitalize(), table)]


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
            if not line.zone or request.zone in zones_of(line.zone):
                most = show_weight(line.not_over_oz) if line.not_over_oz is not None else "any weight"
                zones = f", zones {line.zone}" if line.zone else ""
                return _step(line, f"Temporary addition{zones}, not over {most}", table)
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


def _remarks(request: PriceRequest, zone: str, checked: date | None) -> list[Step]:
    found = declared(request)
    if nonstandard(request.piece()) is None:
        text = "Not measured: a piece of other than standard size pays a surcharge, which is not in this price"
        found.append(Step(text=text))
    if zone and request.zone_estimated:
        words = request.zone_note or "its source is not known"
        found.append(Step(text=f"Zone {request.zone} is an ESTIMATE: {words}", confidence="low", source="house"))
    elif zone and request.zone_declared:
        text = f"Zone {request.zone} is the mailer's word, {request.zone_note or 'no official chart was asked'}"
        found.append(Step(text=text, confidence=_UNCONFIRMED, source="the mailer"))
    elif zone and request.zone_note:
        found.append(Step(text=f"Zone {request.zone}: {request.zone_note}"))
    if checked is not None and request.on > checked:
        text = (
            f"As of {checked.isoformat()}, the last day that the source was checked: a later change is not known here"
        )
        found.append(Step(text=text, confidence=_UNCONFIRMED, source="house"))
    return found


def _later_checked(table: Table, on: date, known: tuple[Table, ...]) -> bool:
    """Tell whether the sources of a later table of the series were looked at on a day or after it."""
    later = (one.checked_on for one in known if one.series == table.series and one.in_force_from > table.in_force_from)
    return any(day is not None and day >= on for day in later)


def _unchecked(table: Table) -> Step:
    text = f"When the source of table {table.name} was last checked is not known: a later change is not known here"
    return Step(text=text, confidence=_UNCONFIRMED, source="house")


def _not_found(what: str, request: PriceRequest, note: str) -> Refused:
    return Refused("rates.not-found", what=what, on=request.on.isoformat(), note=note or _NOTHING_FOUND)


def _words(shape: str) -> str:
    return shape.replace("-", " ").replace("box", "flat rate box").replace("envelope", "flat rate envelope")


def _step(line: Line, text: str, table: Table) -> Step:
    return Step(
        text=text, amount=line.amount, status=line.status, confidence=line.confidence,
        source=line.source, url=line.url, note=line.note, table=table.name,
    )  # fmt: skip
