"""The checks of a mark against what is known and observed: 9 to 18 of `judge`.

Here: certificate times, device status, registers, dates, origin, regime, refund, earlier use, the piece. Not here: the
signature and what comes before it.
Kept: dates are days in the licensing office's zone; a fact that was not given makes a finding whose `ok` is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from towncircle.indicium import Decoded
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.mailpiece.categories import describe_category, printed_category, read_category
from towncircle.mailpiece.eligibility import Piece, unchecked, unpayable
from towncircle.mailpiece.markings import may_omit_day
from towncircle.pki.verifying import Finding
from towncircle.verification.facts import Observed, Reading, StatusFacts
from towncircle.verification.finding import finding
from towncircle.verification.pack import Pack
from towncircle.wire.bodies import CertificateRow, PackTerms

COMPROMISED = "key-compromise"
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Hold all that the checks look at."""

    decoded: Decoded
    device: DeviceId | None
    key: str
    row: CertificateRow | None
    pack: Pack | None
    facts: StatusFacts | None
    observed: Observed
    now: Instant

    @property
    def at(self) -> Instant:
        """Give the instant the piece was presented: the deposit where it is known, else the scan."""
        return self.observed.deposited_at if self.observed.deposited_at is not None else self.now

    @property
    def today(self) -> date | None:
        """Give the day of presentation in the licensing office's zone."""
        return self.at.date_in(self.row.zone) if self.row is not None else None

    @property
    def day(self) -> date | None:
        """Give the mailing date of the mark, or None where the layout has none."""
        text = self.number_or_text("date")
        return date.fromisoformat(text) if isinstance(text, str) else None

    @property
    def terms(self) -> PackTerms | None:
        """Give the figures of the device's regime, or None."""
        return self.pack.terms.get(self.row.regime) if self.pack is not None and self.row is not None else None

    def number_or_text(self, name: str) -> int | str | None:
        """Give a decoded field, or None where the layout has none."""
        return self.decoded.fields.get(name)

    def number(self, name: str) -> int | None:
        """Give a decoded integer, or None where the layout has none."""
        value = self.decoded.fields.get(name)
        return int(value) if isinstance(value, int) else None


def circumstances(mark: Mark) -> Iterator[Finding]:
    """Make the findings 9 to 18 of `judge`, in order."""
    yield from _certificate(mark)  # 9
    yield from _status(mark)  # 10
    yield from _registers(mark)  # 11
    yield from _dates(mark)  # 12
    yield from _origin(mark)  # 13
    yield from _branch(mark)  # 13
    yield from _regime(mark)  # 14
    yield from _refund(mark)  # 15
    yield from _used(mark)  # 16
    yield from _counters(mark)  # 17
    yield from _piece(mark)  # 18


@cites("502.8/5")
def _certificate(mark: Mark) -> Iterator[Finding]:
    row, day = mark.row, mark.day
    if row is None or day is None:
        yield finding(
            "certificate.validity", ok=None, text="Without a certificate and a date there is no term to check."
        )
        return
    first, last = row.not_before.date_in(row.zone), row.not_after.date_in(row.zone)
    yield finding(
        "certificate.validity", ok=first <= day <= last, text=f"The certificate is good from {first} to {last}."
    )
    if row.revoked_at is None:
        fresh = _is_fresh(mark)
        text = "Not revoked." if fresh else "Not revoked as far as an old pack can tell."
        yield finding("certificate.revoked", ok=True if fresh else None, text=text)
        return
    compromised = row.revoked_reason == COMPROMISED and mark.at >= row.revoked_at  # a thief signs any date
    made = _signed_before(mark, row.revoked_at, event=row.revoked_reason)
    good = not compromised and (made or _before(mark, row.revoked_at, row.zone))
    yield finding("certificate.revoked", ok=good, text=f"Revoked at {row.revoked_at} ({row.revoked_reason}).")


