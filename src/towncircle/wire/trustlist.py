"""The signed trust list: which issuing authorities stand under a root.

Here: its shape, its making by the root's key and its check against the pinned root. Not here: certificates and their
revocation list (`pki`), the verification pack (`verification.pack`).
Kept: a trust list is signed by the root itself, offline; its number only rises and its next update is enforced, so that
an old list cannot bring back an authority that was taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.pki.keys import Signer
from towncircle.pki.verifying import AUTHORITY, Certificate, check_chain
from towncircle.wire import cbor, cose
from towncircle.wire.shape import Body, Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustList(Body):
    """Hold the issuing authorities in force under a root, as DER certificates."""

    anchor: Annotated[Literal["production", "test"], 1]
    number: Annotated[int, 2]
    issued: Annotated[Instant, 3]
    next_update: Annotated[Instant, 4]
    authorities: Annotated[tuple[Annotated[bytes, Limit(4096)], ...], 5, Limit(64)]

    def names(self, authority: bytes) -> bool:
        """Tell whether an issuing authority (DER) stands on the list."""
        return authority in self.authorities


def sign_trust_list(trust: TrustList, root: Signer) -> bytes:
    """Sign a trust list with the root's key. Raises `BadInput` (wire.bad-field, wire.wrong-scheme)."""
    return cose.sign1(cbor.encode(trust.to_map()), root)


@cites("502.28/3")
def read_trust_list(raw: bytes, *, root: Certificate, now: Instant, last_number: int = 0) -> TrustList:
    """Check a trust list against the pinned root and give it.

    1. frame and signature by the root's key: the refusals of `wire.cose` and wire.unknown-key; 2. anchor and every
    authority are the root's own: wire.trust-list-wrong; 3. number not below the last one seen, issued, and not past
    its next update: wire.trust-list-old.
    """
    frame = cose.read_sign1(raw)
    if frame.key_id != root.public.key_id:
        raise Refused("wire.unknown-key", sender=root.subject, key_id=frame.key_id.hex())
    frame.check(root.public)  # 1
    trust = TrustList.from_map(cbor.decode(frame.payload))
    if (trust.anchor == "test") != root.test:
        raise Refused("wire.trust-list-wrong", why=f"it says {trust.anchor}")
    for der in trust.authorities:  # 2
        result = check_chain((der, root.der), root_fingerprint=root.fingerprint, at=trust.issued, purpose=AUTHORITY)
        fault = result.first_fault()
        if fault is not None:
            raise Refused("wire.trust-list-wrong", why=fault.text)
    if trust.number < last_number or not trust.issued <= now <= trust.next_update:  # 3
        raise Refused("wire.trust-list-old", number=trust.number, last=last_number, due=trust.next_update)
    return trust
