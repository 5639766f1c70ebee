"""What is asked for when a piece is priced, and what comes back.

Here: the request, the price with its steps, and the check that a request makes sense. Not here: the price (`rates`).
Kept: a request that says a thing twice, or a value without the service it is for, is refused before anything is added
up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from towncircle.kernel.errors import BadInput
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece.categories import CLASSES, PRICE_TYPES, SHAPES, PriceType, Shape
from towncircle.mailpiece.eligibility import Piece, Size, faults
from towncircle.mailpiece.tariff import EXTRA, EXTRA_SERVICES, Table
from towncircle.mailpiece.weights import show_weight

ZONES = tuple("123456789")
INSURANCE = "insurance"  # the service that is priced by the declared value


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRequest:
    """Describe a piece to be priced. `weight_oz` is exact; `on` is the date of mailing.

    `zone` is `1` to `9`, '' where it is not known or the class has none; `zone_note` says where it comes from, and
    `zone_estimated` that it is no word of the Postal Service, `zone_declared` that it is the mailer's. `level` is a
    presort level, '' for single pieces, and `mailing_pieces` how many pieces the presorted mailing has, as the mailer
    declares; `extras` are extra services; `declared_value` is what insurance is asked for.
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
    zone_declared: bool = False
    level: str = ""
    extras: tuple[str, ...] = ()
    declared_value: Mills | None = None
    size: Size | None = None
    mailing_pieces: int | None = None

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

    The tables that it was made of are in force from `in_force_from` to `in_force_through`; `checked_on` is the last day
    on which the sources of all of them were checked, None where none says it. Of a later change nobody knows, so the
    price of a day after it is of medium confidence at most.
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
    checked_on: date | None = None

    @property
    def known_through(self) -> date:
        """Give the last day for which the price is known: of its tables, and of the check of their sources."""
        ends = self.in_force_through
        return ends if self.checked_on is None else min(ends, self.checked_on)


def extras_of(tables: tuple[Table, ...]) -> tuple[str, ...]:
    """Give the names of all extra services that any table knows, found or not."""
    lines = (line for table in tables if table.series == EXTRA_SERVICES for line in table.lines)
    return tuple(sorted({line.level for line in lines if line.kind == EXTRA}))


def sensible(request: PriceRequest, known: tuple[Table, ...]) -> None:
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
    check_services(request.extras, request.declared_value)
    if request.mailing_pieces is not None and not (request.level and request.mailing_pieces > 0):
        raise BadInput("rates.mailing-astray", pieces=request.mailing_pieces)
    grounds = faults(request.piece())
    if grounds:
        raise grounds[0]


def check_services(extras: tuple[str, ...], declared_value: Mills | None) -> None:
    """Refuse a service that is named twice, and a value without insurance.

    Raises `BadInput` (rates.extra-twice, rates.value-astray).
    """
    twice = [extra for place, extra in enumerate(extras) if extra in extras[:place]]
    if twice:
        raise BadInput("rates.extra-twice", extra=twice[0])
    if declared_value is not None and (INSURANCE not in extras or declared_value <= ZERO):
        raise BadInput("rates.value-astray", value=declared_value)
