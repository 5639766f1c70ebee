"""What the pieces of a job cost: each as it is claimed, to where it goes, by the tables of the device's Provider.

Here: the claim, the price of one piece, the price of each row of a list, what a piece keeps of its price, and the look
at it again before it is signed. Not here: prices as such (`mailpiece.rates`), zones (`zoning`), jobs (`mailroom`).
Kept: value at least the exact amount due (P050 1.5), so each piece has its own zone. What a price rests on stays with
the piece: its confidence, whether it is derived, whether its zone is an estimate. A price of low confidence, as its
table says or because its zone is estimated, is printed only when the mailer takes it so (`Claim.accept_low`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from fractions import Fraction
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.licensee.tapes import whole_pieces
from towncircle.mailpiece import eligibility
from towncircle.mailpiece.address_files import Recipient
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.categories import CLASSES
from towncircle.mailpiece.claimed import ClaimedRate
from towncircle.mailpiece.eligibility import Size
from towncircle.mailpiece.geometry import INCH, form, form_for
from towncircle.mailpiece.rate_requests import INSURANCE
from towncircle.mailpiece.rates import Price, PriceRequest, PriceType, Shape, needs_zone, price
from towncircle.mailpiece.tariff import Table, known_tables
from towncircle.mailpiece.zones import Zone, Zones

DEFAULT_WEIGHT_OZ = Fraction(1)
LOW, HIGH, UNRECORDED = "low", "high", "not recorded"
DERIVED, ESTIMATED, DECLARED = "derived", "zones_estimated", "zones_declared"
_ADDRESS = tuple(field.name for field in fields(Address))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(ClaimedRate):
    """Say the rate claimed for a piece, and how its zone is known.

    `zone_estimated`: nobody said it, and no official chart; `zone_declared`: a person said it, and no official chart.
    """

    zone_estimated: bool = False
    zone_declared: bool = False


FIRST_METERED = Claim()


def claimed(rate: ClaimedRate) -> Claim:
    """Give what a template claims as the claim of a piece, whose zone is still to be found."""
    return Claim(**{one.name: getattr(rate, one.name) for one in fields(ClaimedRate)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Hold what the rows of a list are priced by: the day, the tables, the zones, and what a row leaves unsaid.

    `form` names what every piece is printed on, empty for the usual form of its shape.
    """

    day: date
    tables: tuple[Table, ...]
    zones: Zones
    claim: Claim = FIRST_METERED
    weight_oz: Fraction = DEFAULT_WEIGHT_OZ
    shape: Shape | None = None
    form: str = ""


def price_for(
    shape: Shape,
    weight_oz: Fraction,
    *,
    day: date,
    claim: Claim = FIRST_METERED,
    tables: tuple[Table, ...] | None = None,
    size: Size | None = None,
    zone_note: str = "",
) -> Price:
    """Price one piece as the mail room prints it: one that an indicium may pay (P050 1.4).

    Raises what `mailpiece.rates.price` raises, the first ground of `eligibility.unpayable`, and `Refused`
    (rates.low-confidence) unless the claim takes such a price.

    The tables have no metered price for flats; retail is what a flat costs with an indicium too.
    """
    request = _request(shape, weight_oz, day=day, claim=claim, size=size, zone_note=zone_note)
    found = price(request, tables=tables)
    for ground in eligibility.unpayable(request.piece()):
        raise ground
    if found.confidence == LOW and not claim.accept_low:
        weak = next(step for step in found.steps if step.confidence == LOW)
        raise Refused("rates.low-confidence", amount=found.amount, what=weak.text, why=weak.note or weak.source)
    return found


def _request(
    shape: Shape, weight_oz: Fraction, *, day: date, claim: Claim, size: Size | None, zone_note: str
) -> PriceRequest:
    first = claim.mail_class == "first"
    kind: PriceType = "retail" if first and shape == "flat" and claim.price_type == "metered" else claim.price_type
    return PriceRequest(
        on=day,
        weight_oz=weight_oz,
        shape=shape,
        price_type=kind,
        mail_class=claim.mail_class,
        zone=claim.zone,
        zone_note=zone_note,
        zone_estimated=claim.zone_estimated,
        zone_declared=claim.zone_declared,
        level=claim.level,
        extras=claim.extras,
        nonmachinable=claim.nonmachinable,
        declared_value=claim.declared_value,
        mailing_pieces=claim.mailing_pieces,
        size=size,
    )


def size_of(key: str) -> Size | None:
    """Give the size of the pieces of a form that is named; a label says nothing of what it goes on."""
    piece = form(key) if key else None
    if piece is None or piece.shape == "label":
        return None
    return Size(length=Fraction(piece.width, INCH), height=Fraction(piece.height, INCH))


