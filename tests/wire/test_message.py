"""Opening messages: every refusal by its own code, retries and replays."""

from dataclasses import replace

import pytest
from tests.wire.golden import AUDIENCE, DEVICE, KEY, LATER, NOW, SENDER

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.kernel.store import MemoryStore
from towncircle.pki.keys import SoftwareKey
from towncircle.pki.verifying.signatures import P256_ORDER
from towncircle.wire import cbor, cose
from towncircle.wire.bodies import Acknowledged, DepositReceipt, LicenseDecision, ResetAuthorisation
from towncircle.wire.directory import Keyring
from towncircle.wire.inbox import admit, keep, receive
from towncircle.wire.message import Envelope, open_untimed, peek, seal, unseal

OTHER = SoftwareKey.generate("ecdsa-p256", SeededRandomness(2, "another"))


def sealed(*, body=None, signer=KEY, **changes) -> bytes:
    fields = {"sender": SENDER, "audience": AUDIENCE, "id": "MSG-1", "issued": NOW, "expires": LATER, "counter": 1}
    return seal(**{**fields, **changes}, body=body or Acknowledged(note="well"), signer=signer)


def keys() -> Keyring:
    ring = Keyring()
    ring.add(SENDER, KEY.public, since=NOW.plus(days=-1))
    return ring


def opened(raw, *, now=NOW, directory=None, **changes):
    return unseal(raw, audience=AUDIENCE, now=now, directory=directory or keys(), **changes)


def framed(content, signer=KEY) -> bytes:
    return cose.sign1(cbor.encode(content), signer)


def content_of(raw: bytes) -> dict:
    return cbor.decode(cose.read_sign1(raw).payload)


def refused(code: str):
    return pytest.raises(Refused, match=rf"^{code}:".replace(".", r"\."))


def test_a_message_reads_back_with_its_envelope_and_digest():
    raw = sealed()
    found = opened(raw)
    assert found.body == Acknowledged(note="well")
    assert found.envelope == peek(raw)
    assert (found.envelope.sender, found.envelope.type, found.key_id) == (SENDER, 53, KEY.key_id)
    assert found.raw == raw


def test_any_flipped_bit_of_a_message_is_refused():
    raw = sealed()
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Refused):
            opened(bytes(changed))


def test_an_unsigned_message_is_refused_as_such():
    with refused("wire.unsigned"):
        opened(cose.read_sign1(sealed()).payload)
    parts = cbor.decode(sealed()[1:])
    with refused("wire.unsigned"):
        opened(b"\xd2" + cbor.encode([*parts[:3], b""]))


def test_a_message_by_another_key_or_sender_is_refused():
    with refused("wire.unknown-key"):
        opened(sealed(signer=OTHER))
    with refused("wire.unknown-sender"):
        opened(sealed(sender="provider.stranger"))


def test_a_signature_of_other_content_or_with_the_high_s_is_refused():
    parts = cbor.decode(sealed()[1:])
    other = cbor.decode(sealed(counter=2)[1:])
    with refused("wire.bad-signature"):
        opened(b"\xd2" + cbor.encode([*parts[:3], other[3]]))
    s = P256_ORDER - int.from_bytes(parts[3][32:], "big")
    with refused("wire.bad-signature"):
        opened(b"\xd2" + cbor.encode([*parts[:3], parts[3][:32] + s.to_bytes(32, "big")]))


def test_a_message_for_somebody_else_is_refused():
    with refused("wire.wrong-audience"):
        opened(sealed(audience="bank.lockbox"))


def test_times_hold_from_issued_to_expires_both_included():
    raw = sealed()
    assert opened(raw, now=NOW)
    assert opened(raw, now=LATER)
    with refused("wire.not-yet-valid"):
        opened(raw, now=NOW.plus(microseconds=-1))
    with refused("wire.expired"):
        opened(raw, now=LATER.plus(microseconds=1))
    assert open_untimed(raw, audience=AUDIENCE, directory=keys())


def test_unknown_types_versions_and_keys_of_a_map_are_refused():
    content = content_of(sealed())
    with refused("wire.unknown-type"):
        opened(framed({**content, 1: 99}))
    with refused("wire.unknown-version"):
        opened(framed({**content, 2: 2}))
    with refused("wire.malformed"):
        opened(framed({**content, 11: 0}))
    with refused("wire.malformed"):
        opened(framed({**content, 10: {1: "well", 2: 0}}))
    with refused("wire.malformed"):
        opened(framed({**content, 10: {}}))


@pytest.mark.parametrize("content", [7, [1], {}, {10: {}}, {1: 2}, {"a": 1, 10: {}}])
def test_content_that_is_no_message_is_malformed(content):
    with refused("wire.malformed"):
        opened(framed(content))
    if content != {1: 2}:
        with refused("wire.malformed"):
            peek(framed(content))


@pytest.mark.parametrize(
    "parts",
    [
        [1],
        [b"", {}, b"", 1],
        [b"", {1: 1}, b"x", b"s" * 64],
        [cbor.encode({1: -7}), {}, b"x", b"s" * 64],
        [cbor.encode({1: -8, 4: b"k" * 16}), {}, b"x", b"s" * 64],
        [cbor.encode({1: -7, 4: b"k"}), {}, b"x", b"s" * 64],
        [cbor.encode({1: -7, 4: b"k" * 16}), {5: 1}, b"x", b"s" * 64],
        [cbor.encode({1: -7, 4: b"k" * 16, 5: 1}), {}, b"x", b"s" * 64],
    ],
)
def test_frames_of_another_shape_are_malformed(parts):
    with refused("wire.malformed"):
        opened(b"\xd2" + cbor.encode(parts))


