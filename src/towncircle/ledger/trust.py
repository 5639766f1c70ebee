"""Recipes of the Postal Service's trust books and of the lockbox bank's statement books.

Here: the events those two parties learn from their own sources: bank items, bank reports, daily files, sanctions.
Not here: the Provider's subledgers (`ledger.recipes`).
Kept: the trust account is built only from bank reports and daily files, the statement only from items at the bank, so
that a reconciliation compares three books and not one table with itself (house.md 9).
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.ledger.entries import Entry
from towncircle.ledger.recipes import Event


@cites("502.25c")
def bank_reported(*, report: str, deposit_id: str, provider: str, licensee: str, amount: Mills, at: Instant) -> Entry:
    """Book one line of a lockbox report: a deposit, or a returned item where the amount is negative.

    `report` names the report (`2026-11-21/1`).
    """
    into, out_of = f"lockbox/{provider}", f"trust/{provider}/{licensee}"
    event = Event(
        recipe="deposit-reported" if amount > 0 else "return-reported",
        reference=deposit_id,
        provider=provider,
        licensee=licensee,
        at=at,
        names=(report,),
    )
    return event.move(abs(amount), frm=into if amount > 0 else out_of, to=out_of if amount > 0 else into)


@cites("502.20m")
def file_row(
    *, file: str, provider: str, licensee: str, device: str, request_id: str, amount: Mills, at: Instant
) -> Entry:
    """Book one row of a Provider's daily file: postage set, or a refund where the amount is negative.

    `file` names the file (`2026-11-21/1`); `request_id` is the reset request's id, or the refund's.
    """
    trust, postage = f"trust/{provider}/{licensee}", f"postage-set/{provider}/{licensee}"
    recipe = "setting-filed" if amount > 0 else "refund-filed"
    event = Event(
        recipe=recipe,
        reference=request_id,
        provider=provider,
        licensee=licensee,
        device=device,
        at=at,
        names=(file,),
    )
    frm, to = (trust, postage) if amount > 0 else (postage, trust)
    return event.move(abs(amount), frm=frm, to=to, key=f"{recipe}:{provider}:{device}:{request_id}")


@cites("502.27c")
def payout_instructed(*, payout_id: str, provider: str, licensee: str, amount: Mills, at: Instant) -> Entry:
    """Book the refund check that the Postal Service tells the lockbox bank to issue."""
    event = Event(recipe="payout-instructed", reference=payout_id, provider=provider, licensee=licensee, at=at)
    return event.move(amount, frm=f"trust/{provider}/{licensee}", to=f"lockbox/{provider}")


@cites("502.15/5", "502.21/5")
def sanction_paid(*, procedure: str, paper: str, provider: str, amount: Mills, at: Instant) -> Entry:
    """Book what a Provider has paid on a sanction, by the check or wire that paid it."""
    event = Event(recipe="sanction-paid", reference=procedure, licensee="", provider=provider, at=at, names=(paper,))
    frm, to = f"remitted/{provider}", f"sanctions/{provider}"
    return event.move(amount, frm=frm, to=to, key=f"sanction-paid:{procedure}:{paper}")


@cites("502.15/4", "502.21/4")
def sanction_repaid(*, procedure: str, paper: str, provider: str, amount: Mills, at: Instant) -> Entry:
    """Book what a Provider gets back of a sanction that was withdrawn or reversed after it had paid."""
    event = Event(recipe="sanction-repaid", reference=procedure, licensee="", provider=provider, at=at, names=(paper,))
    return event.move(amount, frm=f"sanctions/{provider}", to=f"remitted/{provider}")


@cites("502.25c")
def item_received(
    *, deposit_id: str, provider: str, licensee: str, amount: Mills, at: Instant, form: str = ""
) -> Entry:
    """Book an item that the bank has taken in; `form` is its payment form (`ach-debit`, `check`, ...)."""
    event = Event(
        recipe="item-received",
        reference=deposit_id,
        provider=provider,
        licensee=licensee,
        at=at,
        names=(form,) if form else (),
    )
    return event.move(amount, frm=f"items/{provider}", to=f"held/{provider}/{licensee}")


@cites("502.25c")
def item_returned(*, deposit_id: str, provider: str, licensee: str, amount: Mills, at: Instant) -> Entry:
    """Book an item that came back unpaid."""
    event = Event(recipe="item-returned", reference=deposit_id, provider=provider, licensee=licensee, at=at)
    return event.move(amount, frm=f"held/{provider}/{licensee}", to=f"items/{provider}")


@cites("502.27c")
def check_issued(*, payout_id: str, provider: str, licensee: str, amount: Mills, at: Instant) -> Entry:
    """Book the refund check of a closed account."""
    event = Event(recipe="check-issued", reference=payout_id, provider=provider, licensee=licensee, at=at)
    return event.move(amount, frm=f"held/{provider}/{licensee}", to=f"items/{provider}")
