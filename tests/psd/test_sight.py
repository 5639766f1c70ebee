"""What a debit reads of a stored state is what the whole state says, and a host debits from it as from the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import NoReturn

import cbor2
import psycopg
import pytest
from tests.psd.setting import SECRET, START, Hands, Story, batch

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import BrokenInvariant, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.psd import commands, selftest, sight
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.hosted.fleet import Fleet
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.shapes import Shapes
from towncircle.psd.sight import Sight, sight_of
from towncircle.psd.state import DeviceState

NAMES = [DeviceId.of(vendor="TC", model="1A", serial=serial) for serial in (401, 402, 403)]


FACTS = (
    *("device", "test_root", "state", "contact_due", "software_build", "next_build", "parameters", "terms"),
    *("indicia_key", "indicia_certificate", "counter", "epoch", "high_water", "numbers", "limits", "usage"),
    *("rows_reported",),
)


def facts(seen: object) -> list[object]:
    return [getattr(seen, name, None) for name in FACTS]


def parts(state: DeviceState) -> tuple[bytes, bytes]:
    return state.encode_steady(), state.encode_moving()


@pytest.mark.parametrize("stage", ["manufactured", "authorised", "in service", "locked", "withdrawn"])
def test_a_sight_tells_what_the_whole_state_tells(stage: str) -> None:
    story = Story() if stage == "manufactured" else Story().to(stage)
    if stage == "in service":
        story.evidence("JOB")
    state = story.state()
    for _ in range(2):  # read item by item, then by the shape that was learnt
        seen = sight_of(*parts(state))
        assert seen is not None
        assert facts(seen) == facts(state)
        assert seen.whole() == state
        assert (seen.steady(), seen.encode_steady()) == (state.steady(), state.encode_steady())


STRANGE = [
    *[(True, key, None) for key in (0, 4, 5, 12, 13, 18, 20, 25, 34, 36)],
    *[(True, key, 3) for key in (0, 4, 19, 27, 29, 32)],
    *[(True, 27, {0: b"", 1: ""}), (True, 29, {0: 1, 1: 2}), (True, 99, 0)],
    *[(False, key, None) for key in (11, 14, 15, 16, 24)],
    *[(False, 11, {0: 1, 1: True, 2: 3}), (False, 14, True), (False, 24, [3]), (False, 20, 0)],
]


@pytest.mark.parametrize(("steady", "key", "value"), STRANGE)
def test_what_is_not_as_this_version_writes_it_is_left_to_the_whole_reading(
    *, steady: bool, key: int, value: object
) -> None:
    state = IN_SERVICE
    assert sight_of(*parts(state)) is not None  # the shape is known
    maps = [cbor2.loads(part) for part in parts(state)]
    maps[0 if steady else 1][key] = value
    assert sight_of(*map(cbor2.dumps, maps)) is None
    maps[0 if steady else 1].pop(key)
    assert sight_of(*map(cbor2.dumps, maps)) is None or key in (20, 99)


@pytest.mark.parametrize("bit", [0, 4, 5])
def test_a_shape_reads_what_item_by_item_is_read_whatever_byte_is_another(bit: int) -> None:
    steady, moving = parts(IN_SERVICE)
    assert sight_of(steady, moving) is not None
    by_shape = 0
    for at in range(len(steady)):
        raw = bytearray(steady)
        raw[at] ^= 1 << bit
        other, wanted = Sight(), Sight()
        if not sight._by_shape(other, bytes(raw)):
            continue
        by_shape += 1
        try:
            assert sight._by_item(wanted, bytes(raw))
        except (TowncircleError, ValueError):  # a text that no debit reads, which is no text any more
            assert facts(other)[0] == IN_SERVICE.device
        else:
            assert facts(other) == facts(wanted)
    assert by_shape > len(steady) // 2


@pytest.mark.parametrize("total", [23, 24, 255, 256, 65_535, 65_536, 10**12])
def test_numbers_of_every_width_are_read_by_shape(total: int) -> None:
    states = [IN_SERVICE.amended(resets_total=Mills(total - less), withdrawn_total=Mills(less)) for less in (0, 1, 23)]
    for _ in range(2):
        for state in states:
            seen = sight_of(*parts(state))
            assert seen is not None
            assert facts(seen) == facts(state)


def test_a_full_table_of_shapes_starts_anew() -> None:
    held = Shapes[str](taken=[(0,), (1,)], spans=[], same=[])
    maps = [cbor2.dumps({0: bytes(size), 1: size}) for size in range(1, 600)]
    for raw in maps:
        held.learn(raw, "kept")
    assert held.read(maps[0]) is None
    known = [at for at, raw in enumerate(maps) if held.read(raw) is not None]
    assert 0 < len(known) <= 256
    assert all(held.read(maps[at]) == ((bytes(at + 1), at + 1), "kept") for at in known)
    for strange in ("bf0041610102ff", "a2616141610102", "a20141610102", "a200416101", "a200426101", "a2004161010200"):
        for _ in range(64):
            held.learn(bytes.fromhex(strange), "kept")
        assert held.read(bytes.fromhex(strange)) is None


def in_service() -> DeviceState:
    story = Story().to("in service")
    story.evidence("JOB")
    return story.state()


IN_SERVICE = in_service()


class Town:
    """A database with funded devices; every `host` finds none of them at hand."""

    def __init__(self, dsn: str) -> None:
        self.dsn, self.store, self.clock = dsn, PostgresMemory(dsn, create=True), Hands(START)
        workshop, host = Workshop(START), self.host()
        for name in NAMES:
            manufacture(self.store, **workshop.birth(name))
            client = DeviceClient(Line(host, name))
            workshop.commission(client, name, START)
            workshop.reset(client, name, Mills.dollars(100), START)

    def host(self) -> Fleet:
        return Fleet(self.store, secret=lambda: SECRET, randomness=SeededRandomness(7, "fleet"), clock=self.clock)

    def state(self, name: DeviceId) -> DeviceState:
        return self.store.load([name])[name]

    def rewrite(self, name: DeviceId, key: int, value: object) -> None:
        """Have the steady part of a row hold another value, under a digest that is right for it."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            row = connection.execute("SELECT steady, moving FROM device WHERE id = %s", (name,)).fetchone()
            assert row is not None
            steady = cbor2.dumps(dict(sorted({**cbor2.loads(row[0]), key: value}.items())))
            digest = hashlib.sha256(hashlib.sha256(steady).digest() + row[1]).digest()
            connection.execute("UPDATE device SET steady = %s, digest = %s WHERE id = %s", (steady, digest, name))


