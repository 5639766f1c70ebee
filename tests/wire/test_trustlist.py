"""The root's own list of issuing authorities."""

from dataclasses import replace

import pytest

from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.authority import found_authority, found_root, serial_for
from towncircle.pki.keys import SoftwareKey
from towncircle.wire.trustlist import TrustList, read_trust_list, sign_trust_list

NOW = Instant.parse("2026-11-21")


class Roots:
    """A root with one issuing authority."""

    def __init__(self, seed: int) -> None:
        source = SeededRandomness(seed, "roots")
        term = {"not_before": NOW, "not_after": NOW.plus(days=3000)}
        key, below = (SoftwareKey.generate("ecdsa-p256", source) for _ in range(2))
        self.root = found_root(name="Root", key=key, test=True, serial=serial_for(1, test=True), **term)
        issuer = found_authority(root=self.root, name="Authority", key=below, serial=serial_for(2, test=True), **term)
        self.authority = issuer.certificate.der
        self.list = TrustList(
            anchor="test", number=4, issued=NOW, next_update=NOW.plus(days=90), authorities=(self.authority,)
        )

    def read(self, trust: TrustList, *, now=NOW, last_number=0) -> TrustList:
        raw = sign_trust_list(trust, self.root.key)
        return read_trust_list(raw, root=self.root.certificate, now=now, last_number=last_number)


OURS, OTHERS = Roots(1), Roots(2)


def test_a_trust_list_of_the_pinned_root_names_its_authorities():
    found = OURS.read(OURS.list, last_number=4)
    assert found == OURS.list
    assert found.names(OURS.authority)
    assert not found.names(OTHERS.authority)


def test_a_trust_list_of_another_root_or_a_changed_one_is_refused():
    raw = sign_trust_list(OTHERS.list, OTHERS.root.key)
    with pytest.raises(Refused, match=r"wire\.unknown-key"):
        read_trust_list(raw, root=OURS.root.certificate, now=NOW)
    raw = bytearray(sign_trust_list(OURS.list, OURS.root.key))
    raw[-1] ^= 1
    with pytest.raises(Refused, match=r"wire\.bad-signature"):
        read_trust_list(bytes(raw), root=OURS.root.certificate, now=NOW)


@pytest.mark.parametrize("change", [{"anchor": "production"}, {"authorities": (OTHERS.authority,)}])
def test_a_root_lists_its_own_authorities_under_its_own_anchor_only(change):
    with pytest.raises(Refused, match=r"wire\.trust-list-wrong"):
        OURS.read(replace(OURS.list, **change))


@pytest.mark.parametrize(
    ("now", "last", "well"),
    [
        (NOW, 4, True),
        (NOW, 5, False),
        (NOW.plus(days=90), 0, True),
        (NOW.plus(days=90, microseconds=1), 0, False),
        (NOW.plus(microseconds=-1), 0, False),
    ],
)
def test_a_trust_list_never_goes_back_and_ends(now, last, well):
    if well:
        assert OURS.read(OURS.list, now=now, last_number=last)
        return
    with pytest.raises(Refused, match=r"wire\.trust-list-old"):
        OURS.read(OURS.list, now=now, last_number=last)
