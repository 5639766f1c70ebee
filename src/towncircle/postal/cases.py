"""Irregularity cases at the Postal Service (502.8, 502.14(b)): what Providers report, and how it ended.

Here: the Postal Service's own record of each case. Not here: what an examination finds (`examining`), the freezing of a
device, which is its Provider's.
Kept: a report is believed only with a message that the device itself signed, and its case is not older than that; a
release rests on the last examination of the device, found regular after the case was opened, whatever the Provider says
of it. A retired device is withdrawn and its certificates are revoked.
"""

from __future__ import annotations

from towncircle.kernel.cases import RELEASED, RETIRED, add_step, close_case, open_case, opened_at
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.postal.certificates import revoke_withdrawn
from towncircle.postal.examining import REGULAR, lapse_order, last_answered
from towncircle.wire.bodies import Acknowledged, CaseClosed, IrregularityReport
from towncircle.wire.message import Opened


@cites("502.14b", "502.8", "PRE-07")
def on_report(ctx: Context, opened: Opened) -> Acknowledged:
    """Open the case that a Provider reports.

    Raises `Refused`: postal.unknown-device, postal.no-evidence, postal.case-taken.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, IrregularityReport)
    row = ctx.tx.get("device", body.device)
    if row is None or row.owner != provider:
        raise Refused("postal.unknown-device", device=body.device, provider=provider)
    evidence = ctx.unseal(body.evidence, provider, opened.envelope)
    if evidence.envelope.sender != f"device.{body.device}":
        raise Refused("postal.no-evidence", case=body.case, device=body.device)
    held = ctx.tx.get("case", body.case)
    if held is not None and held.body["device"] != body.device:
        raise Refused("postal.case-taken", case=body.case)
    open_case(
        ctx,
        case=body.case,
        device=body.device,
        other=provider,
        ground=body.ground,
        clauses=("502.14(b)", "502.20(j)"),
        at=min(max(body.discovered_at, evidence.envelope.issued), ctx.now),
    )
    add_step(ctx, body.case, f"{provider} reported it with a message of the device.", clauses=("502.14(b)",))
    return Acknowledged(note=f"case {body.case} opened")


@cites("P050-2.6", "502.8")
def on_closed(ctx: Context, opened: Opened) -> Acknowledged:
    """Close a case as its Provider has. Raises `Refused` (postal.no-such-case, postal.not-cleared)."""
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, CaseClosed)
    row = ctx.tx.get("case", body.case)
    if row is None or (row.body["device"], row.body["other"]) != (body.device, provider):
        raise Refused("postal.no-such-case", case=body.case)
    if body.outcome == RELEASED and not _cleared(ctx.tx, row, body.examination):
        raise Refused("postal.not-cleared", case=row.key, device=body.device)
    close_case(
        ctx,
        row,
        outcome=body.outcome,
        reason=body.reason,
        approved_by=body.approved_by,
        examination=body.examination,
    )
    if body.outcome == RETIRED:
        _retire(ctx, row, at=opened.envelope.issued)
    return Acknowledged(note=f"case {row.key} {body.outcome}")


def _cleared(tx: Transaction, case: Record, examination: str) -> bool:
    row = last_answered(tx, case.body["device"])
    return (
        row is not None
        and (row.key, row.body["outcome"]) == (examination, REGULAR)
        and row.body["answered_at"] >= opened_at(case)
    )


def _retire(ctx: Context, case: Record, *, at: Instant) -> None:
    """Take the device of a case out of use for everybody: withdrawn in the register, its certificates revoked."""
    row = ctx.tx.get("device", case.body["device"])
    assert row is not None  # a case is opened on a device of the register
    lapse_order(ctx, device=row.key)
    revoke_withdrawn(ctx, device=row.key)
    if row.body["status"] == "withdrawn":
        return
    record = {**row.body, "status": "withdrawn", "since": int(at), "retired": case.key}
    ctx.tx.put("device", row.key, record, owner=row.owner, expected=row.version)
    ctx.note("device.retired", row.key, clauses=("P050 2.6",), occurred_at=at, provider=row.owner, case=case.key)
