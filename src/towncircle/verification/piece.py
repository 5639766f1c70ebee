"""The decision about a piece that bears several marks: additional postage on a shortpaid one (P050 1.6, 4.9).

Here: `judge_piece`. Not here: the checks of one mark (`judging`).
Kept: the unit judged is the piece. Only valid indicia count, each content once; each mark then owes what the others
leave, so the marks' own findings say what the piece's says. What is due and was not observed is not well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from towncircle.kernel.cites import cites
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.pki.verifying import Finding
from towncircle.verification.facts import Observed, StatusFacts
from towncircle.verification.finding import finding
from towncircle.verification.judging import judge
from towncircle.verification.pack import Pack
from towncircle.verification.verdict import (
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

_WORST_FIRST = (INVALID, DUPLICATE, UNREADABLE, FOREIGN, UNDECIDED, VALID)


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceVerdict:
    """Hold the answer about a piece: the worst word of its marks, what they pay together, and each mark's verdict.

    `owed` is what each mark owed of the amount due, in the order of the marks.
    """

    verdict: str
    disposition: str
    specimen: bool
    paid: Mills
    findings: tuple[Finding, ...]
    marks: tuple[Verdict, ...]
    owed: tuple[Mills | None, ...]

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

    1. each mark alone; 2. the postage of the valid ones, each content once; 3. each mark again, owing what the others
    leave; 4. `piece.value`: they pay what is due; 5. `piece.once`: no content is on the piece twice; else DUPLICATE.
    """
    due = observed.amount_due
    alone = replace(observed, amount_due=None)
    first = [judge(payload, pack, facts, now, alone) for payload, facts in marks]  # 1
    paid_by: dict[int, Mills] = {}
    counted: set[str] = set()
    for place, verdict in enumerate(first):  # 2
        if verdict.verdict == VALID and verdict.content_key not in counted:
            counted.add(verdict.content_key)
            paid_by[place] = Mills(int(str(verdict.fields.get("postage_mills", 0))))
    paid = sum(paid_by.values(), ZERO)
    owed = tuple(due - paid + paid_by.get(place, ZERO) if due is not None else None for place in range(len(marks)))
    final = tuple(  # 3
        judge(payload, pack, facts, now, replace(observed, amount_due=share))
        for (payload, facts), share in zip(marks, owed, strict=True)
    )
    if due is None:  # 4
        value = finding("piece.value", ok=None, text=f"{paid} is paid in all; what is due was not observed.")
    else:
        value = finding("piece.value", ok=paid >= due, text=f"{paid} is paid in all; due {due}.")
    keys = [verdict.content_key for verdict in final if verdict.content_key]
    twice = len(set(keys)) != len(keys)
    text = "One indicium stands on the piece twice." if twice else "No indicium stands on the piece twice."
    once = finding("piece.once", ok=not twice, text=text)  # 5
    words = [verdict.verdict for verdict in final] + [DUPLICATE] * twice or [UNREADABLE]
    dispositions = [verdict.disposition for verdict in final] + [REJECT] * twice or [HOLD]
    return PieceVerdict(
        verdict=min(words, key=_WORST_FIRST.index),
        disposition=max(dispositions, key=DISPOSITIONS.index),
        specimen=any(verdict.specimen for verdict in final),
        paid=paid,
        findings=(value, once),
        marks=final,
        owed=owed,
    )
