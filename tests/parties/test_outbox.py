"""A message waits until its receiver has decided about it; nothing on the way ends it, and nobody else's word does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, MAILROOM, SUMMIT
from tests.parties.hand import BANK, POSTAL, Hand, Line, funded, waiting

from towncircle.auditor import audit
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import MessageId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Store, Transaction
from towncircle.ledger import POSTAL as POSTAL_CHART
from towncircle.ledger import Books
from towncircle.storage.sqlite import _Sql
from towncircle.testing.rehearsal_world import in_process
from towncircle.wire import bodies
from towncircle.wire.message import peek
from towncircle.wire.registry import find_type
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.world import Wiring, World

FILE = "transaction file"


def is_a(raw: bytes, body: type) -> bool:
    envelope = peek(raw)
    return find_type(envelope.type, envelope.version).body is body


def flipped(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


def only(body: type, do: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes]:
    return lambda _audience, raw: do(raw) if is_a(raw, body) else raw


def untouched(_audience: str, raw: bytes) -> bytes:
    return raw


def set_in_postage(world: World) -> Mills:
    with world.store(POSTAL).reading() as view:
        return Books(view, POSTAL_CHART).balance(f"postage-set/{HARBOR}/{MAILROOM}")


def all_arrived(world: World, tmp_path: Path, expected: Mills) -> None:
    world.deliver()
    assert [waiting(world, party) for party in world.config.parties] == [[]] * len(world.config.parties)
    assert set_in_postage(world) == expected
    assert export(world, tmp_path / "export").quiet
    assert audit(tmp_path / "export").differences == []


def test_a_copy_that_was_damaged_on_the_way_goes_again(
    world: World, line: Line, journeys: Journeys, tmp_path: Path
) -> None:
    journeys.deposit(Mills.dollars(300))
    line.going = only(bodies.TransactionFile, flipped)
    journeys.reset(Mills.dollars(20))
    assert [key[:16] for key in waiting(world, HARBOR)] == [FILE]
    line.going = untouched
    all_arrived(world, tmp_path, Mills.dollars(20))


def test_an_answer_that_was_damaged_on_the_way_is_asked_for_again(
    world: World, line: Line, journeys: Journeys, tmp_path: Path
) -> None:
    journeys.deposit(Mills.dollars(300))
    line.coming = lambda audience, raw: flipped(raw) if audience == POSTAL else raw
    journeys.reset(Mills.dollars(20))
    assert len(waiting(world, HARBOR)) > 1
    line.coming = untouched
    all_arrived(world, tmp_path, Mills.dollars(20))


def test_what_came_out_of_order_goes_in_order_later(
    world: World, line: Line, journeys: Journeys, tmp_path: Path
) -> None:
    journeys.deposit(Mills.dollars(300))
    first: list[bytes] = []

    def damage_the_first(raw: bytes) -> bytes:
        first.append(raw)
        return flipped(raw) if raw == first[0] else raw

    line.going = only(bodies.TransactionFile, damage_the_first)
    journeys.reset(Mills.dollars(20))
    journeys.reset(Mills.dollars(30))
    journeys.contact()
    assert [key for key in waiting(world, HARBOR) if key.startswith(FILE)] == [f"{FILE} 1", f"{FILE} 2"]
    line.going = untouched
    all_arrived(world, tmp_path, Mills.dollars(50))


@pytest.mark.parametrize("whose", ["to anyone", "a decision to anyone", "to another message", "of another party"])
def test_another_answer_played_back_ends_nothing(
    world: World, line: Line, hand: Hand, journeys: Journeys, tmp_path: Path, whose: str
) -> None:
    journeys.deposit(Mills.dollars(300))
    refusal = bodies.RefusedReply(code="postal.no-license", sentence="No.", clause="", next_step="", grounds=())
    played = {
        "to anyone": world.desk(POSTAL).receive(b"garbage"),
        "a decision to anyone": hand.seal(POSTAL, "anyone", refusal),
        "to another message": hand.seal(POSTAL, HARBOR, refusal, in_reply_to=MessageId.new(hand.source)),
        "of another party": hand.seal(SUMMIT, HARBOR, refusal),
    }[whose]
    line.coming = lambda audience, raw: played if audience == POSTAL else raw
    journeys.reset(Mills.dollars(20))
    assert len(waiting(world, HARBOR)) > 1
    line.coming = untouched
    all_arrived(world, tmp_path, Mills.dollars(20))


class Busy:
    """A store whose transactions are refused now and then."""

    def __init__(self, inner: Store) -> None:
        self.inner, self.refusals = inner, 0

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        if self.refusals:
            self.refusals -= 1
            raise Refused("storage.busy", path="the store")
        with self.inner.transaction() as tx:
            yield tx

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        with self.inner.reading() as view:
            yield view

    def close(self) -> None:
        self.inner.close()  # type: ignore[attr-defined]  # it is a file here


@pytest.mark.parametrize("refusals", [1, 2, 40])
def test_a_receiver_whose_store_is_busy_gets_it_later(folder: Path, tmp_path: Path, refusals: int) -> None:
    stores: dict[str, Busy] = {}

    def busy(store: Store, party: str) -> Store:
        return stores.setdefault(party, Busy(store))

    world = World.open(folder, Wiring(make_port=in_process(folder), store=busy))
    journeys = Journeys(world)
    journeys.deposit(Mills.dollars(300))
    stores[POSTAL].refusals = refusals
    journeys.reset(Mills.dollars(20))
    assert stores[POSTAL].refusals == 0 or waiting(world, HARBOR)
    stores[POSTAL].refusals = 0
    all_arrived(world, tmp_path, Mills.dollars(20))
    world.close()


def test_a_postal_service_that_was_away_for_days_gets_everything(
    world: World, line: Line, journeys: Journeys, tmp_path: Path
) -> None:
    funded(journeys, 300, 50)

    def away(audience: str, raw: bytes) -> bytes:
        if audience == POSTAL:
            raise Refused("transport.unreachable", audience=audience, what="away")
        return raw

    line.going = away
    journeys.contact()
    journeys.reset(Mills.dollars(20))
    world.advance("60h")  # an enclosed audit is by then long past its own day
    journeys.contact()
    assert len(waiting(world, HARBOR)) > 3
    world.advance("30h")
    line.going = untouched
    all_arrived(world, tmp_path, Mills.dollars(70))


def test_a_decision_of_the_receiver_ends_a_message(world: World, line: Line, journeys: Journeys) -> None:
    decided = bodies.DepositOrder(
        deposit_id="DEP-222222222222", provider="provider.nobody", account="a", amount=Mills(5000), form="wire"
    )
    with pytest.raises(Refused, match=r"bank\.no-such-provider"):
        world.desk(MAILROOM).outbox.ask(BANK, decided, key="test")
    before = len(line.sent)
    journeys.settle()
    assert waiting(world, MAILROOM) == []
    assert not any(is_a(raw, bodies.DepositOrder) for raw in line.sent[before:])


# ---- what the auditor makes of it


def differences(world: World, out: Path) -> list[str]:
    assert not export(world, out).quiet
    return [one.code for one in audit(out).differences]


def test_one_row_that_does_not_arrive_hides_nothing_else_and_is_named_after_two_days(
    world: World, line: Line, journeys: Journeys, tmp_path: Path
) -> None:
    funded(journeys, 300, 50)
    line.going = only(bodies.TransactionFile, flipped)
    journeys.reset(Mills.dollars(20))
    journeys.contact()
    assert differences(world, tmp_path / "first") == []
    for hours in ("40h", "9h"):
        world.advance(hours)
        journeys.contact()
    assert differences(world, tmp_path / "stuck") == ["message.stuck"]
    line.going = untouched
    all_arrived(world, tmp_path, Mills.dollars(70))


def test_a_row_that_was_given_up_is_missed_although_another_waits(
    world: World, line: Line, journeys: Journeys, tmp_path: Path
) -> None:
    funded(journeys, 300, 50)
    line.going = only(bodies.TransactionFile, flipped)
    journeys.reset(Mills.dollars(20))
    journeys.reset(Mills.dollars(30))
    with world.store(HARBOR).transaction() as tx:
        row = tx.get("outgoing", f"{FILE} 2")
        assert row is not None
        tx.put("outgoing", row.key, {**row.body, "state": "refused"}, owner="refused", expected=row.version)
    assert differences(world, tmp_path / "export") == ["reconcile.not-in-postal"]


def test_audits_and_deposits_that_wait_are_excused_by_their_messages_only(
    world: World, line: Line, journeys: Journeys, tmp_path: Path
) -> None:
    funded(journeys, 300, 50)

    def away(audience: str, raw: bytes) -> bytes:
        if audience == POSTAL:
            raise Refused("transport.unreachable", audience=audience, what="away")
        return raw

    line.going = away
    journeys.deposit(Mills.dollars(10))
    journeys.contact()
    journeys.reset(Mills.dollars(20))
    assert differences(world, tmp_path / "away") == []
    for party in (BANK, HARBOR):
        with world.store(party).transaction() as tx:
            for row in tx.find("outgoing", owner="waiting"):
                tx.put("outgoing", row.key, {**row.body, "state": "refused"}, owner="refused", expected=row.version)
    out = tmp_path / "given up"
    export(world, out)
    found = {one.code for one in audit(out).differences}
    assert found == {"reconcile.not-in-postal", "audit.not-forwarded"}


def test_a_receiver_that_is_away_makes_no_command_slower_however_much_waits_for_it(
    world: World, line: Line, journeys: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    funded(journeys, 300, 50)
    tried: list[bytes] = []

    def away(audience: str, raw: bytes) -> bytes:
        if audience == POSTAL:
            tried.append(raw)
            raise Refused("transport.unreachable", audience=audience, what="away")
        return raw

    line.going, find = away, _Sql.find

    def never_all(tx: _Sql, kind: str, **more: object) -> object:
        assert kind != "outgoing", "all that waits was read"
        return find(tx, kind, **more)  # type: ignore[arg-type]  # as it was asked

    with monkeypatch.context() as watched:
        watched.setattr(_Sql, "find", never_all)
        for _ in range(4):
            journeys.contact()
    assert len(waiting(world, HARBOR)) == 4
    assert len(set(tried)) == 1  # the first one is tried with each command, those behind it are not
    line.going = untouched
    all_arrived(world, tmp_path, Mills.dollars(50))
