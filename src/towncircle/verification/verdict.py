"""The verdict.

Here: its six words, the four dispositions, and the one table that leads from findings to both. Not here: the checks.
Kept: LOCKED is a state of a device, not a verdict (house.md 9); a check that could not be made never counts as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from towncircle.pki.verifying import Finding

VALID, DUPLICATE, INVALID = "VALID", "DUPLICATE", "INVALID"
UNREADABLE, FOREIGN, UNDECIDED = "UNREADABLE", "FOREIGN", "UNDECIDED"
VERDICTS = (VALID, DUPLICATE, INVALID, UNREADABLE, FOREIGN, UNDECIDED)
ACCEPT, NOTES, HOLD, REJECT = "accept", "accept with notes", "hold", "reject"
DISPOSITIONS = (ACCEPT, NOTES, HOLD, REJECT)
ACCEPTED = frozenset({ACCEPT, NOTES})  # the piece goes on; with any other its marks are not used

UNREADABLE_WHEN_BAD = frozenset({"mark.readable", "mark.length", "mark.reflectance"})
FOREIGN_WHEN_BAD = frozenset({"mark.foreign"})
DUPLICATE_WHEN_BAD = frozenset({"used.mailed", "used.repaid"})
# the mark is genuine and unused; the piece needs a person: postage due, its class, weight or size, a REDATE or the
# day, the right post office or its branch, an authorization
HELD_WHEN_BAD = frozenset(
    {"value.due", "piece.class", "piece.limits", "piece.weight", "mailing.combined"}
    | {"date.stale", "date.redate", "date.month-only", "date.month"}
    | {"origin.deposit", "origin.branch"}
)
# without these there is no verdict about the mark
NEEDED = frozenset(
    {
        "pack.given",
        "pack.fresh",
        "mark.certificate",
        "signature.match",
        "certificate.validity",
        "certificate.revoked",
        "device.status",
        "regime.valid-through",
    }
)
_DISPOSITION = {DUPLICATE: REJECT, INVALID: REJECT, UNREADABLE: HOLD, FOREIGN: HOLD, UNDECIDED: HOLD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Hold the answer about one mark.

    `specimen` says that the mark can never be postage: it is of the test root or of a device that prints specimens.
    `fields` are the decoded fields as far as they could be read; `content_key` names the signed content ("" where
    nothing was read) and is what recorded scans and refunds are kept under.
    """

    verdict: str
    disposition: str
    specimen: bool
    findings: tuple[Finding, ...]
    fields: Mapping[str, object]
    layout: str
    content_key: str

    def finding(self, code: str) -> Finding | None:
        """Give the finding of a code, or None where that check did not apply."""
        return next((one for one in self.findings if one.code == code), None)

    def faults(self) -> tuple[Finding, ...]:
        """Give the bad findings."""
        return tuple(one for one in self.findings if one.ok is False)

    def as_dict(self) -> dict[str, object]:
        """Give the verdict as a record for JSON answers."""
        return {
            "verdict": self.verdict,
            "disposition": self.disposition,
            "specimen": self.specimen,
            "findings": [one.as_dict() for one in self.findings],
            "fields": dict(self.fields),
        }


def conclude(
    findings: tuple[Finding, ...], *, specimen: bool, fields: Mapping[str, object], layout: str, content_key: str
) -> Verdict:
    """Lead from findings to the verdict and its disposition.

    UNREADABLE and FOREIGN come first; then any other fault makes INVALID, except an earlier use (DUPLICATE) and those
    that only hold the piece; then a needed check that could not be made makes UNDECIDED; what is left is VALID.
    """
    verdict = _word(findings)
    if verdict == VALID:
        bad = any(one.ok is False for one in findings)
        open_ends = specimen or any(one.ok is None for one in findings)
        disposition = HOLD if bad else NOTES if open_ends else ACCEPT
    else:
        disposition = _DISPOSITION[verdict]
    return Verdict(
        verdict=verdict,
        disposition=disposition,
        specimen=specimen,
        findings=findings,
        fields=MappingProxyType(dict(fields)),
        layout=layout,
        content_key=content_key,
    )


def _word(findings: tuple[Finding, ...]) -> str:
    bad = {one.code for one in findings if one.ok is False}
    if bad & UNREADABLE_WHEN_BAD:
        return UNREADABLE
    if bad & FOREIGN_WHEN_BAD:
        return FOREIGN
    if bad - DUPLICATE_WHEN_BAD - HELD_WHEN_BAD:
        return INVALID
    proved = {one.code for one in findings if one.ok is True}
    if NEEDED - proved:
        return UNDECIDED
    return DUPLICATE if bad & DUPLICATE_WHEN_BAD else VALID
