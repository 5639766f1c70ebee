"""The findings of the judge by code.

Here: the clause each code rests on. Not here: the checks.
Kept: a code is stable; a finding without a clause here cannot be made.
"""

from __future__ import annotations

from types import MappingProxyType

from towncircle.pki.verifying import Finding

CLAUSES = MappingProxyType(
    {
        "mark.readable": "P050 4.2",
        "mark.foreign": "P050 1.1",
        "mark.length": "P050 4.2",
        "mark.trailing": "502.8(b)",
        "pack.given": "502.28",
        "pack.fresh": "502.28",
        "mark.certificate": "502.28, PRE-05",
        "mark.anchor": "502.17",
        "mark.layout": "P050 4.1",
        "mark.device": "502.28",
        "signature.match": "502.8(b), PRE-05",
        "certificate.validity": "502.28",
        "certificate.revoked": "502.28, 502.8",
        "device.status": "502.24",
        "registers.postage": "P050 4.5",
        "registers.ascending": "502.8(b)",
        "registers.cap": "P050 3.6",
        "date.future": "P050 4.6",
        "date.stale": "P050 4.8",
        "date.redate": "P050 4.8",
        "date.month-only": "P050 4.6",
        "date.month": "P050 4.6",
        "origin.branch": "P050 4.5(b)",
        "origin.license": "P050 2.1",
        "origin.deposit": "P050 5.3",
        "regime.valid-through": "IMI-09",
        "refund.window": "P050 3.3(b), 502.27(a)",
        "used.mailed": "502.27(a)",
        "used.repaid": "502.27(a)",
        "used.counter": "502.8(b)",
        "registers.order": "502.8(b)",
        "value.due": "P050 1.5",
        "address.destination": "house",
        "piece.weight": "house",
        "piece.class": "P050 1.4, PRE-14",
        "piece.limits": "P050 5.1",
        "mailing.combined": "P050 5.2",
        "mark.reflectance": "P050 4.2",
    }
)
PIECE_CLAUSES = MappingProxyType(  # of a whole piece
    {"piece.value": "P050 1.5, 1.6", "piece.once": "502.27(a)", "piece.marks": "502.8(b)"}
)


def finding(code: str, *, ok: bool | None, text: str) -> Finding:
    """Make the finding of a code, with its clause."""
    return Finding(code=code, ok=ok, clause=CLAUSES.get(code) or PIECE_CLAUSES[code], text=text)
