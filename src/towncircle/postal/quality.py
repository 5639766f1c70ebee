"""Quality assurance as the Postal Service sees it (502.26, PRE-16): pieces reported, and licensees that forwarded none.

Here: what Providers report of the pieces and of noncomplying licensees. Not here: the evaluation (the Provider's), the
revocation that may follow (P050 2.3(f)).
Kept: a report counts for a device of the register that is this Provider's own.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.postal.population import own_device
from towncircle.wire.bodies import Acknowledged, Notice, QualityReport
from towncircle.wire.message import Opened

_NONE_FORWARDED = "quality-piece"  # the limit of 502.26


@cites("PRE-16/2")
def on_report(ctx: Context, opened: Opened) -> Acknowledged:
    """Record a piece with its deficiencies. Raises `Refused` (postal.unknown-device)."""
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, QualityReport)
    row = own_device(ctx, body.device, provider)
    if ctx.tx.get("quality-piece", body.piece) is None:
        grounds = [[one.code, one.sentence, one.clause] for one in body.deficiencies]
        record = {"device": row.key, "grade": body.grade, "deficiencies": grounds, "at": int(body.received_at)}
        ctx.tx.put("quality-piece", body.piece, record, owner=provider, expected=0)
        ctx.note(
            "quality-piece.reported",
            row.key,
            clauses=("PRE-16",),
            occurred_at=min(body.received_at, ctx.now),
            provider=provider,
            licensee=row.body["licensee"],
            piece=body.piece,
            grade=body.grade,
            deficiencies=[one.code for one in body.deficiencies],
        )
    return Acknowledged(note=f"quality piece {body.piece} recorded")


@cites("502.26/3")
def on_noncompliance(ctx: Context, provider: str, notice: Notice) -> None:
    """Record that a licensee forwarded no piece in time, where a notice says so of a device of the register."""
    if notice.kind != "notice" or notice.limit != _NONE_FORWARDED:
        return
    row = own_device(ctx, notice.about, provider)
    ctx.note(
        "quality.noncompliance-reported",
        row.body["license"],
        clauses=("502.26", "P050 2.3(f)"),
        device=row.key,
        licensee=row.body["licensee"],
        provider=provider,
        notice=notice.reference,
    )
