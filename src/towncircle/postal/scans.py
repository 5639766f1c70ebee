"""Scans at a facility, recorded (502.8: verification).

Here: what is kept of a scanned mark, of all marks of a piece, and the facts a verifier gets from it. Not here: the
decision (`verification`).
Kept: judging and recording are one transaction, so that of a hundred copies exactly one is accepted; scans are kept by
signed content. A mark is used when its piece is accepted. A piece that is held or rejected uses none: its valid marks
are kept as held, their registers count for other marks, and the first scan that accepts such a mark uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.ids import DeviceId, ScanId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Transaction
from towncircle.postal.branches import approved_for
from towncircle.postal.delays import delays_of
from towncircle.postal.permits import combined_until
from towncircle.verification import (
    ACCEPTED,
    VALID,
    Observed,
    Pack,
    PieceVerdict,
    PriorScan,
    Reading,
    Refunded,
    StatusFacts,
    Verdict,
    content_key,
    judge,
    judge_piece,
)

_TOLD = frozenset(
    {"device", "certificate_serial", "ascending", "postage", "verdict", "disposition", "site", "redate", "piece"}
)


def facts_about(tx: Transaction, payload: bytes, device: str) -> StatusFacts:
    """Gather what was seen before of a mark's content and of its device."""
    key = content_key(payload)
    first = tx.get("scanned", key)
    scans = {}
    if first is not None:
        scans[key] = PriorScan(
            scan_id=first.body["scan"],
            site=first.body["site"],
            at=Instant(first.body["at"]),
            held=first.body.get("held", False),  # before pieces could be held, every scan that was kept was a use
        )
    repaid = tx.get("repaid", key)
    refunds = {key: Refunded(case=repaid.body["refund"], at=Instant(repaid.body["at"]))} if repaid is not None else {}
    readings = {
        row.key: Reading(
            content_key=row.key,
            ascending=Mills(row.body["ascending"]),
            postage=Mills(row.body["postage"]),
            pieces=row.body["pieces"],
        )
        for kind in ("scanned", "repaid")
        for row in tx.find(kind, owner=device)
        if row.key != key
    }
    return StatusFacts(
        scans=scans,
        refunds=refunds,
        readings={DeviceId(device): tuple(readings.values())},
        branches=approved_for(tx, device),
        delays=delays_of(tx, device),
        combined_until=combined_until(tx, device),
    )


def once(ctx: Context, *, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do a piece of recording under a name, and give what it told; the same name again gives the first answer."""
    kept = ctx.tx.get("scan-answer", name)
    if kept is None:
        kept = ctx.tx.put("scan-answer", name, {"told": work()}, owner="bulk", expected=0)
    told: dict[str, Any] = kept.body["told"]
    return told


def record_piece(
    ctx: Context, *, marks: Sequence[tuple[bytes, str]], pack: Pack, observed: Observed, site: str, scanned_at: Instant
) -> PieceVerdict:
    """Judge the marks (payload and device) of one piece together and record each; gives the verdict of the piece."""
    known = [(payload, facts_about(ctx.tx, payload, device) if device else StatusFacts()) for payload, device in marks]
    judged = judge_piece(known, pack, scanned_at, observed)
    piece = ScanId.new(ctx.randomness)
    for (payload, device), verdict in zip(marks, judged.marks, strict=True):
        _keep(ctx, verdict, payload, device, observed=observed, site=site, scanned_at=scanned_at, piece=piece)
    return judged


def record(
    ctx: Context, *, payload: bytes, device: str, pack: Pack, observed: Observed, site: str, scanned_at: Instant
) -> Verdict:
    """Judge a scanned mark and record the scan; the scan that accepts a content makes every later one a duplicate."""
    facts = facts_about(ctx.tx, payload, device) if device else StatusFacts()  # no device: nothing to look up
    verdict = judge(payload, pack, facts, scanned_at, observed)
    _keep(ctx, verdict, payload, device, observed=observed, site=site, scanned_at=scanned_at, piece="")
    return verdict


def _keep(
    ctx: Context,
    verdict: Verdict,
    payload: bytes,
    device: str,
    *,
    observed: Observed,
    site: str,
    scanned_at: Instant,
    piece: str,
) -> None:
    """Keep a scan and its fact, and what later ones are compared with; `piece` is common to the marks of one piece."""
    fields, scan = verdict.fields, ScanId.new(ctx.randomness)
    body: dict[str, Any] = {
        "device": device,
        "certificate_serial": fields.get("certificate_serial", 0),
        "ascending": fields.get("ascending_mills", 0),
        "postage": fields.get("postage_mills", 0),
        "date": fields.get("date", ""),
        "verdict": verdict.verdict,
        "disposition": verdict.disposition,
        "site": site,
        "redate": observed.redate.isoformat() if observed.redate else "",
        "piece": piece,
        "scanned_at": int(scanned_at),
        "received_at": int(ctx.now),
        "payload": payload.hex(),
    }
    if told := observed.told():
        body["observed"] = told
    ctx.tx.put("scan", scan, body, owner=device or "unreadable", expected=0)
    if verdict.verdict == VALID:
        _compare_later(ctx, scan, body, verdict)
    ctx.note(
        "scan.recorded",
        scan,
        occurred_at=scanned_at,
        **{name: value for name, value in body.items() if name in _TOLD},
    )


def _compare_later(ctx: Context, scan: ScanId, body: Mapping[str, Any], verdict: Verdict) -> None:
    """Keep a valid content: as held by the first scan that held it, then as used by the one that accepted it."""
    held = verdict.disposition not in ACCEPTED
    row = ctx.tx.get("scanned", verdict.content_key)
    if row is not None and held:
        return
    kept = {
        "scan": scan,
        "site": body["site"],
        "at": body["scanned_at"],
        "ascending": body["ascending"],
        "postage": body["postage"],
        "pieces": verdict.fields.get("piece_count"),
        "held": held,
    }
    expected = row.version if row is not None else 0
    ctx.tx.put("scanned", verdict.content_key, kept, owner=body["device"], expected=expected)
