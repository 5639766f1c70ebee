"""The lockbox of the Postal Service (502.25(c)(1)).

Here: deposit orders, receipts, returned items, and the reports to the Postal Service and to each Provider. Not here:
other books, refund checks (`payouts`), the ACH files (`ach`).
Kept: the forms of payment of P050 3.5(a) in their order of preference; a Provider is told of its own deposits only;
reports are numbered without a gap and carry opening and closing balance.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DepositId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import BANK, Books
from towncircle.ledger.trust import item_received, item_returned
from towncircle.wire.bodies import DepositOrder, DepositReceipt, FirstDepositOrder, LockboxReport, LockboxRow
from towncircle.wire.message import Opened
from towncircle.wire.nacha import routing_number

# P050 3.5(a), in the rule's order of preference
ACH = ("ach-debit", "ach-credit")
FORMS = (*ACH, "wire", "debit-card", "credit-card", "check")
REASON = re.compile(r"R[0-9]{2}", re.ASCII)
PAYER = re.compile(r"[0-9A-Za-z]([0-9A-Za-z -]{0,15}[0-9A-Za-z])?", re.ASCII)  # what the account field of a file holds
REPORT_ZONE = "America/New_York"
MILLS_A_CENT = 10
ITEM_LIMIT = Mills.dollars(1_000_000)  # house: what one item may be, so that no sum outgrows its field


@cites("P050-3.2", "P050-3.5a", "502.25c")
def on_order(ctx: Context, opened: Opened, *, providers: Container[str]) -> DepositReceipt:
    """Take in a deposit for a licensee's account with its Provider."""
    body = opened.body
    assert isinstance(body, DepositOrder | FirstDepositOrder)
    licensee = opened.envelope.sender
    _check(body, providers)
    books = Books(ctx.tx, BANK)
    day = ctx.now.date_in(REPORT_ZONE).isoformat()
    held = ctx.tx.get("item", body.deposit_id)
    if held is not None and _same(held, body, licensee):  # ordered again because the receipt was lost
        return _receipt(books, body, licensee, day=held.body["day"])
    if body.form in ACH:
        _check_payer(body)
    item = {
        "provider": body.provider,
        "licensee": licensee,
        "amount": int(body.amount),
        "form": body.form,
        "day": day,
        "reported": 0,
    }
    books.post(
        item_received(
            deposit_id=body.deposit_id,
            provider=body.provider,
            licensee=licensee,
            amount=body.amount,
            at=ctx.now,
            form=body.form,
        )
    )
    ctx.tx.put("item", body.deposit_id, item, owner=licensee, expected=0)
    if isinstance(body, DepositOrder) and body.form in ACH:
        record = {"routing": body.routing, "payer": body.payer, "trace": ctx.tx.next_number("trace")}
        ctx.tx.put("payer", body.deposit_id, record, owner=licensee, expected=0)
    ctx.note(
        "deposit.received",
        body.deposit_id,
        clauses=("P050 3.5(a)",),
        licensee=licensee,
        provider=body.provider,
        amount=int(body.amount),
        form=body.form,
    )
    report(ctx)
    return _receipt(books, body, licensee, day=day)


@cites("P050-3.5a/3", "502.25c/4")
def _check(body: DepositOrder | FirstDepositOrder, providers: Container[str]) -> None:
    DepositId.parse(body.deposit_id)
    if body.form not in FORMS:
        raise Refused("bank.unknown-form", form=body.form, forms=", ".join(FORMS))
    if body.amount <= ZERO:
        raise Refused("bank.nothing-to-deposit", amount=body.amount)
    if body.amount > ITEM_LIMIT:
        raise Refused("bank.item-too-large", amount=body.amount, limit=ITEM_LIMIT)
    if int(body.amount) % MILLS_A_CENT:
        raise Refused("bank.not-whole-cents", amount=body.amount)
    if body.provider not in providers:
        raise Refused("bank.no-such-provider", provider=body.provider[:40])


