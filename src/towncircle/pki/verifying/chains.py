"""The check of a certificate chain.

Here: `check_chain`, numbered findings from the leaf to the pinned root. Not here: where chains come from.
Kept: there is no trust on first use: the root is given by its fingerprint, and a chain that reaches another root is
refused. Signatures between certificates are remembered by their fingerprints, because thousands of marks share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.pki.verifying.certificates import AUTHORITY, ROOT, TEST_SERIAL_FIRST, Certificate, read_certificate
from towncircle.pki.verifying.findings import Finding
from towncircle.pki.verifying.lists import RevocationList

MAX_CHAIN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """Hold the findings of one chain check, and the leaf when it could be read."""

    leaf: Certificate | None
    findings: tuple[Finding, ...]

    @property
    def accepted(self) -> bool:
        """Tell whether no finding is bad; a check that could not be made does not count as bad."""
        return self.leaf is not None and all(finding.ok is not False for finding in self.findings)

    def first_fault(self) -> Finding | None:
        """Give the first bad finding, or None."""
        return next((finding for finding in self.findings if finding.ok is False), None)


def check_chain(
    chain: Sequence[bytes],
    *,
    root_fingerprint: bytes,
    at: Instant,
    purpose: str,
    subject: str | None = None,
    revocations: RevocationList | None = None,
) -> ChainResult:
    """Check a chain of DER certificates, leaf first and root last, as it stood at an instant.

    1. `chain.readable`: two to four certificates, each readable;
    2. `chain.root`: the last one is the pinned root (SHA-256 of its DER);
    3. `chain.authority`: every one above the leaf may issue (CA flag, purpose, path length), the leaf may not;
    4. `chain.signatures`: each is signed by the next, the root by itself;
    5. `chain.validity`: every one is valid at the instant;
    6. `chain.test`: all of them are of the test root, or none; serials from 0x80000000 are of the test root only;
    7. `chain.purpose`: the leaf is for this purpose and, where one is asked for, this subject;
    8. `chain.revoked`: no serial was revoked by the instant; without a list this is not checkable.
    """
    try:
        if not 2 <= len(chain) <= MAX_CHAIN:
            raise BadInput("pki.unreadable-certificate", why=f"a chain of {len(chain)}")
        read = [read_certificate(der) for der in chain]
    except BadInput as error:
        return ChainResult(leaf=None, findings=(_finding("readable", ok=False, text=error.sentence),))  # 1
    leaf, root = read[0], read[-1]
    found = [_finding("readable", ok=True, text=f"{len(read)} certificates.")]
    pinned = root.fingerprint == root_fingerprint
    found.append(
        _finding(
            "root", ok=pinned, text=f"It ends in {root.subject}{'' if pinned else ', which is not the trusted root'}."
        )
    )  # 2
    found.append(_authority(read))  # 3
    pairs = zip(read, [*read[1:], root], strict=True)
    good = all(_signed_by(lower.der, upper.der) for lower, upper in pairs)
    found.append(_finding("signatures", ok=good, text=f"The signatures {'hold' if good else 'do not hold'}."))  # 4
    late = [one.subject for one in read if not one.covers(at)]
    text = f"Not valid at {at}: {', '.join(late)}." if late else f"All were valid at {at}."
    found.append(_finding("validity", ok=not late, text=text))  # 5
    found.append(_test_mark(read))  # 6
    fits = leaf.purpose == purpose and subject in (None, leaf.subject)
    found.append(_finding("purpose", ok=fits, text=f"It is for {leaf.purpose} of {leaf.subject}."))  # 7
    found.append(_revoked(read, at, revocations))  # 8
    return ChainResult(leaf=leaf, findings=tuple(found))


def _authority(read: list[Certificate]) -> Finding:
    leaf, issuers = read[0], read[1:]
    room = all(one.path_length is None or one.path_length >= below for below, one in enumerate(issuers))
    kinds = [one.purpose for one in issuers] == [AUTHORITY] * (len(issuers) - 1) + [ROOT]
    leaf_fits = not leaf.authority or leaf.purpose == AUTHORITY
    good = all(one.authority for one in issuers) and room and kinds and leaf_fits
    return _finding(
        "authority", ok=good, text="Issuers may issue." if good else "An issuer of this chain may not issue."
    )


def _test_mark(read: list[Certificate]) -> Finding:
    marks = {one.test for one in read} | {one.serial >= TEST_SERIAL_FIRST for one in read}
    if len(marks) > 1:
        return _finding("test", ok=False, text="Test and production are mixed in this chain.")
    return _finding("test", ok=True, text="Test root, not for postage." if True in marks else "Production root.")


def _revoked(read: list[Certificate], at: Instant, revocations: RevocationList | None) -> Finding:
    if revocations is None:
        return _finding("revoked", ok=None, text="No revocation list was given.")
    for one in read:
        entry = revocations.entry(one.serial)
        if entry is not None and entry.at <= at:
            return _finding("revoked", ok=False, text=f"{one.subject} was revoked at {entry.at} ({entry.reason}).")
    return _finding("revoked", ok=True, text=f"Not on revocation list {revocations.number}.")


@lru_cache(maxsize=8192)
def _signed_by(lower: bytes, upper: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(lower).verify_directly_issued_by(x509.load_der_x509_certificate(upper))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _finding(code: str, *, ok: bool | None, text: str) -> Finding:
    return Finding(code=f"chain.{code}", ok=ok, clause="502.28", text=text)
