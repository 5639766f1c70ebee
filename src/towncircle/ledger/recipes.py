"""Recipes of the Provider's books: one function a money event, each giving one balanced entry.

Here: which accounts an event moves, the key under which it posts once, and the ceilings that bind it. Not here: whether
the event is allowed (`provider/`), the other parties' books (`ledger.trust`, `ledger.statement`).
Kept: a retried event has the same key; a reset is settled once, either posted or voided, because both have one key.
All functions are pure; `Books.post` checks floors and ceilings and keeps the entry.
"""

from __future__ import annotations

from dataclasses import dataclass

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger.chart import Side
from towncircle.ledger.entries import Ceiling, Entry, Line, inputs_digest


def positive(amount: Mills, what: str) -> Mills:
    """Give an amount that is more than nothing. Raises `BadInput` (ledger.not-positive)."""
    if amount <= 0:
        raise BadInput("ledger.not-positive", what=what, amount=amount)
    return amount


def debit(account: str, amount: Mills) -> Line:
    """Make a debit line."""
    return Line(account=account, side="debit", amount=amount)


def credit(account: str, amount: Mills) -> Line:
    """Make a credit line."""
    return Line(account=account, side="credit", amount=amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Hold what a money event is about: its recipe, the id other books know it by, and whose it is."""

    recipe: str
    reference: str
    licensee: str
    at: Instant
    device: str = ""
    provider: str = ""
    names: tuple[str, ...] = ()

    def move(self, amount: Mills, *, frm: str, to: str, key: str = "", ceilings: tuple[Ceiling, ...] = ()) -> Entry:
        """Give the entry that debits `frm` and credits `to`. Raises `BadInput` (ledger.not-positive)."""
        positive(amount, self.recipe)
        return self.entry(amount, (debit(frm, amount), credit(to, amount)), key=key, ceilings=ceilings)

    def entry(
        self, amount: Mills, lines: tuple[Line, ...], *, key: str = "", ceilings: tuple[Ceiling, ...] = ()
    ) -> Entry:
        """Give the entry with these lines; its key is the recipe and the reference unless another is given."""
        inputs = {"licensee": self.licensee, "provider": self.provider, "device": self.device, "amount": amount}
        return Entry(
            key=key or f"{self.recipe}:{self.reference}",
            at=self.at,
            recipe=self.recipe,
            licensee=self.licensee,
            provider=self.provider,
            device=self.device,
            reference=self.reference,
            names=self.names,
            inputs=inputs_digest(self.recipe, inputs),
            lines=lines,
            ceilings=ceilings,
        )


@cites("P050-3.2", "502.25c")
def deposit_received(
    *, deposit_id: str, licensee: str, amount: Mills, at: Instant, names: tuple[str, ...] = ()
) -> Entry:
    """Credit a deposit that the lockbox bank has taken in."""
    event = Event(recipe="deposit-received", reference=deposit_id, licensee=licensee, at=at, names=names)
    return event.move(amount, frm=f"deposits/{licensee}", to=f"account/{licensee}")


@cites("502.25c")
def deposit_returned(
    *, deposit_id: str, licensee: str, amount: Mills, available: Mills, at: Instant, names: tuple[str, ...] = ()
) -> Entry:
    """Take back a deposit that the bank returned unpaid.

    `available` is the account's balance. What is already spent becomes an advance of the Provider, even beyond its
    advance limit, because a returned item cannot be refused (docs/readings.md).
    """
    positive(amount, "deposit-returned")
    from_account = min(amount, max(available, ZERO))
    parts = ((f"account/{licensee}", from_account), (f"advances/{licensee}", amount - from_account))
    taken = (debit(name, part) for name, part in parts if part > 0)
    event = Event(recipe="deposit-returned", reference=deposit_id, licensee=licensee, at=at, names=names)
    return event.entry(amount, (*taken, credit(f"deposits/{licensee}", amount)))


@cites("P050-3.5a")
def advance_given(*, advance_id: str, licensee: str, amount: Mills, limit: Mills, at: Instant) -> Entry:
    """Credit an advance of the Provider; all outstanding advances of the licensee stay within `limit`."""
    advances = f"advances/{licensee}"
    ceiling = Ceiling(accounts=(advances,), limit=limit, what="the outstanding advances", clause="P050 3.5a")
    event = Event(recipe="advance-given", reference=advance_id, licensee=licensee, at=at)
    return event.move(amount, frm=advances, to=f"account/{licensee}", ceilings=(ceiling,))


@cites("P050-3.5a")
def advance_repaid(*, repayment_id: str, licensee: str, amount: Mills, at: Instant) -> Entry:
    """Pay back an advance out of the licensee's account."""
    event = Event(recipe="advance-repaid", reference=repayment_id, licensee=licensee, at=at)
    return event.move(amount, frm=f"account/{licensee}", to=f"advances/{licensee}")


@cites("502.25a", "P050-3.5a", "P050-3.6")
def reset_reserved(
    *, request_id: str, licensee: str, device: str, amount: Mills, cap: Mills, at: Instant, names: tuple[str, ...] = ()
) -> Entry:
    """Reserve the money of a reset; what the device holds and what is on its way to it stay within `cap`."""
    in_transit, descending = f"in-transit/{licensee}/{device}", f"descending/{licensee}/{device}"
    ceiling = Ceiling(accounts=(in_transit, descending), limit=cap, what="the descending register", clause="P050 3.6")
    event = Event(recipe="reset-reserved", reference=request_id, licensee=licensee, device=device, at=at, names=names)
    key = f"reset-reserved:{device}:{request_id}"
    return event.move(amount, frm=f"account/{licensee}", to=in_transit, key=key, ceilings=(ceiling,))


@cites("502.25a")
def reset_posted(
    *, request_id: str, licensee: str, device: str, amount: Mills, at: Instant, names: tuple[str, ...] = ()
) -> Entry:
    """Post a reset that a signed reading of the device shows as applied."""
    event = Event(recipe="reset-posted", reference=request_id, licensee=licensee, device=device, at=at, names=names)
    frm, to = f"in-transit/{licensee}/{device}", f"descending/{licensee}/{device}"
    return event.move(amount, frm=frm, to=to, key=f"reset-settled:{device}:{request_id}")


@cites("502.25a")
def reset_voided(
    *, request_id: str, licensee: str, device: str, amount: Mills, at: Instant, names: tuple[str, ...] = ()
) -> Entry:
    """Give back the money of a reset that a signed reading of the device shows as not applied."""
    event = Event(recipe="reset-voided", reference=request_id, licensee=licensee, device=device, at=at, names=names)
    frm, to = f"in-transit/{licensee}/{device}", f"account/{licensee}"
    return event.move(amount, frm=frm, to=to, key=f"reset-settled:{device}:{request_id}")


@cites("PRE-12", "502.25a")
def usage_read(
    *, reading_id: str, licensee: str, device: str, amount: Mills, at: Instant, names: tuple[str, ...] = ()
) -> Entry:
    """Move what a device evidenced since its last reading: `amount` is the rise of its signed ascending register."""
    event = Event(recipe="usage-read", reference=reading_id, licensee=licensee, device=device, at=at, names=names)
    frm, to = f"descending/{licensee}/{device}", f"ascending/{licensee}/{device}"
    return event.move(amount, frm=frm, to=to, key=f"usage-read:{device}:{reading_id}")


@cites("502.27b", "P050-3.3c")
def balance_withdrawn(
    *, refund_id: str, licensee: str, device: str, amount: Mills, at: Instant, names: tuple[str, ...] = ()
) -> Entry:
    """Credit the verified balance of a withdrawn device to the account."""
    event = Event(recipe="balance-withdrawn", reference=refund_id, licensee=licensee, device=device, at=at, names=names)
    frm, to = f"descending/{licensee}/{device}", f"account/{licensee}"
    return event.move(amount, frm=frm, to=to, key=f"balance-withdrawn:{device}:{refund_id}")


@cites("502.27a", "P050-3.3b")
def unused_refunded(
    *, refund_id: str, licensee: str, device: str, amount: Mills, at: Instant, names: tuple[str, ...] = ()
) -> Entry:
    """Credit the postage of unused pieces; the device's ascending register stays as it is."""
    event = Event(recipe="unused-refunded", reference=refund_id, licensee=licensee, device=device, at=at, names=names)
    return event.move(amount, frm=f"refunded-unused/{licensee}", to=f"account/{licensee}")


@cites("502.27d", "P050-3.3a")
def malfunction_credited(
    *, credit_id: str, licensee: str, device: str, amount: Mills, at: Instant, names: tuple[str, ...] = ()
) -> Entry:
    """Credit postage that a malfunction lost; the Provider bears it."""
    event = Event(
        recipe="malfunction-credited", reference=credit_id, licensee=licensee, device=device, at=at, names=names
    )
    return event.move(amount, frm=f"malfunction-credits/{licensee}", to=f"account/{licensee}")


@cites("502.27c", "P050-3.3d")
def account_paid_out(
    *, payout_id: str, licensee: str, amount: Mills, at: Instant, names: tuple[str, ...] = ()
) -> Entry:
    """Pay out the balance of an account that is closed."""
    event = Event(recipe="account-paid-out", reference=payout_id, licensee=licensee, at=at, names=names)
    return event.move(amount, frm=f"account/{licensee}", to=f"paid-out/{licensee}")


def correction(wrong: Entry, *, at: Instant, names: tuple[str, ...] = ()) -> Entry:
    """Take back an entry by a new one that names it and turns every line over. An entry is taken back at most once."""
    other: dict[Side, Side] = {"debit": "credit", "credit": "debit"}
    return Entry(
        key=f"correction:{wrong.key}",
        at=at,
        recipe="correction",
        licensee=wrong.licensee,
        provider=wrong.provider,
        device=wrong.device,
        reference=wrong.reference,
        names=names,
        corrects=wrong.id,
        inputs=inputs_digest("correction", {"corrects": wrong.id}),
        lines=tuple(Line(account=line.account, side=other[line.side], amount=line.amount) for line in wrong.lines),
    )
