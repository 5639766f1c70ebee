"""Deposits, resets and contacts from the licensee's side (P050 3.0, 502.25(a)).

Here: the host's part: it carries the device's sealed messages and shows what came of them. Not here: decisions about
money, which are the Provider's, and registers, which are the device's.
Kept: a reset that was interrupted is finished, not begun again: the device makes the request and remembers it. So is a
deposit: its order is written down before it leaves, and ordered again under its own id until the receipt is here.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Carry, Context, Exchange, Steps
from towncircle.kernel.errors import BadInput, Refused, RelayedRefusal
from towncircle.kernel.ids import DeviceId, MessageId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import books
from towncircle.psd.states import LOCKED
from towncircle.wire.bodies import (
    AccountStatement,
    CheckOutQuery,
    DepositOrder,
    DepositReceipt,
    RefusedReply,
    Renewal,
    ResetRefusal,
    ResetStatusQuery,
)
from towncircle.wire.nacha import routing_number
from towncircle.wire.shape import Body

ORDERED, RECEIVED, DECLINED = "ordered", "received", "declined"


@cites("P050-3.2")
def order_deposit(ctx: Context, *, order: DepositOrder) -> DepositOrder:
    """Write a deposit order down before it leaves; an open one for the same money is taken up again.

    Raises `BadInput` (ledger.not-positive), `Refused` (licensee.deposit-open) while another waits for its receipt.
    """
    if order.amount <= ZERO:
        raise BadInput("ledger.not-positive", what="a deposit", amount=order.amount)
    for held in open_deposits(ctx):
        if (held.provider, held.account, held.amount, held.form) != (
            order.provider,
            order.account,
            order.amount,
            order.form,
        ):
            raise Refused("licensee.deposit-open", deposit_id=held.deposit_id, amount=held.amount, form=held.form)
        return held
    record = {"provider": order.provider, "account": order.account, "amount": int(order.amount), "form": order.form}
    if order.payer:
        _keep_payer(ctx, order.routing, order.payer)
    ctx.tx.put("deposit-order", order.deposit_id, {**record, "state": ORDERED}, owner=ctx.party, expected=0)
    return order


def payer_of(tx: Transaction) -> tuple[str, str] | None:
    """Give the routing number and the number of the bank account that last paid by ACH, or None."""
    row = tx.get("payer", "own")
    return (row.body["routing"], row.body["payer"]) if row is not None else None


def _keep_payer(ctx: Context, routing: str, payer: str) -> None:
    if payer_of(ctx.tx) != (routing, payer):
        held = ctx.tx.get("payer", "own")
        record = {"routing": routing_number(routing), "payer": payer}
        ctx.tx.put("payer", "own", record, owner=ctx.party, expected=held.version if held else 0)


def open_deposits(ctx: Context) -> list[DepositOrder]:
    """Give the deposit orders whose receipt is not here yet."""
    routing, payer = payer_of(ctx.tx) or ("", "")
    return [
        DepositOrder(
            deposit_id=row.key,
            provider=row.body["provider"],
            account=row.body["account"],
            amount=Mills(row.body["amount"]),
            form=row.body["form"],
            routing=routing if row.body["form"].startswith("ach") else "",
            payer=payer if row.body["form"].startswith("ach") else "",
        )
        for row in ctx.tx.find("deposit-order")
        if row.body["state"] == ORDERED
    ]


def decline_deposit(ctx: Context, *, order: DepositOrder) -> None:
    """Close an order that the bank has refused."""
    _close_order(ctx, order, DECLINED)


def _close_order(ctx: Context, order: DepositOrder, state: str) -> None:
    row = ctx.tx.get("deposit-order", order.deposit_id)
    if row is not None and row.body["state"] == ORDERED:
        ctx.tx.put("deposit-order", row.key, {**row.body, "state": state}, owner=row.owner, expected=row.version)


@cites("P050-3.2")
def deposit(ctx: Context, *, order: DepositOrder, bank: str) -> Steps:
    """Order a deposit at the lockbox bank; give its receipt."""
    answer = yield Ask(bank, order, f"deposit {order.deposit_id}")
    receipt = answer.body
    assert isinstance(receipt, DepositReceipt)
    if ctx.tx.get("deposit", order.deposit_id) is None:
        record = {"amount": int(order.amount), "form": order.form, "value_date": receipt.value_date}
        ctx.tx.put("deposit", order.deposit_id, record, owner=ctx.party, expected=0)
        books.book_deposit(
            ctx, deposit_id=order.deposit_id, provider=order.provider, amount=order.amount, form=order.form
        )
    _close_order(ctx, order, RECEIVED)
    return receipt


@cites("P050-2.5c", "P050-3.4", "IMI-01", "IMI-02", "PRE-04")
def contact(ctx: Context, *, device: DeviceId) -> Steps:
    """Connect the device to its Provider: the audit goes up, the renewal comes down."""
    provider = held_device(ctx, device).body["provider"]
    done, audit = yield from _connect(ctx, device, provider)
    books.follow(ctx, device=device, resets_total=audit.resets_total, last_applied=audit.last_applied)
    ctx.note("contact.made", device, clauses=("P050 3.4",), provider=provider)
    return done


@cites("P050-3.5a", "P050-3.5b", "P050-3.5c", "502.25a")
def reset(ctx: Context, *, device: DeviceId, amount: Mills) -> Steps:
    """Reset the device by an amount; give the Provider's statement of the transaction and the balance."""
    provider = held_device(ctx, device).body["provider"]
    request = yield Exchange(device, lambda client: client.request_reset(amount))
    statement = yield from _finish(ctx, device, provider, request.message)
    _keep_statement(ctx, device, statement)
    return statement


