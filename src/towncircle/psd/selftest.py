"""The self-tests: known answers at power-on and on demand.

Here: the integrity of the module's files, SHA-256, ECDSA P-256 and DSA signing and checking, and the cipher of the
key slots. Not here: the pairwise test (`keys`, when a key is born) and the law of the registers (`registers`, after
every command).
Kept: any failure is the module's, which is this process: nothing is signed any more in it, for whichever device. The
one device for which it was found is faulted for good; of others nothing is written, and a sound module goes on with
them. Known answers are from FIPS
180-4, RFC 4231 (HMAC), RFC 6979 A.2.5 (its s made low, as the device emits it) and A.2.1 (the 1998 specimens' DSA with
SHA-1), the GCM specification's test case 14, and RFC 9106 5.3 (Argon2id). What the library signs has a nonce that it
drew, so it has no known answer: ECDSA and DSA are signed by RFC 6979 and, by the library, made and checked.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BrokenInvariant
from towncircle.pki.keys import SoftwareKey
from towncircle.pki.verifying import PublicKey, signature_valid
from towncircle.psd import integrity

_SAMPLE = b"sample"
_SEALED = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
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


def _p256_drawn() -> bool:
    key = SoftwareKey(_p256_key(), repeatable=False)
    return signature_valid(key.public, key.sign(_SAMPLE), _SAMPLE)


def _hmac() -> bool:
    told = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    return hmac.digest(b"Jefe", b"what do ya want for nothing?", "sha256").hex() == told


def _p256_verify() -> bool:
    point = _p256_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    key = PublicKey("ecdsa-p256", point)
    good = _R.to_bytes(32, "big") + _S.to_bytes(32, "big")
    return signature_valid(key, good, _SAMPLE) and not signature_valid(key, good, _SAMPLE + b"!")


_DSA = dsa.DSAParameterNumbers(
    p=int(
        "86F5CA03DCFEB225063FF830A0C769B9DD9D6153AD91D7CE27F787C43278B447E6533B86B18BED6E8A48B784A14C252C"
        "5BE0DBF60B86D6385BD2F12FB763ED8873ABFD3F5BA2E0A8C0A59082EAC056935E529DAF7C610467899C77ADEDFC846C"
        "881870B7B19B2B58F9BE0521A17002E3BDD6B86685EE90B3D9A1B02B782B1779",
        16,
    ),
    q=0x996F967F6C8E388D9E28D01E205FBA957A5698B1,
    g=int(
        "07B0F92546150B62514BB771E2A0C0CE387F03BDA6C56B505209FF25FD3C133D89BBCD97E904E09114D9A7DEFDEADFC9"
        "078EA544D2E401AEECC40BB9FBBF78FD87995A10A1C27CB7789B594BA7EFB5C4326A9FE59A070E136DB77175464ADCA4"
        "17BE5DCE2F40D10A46A3A3943F26AB7FD9C0398FF8C76EE0A56826A8A88F1DBD",
        16,
    ),
)
_DSA_X = 0x411602CB19A6CCC34494D79D98EF1E7ED5AF25F7
_DSA_SIGNATURE = bytes.fromhex("2E1A0C2562B2912CAAF89186FB0F42001585DA5529EFB6B0AFF2D7A68EB70CA313022253B9A88DF5")


def _dsa_key(*, repeatable: bool) -> SoftwareKey:
    numbers = dsa.DSAPublicNumbers(pow(_DSA.g, _DSA_X, _DSA.p), _DSA)
    return SoftwareKey(dsa.DSAPrivateNumbers(_DSA_X, numbers).private_key(), repeatable=repeatable)


def _dsa_sign() -> bool:
    drawn = _dsa_key(repeatable=False)
    return _dsa_key(repeatable=True).sign(_SAMPLE) == _DSA_SIGNATURE and signature_valid(
        drawn.public, drawn.sign(_SAMPLE), _SAMPLE
    )


def _dsa_verify() -> bool:
    key = _dsa_key(repeatable=True).public
    return signature_valid(key, _DSA_SIGNATURE, _SAMPLE) and not signature_valid(key, _DSA_SIGNATURE, _SAMPLE + b"!")


def _integrity() -> bool:
    return bool(integrity.check())


def _cipher() -> bool:
    sealed = AESGCM(bytes(32)).encrypt(bytes(12), bytes(16), None)
    return sealed.hex() == _SEALED


def _opening() -> bool:
    cipher, sealed = AESGCM(bytes(32)), bytes.fromhex(_SEALED)
    if cipher.decrypt(bytes(12), sealed, None) != bytes(16):
        return False
    try:
        cipher.decrypt(bytes(12), sealed[:-1] + bytes([sealed[-1] ^ 1]), None)
    except InvalidTag:
        return True
    return False


def _passphrase() -> bool:
    costs = {"iterations": 3, "lanes": 4, "memory_cost": 32}
    kdf = Argon2id(salt=b"\x02" * 16, length=32, ad=b"\x04" * 12, secret=b"\x03" * 8, **costs)
    return kdf.derive(b"\x01" * 32).hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


TESTS: Mapping[str, Callable[[], bool]] = MappingProxyType(
    {
        "sha-256": _sha256,  # first: the integrity test stands on it
        "integrity": _integrity,
        "hmac-sha-256": _hmac,
        "ecdsa-p256 sign": _p256_sign,
        "ecdsa-p256 drawn": _p256_drawn,
        "ecdsa-p256 verify": _p256_verify,
        "dsa-1024 sign": _dsa_sign,
        "dsa-1024 verify": _dsa_verify,
        "aes-256-gcm": _cipher,
        "aes-256-gcm opening": _opening,
        "argon2id": _passphrase,
    }
)

WHAT: Mapping[str, str] = MappingProxyType(
    {
        "sha-256": "hash of `abc` (FIPS 180-4)",
        "integrity": "every file of the module against the manifest made at build (SHA-256)",
        "hmac-sha-256": "RFC 4231 4.3: how a wrapping key is mixed into the operator's secret",
        "ecdsa-p256 sign": "RFC 6979 A.2.5, message `sample`, low s",
        "ecdsa-p256 drawn": "a signature as the device makes it, its nonce drawn by the library, is taken",
        "ecdsa-p256 verify": "the same signature is taken, and refused for another message",
        "dsa-1024 sign": "RFC 6979 A.2.1, SHA-1, message `sample`; and a signature of the library, checked",
        "dsa-1024 verify": "the same signature is taken, and refused for another message",
        "aes-256-gcm": "test case 14 of the GCM specification: the cipher of the key slots",
        "aes-256-gcm opening": "the same case opened, and refused with one bit of its tag changed",
        "argon2id": "RFC 9106 5.3: the operator's secret from a passphrase",
    }
)


_failures: list[tuple[str, BrokenInvariant]] = []  # of this process, which is the module; with who found each
_passed: list[tuple[str, ...]] = []  # at power-on
_demanded: list[tuple[float, tuple[str, ...]]] = []  # the last ones on demand, by the monotonic clock
_paces: list[float] = []  # seconds between two runs on demand, in a process of many devices


@cites("502.8b")
def run(tests: Mapping[str, Callable[[], bool]] = TESTS, *, device: str = "") -> tuple[str, ...]:
    """Run all self-tests and name them; that one of the module's own failed is kept as long as the process lives.

    `device` is the one that is started or that asked. Raises `BrokenInvariant` at the first that fails
    (psd.selftest-failed, psd.module-altered), and for a module that has failed before, whatever it finds now.
    """
    try:
        for name, test in tests.items():
            if not test():
                raise BrokenInvariant("psd.selftest-failed", name=name)
    except BrokenInvariant as error:
        if tests is TESTS:
            stop(error, device=device)
        raise
    if tests is TESTS and _failures:
        raise _again(_failures[0][1])
    return tuple(tests)


def pace(seconds: float) -> None:
    """Run the tests on demand this often at most: whoever may watch one device of many must not hold up the others."""
    _paces[:] = [seconds]


def on_demand(tests: Mapping[str, Callable[[], bool]], *, device: str) -> tuple[str, ...]:
    """Run all self-tests, or give what the last ones told, where `pace` says so. Raises as `run` does."""
    if tests is not TESTS or not _paces:
        return run(tests, device=device)
    if _failures:
        raise _again(_failures[0][1])
    if not _demanded or time.monotonic() - _demanded[0][0] >= _paces[0]:
        passed = run(device=device)
        _demanded[:] = [(time.monotonic(), passed)]
    return _demanded[0][1]


def stop(error: BrokenInvariant, *, device: str) -> None:
    """Stop the module for as long as it runs: a test failed in it, found for this device (empty: for none)."""
    _failures.append((device, _again(error)))


def found_by(device: str) -> bool:
    """Tell whether the failure that stopped the module was found for this device."""
    return bool(_failures) and _failures[0][0] == device


def reason() -> BrokenInvariant:
    """Give the failure that stopped the module."""
    return _again(_failures[0][1])


def _again(error: BrokenInvariant) -> BrokenInvariant:
    """Give the same error without the frames that it went through."""
    if error.code == "psd.module-altered":
        return BrokenInvariant("psd.module-altered", **error.params)
    if error.code == "psd.pairwise-failed":
        return BrokenInvariant("psd.pairwise-failed", **error.params)
    return BrokenInvariant("psd.selftest-failed", **error.params)


def failed() -> bool:
    """Tell whether a test has failed in this process: at power-on, on demand, or of a new pair."""
    return bool(_failures)


def power_on(device: str = "") -> tuple[str, ...]:
    """Run all self-tests once in the life of this process, which is the module: it may host many devices.

    Raises `BrokenInvariant` as `run` does, and then again each time it is asked; so it does after a test that failed on
    demand.
    """
    if _failures:
        raise _again(_failures[0][1])
    if not _passed:
        _passed.append(run(device=device))
    return _passed[0]
