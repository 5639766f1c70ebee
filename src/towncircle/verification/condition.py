"""The checks of a piece as it was found: where it was deposited and with what, what it weighs and measures (13, 18).

Here: legibility, place of deposit, the branch, combination with other payment, value, address, weight, size and class.
Not here: dates (`dates`), the mark itself (`circumstances`), how print is measured (`symbol.reflectance`).
Kept: what was not observed makes a finding whose `ok` is None and that says so. Class, weight and size are judged by
the check that prices and prints (`mailpiece.eligibility`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import Mills
from towncircle.mailpiece.categories import Category, describe_category, read_category
from towncircle.mailpiece.eligibility import CLASS_CLAUSE, Piece, minimum_pieces, unchecked, unpayable
from towncircle.mailpiece.rates import Price, PriceRequest, price
from towncircle.pki.verifying import Finding
from towncircle.symbol import reflectance
from towncircle.verification.facts import Observed
from towncircle.verification.finding import finding
from towncircle.verification.mark import Mark
from towncircle.verification.prices import Stack, Tables

_ELSEWHERE = frozenset({"first", "priority"})  # First-Class Mail, Priority Mail included (P050 1.4)
_NOT_SAID = "The class of mail is not in the mark, or its code is not known here."


@cites("P050-4.2", "P050-4.2/3")
def legible(payload: bytes, observed: Observed) -> Iterator[Finding]:
    """Compare the print with the least difference in reflectance: an illegible indicium is no postage (P050 4.2)."""
    if observed.purpose != "postage":
        return
    seen, least = observed.prints.get(payload), reflectance.least()
    if seen is None:
        yield finding("mark.reflectance", ok=None, text="The reflectance of the print was not measured.")
        return
    yield finding("mark.reflectance", ok=seen.enough(least), text=f"{seen}; at least {least} % in red and in green.")


def deposit(mark: Mark) -> Iterator[Finding]:
    """Check the licensing office, the place of deposit, the branch, and what else the mailing was paid with."""
    yield from _origin(mark)
    yield from _branch(mark)
    yield from _combined(mark)


@cites("P050-5.3/1", "P050-5.3/2")
def _origin(mark: Mark) -> Iterator[Finding]:
    origin, observed = mark.number_or_text("origin_zip"), mark.observed
    if origin is None:
        return
    if mark.row is None:
        yield finding("origin.license", ok=None, text=f"ZIP Code {origin}; the license is not known.")
        return
    office = mark.row.office_zip
    yield finding("origin.license", ok=origin == office, text=f"ZIP Code {origin}; the licensing office is {office}.")
    if observed.origin is None:
        yield finding("origin.deposit", ok=None, text="Where the piece was deposited was not observed.")
        return
    text = f"Deposited at {observed.origin}, licensed at {office}."
    good: bool | None = observed.origin == office
    if not good and observed.handful:
        said = _category(mark)
        good = said.mail_class in _ELSEWHERE if said is not None else None
        text += " It is one of a handful that expedites dispatch, which First-Class Mail may be."
    yield finding("origin.deposit", ok=good, text=text)


@cites("P050-4.5b/1", "P050-4.5b/2")
def _branch(mark: Mark) -> Iterator[Finding]:
    """Check a branch that the town circle was seen to name."""
    named = " ".join(mark.observed.branch.upper().split())
    if not named:
        return
    if mark.facts is None:
        yield finding("origin.branch", ok=None, text=f"Names the branch {named}; what is approved is not known here.")
        return
    good = named in mark.facts.branches
    state = "approved" if good else "not approved"
    yield finding("origin.branch", ok=good, text=f"Names the branch {named}, {state} for this license.")


@cites("P050-5.2")
def _combined(mark: Mark) -> Iterator[Finding]:
    """Check mail that was seen to be combined with mail paid by other methods: only if it was authorized."""
    other = mark.observed.other_payment
    if not other:
        return
    text = f"In one mailing with what is paid by {other}"
    if mark.facts is None or mark.today is None:
        yield finding("mailing.combined", ok=None, text=f"{text}; what is authorized is not known here.")
        return
    until = mark.facts.combined_until
    good = until is not None and mark.today <= until
    state = f"authorized through {until}" if until is not None else "not authorized"
    yield finding("mailing.combined", ok=good, text=f"{text}; {state} for this license.")


@cites("P050-1.5/2")
def piece(mark: Mark) -> Iterator[Finding]:
    """Check value, address, weight, class and size of a piece that is mailed."""
    observed = mark.observed
    if observed.purpose == "refund":
        return
    yield _value(mark)
    signed = mark.number_or_text("destination")
    if not isinstance(signed, str) or not signed or observed.destination is None:
        yield finding("address.destination", ok=None, text="The address is not in the mark, or was not observed.")
    else:
        good = signed.startswith(observed.destination) or observed.destination.startswith(signed)
        yield finding("address.destination", ok=good, text=f"Signed for {signed}; addressed to {observed.destination}.")
    weight = mark.number("weight")
    if weight is None or observed.weight_tenths is None:
        yield finding("piece.weight", ok=None, text="The weight is not in the mark, or was not observed.")
    else:
        good = observed.weight_tenths <= weight
        text = f"Signed for {weight} tenths of an ounce; weighed {observed.weight_tenths}."
        yield finding("piece.weight", ok=good, text=text)
    yield from _eligible(mark)


def _value(mark: Mark) -> Finding:
    postage = mark.number("postage_mills")
    if postage is None:
        return finding("value.due", ok=None, text="The mark shows no postage.")
    observed, due = mark.observed, Due(amount=mark.observed.amount_due, how="as observed")
    if due.amount is None:
        due = due_for(mark.claimed, _day(mark), observed, mark.tables)
    if due.amount is None:
        return finding("value.due", ok=None, text=f"What is due for the piece is not known: {due.how}")
    text = f"Postage {Mills(postage)}; due {due.amount}, {due.how}."
    if postage < due.amount:
        return finding("value.due", ok=False, text=text)
    doubt = observed.doubt or due.doubt_of(Mills(postage))
    return finding("value.due", ok=None if doubt else True, text=f"{text} {doubt}".rstrip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Hold what is due for a piece and by which tables, or None and why it is not known.

    Where the tables that a Provider filed ask for less than those of the program and the accepted ones, `sure` is what
    these ask for, None where they have no price, and `doubt` says so.
    """

    amount: Mills | None
    how: str
    sure: Mills | None = None
    doubt: str = ""

    def doubt_of(self, paid: Mills) -> str:
        """Say why it is not known that an amount is enough, or nothing."""
        return "" if self.sure is not None and paid >= self.sure else self.doubt


