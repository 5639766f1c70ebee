"""The licensee's own books: when each of its money events is posted.

Here: the postings, each beside the fact that it books, in the caller's transaction. Not here: the recipes
(`ledger.mailroom`), budgets (`departments`).
Kept: the books follow the device. A reset is booked once, under the id that the device gave it, from the first word of
it that lasts: the Provider's statement, the device's signed audit at a contact, or its status before it is used again.
What only the Provider sees of the account is booked from its monthly statement, once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import LICENSEE, Books, mailroom
from towncircle.pki.verifying import PublicKey
from towncircle.psd.commands import Identity
from towncircle.wire.bodies import DeviceAudit, DeviceWithdrawal, StatementRow
from towncircle.wire.directory import Keyring
from towncircle.wire.message import open_untimed
from towncircle.wire.shape import Body

# what a statement calls the transactions that the licensee books itself, and corrections of them
_SEEN = ("deposit", "reset", "reset not applied", "balance of a device", "correction")


@cites("P050-3.2")
def book_deposit(ctx: Context, *, deposit_id: str, provider: str, amount: Mills, form: str) -> None:
    """Book a deposit whose receipt is here."""
    ctx.note("deposit.made", deposit_id, clauses=("P050 3.2",), provider=provider, amount=int(amount), form=form)
    entry = mailroom.deposit_made(
        deposit_id=deposit_id, licensee=ctx.party, provider=provider, amount=amount, at=ctx.now
    )
    Books(ctx.tx, LICENSEE).post(entry)


@cites("P050-3.5c", "502.25a")
def book_reset(ctx: Context, *, device: DeviceId, request_id: str, amount: Mills) -> None:
    """Book a reset that the device has applied; one that is in the books already changes nothing."""
    key = f"{device} {request_id}"  # request ids are the device's own, so two devices may use one
    if ctx.tx.get("reset", key) is not None:
        return
    provider = _provider(ctx, device)
    record = {"device": device, "request_id": request_id, "amount": int(amount)}
    ctx.tx.put("reset", key, record, owner=device, expected=0)
    ctx.note(
        "reset.received",
        request_id,
        clauses=("P050 3.5(c)",),
        provider=provider,
        device=device,
        amount=int(amount),
    )
    entry = mailroom.reset_received(
        request_id=request_id, licensee=ctx.party, provider=provider, device=device, amount=amount, at=ctx.now
    )
    Books(ctx.tx, LICENSEE).post(entry)


@cites("P050-3.5c", "502.25a", "PRE-17")
def follow(ctx: Context, *, device: DeviceId, resets_total: Mills, last_applied: str) -> None:
    """Book the reset that the device counts and the books lack: the word of it was lost.

    It is the last one that the device applied, because no other is asked for before this was done.
    """
    booked, _ = Books(ctx.tx, LICENSEE).turnover(f"in-device/{ctx.party}/{device}")
    if last_applied and resets_total > booked:
        book_reset(ctx, device=device, request_id=last_applied, amount=resets_total - booked)


@cites("502.27b", "P050-3.3c")
def book_return(ctx: Context, *, device: DeviceId, refund: str, amount: Mills) -> None:
    """Book the balance that a device gave back and its Provider credited."""
    if amount == ZERO:
        return
    provider = _provider(ctx, device)
    note: dict[str, Any] = {"provider": provider, "device": device, "amount": int(amount)}
    ctx.note("balance.returned", refund, clauses=("502.27(b)",), **note)
    entry = mailroom.balance_returned(
        refund_id=refund, licensee=ctx.party, provider=provider, device=device, amount=amount, at=ctx.now
    )
    Books(ctx.tx, LICENSEE).post(entry)


def in_device(ctx: Context, *, device: str) -> Mills:
    """Give what a device holds by these books."""
    return Books(ctx.tx, LICENSEE).balance(f"in-device/{ctx.party}/{device}")


@cites("P050-3.5c")
def book_statement(ctx: Context, *, provider: str, rows: Iterable[StatementRow]) -> None:
    """Book the transactions that only a statement tells: returned items, refunds, credits, advances, refund checks.

    Those that are in the books already change nothing.
    """
    for row in rows:
        if row.kind in _SEEN or row.amount == ZERO:
            continue
        whose: dict[str, Any] = {"licensee": ctx.party, "provider": provider, "device": row.device}
        told: dict[str, Any] = {"kind": row.kind, "reference": row.reference, "amount": row.amount, "told_at": row.at}
        Books(ctx.tx, LICENSEE).post(mailroom.account_stated(**told, **whose, at=ctx.now))


def audit_of(raw: bytes, *, identity: Identity, provider: str) -> DeviceAudit:
    """Read the audit that a device signed, by the key that the device shows. Raises what `open_untimed` raises."""
    body = _signed(raw, identity, provider)
    assert isinstance(body, DeviceAudit)
    return body


def withdrawal_of(raw: bytes, *, identity: Identity, provider: str) -> DeviceWithdrawal:
    """Read the withdrawal that a device signed, as `audit_of` reads an audit."""
    body = _signed(raw, identity, provider)
    assert isinstance(body, DeviceWithdrawal)
    return body


def _signed(raw: bytes, identity: Identity, provider: str) -> Body:
    ring = Keyring()
    ring.add(f"device.{identity.device}", PublicKey("ecdsa-p256", identity.message_public), since=Instant(0))
    return open_untimed(raw, audience=provider, directory=ring).body


@cites("502.8b", "IMI-05")
def book_postage(ctx: Context, *, job: str, device: DeviceId, department: str, amount: Mills) -> None:
    """Book the postage of a job that the device has evidenced."""
    if amount == ZERO:
        return
    entry = mailroom.postage_evidenced(
        job=job,
        licensee=ctx.party,
        provider=_provider(ctx, device),
        device=device,
        department=department,
        amount=amount,
        at=ctx.now,
    )
    Books(ctx.tx, LICENSEE).post(entry)


def _provider(ctx: Context, device: DeviceId) -> str:
    row = ctx.tx.get("device", device)
    assert row is not None
    return str(row.body["provider"])
