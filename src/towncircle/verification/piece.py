"""The decision about a piece that bears several marks: additional postage on a shortpaid one (P050 1.6, 4.9).

Here: `judge_piece`. Not here: the checks of one mark (`judging`).
Kept: the unit judged is the piece. Each mark is judged knowing the valid ones before it on the piece. Only valid
indicia count, each content once; each mark then owes what the others leave, so the marks' own findings say what the
piece's says. What is due and was not observed is not well. No mark of a piece that is not accepted is accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from towncircle.indicium import decode
from towncircle.kernel.cites import cites
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.pki.verifying import Finding
from towncircle.verification.condition import Due, due_for
from towncircle.verification.facts import Observed, PriorScan, Reading, StatusFacts
from towncircle.verification.finding import finding
from towncircle.verification.judging import judge
from towncircle.verification.mark import tables_for
from towncircle.verification.pack import Pack
from towncircle.verification.verdict import (
    ACCEPTED,
    DISPOSITIONS,
    DUPLICATE,
    FOREIGN,
    HOLD,
    INVALID,
    REJECT,
    UNDECIDED,
    UNREADABLE,
    VALID,
    Verdict,
)

WORST_FIRST = (INVALID, DUPLICATE, UNREADABLE, FOREIGN, UNDECIDED, VALID)
_NOT_GENUINE_OR_USED = (INVALID, DUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceVerdict:
    """Hold the answer about a piece: the worst word of its marks, what they pay together, and each mark's verdict."""

    verdict: str
    disposition: str
    specimen: bool
    paid: Mills
    findings: tuple[Finding, ...]
    marks: tuple[Verdict, ...]

    def as_dict(self) -> dict[str, object]:
        """Give the verdict as a record for JSON answers."""
        return {
            "verdict": self.verdict,
            "disposition": self.disposition,
            "specimen": self.specimen,
            "paid_mills": int(self.paid),
            "findings": [one.as_dict() for one in self.findings],
        }


@cites("P050-1.5", "P050-1.6", "P050-4.9")
def judge_piece(
    marks: Sequence[tuple[bytes, StatusFacts | None]], pack: Pack | None, now: Instant, observed: Observed
) -> PieceVerdict:
    """Judge all marks of one piece, each with the facts about it; `observed.amount_due` is for the whole piece.

    Where nobody says what is due, it is priced by the weight that was found, as what the mark signed last claims.

    1. each mark alone, with what the valid ones before it on the piece show; 2. the postage of the valid ones; 3. each
    mark again, owing what the others leave; 4. `piece.value`: they pay what is due; 5. `piece.once`: no content is on
    the piece twice; else DUPLICATE; 6. `piece.marks`: every mark is valid; 7. the worst word and disposition are the
    piece's; a piece that is not accepted holds the marks that would have been accepted.
    """
    alone = replace(observed, amount_due=None, weight_tenths=None, size=None)
    known, paid_by, valid = _one_by_one(marks, pack, now, alone)  # 1, 2
    paid, due = sum(paid_by.values(), ZERO), Due(amount=observed.amount_due, how="")
    claim = _claim(valid)
    if claim is not None:
        code, on, payload = claim
        observed = replace(observed, claimed=code)
        if due.amount is None:
            due = due_for(code, on, observed, tables_for(pack, decode(payload).device))
    doubt = due.doubt_of(paid) if due.amount is not None and paid >= due.amount else ""
    final = []
    for place, (payload, facts) in enumerate(known):  # 3
        others = paid - paid_by.get(place, ZERO)
        share = max(due.amount - others, ZERO) if due.amount is not None else None
        final.append(judge(payload, pack, facts, now, replace(observed, amount_due=share, doubt=doubt)))
    once = _once(final)
    twice = once.ok is False
    words = [verdict.verdict for verdict in final] + [DUPLICATE] * twice or [UNREADABLE]
    dispositions = [verdict.disposition for verdict in final] + [REJECT] * twice or [HOLD]
    disposition = max(dispositions, key=DISPOSITIONS.index)  # 7
    if disposition not in ACCEPTED:
        final = [replace(one, disposition=HOLD) if one.disposition in ACCEPTED else one for one in final]
    return PieceVerdict(
        verdict=min(words, key=WORST_FIRST.index),
        disposition=disposition,
        specimen=any(verdict.specimen for verdict in final),
        paid=paid,
        findings=(_value(paid, due, doubt), once, _all_valid(final)),
        marks=tuple(final),
    )


