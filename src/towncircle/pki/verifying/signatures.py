"""Public keys and signature checks.

Here: the two schemes by name, the primitive `signature_valid`, and `verify`, the check of an indicium's signature.
Not here: signing (`pki.keys`), certificates.
Kept: ECDSA is malleable, (r, n-s) verifies too. The primitive says so, as the Wycheproof vectors do; the check of an
indicium accepts only the fixed width and the low s that devices emit, and names each deviation by its own finding.
DSA may only be verified since FIPS 186-5 (2023); it is read here for the marks of 1998.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from towncircle.kernel.errors import BadInput
from towncircle.pki.verifying.findings import Finding

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_HALF_ORDER = P256_ORDER // 2
SCHEMES = ("ecdsa-p256", "dsa-1024")
_LENGTHS = {"ecdsa-p256": 64, "dsa-1024": 40}
_P256_SHA256 = ec.ECDSA(hashes.SHA256())
_SHA1 = hashes.SHA1()  # noqa: S303 - the algorithm of the 1998 marks, which are only verified

_Native = ec.EllipticCurvePublicKey | dsa.DSAPublicKey


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Hold a public key: `ecdsa-p256` as the 65-byte uncompressed point, `dsa-1024` as SubjectPublicKeyInfo DER."""

    scheme: str
    raw: bytes

    @property
    def key_id(self) -> bytes:
        """Give the first 16 bytes of the SHA-256 of the raw key."""
        return key_id_of(self.raw)

    def checked(self) -> PublicKey:
        """Give the key back when it can be used. Raises `BadInput` (pki.unknown-scheme, pki.bad-public-key)."""
        native_key(self)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureResult:
    """Hold the findings of one signature check."""

    findings: tuple[Finding, ...]

    @property
    def accepted(self) -> bool:
        """Tell whether every finding is good."""
        return all(finding.ok is True for finding in self.findings)


def key_id_of(raw: bytes) -> bytes:
    """Name a raw public key by the first 16 bytes of its SHA-256."""
    return hashlib.sha256(raw).digest()[:16]


def signature_length(scheme: str) -> int:
    """Give the fixed length of a scheme's r||s. Raises `BadInput` (pki.unknown-scheme)."""
    if scheme not in _LENGTHS:
        raise BadInput("pki.unknown-scheme", scheme=scheme[:40])
    return _LENGTHS[scheme]


@lru_cache(maxsize=8192)
def native_key(key: PublicKey) -> _Native:
    """Load a public key into the library's form, once. Raises `BadInput` (pki.unknown-scheme, pki.bad-public-key)."""
    signature_length(key.scheme)
    try:
        if key.scheme == "ecdsa-p256":
            if len(key.raw) != 65 or key.raw[0] != 4:
                raise BadInput("pki.bad-public-key", scheme=key.scheme, why="it is not a 65-byte uncompressed point")
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.raw)
        loaded = load_der_public_key(key.raw)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadInput("pki.bad-public-key", scheme=key.scheme, why="the library cannot read it") from error
    if not isinstance(loaded, dsa.DSAPublicKey) or loaded.key_size != 1024:
        raise BadInput("pki.bad-public-key", scheme=key.scheme, why="it is not a 1024-bit DSA key")
    return loaded


def signature_valid(key: PublicKey, signature: bytes, data: bytes, *, form: Literal["raw", "der"] = "raw") -> bool:
    """Tell whether the scheme's mathematics accepts a signature: the primitive, with exactly Wycheproof's verdicts.

    `raw` is r||s of the scheme's fixed width, `der` the ASN.1 sequence. A high s is accepted here.
    Raises `BadInput` for a key that cannot be read.
    """
    native = native_key(key)
    if form == "raw":
        if len(signature) != _LENGTHS[key.scheme]:
            return False
        half = len(signature) // 2
        signature = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    try:
        if isinstance(native, dsa.DSAPublicKey):
            native.verify(signature, data, _SHA1)
        else:
            native.verify(signature, data, _P256_SHA256)
    except (InvalidSignature, ValueError):
        return False
    return True


def verify(key: PublicKey, signature: bytes, data: bytes) -> SignatureResult:
    """Check the signature of an indicium or message, with one finding a question.

    1. `signature.length`: not shorter than the fixed r||s of the scheme (64 or 40 bytes);
    2. `signature.trailing`: nothing follows it;
    3. `signature.low-s`: s is in the lower half, the one form of two that devices emit (P-256 only);
    4. `signature.match`: it is the key's signature of these bytes.
    """
    size = signature_length(key.scheme)
    found = [_finding("length", len(signature) >= size, f"The signature has {len(signature)} of {size} bytes.")]  # 1
    if len(signature) < size:
        return SignatureResult(findings=tuple(found))
    extra = len(signature) - size
    found.append(
        _finding(
            "trailing",
            extra == 0,
            f"{extra} bytes follow the signature." if extra else "Nothing follows the signature.",
        )
    )  # 2
    signature = signature[:size]
    if key.scheme == "ecdsa-p256":
        low = int.from_bytes(signature[32:]) <= P256_HALF_ORDER
        text = "s is in the lower half." if low else "s is above half the group order: no device emits this form."
        found.append(_finding("low-s", low, text))  # 3
    good = signature_valid(key, signature, data)
    text = "The signature matches the signed bytes." if good else "The signature does not match the signed bytes."
    found.append(_finding("match", good, text, clause="502.8(b), PRE-05"))  # 4
    return SignatureResult(findings=tuple(found))


def _finding(code: str, ok: bool, text: str, *, clause: str = "502.8(b)") -> Finding:  # noqa: FBT001 - the outcome is the finding
    return Finding(code=f"signature.{code}", ok=ok, clause=clause, text=text)
