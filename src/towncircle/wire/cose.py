"""COSE_Sign1 (RFC 9052 4.2) with ES256, attached payload and the key id in the protected header.

Here: framing and its reading. Not here: whose key it is, what the payload means.
Kept: one frame only: tag 18, protected header {1: -7, 4: kid}, empty unprotected header, 64 bytes r||s with low s.
"""

from __future__ import annotations

from dataclasses import dataclass

from towncircle.kernel.errors import BadInput, Refused
from towncircle.pki.keys import Signer
from towncircle.pki.verifying import PublicKey, verify
from towncircle.wire import cbor

_TAG = 0xD2  # tag 18 in its one-byte form
_ALGORITHM, _KEY_ID, _ES256 = 1, 4, -7
_KEY_ID_LENGTH = 16
_PARTS = 16  # more than a frame has
BYTES_AN_ITEM = 4  # house: what an item of a message takes on average, at least; it bounds the time of reading one


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign1:
    """Hold a frame that was read but not yet checked."""

    key_id: bytes
    payload: bytes
    signature: bytes
    signed: bytes

    def check(self, key: PublicKey) -> None:
        """Check the signature by a key. Raises `Refused` (wire.bad-signature)."""
        if key.scheme != "ecdsa-p256" or not verify(key, self.signature, self.signed).accepted:
            raise Refused("wire.bad-signature", key_id=self.key_id.hex())


def sign1(payload: bytes, signer: Signer) -> bytes:
    """Frame and sign a payload. Raises `BadInput` (wire.wrong-scheme)."""
    if signer.scheme != "ecdsa-p256":
        raise BadInput("wire.wrong-scheme", scheme=signer.scheme)
    protected = cbor.encode({_ALGORITHM: _ES256, _KEY_ID: signer.key_id})
    signature = signer.sign(_signed(protected, payload))
    return bytes([_TAG]) + cbor.encode([protected, {}, payload, signature])


def read_sign1(raw: bytes, *, limit: int = cbor.DEFAULT_LIMIT) -> Sign1:
    """Read a frame. Raises `Refused` (wire.too-large, wire.malformed, wire.unsigned)."""
    if len(raw) > limit:
        raise Refused("wire.too-large", size=len(raw), limit=limit)
    if raw[:1] != bytes([_TAG]):
        cbor.decode(
            raw, limit=limit, items=limit // BYTES_AN_ITEM
        )  # says what is malformed; what is well formed is just not signed
        raise Refused("wire.unsigned")
    parts = cbor.decode(raw[1:], limit=limit, items=_PARTS)
    if not isinstance(parts, list) or len(parts) != 4:
        raise cbor.malformed("not a COSE_Sign1 of four parts")
    protected, unprotected, payload, signature = parts
    if not isinstance(protected, bytes) or not isinstance(payload, bytes) or not isinstance(signature, bytes):
        raise cbor.malformed("not a COSE_Sign1 of byte strings")
    if signature == b"":
        raise Refused("wire.unsigned")
    header = cbor.decode(protected) if protected else {}
    if unprotected != {} or not isinstance(header, dict) or header.keys() != {_ALGORITHM, _KEY_ID}:
        raise cbor.malformed("headers other than algorithm and key id")
    key_id = header[_KEY_ID]
    if header[_ALGORITHM] != _ES256 or not isinstance(key_id, bytes) or len(key_id) != _KEY_ID_LENGTH:
        raise cbor.malformed("an algorithm other than ES256 or no key id")
    return Sign1(key_id=key_id, payload=payload, signature=signature, signed=_signed(protected, payload))


def _signed(protected: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature1", protected, b"", payload])
