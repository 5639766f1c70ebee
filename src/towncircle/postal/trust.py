"""The trust account: what the Postal Service holds for licensees (502.25(c)).

Here: the lockbox bank's reports and the Providers' transaction files, booked. Not here: the Providers' subledgers.
Kept: built from bank reports and transaction files alone, so that three books can be compared (house.md 9); numbers
follow each other without a gap.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import ZERO
from towncircle.ledger import POSTAL, Books
from towncircle.ledger.trust import bank_reported, file_row
from towncircle.wire.bodies import (
    Acknowledged,
    DepositAcknowledgmentForwarded,
    LeaseSigned,
    LockboxReport,
    TransactionFile,
)
from towncircle.wire.message import Opened


@cites("502.25c")
def on_lockbox_report(ctx: Context, opened: Opened) -> Acknowledged:
    """Book a report of the lockbox bank."""
    body = opened.body
    assert isinstance(body, LockboxReport)
    _in_order(ctx, f"lockbox {opened.envelope.sender}", body.number)
    total = sum((row.amount for row in body.deposits), ZERO)
    if body.opening + total != body.closing:
        raise Refused("postal.report-does-not-add-up", total=body.closing, found=body.opening + total)
    books = Books(ctx.tx, POSTAL)
    for row in body.deposits:
        books.post(
            bank_reported(
                report=f"{body.day}/{body.number}",
                deposit_id=row.deposit_id,
                provider=row.provider,
                licensee=row.licensee,
                amount=row.amount,
                at=ctx.now,
            )
        )
    ctx.note("lockbox.reported", str(body.number), clauses=("502.25(c)",), day=body.day, total=int(total))
    return Acknowledged(note=f"lockbox report {body.number}")


@cites("502.20m", "PRE-07", "502.8/3", "PRE-07/4")
def on_transaction_file(ctx: Context, opened: Opened) -> Acknowledged:
    """Book a Provider's file of postage set into devices."""
    body = opened.body
    assert isinstance(body, TransactionFile)
    provider = opened.envelope.sender
    _in_order(ctx, f"file {provider}", body.number)
    total = sum((row.amount for row in body.rows), ZERO)
    if total != body.total:
        raise Refused("postal.report-does-not-add-up", total=body.total, found=total)
    books = Books(ctx.tx, POSTAL)
    for row in body.rows:
        books.post(
            file_row(
                file=f"{body.day}/{body.number}",
                provider=provider,
                licensee=row.licensee,
                device=row.device,
                request_id=row.request_id,
                amount=row.amount,
                at=ctx.now,
            )
        )
    ctx.note("file.booked", str(body.number), clauses=("502.20(m)",), provider=provider, day=body.day, total=int(total))
    return Acknowledged(note=f"transaction file {body.number}")


@cites("502.25c", "502.25c/5")
def on_deposit_acknowledgment(ctx: Context, opened: Opened) -> Acknowledged:
    """File a licensee's signed Acknowledgment of Deposit Requirement (the accounting service center's part)."""
    body = opened.body
    assert isinstance(body, DepositAcknowledgmentForwarded)
    lease = ctx.unseal(body.lease, opened.envelope.sender, opened.envelope)
    if not isinstance(lease.body, LeaseSigned):
        raise Refused("postal.not-a-lease", type=type(lease.body).__name__)
    ctx.note(
        "deposit-acknowledgment.filed",
        lease.body.license,
        clauses=("502.25(c)(1)",),
        provider=opened.envelope.sender,
        licensee=lease.envelope.sender,
        text=lease.body.deposit_acknowledgment,
    )
    return Acknowledged(note="acknowledgment filed")


def _in_order(ctx: Context, series: str, number: int) -> None:
    row = ctx.tx.get("series", series)
    last = int(row.body["last"]) if row else 0
    if number != last + 1:
        raise Refused("postal.report-out-of-order", number=number, last=last)
    ctx.tx.put("series", series, {"last": number}, owner=ctx.actor, expected=row.version if row else 0)
