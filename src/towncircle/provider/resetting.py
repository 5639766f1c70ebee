"""Resetting over a bad network (P050 3.0, 502.25): reserve, authorise, settle.

Here: the Provider's answers to a reset request and to its acknowledgment. Not here: the device's half (`psd`), books.
Kept, in the order of 502.25(a): 1 the device is known and its licensee's; 2 its audit passes; 3 its duties are kept;
4 its account may be drawn on; 5 cap and funds; only then the money is reserved and the signed authorisation leaves, in
one commit. The same request id gives the same answer; one open request a device. A refusal is an answer too, and
closes the request.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, RequestId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.ledger.recipes import reset_reserved
from towncircle.provider.accounts import check_draw
from towncircle.provider.denials import denial
from towncircle.provider.inventory import change, device_record
from towncircle.provider.leasing import Product
from towncircle.provider.readings import frozen_refusal, heard, post_reset, reset_key, take_reading
from towncircle.provider.revocations import cancelled
from towncircle.provider.supervision import restrained
from towncircle.rules import RuleSet
from towncircle.rules.acting import Notify
from towncircle.wire.bodies import (
    AccountStatement,
    AuditForward,
    ResetAcknowledgment,
    ResetAuthorisation,
    ResetRefusal,
    ResetRequest,
    ResetStanding,
    ResetStatusQuery,
)
from towncircle.wire.message import Opened

_STANDING = {
    "reserved": "Credit pending: the reset of {amount} will finish at the next connection of the device.",
    "voided": "The device did not take the reset of {amount}; the money is back in the account.",
}


@cites("P050-3.2", "P050-3.5a", "P050-3.5b", "502.25a", "PRE-17", "P050-1.1/4", "502.25a/1", "502.25a/3", "502.25c/1")
def on_request(
    ctx: Context, opened: Opened, *, rules: RuleSet, product: Product, notify: Notify | None = None
) -> ResetAuthorisation | ResetRefusal:
    """Answer a reset request: authorise it, or refuse it with the first ground."""
    body, counter = opened.body, opened.envelope.counter
    assert isinstance(body, ResetRequest)
    RequestId.parse(body.request_id)
    device = opened.envelope.sender.partition(".")[2]
    key = reset_key(device, body.request_id)
    denied = denial(ctx, rules, device, notify=notify)
    earlier = ctx.tx.get("reset", key)
    if earlier is not None and (earlier.body["device"], earlier.body["amount"]) != (device, body.amount):
        return _refuse(ctx, body, Refused("provider.reset-conflict", request_id=body.request_id))
    try:
        row = take_reading(ctx, opened, body.audit)
    except Refused as ground:
        return _refuse(ctx, body, ground)
    if row.body["frozen"]:
        return _refuse(ctx, body, frozen_refusal(row), row)
    ctx.send("postal.usps", AuditForward(audit=opened.raw), key=f"audit {row.key} {counter}")
    try:
        stopped = restrained(ctx, replace(product.subject, system=row.key[:4]))
        _check_duties(row, body, cancelled(ctx, row) or stopped or denied)
        check_draw(ctx, row.owner, body.amount)
        _check_cap(ctx, row, rules)
        Books(ctx.tx).post(
            reset_reserved(
                request_id=body.request_id,
                licensee=row.owner,
                device=row.key,
                amount=body.amount,
                cap=Mills(row.body["cap"]),
                at=ctx.now,
            )
        )
    except Refused as ground:
        return _refuse(ctx, body, ground, row)
    held = {"device": row.key, "amount": int(body.amount), "state": "reserved", "counter": counter}
    held |= {"until": int(opened.envelope.expires), "request_id": body.request_id}
    ctx.tx.put("reset", key, held, owner=row.owner, expected=earlier.version if earlier else 0)
    change(ctx, row, open_reset=body.request_id, open_amount=int(body.amount))
    told: dict[str, Any] = {"device": row.key, "licensee": row.owner, "amount": int(body.amount)}
    ctx.note("reset.reserved", body.request_id, clauses=("502.25(a)", "P050 3.5(a)"), **told)
    return ResetAuthorisation(
        request_id=body.request_id, device=DeviceId(row.key), amount=body.amount, request_counter=counter
    )


@cites("502.20e/3")
def _check_duties(row: Record, body: ResetRequest, denied: Refused | None) -> None:
    if row.body["custody"] != "leased":
        raise Refused("provider.not-leased", device=row.key, custody=row.body["custody"])
    if row.body["open_reset"] and row.body["open_reset"] != body.request_id:
        raise Refused("provider.reset-open", device=row.key, request_id=row.body["open_reset"])
    if denied is not None:
        raise denied


@cites("PRE-11/3")
def _check_cap(ctx: Context, row: Record, rules: RuleSet) -> None:
    """Refuse a reset up to a cap that the rule set never had. Raises `Refused` (provider.cap-not-allowed)."""
    cap = Mills(row.body["cap"])
    highest = rules.highest_mills("descending_cap", ctx.now.date_in(str(row.body["zone"])))
    if cap > highest:
        raise Refused("provider.cap-not-allowed", device=row.key, cap=cap, highest=highest)


def _refuse(ctx: Context, body: ResetRequest, ground: Refused, row: Record | None = None) -> ResetRefusal:
    ctx.note(
        "reset.refused",
        body.request_id,
        clauses=(ground.clause,),
        device=row.key if row else "",
        licensee=row.owner if row else "",
        amount=int(body.amount),
        code=ground.code,
    )
    return ResetRefusal(
        request_id=body.request_id,
        code=ground.code,
        sentence=ground.sentence,
        clause=ground.clause,
        next_step=ground.next_step,
    )


@cites("P050-3.5c", "502.25a")
def on_acknowledgment(ctx: Context, opened: Opened) -> AccountStatement:
    """Post the reservation that the device reports as applied; answer with the transaction and the balance."""
    body = opened.body
    assert isinstance(body, ResetAcknowledgment)
    device = DeviceId(opened.envelope.sender.partition(".")[2])
    reset = ctx.tx.get("reset", reset_key(device, body.request_id))
    if (
        reset is None
        or (reset.body["device"], reset.body["amount"]) != (device, body.amount)
        or reset.body["state"] == "voided"
    ):
        raise Refused("provider.no-such-reset", request_id=body.request_id, device=device)
    row = heard(ctx, device_record(ctx, device), opened.envelope)
    if reset.body["state"] == "reserved":
        row = post_reset(ctx, row, body.request_id)
        change(ctx, row, descending=int(body.registers.descending))
    return _statement(ctx, body.request_id, reset)


@cites("P050-3.5c")
def on_status_query(ctx: Context, opened: Opened) -> AccountStatement | ResetStanding:
    """Tell a licensee what became of its reset: the statement again, where a crash lost it, or where it stands.

    A reservation is posted or voided by the device's own word alone: the answer changes nothing, he settles first.
    Raises `Refused` (provider.no-such-reset) where nothing was ever reserved: it was refused, or never came.
    """
    body = opened.body
    assert isinstance(body, ResetStatusQuery)
    mine = ctx.tx.find("reset", owner=opened.envelope.sender)
    reset = next((row for row in mine if row.body["request_id"] == body.request_id), None)
    if reset is None:
        raise Refused("provider.no-such-reset", request_id=body.request_id, device=opened.envelope.sender)
    if reset.body["state"] == "posted":
        return _statement(ctx, body.request_id, reset)
    amount = Mills(reset.body["amount"])
    return ResetStanding(
        request_id=body.request_id,
        device=DeviceId(reset.body["device"]),
        amount=amount,
        state=reset.body["state"],
        sentence=_STANDING[reset.body["state"]].format(amount=amount),
        at=ctx.now,
    )


def _statement(ctx: Context, request_id: str, reset: Record) -> AccountStatement:
    ctx.note("statement.given", request_id, clauses=("P050 3.5(c)",), device=reset.body["device"], licensee=reset.owner)
    return AccountStatement(
        request_id=request_id,
        device=DeviceId(reset.body["device"]),
        amount=Mills(reset.body["amount"]),
        account_balance=Books(ctx.tx).balance(f"account/{reset.owner}"),
        at=ctx.now,
    )
