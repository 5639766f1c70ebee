"""What a single piece of First-Class Mail costs on a date, and why.

Here: `price()` and the house category codes. Not here: the tables (`tariff`), what the licensee pays with.
Kept: P050 1.5, the indicium's value equals or exceeds the amount due, so the price must be known: a price that no
source gives is refused with the reason, never guessed. Sums of the additional-ounce price are made only where a
source confirms such sums, and the explanation then says "derived".

Category codes (house; four ASCII characters for the indicium): `F`, then `C` (or `N` with the nonmachinable
surcharge), then the shape `L` letter, `F` flat, `C` card, then the price type `S` stamped, `M` metered, `R` retail,
`A` one price for all (the tables before 2024). `FCLM` is a First-Class metered letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Literal

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece.tariff import Line, Table, first_class_tables
from towncircle.mailpiece.weights import show_weight

Shape = Literal["letter", "flat", "card"]
PriceType = Literal["stamped", "metered", "retail"]
MAIL_CLASSES = ("first",)
SHAPES: tuple[Shape, ...] = ("letter", "flat", "card")
PRICE_TYPES: tuple[PriceType, ...] = ("metered", "stamped", "retail")
HEAVIEST_CARD_OZ = Fraction(1)  # house: what weighs more is no card

_SHAPE_LETTER = {"letter": "L", "flat": "F", "card": "C"}
_TYPE_LETTER = {"stamped": "S", "metered": "M", "retail": "R", "all": "A"}
_SHAPE_WORD = {"L": "Letter", "F": "Flat", "C": "Card"}
_TYPE_WORD = {"S": ", stamped price", "M": ", metered price", "R": ", retail price", "A": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRequest:
    """Describe a piece to be priced. `weight_oz` is exact; `on` is the date of mailing."""

    on: date
    weight_oz: Fraction
    shape: Shape = "letter"
    price_type: PriceType = "metered"
    mail_class: str = "first"
    nonmachinable: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Hold a price and how it came about. `confidence` is that of the least sure step."""

    amount: Mills
    category: str
    table: str
    in_force_from: date
    in_force_through: date
    confidence: str
    derived: bool
    steps: tuple[Step, ...]


def describe_category(code: str) -> str:
    """Write a category code in words, such as `First-Class Letter, metered price`. Raises `BadInput`."""
    if (
        len(code) != 4
        or code[0] != "F"
        or code[1] not in "CN"
        or code[2] not in _SHAPE_WORD
        or code[3] not in _TYPE_WORD
    ):
        raise BadInput("rates.unknown-category", text=code[:20])
    surcharge = ", nonmachinable" if code[1] == "N" else ""
    return f"First-Class {_SHAPE_WORD[code[2]]}{_TYPE_WORD[code[3]]}{surcharge}"


def printed_category(code: str) -> str:
    """Write a category code as the indicium prints it, such as `FIRST-CLASS LTR`. Raises `BadInput`."""
    describe_category(code)
    shape = {"L": "LTR", "F": "FLAT", "C": "CARD"}[code[2]]
    return f"FIRST-CLASS {shape}{' NM' if code[1] == 'N' else ''}"


@cites("P050-1.5", "PRE-14/1", "PRE-20", "502.22b", "P050-1.4/1", "P050-1.5/1")
def price(request: PriceRequest, *, tables: tuple[Table, ...] | None = None) -> Price:
    """Price a piece and explain it, by the tables given (oldest first), or by those that come with the program.

    Raises `BadInput` for a class, shape, type or weight that makes no sense, and `Refused` (`rates.*`) where no source
    gives the price: dates outside the tables, weights past a table's end, surcharges that were not found.
    """
    if request.mail_class not in MAIL_CLASSES:
        raise BadInput("rates.unknown-class", text=str(request.mail_class)[:20])
    if request.shape not in SHAPES:
        raise BadInput("rates.unknown-shape", text=str(request.shape)[:20])
    if request.price_type not in PRICE_TYPES:
        raise BadInput("rates.unknown-type", text=str(request.price_type)[:20])
    if request.weight_oz <= 0:
        raise BadInput("weight.not-positive", text=show_weight(request.weight_oz))
    table = table_on(request.on, tables=tables)
    lines, remarks = _lines_for(table, request)
    steps = [*_base(table, lines, request), *_surcharge(table, request), *remarks]
    if table.checked_on and request.on > table.checked_on:
        steps.append(
            Step(text=f"Prices last checked on {table.checked_on.isoformat()}: a later change is not known here")
        )
    counted = [step for step in steps if step.amount is not None]
    letter = "N" if request.nonmachinable else "C"
    return Price(
        amount=sum((step.amount for step in counted if step.amount is not None), ZERO),
        category=f"F{letter}{_SHAPE_LETTER[request.shape]}{_TYPE_LETTER[lines[0].price_type]}",
        table=f"first-class {table.id}",
        in_force_from=table.in_force_from,
        in_force_through=table.in_force_through,
        confidence=min((step.confidence for step in counted), key=("none", "low", "medium", "high").index),
        derived=any(step.status == "derived" for step in counted),
        steps=tuple(steps),
    )


