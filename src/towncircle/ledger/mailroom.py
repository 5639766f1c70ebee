"""Recipes of a licensee's own books: what it paid in, what its device holds, what its departments spent.

Here: the four events that a licensee sees with its own eyes, and what a statement tells it. Not here: the Provider's
subledgers (`ledger.recipes`), budgets (`licensee.departments`).
Kept: each event posts once, by the id that the bank, the Provider or the device knows it by; the books follow the
device, so a reset is booked when the device has applied it, whether or not anybody said so (house.md 5, 9).
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger.entries import Entry
from towncircle.ledger.recipes import Event


@cites("P050-3.2", "502.25c")
def deposit_made(*, deposit_id: str, licensee: str, provider: str, amount: Mills, at: Instant) -> Entry:
    """Book a deposit that the lockbox bank has receipted: it lies with the Provider."""
    event = Event(recipe="deposit-made", reference=deposit_id, licensee=licensee, provider=provider, at=at)
    return event.move(amount, frm=f"on-deposit/{provider}/{licensee}", to=f"paid-in/{licensee}")


@cites("P050-3.5c", "502.25a")
def reset_received(*, request_id: str, licensee: str, provider: str, device: str, amount: Mills, at: Instant) -> Entry:
    """Book a reset that the device has applied."""
    event = Event(
        recipe="reset-received", reference=request_id, licensee=licensee, provider=provider, device=device, at=at
    )
    frm, to = f"in-device/{licensee}/{device}", f"on-deposit/{provider}/{licensee}"
    return event.move(amount, frm=frm, to=to, key=f"reset-received:{device}:{request_id}")


@cites("502.27b", "P050-3.3c")
def balance_returned(*, refund_id: str, licensee: str, provider: str, device: str, amount: Mills, at: Instant) -> Entry:
    """Book the balance that a device has given back: it lies with the Provider again."""
    event = Event(
        recipe="balance-returned", reference=refund_id, licensee=licensee, provider=provider, device=device, at=at
    )
    frm, to = f"on-deposit/{provider}/{licensee}", f"in-device/{licensee}/{device}"
    return event.move(amount, frm=frm, to=to, key=f"balance-returned:{device}:{refund_id}")


@cites("P050-3.5c")
def account_stated(
    *,
    kind: str,
    reference: str,
    licensee: str,
    provider: str,
    device: str,
    amount: Mills,
    at: Instant,
    told_at: Instant,
) -> Entry:
    """Book a transaction that only the Provider's statement tells: a credit, or with a negative amount a charge."""
    recipe = "account-credited" if amount > ZERO else "account-charged"
    event = Event(
        recipe=recipe, reference=reference, licensee=licensee, provider=provider, device=device, at=at, names=(kind,)
    )
    ours, theirs = f"on-deposit/{provider}/{licensee}", f"by-statement/{provider}/{licensee}"
    frm, to = (ours, theirs) if amount > ZERO else (theirs, ours)
    key = f"{recipe}:{provider}:{kind}:{reference}:{int(told_at)}"
    return event.move(Mills(abs(int(amount))), frm=frm, to=to, key=key)


@cites("502.8b", "IMI-05")
def postage_evidenced(
    *, job: str, licensee: str, provider: str, device: str, department: str, amount: Mills, at: Instant
) -> Entry:
    """Book the postage of a job that the device has evidenced as spent by its department."""
    event = Event(
        recipe="postage-evidenced",
        reference=job,
        licensee=licensee,
        provider=provider,
        device=device,
        at=at,
        names=(department,),
    )
    return event.move(amount, frm=f"postage/{licensee}/{department}", to=f"in-device/{licensee}/{device}")
