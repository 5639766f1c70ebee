"""The verification pack: everything published that a verifier holds offline.

Here: the pack by serial and device, its publishing as a signed message, its loading with checks, and the figures of a
rule set that go into it. Not here: who collects certificates and statuses (`postal/`).
Kept: a pack is trusted by the pinned root only; an older pack than the last one seen is refused, because replaying an
old list is how a revoked device would come back; a pack past its next update is refused unless the caller asks for it,
and then no mark can be VALID under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.pki.keys import Signer
from towncircle.pki.verifying import POSTAL, PublicKey, check_chain
from towncircle.rules import ruleset
from towncircle.verification.prices import Prices, prices_of
from towncircle.wire.bodies import (
    CertificateRow,
    FirstPublishedPack,
    FourthPublishedPack,
    PackTerms,
    PublishedPack,
    SecondPublishedPack,
    StatusRow,
    ThirdPublishedPack,
)
from towncircle.wire.message import Envelope, open_certified, seal
from towncircle.wire.shape import Body

AUDIENCE = "verifiers"
MAX_PACK = 512 * 1024 * 1024
AnyPack = FirstPublishedPack | SecondPublishedPack | ThirdPublishedPack | FourthPublishedPack | PublishedPack
_Priced = ThirdPublishedPack | FourthPublishedPack | PublishedPack


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Hold a checked pack, with its rows by certificate serial and by device."""

    anchor: str
    number: int
    issued: Instant
    next_update: Instant
    terms: Mapping[str, PackTerms]
    certificates: Mapping[int, CertificateRow]
    statuses: Mapping[DeviceId, tuple[StatusRow, ...]]
    last_ascending: Mapping[DeviceId, Mills]
    prices: Prices

    @classmethod
    def of(cls, body: AnyPack) -> Pack:
        """Index a published pack whose signature was checked, or one that was just made."""
        statuses: dict[DeviceId, tuple[StatusRow, ...]] = {}
        for row in body.statuses:
            statuses[row.device] = (*statuses.get(row.device, ()), row)
        return cls(
            anchor=body.anchor,
            number=body.number,
            issued=body.issued,
            next_update=body.next_update,
            terms=MappingProxyType({row.regime: row for row in body.terms}),
            certificates=MappingProxyType({row.serial: row for row in body.certificates}),
            statuses=MappingProxyType(statuses),
            last_ascending=MappingProxyType(
                {}
                if isinstance(body, FirstPublishedPack)
                else {row.device: row.ascending for row in body.last_readings}
            ),
            prices=prices_of(body) if isinstance(body, _Priced) else Prices(),
        )

    @property
    def test(self) -> bool:
        """Tell whether this pack is of a test root: then every mark under it is a specimen."""
        return self.anchor == "test"


def publish_pack(body: AnyPack, *, sender: str, id: str, signer: Signer) -> bytes:  # noqa: A002 - the envelope's word
    """Sign a pack for everybody; it holds from `issued` to `next_update` and its counter is its list number."""
    return seal(
        sender=sender,
        audience=AUDIENCE,
        id=id,
        issued=body.issued,
        expires=body.next_update,
        counter=body.number,
        body=body,
        signer=signer,
    )


def load_pack(
    raw: bytes,
    *,
    root_fingerprint: bytes,
    anchor: str,
    now: Instant,
    last_number: int = 0,
    stale_ok: bool = False,
) -> Pack:
    """Check a published pack and give it.

    1. it is a pack, signed by the Postal Service under the pinned root: verification.not-a-pack,
    verification.pack-untrusted and the refusals of `wire.unseal`; 2. its anchor is the one this verifier is for, and
    the root says the same: verification.wrong-anchor; 3. its number is not below the last one seen:
    verification.pack-old; 4. it is not from the future, and not past its next update unless `stale_ok`:
    verification.pack-early, verification.pack-stale.
    """

    def key_of(envelope: Envelope, body: Body) -> PublicKey:
        if not isinstance(body, AnyPack):
            raise Refused("verification.not-a-pack")
        result = check_chain(
            body.chain, root_fingerprint=root_fingerprint, at=body.issued, purpose=POSTAL, subject=envelope.sender
        )
        fault = result.first_fault()
        if fault is not None or result.leaf is None:
            raise Refused("verification.pack-untrusted", why=fault.text if fault else "no certificate")
        if result.leaf.test != (body.anchor == "test"):
            raise Refused("verification.wrong-anchor", anchor=body.anchor, needed="its root's own")
        return result.leaf.public

    body = open_certified(raw, audience=AUDIENCE, key_of=key_of, limit=MAX_PACK).body  # 1
    assert isinstance(body, AnyPack)
    if body.anchor != anchor:  # 2
        raise Refused("verification.wrong-anchor", anchor=body.anchor, needed=anchor)
    if body.number < last_number:  # 3
        raise Refused("verification.pack-old", number=body.number, last=last_number)
    if now < body.issued:  # 4
        raise Refused("verification.pack-early", number=body.number, issued=body.issued)
    if now > body.next_update and not stale_ok:
        raise Refused("verification.pack-stale", number=body.number, due=body.next_update)
    return Pack.of(body)


def terms_of(regime: str, *, on: date, judged_in: str, stale_days: int) -> PackTerms:
    """Take the figures of a regime out of its rule set, as they stand on a day.

    `judged_in` is the rule set in force at the Postal Service: where it decertifies the regime, the last days go in.
    `stale_days` is how old a mailing date may be at a scan (house).
    """
    rules, world = ruleset(regime), ruleset(judged_in)
    ended = world.ended(regime)
    return PackTerms(
        regime=regime,
        rule_digest=rules.digest,
        cap_mills=rules.mills("descending_cap", on),
        refund_days=rules.term("refund_window", on).days,
        advance_days=rules.term("next_collection", on).days,
        stale_days=stale_days,
        decertified_on=world.day("decertified_on").isoformat() if ended else "",
        indicia_valid_through=world.day("indicia_valid_through").isoformat() if ended else "",
    )