@cites("502.25a")
def catch_up(ctx: Context, *, device: DeviceId) -> Steps:
    """Book what the device has applied and nobody told of, before it is asked for more."""
    status = yield Exchange(device, lambda client: client.status())
    books.follow(ctx, device=device, resets_total=status.resets_total, last_applied=status.last_applied)


@cites("502.25a")
def finish_reset(ctx: Context, *, device: DeviceId) -> Steps:
    """Finish a reset that was interrupted: ask again under the device's own request, or let the Provider settle it.

    A locked device asks for no value, so it is opened by a contact first. Where only the Provider's statement was lost,
    it is asked for again. Gives the statement, or None when nothing was open or the Provider ended the request.
    """
    provider = held_device(ctx, device).body["provider"]
    status = yield Exchange(device, lambda client: client.status())
    if status.state == LOCKED:
        yield from _connect(ctx, device, provider)
        status = yield Exchange(device, lambda client: client.status())
    statement = None
    if status.open_request:
        request = yield Exchange(device, lambda client: client.request_reset(status.open_amount))
        try:
            statement = yield from _finish(ctx, device, provider, request.message)
        except RelayedRefusal:
            statement = None
    _, audit = yield from _connect(ctx, device, provider)
    lost = status.last_applied
    if statement is None and lost and ctx.tx.get("statement", lost) is None:
        answer = yield Ask(provider, ResetStatusQuery(request_id=lost), f"statement {lost}")
        statement = answer.body if isinstance(answer.body, AccountStatement) else None
    books.follow(ctx, device=device, resets_total=audit.resets_total, last_applied=audit.last_applied)
    if statement is not None:
        _keep_statement(ctx, device, statement)
    return statement


@cites("502.25a", "P050-3.5c")
def ask_reset(ctx: Context, *, device: DeviceId, request: str = "") -> Steps:
    """Ask the Provider where a reset stands, or the device's open one or else its last; give its answer, or None.

    Raises the Provider's refusal (provider.no-such-reset) where nothing was reserved for it.
    """
    status = yield Exchange(device, lambda client: client.status())
    request = request or status.open_request or status.last_applied
    if not request:
        return None
    asked = ResetStatusQuery(request_id=request)
    answer = yield Ask(
        held_device(ctx, device).body["provider"], asked, f"reset status {request} {MessageId.new(ctx.randomness)}"
    )
    return answer.body


