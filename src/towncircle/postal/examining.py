"""Examinations of devices at the Postal Service's desk (P050 2.6 and 3.4, 502.10).

Here: the order, sealed for the device and sent by way of its Provider, and what is made of the report that comes back.
Not here: the comparison (`findings`), the device's half (`psd.examining`), how a case ends (`cases`).
Kept: an order has one report. It must be the device's own, answer this very order, and not be older than an audit that
was signed after it; any other is refused and changes nothing. A device out of service is not examined: its certificates
are revoked, and the order that waits for it lapses. The Provider and the licensee carry both unread. A
difference opens a case; so does a device that gives no report, but for an order that ran out.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from towncircle.kernel.cases import add_step, open_case, open_case_of
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Seal, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import CaseId, DeviceId, ExaminationId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.pki.verifying import read_certificate
from towncircle.postal.builds import approved
from towncircle.postal.certificates import certificates_of
from towncircle.postal.findings import Known, compare, unanswered
from towncircle.postal.products import approved_builds, keeps_systems, provider_row
from towncircle.wire.bodies import (
    ExaminationFinding,
    ExaminationOrder,
    ExaminationReport,
    ExaminationRequest,
    ExaminationReturned,
    Ground,
)
from towncircle.wire.message import Envelope, Opened

ORDERED, ANSWERED, LAPSED = "ordered", "answered", "lapsed"
REGULAR, IRREGULAR, UNANSWERED = "regular", "irregular", "unanswered"
_RAN_OUT = "wire.expired"  # what a device says to an order that came too late


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """Hold what examining needs: the examiner's certificate with those above it, and the approved builds."""

    chain: tuple[bytes, ...]
    builds: frozenset[bytes]


@cites("P050-2.6", "P050-3.4", "502.10")
def order(ctx: Context, *, device: DeviceId, examiner: Examiner) -> Steps:
    """Order the examination of a device and send it on its way; give the reference. An open order is given again.

    Raises `Refused`: postal.not-in-register, postal.out-of-service.
    """
    row, held = ctx.tx.get("device", device), open_order(ctx.tx, device)
    if row is None:
        raise Refused("postal.not-in-register", device=device)
    certified = ctx.tx.get("device-certificates", device)
    if row.body["status"] == "withdrawn" and certified is not None and certified.body["revoked_at"]:
        raise Refused("postal.out-of-service", device=device, since=Instant(row.body["since"]))
    if held is not None and ctx.now <= Instant(held.body["expires"]):
        return held.key
    reference = ExaminationId.new(ctx.randomness)
    body = ExaminationOrder(device=device, reference=reference, chain=examiner.chain)
    audience = f"device.{device}"
    raw = yield Seal(audience, body)
    envelope = ctx.unseal(raw, audience, None).envelope
    if held is not None:
        _lapse(ctx, held)
    record = {
        "device": device,
        "state": ORDERED,
        "order": base64.b64encode(raw).decode(),
        "order_id": envelope.id,
        "ordered_at": int(ctx.now),
        "expires": int(envelope.expires),
        "report": "",
        "outcome": "",
        "case": "",
        "number": ctx.tx.next_number("examination"),
        "differences": [],
    }
    ctx.tx.put("examination", reference, record, owner=row.owner, expected=0)
    ctx.note("examination.ordered", reference, clauses=("P050 2.6", "P050 3.4"), device=device, provider=row.owner)
    request = ExaminationRequest(device=device, reference=reference, order=raw)
    ctx.send(row.owner, request, key=f"examination {reference}")
    return reference


def open_order(tx: Transaction, device: str) -> Record | None:
    """Give the examination of a device that waits for its report, or None."""
    rows = [row for row in tx.find("examination") if (row.body["device"], row.body["state"]) == (device, ORDERED)]
    return rows[0] if rows else None


def last_answered(tx: Transaction, device: str) -> Record | None:
    """Give the last examination of a device that found something, regular or not, or None."""
    rows = [row for row in tx.find("examination") if (row.body["device"], row.body["state"]) == (device, ANSWERED)]
    return max(rows, key=lambda row: int(row.body["number"]), default=None)


def lapse_order(ctx: Context, *, device: str) -> None:
    """End the order that waits for a device: it went out of service, and nobody believes its keys any more."""
    held = open_order(ctx.tx, device)
    if held is not None:
        _lapse(ctx, held)


def _lapse(ctx: Context, row: Record) -> Record:
    ctx.note("examination.lapsed", row.key, clauses=("P050 2.6",), device=row.body["device"], provider=row.owner)
    record = {**row.body, "state": LAPSED, "outcome": LAPSED}
    return ctx.tx.put("examination", row.key, record, owner=row.owner, expected=row.version)


