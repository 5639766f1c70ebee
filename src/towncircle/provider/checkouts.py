"""Devices that go out of service (P050 2.6, 2.7, 2.9, 502.20(e), (f), 502.27(b)): notice, order, balance, check-out.

Here: the Provider's answers to a licensee's notice, to the device's last word, and to the question what became of it.
Not here: the device's half (`psd.life`), the replacement (a lease and an ordinary reset like any other).
Not here either: the credit of what was given back (`balances`).
Kept: from the notice on resets are denied (502.20(e)). The balance is taken once, by the device's own signed word
that it holds nothing any more: its `DeviceWithdrawal`, or, where that was lost, its next audit. It is what was noted at
the notice less what was evidenced since (502.27(b)(1)). A device that cannot sign gives nothing back by itself: its
last signed reading stands until a person has examined it (502.20(f)). So does that of a device that two persons have
retired. While an irregularity case of a device is open, no notice of it is taken and nothing is credited (P050 2.6).
"""

from __future__ import annotations

import base64

from towncircle.kernel.cases import RETIRED, open_case_of
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, second_person
from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId, RefundId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.provider.inventory import HELD, ORDERED, balance_waits, change, device_record, move
from towncircle.provider.missing import away, checked_in
from towncircle.provider.readings import (
    frozen_refusal,
    refusal_of,
    refused_frozen,
    take_reading,
)
from towncircle.psd.states import WITHDRAWN
from towncircle.wire.bodies import (
    AuditForward,
    CheckOutNoted,
    CheckOutQuery,
    CheckOutReport,
    CheckOutRequest,
    CheckOutStatement,
    DeviceAudit,
    DeviceWithdrawal,
    RefusedReply,
    Registers,
    Withdraw,
)
from towncircle.wire.bodies.checkout import CREDITED, EMPTY, EXAMINATION, REASON
from towncircle.wire.message import Opened

DONE = "done"


@cites("P050-2.9", "P050-2.6", "502.20e", "502.27b")
def on_request(ctx: Context, opened: Opened) -> CheckOutNoted:
    """Take a licensee's notice: the descending balance is noted, resets are denied, the next contact orders it out.

    A device that has failed since, or was retired, is told of again: nothing more is to be had from it.
    """
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, CheckOutRequest)
    row = _own(ctx, body.device, licensee)
    held = ctx.tx.get("check-out", body.device)
    if held is None:
        held = _take_notice(ctx, row, body)
    elif held.body["requested_by"] != ctx.party and _for_another(held, body):  # what it disabled itself is told again
        raise Refused(
            "provider.check-out-open", device=body.device, purpose=held.body["purpose"], at=Instant(held.body["at"])
        )
    elif held.body["state"] == ORDERED and _silent(ctx, row, body):
        held = _conclude(ctx, row, held, outcome=EXAMINATION, amount=ZERO, raw=b"")
    return noted(held)


def noted(held: Record) -> CheckOutNoted:
    """Say that the notice of a device was taken, with the balance noted at it."""
    body = held.body
    return CheckOutNoted(
        device=DeviceId(held.key), refund=body["refund"], noted=Mills(body["noted"]), at=Instant(body["at"])
    )


def _for_another(held: Record, body: CheckOutRequest) -> bool:
    return any(held.body[name] != getattr(body, name) for name in ("purpose", "transfer", "requested_by"))


def _take_notice(ctx: Context, row: Record, body: CheckOutRequest) -> Record:
    if body.purpose == "replacement":
        second_person(body.requested_by, (body.approved_by,), what="a transfer of a balance", clause="P050 2.6")
    _check_suspicion(ctx, row)
    if row.body["open_reset"] and not retired(ctx, row):  # whether the device has it, no host's word tells
        raise Refused("provider.reset-open", device=row.key, request_id=row.body["open_reset"])
    checked_in(ctx, row)
    held = Books(ctx.tx).device(row.owner, row.key)
    record = {
        "state": ORDERED,
        "purpose": body.purpose,
        "reason": body.reason,
        "requested_by": body.requested_by,
        "approved_by": body.approved_by,
        "transfer": body.transfer,
        "refund": RefundId.new(ctx.randomness),
        "noted": int(held.descending),
        "noted_ascending": int(held.ascending),
        "at": int(ctx.now),
    }
    kept = ctx.tx.put("check-out", row.key, record, owner=row.owner, expected=0)
    ctx.note("device.unwanted", row.key, clauses=("502.20(e)",), licensee=row.owner, purpose=body.purpose)
    if row.body["custody"] != "returned":  # one that was retired is back already
        row = move(ctx, row, "return", noted=record["noted"], purpose=body.purpose)
    if _silent(ctx, row, body):
        return _conclude(ctx, row, kept, outcome=EXAMINATION, amount=ZERO, raw=b"")
    return kept