@cites("P050-2.6")
def in_use(ctx: Context, *, device: DeviceId) -> Steps:
    """Ask the Provider, in the licensee's own name, what became of the device: its keys are not believed any more.

    The refusal tells: provider.retired, or provider.not-given-back for one that is in use as far as the Provider knows.
    """
    yield Ask(held_device(ctx, device).body["provider"], CheckOutQuery(device=device), f"in use {device}")


@cites("502.28")
def renew_key(ctx: Context, *, device: DeviceId) -> Steps:
    """Give the device its next indicia key and certificate before the present ones end. Safe to walk again."""
    provider = held_device(ctx, device).body["provider"]
    report = yield Exchange(device, lambda client: client.rekey())
    reply = yield Carry(provider, report.message)
    raise_refusal(ctx, reply, device)
    done = yield Exchange(device, lambda client: client.certify(reply))
    ctx.note("key.renewed", device, clauses=("502.28",), provider=provider)
    return done


@cites("502.28")
def renewal_due(ctx: Context, *, device: DeviceId) -> Steps:  # noqa: ARG001 - a step as the others are
    """Tell whether the device's key is to be renewed now, before it hurts.

    The warning has begun, or the certificate would end before the next contact has to be made.
    """
    status = yield Exchange(device, lambda client: client.status())
    until = status.certificate_until
    return bool(until) and (status.now >= status.renew_from or until <= status.contact_due)


def _connect(ctx: Context, device: DeviceId, provider: str) -> Steps:
    """Give the device's answer and its audit, which it signed and the Provider has taken."""
    signed, identity = yield Exchange(device, lambda client: (client.audit(), client.identify()))
    audit = books.audit_of(signed.message, identity=identity, provider=provider)
    reply = yield Carry(provider, signed.message)
    renewal = raise_refusal(ctx, reply, device)
    if not isinstance(renewal, Renewal):
        raise Refused("licensee.check-out-open", device=device)
    done = yield Exchange(device, lambda client: client.contact(reply))
    if renewal.settle_request:  # it closed its request: what was reserved goes back when the Provider is told
        _, audit = yield from _connect(ctx, device, provider)
    return done, audit


def _finish(ctx: Context, device: DeviceId, provider: str, request: bytes) -> Steps:
    reply = yield Carry(provider, request)
    raise_refusal(ctx, reply, device)
    applied = yield Exchange(device, lambda client: client.apply_reset(reply))
    answer = ctx.unseal(reply, f"device.{device}", None).body
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
    raise_refusal(ctx, receipt, device)
    told = ctx.unseal(receipt, f"device.{device}", None)
    statement = told.body
    mine = isinstance(statement, AccountStatement) and statement.request_id == applied.request_id
    if not mine or told.envelope.sender != provider:
        raise Refused("licensee.not-the-statement", request=applied.request_id, provider=provider)
    return statement


def _keep_statement(ctx: Context, device: DeviceId, statement: AccountStatement) -> None:
    books.book_reset(ctx, device=device, request_id=statement.request_id, amount=statement.amount)
    if ctx.tx.get("statement", statement.request_id) is None:
        record = {"device": device, "amount": int(statement.amount), "balance": int(statement.account_balance)}
        ctx.tx.put("statement", statement.request_id, record, owner=ctx.party, expected=0)


def raise_refusal(ctx: Context, reply: bytes, device: DeviceId) -> Body:
    """Give what the Provider answered to a device, or raise its refusal in its own words."""
    body: Body = ctx.unseal(reply, f"device.{device}", None).body
    if isinstance(body, RefusedReply):
        raise RelayedRefusal(
            {"code": body.code, "sentence": body.sentence, "clause": body.clause, "next_step": body.next_step}
        )
    return body


def held_device(ctx: Context, device: DeviceId) -> Record:
    """Give the licensee's record of a leased device. Raises `Refused` (licensee.no-device)."""
    row = ctx.tx.get("device", device)
    if row is None:
        raise Refused("licensee.no-device", device=device)
    return row
