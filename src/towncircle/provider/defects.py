"""Defective devices (502.20(f), (j), 502.22(a), P050 2.7): the report, the retrieval, the examination, the remedy.

Here: the Provider's half, and what it tells the Manager, MTM. Not here: the balance of a device that leaves
(`checkouts`), irregularity cases (`cases`).
Kept: from the report on the device is suspect, so its resets are denied; the Postal Service is told in the same
transaction. A defect is over when the device was examined, the fault reported, and the device corrected where it
stands, or retrieved and replaced. What it last signed counts.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DefectId, DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.provider.checkouts import DONE, write_off
from towncircle.provider.handovers import OUT, check_dated, last_shipment
from towncircle.provider.inventory import check_usable, device_record, move, suspect
from towncircle.provider.missing import registers_of
from towncircle.provider.readings import frozen_refusal
from towncircle.rules import RuleSet
from towncircle.wire.bodies import DefectNoted, DefectReport, MalfunctionReport
from towncircle.wire.bodies.checkout import EXAMINATION
from towncircle.wire.message import Opened

OPEN, OVER = "open", "over"
CORRECTED, REPLACED, WITHDRAWN = "corrected", "replaced", "withdrawn"
REMEDIES = (CORRECTED, REPLACED, WITHDRAWN)
LIMIT = "defective-device"
_OUT = ("returned", "checked out")
_WORDS, _REFERENCE = 400, 80


@cites("P050-2.7", "P050-2.7/3", "502.20f/2", "P050-2.5f/1")
def on_report(ctx: Context, opened: Opened, *, rules: RuleSet) -> DefectNoted:
    """Take a licensee's report of a defect: resets are denied, the Postal Service is told, the retrieval is due.

    The same told again says how it stands. Raises `Refused` (custody.not-in-use, custody.in-the-future).
    """
    body = opened.body
    assert isinstance(body, DefectReport)
    check_dated(opened, body.found_at, device=body.device, what="A defect", clause="P050 2.7")
    row = device_record(ctx, body.device)
    if row.owner != opened.envelope.sender:
        raise Refused("provider.unknown-device", device=body.device, provider=ctx.party)
    held = _told_before(ctx.tx, body) or open_defect(ctx.tx, row.key)
    if held is None:
        if row.body["custody"] not in ("leased", "suspect"):
            raise Refused("custody.not-in-use", device=row.key, custody=row.body["custody"])
        held = _open(ctx, row, body, retrieve_by=_retrieve_by(rules, ctx.now, str(row.body["zone"])))
    return DefectNoted(
        device=body.device,
        defect=held.key,
        retrieve_by=held.body["retrieve_by"],
        remedy=held.body["remedy"],
        at=Instant(held.body["notified_at"]),
    )


def _told_before(tx: Transaction, body: DefectReport) -> Record | None:
    rows = tx.find("defect", owner=body.device)
    return next((row for row in rows if row.body["found_at"] == int(body.found_at)), None)


@cites("502.20f/1", "P050-2.7/2")
def _retrieve_by(rules: RuleSet, now: Instant, zone: str) -> str:
    today = now.date_in(zone)
    return rules.length_of(LIMIT, today).last_day(today).isoformat()


def _open(ctx: Context, row: Record, body: DefectReport, *, retrieve_by: str) -> Record:
    defect = DefectId.new(ctx.randomness)
    record = {
        "device": row.key,
        "licensee": row.owner,
        "state": OPEN,
        "kind": body.kind,
        "details": body.details,
        "found_at": int(body.found_at),
        "notified_at": int(ctx.now),
        "retrieve_by": retrieve_by,
        "retrieved": "",
        "remedy": "",
    }
    kept = ctx.tx.put("defect", defect, record, owner=row.key, expected=0)
    named: dict[str, Any] = {"licensee": row.owner, "defect": defect, "nature": body.kind}
    ctx.note("defect.notified", row.key, clauses=("502.20(f)", "P050 2.7"), zone=row.body["zone"], **named)
    suspect(ctx, row)
    _tell(ctx, row, kept, stage="notice", fault=body.details, remedy="", reference="")
    return kept


@cites("502.20f/1", "P050-2.7/2", "502.20f")
def retrieve(ctx: Context, *, device: str, reference: str) -> Record:
    """Record that a defective device was retrieved from its licensee; one that it gave back itself needs no more.

    Raises `Refused` (custody.no-defect, provider.reset-open), `BadInput` (custody.reference).
    """
    row, held = device_record(ctx, device), _defect(ctx, device)
    _check(reference)
    if held.body["retrieved"]:
        return held
    if row.body["custody"] not in _OUT:
        row = move(ctx, row, "return", defect=held.key, reference=reference)
    ctx.note("defect.retrieved", row.key, clauses=("502.20(f)",), defect=held.key, reference=reference)
    return _write(ctx, held, retrieved=reference, retrieved_at=int(ctx.now))


@cites("502.20j/2", "502.20f/2", "P050-2.7/5", "502.20j", "502.22a", "P050-1.2/2")
def examine(ctx: Context, *, device: str, fault: str, remedy: str, reference: str) -> Record:
    """Record the examination of a defective device, report the fault, and say by which remedy the defect is over.

    Raises `Refused`: custody.no-defect, custody.not-retrieved, custody.no-replacement; provider.frozen and
    provider.case-open for a device that a case holds; `BadInput` (custody.fault, custody.reference).
    """
    row, held = device_record(ctx, device), _defect(ctx, device)
    _check(reference)
    if not fault.strip() or len(fault) > _WORDS:
        raise BadInput("custody.fault", most=_WORDS)
    if remedy == CORRECTED:
        if row.body["frozen"]:
            raise frozen_refusal(row)
        if row.body["custody"] != "suspect":
            raise Refused("custody.not-in-use", device=row.key, custody=row.body["custody"])
        check_usable(ctx, row)
        row = move(ctx, row, "clear", zone=row.body["zone"], defect=held.key)
        other = None
    else:
        other = _check_out_of_use(ctx, row, held, remedy)
    named: dict[str, Any] = {"defect": held.key, "remedy": remedy, "reference": reference}
    ctx.note("defect.examined", row.key, clauses=("502.20(f)", "502.20(j)"), licensee=row.owner, **named)
    _tell(ctx, row, held, stage="report", fault=fault, remedy=remedy, reference=reference)
    replacement = other.key if other is not None else ""
    return _write(ctx, held, state=OVER, remedy=remedy, replacement=replacement, examined_at=int(ctx.now))


def _check_out_of_use(ctx: Context, row: Record, held: Record, remedy: str) -> Record | None:
    """Check that a device was retrieved, and replaced where that is said; give what replaces it.

    One that can sign nothing is checked out.
    """
    if not held.body["retrieved"]:
        raise Refused("custody.not-retrieved", device=row.key, defect=held.key)
    other = replacement_of(ctx.tx, row, since=Instant(held.body["found_at"])) if remedy == REPLACED else None
    if remedy == REPLACED and other is None:
        raise Refused("custody.no-replacement", device=row.key)
    out = ctx.tx.get("check-out", row.key)
    if out is not None and (out.body["state"], out.body.get("outcome")) == (DONE, EXAMINATION):
        write_off(ctx, device=row.key, reference=held.body["retrieved"])
    return other


@cites("P050-2.7/5", "502.22a")
def replacement_of(tx: Transaction, row: Record, *, since: Instant) -> Record | None:
    """Give another device that went to the same licensee under the same license since an instant, or None.

    One that it had before the defect replaces nothing (house: a replacement is supplied for the defect, P050 2.7).
    """
    rows = [
        other
        for other in tx.find("device", owner=row.owner)
        if other.key != row.key
        and other.body["license"] == row.body["license"]
        and other.body["custody"] in ("shipped", "leased")
    ]
    sent = {other.key: last_shipment(tx, other.key, OUT) for other in rows}
    after = [other for other in rows if (held := sent[other.key]) is not None and held.body["at"] >= int(since)]
    return after[-1] if after else None


def _tell(ctx: Context, row: Record, held: Record, *, stage: Any, fault: str, remedy: Any, reference: str) -> None:
    body = MalfunctionReport(
        defect=held.key,
        device=DeviceId(row.key),
        stage=stage,
        kind=held.body["kind"],
        fault=fault,
        remedy=remedy,
        reference=reference,
        registers=registers_of(ctx, row),
        notified_at=Instant(held.body["notified_at"]),
        at=ctx.now,
    )
    ctx.send("postal.usps", body, key=f"malfunction {held.key} {stage}")
    ctx.note("malfunction.reported", row.key, clauses=("502.20(f)",), defect=held.key, stage=stage, remedy=remedy)


def open_defect(tx: Transaction, device: str) -> Record | None:
    """Give the defect of a device that is not over, or None."""
    rows = [row for row in tx.find("defect", owner=device) if row.body["state"] == OPEN]
    return rows[0] if rows else None


def _defect(ctx: Context, device: str) -> Record:
    held = open_defect(ctx.tx, device)
    if held is None:
        raise Refused("custody.no-defect", device=device)
    return held


def _check(reference: str) -> None:
    if not reference.strip() or len(reference) > _REFERENCE:
        raise BadInput("custody.reference", most=_REFERENCE)


def _write(ctx: Context, held: Record, **values: Any) -> Record:
    return ctx.tx.put("defect", held.key, {**held.body, **values}, owner=held.owner, expected=held.version)