def test_a_message_is_read_up_to_its_limit():
    raw = sealed()
    assert opened(raw, limit=len(raw))
    with refused("wire.too-large"):
        opened(raw, limit=len(raw) - 1)


@pytest.mark.parametrize(
    ("change", "value"),
    [(1, 5), (2, "TC1A000000001"), (2, "tc1a0000000017"), (3, -1), (3, True), (3, 2**63), (4, None), (1, "x" * 33)],
)
def test_a_field_of_another_type_or_size_is_malformed_when_read(change, value):
    body = ResetAuthorisation(request_id="REQ-1", device=DEVICE, amount=Mills(1), request_counter=1)
    content = content_of(sealed(body=body))
    with refused("wire.malformed"):
        opened(framed({**content, 10: {**content[10], change: value}}))


def test_a_choice_is_one_of_its_words():
    with pytest.raises(BadInput, match=r"wire\.bad-field"):
        sealed(
            body=LicenseDecision(
                application_id="",
                outcome="maybe",
                license="",
                office_zip="",
                office_city="",
                office_state="",
                grounds=(),
            )
        )


def test_a_field_that_does_not_fit_is_not_sent():
    with pytest.raises(BadInput, match=r"wire\.bad-field"):
        sealed(body=Acknowledged(note="x" * 1001))
    body = ResetAuthorisation(request_id="REQ-1", device=DEVICE, amount=Mills(-1), request_counter=1)
    with pytest.raises(BadInput, match=r"wire\.bad-field"):
        sealed(body=body)
    negative = DepositReceipt(deposit_id="", amount=Mills(-5), value_date="", balance=Mills(-5))
    assert opened(sealed(body=negative)).body.amount == Mills(-5)


def test_messages_are_never_signed_with_dsa():
    historic = SoftwareKey.generate("dsa-1024", SeededRandomness(1, "dsa"))
    with pytest.raises(BadInput, match=r"wire\.wrong-scheme"):
        sealed(signer=historic)


def test_a_withdrawn_key_opens_nothing_new_whatever_date_its_thief_writes():
    ring = keys()
    ring.withdraw(SENDER, KEY.key_id, NOW.plus(hours=1))
    assert opened(sealed(), directory=ring)
    after = NOW.plus(hours=1, microseconds=1)
    with refused("wire.unknown-key"):
        opened(sealed(issued=after), now=after, directory=ring)
    with refused("wire.unknown-key"):
        opened(sealed(issued=NOW), now=after, directory=ring)
    with refused("wire.unknown-key"):
        opened(sealed(issued=NOW.plus(days=-2)), directory=keys())
    with refused("wire.unknown-sender"):
        ring.withdraw("provider.stranger", KEY.key_id, NOW)


def test_what_was_issued_and_kept_before_a_key_was_withdrawn_can_still_be_read():
    ring = keys()
    ring.withdraw(SENDER, KEY.key_id, NOW)
    assert open_untimed(sealed(), audience=AUDIENCE, directory=ring)


class Desk:
    """A party that keeps what it received."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    def take(self, raw: bytes, *, now=NOW, reply: bytes = b"first", ring: Keyring | None = None) -> bytes:
        with self.store.transaction() as tx:
            found, held = receive(tx, raw, audience=AUDIENCE, now=now, directory=ring or keys())
            if held is not None:
                return held.reply
            keep(tx, found, reply)
        return reply


def test_a_retried_message_gets_the_first_answer_while_it_is_valid():
    desk = Desk()
    assert desk.take(sealed()) == b"first"
    assert desk.take(sealed(), reply=b"second") == b"first"
    assert desk.take(sealed(), now=LATER, reply=b"second") == b"first"


def test_a_retry_gets_its_answer_though_the_key_was_withdrawn_meanwhile_and_a_new_message_does_not():
    desk, ring = Desk(), keys()
    desk.take(sealed())
    ring.withdraw(SENDER, KEY.key_id, NOW)
    later = NOW.plus(hours=1)
    assert desk.take(sealed(), now=later, reply=b"second", ring=ring) == b"first"
    with refused("wire.unknown-key"):
        desk.take(sealed(id="MSG-2", counter=2), now=later, ring=ring)


def test_a_known_message_after_its_time_is_a_replay_and_a_new_one_has_expired():
    desk = Desk()
    desk.take(sealed())
    late = LATER.plus(microseconds=1)
    with refused("wire.replayed"):
        desk.take(sealed(), now=late)
    with refused("wire.expired"):
        desk.take(sealed(id="MSG-2", counter=2), now=late)
    with desk.store.transaction() as tx, refused("wire.replayed"):
        admit(tx, open_untimed(sealed(), audience=AUDIENCE, directory=keys()), late)


def test_an_id_with_other_bytes_is_a_conflict():
    desk = Desk()
    desk.take(sealed())
    with refused("wire.conflict"):
        desk.take(sealed(body=Acknowledged(note="other")))


def test_an_id_that_another_sender_used_is_free():
    desk = Desk()
    desk.take(sealed())
    found = opened(sealed())
    stranger = replace(found, envelope=replace(found.envelope, sender="provider.other"))
    with desk.store.transaction() as tx:
        assert admit(tx, stranger, NOW) is None


def test_a_counter_names_one_message_of_a_sender():
    desk = Desk()
    desk.take(sealed())
    with refused("wire.replayed"):
        desk.take(sealed(id="MSG-2"))
    assert desk.take(sealed(id="MSG-2", counter=2)) == b"first"


def test_an_envelope_is_bounded():
    with pytest.raises(BadInput, match=r"wire\.bad-field"):
        sealed(sender="provider." + "x" * 60)
    assert set(Envelope.__slots__) == {
        "type", "version", "sender", "audience", "id", "in_reply_to", "issued", "expires", "counter",
    }  # fmt: skip
