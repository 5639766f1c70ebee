"""The accounting service center: closings of CMRS accounts (502.27(c)).

Here: the Provider's notice, and the instruction of the lockbox bank to issue the refund check. Not here: the request
(the licensee's), the check (the bank's).
Kept: a notice encloses the licensee's own written request; the check is instructed once, by a person, for an amount
that the trust account and the Provider's own credits account for to the cent.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.persons import check
from towncircle.kernel.store import Record
from towncircle.ledger import POSTAL, Books
from towncircle.ledger.trust import payout_instructed
from towncircle.wire.bodies import AccountRequest, Acknowledged, CheckIssued, ClosingNotice, PayoutInstruction
from towncircle.wire.bodies.cmrs import ASKED, PAID
from towncircle.wire.message import Opened

CENT = Mills(10)


@cites("502.27c", "502.27c/2", "502.27c/1")
def on_notice(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the notice of a closing. Raises `Refused` (closing.not-its-licensee, closing.open)."""
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, ClosingNotice)
    request = ctx.unseal(body.request, provider, opened.envelope)
    asked, licensee = request.body, request.envelope.sender
    mine = isinstance(asked, AccountRequest) and asked.kind == "closing" and asked.reference == body.closing
    if not mine or not licensee.startswith("licensee.") or body.amount <= ZERO:
        raise Refused("closing.not-its-licensee", closing=body.closing)
    if ctx.tx.get("closing", body.closing) is not None:
        raise Refused("closing.open", account=body.account, closing=body.closing, by=asked.asked_by)
    about: dict[str, Any] = {"provider": provider, "licensee": licensee, "amount": int(body.amount)}
    about |= {"own": int(body.own), "account": body.account}
    record = {**about, "state": ASKED, "check": 0, "instructed_by": "", "at": int(ctx.now)}
    ctx.tx.put("closing", body.closing, record, owner=provider, expected=0)
    ctx.note("closing.noticed", body.closing, clauses=("502.27(c)(2)",), **about)
    return Acknowledged(note=f"closing {body.closing} noticed")


@cites("502.27c", "502.27c/2")
def instruct(ctx: Context, *, closing: str) -> Steps:
    """Instruct the lockbox bank to issue the check of a closing, as the person who asks; give the record.

    Raises `Refused`: closing.unknown, closing.differs, closing.instructed-before, person.unknown.
    """
    check(ctx, ctx.actor)
    held = _open(ctx, closing)
    if held.body["state"] == PAID:
        return held
    order = PayoutInstruction(
        closing=closing,
        provider=held.body["provider"],
        licensee=held.body["licensee"],
        amount=Mills(held.body["amount"]),
        instructed_by=ctx.actor,
    )
    answer = yield Ask("bank.lockbox", order, f"payout {closing}")
    issued = answer.body
    assert isinstance(issued, CheckIssued)
    held = _open(ctx, closing)
    if held.body["state"] == PAID:  # the other one was quicker
        return held
    whose = {name: held.body[name] for name in ("provider", "licensee")}
    entry = payout_instructed(payout_id=closing, amount=Mills(held.body["amount"]), at=ctx.now, **whose)
    Books(ctx.tx, POSTAL).post(entry)
    told: dict[str, Any] = {**whose, "amount": held.body["amount"], "check": issued.check, "by": ctx.actor}
    ctx.note("payout.instructed", closing, clauses=("502.27(c)(2)", "502.27(c)(3)"), **told)
    body = {**held.body, "state": PAID, "check": issued.check, "day": issued.day, "instructed_by": ctx.actor}
    kept = ctx.tx.put("closing", closing, body, owner=held.owner, expected=held.version)
    ctx.send(held.owner, issued, key=f"check {closing}")
    return kept


def _open(ctx: Context, closing: str) -> Record:
    """Give a closing whose check this person may instruct, or has instructed."""
    held = ctx.tx.get("closing", closing)
    if held is None:
        raise Refused("closing.unknown", closing=closing[:40])
    if held.body["state"] == PAID:
        if held.body["instructed_by"] != ctx.actor:
            raise Refused("closing.instructed-before", closing=closing, by=held.body["instructed_by"])
        return held
    amount, own = Mills(held.body["amount"]), Mills(held.body["own"])
    trust = Books(ctx.tx, POSTAL).balance(f"trust/{held.body['provider']}/{held.body['licensee']}")
    if not ZERO <= trust + own - amount < CENT:
        raise Refused("closing.differs", closing=closing, amount=amount, held=trust, own=own)
    return held
