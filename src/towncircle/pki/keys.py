"""Signing keys behind one verb.

Here: the `Signer` protocol and the software key of both schemes. Not here: keys at rest (`pki.keyfile`), PKCS#11,
checking (`pki.verifying`).
Kept: a private key never leaves its object but encrypted, and shows nothing of itself; what is emitted is fixed-width
r||s, for P-256 with the low s. Under a repeatable source the P-256 nonces are those of RFC 6979 through the library.
The library has no such mode for DSA, so `dsa-1024` signatures take their nonces from `pki.historic` in a sandbox and
from the library otherwise. FIPS 186-5 keeps DSA for verifying only: these keys exist for specimens of 1998.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from towncircle.kernel.errors import BadInput
from towncircle.kernel.randomness import Randomness, below
from towncircle.pki.domain import DSA_1024_DOMAIN, read_domain
from towncircle.pki.historic import sign_repeatably
from towncircle.pki.verifying.signatures import P256_HALF_ORDER, P256_ORDER, PublicKey

_HALF = P256_HALF_ORDER.to_bytes(32, "big")
_RANDOM, _RFC_6979 = (ec.ECDSA(hashes.SHA256(), deterministic_signing=repeats) for repeats in (False, True))
_SHA1 = hashes.SHA1()  # noqa: S303 - the algorithm of the 1998 marks, on specimens only


class Signer(Protocol):
    """Sign bytes with a key that stays where it is."""

    @property
    def scheme(self) -> str:
        """Name the scheme: `ecdsa-p256` or `dsa-1024`."""
        ...

    @property
    def public(self) -> PublicKey:
        """Give the public key."""
        ...

    @property
    def key_id(self) -> bytes:
        """Give the first 16 bytes of the SHA-256 of the raw public key."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Give the fixed-width r||s of the data."""
        ...


class SoftwareKey:
    """Hold a private key in memory. Copying its file clones it: nothing in software can prevent that."""

    __slots__ = ("_algorithm", "_native", "_public", "_repeatable", "_sign")

    def __init__(
        self,
        native: ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey,
        *,
        repeatable: bool,
        public: PublicKey | None = None,
    ) -> None:
        """Hold a native key; `public` spares the asking for its public part where that is known for certain."""
        self._native = native
        self._repeatable = repeatable
        self._algorithm = _RFC_6979 if repeatable else _RANDOM
        self._sign: Callable[[bytes, ec.ECDSA], bytes] | None = None  # the library's own, for P-256
        if public is not None:  # of P-256 only
            self._public, self._sign = public, native.sign  # type: ignore[assignment]  # as the line above says
        elif isinstance(native, ec.EllipticCurvePrivateKey):
            self._sign = native.sign
            point = native.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            self._public = PublicKey("ecdsa-p256", point)
        else:
            spki = native.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            self._public = PublicKey("dsa-1024", spki)

    def __repr__(self) -> str:
        return f"SoftwareKey({self.scheme}, ...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is never pickled or copied")

    @property
    def scheme(self) -> str:
        """Name the scheme."""
        return self._public.scheme

    @property
    def public(self) -> PublicKey:
        """Give the public key."""
        return self._public

    @property
    def key_id(self) -> bytes:
        """Give the first 16 bytes of the SHA-256 of the raw public key."""
        return self._public.key_id

    @classmethod
    def generate(cls, scheme: str, randomness: Randomness, domain: bytes = b"") -> SoftwareKey:
        """Make a fresh key. `domain` is the DER of the DSA parameters; without it the house domain is taken.

        Raises `BadInput` (pki.unknown-scheme, pki.bad-domain).
        """
        if scheme == "ecdsa-p256":
            scalar = 1 + below(randomness, P256_ORDER - 1)
            return cls(ec.derive_private_key(scalar, ec.SECP256R1()), repeatable=randomness.repeatable)
        if scheme != "dsa-1024":
            raise BadInput("pki.unknown-scheme", scheme=scheme[:40])
        parameters = read_domain(domain or DSA_1024_DOMAIN)
        x = 1 + below(randomness, parameters.q - 1)
        numbers = dsa.DSAPublicNumbers(pow(parameters.g, x, parameters.p), parameters)
        return cls(dsa.DSAPrivateNumbers(x, numbers).private_key(), repeatable=randomness.repeatable)

    @classmethod
    def from_pkcs8(cls, der: bytes, *, repeatable: bool = False, public: PublicKey | None = None) -> SoftwareKey:
        """Load a key from its unencrypted PKCS #8 form. Raises `BadInput` (pki.bad-private-key).

        `public` is its public key, where that is known for certain.
        """
        try:
            native = load_der_private_key(der, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadInput("pki.bad-private-key") from error
        if isinstance(native, ec.EllipticCurvePrivateKey) and isinstance(native.curve, ec.SECP256R1):
            return cls(native, repeatable=repeatable, public=public)
        if isinstance(native, dsa.DSAPrivateKey) and native.key_size == 1024:
            return cls(native, repeatable=repeatable)
        raise BadInput("pki.bad-private-key")

    def to_pkcs8(self) -> bytes:
        """Give the unencrypted PKCS #8 form, for `pki.keyfile` and sealed device memory only."""
        return self._native.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, data: bytes) -> bytes:
        """Sign: P-256 with SHA-256 as 64 bytes r||s and low s, DSA with SHA-1 as 40 bytes r||s."""
        if self._sign is not None:  # found once: asking the library's abstract class at every piece costs 2 %
            return _low_s(self._sign(data, self._algorithm))
        native = self._native
        assert isinstance(native, dsa.DSAPrivateKey)
        if self._repeatable:
            return sign_repeatably(native.private_numbers(), data)
        r, s = decode_dss_signature(native.sign(data, _SHA1))
        return r.to_bytes(20, "big") + s.to_bytes(20, "big")

    def sign_certificate(self, builder: x509.CertificateBuilder) -> bytes:
        """Sign a certificate and give its DER. P-256 only."""
        certificate = builder.sign(self._issuing(), hashes.SHA256(), ecdsa_deterministic=self._repeatable)
        return certificate.public_bytes(Encoding.DER)

    def sign_revocation_list(self, builder: x509.CertificateRevocationListBuilder) -> bytes:
        """Sign a revocation list and give its DER. P-256 only."""
        made = builder.sign(self._issuing(), hashes.SHA256(), ecdsa_deterministic=self._repeatable)
        return made.public_bytes(Encoding.DER)

    def _issuing(self) -> ec.EllipticCurvePrivateKey:
        if not isinstance(self._native, ec.EllipticCurvePrivateKey):
            raise BadInput("pki.cannot-issue", scheme=self.scheme)
        return self._native


def _low_s(der: bytes) -> bytes:
    """Turn the library's DER into 64 bytes with the low s. By hand, because every indicium passes here.

    Layout: 30 len 02 len r 02 len s, each number big-endian with a leading zero where its top bit is set: a number of
    32 or 33 bytes ends in the 32 that count, a shorter one is filled up.
    """
    end = 4 + der[3]
    r = der[end - 32 : end] if end >= 36 else der[4:end].rjust(32, b"\0")
    s = der[-32:] if der[end + 1] >= 32 else der[end + 2 :].rjust(32, b"\0")
    if s > _HALF:  # equal lengths: the order of the bytes is the order of the numbers
        s = (P256_ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    return r + s
