"""Repeatable DSA signatures for the specimens of 1998.

Here: RFC 6979 for DSA with a 160-bit q and SHA-1. Not here: any key that a post would trust.
Kept: a sandbox seed makes a run repeat to the byte (house.md 9). The library signs with DSA but has no deterministic
mode for it, so the nonce of RFC 6979 3.2 is computed here, for seeded sandbox keys only; a test compares it with the
RFC's own vectors, and every signature is checked by the library in the tests. Python's big integers do not run in
constant time: that is harmless for a key that anybody can derive from the seed, and for no other.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.dsa import DSAPrivateNumbers

_WIDTH = 20  # bytes of q and of SHA-1: so bits2int is the plain number


def sign_repeatably(key: DSAPrivateNumbers, data: bytes) -> bytes:
    """Sign with the nonce of RFC 6979; give 40 bytes r||s."""
    numbers = key.public_numbers.parameter_numbers
    p, q, g = numbers.p, numbers.q, numbers.g
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    for k in _nonces(key.x, q, digest):
        r = pow(g, k, p) % q
        s = pow(k, -1, q) * (int.from_bytes(digest, "big") + key.x * r) % q
        if r and s:
            return r.to_bytes(_WIDTH, "big") + s.to_bytes(_WIDTH, "big")
    raise AssertionError("the nonces of RFC 6979 do not end")


def _nonces(x: int, q: int, digest: bytes) -> Iterator[int]:
    """Give the candidates of RFC 6979 3.2 in their order (steps b to h)."""
    secret = x.to_bytes(_WIDTH, "big") + (int.from_bytes(digest, "big") % q).to_bytes(_WIDTH, "big")
    v, key = b"\x01" * _WIDTH, b"\x00" * _WIDTH
    for step in (b"\x00", b"\x01"):
        key = _mac(key, v + step + secret)
        v = _mac(key, v)
    while True:
        v = _mac(key, v)
        k = int.from_bytes(v, "big")
        if 1 <= k < q:
            yield k
        key = _mac(key, v + b"\x00")
        v = _mac(key, v)


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha1).digest()