class Pricer:
    """Price the rows of a list, each once for all that are alike."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._size = size_of(terms.form)
        self._prices: dict[tuple[object, ...], Price] = {}
        self._one: str | None = None  # the zone that all rows have, as far as they were found

    def piece(self, recipient: Recipient) -> dict[str, Any]:
        """Give a row as a piece of a job. Raises what `price_for` raises, and `Refused` (zones.*)."""
        terms, claim = self._terms, self._claim(recipient)
        usual = terms.shape if claim.mail_class == terms.claim.mail_class else None
        shape = recipient.shape or usual or CLASSES[claim.mail_class].shape
        weight, size = recipient.weight_oz or terms.weight_oz, self._size_of(recipient, shape)
        zone = self._zone(recipient, _request(shape, weight, day=terms.day, claim=claim, size=size, zone_note=""))
        if zone is not None:
            claim = replace(claim, zone=zone.zone, zone_estimated=zone.estimated, zone_declared=zone.declared)
        key = (shape, weight, claim, size)
        found = self._prices.get(key)
        if found is None:
            note, held = zone.note if zone else "", terms.tables
            found = price_for(shape, weight, day=terms.day, claim=claim, tables=held, size=size, zone_note=note)
            self._prices[key] = found
        if zone is not None and zone.instead and not claim.zone_reason:
            self._not_below(found, zone, claim, recipient=recipient, shape=shape, weight=weight, size=size)
        piece = piece_of(recipient, found, shape=shape, weight_oz=weight, claim=claim)
        if zone is not None and (zone.estimated or zone.declared):
            piece["zone_note"] = zone.note
        if size is not None and size != self._size:
            piece["size"] = str(size)
        return piece

    @cites("P050-1.5")
    def _not_below(
        self, found: Price, zone: Zone, claim: Claim, *, recipient: Recipient, shape: Shape, weight: Fraction,
        size: Size | None,
    ) -> None:  # fmt: skip
        """See that a zone that a person says is not the cheaper one. Raises `Refused` (zones.below-estimate)."""
        other = replace(claim, zone=zone.instead, accept_low=True)
        due = price_for(shape, weight, day=self._terms.day, claim=other, tables=self._terms.tables, size=size).amount
        if due > found.amount:
            to = recipient.address.zip5
            said = {"given": zone.zone, "amount": found.amount, "destination": to, "zone": zone.instead, "due": due}
            raise Refused("zones.below-estimate", **said)

    def _claim(self, recipient: Recipient) -> Claim:
        """Give what is claimed for a row: what the row says, and the rest as for all."""
        claim, row = self._terms.claim, recipient.rate
        if row.empty:
            return claim
        said = {
            name: getattr(row, name)
            for name in ("mail_class", "price_type", "extras", "nonmachinable", "declared_value")
        }
        kept = {name: value for name, value in said.items() if value is not None}
        if row.extras is not None and INSURANCE not in row.extras and row.declared_value is None:
            kept["declared_value"] = None
        return replace(claim, **kept)

    def _size_of(self, recipient: Recipient, shape: Shape) -> Size | None:
        row, size = recipient.rate, self._size
        if (row.length, row.height, row.thickness) == (None, None, None):
            return size
        usual = form_for(shape)
        if size is None and not self._terms.form and usual.shape != "label":
            size = size_of(usual.key)
        length, height = row.length or (size and size.length), row.height or (size and size.height)
        if not length or not height:
            raise Refused("eligibility.size-incomplete")
        return Size(length=length, height=height, thickness=row.thickness)

    @cites("P050-1.5")
    def _zone(self, recipient: Recipient, request: PriceRequest) -> Zone | None:
        """Find the zone of a row, or None where its price has none.

        Raises `Refused` (zones.contradicted, zones.not-one-for-all) where a zone was given that does not hold, and what
        `Zones.find` raises where none was.
        """
        if not needs_zone(request, tables=self._terms.tables):
            return None
        given, to = recipient.rate.zone or self._terms.claim.zone, recipient.address.zip5
        try:
            found = self._terms.zones.find(to, mail_class=request.mail_class, on=request.on)
        except Refused:
            if not given:
                raise
            found = None
        if not given:
            return found
        if found is not None and not found.estimated and found.zone != given:
            raise Refused("zones.contradicted", given=given, destination=to, zone=found.zone, note=found.note)
        if not recipient.rate.zone:
            here = found.zone if found is not None else f"of {to[:3]}, which is not known"
            if self._one not in (None, here):
                raise Refused("zones.not-one-for-all", given=given, destination=to, zone=here, other=self._one)
            self._one = here
        if found is not None and not found.estimated:
            return found
        who = "the list says" if recipient.rate.zone else "claimed for all pieces"
        if found is None:
            return Zone(zone=given, note=f"as {who}", estimated=False, declared=True)
        instead = found.zone if found.zone != given else ""
        text = f"an estimate says zone {instead}" if instead else "an estimate says the same"
        why = f": {self._terms.claim.zone_reason}" if instead and self._terms.claim.zone_reason else ""
        return Zone(zone=given, note=f"as {who}{why}; {text}", estimated=False, declared=True, instead=instead)


def piece_of(
    recipient: Recipient, price: Price, *, shape: Shape, weight_oz: Fraction, claim: Claim = FIRST_METERED
) -> dict[str, Any]:
    """Give what a job keeps of a piece: where it goes, what it is, what it costs, by what, and how sure that is."""
    where = recipient.address
    return {
        "address": {name: getattr(where, name) for name in _ADDRESS},
        "shape": shape,
        "weight": str(weight_oz),
        "amount": int(price.amount),
        "category": price.category,
        "table": price.table,
        "confidence": price.confidence,
        **({"derived": True} if price.derived else {}),
        **({"verified_by": recipient.verified_by} if recipient.verified_by else {}),
        **_claimed(claim),
    }


def claim_of(piece: Mapping[str, Any]) -> Claim:
    """Give the rate that a piece of a job was claimed at; of jobs from before there were others, the metered one."""
    held = dict(piece.get("claim", {}))
    value = held.pop("declared_value", None)
    return Claim(
        **{**held, "extras": tuple(held.get("extras", ())), "declared_value": None if value is None else Mills(value)}
    )


def _claimed(claim: Claim) -> dict[str, Any]:
    """Give what a piece keeps of its claim: what is not as of a First-Class metered letter."""
    told = {one.name: getattr(claim, one.name) for one in fields(claim)}
    kept = {name: value for name, value in told.items() if value != getattr(FIRST_METERED, name)}
    if claim.extras:
        kept["extras"] = list(claim.extras)
    if claim.declared_value is not None:
        kept["declared_value"] = int(claim.declared_value)
    return {"claim": kept} if kept else {}


def doubts(pieces: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Count the pieces whose price is less than sure: by confidence, if derived, if by such a zone."""
    found: Counter[str] = Counter()
    for piece in pieces:
        sure = piece.get("confidence", UNRECORDED)
        if sure != HIGH:
            found[sure] += 1
        if piece.get("derived"):
            found[DERIVED] += 1
        for name, key in ((ESTIMATED, "zone_estimated"), (DECLARED, "zone_declared")):
            if piece.get("claim", {}).get(key):
                found[name] += 1
    return found