@cites("P050-2.6", "502.8", "PRE-07")
def on_returned(ctx: Context, opened: Opened, *, builds: frozenset[bytes]) -> ExaminationFinding:
    """Check what a Provider returned against all that is known, and record the finding.

    Raises `Refused`: postal.no-such-examination, postal.examination-over, postal.not-a-report, postal.report-older.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, ExaminationReturned)
    row = ctx.tx.get("examination", body.reference)
    if row is None or (row.owner, row.body["device"]) != (provider, body.device):
        raise Refused("postal.no-such-examination", reference=body.reference[:32], device=body.device)
    text = base64.b64encode(body.report).decode()
    if row.body["state"] == LAPSED:
        return _finding(row)
    if row.body["state"] != ORDERED:
        if row.body["report"] != text:
            raise Refused("postal.examination-over", reference=row.key, device=body.device)
        return _finding(row)
    if not body.report and body.code == _RAN_OUT:
        return _finding(_lapse(ctx, row))
    if not body.report:
        differences: tuple[Ground, ...] = (unanswered(body.code, body.words),)
        ctx.note("examination.unanswered", row.key, clauses=("P050 2.6",), device=body.device, provider=provider)
        return _finding(_conclude(ctx, row, UNANSWERED, differences, text))
    envelope, report = _report(ctx, row, body, opened.envelope)
    known = frozenset() if keeps_systems(provider_row(ctx, provider)) else builds  # of before approvals were on file
    approved = known | approved_builds(ctx, body.device, provider)
    differences = compare(report, counter=envelope.counter, known=_known(ctx.tx, body.device, approved))
    outcome = IRREGULAR if differences else REGULAR
    ctx.note(
        "examination.found",
        row.key,
        clauses=("P050 2.6",),
        occurred_at=envelope.issued,
        device=body.device,
        provider=provider,
        outcome=outcome,
        ascending=int(report.registers.ascending),
        descending=int(report.registers.descending),
        pieces=report.registers.pieces,
        resets_total=int(report.resets_total),
        withdrawn_total=int(report.withdrawn_total),
        message_counter=envelope.counter,
        differences=[ground.code for ground in differences],
    )
    if outcome == REGULAR:
        _keep(ctx, body.device, envelope, report)
    return _finding(_conclude(ctx, row, outcome, differences, text))


def _keep(ctx: Context, device: str, envelope: Envelope, report: ExaminationReport) -> None:
    """Keep a regular reading in the register of devices: what comes back behind it is irregular from now on."""
    row = ctx.tx.get("device", device)
    assert row is not None
    read = {
        "ascending": int(report.registers.ascending),
        "descending": int(report.registers.descending),
        "pieces": report.registers.pieces,
        "message_counter": envelope.counter,
    }
    ctx.tx.put("device", device, {**row.body, **read}, owner=row.owner, expected=row.version)


def _report(
    ctx: Context, row: Record, body: ExaminationReturned, carrier: Envelope
) -> tuple[Envelope, ExaminationReport]:
    opened = ctx.unseal(body.report, ctx.party, carrier)
    envelope, report = opened.envelope, opened.body
    mine = (envelope.sender, envelope.in_reply_to) == (f"device.{body.device}", row.body["order_id"])
    if not isinstance(report, ExaminationReport) or not mine or report.reference != row.key:
        raise Refused("postal.not-a-report", reference=row.key, sender=envelope.sender)
    device = ctx.tx.get("device", body.device)
    assert device is not None
    audited, counter = device.body["audited_at"], device.body.get("message_counter", 0)
    if row.body["ordered_at"] < audited and envelope.issued <= audited and envelope.counter < counter:
        raise Refused("postal.report-older", reference=row.key, device=body.device, counter=envelope.counter)
    return envelope, report


def _known(tx: Transaction, device: str, builds: frozenset[bytes]) -> Known:
    row = tx.get("device", device)
    assert row is not None
    entries = [entry for entry in tx.entries() if entry["device"] == device and entry["recipe"] == "setting-filed"]
    scanned = tx.find("scanned", owner=device)
    return Known(
        status=row.body["status"],
        ascending=Mills(row.body["ascending"]),
        pieces=row.body["pieces"],
        counter=row.body.get("message_counter", 0),
        filed={entry["reference"]: Mills(entry["lines"][0][2]) for entry in entries},
        scanned_to=max((Mills(scan.body["ascending"]) for scan in scanned), default=Mills(0)),
        scanned_pieces=max((scan.body["pieces"] or 0 for scan in scanned), default=0),
        serials={
            read_certificate(der).serial: str(held.body["revoked_reason"])
            for held, der in certificates_of(tx)
            if held.key == device
        },
        builds=builds | approved(tx),
    )


def _conclude(ctx: Context, row: Record, outcome: str, differences: tuple[Ground, ...], text: str) -> Record:
    device = row.body["device"]
    held = open_case_of(ctx.tx, device)
    case = held.key if held is not None else ""
    if differences and held is None:
        case = CaseId.new(ctx.randomness)
        ground = f"examination {row.key}: {differences[0].sentence}"
        open_case(ctx, case=case, device=device, other=row.owner, ground=ground, clauses=("P050 2.6", "502.20(i)"))
    for said in [ground.sentence for ground in differences] or ["No difference was found."] if case else []:
        add_step(ctx, case, f"Examination {row.key} is {outcome}: {said}", clauses=("P050 2.6",))
    record = {
        **row.body,
        "state": ANSWERED,
        "outcome": outcome,
        "case": case if differences else "",
        "report": text,
        "answered_at": int(ctx.now),
        "differences": [[ground.code, ground.sentence, ground.clause] for ground in differences],
    }
    return ctx.tx.put("examination", row.key, record, owner=row.owner, expected=row.version)


def _finding(row: Record) -> ExaminationFinding:
    body: Mapping[str, Any] = row.body
    return ExaminationFinding(
        device=DeviceId(body["device"]),
        reference=row.key,
        outcome=body["outcome"],
        case=body["case"],
        differences=tuple(
            Ground(code=code, sentence=sentence, clause=clause) for code, sentence, clause in body["differences"]
        ),
    )
