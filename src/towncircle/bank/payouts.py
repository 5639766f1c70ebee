"""Refund checks of closed accounts (502.27(c)): issued when the Postal Service instructs it, once.

Here: the instruction and the check's number. Not here: why an account is closed, who decides it.
Kept: a closing has one check, whatever is asked again; whether the money is there is the Postal Service's to know.
"""

from __future__ import annotations

from typing import Any

from towncircle.bank.lockbox import MILLS_A_CENT, REPORT_ZONE
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import BANK, Books
from towncircle.ledger.trust import check_issued
from towncircle.wire.bodies import CheckIssued, PayoutInstruction
from towncircle.wire.message import Opened


@cites("502.27c", "502.27c/3", "P050-3.3d/2")
def on_instruction(ctx: Context, opened: Opened) -> CheckIssued:
    """Issue the refund check of a closing, or tell of it again. Raises `Refused` (bank.other-check, ...)."""
    body = opened.body
    assert isinstance(body, PayoutInstruction)
    held = ctx.tx.get("check", body.closing)
    if held is not None:
        if any(held.body[name] != getattr(body, name) for name in ("provider", "licensee", "amount")):
            raise Refused("bank.other-check", closing=body.closing)
        return _told(held)
    if body.amount <= ZERO or int(body.amount) % MILLS_A_CENT:
        raise Refused("bank.no-check-of", amount=body.amount)
    whose = {"provider": body.provider, "licensee": body.licensee}
    Books(ctx.tx, BANK).post(check_issued(payout_id=body.closing, amount=body.amount, at=ctx.now, **whose))
    record: dict[str, Any] = {**whose, "amount": int(body.amount), "check": ctx.tx.next_number("check")}
    record["day"] = ctx.now.date_in(REPORT_ZONE).isoformat()
    kept = ctx.tx.put("check", body.closing, record, owner=body.licensee, expected=0)
    ctx.note("check.issued", body.closing, clauses=("502.27(c)(3)",), **record)
    return _told(kept)


def _told(held: Record) -> CheckIssued:
    body = held.body
    return CheckIssued(
        closing=held.key,
        licensee=body["licensee"],
        amount=Mills(body["amount"]),
        check=body["check"],
        day=body["day"],
    )
