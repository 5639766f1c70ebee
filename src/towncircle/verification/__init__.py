"""The decision about a mark: `judge(payload, pack, facts, now, observed)`.

Here: the verdict, the numbered checks, the verification pack and the status facts that a verifier knows besides it.
Not here: scanning (`paper/`, `symbol/`), recording a scan, cases of revenue protection.
Kept: one pure decision function serves the scanner, the API, the batch and the refund desk; it never returns a bool
and never raises for any bytes; what cannot be checked is said so and never counts as well (house.md 7, 9).
"""

from towncircle.pki.verifying import Finding
from towncircle.verification.facts import Observed, PriorScan, Reading, Refunded, StatusFacts
from towncircle.verification.judging import content_key, judge
from towncircle.verification.pack import AUDIENCE, Pack, load_pack, publish_pack, terms_of
from towncircle.verification.piece import PieceVerdict, judge_piece
from towncircle.verification.verdict import (
    ACCEPTED,
    DUPLICATE,
    FOREIGN,
    INVALID,
    UNDECIDED,
    UNREADABLE,
    VALID,
    VERDICTS,
    Verdict,
)

__all__ = [
    "ACCEPTED",
    "AUDIENCE",
    "DUPLICATE",
    "FOREIGN",
    "INVALID",
    "UNDECIDED",
    "UNREADABLE",
    "VALID",
    "VERDICTS",
    "Finding",
    "Observed",
    "Pack",
    "PieceVerdict",
    "PriorScan",
    "Reading",
    "Refunded",
    "StatusFacts",
    "Verdict",
    "content_key",
    "judge",
    "judge_piece",
    "load_pack",
    "publish_pack",
    "terms_of",
]
