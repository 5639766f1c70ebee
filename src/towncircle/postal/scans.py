"""Scans at a facility, recorded (502.8: verification).

Here: what is kept of a scanned piece, and the facts a verifier gets from it. Not here: the decision (`verification`).
Kept: judging and recording are one transaction, so that of a hundred copies exactly one is the first; scans are kept by
signed content.
"""

from __future__ import annotations

from towncircle.kernel.context import Context
from towncircle.kernel.ids import DeviceId, ScanId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Transaction
from towncircle.verification import Observed, Pack, PriorScan, Reading, StatusFacts, Verdict, content_key, judge


def facts_about(tx: Transaction, payload: bytes, device: str) -> StatusFacts:
    """Gather what was seen before of a mark's content and of its device."""
    key = content_key(payload)
    first = tx.get("scanned", key)
    scans = {}
    if first is not None:
        scans[key] = PriorScan(scan_id=first.body["scan"], site=first.body["site"], at=Instant(first.body["at"]))
    readings = tuple(
        Reading(
            content_key=row.key,
            ascending=Mills(row.body["ascending"]),
            postage=Mills(row.body["postage"]),
            pieces=row.body["pieces"],
        )
        for row in tx.find("scanned", owner=device)
        if row.key != key
    )
    return StatusFacts(scans=scans, readings={DeviceId(device): readings})


def record(
    ctx: Context, *, payload: bytes, device: str, pack: Pack, observed: Observed, site: str, scanned_at: Instant
) -> Verdict:
    """Judge a scanned mark and record the scan; the first valid scan of a content makes every later one a duplicate."""
    facts = facts_about(ctx.tx, payload, device) if device else StatusFacts()  # no device: nothing to look up
    verdict = judge(payload, pack, facts, scanned_at, observed)
    scan = ScanId.new(ctx.randomness)
    fields = verdict.fields
    record_body = {
        "device": device,
        "certificate_serial": fields.get("certificate_serial", 0),
        "ascending": fields.get("ascending_mills", 0),
        "postage": fields.get("postage_mills", 0),
        "date": fields.get("date", ""),
        "verdict": verdict.verdict,
        "disposition": verdict.disposition,
        "site": site,
        "scanned_at": int(scanned_at),
        "received_at": int(ctx.now),
        "payload": payload.hex(),
    }
    ctx.tx.put("scan", scan, record_body, owner=device or "unreadable", expected=0)
    if verdict.verdict == "VALID" and verdict.content_key:
        first = {
            "scan": scan,
            "site": site,
            "at": int(scanned_at),
            "ascending": record_body["ascending"],
            "postage": record_body["postage"],
            "pieces": fields.get("piece_count"),
        }
        ctx.tx.put("scanned", verdict.content_key, first, owner=device, expected=0)
    ctx.note(
        "scan.recorded",
        scan,
        occurred_at=scanned_at,
        device=device,
        certificate_serial=record_body["certificate_serial"],
        ascending=record_body["ascending"],
        postage=record_body["postage"],
        verdict=verdict.verdict,
        disposition=verdict.disposition,
        site=site,
    )
    return verdict
