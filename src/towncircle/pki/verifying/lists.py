"""Revocation lists as the verifying half reads them.

Here: what a list says and its check. Not here: making one (`pki.authority`).
Kept: an old list is easily replayed, so its number must not fall and its next update must not have passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from towncircle.kernel.instants import Instant
from towncircle.pki.verifying.certificates import Certificate
from towncircle.pki.verifying.findings import Finding
from towncircle.pki.verifying.signatures import native_key

REASONS = MappingProxyType(
    {
        "unspecified": x509.ReasonFlags.unspecified,
        "key-compromise": x509.ReasonFlags.key_compromise,
        "superseded": x509.ReasonFlags.superseded,
        "withdrawn": x509.ReasonFlags.cessation_of_operation,
        "privilege-withdrawn": x509.ReasonFlags.privilege_withdrawn,
    }
)
_WORDS = {flag: word for word, flag in REASONS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Hold one revoked serial: since when (whole seconds) and one of the words of `REASONS`."""

    serial: int
    at: Instant
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """Hold a revocation list: its number, when it was issued, when the next one is due, and its entries by serial."""

    number: int
    issued: Instant
    next_update: Instant
    entries: Mapping[int, Revocation]

    def entry(self, serial: int) -> Revocation | None:
        """Give the entry of a serial, or None."""
        return self.entries.get(serial)


def check_revocation_list(
    der: bytes, *, issuer: Certificate, now: Instant, last_number: int = 0
) -> tuple[RevocationList | None, tuple[Finding, ...]]:
    """Check a DER revocation list and give it when it can be relied on.

    1. `list.readable`; 2. `list.signature`: signed by the issuing authority; 3. `list.number`: not older than the last
    one seen; 4. `list.issued`: not from the future; 5. `list.fresh`: its next update has not passed.
    """
    try:
        found = x509.load_der_x509_crl(der)
        held = _read(found)
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.InvalidVersion,
    ) as error:
        return None, (_finding("readable", ok=False, text=f"The list cannot be read ({type(error).__name__})."),)  # 1
    key = native_key(issuer.public)
    signed = isinstance(key, ec.EllipticCurvePublicKey) and found.is_signature_valid(key)
    findings = (
        _finding("readable", ok=True, text=f"List {held.number} with {len(held.entries)} entries."),
        _finding(
            "signature", ok=signed, text=f"The signature of {issuer.subject} {'holds' if signed else 'does not hold'}."
        ),  # 2
        _finding(
            "number", ok=held.number >= last_number, text=f"Number {held.number}; the last one seen was {last_number}."
        ),  # 3
        _finding("issued", ok=held.issued <= now, text=f"Issued {held.issued}."),  # 4
        _finding("fresh", ok=now <= held.next_update, text=f"The next update is due {held.next_update}."),  # 5
    )
    return (held if all(one.ok for one in findings) else None), findings


def _read(found: x509.CertificateRevocationList) -> RevocationList:
    number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    if found.next_update_utc is None:
        raise ValueError("no next update")
    entries = {}
    for row in found:
        reason = row.extensions.get_extension_for_class(x509.CRLReason).value.reason
        at = Instant.of(row.revocation_date_utc)
        entries[row.serial_number] = Revocation(
            serial=row.serial_number, at=at, reason=_WORDS.get(reason, "unspecified")
        )
    return RevocationList(
        number=number,
        issued=Instant.of(found.last_update_utc),
        next_update=Instant.of(found.next_update_utc),
        entries=MappingProxyType(entries),
    )


def _finding(code: str, *, ok: bool, text: str) -> Finding:
    return Finding(code=f"list.{code}", ok=ok, clause="502.28", text=text)