def table_on(on: date, *, tables: tuple[Table, ...] | None = None) -> Table:
    """Find the table in force on a date. Raises `Refused` (`rates.before-tables`, `.after-tables`, `.no-table`)."""
    tables = tables or first_class_tables()
    if on < tables[0].in_force_from:
        raise Refused("rates.before-tables", on=on.isoformat(), first=tables[0].in_force_from.isoformat())
    if on > tables[-1].in_force_through:
        raise Refused("rates.after-tables", on=on.isoformat(), last=tables[-1].in_force_through.isoformat())
    for table in tables:
        if table.in_force_from <= on <= table.in_force_through:
            return table
    known = ", ".join(f"{t.in_force_from.isoformat()} to {t.in_force_through.isoformat()}" for t in tables)
    raise Refused("rates.no-table", on=on.isoformat(), known=known)


def _lines_for(table: Table, request: PriceRequest) -> tuple[tuple[Line, ...], list[Step]]:
    """Choose the lines of the asked price type; where the table knows one price only, that one, and say so."""
    every = table.pieces(request.shape)
    if not every or every[0].amount is None:
        raise Refused("rates.not-found", what=f"a {request.shape}", on=request.on.isoformat(), note=_why(every))
    asked = tuple(line for line in every if line.price_type == request.price_type)
    if asked:
        return asked, []
    kinds = {line.price_type for line in every}
    if len(kinds) > 1:
        raise Refused(
            "rates.no-such-type", shape=request.shape, text=request.price_type, known=", ".join(sorted(kinds))
        )
    (kind,) = kinds
    said = "one price for all" if kind == "all" else f"the {kind} price"
    return every, [
        Step(text=f"No separate {request.price_type} price for a {request.shape} is published: {said} holds")
    ]


def _why(lines: tuple[Line, ...]) -> str:
    return lines[0].note if lines else "the sources carried here give none"


def _base(table: Table, lines: tuple[Line, ...], request: PriceRequest) -> list[Step]:
    weight = request.weight_oz
    if request.shape == "card":
        if weight > HEAVIEST_CARD_OZ:
            raise Refused("rates.card-too-heavy", weight=show_weight(weight), most=show_weight(HEAVIEST_CARD_OZ))
        return [_step(lines[0], "Card")]
    for line in lines:
        if line.not_over_oz is not None and weight <= line.not_over_oz:
            if line.amount is None:
                what = f"a {request.shape} of {show_weight(weight)}"
                raise Refused("rates.not-found", what=what, on=request.on.isoformat(), note=line.note or _why(()))
            return [_step(line, f"{request.shape.capitalize()}, weight not over {show_weight(line.not_over_oz)}")]
    return _derived(table, lines[-1], request)


def _derived(table: Table, last: Line, request: PriceRequest) -> list[Step]:
    """Add up additional ounces past the last line, where a source confirms such sums."""
    extra = table.only("additional-ounce")
    weight, through, top = request.weight_oz, table.derive_ounces_through, last.not_over_oz
    assert top is not None  # only cards have lines without a weight
    if extra is not None and extra.amount is not None and through is not None and weight <= through:
        ounces = ceil(weight - top)
        words = f"{ounces} additional ounce{'s' if ounces > 1 else ''} at {extra.amount}"
        return [
            _step(last, f"{request.shape.capitalize()}, first {show_weight(top)}"),
            Step(
                text=words, amount=extra.amount * ounces, status="derived", confidence=extra.confidence,
                source=extra.source, url=extra.url, note=table.derive_because,
            ),
        ]  # fmt: skip
    if request.shape == "letter" and table.pieces("flat"):
        raise Refused("rates.letter-too-heavy", weight=show_weight(weight), most=show_weight(top))
    most = max(top, through or top)
    raise Refused(
        "rates.too-heavy", shape=request.shape, weight=show_weight(weight), most=show_weight(most), table=table.id
    )


def _surcharge(table: Table, request: PriceRequest) -> list[Step]:
    if not request.nonmachinable:
        return []
    if request.shape != "letter":
        raise Refused("rates.nonmachinable-letters-only", shape=request.shape)
    line = table.only("nonmachinable")
    if line is None or line.amount is None:
        note = line.note if line else "the sources carried here give none"
        raise Refused("rates.not-found", what="the nonmachinable surcharge", on=request.on.isoformat(), note=note)
    return [_step(line, "Nonmachinable surcharge")]


def _step(line: Line, text: str) -> Step:
    return Step(
        text=text, amount=line.amount, status=line.status, confidence=line.confidence,
        source=line.source, url=line.url, note=line.note,
    )  # fmt: skip
