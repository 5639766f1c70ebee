"""Quality assurance of mailpieces (502.26, PRE-16): each piece that a licensee forwards is read, judged and graded.

Here: taking a piece, its deficiencies with guidance, the finding for the licensee and the report for the Postal
Service. Not here: opening files (the port `Desk.pages`), grades (`symbol.grading`), the denial where no piece came
(`denials`), which falls with the fact that is noted here.
Kept: a piece of poor quality is a piece: it brings notice and guidance, never a denial. One on which nothing can be
read counts as the sender's. A piece of another device, one that the device never signed, and one that was forwarded
before, are none (ADR 27).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from towncircle.indicium import decode
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.provider.guidance import GUIDANCE
from towncircle.provider.inventory import device_record
from towncircle.rules import RuleSet
from towncircle.symbol import read
from towncircle.symbol.grading import WORST, Measure, Place, blank, measure, overall, place
from towncircle.symbol.reading import Found
from towncircle.verification import Pack, Verdict, judge
from towncircle.wire.bodies import MeasureRow, QualityFinding, QualityPiece, QualityReport
from towncircle.wire.bodies.common import Ground
from towncircle.wire.message import Opened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POOR = "DF"  # house: grades that are a deficiency
_HELD = ("leased", "suspect")
# what stands against a mark that says when it was mailed, not how it is printed
_NOT_PRINT = ("date.", "used.", "value.", "pack.", "regime.", "refund.")
_UNMEASURED = (
    "Reflectance in red and green light: a scan is not calibrated, so every figure of print quality is an estimate.",
    "The facing identification mark, the address and its barcode, the words of the indicium.",
)
_NO_DISTANCES = "The distances to the edges: the scan does not say its resolution."


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Hold what the evaluation of a piece needs from outside: pages of a file with their resolution, and the pack."""

    pages: Callable[[bytes], Iterator[tuple[NDArray[np.uint8], int | None]]]
    pack: Callable[[Instant], Pack]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Hold what a scan shows: the mark and its verdict (None: unreadable), what was measured, and where it stands."""

    payload: bytes
    verdict: Verdict | None
    measures: tuple[Measure, ...]
    place: Place | None


@cites("502.26", "PRE-16", "PRE-16/1", "P050-2.5h")
def on_piece(ctx: Context, opened: Opened, *, desk: Desk, rules: RuleSet) -> QualityFinding:
    """Evaluate a piece that a licensee forwards and tell what was found.

    Raises `Refused`: provider.unknown-device, quality.not-leased, quality.taken, quality.other-device,
    quality.not-genuine, quality.seen-before; `BadInput`: quality.blank, and what a file that is no scan raises.
    """
    body = opened.body
    assert isinstance(body, QualityPiece)
    row, digest = device_record(ctx, body.device), hashlib.sha256(body.scan).hexdigest()
    if row.owner != opened.envelope.sender:
        raise Refused("provider.unknown-device", device=body.device, provider=ctx.party)
    held = ctx.tx.get("quality-piece", body.piece)
    if held is not None:
        if (held.body["device"], held.body["scan"]) != (row.key, digest):
            raise Refused("quality.taken", piece=body.piece)
        return _finding(held)
    if row.body["custody"] not in _HELD:
        raise Refused("quality.not-leased", device=row.key, custody=row.body["custody"])
    found = evaluate(body.scan, desk, ctx.now)
    content = _content(ctx, row, found, digest)
    return _finding(_keep(ctx, row, body, found, content, digest, rules))


def evaluate(scan: bytes, desk: Desk, now: Instant) -> Evaluation:
    """Read a scan: the first page with a symbol counts. Raises `BadInput` (quality.blank), and as `desk.pages`."""
    marked = False
    for image, dpi in desk.pages(scan):
        found = _mark(read(image))
        marked |= not blank(image)
        if found is not None:
            verdict = judge(found.payload, desk.pack(now), None, now)
            measures, where = measure(image, found), place(image, found, dpi)
            return Evaluation(payload=found.payload, verdict=verdict, measures=measures, place=where)
    if not marked:
        raise BadInput("quality.blank")
    return Evaluation(payload=b"", verdict=None, measures=(), place=None)


def _mark(found: list[Found]) -> Found | None:
    """Give the first symbol that is an indicium."""
    for one in found:
        try:
            if decode(one.payload).device:
                return one
        except BadInput:
            continue
    return None


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
    unmeasured = [*_UNMEASURED, *([] if found.place is None or found.place.from_top is not None else [_NO_DISTANCES])]
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
