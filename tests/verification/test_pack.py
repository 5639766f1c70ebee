"""A pack is trusted by the pinned root, and never goes back."""

from dataclasses import fields, replace
from datetime import date

import pytest
from tests.verification.story import NOON, Story

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import PartyId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.authority import found_authority, found_root, serial_for
from towncircle.pki.keys import SoftwareKey
from towncircle.verification import AUDIENCE, load_pack, publish_pack, terms_of
from towncircle.wire.bodies import (
    Acknowledged,
    FirstPublishedPack,
    FourthPublishedPack,
    SecondPublishedPack,
    ThirdPublishedPack,
)
from towncircle.wire.message import seal

STORY = Story()


class Post:
    """A root, an authority and the Postal Service's own certificate."""

    def __init__(self, *, test: bool, seed: int = 1) -> None:
        source = SeededRandomness(seed, f"post {test}")
        term = {"not_before": NOON.plus(days=-30), "not_after": NOON.plus(days=3000)}
        keys = [SoftwareKey.generate("ecdsa-p256", source) for _ in range(3)]
        serials = [serial_for(count, test=test) for count in (1, 2, 3)]
        root = found_root(name="Root", key=keys[0], test=test, serial=serials[0], **term)
        authority = found_authority(root=root, name="Authority", key=keys[1], serial=serials[1], **term)
        self.key = keys[2]
        self.fingerprint = root.certificate.fingerprint
        above = (authority.certificate.der, root.certificate.der)
        self.chain = self._chain(authority, "postal.usps", serials[2], above, term)
        self.provider_chain = self._chain(authority, "provider.harbor", serials[2], above, term)

    def _chain(self, authority, party, serial, above, term):
        public = self.key.public
        return (authority.certify_party(party=PartyId(party), public=public, serial=serial, **term), *above)

    def pack(self, body, *, sender="postal.usps", signer=None) -> bytes:
        return publish_pack(body, sender=sender, id="MSG-1", signer=signer or self.key)

    def load(self, raw, **changes):
        asked = {"root_fingerprint": self.fingerprint, "anchor": "production", "now": NOON}
        return load_pack(raw, **{**asked, **changes})


POST, TEST_POST = Post(test=False), Post(test=True)


def body(post=POST, **changes):
    return replace(STORY.body(status="stolen"), chain=post.chain, **changes)


def refused(code):
    return pytest.raises(Refused, match=rf"^{code}:".replace(".", r"\."))


def test_a_published_pack_loads_offline_with_its_rows_by_serial_and_device():
    pack = POST.load(POST.pack(body()))
    assert (pack.number, pack.anchor, pack.test) == (7, "production", False)
    assert pack.certificates[4] == STORY.row()
    assert pack.statuses[STORY.device][0].status == "stolen"
    assert pack.terms["imi-2024"].cap_mills == Mills(500_000)


def test_a_pack_under_another_root_is_not_trusted():
    stranger = Post(test=False, seed=2)
    with refused("verification.pack-untrusted"):
        POST.load(stranger.pack(body(stranger)))
    with refused("verification.pack-untrusted"):
        POST.load(POST.pack(replace(body(), chain=())))


def test_a_pack_signed_by_a_certified_party_that_is_not_the_postal_service_is_not_trusted():
    raw = POST.pack(replace(body(), chain=POST.provider_chain), sender="provider.harbor")
    with refused("verification.pack-untrusted"):
        POST.load(raw)
    with refused("verification.pack-untrusted"):
        POST.load(POST.pack(body(), sender="postal.other"))


def test_a_pack_signed_by_another_key_than_its_chain_names_is_refused():
    other = SoftwareKey.generate("ecdsa-p256", SeededRandomness(9, "other"))
    with refused("wire.unknown-key"):
        POST.load(POST.pack(body(), signer=other))


def test_a_changed_pack_is_refused():
    raw = bytearray(POST.pack(body()))
    raw[-1] ^= 1
    with refused("wire.bad-signature"):
        POST.load(bytes(raw))


def test_a_test_pack_is_for_test_verifiers_only():
    raw = TEST_POST.pack(body(TEST_POST, anchor="test"))
    asked = {"root_fingerprint": TEST_POST.fingerprint}
    assert TEST_POST.load(raw, anchor="test").test
    with refused("verification.wrong-anchor"):
        TEST_POST.load(raw, anchor="production", **asked)
    with refused("verification.wrong-anchor"):  # a test root that claims to be production
        TEST_POST.load(TEST_POST.pack(body(TEST_POST)))
    with refused("verification.wrong-anchor"):
        POST.load(POST.pack(body(anchor="test")), anchor="test")


def test_an_older_pack_than_the_last_one_seen_is_refused():
    raw = POST.pack(body())
    assert POST.load(raw, last_number=7)
    with refused("verification.pack-old"):
        POST.load(raw, last_number=8)


def test_a_pack_is_taken_between_its_issue_and_its_next_update():
    raw = POST.pack(body())
    assert POST.load(raw, now=NOON.plus(days=-1))
    assert POST.load(raw, now=NOON.plus(days=6))
    with refused("verification.pack-early"):
        POST.load(raw, now=NOON.plus(days=-1, microseconds=-1))
    late = NOON.plus(days=6, microseconds=1)
    with refused("verification.pack-stale"):
        POST.load(raw, now=late)
    assert POST.load(raw, now=late, stale_ok=True)


@pytest.mark.parametrize("earlier", [FirstPublishedPack, SecondPublishedPack, ThirdPublishedPack, FourthPublishedPack])
def test_a_pack_of_an_earlier_version_is_read(earlier):
    new = body()
    old = earlier(**{field.name: getattr(new, field.name) for field in fields(earlier)})
    loaded = POST.load(POST.pack(old))
    assert (loaded.number, [*loaded.certificates]) == (new.number, [row.serial for row in new.certificates])
    assert loaded.prices.providers == {}


def test_another_message_is_no_pack():
    term = {"issued": NOON.plus(days=-1), "expires": NOON, "counter": 1, "id": "MSG-1"}
    raw = seal(sender="postal.usps", audience=AUDIENCE, body=Acknowledged(note=""), signer=POST.key, **term)
    with refused("verification.not-a-pack"):
        POST.load(raw)


def test_the_figures_of_a_pack_come_from_the_rule_sets():
    on = Instant.parse("2024-12-01").utc().date()
    window = {"on": on, "stale_days": 30}
    old = terms_of("ibi-1998", judged_in="imi-2024", **window)
    assert (old.decertified_on, old.indicia_valid_through) == ("2024-06-30", "2025-06-30")
    assert (old.cap_mills, old.refund_days) == (Mills(500_000), 30)
    new = terms_of("imi-2024", judged_in="imi-2024", **window)
    assert (new.decertified_on, new.indicia_valid_through) == ("", "")
    then = terms_of("ibi-1998", judged_in="ibi-1998", on=date(1998, 12, 1), stale_days=30)
    assert then.indicia_valid_through == ""