@cites("502.20e/2", "502.27b", "P050-3.3c/2")
def on_disabled(ctx: Context, row: Record, opened: Opened, *, reason: str) -> None:
    """Check out an element that the Provider itself has disabled in its server, by its last signed word."""
    reading = opened.body
    assert isinstance(reading, DeviceAudit)
    if ctx.tx.get("check-out", row.key) is None:
        asked = CheckOutRequest(
            device=DeviceId(row.key),
            purpose="return",
            reason=reason[:REASON],
            requested_by=ctx.party,
            approved_by="",
            transfer="",
            faulted=False,
        )
        _take_notice(ctx, row, asked)
    row = take_reading(ctx, opened, reading)
    if row.body["frozen"]:
        return
    ctx.send("postal.usps", AuditForward(audit=opened.raw), key=f"audit {row.key} {opened.envelope.counter}")
    _give_back(ctx, row, opened.raw)


@cites("502.20f", "502.20e/1")
def write_off(ctx: Context, *, device: str, reference: str) -> Record:
    """Check a device out that gave nothing back, after its examination: its last signed reading stands.

    Raises `Refused` (custody.not-silent) for any other device.
    """
    row, held = device_record(ctx, device), ctx.tx.get("check-out", device)
    if held is None or (held.body["state"], held.body.get("outcome")) != (DONE, EXAMINATION):
        raise Refused("custody.not-silent", device=device)
    if row.body["custody"] == "checked out":
        return row
    return move(ctx, row, "check out", reference=reference)


def _silent(ctx: Context, row: Record, body: CheckOutRequest) -> bool:
    """Tell whether nothing more is to be had from a device: it is retired, or its host says that it failed."""
    return retired(ctx, row) or (body.faulted and open_case_of(ctx.tx, row.key) is None)


@cites("P050-2.6", "P050-2.6/5")
def _check_suspicion(ctx: Context, row: Record) -> None:
    """Let no device leave that is under suspicion. Raises `Refused` (provider.frozen, provider.case-open)."""
    if row.body["frozen"] and not retired(ctx, row):
        raise frozen_refusal(row)  # there is reason to believe that it is fraudulently set
    case = open_case_of(ctx.tx, row.key)
    if case is not None:
        raise _case_open(case)


def retired(ctx: Context, row: Record) -> bool:
    """Tell whether a case of a device ended with its retirement, and none is open."""
    states = {case.body["state"] for case in ctx.tx.find("case", owner=row.key)}
    return bool(row.body["frozen"]) and RETIRED in states and open_case_of(ctx.tx, row.key) is None


def _case_open(case: Record) -> Refused:
    return Refused("provider.case-open", device=case.body["device"], case=case.key)


@cites("502.27b", "P050-3.3c")
def on_withdrawal(ctx: Context, opened: Opened) -> CheckOutStatement | CheckOutNoted | RefusedReply:
    """Take what a device has given back, once; a device that was not ordered out is frozen.

    While a case of it is open, or it is missing, its word is taken, and credited when it says it again afterwards.
    """
    body = opened.body
    assert isinstance(body, DeviceWithdrawal)
    row = device_record(ctx, opened.envelope.sender.partition(".")[2])
    held = ctx.tx.get("check-out", row.key)
    if held is not None and held.body["state"] == DONE:
        return statement(ctx, held)
    if held is not None and held.body["state"] == HELD:
        return noted(held)
    row = take_reading(ctx, opened, _last_audit(row, body, opened.envelope.issued))
    if row.body["frozen"]:
        return refused_frozen(row)
    ctx.send("postal.usps", AuditForward(audit=opened.raw), key=f"audit {row.key} {opened.envelope.counter}")
    gone = away(ctx, row, open_request="")
    if gone is not None:  # credited by its next audit, when it was found and inspected
        return refusal_of(gone)
    case = open_case_of(ctx.tx, row.key)
    return refusal_of(_case_open(case)) if case is not None else _give_back(ctx, row, opened.raw)


def _last_audit(row: Record, body: DeviceWithdrawal, at: Instant) -> DeviceAudit:
    """Say as an audit what a withdrawal says: the registers it stopped at, and that the descending one is given back.

    A device gives nothing back while a reset is open in it: one that is open here was applied if it counts it. It signs
    no count of reprints with it, so the last one that it signed stands.
    """
    told = body.registers
    applied = body.resets_total > Mills(row.body["resets_total"])
    return DeviceAudit(
        state=WITHDRAWN,
        registers=Registers(ascending=told.ascending, descending=ZERO, pieces=told.pieces),
        resets_total=body.resets_total,
        withdrawn_total=Mills(row.body.get("withdrawn_total", 0)) + told.descending,
        high_water=at,
        contact_due=at,
        open_request="",
        open_amount=ZERO,
        last_applied=row.body["open_reset"] if applied else "",
        usage=(),
        reprints=row.body.get("reprints", 0),  # a withdrawal does not tell them
    )


