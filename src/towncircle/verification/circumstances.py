"""The checks of a mark against what is known and observed: 9 to 18 of `judge`.

Here: certificate times, device status, registers, regime, refund, earlier use, and the order of all. Not here: the
signature and what comes before it, dates (`dates`), the piece as it was found (`condition`).
Kept: dates are days in the licensing office's zone; a fact that was not given makes a finding whose `ok` is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from towncircle.kernel.cites import cites
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.pki.verifying import Finding
from towncircle.verification.condition import deposit, piece
from towncircle.verification.dates import dates
from towncircle.verification.facts import Reading
from towncircle.verification.finding import finding
from towncircle.verification.mark import Mark

COMPROMISED = "key-compromise"
WITHDRAWN = "withdrawn"


def circumstances(mark: Mark) -> Iterator[Finding]:
    """Make the findings 9 to 18 of `judge`, in order."""
    yield from _certificate(mark)  # 9
    yield from _status(mark)  # 10
    yield from _registers(mark)  # 11
    yield from dates(mark)  # 12
    yield from deposit(mark)  # 13
    yield from _regime(mark)  # 14
    yield from _refund(mark)  # 15
    yield from _used(mark)  # 16
    yield from _counters(mark)  # 17
    yield from piece(mark)  # 18


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
