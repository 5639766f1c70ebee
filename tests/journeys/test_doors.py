"""What a party refuses at its door, each with a code of its own, and that nothing was changed by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, SUMMIT, mailer, new_world

from towncircle.kernel.ids import MessageId
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keys import SoftwareKey
from towncircle.transport import MAX_MESSAGE
from towncircle.wire import cbor, cose
from towncircle.wire.bodies import DepositOrder, RefusedReply, ResetStatusQuery
from towncircle.wire.directory import Keyring
from towncircle.wire.message import Opened, open_untimed, peek, seal
from towncircle.world.world import World

BANK = "bank.lockbox"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = new_world(tmp_path / "world")
    mailer(made)
    yield made
    made.close()


class Hand:
    """Writes messages as somebody would who has the mailroom's key, and reads the answers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.key = world.cabinet.key(MAILROOM)
        self.source = SeededRandomness(9, "hand")
        self.directory = Keyring()
        for party in world.config.parties:
            self.directory.add_certificate(world.cabinet.certificate(party))

    def order(self, amount: int = 5000) -> DepositOrder:
        return DepositOrder(
            deposit_id=f"DEP-{'2' * 12}", provider=HARBOR, account="CMRS-20260-000001", amount=amount, form="check"
        )

    def seal(self, body: object = None, **changes: object) -> bytes:
        now = self.world.clock.now()
        fields = {
            "sender": MAILROOM,
            "audience": BANK,
            "id": MessageId.new(self.source),
            "issued": now,
            "expires": now.plus(hours=1),
            "counter": 5_000_000,
            "signer": self.key,
            **changes,
        }
        return seal(body=body or self.order(), **fields)  # type: ignore[arg-type]  # each test says what is wrong

    def answer(self, raw: bytes, party: str = BANK) -> Opened:
        reply = self.world.desk(party).receive(raw)
        return open_untimed(reply, audience=peek(reply).audience, directory=self.directory)

    def refused(self, raw: bytes, party: str = BANK) -> str:
        before = self.state(party)
        body = self.answer(raw, party).body
        assert isinstance(body, RefusedReply)
        assert body.sentence
        assert body.next_step
        assert self.state(party) == before
        return body.code

    def state(self, party: str) -> tuple[object, ...]:
        with self.world.store(party).reading() as view:
            return (len(view.facts()), len(view.entries()), view.find("item"), view.find("device"), view.find("lease"))


@pytest.fixture
def hand(world: World) -> Hand:
    return Hand(world)


def test_what_is_not_signed_is_refused(hand: Hand) -> None:
    assert hand.refused(cose.read_sign1(hand.seal()).payload) == "wire.unsigned"


def test_what_is_wrongly_signed_is_refused(hand: Hand) -> None:
    one, other = (cbor.decode(hand.seal(counter=counter)[1:]) for counter in (6_000_000, 6_000_001))
    assert isinstance(one, list)
    assert isinstance(other, list)
    assert hand.refused(b"\xd2" + cbor.encode([*one[:3], other[3]])) == "wire.bad-signature"


def test_another_key_than_the_senders_is_refused(hand: Hand) -> None:
    stranger = SoftwareKey.generate("ecdsa-p256", SeededRandomness(1, "stranger"))
    assert hand.refused(hand.seal(signer=stranger)) == "wire.unknown-key"
    assert hand.refused(hand.seal(sender=ANNEX)) == "wire.unknown-key"


def test_an_unknown_sender_is_refused(hand: Hand) -> None:
    assert hand.refused(hand.seal(sender="licensee.nobody")) == "wire.unknown-sender"


def test_what_is_for_somebody_else_is_refused(hand: Hand) -> None:
    assert hand.refused(hand.seal(audience=SUMMIT)) == "wire.wrong-audience"


def test_what_comes_too_late_or_too_early_is_refused(hand: Hand) -> None:
    now = hand.world.clock.advance("2h")
    late, early = now.plus(microseconds=-1), now.plus(microseconds=1)
    assert hand.refused(hand.seal(issued=now.plus(hours=-1), expires=late)) == "wire.expired"
    assert hand.refused(hand.seal(issued=early)) == "wire.not-yet-valid"


def test_a_retry_gets_the_first_answer_and_a_replay_is_refused(hand: Hand) -> None:
    raw = hand.seal()
    first = hand.answer(raw)
    assert not isinstance(first.body, RefusedReply)
    assert hand.answer(raw).raw == first.raw
    assert hand.refused(hand.seal()) == "wire.replayed"  # another id under a counter that was used
    hand.world.clock.advance("2h")
    assert hand.refused(raw) == "wire.replayed"


def test_one_id_for_two_contents_is_a_conflict(hand: Hand) -> None:
    name = MessageId.new(hand.source)
    assert not isinstance(hand.answer(hand.seal(id=name)).body, RefusedReply)
    assert hand.refused(hand.seal(hand.order(9000), id=name, counter=5_000_001)) == "wire.conflict"


def test_what_is_too_large_is_refused(hand: Hand) -> None:
    assert hand.refused(hand.seal() + bytes(MAX_MESSAGE)) == "wire.too-large"


def test_an_unknown_type_is_refused(hand: Hand) -> None:
    content = cbor.decode(cose.read_sign1(hand.seal()).payload)
    assert isinstance(content, dict)
    for changed, code in (({1: 999}, "wire.unknown-type"), ({2: 9}, "wire.unknown-version")):
        assert hand.refused(cose.sign1(cbor.encode({**content, **changed}), hand.key)) == code


@pytest.mark.parametrize("raw", [b"", b"\xd2", b"GET / HTTP/1.1", bytes(64), b"\xff" * 64])
def test_bytes_that_are_no_message_are_refused_as_malformed(hand: Hand, raw: bytes) -> None:
    assert hand.refused(raw) in ("wire.malformed", "wire.unsigned")


def test_a_message_of_another_desk_is_refused(hand: Hand) -> None:
    assert hand.refused(hand.seal(audience=SUMMIT), SUMMIT) == "desk.not-for-me"


def test_nobody_is_told_of_anothers_reset(hand: Hand) -> None:
    question = hand.seal(ResetStatusQuery(request_id=f"REQ-{'2' * 12}"), audience=HARBOR)
    assert hand.refused(question, HARBOR) == "provider.no-such-reset"
