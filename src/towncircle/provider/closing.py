"""The closing of a CMRS account (P050 3.3, 502.27(c)): asked for in writing, paid out by one refund check.

Here: the licensee's request, the notice to the accounting service center, the check's number. Not here: the
instruction of the lockbox bank (the Postal Service's), the check itself (the bank's).
Kept: the money leaves the account in the transaction that takes the request, so that no reset and no second closing
gets it. Before that the devices are given back, resets and refunds are settled and advances repaid. A tenth of a cent
that no check can pay stays in the closed account.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import ClosingId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.ledger.recipes import account_paid_out
from towncircle.provider.accounts import CLOSED, CLOSING, not_available, repay
from towncircle.provider.checkouts import DONE
from towncircle.provider.inventory import HELD
from towncircle.wire.bodies import AccountAnswer, AccountRequest, Acknowledged, CheckIssued, ClosingNotice
from towncircle.wire.bodies.cmrs import ASKED, CLAIMED, PAID
from towncircle.wire.bodies.refund import RECEIVED, SCANNED, SENT
from towncircle.wire.message import Opened

MILLS_A_CENT = 10
_GONE = ("checked out", "scrapped", "lost", "stolen")


@cites("502.27c", "P050-3.3d", "502.27c/1", "P050-3.3d/1", "502.27c/2", "PRE-19/3")
def ask(ctx: Context, opened: Opened, body: AccountRequest) -> AccountAnswer:
    """Close the sender's account, or tell how its closing stands.

    Raises `Refused`: closing.no-signature, closing.open, closing.waits, closing.advance-outstanding,
    account.not-available, account.unknown, account.conflict.
    """
    ClosingId.parse(body.reference)
    licensee = opened.envelope.sender
    held = ctx.tx.get("closing", body.reference)
    if held is not None:
        if held.owner != licensee:
            raise Refused("account.conflict", reference=body.reference)
        return answer(ctx, held)
    row = ctx.tx.get("account", licensee)
    if row is None:
        raise Refused("account.unknown", licensee=licensee, provider=ctx.party)
    if not body.asked_by.strip():
        raise Refused("closing.no-signature", account=row.body["account"])
    other = next((one for one in ctx.tx.find("closing", owner=licensee) if one.body["state"] == ASKED), None)
    if other is not None:
        raise Refused("closing.open", account=row.body["account"], closing=other.key, by=other.body["asked_by"])
    _settled(ctx, licensee, row)
    return answer(ctx, _close(ctx, opened, body, row))


def _settled(ctx: Context, licensee: str, account: Record) -> None:
    """Refuse while anything may still move the account's money."""
    for device in ctx.tx.find("device", owner=licensee):
        out = ctx.tx.get("check-out", device.key)
        if out is not None and out.body["state"] == HELD:
            raise Refused("closing.waits", account=account.body["account"], what=f"the balance of {device.key}")
        if device.body["custody"] not in _GONE and (out is None or out.body["state"] != DONE):
            raise Refused("closing.waits", account=account.body["account"], what=f"the device {device.key}")
    if Books(ctx.tx).sums(licensee).get("in-transit", ZERO) > ZERO:
        raise Refused("closing.waits", account=account.body["account"], what="a reset that is not settled")
    for kind, states in (("refund", (RECEIVED, SCANNED, SENT)), ("claim", (CLAIMED,))):
        for waiting in ctx.tx.find(kind, owner=licensee):
            if waiting.body["state"] in states:
                raise Refused("closing.waits", account=account.body["account"], what=f"the {kind} {waiting.key}")
    held, until = not_available(ctx, licensee)
    if held > ZERO:
        balance = Books(ctx.tx).balance(f"account/{licensee}")
        raise Refused("account.not-available", licensee=licensee, amount=balance - held, held=held, until=until)


def _close(ctx: Context, opened: Opened, body: AccountRequest, row: Record) -> Record:
    licensee, books = row.owner, Books(ctx.tx)
    repay(ctx, licensee, most=books.balance(f"account/{licensee}"), reference=body.reference)
    outstanding = books.balance(f"advances/{licensee}")
    if outstanding > ZERO:
        raise Refused("closing.advance-outstanding", account=row.body["account"], amount=outstanding)
    balance = books.balance(f"account/{licensee}")
    amount = Mills(int(balance) - int(balance) % MILLS_A_CENT)
    own = books.balance(f"malfunction-credits/{licensee}")  # the Provider's own money: no deposit stands behind it
    about: dict[str, Any] = {"licensee": licensee, "amount": int(amount)}
    told = {"account": row.body["account"], "own": int(own), "asked_by": body.asked_by}
    ctx.note("account.closing-asked", body.reference, clauses=("502.27(c)(1)",), **about, **told)
    state = ASKED if amount > ZERO else PAID
    record = {**told, "amount": int(amount), "state": state, "check": 0, "reason": body.reason, "at": int(ctx.now)}
    kept = ctx.tx.put("closing", body.reference, record, owner=licensee, expected=0)
    changed = {**row.body, "state": CLOSING if amount > ZERO else CLOSED}
    ctx.tx.put("account", licensee, changed, owner=licensee, expected=row.version)
    if amount > ZERO:
        books.post(account_paid_out(payout_id=body.reference, licensee=licensee, amount=amount, at=ctx.now))
        ctx.note("account.paid-out", body.reference, clauses=("502.27(c)",), **about)
        notice = ClosingNotice(
            closing=body.reference, account=row.body["account"], amount=amount, own=own, request=opened.raw
        )
        ctx.send("postal.usps", notice, key=f"closing {body.reference}")
    else:
        ctx.note("account.closed", body.reference, clauses=("502.27(c)",), licensee=licensee, check=0)
    return kept


@cites("502.27c/3", "P050-3.3d/2")
def on_check(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the number of the refund check: the account is closed. Raises `Refused` (closing.unknown)."""
    body = opened.body
    assert isinstance(body, CheckIssued)
    held = ctx.tx.get("closing", body.closing)
    told = (held.owner, Mills(held.body["amount"])) if held else None
    if held is None or told != (body.licensee, body.amount):
        raise Refused("closing.unknown", closing=body.closing)
    if held.body["state"] == ASKED:
        record = {**held.body, "state": PAID, "check": body.check, "day": body.day}
        ctx.tx.put("closing", held.key, record, owner=held.owner, expected=held.version)
        row = ctx.tx.get("account", held.owner)
        assert row is not None
        if row.body["state"] == CLOSING:
            ctx.tx.put("account", row.key, {**row.body, "state": CLOSED}, owner=row.owner, expected=row.version)
        ctx.note("account.closed", held.key, clauses=("502.27(c)(3)",), licensee=held.owner, check=body.check)
    return Acknowledged(note=f"closing {body.closing} paid")


def answer(ctx: Context, held: Record) -> AccountAnswer:
    """Tell a licensee how the closing of its account stands."""
    return AccountAnswer(
        reference=held.key,
        kind="closing",
        state=held.body["state"],
        amount=Mills(held.body["amount"]),
        outstanding=ZERO,
        limit=ZERO,
        account_balance=Books(ctx.tx).balance(f"account/{held.owner}"),
        check=held.body["check"],
        reason="",
        at=ctx.now,
    )
