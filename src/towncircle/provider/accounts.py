"""CMRS accounts: the licensees' money as this Provider keeps it (502.25, P050 3.5).

Here: deposits credited from the lockbox bank's reports, returned items, and whether an account may be drawn on. Not
here: resets, advances (`advances`), the closing of an account (`closing`).
Kept: money is credited from the bank's signed report only, never on a licensee's word; a deposit is credited once. An
outstanding advance is repaid first. A returned item locks the account until later deposits have made it good. What is
not available yet is in the account and cannot be drawn.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DepositId, PartyId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.ledger.recipes import advance_repaid, deposit_received, deposit_returned
from towncircle.rules import RuleSet
from towncircle.rules.calendars import business_days_after
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import Acknowledged, LockboxReport, LockboxRow
from towncircle.wire.message import Opened

OPEN, CLOSING, CLOSED = "open", "closing", "closed"
# the parameter that says after how many business days a deposit of a form may be drawn on
AVAILABLE = {
    "ach-debit": "available_ach_debit",
    "ach-credit": "available_ach_credit",
    "wire": "available_wire",
    "debit-card": "available_debit_card",
    "credit-card": "available_credit_card",
    "check": "available_check",
}
_OVER = "over"  # the owner of a hold or a returned item that binds nobody any more


@cites("502.25c", "P050-3.2")
def on_lockbox_report(ctx: Context, opened: Opened, *, rules: RuleSet) -> Acknowledged:
    """Credit the deposits of a lockbox report to their licensees' accounts.

    Raises `Refused`: provider.bad-report, provider.report-gap, provider.not-ours.
    """
    body = opened.body
    assert isinstance(body, LockboxReport)
    _check_report(ctx, body)
    series = ctx.tx.get("series", "lockbox")
    last = int(series.body["last"]) if series else 0
    if body.number != last + 1:
        raise Refused("provider.report-gap", number=body.number, last=last)
    ctx.tx.put(
        "series",
        "lockbox",
        {"last": body.number},
        owner=opened.envelope.sender,
        expected=series.version if series else 0,
    )
    for row in body.deposits:
        if row.provider != ctx.party:
            raise Refused("provider.not-ours", deposit_id=row.deposit_id)
        if row.amount > ZERO:
            _credit(ctx, row, body, rules)
        else:
            _take_back(ctx, row, f"{body.day}/{body.number}")
    return Acknowledged(note=f"lockbox report {body.number}")


def _check_report(ctx: Context, body: LockboxReport) -> None:
    """Check that a report is one that can be booked. Raises `Refused` (provider.bad-report)."""
    try:
        what = "" if date.fromisoformat(body.day) <= today(ctx) else f"its day {body.day} has not begun"
        for row in body.deposits:
            DepositId.parse(row.deposit_id)
            if PartyId.parse(row.licensee).role != "licensee" or row.form not in AVAILABLE or row.amount == ZERO:
                what = f"the line of {row.deposit_id} is no deposit of a licensee"
    except (ValueError, BadInput):
        what = "its day, a deposit or a licensee is none"
    if what:
        raise Refused("provider.bad-report", number=body.number, what=what)


def _credit(ctx: Context, row: LockboxRow, report: LockboxReport, rules: RuleSet) -> None:
    name, day = f"{report.day}/{report.number}", date.fromisoformat(report.day)
    available = business_days_after(day, rules.integer(AVAILABLE[row.form], day))
    Books(ctx.tx).post(
        deposit_received(deposit_id=row.deposit_id, licensee=row.licensee, amount=row.amount, at=ctx.now, names=(name,))
    )
    ctx.note(
        "deposit.credited",
        row.deposit_id,
        clauses=("502.25(c)",),
        licensee=row.licensee,
        amount=int(row.amount),
        form=row.form,
        available=available.isoformat(),
        day=report.day,
    )
    _make_good(ctx, row.licensee, row.amount)
    repaid = repay(ctx, row.licensee, most=row.amount, reference=row.deposit_id)
    if available > day and row.amount > repaid:
        hold = {"amount": int(row.amount - repaid), "available": available.isoformat(), "licensee": row.licensee}
        ctx.tx.put("hold", row.deposit_id, hold, owner=row.licensee, expected=0)


@cites("502.25c/2", "P050-3.5a/2")
def repay(ctx: Context, licensee: str, *, most: Mills, reference: str) -> Mills:
    """Repay outstanding advances out of the account, at most so much; give what was repaid."""
    books = Books(ctx.tx)
    amount = min(books.balance(f"advances/{licensee}"), books.balance(f"account/{licensee}"), most)
    if amount <= ZERO:
        return ZERO
    books.post(advance_repaid(repayment_id=reference, licensee=licensee, amount=amount, at=ctx.now))
    ctx.note("advance.repaid", reference, clauses=("502.25(c)(1)",), licensee=licensee, amount=int(amount))
    return amount


def _make_good(ctx: Context, licensee: str, amount: Mills) -> None:
    """Take a deposit off what returned items are still to be made good, the oldest first."""
    left = amount
    for item in sorted(ctx.tx.find("returned", owner=licensee), key=lambda item: (item.body["at"], item.key)):
        owed = Mills(item.body["owed"])
        made = min(owed, left)
        left -= made
        body = {**item.body, "owed": int(owed - made)}
        ctx.tx.put("returned", item.key, body, owner=licensee if owed > made else _OVER, expected=item.version)
        if owed == made:
            ctx.note("returned-item.made-good", item.key, clauses=("P050 3.5(a)",), licensee=licensee)


@cites("P050-3.5a/1")
def _take_back(ctx: Context, row: LockboxRow, report: str) -> None:
    books, amount = Books(ctx.tx), -row.amount
    available = books.balance(f"account/{row.licensee}")
    books.post(
        deposit_returned(
            deposit_id=row.deposit_id,
            licensee=row.licensee,
            amount=amount,
            available=available,
            at=ctx.now,
            names=(report,),
        )
    )
    about: dict[str, Any] = {"licensee": row.licensee, "amount": int(amount)}
    ctx.note("deposit.returned", row.deposit_id, clauses=("502.25(c)",), form=row.form, **about)
    item = {**about, "owed": int(amount), "at": int(ctx.now)}
    ctx.tx.put("returned", row.deposit_id, item, owner=row.licensee, expected=0)
    hold = ctx.tx.get("hold", row.deposit_id)
    if hold is not None:
        ctx.tx.put("hold", hold.key, hold.body, owner=_OVER, expected=hold.version)


def owed(ctx: Context, licensee: str) -> Mills:
    """Give what returned items of a licensee are still to be made good."""
    return sum((Mills(item.body["owed"]) for item in ctx.tx.find("returned", owner=licensee)), ZERO)


def today(ctx: Context) -> date:
    """Give the day in whose zone deposits become available: that of headquarters (house)."""
    return ctx.now.date_in(HEADQUARTERS)


def not_available(ctx: Context, licensee: str) -> tuple[Mills, str]:
    """Give what of an account is not available yet, and the day on which all of it is."""
    held, until = ZERO, ""
    for hold in ctx.tx.find("hold", owner=licensee):
        if date.fromisoformat(hold.body["available"]) > today(ctx):
            held += Mills(hold.body["amount"])
            until = max(until, hold.body["available"])
        else:
            ctx.tx.put("hold", hold.key, hold.body, owner=_OVER, expected=hold.version)
    return held, until


@cites("P050-3.5a", "P050-3.5a/1", "502.25c/1")
def check_open(ctx: Context, licensee: str) -> None:
    """Check that an account is neither closed nor locked. Raises `Refused` (account.closed, account.locked)."""
    row = ctx.tx.get("account", licensee)
    if row is not None and row.body["state"] != OPEN:
        raise Refused("account.closed", licensee=licensee, account=row.body["account"])
    lacking = owed(ctx, licensee)
    if lacking > ZERO:
        raise Refused("account.locked", licensee=licensee, amount=lacking)


@cites("P050-3.5a", "P050-3.5a/1", "502.25c/1")
def check_draw(ctx: Context, licensee: str, amount: Mills) -> None:
    """Check that an amount may be drawn from an account. Raises `Refused`: account.closed, .locked, .not-available.

    Whether the account holds so much at all is the ledger's to say.
    """
    check_open(ctx, licensee)
    held, until = not_available(ctx, licensee)
    balance = Books(ctx.tx).balance(f"account/{licensee}")
    if balance - held < amount <= balance:
        raise Refused("account.not-available", licensee=licensee, amount=balance - held, held=held, until=until)


def open_account(ctx: Context, licensee: str, account: str) -> Record:
    """Open an account, or a closed one again, for a new lease; one that is open is given as it is.

    One whose check is still awaited is open at once: the check's money has left it.
    """
    row = ctx.tx.get("account", licensee)
    if row is not None and row.body["state"] == OPEN:
        return row
    body = {"account": account, "state": OPEN}
    return ctx.tx.put("account", licensee, body, owner=licensee, expected=row.version if row else 0)
