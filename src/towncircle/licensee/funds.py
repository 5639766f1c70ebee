"""Deposits, resets and contacts from the licensee's side (P050 3.0, 502.25(a)).

Here: the host's part: it carries the device's sealed messages and shows what came of them. Not here: decisions about
money, which are the Provider's, and registers, which are the device's.
Kept: a reset that was interrupted is finished, not begun again: the device makes the request and remembers it.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Carry, Context, Exchange, Steps
from towncircle.kernel.errors import Refused, RelayedRefusal
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.wire.bodies import AccountStatement, DepositOrder, DepositReceipt, RefusedReply, ResetRefusal


@cites("P050-3.2")
def deposit(ctx: Context, *, order: DepositOrder, bank: str) -> Steps:
    """Order a deposit at the lockbox bank; give its receipt."""
    answer = yield Ask(bank, order, f"deposit {order.deposit_id}")
    receipt = answer.body
    assert isinstance(receipt, DepositReceipt)
    if ctx.tx.get("deposit", order.deposit_id) is None:
        record = {"amount": int(order.amount), "form": order.form, "value_date": receipt.value_date}
        ctx.tx.put("deposit", order.deposit_id, record, owner=ctx.party, expected=0)
        ctx.note("deposit.made", order.deposit_id, clauses=("P050 3.2",), amount=int(order.amount), form=order.form)
    return receipt


@cites("P050-2.5c", "P050-3.4", "IMI-01", "IMI-02", "PRE-04")
def contact(ctx: Context, *, device: DeviceId) -> Steps:
    """Connect the device to its Provider: the audit goes up, the renewal comes down."""
    provider = held_device(ctx, device).body["provider"]
    done = yield from _connect(ctx, device, provider)
    ctx.note("contact.made", device, clauses=("P050 3.4",), provider=provider)
    return done


@cites("P050-3.5a", "P050-3.5b", "P050-3.5c", "502.25a")
def reset(ctx: Context, *, device: DeviceId, amount: Mills) -> Steps:
    """Reset the device by an amount; give the Provider's statement of the transaction and the balance."""
    provider = held_device(ctx, device).body["provider"]
    request = yield Exchange(device, lambda client: client.request_reset(amount))
    statement = yield from _finish(ctx, device, provider, request.message)
    _note_reset(ctx, device, statement)
    return statement


@cites("502.25a")
def finish_reset(ctx: Context, *, device: DeviceId) -> Steps:
    """Finish a reset that was interrupted: ask again under the device's own request, or let the Provider settle it.

    Gives the statement, or None when nothing was open or the Provider ended the request.
    """
    provider = held_device(ctx, device).body["provider"]
    status = yield Exchange(device, lambda client: client.status())
    if status.open_request:
        request = yield Exchange(device, lambda client: client.request_reset(status.open_amount))
        try:
            statement = yield from _finish(ctx, device, provider, request.message)
        except RelayedRefusal:
            statement = None
    else:
        statement = None
    yield from _connect(ctx, device, provider)
    if statement is not None:
        _note_reset(ctx, device, statement)
    return statement


def _connect(ctx: Context, device: DeviceId, provider: str) -> Steps:
    audit = yield Exchange(device, lambda client: client.audit())
    reply = yield Carry(provider, audit.message)
    _raise_refusal(ctx, reply, device)
    done = yield Exchange(device, lambda client: client.contact(reply))
    return done


def _finish(ctx: Context, device: DeviceId, provider: str, request: bytes) -> Steps:
    reply = yield Carry(provider, request)
    _raise_refusal(ctx, reply, device)
    applied = yield Exchange(device, lambda client: client.apply_reset(reply))
    assert ctx.unseal is not None
    answer = ctx.unseal(reply, f"device.{device}").body
    if isinstance(answer, ResetRefusal):
        raise RelayedRefusal(
            {
                "code": answer.code,
                "sentence": answer.sentence,
                "clause": answer.clause,
                "next_step": answer.next_step,
            }
        )
    receipt = yield Carry(provider, applied.message)
    _raise_refusal(ctx, receipt, device)
    statement = ctx.unseal(receipt, f"device.{device}").body
    assert isinstance(statement, AccountStatement)
    return statement


def _note_reset(ctx: Context, device: DeviceId, statement: AccountStatement) -> None:
    if ctx.tx.get("statement", statement.request_id) is not None:
        return
    record = {"device": device, "amount": int(statement.amount), "balance": int(statement.account_balance)}
    ctx.tx.put("statement", statement.request_id, record, owner=ctx.party, expected=0)
    ctx.note(
        "reset.received", statement.request_id, clauses=("P050 3.5(c)",), device=device, amount=int(statement.amount)
    )


def _raise_refusal(ctx: Context, reply: bytes, device: DeviceId) -> None:
    assert ctx.unseal is not None
    body = ctx.unseal(reply, f"device.{device}").body
    if isinstance(body, RefusedReply):
        raise RelayedRefusal(
            {"code": body.code, "sentence": body.sentence, "clause": body.clause, "next_step": body.next_step}
        )


def held_device(ctx: Context, device: DeviceId) -> Record:
    """Give the licensee's record of a leased device. Raises `Refused` (licensee.no-device)."""
    row = ctx.tx.get("device", device)
    if row is None:
        raise Refused("licensee.no-device", device=device)
    return row
