"""Many devices in one store: groups, queues, fencing, retries, bounded caches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence

import pytest
from tests.psd.setting import SECRET, START, Hands, batch

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import Evidenced
from towncircle.psd.device import manufacture
from towncircle.psd.hosted.caches import MIB, RecentSlots, Watch, entries_for, resident
from towncircle.psd.hosted.fleet import MAX_WAITING, Fleet
from towncircle.psd.hosted.funnel import Funnel
from towncircle.psd.hosted.seat import FleetStore
from towncircle.psd.memory import Change, MemoryInRam
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.recent import Recent

NAMES = [DeviceId.of(vendor="TC", model="1A", serial=serial) for serial in range(100, 106)]


class Seen:
    """Reach one device of a fleet as a byte port."""

    def __init__(self, fleet: Fleet, device: DeviceId) -> None:
        self._fleet, self._device = fleet, device

    def exchange(self, command: bytes) -> bytes:
        return self._fleet.exchange(self._device, command)


class Town:
    """A store with six funded devices, and hosts over it."""

    def __init__(self, store: FleetStore) -> None:
        self.store, self.clock, self.workshop = store, Hands(START), Workshop(START)
        self.host = self.new_host()
        for name in NAMES:
            manufacture(store, **self.workshop.birth(name))
            client = self.client(name)
            self.workshop.commission(client, name, START)
            self.workshop.reset(client, name, Mills.dollars(100), START)

    def new_host(self, **changes: int) -> Fleet:
        return Fleet(
            self.store,
            secret=lambda: SECRET,
            randomness=SeededRandomness(7, "fleet"),
            clock=self.clock,
            **changes,
        )

    def client(self, name: DeviceId, host: Fleet | None = None) -> DeviceClient:
        return DeviceClient(Seen(host or self.host, name))

    def pieces(self) -> list[int]:
        return [state.registers.pieces for state in self.store.load(NAMES).values()]


@pytest.fixture(params=["ram", "postgres"])
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    if request.param == "ram":
        yield Town(MemoryInRam())
        return
    databases: Callable[[], str] = request.getfixturevalue("databases")
    store = PostgresMemory(databases(), create=True)
    yield Town(store)
    store.close()


def command(request_id: str, *amounts: int) -> bytes:
    return commands.encode_command(batch(request_id, amounts or (730,)))


def read(answer: bytes) -> Evidenced:
    found = commands.decode_answer(answer)
    assert isinstance(found, Evidenced)
    return found


def test_many_devices_answer_in_one_call_in_the_order_asked(town: Town) -> None:
    asked = [(name, command(f"JOB-{at}", 100 + at)) for at, name in enumerate(NAMES)] * 1
    answers = [read(answer) for answer in town.host.exchange_many(asked)]
    assert [answer.registers.ascending for answer in answers] == [100 + at for at in range(len(NAMES))]
    assert town.pieces() == [1] * len(NAMES)


def test_commands_of_one_device_run_in_their_order_within_a_group(town: Town) -> None:
    name = NAMES[0]
    asked = [(name, command("A", 10)), (NAMES[1], command("A", 5)), (name, command("B", 20)), (name, command("A", 10))]
    first, _, second, again = (read(answer) for answer in town.host.exchange_many(asked))
    assert (first.first_piece, second.first_piece) == (1, 2)
    assert again == first
    assert [row.request_id for row in town.store.records(name) if row.kind == "evidence"] == ["A", "B"]


def test_a_repeated_command_gets_the_first_answer_from_any_host(town: Town) -> None:
    asked = [(name, command("JOB")) for name in NAMES]
    first = town.host.exchange_many(asked)
    assert town.host.exchange_many(asked) == first
    mixed = [*asked[:3], *[(name, command("NEW")) for name in NAMES[3:]]]
    answers = town.new_host().exchange_many(mixed)
    assert answers[:3] == first[:3]
    assert all(read(answer).first_piece == 2 for answer in answers[3:])
    assert town.pieces() == [1, 1, 1, 2, 2, 2]


def test_a_repeated_command_gets_the_first_answer_where_a_new_one_would_be_refused(town: Town) -> None:
    first = town.host.exchange(NAMES[0], command("ALL", 100_000))  # the whole balance
    town.host.exchange(NAMES[0], command("SMALL", 1))
    assert town.new_host().exchange(NAMES[0], command("ALL", 100_000)) == first
    with pytest.raises(Refused, match=r"psd\.funds-short"):
        read(town.host.exchange(NAMES[0], command("MORE", 1)))


def test_another_content_under_the_same_id_is_a_conflict(town: Town) -> None:
    town.host.exchange(NAMES[0], command("JOB", 10))
    with pytest.raises(Refused, match=r"psd\.request-conflict"):
        read(town.host.exchange(NAMES[0], command("JOB", 11)))
    assert town.pieces()[0] == 1


def test_a_host_that_was_overtaken_issues_nothing(town: Town) -> None:
    older, newer = town.host, town.new_host()
    read(newer.exchange(NAMES[0], command("JOB-1")))
    answers = older.exchange_many([(NAMES[0], command("JOB-2")), (NAMES[1], command("JOB-2"))])
    with pytest.raises(Refused, match=r"psd\.store-stale"):
        read(answers[0])
    assert read(answers[1]).first_piece == 1  # its neighbour in the group is not held up
    assert town.pieces()[:2] == [1, 1]
    assert not any(row.request_id == "JOB-2" for row in town.store.records(NAMES[0]))
    assert read(older.exchange(NAMES[0], command("JOB-2"))).first_piece == 2  # asked again, it takes the device back
    with pytest.raises(Refused, match=r"psd\.store-stale"):
        read(newer.exchange(NAMES[0], command("JOB-3")))


def test_a_device_that_is_not_there_holds_nobody_up(town: Town) -> None:
    stranger = DeviceId.of(vendor="TC", model="1A", serial=9)
    answers = town.host.exchange_many([(stranger, command("A")), (NAMES[0], command("A"))])
    assert commands.is_error(answers[0])
    assert read(answers[1]).count == 1


def test_callers_in_many_threads_never_share_a_piece(town: Town) -> None:
    found: list[Evidenced] = []

    def work(label: str) -> None:
        for turn in range(6):
            asked = [(name, command(f"{label}-{turn}", 3)) for name in NAMES]
            found.extend(read(answer) for answer in town.host.exchange_many(asked))

    threads = [threading.Thread(target=work, args=(f"T{at}",)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert town.pieces() == [24] * len(NAMES)
    assert len({answer.contents for answer in found}) == len(found) == 24 * len(NAMES)


def test_two_hosts_at_once_never_issue_one_piece_twice(town: Town) -> None:
    hosts, issued, lock = [town.host, town.new_host()], [], threading.Lock()

    def work(at: int) -> None:
        for turn in range(12):
            for answer in hosts[at].exchange_many([(name, command(f"H{at}-{turn}", 3)) for name in NAMES]):
                if not commands.is_error(answer):
                    with lock:
                        issued.append(read(answer).contents)

    threads = [threading.Thread(target=work, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(issued)) == len(issued) == sum(town.pieces())


def test_a_store_that_fails_releases_nothing_and_is_read_anew() -> None:
    town = Town(MemoryInRam())
    kept = town.store.commit_each

    def fail(changes: object) -> object:
        raise Refused("psd.store-failed", path="a disk", what="a rehearsed fault")

    town.store.commit_each = fail  # type: ignore[method-assign,assignment]
    for answer in town.host.exchange_many([(name, command("JOB")) for name in NAMES]):
        with pytest.raises(Refused, match=r"psd\.store-failed"):
            read(answer)
    town.store.commit_each = kept  # type: ignore[method-assign]
    assert town.pieces() == [0] * len(NAMES)
    assert all(
        read(answer).first_piece == 1 for answer in town.host.exchange_many([(n, command("JOB")) for n in NAMES])
    )


def test_an_interrupt_in_the_middle_of_a_group_leaves_no_half_device_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(MemoryInRam())

    def interrupted(changes: object) -> object:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(town.store, "commit_each", interrupted)
        with pytest.raises(KeyboardInterrupt):
            town.host.exchange_many([(name, command("JOB-1")) for name in NAMES])
    assert town.pieces() == [0] * len(NAMES)
    assert read(town.host.exchange(NAMES[0], command("JOB-1"))).first_piece == 1


def test_a_queue_before_one_device_is_bounded() -> None:
    town = Town(MemoryInRam())
    with town.host._turns([NAMES[0]]):
        threads = [
            threading.Thread(target=town.host.exchange, args=(NAMES[0], command(f"J{at}")))
            for at in range(MAX_WAITING - 1)
        ]
        for thread in threads:
            thread.start()
        while len(town.host._waiting[NAMES[0]]) < MAX_WAITING:
            threading.Event().wait(0.01)
        with pytest.raises(Refused, match=r"psd\.host-busy"):
            read(town.host.exchange(NAMES[0], command("ONE-TOO-MANY")))
        assert read(town.host.exchange(NAMES[1], command("OTHER"))).count == 1
    for thread in threads:
        thread.join()
    assert town.pieces()[0] == MAX_WAITING - 1


def test_zeroising_takes_the_keys_of_that_device_only(town: Town) -> None:
    client = town.client(NAMES[0])
    from towncircle.wire.bodies import Withdraw

    client.withdraw(town.workshop.seal(NAMES[0], Withdraw(reason="returned"), START))
    client.zeroise(NAMES[0])
    assert town.store.load([NAMES[0]])[NAMES[0]].indicia_key is None
    assert read(town.host.exchange(NAMES[1], command("JOB"))).count == 1


def test_what_is_at_hand_is_bounded_and_the_oldest_goes_first() -> None:
    held: Recent[int, str] = Recent(2)
    for number in (1, 2):
        held.put(number, str(number))
    held.get(1)
    held.put(3, "3")
    assert (held.get(1), held.get(2), held.get(3)) == ("1", None, "3")
    held.shrink(1)
    assert len(held) == 1
    held.drop(3)
    assert len(held) == 0


def test_keys_are_opened_again_after_they_were_let_go() -> None:
    slots = RecentSlots(lambda: SECRET, SeededRandomness(1, "keys"), limit=2)
    made = [slots.make("ecdsa-p256") for _ in range(4)]
    for key in (*made, *made):
        assert slots.signer(key).public.raw == key.public
    assert len(slots.opened) == 2
    slots.drop()
    assert len(slots.opened) == 0


def test_a_host_near_its_limit_of_memory_lets_devices_go() -> None:
    table: Recent[int, str] = Recent(10_000)
    for number in range(5_000):
        table.put(number, "x")
    watch = Watch(resident() // 2, (table,), every=1)  # type: ignore[arg-type]
    watch.look()
    assert len(table) == 2_500
    assert entries_for(300 * MIB) > 10 * entries_for(0)


def test_a_damaged_row_is_named_and_holds_nobody_else_up(databases: Callable[[], str]) -> None:
    import psycopg

    dsn = databases()
    store = PostgresMemory(dsn, create=True)
    town = Town(store)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE device SET moving = moving || '\\x00' WHERE id = %s", (str(NAMES[0]),))
    damaged, sound = town.new_host().exchange_many([(NAMES[0], command("A")), (NAMES[1], command("A"))])
    with pytest.raises(BrokenInvariant, match=r"psd\.store-damaged"):
        read(damaged)
    assert read(sound).count == 1
    with psycopg.connect(dsn, autocommit=True) as connection:  # another device's row, whole
        connection.execute(
            "UPDATE device SET (steady, moving, digest) = (SELECT steady, moving, digest FROM device WHERE id = %s) "
            "WHERE id = %s",
            (str(NAMES[1]), str(NAMES[0])),
        )
    with pytest.raises(BrokenInvariant, match=r"another device's"):
        store.load(NAMES[:2])
    store.close()


def test_single_calls_of_many_threads_share_commits(town: Town) -> None:
    commits: list[int] = []
    kept, first, others_wait = town.store.commit_each, threading.Event(), threading.Event()

    def counted(changes: Sequence[Change]) -> Collection[DeviceId]:
        commits.append(len(changes))
        first.set()
        assert others_wait.wait(60)
        return kept(changes)

    town.store.commit_each = counted  # type: ignore[method-assign]
    funnel = Funnel(town.host)
    asked = [(name, command(f"J{turn}")) for turn in range(8) for name in NAMES]
    threads = [threading.Thread(target=funnel.exchange, args=one) for one in asked]
    threads[0].start()
    assert first.wait(60)  # one command is being committed, and no other was asked yet
    for thread in threads[1:]:
        thread.start()
    while funnel._asked.qsize() < len(asked) - 1:
        time.sleep(0.001)
    others_wait.set()
    for thread in threads:
        thread.join()
    funnel.close()
    assert town.pieces() == [8] * len(NAMES)
    assert commits == [1, len(NAMES)]  # the one that came first, then all that waited


def test_a_defect_in_one_group_does_not_silence_the_funnel(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(MemoryInRam())
    funnel = Funnel(town.host)
    with monkeypatch.context() as patch:
        patch.setattr(town.host, "exchange_many", lambda asked: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            funnel.exchange(NAMES[0], command("A"))
    assert read(funnel.exchange(NAMES[0], command("A"))).count == 1
    funnel.close()