@cites("P050-1.5/2")
def due_for(code: str, on: date, observed: Observed, tables: Tables) -> Due:
    """Price a piece by the category of its mark, the weight that was found and the tables of its device.

    Of several tables by which the device may have printed for the day the lowest price is due. What only a Provider's
    word makes enough, which the Postal Service did not accept, is in doubt.
    """
    if observed.weight_tenths is None:
        return Due(amount=None, how="it was not weighed.")
    try:
        said = read_category(code)
        if said.extra_services and not observed.extras:
            how = "the mark does not say which extra services it pays, and none were observed."
            return Due(amount=None, how=how)
        kind = "metered" if said.price_type == "all" else said.price_type
        request = PriceRequest(
            on=on,
            weight_oz=Fraction(observed.weight_tenths, 10),
            shape=said.shape,
            price_type=kind,  # type: ignore[arg-type]  # read_category gives no other
            mail_class=said.mail_class,
            level=said.level,
            mailing_pieces=_assumed(said, on),
            nonmachinable=said.nonmachinable,
            zone=observed.zone,
            extras=observed.extras,
            declared_value=observed.declared_value,
        )  # a size beyond the limits is a finding of its own: it makes the piece cost more, never less
        found, stack = _least(request, tables.stacks(on))
    except (Refused, BadInput) as unknown:
        return Due(amount=None, how=unknown.sentence)
    ounces = f"{float(Fraction(observed.weight_tenths, 10)):g} oz"
    with_them = f" with {', '.join(observed.extras)}" if observed.extras else ""
    where = f" to zone {found.zone}" if found.zone else ""
    how = f"as a {describe_category(code)} of {ounces}{where}{with_them} by {stack.named(found, on)}"
    sure, doubt = _doubted(request, found, tables)
    return Due(amount=found.amount, how=how, sure=sure, doubt=doubt)


