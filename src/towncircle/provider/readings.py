"""Signed register readings of a device: the law of the registers checked from outside, and what they settle.

Here: what every signed message of a device proves. Not here: who gets money (`resetting.py`), answers to audits.
Kept: a timer never voids a reservation; only the next signed reading settles it (house.md 4). A device that comes back
older than it was is frozen with an irregularity (house.md 3, rollback).
"""

from __future__ import annotations

import base64

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.ledger.recipes import reset_posted, reset_voided, usage_read
from towncircle.provider.cases import report
from towncircle.provider.custody import irregular
from towncircle.provider.inventory import change, device_record, suspect
from towncircle.psd.states import WITHDRAWN
from towncircle.wire.bodies import DeviceAudit, RefusedReply, TransactionFile, TransactionRow
from towncircle.wire.message import Envelope, Opened


@cites("502.25a", "502.23", "P050-2.5c", "502.25a/2")
def take_reading(ctx: Context, opened: Opened, reading: DeviceAudit) -> Record:
    """Check a signed reading, book the usage since the last one and settle an open reset; give the device's record.

    A message that was signed before the last one read, and came late, is refused as stale. A reading that breaks the
    law freezes the device: the record that comes back then names the irregularity in `frozen`, and the caller answers
    with a refusal.
    """
    envelope = opened.envelope
    row = device_record(ctx, envelope.sender.partition(".")[2])
    if envelope.counter <= row.body["message_counter"] and int(envelope.issued) <= row.body["audited_at"]:
        raise Refused("provider.stale-reading", device=row.key, counter=envelope.counter)
    trouble = row.body["frozen"] or _trouble(ctx, row, envelope, reading)
    if trouble:
        return row if row.body["frozen"] else _freeze(ctx, row, opened, trouble)
    row = _settle(ctx, row, reading)
    used = reading.registers.ascending - Mills(row.body["ascending"])
    if used > ZERO:
        Books(ctx.tx).post(
            usage_read(
                reading_id=str(envelope.counter), licensee=row.owner, device=row.key, amount=used, at=envelope.issued
            )
        )
    ctx.note(
        "audit.taken",
        row.key,
        clauses=("502.23", "502.25(a)"),
        occurred_at=envelope.issued,
        licensee=row.owner,
        ascending=int(reading.registers.ascending),
        descending=int(reading.registers.descending),
        pieces=reading.registers.pieces,
        resets_total=int(reading.resets_total),
        withdrawn_total=int(reading.withdrawn_total),
        reprints=reading.reprints,
        message_counter=envelope.counter,
        state=reading.state,
    )
    return change(
        ctx,
        row,
        ascending=int(reading.registers.ascending),
        descending=int(reading.registers.descending),
        pieces=reading.registers.pieces,
        withdrawn_total=int(reading.withdrawn_total),
        reprints=reading.reprints,
        message_counter=envelope.counter,
        audited_at=int(envelope.issued),
        audit=base64.b64encode(opened.raw).decode(),
    )


def heard(ctx: Context, row: Record, envelope: Envelope) -> Record:
    """Remember the counter of a device's signed word that is no reading: what it signs later has a higher one."""
    if envelope.counter <= row.body.get("heard_counter", 0):
        return row
    return change(ctx, row, heard_counter=envelope.counter, heard_at=int(envelope.issued))


@cites("PRE-12/2")
def _trouble(ctx: Context, row: Record, envelope: Envelope, reading: DeviceAudit) -> str:
    body, registers = row.body, reading.registers
    if envelope.counter <= body["message_counter"]:
        return (
            f"its message counter {envelope.counter} is not above {body['message_counter']}: an older copy of it runs"
        )
    known = body.get("heard_counter", 0)
    if envelope.counter <= known and int(envelope.issued) > body["heard_at"]:  # else it was signed before, and is late
        return f"its message counter {envelope.counter} is not above {known}: an older copy of it runs"
    if registers.ascending < body["ascending"] or registers.pieces < body["pieces"]:
        return "a register went back: an older copy of it runs"
    control = registers.ascending + registers.descending
    if control != reading.resets_total - reading.withdrawn_total:
        return f"ascending and descending make {control}, resets less withdrawals {reading.resets_total}"
    applied = Mills(body["resets_total"])
    if body["open_reset"] and reading.last_applied == body["open_reset"]:
        applied += Mills(body["open_amount"])
    if reading.resets_total != applied:
        return f"it counts resets of {reading.resets_total}; this Provider authorised {applied}"
    return irregular(custody=str(body["custody"]), state=reading.state) or _given_away(ctx, row, reading)