@cites("502.20e", "502.27b")
def answer_audit(
    ctx: Context, row: Record, opened: Opened, reading: DeviceAudit
) -> Withdraw | CheckOutStatement | CheckOutNoted | RefusedReply:
    """Answer the audit of a device that was ordered out: with the order, or with what became of its balance."""
    held = ctx.tx.get("check-out", row.key)
    if held is None:  # it was retrieved, and no notice of it was given yet: what it signed is taken
        return refusal_of(Refused("provider.not-leased", device=row.key, custody=row.body["custody"]))
    if held.body["state"] == DONE:
        return statement(ctx, held)
    if held.body["state"] == HELD:
        return noted(held)
    case = open_case_of(ctx.tx, row.key)
    if case is not None:
        return refusal_of(_case_open(case))
    if reading.state != WITHDRAWN:
        return Withdraw(reason=held.body["reason"])
    return _give_back(ctx, row, opened.raw)


@cites("502.27b/1")
def _give_back(ctx: Context, row: Record, raw: bytes) -> CheckOutStatement | CheckOutNoted:
    """Take a device's last word: it is out of service; what it gave back waits for its form and the coordinator."""
    held = ctx.tx.get("check-out", row.key)
    assert held is not None  # a withdrawal that nobody ordered froze the device (`readings`)
    if held.body["state"] == HELD:
        return noted(held)
    amount = Mills(row.body["withdrawn_total"])
    due = Books(ctx.tx).device(row.owner, row.key).descending
    if amount != due:
        raise BrokenInvariant("provider.balance-differs", device=row.key, amount=amount, due=due)
    row = move(ctx, row, "check out")
    kept = _conclude(ctx, row, held, outcome=CREDITED if amount else EMPTY, amount=amount, raw=raw)
    return noted(kept) if amount else statement(ctx, kept)


@cites("502.20e")
def _conclude(ctx: Context, row: Record, held: Record, *, outcome: str, amount: Mills, raw: bytes) -> Record:
    """End the service of a device and tell the Postal Service; a balance that it gave back is held (`balances`)."""
    body = {
        **held.body,
        "state": HELD if amount else DONE,
        "outcome": outcome,
        "amount": int(amount),
        "ascending": int(Books(ctx.tx).device(row.owner, row.key).ascending),
        "reading": base64.b64encode(raw).decode(),
        "at": int(ctx.now),
    }
    kept = ctx.tx.put("check-out", row.key, body, owner=row.owner, expected=held.version)
    change(ctx, row, contact_at=int(ctx.now))
    named = ("purpose", "refund", "noted", "noted_ascending", "requested_by", "approved_by", "transfer")
    told = {name: body[name] for name in (*named, "outcome", "amount", "ascending")}
    ctx.note("device.checked-out", row.key, clauses=("502.20(e)", "502.27(b)"), licensee=row.owner, **told)
    report = CheckOutReport(
        device=DeviceId(row.key),
        license=row.body["license"],
        refund=body["refund"],
        outcome=outcome,  # type: ignore[arg-type]  # one of the three words
        noted=Mills(body["noted"]),
        amount=amount,
        signed_by=ctx.party,
        requested_by=body["requested_by"],
        approved_by=body["approved_by"],
        reading=raw,
        at=ctx.now,
    )
    ctx.send("postal.usps", report, key=f"check-out {row.key}")
    return kept


@cites("502.27b")
def on_query(ctx: Context, opened: Opened) -> CheckOutStatement:
    """Tell a licensee what became of the balance of its device; one that was retired since gives nothing back.

    Raises `Refused`: provider.not-given-back, provider.balance-waiting,
    provider.retired for a retired one of which no notice was given.
    """
    body = opened.body
    assert isinstance(body, CheckOutQuery)
    row = _own(ctx, body.device, opened.envelope.sender)
    held = ctx.tx.get("check-out", row.key)
    if held is not None and held.body["state"] == ORDERED and retired(ctx, row):
        held = _conclude(ctx, row, held, outcome=EXAMINATION, amount=ZERO, raw=b"")
    if held is not None and held.body["state"] == HELD:
        raise balance_waits(held)
    if held is None and row.body.get("retired"):
        raise frozen_refusal(row)
    if held is None or held.body["state"] != DONE:
        raise Refused("provider.not-given-back", device=row.key)
    return statement(ctx, held)


def statement(ctx: Context, held: Record) -> CheckOutStatement:
    """State what a device gave back, with the account as it is now."""
    body = held.body
    return CheckOutStatement(
        device=DeviceId(held.key),
        refund=body["refund"],
        outcome=body["outcome"],
        noted=Mills(body["noted"]),
        used=Mills(body["ascending"] - body["noted_ascending"]),
        amount=Mills(body["amount"]),
        account_balance=Books(ctx.tx).balance(f"account/{held.owner}"),
        at=Instant(body["at"]),
    )


def _own(ctx: Context, device: str, licensee: str) -> Record:
    row = device_record(ctx, device)
    if row.owner != licensee:
        raise Refused("provider.unknown-device", device=device, provider=ctx.party)
    return row