@cites("P050-1.5/2")
def _doubted(request: PriceRequest, found: Price, tables: Tables) -> tuple[Mills | None, str]:
    """Compare a price with that of the tables on nobody's word but the Postal Service's: what these ask for, and why.

    Nothing where they ask for no more.
    """
    if all(one.stands(request.on) for one in tables.filed):
        return None, ""
    word = f"the Postal Service does not accept the lower price that {tables.publisher} filed"
    try:
        own, stack = _least(request, tables.stacks(request.on, accepted=True))
    except (Refused, BadInput):
        return None, f"Whether that is enough is not known: without it there is no price, and {word}."
    if own.amount <= found.amount:
        return None, ""
    says = f"{stack.named(own, request.on)} says {own.amount}"
    return own.amount, f"Whether that is enough is not known: {says}, and {word}."


def _least(request: PriceRequest, stacks: Iterable[Stack]) -> tuple[Price, Stack]:
    """Give the lowest price of some stacks of tables, and its stack. Raises what `price` raises where none has one."""
    found: list[tuple[Price, Stack]] = []
    trouble: Refused | BadInput | None = None
    for stack in stacks:
        try:
            found.append((price(request, tables=stack.held), stack))
        except (Refused, BadInput) as error:
            trouble = trouble or error
    if not found and trouble is not None:
        raise trouble
    return min(found, key=lambda one: one[0].amount)


def _assumed(said: Category, on: date) -> int | None:
    """Give the least mailing that a presort level asks for: nobody sees the whole mailing at one piece."""
    if not said.level:
        return None
    least = minimum_pieces(said.mail_class, said.level, on)
    return least[0] if least is not None else 1


def _category(mark: Mark) -> Category | None:
    try:
        return read_category(mark.claimed)
    except BadInput:
        return None


def _day(mark: Mark) -> date:
    return mark.day or mark.at.utc().date()


@cites("P050-1.4", "P050-5.1", "PRE-14")
def _eligible(mark: Mark) -> Iterator[Finding]:
    """Say whether an indicium may pay the class that the mark names, and whether the piece is within its limits."""
    said, tenths = _category(mark), mark.observed.weight_tenths
    if said is None:
        yield finding("piece.class", ok=None, text=_NOT_SAID)
        yield finding("piece.limits", ok=None, text=_NOT_SAID)
        return
    found = Piece(
        on=_day(mark),
        mail_class=said.mail_class,
        shape=said.shape,
        level=said.level,
        weight_oz=Fraction(tenths, 10) if tenths is not None else None,
        size=mark.observed.size,
        nonmachinable=said.nonmachinable,
    )
    grounds, missing = unpayable(found), ", ".join(unchecked(found))
    barred = [ground.sentence for ground in grounds if ground.clause == CLASS_CLAUSE]
    beyond = [ground.sentence for ground in grounds if ground.clause != CLASS_CLAUSE]
    name = describe_category(mark.claimed)
    yield finding("piece.class", ok=not barred, text=" ".join(barred) or f"An indicium may pay {name}.")
    if beyond:
        yield finding("piece.limits", ok=False, text=" ".join(beyond))
    elif missing or barred:
        yield finding("piece.limits", ok=None, text=f"Not checked: {missing or 'the limits of a class that it pays'}.")
    else:
        yield finding("piece.limits", ok=True, text=f"Weight and size are those of {name}.")
