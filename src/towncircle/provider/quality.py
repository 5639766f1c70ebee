"""Quality assurance of mailpieces (502.26, PRE-16): each piece that a licensee forwards is read, judged and graded.

Here: taking a piece, its deficiencies with guidance, the finding for the licensee and the report for the Postal
Service. Not here: opening files and looking at them (the port `Desk.look`), grades (`symbol.grading`), the denial where
no piece came (`denials`), which falls with the fact that is noted here.
Kept: the file is opened before the transaction that records what was seen, by a process with limits: one that was made
to take time takes none of the Provider's store. A piece of poor quality is a piece: it brings notice and guidance,
never a denial. One on which nothing can be read counts as the sender's. A piece of another device, one that the device
never signed, and one that was forwarded before, are none (ADR 27).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from towncircle.indicium import decode
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Outside, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.provider.guidance import GUIDANCE
from towncircle.provider.inventory import device_record
from towncircle.rules import RuleSet
from towncircle.symbol.grading import WORST, Measure, Place, overall
from towncircle.symbol.sighting import Sighting
from towncircle.verification import Pack, Verdict, judge
from towncircle.wire.bodies import MeasureRow, QualityFinding, QualityPiece, QualityReport
from towncircle.wire.bodies.common import Ground
from towncircle.wire.message import Opened

_POOR = "DF"  # house: grades that are a deficiency
_HELD = ("leased", "suspect")
# what stands against a mark that says when it was mailed, not how it is printed
_NOT_PRINT = ("date.", "used.", "value.", "pack.", "regime.", "refund.")
_UNMEASURED = (
    "Reflectance in red and green light: a scan is not calibrated, so every figure of print quality is an estimate.",
    "The facing identification mark, the address and its barcode, the words of the indicium.",
)
_NO_QUIET_ZONE = "The quiet zone: the symbol touches the edge of the scan, so that what stands beside it is not seen."
_NO_DISTANCES = "The distances to the edges: the scan does not say its resolution."


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Hold what the evaluation of a piece needs from outside: what a file shows, and the pack."""

    look: Callable[[bytes], Sighting]
    pack: Callable[[Instant], Pack]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Hold what a scan shows: the mark and its verdict (None: unreadable), what was measured, and where it stands."""

    payload: bytes
    verdict: Verdict | None
    measures: tuple[Measure, ...]
    place: Place | None


@cites("502.26", "PRE-16", "PRE-16/1", "P050-2.5h")
def on_piece(ctx: Context, opened: Opened, *, desk: Desk, rules: RuleSet) -> Steps:
    """Evaluate a piece that a licensee forwards and tell what was found.

    Raises `Refused`: provider.unknown-device, quality.not-leased, quality.taken, quality.other-device,
    quality.not-genuine, quality.seen-before; `BadInput`: quality.blank, and what a file that is no scan raises.
    """
    body = opened.body
    assert isinstance(body, QualityPiece)
    held = _held(ctx, _own(ctx, opened, body), body)
    if held is not None:
        return _finding(held)
    seen = yield Outside(partial(desk.look, body.scan))
    assert isinstance(seen, Sighting)
    row = _own(ctx, opened, body)
    held = _held(ctx, row, body)  # a twin of the message may have come meanwhile
    if held is not None:
        return _finding(held)
    found, digest = evaluate(seen, desk, ctx.now), _digest(body)
    content = _content(ctx, row, found, digest)
    return _finding(_keep(ctx, row, body, found, content, digest, rules))


def _digest(body: QualityPiece) -> str:
    return hashlib.sha256(body.scan).hexdigest()


def _own(ctx: Context, opened: Opened, body: QualityPiece) -> Record:
    row = device_record(ctx, body.device)
    if row.owner != opened.envelope.sender:
        raise Refused("provider.unknown-device", device=body.device, provider=ctx.party)
    return row


def _held(ctx: Context, row: Record, body: QualityPiece) -> Record | None:
    """Give a piece that is here already. Raises `Refused` (quality.taken, quality.not-leased)."""
    held = ctx.tx.get("quality-piece", body.piece)
    if held is not None and (held.body["device"], held.body["scan"]) != (row.key, _digest(body)):
        raise Refused("quality.taken", piece=body.piece)
    if held is None and row.body["custody"] not in _HELD:
        raise Refused("quality.not-leased", device=row.key, custody=row.body["custody"])
    return held


def evaluate(seen: Sighting, desk: Desk, now: Instant) -> Evaluation:
    """Judge what a scan shows. Raises `BadInput` (quality.blank)."""
    if seen.blank:
        raise BadInput("quality.blank")
    verdict = judge(seen.payload, desk.pack(now), None, now) if seen.payload else None
    return Evaluation(payload=seen.payload, verdict=verdict, measures=seen.measures, place=seen.place)


def _content(ctx: Context, row: Record, found: Evaluation, digest: str) -> str:
    """Name what the piece is known by, and refuse what is no piece of this device or was forwarded before."""
    content = f"scan {digest}"
    if found.verdict is not None:
        told = decode(found.payload).device
        if told != row.key:
            raise Refused("quality.other-device", device=row.key, told=told)
        signature = found.verdict.finding("signature.match")
        if signature is not None and signature.ok is False:
            raise Refused("quality.not-genuine", device=row.key)
        content = found.verdict.content_key
    earlier = ctx.tx.get("quality-content", content)
    if earlier is not None:
        raise Refused("quality.seen-before", piece=earlier.body["piece"])
    return content


def _keep(
    ctx: Context, row: Record, body: QualityPiece, found: Evaluation, content: str, digest: str, rules: RuleSet
) -> Record:
    deficiencies = list(_deficiencies(ctx, row, found, rules))
    grade = overall(found.measures) if found.verdict is not None else WORST
    where = found.place
    unmeasured = [*_UNMEASURED, *([] if where is None or where.from_top is not None else [_NO_DISTANCES])]
    unmeasured += [_NO_QUIET_ZONE] if where is not None and where.at_edge else []
    record: dict[str, Any] = {
        "device": row.key,
        "scan": digest,
        "grade": grade,
        "verdict": found.verdict.verdict if found.verdict is not None else "UNREADABLE",
        "deficiencies": [[ground.code, ground.sentence, ground.clause] for ground, _ in deficiencies],
        "guidance": [guidance for _, guidance in deficiencies],
        "measured": [[one.name, f"{one.found} {one.unit}", one.grade] for one in found.measures],
        "unmeasured": unmeasured,
        "received_at": int(ctx.now),
    }
    kept = ctx.tx.put("quality-piece", body.piece, record, owner=row.owner, expected=0)
    ctx.tx.put("quality-content", content, {"piece": body.piece}, owner=row.key, expected=0)
    ctx.note(
        "quality-piece.received",
        row.key,
        clauses=("502.26",),
        licensee=row.owner,
        piece=body.piece,
        grade=grade,
        deficiencies=[ground.code for ground, _ in deficiencies],
    )
    _report(ctx, row, body, kept)
    return kept


@cites("PRE-16/2")
def _report(ctx: Context, row: Record, body: QualityPiece, kept: Record) -> None:
    """Tell the Postal Service of the piece and of each deficiency."""
    report = QualityReport(
        piece=body.piece,
        device=DeviceId(row.key),
        grade=kept.body["grade"],
        deficiencies=_grounds(kept),
        received_at=ctx.now,
    )
    ctx.send("postal.usps", report, key=f"quality {body.piece}")


@cites("502.26/4")
def _deficiencies(ctx: Context, row: Record, found: Evaluation, rules: RuleSet) -> Iterator[tuple[Ground, str]]:
    """Give each deficiency with the guidance that mends it."""
    if found.verdict is None or found.place is None:
        yield _deficiency("unreadable", "")
        return
    for one in found.measures:
        if one.grade in _POOR:
            yield _deficiency(one.name, f" ({one.found} {one.unit}, grade {one.grade}).")
    if found.place.across < 500 or found.place.up < 500:
        yield _deficiency("upper-right", ".")
    today = ctx.now.date_in(str(row.body["zone"]))
    for edge, parameter, distance in (
        ("right", "indicium_margin_right", found.place.from_right),
        ("top", "indicium_margin_top", found.place.from_top),
    ):
        least = int(rules.length(parameter, today).points * 1000) // 72
        if distance is not None and distance < least:
            yield _deficiency("margin", f": {distance} thousandths of an inch from the {edge} edge, at least {least}.")
    for fault in found.verdict.faults():
        if not fault.code.startswith(_NOT_PRINT):
            _, _, guidance = GUIDANCE["mark"]
            yield Ground(code=f"quality.{fault.code}", sentence=fault.text, clause=fault.clause), guidance


def _deficiency(name: str, more: str) -> tuple[Ground, str]:
    sentence, clause, guidance = GUIDANCE[name]
    return Ground(code=f"quality.{name}", sentence=f"{sentence}{more}", clause=clause), guidance


def _grounds(row: Record) -> tuple[Ground, ...]:
    return tuple(Ground(code=code, sentence=text, clause=clause) for code, text, clause in row.body["deficiencies"])


def _finding(row: Record) -> QualityFinding:
    body = row.body
    return QualityFinding(
        piece=row.key,
        device=DeviceId(body["device"]),
        grade=body["grade"],
        verdict=body["verdict"],
        deficiencies=_grounds(row),
        guidance=tuple(body["guidance"]),
        measured=tuple(MeasureRow(what=what, found=found, grade=grade) for what, found, grade in body["measured"]),
        unmeasured=tuple(body["unmeasured"]),
    )