def _given_away(ctx: Context, row: Record, reading: DeviceAudit) -> str:
    """Say what is wrong with what a device has given back: only a device that was ordered out gives all, once."""
    held = ctx.tx.get("check-out", row.key)  # it may have been lost on its way back
    ordered = held is not None and reading.state == WITHDRAWN and reading.registers.descending == ZERO
    before = Mills(row.body.get("withdrawn_total", 0))
    if reading.withdrawn_total == before or (ordered and before == ZERO):
        return ""
    return f"it gave back {reading.withdrawn_total}; this Provider ordered and credited {before}"


@cites("502.14b", "502.20j")
def on_conflict(ctx: Context, opened: Opened) -> Refused | None:
    """Freeze a device that signed two messages under one name: names follow its counter, so a copy of it runs."""
    role, _, device = opened.envelope.sender.partition(".")
    row = ctx.tx.get("device", device) if role == "device" else None
    if row is None:
        return None
    if not row.body["frozen"]:
        trouble = f"it signed two messages under its counter {opened.envelope.counter}: an older copy of it runs"
        row = _freeze(ctx, row, opened, trouble)
    return frozen_refusal(row)


@cites("502.20j/1")
def _freeze(ctx: Context, row: Record, opened: Opened, trouble: str) -> Record:
    ctx.note("device.frozen", row.key, clauses=("502.14(b)", "502.20(j)"), licensee=row.owner, trouble=trouble)
    report(ctx, row, ground=trouble, evidence=opened.raw)
    return change(ctx, suspect(ctx, row), frozen=trouble, frozen_at=int(opened.envelope.issued))


def _settle(ctx: Context, row: Record, reading: DeviceAudit) -> Record:
    request_id = row.body["open_reset"]
    if not request_id or reading.open_request == request_id:
        return row
    if reading.last_applied == request_id:
        return post_reset(ctx, row, request_id)
    reset = ctx.tx.get("reset", reset_key(row.key, request_id))
    assert reset is not None
    amount = Mills(reset.body["amount"])
    voided = reset_voided(request_id=request_id, licensee=row.owner, device=row.key, amount=amount, at=ctx.now)
    Books(ctx.tx).post(voided)
    ctx.tx.put("reset", reset.key, {**reset.body, "state": "voided"}, owner=row.owner, expected=reset.version)
    ctx.note("reset.voided", request_id, clauses=("502.25(a)",), device=row.key, licensee=row.owner, amount=int(amount))
    return change(ctx, row, open_reset="", open_amount=0)


def post_reset(ctx: Context, row: Record, request_id: str) -> Record:
    """Post a reservation that a signed reading shows as applied, and file it with the Postal Service."""
    reset = ctx.tx.get("reset", reset_key(row.key, request_id))
    assert reset is not None
    amount = Mills(reset.body["amount"])
    Books(ctx.tx).post(
        reset_posted(request_id=request_id, licensee=row.owner, device=row.key, amount=amount, at=ctx.now)
    )
    ctx.tx.put("reset", reset.key, {**reset.body, "state": "posted"}, owner=row.owner, expected=reset.version)
    ctx.note("reset.posted", request_id, clauses=("502.25(a)",), device=row.key, licensee=row.owner, amount=int(amount))
    file_transaction(ctx, row, reference=request_id, amount=amount)
    return change(ctx, row, open_reset="", open_amount=0, resets_total=row.body["resets_total"] + int(amount))


@cites("502.20m")
def file_transaction(ctx: Context, row: Record, *, reference: str, amount: Mills) -> None:
    """File what moved between trust account and device: a posted reset, or a refund where the amount is negative."""
    number = ctx.tx.next_number("transaction file")
    filed = TransactionFile(
        day=ctx.now.date_in(str(row.body["zone"])).isoformat(),
        number=number,
        rows=(
            TransactionRow(
                device=DeviceId.parse(row.key),
                licensee=row.owner,
                request_id=reference,
                amount=amount,
                posted_at=ctx.now,
            ),
        ),
        total=amount,
    )
    ctx.send("postal.usps", filed, key=f"transaction file {number}")
    ctx.note("transaction.filed", reference, clauses=("502.20(m)",), device=row.key, licensee=row.owner, file=number)


def reset_key(device: str, request_id: str) -> str:
    """Name the record of a reset: request ids are the device's own, so two devices may use one."""
    return f"{device} {request_id}"


def frozen_refusal(row: Record) -> Refused:
    """Give the refusal that a frozen device gets, or one that was retired."""
    if row.body.get("retired"):
        return Refused("provider.retired", device=row.key, case=row.body["retired"])
    return Refused("provider.frozen", device=row.key, trouble=row.body["frozen"])


def refused_frozen(row: Record) -> RefusedReply:
    """Give that refusal as an answer, so that the freeze is kept."""
    return refusal_of(frozen_refusal(row))


def refusal_of(error: Refused) -> RefusedReply:
    """Give a refusal as an answer: what the device has signed is taken all the same."""
    return RefusedReply(
        code=error.code, sentence=error.sentence, clause=error.clause, next_step=error.next_step, grounds=()
    )