def _status(mark: Mark) -> Iterator[Finding]:
    if mark.row is None or mark.pack is None:
        yield finding("device.status", ok=None, text="The status of the device is not known.")
        return
    rows = mark.pack.statuses.get(mark.row.device, ())
    for row in rows:
        made = _signed_before(mark, row.since, event=row.status)
        if not (made or _before(mark, row.since, mark.row.zone)):
            yield finding("device.status", ok=False, text=f"The device is {row.status} since {row.since}.")
            return
    fresh = _is_fresh(mark)
    text = f"{'; '.join(f'{row.status} since {row.since}' for row in rows) or 'In service'}."
    yield finding("device.status", ok=True if fresh else None, text=text)


def _before(mark: Mark, since: Instant, zone: str) -> bool:
    """Tell whether the piece was presented, or dated on a day, before something happened to its device."""
    return mark.at < since or (mark.day is not None and mark.day < since.date_in(zone))


@cites("502.27a/3")
def _signed_before(mark: Mark, since: Instant, *, event: str) -> bool:
    """Tell whether the mark's register shows that it was signed before something happened to its device.

    A piece that is mailed is of the day of the check-out: an earlier day needs no register, and a later one is what an
    older copy of the device would print. Of an unused one the hour at which it is sent in says nothing, so the register
    alone is asked, also for a device that was lost: what it had signed for at its last reading was paid.
    """
    if mark.row is None or mark.pack is None:
        return False
    last, shown = mark.pack.last_ascending.get(mark.row.device), mark.number("ascending_mills")
    if last is None or shown is None or shown > last:
        return False
    return mark.observed.purpose == "refund" or (event == WITHDRAWN and mark.day == since.date_in(mark.row.zone))


def _is_fresh(mark: Mark) -> bool:
    return mark.pack is not None and mark.pack.issued <= mark.now <= mark.pack.next_update


@cites("P050-3.6", "PRE-11/2")
def _registers(mark: Mark) -> Iterator[Finding]:
    postage, ascending = mark.number("postage_mills"), mark.number("ascending_mills")
    descending, terms = mark.number("descending_mills"), mark.terms
    if postage is not None:
        yield finding("registers.postage", ok=postage > 0, text=f"Postage {Mills(postage)}.")
    if postage is not None and ascending is not None:
        text = f"Ascending register {Mills(ascending)}."
        yield finding("registers.ascending", ok=postage <= ascending, text=text)
    if descending is not None:
        fits = descending <= terms.cap_mills if terms is not None else None
        cap = f"at most {terms.cap_mills} may be" if terms is not None else "the cap is not known"
        yield finding("registers.cap", ok=fits, text=f"Descending register {Mills(descending)}; {cap}.")


def _dates(mark: Mark) -> Iterator[Finding]:
    day, today, terms = mark.day, mark.today, mark.terms
    if day is None or today is None or terms is None:
        yield finding("date.future", ok=None, text="The mailing date cannot be compared with anything.")
        return
    last, first = today + timedelta(days=terms.advance_days), today - timedelta(days=terms.stale_days)
    shown = day.replace(day=1) if mark.observed.month_only else day
    yield finding(
        "date.future", ok=shown <= last, text=f"Mailing date {day}; presented {today}, at most {last} may stand."
    )
    if mark.observed.purpose == "postage" and mark.observed.month_only:
        yield from _month_only(mark, day, today)
    elif mark.observed.purpose == "postage":
        yield from _actual_date(mark.observed.redate, day, first, last, today)


@cites("P050-4.8")
def _actual_date(redate: date | None, day: date, first: date, last: date, today: date) -> Iterator[Finding]:
    """Compare the date by which the piece was mailed: its REDATE, or without one the indicium's own.

    Nobody signs a REDATE, so that it is there is never well by itself; one that cannot be true is ignored.
    """
    shown, words = day, "Mailing date"
    if redate is not None:
        possible = day <= redate <= last
        fault = "" if possible else f" It must be from {day} to {last}, so it is not heeded."
        text = f"A REDATE to {redate} was observed; nobody signed it.{fault}"
        yield finding("date.redate", ok=None if possible else False, text=text)
        if possible:
            shown, words = redate, "Actual date by REDATE"
    tail = "." if shown >= first else ": it needs a REDATE."
    yield finding("date.stale", ok=shown >= first, text=f"{words} {shown}; presented {today}{tail}")


