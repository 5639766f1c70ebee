"""The accounting service center: closings of CMRS accounts (502.27(c)).

Here: the Provider's notice, and the instruction of the lockbox bank to issue the refund check. Not here: the request
(the licensee's), the check (the bank's).
Kept: a notice encloses the licensee's own written request; the check is instructed once, by a person, for an amount
that the trust account and the Provider's own credits account for to the cent, but for money that came late. What was
instructed is finished by anybody: it is decided in one transaction, and booked when the bank has told its number.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import POSTAL, Books
from towncircle.ledger.trust import payout_instructed
from towncircle.postal.daily import GRACE_DAYS
from towncircle.rules.offices import check_office
from towncircle.wire.bodies import AccountRequest, Acknowledged, CheckIssued, ClosingNotice, PayoutInstruction
from towncircle.wire.bodies.cmrs import ASKED, INSTRUCTED, PAID
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
    asked_at = int(request.envelope.issued)
    record = {**about, "state": ASKED, "check": 0, "instructed_by": "", "asked_at": asked_at, "at": int(ctx.now)}
    ctx.tx.put("closing", body.closing, record, owner=provider, expected=0)
    ctx.note("closing.noticed", body.closing, clauses=("502.27(c)(2)",), **about)
    return Acknowledged(note=f"closing {body.closing} noticed")


@cites("502.27c", "502.27c/2", "PRE-19/3")
def instruct(ctx: Context, *, closing: str) -> Record:
    """Decide as the person who asks that the check of a closing is issued; give the record, whoever was first.

    From then on the check is issued and booked whatever comes in or goes back since. Raises `Refused`:
    closing.unknown, closing.differs, person.unknown.
    """
    check_office(ctx, ctx.actor, "close-account instruct")
    held = _held(ctx, closing)
    if held.body["state"] != ASKED:
        return held
    _accounted_for(ctx, held)
    body = {**held.body, "state": INSTRUCTED, "instructed_by": ctx.actor}
    return ctx.tx.put("closing", closing, body, owner=held.owner, expected=held.version)


@cites("502.27c", "502.27c/3")
def issue(ctx: Context, *, closing: str) -> Steps:
    """Have the lockbox bank issue the check of a closing that was instructed, or finish doing so; give the record."""
    held = _held(ctx, closing)
    if held.body["state"] != INSTRUCTED:
        return held
    order = PayoutInstruction(
        closing=closing,
        provider=held.body["provider"],
        licensee=held.body["licensee"],
        amount=Mills(held.body["amount"]),
        instructed_by=held.body["instructed_by"],
    )
    answer = yield Ask("bank.lockbox", order, f"payout {closing}")
    issued = answer.body
    assert isinstance(issued, CheckIssued)
    held = _held(ctx, closing)
    if held.body["state"] != INSTRUCTED:  # the other one was quicker
        return held
    whose = {name: held.body[name] for name in ("provider", "licensee")}
    entry = payout_instructed(payout_id=closing, amount=Mills(held.body["amount"]), at=ctx.now, **whose)
    Books(ctx.tx, POSTAL).post(entry)
    told: dict[str, Any] = {**whose, "amount": held.body["amount"], "check": issued.check}
    told["by"] = held.body["instructed_by"]
    ctx.note("payout.instructed", closing, clauses=("502.27(c)(2)", "502.27(c)(3)"), **told)
    body = {**held.body, "state": PAID, "check": issued.check, "day": issued.day}
    kept = ctx.tx.put("closing", closing, body, owner=held.owner, expected=held.version)
    ctx.send(held.owner, issued, key=f"check {closing}")
    return kept


def _held(ctx: Context, closing: str) -> Record:
    held = ctx.tx.get("closing", closing)
    if held is None:
        raise Refused("closing.unknown", closing=closing[:40])
    return held


@cites("502.27c/2")
def _accounted_for(ctx: Context, held: Record) -> None:
    """Check that trust account and the Provider's own credits hold the amount, and nothing more but what came late.

    Late is what came from a day before the request on (house): its message may have reached the Provider after it.
    That stays in the account, and another closing pays it out. Raises `Refused` (closing.differs).
    """
    amount, own = Mills(held.body["amount"]), Mills(held.body["own"])
    name = f"trust/{held.body['provider']}/{held.body['licensee']}"
    books = Books(ctx.tx, POSTAL)
    trust, since = books.balance(name), Instant(held.body.get("asked_at", held.body["at"])).plus(days=-GRACE_DAYS)
    entries = (entry for entry in books.entries(held.body["licensee"]) if entry.at >= since)
    lines = (line for entry in entries for line in entry.lines)
    late = sum((line.amount for line in lines if (line.account, line.side) == (name, "credit")), ZERO)
    if not ZERO <= trust + own - amount < late + CENT:
        raise Refused("closing.differs", closing=held.key, amount=amount, held=trust, own=own)
