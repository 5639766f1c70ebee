"""The self-tests: known answers at power-on and on demand.

Here: SHA-256, ECDSA P-256 signing and checking, and the cipher of the key slots. Not here: the pairwise
test (`keys`, when a key is born) and the law of the registers (`registers`, after every command).
Kept: any failure puts the device into its error state, and nothing is signed any more. Known answers are from FIPS
180-4, RFC 6979 A.2.5 (its s made low, as the device emits it) and the GCM specification's test case 14.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BrokenInvariant
from towncircle.pki.keys import SoftwareKey
from towncircle.pki.verifying import PublicKey, signature_valid

_SAMPLE = b"sample"
_SCALAR = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
_S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


def _sha256() -> bool:
    return hashlib.sha256(b"abc").hexdigest() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _p256_key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(_SCALAR, ec.SECP256R1())


def _p256_sign() -> bool:
    expected = _R.to_bytes(32, "big") + min(_S, _ORDER - _S).to_bytes(32, "big")
    return SoftwareKey(_p256_key(), repeatable=True).sign(_SAMPLE) == expected


def _p256_verify() -> bool:
    point = _p256_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    key = PublicKey("ecdsa-p256", point)
    good = _R.to_bytes(32, "big") + _S.to_bytes(32, "big")
    return signature_valid(key, good, _SAMPLE) and not signature_valid(key, good, _SAMPLE + b"!")


def _cipher() -> bool:
    sealed = AESGCM(bytes(32)).encrypt(bytes(12), bytes(16), None)
    return sealed.hex() == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"


TESTS: Mapping[str, Callable[[], bool]] = MappingProxyType(
    {"sha-256": _sha256, "ecdsa-p256 sign": _p256_sign, "ecdsa-p256 verify": _p256_verify, "aes-256-gcm": _cipher}
)


@cites("502.8b")
def run(tests: Mapping[str, Callable[[], bool]] = TESTS) -> tuple[str, ...]:
    """Run all self-tests and name them. Raises `BrokenInvariant` (psd.selftest-failed) at the first that fails."""
    for name, test in tests.items():
        if not test():
            raise BrokenInvariant("psd.selftest-failed", name=name)
    return tuple(tests)