@cites("P050-4.6/1", "P050-4.6/3", "P050-4.6/4")
def _month_only(mark: Mark, day: date, today: date) -> Iterator[Finding]:
    """Check a date without its day: on Standard Mail only, in its month, or later as the postmaster has found."""
    category = mark.number_or_text("category")
    try:
        allowed = may_omit_day(printed_category(category)) if isinstance(category, str) else None
    except BadInput:
        allowed = None
    words = f"category {category}" if category else "no category in the mark"
    yield finding("date.month-only", ok=allowed, text=f"Month and year are shown without the day; {words}.")
    month, when = f"{day:%Y-%m}", "in" if today >= day.replace(day=1) else "for a collection (P050 4.7) in"
    if f"{today:%Y-%m}" <= month:
        yield finding("date.month", ok=True, text=f"Shows {month}; presented {today}, {when} that month.")
        return
    through = mark.facts.delays.get(month) if mark.facts is not None else None
    if through is None:
        found = "that the mailing was delayed is not known here" if mark.facts is None else "no delay was found"
        yield finding("date.month", ok=False, text=f"Shows {month}; presented {today}, and {found}.")
        return
    text = f"Shows {month}; presented {today}; the postmaster found it delayed, acceptable through {through}."
    yield finding("date.month", ok=today <= through, text=text)


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


@cites("P050-5.3/1")
def _origin(mark: Mark) -> Iterator[Finding]:
    origin = mark.number_or_text("origin_zip")
    if origin is None:
        return
    if mark.row is None:
        yield finding("origin.license", ok=None, text=f"ZIP Code {origin}; the license is not known.")
        return
    office = mark.row.office_zip
    yield finding("origin.license", ok=origin == office, text=f"ZIP Code {origin}; the licensing office is {office}.")
    seen = mark.observed.origin
    if seen is None:
        yield finding("origin.deposit", ok=None, text="Where the piece was deposited was not observed.")
    else:
        yield finding("origin.deposit", ok=seen == office, text=f"Deposited at {seen}, licensed at {office}.")


@cites("IMI-09")
def _regime(mark: Mark) -> Iterator[Finding]:
    terms, today = mark.terms, mark.today
    if terms is None or today is None:
        yield finding("regime.valid-through", ok=None, text="The regime of the device is not known.")
    elif not terms.indicia_valid_through:
        yield finding("regime.valid-through", ok=True, text=f"The regime {terms.regime} is in force.")
    else:
        last = date.fromisoformat(terms.indicia_valid_through)
        text = f"{terms.regime} was decertified on {terms.decertified_on}; its marks count through {last}."
        yield finding("regime.valid-through", ok=today <= last, text=text)


@cites("P050-3.3b", "P050-3.3b/1", "502.27a/1")
def _refund(mark: Mark) -> Iterator[Finding]:
    if mark.observed.purpose != "refund":
        return
    day, today, terms = mark.day, mark.today, mark.terms
    if day is None or today is None or terms is None:
        yield finding("refund.window", ok=None, text="The age of the piece is not known.")
        return
    age = (today - day).days
    yield finding("refund.window", ok=age <= terms.refund_days, text=f"{age} days old; at most {terms.refund_days}.")


@cites("502.27a/3")
def _used(mark: Mark) -> Iterator[Finding]:
    if mark.facts is None:
        yield finding("used.mailed", ok=None, text="Earlier scans are not known here.")
        yield finding("used.repaid", ok=None, text="Refunds are not known here.")
        return
    scan, refund = mark.facts.scans.get(mark.key), mark.facts.refunds.get(mark.key)
    if scan is None:
        yield finding("used.mailed", ok=True, text="Not scanned before.")
    else:
        seen = f"at {scan.site}, {scan.at} ({scan.scan_id})"
        text = f"Held {seen}, not accepted; nothing shows that it is on the same piece." if scan.held else ""
        yield finding("used.mailed", ok=None if scan.held else False, text=text or f"Used {seen}.")
    text = f"Refunded in {refund.case}, {refund.at}." if refund else "Not refunded."
    yield finding("used.repaid", ok=refund is None, text=text)