class Line:
    def __init__(self, host: Fleet, name: DeviceId) -> None:
        self._host, self._name = host, name

    def exchange(self, command: bytes) -> bytes:
        return self._host.exchange(self._name, command)


@pytest.fixture(scope="module")
def town(databases: Callable[[], str]) -> Iterator[Town]:
    made = Town(databases())
    yield made
    made.store.close()


def piece(name: str, amount: int = 730) -> bytes:
    return commands.encode_command(batch(name, (amount,)))


def test_a_device_that_was_only_seen_starts_debits_and_goes_on_whole(town: Town) -> None:
    name = NAMES[0]
    before, host = town.state(name), town.host()
    first = commands.decode_answer(host.exchange(name, piece("SEEN-1")))
    once = town.state(name)
    assert (once.epoch, once.counter) == (before.epoch + 1, before.counter + 2)  # its start, and the debit
    assert once.numbers == (730, before.numbers[1] - 730, 1)
    assert once == before.amended(
        registers=once.registers, epoch=once.epoch, counter=once.counter, high_water=START, usage=once.usage
    )
    assert isinstance(first, commands.Evidenced)
    assert first.registers == once.registers
    host.exchange(name, piece("SEEN-2"))
    place = host._at_hand.get(name)
    assert place is not None
    assert place._seated is None  # nobody has asked for more than the sight
    assert (town.state(name).epoch, town.state(name).counter) == (once.epoch, once.counter + 1)
    audit = DeviceClient(Line(host, name)).audit()  # nothing plain: the device is built from the whole
    assert audit
    third = commands.decode_answer(host.exchange(name, piece("SEEN-3")))
    assert isinstance(third, commands.Evidenced)
    assert (third.first_piece, town.state(name).numbers[0]) == (3, 3 * 730)
    assert [row.count for row in town.state(name).reported] == [2]


def test_an_overtaken_host_that_only_saw_a_device_issues_nothing(town: Town) -> None:
    name = NAMES[1]
    one, other = town.host(), town.host()
    one.exchange(name, piece("ONE-1"))
    other.exchange(name, piece("OTHER-1"))
    held = town.state(name)
    with pytest.raises(TowncircleError, match=r"psd\.store-stale"):
        commands.decode_answer(one.exchange(name, piece("ONE-2")))
    assert town.state(name) == held
    assert isinstance(commands.decode_answer(one.exchange(name, piece("ONE-3"))), commands.Evidenced)
    again = one.exchange(name, piece("ONE-1"))
    assert isinstance(commands.decode_answer(again), commands.Evidenced)
    assert town.state(name).numbers[2] == 3  # a repeated command got its first answer


@pytest.mark.parametrize("fault", ["law", "self-test"])
def test_a_seen_device_that_may_not_start_answers_as_a_faulted_one(
    town: Town, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    name = NAMES[2]
    held = dict(cbor2.loads(parts(town.state(name))[0]))
    if fault == "law":
        town.rewrite(name, 12, held[12] + 1)
    else:
        monkeypatch.setattr(selftest, "power_on", lambda *_: selftest.run({"a test that fails": lambda: False}))
    try:
        with pytest.raises(TowncircleError):
            commands.decode_answer(town.host().exchange(name, piece(f"FAULT-{fault}")))
        assert town.state(name).numbers[2] == 0
    finally:
        town.rewrite(name, 12, held[12])
        town.rewrite(name, 5, "in service")


def test_a_device_at_hand_that_could_not_be_seated_once_is_seated_the_next_time(town: Town) -> None:
    name, host = NAMES[1], town.host()
    host.exchange(name, piece("HAND-1"))
    place = host._at_hand.get(name)
    assert place is not None
    real = place._sit

    def torn(*_: object) -> NoReturn:
        raise BrokenInvariant("psd.store-damaged", path="the store", what="it cannot be read")

    two = [commands.encode_command(batch(f"HAND-{at}", (5, 5))) for at in (2, 3)]
    place._sit = torn
    assert commands.is_error(host.exchange(name, two[0]))
    place._sit = real
    other, whole = host.exchange_many([(NAMES[0], piece("HAND-4")), (name, two[1])])
    assert not commands.is_error(other)
    assert not commands.is_error(whole)


def test_a_row_that_cannot_be_read_whole_holds_nobody_else_up(town: Town) -> None:
    town.rewrite(NAMES[2], 28, [])  # the message key, which no debit reads
    many = commands.encode_command(batch("WHOLE", (5, 5)))
    answers = town.host().exchange_many([(name, many) for name in NAMES])
    assert [commands.is_error(answer) for answer in answers] == [False, False, True]
    with pytest.raises(TowncircleError, match=r"psd\.store-damaged"):
        commands.decode_answer(answers[2])
