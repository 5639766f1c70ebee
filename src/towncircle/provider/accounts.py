"""CMRS accounts: the licensees' money as this Provider keeps it (502.25, P050 3.5).

Here: deposits credited from the lockbox bank's reports, and what an account holds. Not here: resets.
Kept: money is credited from the bank's signed report only, never on a licensee's word; a deposit is credited once.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import ZERO
from towncircle.ledger import Books
from towncircle.ledger.recipes import deposit_received, deposit_returned
from towncircle.wire.bodies import Acknowledged, LockboxReport, LockboxRow
from towncircle.wire.message import Opened


@cites("502.25c", "P050-3.2")
def on_lockbox_report(ctx: Context, opened: Opened) -> Acknowledged:
    """Credit the deposits of a lockbox report to their licensees' accounts."""
    body = opened.body
    assert isinstance(body, LockboxReport)
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
    books = Books(ctx.tx)
    for row in body.deposits:
        if row.provider != ctx.party:
            raise Refused("provider.not-ours", deposit_id=row.deposit_id)
        if row.amount > ZERO:
            _credit(ctx, books, row, f"{body.day}/{body.number}")
        else:
            _take_back(ctx, books, row, f"{body.day}/{body.number}")
    return Acknowledged(note=f"lockbox report {body.number}")


def _credit(ctx: Context, books: Books, row: LockboxRow, report: str) -> None:
    books.post(
        deposit_received(
            deposit_id=row.deposit_id, licensee=row.licensee, amount=row.amount, at=ctx.now, names=(report,)
        )
    )
    ctx.note(
        "deposit.credited",
        row.deposit_id,
        clauses=("502.25(c)",),
        licensee=row.licensee,
        amount=int(row.amount),
        form=row.form,
    )


def _take_back(ctx: Context, books: Books, row: LockboxRow, report: str) -> None:
    available = books.balance(f"account/{row.licensee}")
    books.post(
        deposit_returned(
            deposit_id=row.deposit_id,
            licensee=row.licensee,
            amount=-row.amount,
            available=available,
            at=ctx.now,
            names=(report,),
        )
    )
    ctx.note(
        "deposit.returned",
        row.deposit_id,
        clauses=("502.25(c)",),
        licensee=row.licensee,
        amount=int(-row.amount),
        form=row.form,
    )