def doubts_of_job(pieces: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Count the doubtful prices of a job's pieces, a piece on several tapes once."""
    return doubts(whole_pieces(pieces))


def in_words(found: Mapping[str, int]) -> str:
    """Write a count of doubtful prices as one line, '' where there is none."""
    zones = {ESTIMATED: "by an estimated zone", DECLARED: "by a zone that no official chart confirms"}
    words = {DERIVED: "derived", **zones, UNRECORDED: "of a confidence not recorded"}
    return ", ".join(f"{count:,} {words.get(name, f'of {name} confidence')}" for name, count in found.items() if count)


@cites("P050-1.5", "502.22b")
def changed(
    pieces: Sequence[Mapping[str, Any]], *, day: date, zones: Zones, tables: tuple[Table, ...] | None = None
) -> Iterator[Refused]:
    """Price planned pieces again and give a refusal for each whose price is not what it was planned at.

    A piece that has a zone is priced by that of the official chart, where there is one now. Of a piece that pays a
    correction `due` is compared, where a price and no person said it.
    """
    known, seen = tables if tables is not None else known_tables(), dict[tuple[object, ...], Mills]()
    for number, piece in enumerate(whole_pieces(pieces), start=1):
        planned = Mills(piece.get("due", piece["amount"]))
        if piece.get("due_told"):
            continue
        claim = _by_the_chart(replace(claim_of(piece), accept_low=True), piece["address"]["zip5"], zones, day)
        key = (piece["shape"], piece["weight"], claim, piece.get("size"), piece.get("on"))
        if key not in seen:
            size = Size.parse(piece["size"]) if "size" in piece else size_of(piece.get("on", ""))
            weight = Fraction(piece["weight"])
            seen[key] = price_for(piece["shape"], weight, day=day, claim=claim, tables=known, size=size).amount
        if seen[key] != planned:
            yield Refused("mailroom.price-changed", piece=number, planned=planned, due=seen[key], day=day)


def _by_the_chart(claim: Claim, destination: str, zones: Zones, day: date) -> Claim:
    """Give a claim with the zone of the official chart; as it is where no chart gives one."""
    if not claim.zone:
        return claim
    try:
        found = zones.find(destination, mail_class=claim.mail_class, on=day)
    except Refused:
        return claim
    if found.estimated:
        return claim
    return replace(claim, zone=found.zone, zone_estimated=False, zone_declared=False)