def _check_payer(body: DepositOrder | FirstDepositOrder) -> None:
    """Refuse an ACH item that no file of a day could collect: its account would be credited, and nobody would pay."""
    if isinstance(body, FirstDepositOrder) or not body.payer:
        raise Refused("bank.no-payer", form=body.form)
    routing_number(body.routing)
    if not PAYER.fullmatch(body.payer):
        raise Refused("bank.bad-payer", payer=ascii(body.payer))


def _same(held: Record, order: DepositOrder | FirstDepositOrder, licensee: str) -> bool:
    ordered = {"provider": order.provider, "amount": int(order.amount), "form": order.form}
    return held.owner == licensee and all(held.body[name] == value for name, value in ordered.items())


def _receipt(books: Books, order: DepositOrder | FirstDepositOrder, licensee: str, *, day: str) -> DepositReceipt:
    balance = books.balance(f"held/{order.provider}/{licensee}")
    return DepositReceipt(deposit_id=order.deposit_id, amount=order.amount, value_date=day, balance=balance)


@cites("502.25c", "P050-3.2")
def return_item(ctx: Context, *, deposit_id: str, reason: str) -> Record:
    """Take a deposit back whose payment came back unpaid, once; Postal Service and Provider are told with a report.

    Raises `BadInput` (ach.bad-reason), `Refused` (bank.no-such-item, bank.returned-before).
    """
    if not REASON.fullmatch(reason):
        raise BadInput("ach.bad-reason", text=reason[:20])
    item = ctx.tx.get("item", deposit_id)
    if item is None:
        raise Refused("bank.no-such-item", deposit_id=deposit_id[:40])
    held = ctx.tx.get("returned", deposit_id)
    if held is not None:
        if held.body["reason"] != reason:
            raise Refused("bank.returned-before", deposit_id=deposit_id, reason=held.body["reason"])
        return held
    told: dict[str, Any] = {name: item.body[name] for name in ("provider", "licensee", "amount", "form")}
    amount = Mills(told["amount"])
    books = Books(ctx.tx, BANK)
    licensee, provider = str(told["licensee"]), str(told["provider"])
    books.post(item_returned(deposit_id=deposit_id, provider=provider, licensee=licensee, amount=amount, at=ctx.now))
    body = {**told, "amount": -int(amount), "reason": reason, "reported": 0}
    body |= {"day": ctx.now.date_in(REPORT_ZONE).isoformat(), "trace": ctx.tx.next_number("trace")}
    kept = ctx.tx.put("returned", deposit_id, body, owner=licensee, expected=0)
    ctx.note("item.returned", deposit_id, clauses=("502.25(c)",), reason=reason, **told)
    report(ctx)
    return kept


@cites("502.25c")
def report(ctx: Context) -> int:
    """Report all items not yet reported, to the Postal Service and each Provider; give their number."""
    items = [row for kind in ("item", "returned") for row in ctx.tx.find(kind) if not row.body["reported"]]
    if not items:
        return 0
    day = ctx.now.date_in(REPORT_ZONE).isoformat()
    rows = [
        LockboxRow(
            deposit_id=row.key,
            licensee=row.owner,
            provider=row.body["provider"],
            amount=Mills(row.body["amount"]),
            form=row.body["form"],
        )
        for row in items
    ]
    _send(ctx, "postal.usps", day, rows)
    for provider in sorted({row.provider for row in rows}):
        _send(ctx, provider, day, [row for row in rows if row.provider == provider])
    for item in items:
        ctx.tx.put(item.kind, item.key, {**item.body, "reported": 1}, owner=item.owner, expected=item.version)
    return len(items)


def _send(ctx: Context, audience: str, day: str, rows: list[LockboxRow]) -> None:
    series = ctx.tx.get("report", audience)
    number = int(series.body["number"]) + 1 if series else 1
    opening = Mills(series.body["closing"]) if series else ZERO
    closing = opening + sum((row.amount for row in rows), ZERO)
    record = {"number": number, "closing": int(closing)}
    ctx.tx.put("report", audience, record, owner=audience, expected=series.version if series else 0)
    body = LockboxReport(day=day, number=number, deposits=tuple(rows), opening=opening, closing=closing)
    ctx.send(audience, body, key=f"lockbox report {audience} {number}")
