"""Irregularity cases at the Provider (502.14(b), 502.20(i), (j), P050 2.6): opened by a freeze, ended by two persons.

Here: the case of a frozen device, its report to the Postal Service, and its two ends. Not here: what freezes
(`readings`), what an examination finds (`examinations`).
Kept: a release needs an examination that the Postal Service ordered and found regular after the case was opened, so a
device that stands behind what it has signed is never released; it can only be retired, and then what it last signed
counts. Both ends need two persons. A device gets its use back with the release of its last case, and a retired one
never.
"""

from __future__ import annotations

from towncircle.kernel.cases import RELEASED, add_step, check_closing, close_case, open_case, opened_at
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import CaseId, DeviceId
from towncircle.kernel.store import Record
from towncircle.provider.inventory import change, device_record, held_back, move, suspect
from towncircle.wire.bodies import Acknowledged, CaseClosed, IrregularityReport
from towncircle.wire.message import Opened

_REASON = 400


@cites("502.14b", "502.20j")
def report(ctx: Context, row: Record, *, ground: str, evidence: bytes) -> None:
    """Open a case on a frozen device and report it to the Postal Service with the message that shows it."""
    case = CaseId.new(ctx.randomness)
    open_case(ctx, case=case, device=row.key, other="postal.usps", ground=ground, clauses=("502.14(b)", "502.20(j)"))
    add_step(ctx, case, "The device is frozen: it gets no postage and no renewal.", clauses=("502.20(j)",))
    add_step(ctx, case, "The preliminary report goes to the Postal Service.", clauses=("502.14(b)",))
    body = IrregularityReport(
        case=case, device=DeviceId(row.key), ground=ground, discovered_at=ctx.now, evidence=evidence
    )
    ctx.send("postal.usps", body, key=f"case {case}")


@cites("PRE-11/3")
def on_told(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep the case that the Postal Service opened on a reading: the device is suspect, and gets no postage."""
    body = opened.body
    assert isinstance(body, IrregularityReport)
    row = device_record(ctx, body.device)
    clauses = ("PRE-11", "P050 3.6")
    case = CaseId.parse(body.case)
    open_case(ctx, case=case, device=row.key, other=opened.envelope.sender, ground=body.ground, clauses=clauses)
    suspect(ctx, row)
    return Acknowledged(note=f"case {case} is kept")


@cites("P050-2.6", "502.20i")
def close(ctx: Context, *, case: str, outcome: str, reason: str, approved_by: tuple[str, ...]) -> Record:
    """Release the device of a case, or retire it.

    Raises `Refused` (case.unknown, case.over, case.two-persons, case.not-cleared), `BadInput` (case.reason).
    """
    row = ctx.tx.get("case", case)
    if row is None:
        raise Refused("case.unknown", case=case[:32])
    check_closing(row, approved_by)
    if not reason.strip() or len(reason) > _REASON:
        raise BadInput("case.reason", most=_REASON)
    device = device_record(ctx, row.body["device"])
    examination = _clearing(ctx, row) if outcome == RELEASED else ""
    if outcome == RELEASED and not examination:
        raise Refused("case.not-cleared", case=row.key, device=device.key)
    closed = close_case(ctx, row, outcome=outcome, reason=reason, approved_by=approved_by, examination=examination)
    if outcome == RELEASED:
        _give_back_its_use(ctx, row, device)
    else:
        _take_out_of_use(ctx, row, device)
    body = CaseClosed(
        case=row.key,
        device=DeviceId(device.key),
        outcome="released" if outcome == RELEASED else "retired",
        reason=reason,
        approved_by=approved_by,
        examination=examination,
    )
    ctx.send("postal.usps", body, key=f"case closed {row.key}")
    return closed


def _give_back_its_use(ctx: Context, case: Record, device: Record) -> None:
    """Clear a device, unless another of its cases is open or has retired it."""
    if any(row.body["state"] != RELEASED for row in ctx.tx.find("case", owner=device.key)):
        return
    if device.body["custody"] == "suspect" and not held_back(ctx, device):
        device = move(ctx, device, "clear", case=case.key)
    change(ctx, device, frozen="", frozen_at=0)


def _take_out_of_use(ctx: Context, case: Record, device: Record) -> None:
    if device.body["custody"] == "suspect":
        device = move(ctx, device, "return", case=case.key)
    if not device.body["frozen"]:
        device = change(ctx, device, frozen=f"it was retired in case {case.key}", frozen_at=int(ctx.now))
    change(ctx, device, retired=device.body.get("retired") or case.key)


def _clearing(ctx: Context, case: Record) -> str:
    """Name the last examination of the case's device, where it was found regular after the case was opened."""
    rows = [
        row
        for row in ctx.tx.find("examination")
        if row.body["device"] == case.body["device"] and row.body["outcome"] not in ("", "lapsed")
    ]
    last = max(rows, key=lambda row: row.body["number"], default=None)
    good = last is not None and last.body["outcome"] == "regular" and last.body["found_at"] >= opened_at(case)
    return last.key if last is not None and good else ""