def _one_by_one(
    marks: Sequence[tuple[bytes, StatusFacts | None]], pack: Pack | None, now: Instant, alone: Observed
) -> tuple[list[tuple[bytes, StatusFacts | None]], dict[int, Mills], list[tuple[Verdict, bytes]]]:
    """Give each mark with all that is known of it, the marks before it included; what each valid one pays; these."""
    known: list[tuple[bytes, StatusFacts | None]] = []
    paid_by: dict[int, Mills] = {}
    valid: list[tuple[Verdict, bytes]] = []
    before: list[tuple[PriorScan, Reading, bytes]] = []
    for place, (payload, facts) in enumerate(marks):
        told = facts
        for scan, reading, other in before:
            told = _with(told, scan, reading, other)
        known.append((payload, told))
        verdict = judge(payload, pack, told, now, alone)
        if verdict.verdict == VALID:
            reading = _reading(verdict)
            paid_by[place] = reading.postage
            valid.append((verdict, payload))
            before.append((PriorScan(scan_id=f"mark {place + 1}", site="this piece", at=now), reading, payload))
    return known, paid_by, valid


def _claim(valid: Sequence[tuple[Verdict, bytes]]) -> tuple[str, date, bytes] | None:
    """Give category and date of the valid mark that was signed last, and that mark.

    A correction says what the piece is paid as.
    """
    said = [(one.fields, payload) for one, payload in valid if one.fields.get("category") and one.fields.get("date")]
    if not said:
        return None
    last, payload = max(said, key=lambda one: (one[0].get("ascending_mills", 0), one[0].get("piece_count", 0)))
    return str(last["category"]), date.fromisoformat(str(last["date"])), payload


def _with(facts: StatusFacts | None, scan: PriorScan, reading: Reading, payload: bytes) -> StatusFacts | None:
    """Add a valid mark of the piece to what is known; where nothing is known of a mark, nothing is."""
    device = decode(payload).device
    if facts is None or device is None:
        return facts
    others = facts.readings.get(device, ())
    return replace(
        facts,
        scans=MappingProxyType({**facts.scans, reading.content_key: scan}),
        readings=MappingProxyType({**facts.readings, device: (*others, reading)}),
    )


def _reading(verdict: Verdict) -> Reading:
    ascending, pieces = verdict.fields.get("ascending_mills"), verdict.fields.get("piece_count")
    return Reading(
        content_key=verdict.content_key,
        ascending=Mills(ascending) if isinstance(ascending, int) else None,
        postage=Mills(int(str(verdict.fields.get("postage_mills", 0)))),
        pieces=pieces if isinstance(pieces, int) else None,
    )


def _value(paid: Mills, due: Due, doubt: str) -> Finding:  # 4
    if due.amount is None:
        return finding("piece.value", ok=None, text=f"{paid} is paid in all; what is due was not observed.")
    by = f", {due.how}" if due.how else ""
    over = f", {paid - due.amount} more than that" if paid > due.amount else ""
    text = f"{paid} is paid in all; due {due.amount}{by}{over}."
    return finding("piece.value", ok=None if doubt else paid >= due.amount, text=f"{text} {doubt}".rstrip())


def _once(marks: Sequence[Verdict]) -> Finding:  # 5
    keys = [verdict.content_key for verdict in marks if verdict.content_key]
    twice = len(set(keys)) != len(keys)
    text = "One indicium stands on the piece twice." if twice else "No indicium stands on the piece twice."
    return finding("piece.once", ok=not twice, text=text)


def _all_valid(marks: Sequence[Verdict]) -> Finding:  # 6
    bad = [f"Mark {place} is {one.verdict}" for place, one in enumerate(marks, start=1) if one.verdict != VALID]
    if not bad:
        return finding("piece.marks", ok=True, text="Every mark is valid.")
    text = f"{', '.join(bad)}: the piece is not accepted and uses none of its marks."
    ok = False if any(one.verdict in _NOT_GENUINE_OR_USED for one in marks) else None
    return finding("piece.marks", ok=ok, text=text)