def _out_of_order(other: Reading) -> str:
    piece = "another piece" if other.pieces is None else f"piece {other.pieces}"
    return f"The registers do not go with those of {piece} of this device (ascending {other.ascending})."


def _counters(mark: Mark) -> Iterator[Finding]:
    this, device = _reading(mark), mark.device
    if mark.facts is None or this is None or device is None:
        yield finding("used.counter", ok=None, text="Other marks of the device are not known here.")
        return
    others = [one for one in mark.facts.readings.get(device, ()) if one.content_key != mark.key]
    twice = any(_one_counter(this, other) for other in others)
    text = "This counter value signed another content too: evidenced twice." if twice else "One counter, one content."
    yield finding("used.counter", ok=not twice, text=text)
    if this.ascending is None:
        return
    wrong = [other for other in others if not _one_counter(this, other) and not _in_order(this, other)]
    text = _out_of_order(wrong[0]) if wrong else "Registers rise."
    yield finding("registers.order", ok=not wrong, text=text)


def _reading(mark: Mark) -> Reading | None:
    """Give the registers that the mark shows, or None where its layout has no counter."""
    ascending, pieces = mark.number("ascending_mills"), mark.number("piece_count")
    postage = mark.number("postage_mills")
    if postage is None or (ascending is None and pieces is None):
        return None
    shown = Mills(ascending) if ascending is not None else None
    return Reading(content_key=mark.key, ascending=shown, postage=Mills(postage), pieces=pieces)


def _one_counter(this: Reading, other: Reading) -> bool:
    same_piece = this.pieces is not None and this.pieces == other.pieces
    return same_piece or (this.ascending is not None and this.ascending == other.ascending)


def _in_order(this: Reading, other: Reading) -> bool:
    """Tell whether two readings fit: the ascending register rose by the later piece's postage at least."""
    if this.ascending is None or other.ascending is None:
        return True
    if this.pieces is None or other.pieces is None:
        this_later = this.ascending > other.ascending
    else:
        this_later = this.pieces > other.pieces
    if this_later:
        return this.ascending - other.ascending >= this.postage
    return other.ascending - this.ascending >= other.postage


@cites("P050-1.5/2")
def _piece(mark: Mark) -> Iterator[Finding]:
    observed = mark.observed
    if observed.purpose == "refund":
        return
    postage = mark.number("postage_mills")
    if observed.amount_due is None or postage is None:
        yield finding("value.due", ok=None, text="What is due for the piece was not observed.")
    else:
        good = postage >= observed.amount_due
        text = f"Postage {Mills(postage)}; due {observed.amount_due}."
        yield finding("value.due", ok=good, text=text)
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
    yield _class(mark)


@cites("P050-1.4")
def _class(mark: Mark) -> Finding:
    """Say whether an indicium may pay the class that the mark names, at the weight that was found."""
    code = mark.number_or_text("category")
    try:
        said = read_category(code if isinstance(code, str) else "")
    except BadInput:
        return finding(
            "piece.class", ok=None, text="The class of mail is not in the mark, or its code is not known here."
        )
    tenths = mark.observed.weight_tenths
    piece = Piece(
        on=mark.day or mark.at.utc().date(),
        mail_class=said.mail_class, shape=said.shape, level=said.level, nonmachinable=said.nonmachinable,
        weight_oz=Fraction(tenths, 10) if tenths is not None else None,
    )  # fmt: skip
    grounds, missing = unpayable(piece), ", ".join(unchecked(piece))
    if grounds:
        return finding("piece.class", ok=False, text=" ".join(ground.sentence for ground in grounds))
    name = describe_category(str(code))
    return finding("piece.class", ok=True, text=f"{name} may be paid so; not observed: {missing or 'nothing'}.")
