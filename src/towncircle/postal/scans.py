"""Scans at a facility, recorded (502.8: verification).

Here: what is kept of a scanned mark, of all marks of a piece, and the facts a verifier gets from it. Not here: the
decision (`verification`).
Kept: judging and recording are one transaction, so that of a hundred copies exactly one is accepted; scans are kept by
signed content. A mark is used when its piece is accepted. A piece that is held or rejected uses none: its valid marks
are kept as held, their registers count for other marks, and the first scan that accepts such a mark uses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from towncircle.indicium import decode
from towncircle.kernel.context import Context
from towncircle.kernel.ids import DeviceId, ScanId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import MarkKind, Register, Transaction
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

MOST_KEPT = 4_096  # house: bytes of a mark that are kept; the largest symbol holds 1,556
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
    return StatusFacts(
        scans=scans,
        refunds=refunds,
        readings={DeviceId(device): _readings(tx, payload, device, key)},
        branches=approved_for(tx, device),
        delays=delays_of(tx, device),
        combined_until=combined_until(tx, device),
    )


def _readings(tx: Transaction, payload: bytes, device: str, key: str) -> tuple[Reading, ...]:
    """Give the marks of a device that are worth comparing with one: of one count or register, and the nearest ones."""
    fields, found = decode(payload).fields, {}
    kinds: tuple[MarkKind, ...] = ("scanned", "repaid")
    registers: tuple[tuple[Register, str], ...] = (("pieces", "piece_count"), ("ascending", "ascending_mills"))
    for register, name in registers:
        value = fields.get(name)
        if not isinstance(value, int):
            continue
        for kind in kinds:
            for row in tx.near(kind, owner=device, register=register, value=value):
                found[row.key] = Reading(
                    content_key=row.key,
                    ascending=Mills(row.body["ascending"]),
                    postage=Mills(row.body["postage"]),
                    pieces=row.body["pieces"],
                )
    return tuple(one for other, one in found.items() if other != key)


def once(ctx: Context, *, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do a piece of recording under a name, and give what it told; the same name again gives the first answer."""
    kept = ctx.tx.get("scan-answer", name)
    if kept is None:
        kept = ctx.tx.put("scan-answer", name, {"told": work()}, owner="bulk", expected=0)
    told: dict[str, Any] = kept.body["told"]
    return told


def record_piece(
    ctx: Context,
    *,
    marks: Sequence[tuple[bytes, str]],
    pack: Pack,
    observed: Observed,
    site: str,
    scanned_at: Instant,
    files: Sequence[str] = (),
) -> PieceVerdict:
    """Judge the marks (payload and device) of one piece together and record each; gives the verdict of the piece.

    `files` are the SHA-256 of the files that they were read from, one for each mark, where there are any.
    """
    known = [(payload, facts_about(ctx.tx, payload, device) if device else StatusFacts()) for payload, device in marks]
    judged = judge_piece(known, pack, scanned_at, observed)
    piece = ScanId.new(ctx.randomness)
    digests = files or ("",) * len(marks)
    for (payload, device), file, verdict in zip(marks, digests, judged.marks, strict=True):
        about = _About(observed=observed, site=site, scanned_at=scanned_at, piece=piece, file=file)
        _keep(ctx, verdict, payload, device, about, governed_by(ctx, pack, verdict.fields))
    return judged


def record(
    ctx: Context,
    *,
    payload: bytes,
    device: str,
    pack: Pack,
    observed: Observed,
    site: str,
    scanned_at: Instant,
    file: str = "",
) -> Verdict:
    """Judge a scanned mark and record the scan; the scan that accepts a content makes every later one a duplicate.

    `file` is the SHA-256 of the file that it was read from, where there is one.
    """
    facts = facts_about(ctx.tx, payload, device) if device else StatusFacts()  # no device: nothing to look up
    verdict = judge(payload, pack, facts, scanned_at, observed)
    about = _About(observed=observed, site=site, scanned_at=scanned_at, piece="", file=file)
    _keep(ctx, verdict, payload, device, about, governed_by(ctx, pack, verdict.fields))
    return verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """Hold what is kept of a scan beside its mark; `piece` is common to the marks of one piece."""

    observed: Observed
    site: str
    scanned_at: Instant
    piece: str
    file: str


def governed_by(ctx: Context, pack: Pack, fields: Mapping[str, object]) -> dict[str, Any]:
    """Name the rule set that judges a mark of a device of an earlier regime; the installation's is not named."""
    serial = fields.get("certificate_serial")
    row = pack.certificates.get(serial) if isinstance(serial, int) else None
    terms = pack.terms.get(row.regime) if row is not None else None
    return {"rules": terms.rule_digest} if terms is not None and terms.rule_digest != ctx.rule_digest else {}


def _keep(
    ctx: Context, verdict: Verdict, payload: bytes, device: str, about: _About, governed: Mapping[str, Any]
) -> None:
    """Keep a scan and its fact, and what later ones are compared with.

    Of the file only its digest is kept, and of a mark that is longer than any symbol the first bytes and its digest.
    """
    observed, scanned_at = about.observed, about.scanned_at
    fields, scan = verdict.fields, ScanId.new(ctx.randomness)
    body: dict[str, Any] = {
        "device": device,
        "certificate_serial": fields.get("certificate_serial", 0),
        "ascending": fields.get("ascending_mills", 0),
        "postage": fields.get("postage_mills", 0),
        "date": fields.get("date", ""),
        "verdict": verdict.verdict,
        "disposition": verdict.disposition,
        "site": about.site,
        "redate": observed.redate.isoformat() if observed.redate else "",
        "piece": about.piece,
        "scanned_at": int(scanned_at),
        "received_at": int(ctx.now),
        "payload": payload[:MOST_KEPT].hex(),
        **({"file": about.file} if about.file else {}),
    }
    if told := observed.told():
        body["observed"] = told
    if len(payload) > MOST_KEPT:
        body |= {"payload_bytes": len(payload), "payload_sha256": hashlib.sha256(payload).hexdigest()}
    ctx.tx.put("scan", scan, body, owner=device or "unreadable", expected=0)
    if verdict.verdict == VALID:
        _compare_later(ctx, scan, body, verdict)
    ctx.note(
        "scan.recorded",
        scan,
        occurred_at=scanned_at,
        **{name: value for name, value in body.items() if name in _TOLD},
        **governed,
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
