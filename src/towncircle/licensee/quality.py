"""Mailpieces forwarded for quality assurance (P050 2.5(h)), from the licensee's side.

Here: writing a piece down before it leaves, forwarding it, keeping what the Provider found. Not here: the evaluation.
Kept: the same scan sent again gives the first answer; one that was interrupted is forwarded under its own name
until the answer is here, and its scan is kept as long.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId, QualityPieceId
from towncircle.kernel.store import Record
from towncircle.licensee.funds import held_device
from towncircle.wire.bodies import QualityFinding, QualityPiece
from towncircle.wire.bodies.quality import SCAN_BYTES

SENT, ANSWERED, REFUSED = "sent", "answered", "refused"


@cites("P050-2.5h")
def write_down(ctx: Context, *, device: DeviceId, scan: bytes, mark: bytes = b"") -> str:
    """Write a piece down before it leaves and give its name; the same scan has the same name, unless it was refused.

    `mark` is the indicium on it, where the host could read it: the print records name its printer.
    Raises `BadInput` (quality.too-large).
    """
    if len(scan) > SCAN_BYTES:
        raise BadInput("quality.too-large", size=len(scan), limit=SCAN_BYTES)
    held_device(ctx, device)
    digest = hashlib.sha256(scan).hexdigest()
    for row in ctx.tx.find("quality-piece", owner=device):
        if row.body["scan"] == digest and row.body["state"] != REFUSED:
            return row.key
    piece = QualityPieceId.new(ctx.randomness)
    ctx.tx.put("quality-piece", piece, {"scan": digest, "state": SENT, "mark": mark.hex()}, owner=device, expected=0)
    text = base64.b64encode(scan).decode()
    ctx.tx.put("quality-scan", piece, {"scan": text}, owner=device, expected=0)
    return piece


def open_pieces(ctx: Context) -> list[str]:
    """Name the pieces whose answer is not here yet."""
    return [row.key for row in ctx.tx.find("quality-piece") if row.body["state"] == SENT]


@cites("P050-2.5h", "502.26")
def forward(ctx: Context, *, piece: str) -> Steps:
    """Forward a piece that was written down and keep what was found; an answered one gives its answer again."""
    row, scan = ctx.tx.get("quality-piece", piece), ctx.tx.get("quality-scan", piece)
    assert row is not None
    assert scan is not None
    device = DeviceId(row.owner)
    provider = held_device(ctx, device).body["provider"]
    body = QualityPiece(piece=piece, device=device, scan=base64.b64decode(scan.body["scan"]))
    answer = yield Ask(provider, body, f"quality {piece}")
    finding = answer.body
    assert isinstance(finding, QualityFinding)
    row = ctx.tx.get("quality-piece", piece)
    if row is not None and row.body["state"] == SENT:
        measured = [[one.what, one.found, one.grade] for one in finding.measured]
        _close(ctx, row, ANSWERED, grade=finding.grade, measured=measured, at=int(ctx.now))
        ctx.note(
            "quality-piece.forwarded",
            device,
            clauses=("P050 2.5(h)",),
            provider=provider,
            piece=piece,
            grade=finding.grade,
            deficiencies=[one.code for one in finding.deficiencies],
        )
    return finding


def give_up(ctx: Context, *, piece: str) -> None:
    """Close a piece that the Provider has refused: it is not forwarded again."""
    row = ctx.tx.get("quality-piece", piece)
    if row is not None and row.body["state"] == SENT:
        _close(ctx, row, REFUSED)


def _close(ctx: Context, row: Record, state: str, **more: Any) -> None:
    ctx.tx.put("quality-piece", row.key, {**row.body, "state": state, **more}, owner=row.owner, expected=row.version)
    scan = ctx.tx.get("quality-scan", row.key)
    if scan is not None:
        ctx.tx.put("quality-scan", row.key, {"scan": ""}, owner=row.owner, expected=scan.version)
