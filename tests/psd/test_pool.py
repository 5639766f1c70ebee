"""Worker processes of a host: every device with one of them, and one that dies takes only its answers with it."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from towncircle.bench.debits import name_of
from towncircle.bench.device import evidence_command
from towncircle.bench.fleet import populate, template
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd import codec, commands
from towncircle.psd.commands import Evidenced
from towncircle.psd.hosted.funnel import Lanes
from towncircle.psd.hosted.pool import MODULE, Pool, Setting, Worker, read_items, write_items
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import SystemClock
from towncircle.psd.state import DeviceState
from towncircle.wire import cbor

NAMES = [name_of(number) for number in range(12)]
SECRET_OF_BENCH = bytes(32)


@pytest.mark.parametrize("step", [1, 2, 10, 7919])
def test_serials_that_follow_each_other_or_lie_evenly_apart_are_shared_evenly(step: int) -> None:
    pool = Pool(dsn="", secret=SECRET_OF_BENCH, workers=2)
    for start in (0, 17, 4_000_000_000):
        drawn = [DeviceId.of(vendor="TC", model="1A", serial=start + at * step) for at in range(100)]
        assert 45 <= sum(map(pool.place, drawn)) <= 55
    assert pool.place(DeviceId("no such device")) in (0, 1)


class Town:
    def __init__(self, dsn: str) -> None:
        self.dsn, self.store = dsn, PostgresMemory(dsn, create=True)
        populate(self.store, template(), len(NAMES))
        self.pool = self.new_pool()
        self.day = SystemClock().now().date_in("America/New_York").isoformat()

    def new_pool(self, dsn: str = "") -> Pool:
        return Pool(dsn=dsn or self.dsn, secret=SECRET_OF_BENCH, workers=2)

    def asked(self, label: str, pieces: int = 1) -> list[tuple[DeviceId, bytes]]:
        return [(name, evidence_command(f"{label}-{name}", pieces, self.day)) for name in NAMES]

    def read_anew(self) -> Mapping[DeviceId, DeviceState]:
        store = PostgresMemory(self.dsn)
        found = store.load(NAMES)
        store.close()
        return found

    def pieces(self) -> list[int]:
        return [self.store.load([name])[name].registers.pieces for name in NAMES]


@pytest.fixture
def town(databases: Callable[[], str]) -> Iterator[Town]:
    made = Town(databases())
    yield made
    made.pool.close()
    made.store.close()


def told(answer: bytes) -> str:
    try:
        return type(commands.decode_answer(answer)).__name__
    except Refused as refusal:
        return refusal.code


def test_answers_come_in_the_order_asked_from_two_workers(town: Town) -> None:
    answers = [commands.decode_answer(answer) for answer in town.pool.exchange_many(town.asked("a"))]
    assert len(town.pool.pids()) == 2
    for name, answer in zip(NAMES, answers, strict=True):
        assert isinstance(answer, Evidenced)
        assert answer.request_id == f"a-{name}"
    assert town.pieces() == [1] * len(NAMES)


def test_a_killed_worker_is_started_again_and_no_piece_is_doubled(town: Town) -> None:
    first = town.pool.exchange_many(town.asked("a"))
    os.kill(town.pool.pids()[0], signal.SIGKILL)
    answers = town.pool.exchange_many(town.asked("b"))
    lost = [at for at, answer in enumerate(answers) if told(answer) == "psd.unreachable"]
    assert len(lost) < len(NAMES)
    again = town.pool.exchange_many(town.asked("b"))
    assert [told(answer) for answer in again] == ["Evidenced"] * len(NAMES)
    assert all(again[at] == answers[at] for at in range(len(NAMES)) if at not in lost)
    assert town.pool.exchange_many(town.asked("a")) == first
    assert town.pieces() == [2] * len(NAMES)


def test_workers_killed_under_load_lose_no_acknowledged_debit(town: Town) -> None:
    kept: dict[str, bytes] = {}
    over, more = threading.Event(), threading.Event()

    def work() -> None:
        turn = 0
        while not over.is_set():
            asked = town.asked(f"t{turn}", 3)
            for (name, _), answer in zip(asked, town.pool.exchange_many(asked), strict=True):
                if told(answer) == "Evidenced":
                    kept[f"t{turn}-{name}"] = answer
                    more.set()
            turn += 1

    thread = threading.Thread(target=work)
    thread.start()
    pause = threading.Event()
    for turn in range(6):
        more.clear()
        assert more.wait(60)
        pause.wait(0.01 * turn)
        for pid in town.pool.pids()[:1]:
            os.kill(pid, signal.SIGKILL)
    over.set()
    thread.join()
    for request, answer in kept.items():
        name = DeviceId(request.rpartition("-")[2])
        record = town.store.record(name, kind="evidence", request_id=request)
        assert record is not None
        assert record.response == answer
    for name in NAMES:
        ranges = sorted((row.first_piece, row.count) for row in town.store.records(name) if row.count)
        assert [first for first, _ in ranges] == [1 + 3 * at for at in range(len(ranges))]


def test_a_store_that_cannot_be_opened_is_the_answer_and_is_tried_again(town: Town) -> None:
    pool = town.new_pool("host=/nowhere user=postgres dbname=postgres")
    for _ in range(2):
        assert {told(answer) for answer in pool.exchange_many(town.asked("a"))} == {"psd.store-failed"}
    pool.close()
    assert town.pieces() == [0] * len(NAMES)


def test_what_a_database_says_goes_to_the_operator_and_its_kind_alone_to_the_callers(
    town: Town, capfd: pytest.CaptureFixture[str]
) -> None:
    pool = Pool(dsn="host=/nowhere user=somebody dbname=ledger password=hunter2", secret=SECRET_OF_BENCH, workers=1)
    answers = [pool.exchange(NAMES[0], evidence_command("a", 1, town.day)) for _ in range(2)]
    pool.close()
    for answer in answers:
        with pytest.raises(Refused) as refused:
            commands.decode_answer(answer)
        assert refused.value.code == "psd.store-failed"
        for secret in ("nowhere", "somebody", "ledger", "hunter2"):
            assert secret not in str(refused.value)
        assert "OperationalError" in refused.value.sentence
    said = [line for line in capfd.readouterr().err.splitlines() if "PostgreSQL ledger at /nowhere" in line]
    assert len(said) == 1  # once, though it was asked twice
    assert "hunter2" not in said[0]


@pytest.mark.parametrize(
    "dsn", ["postgresql:/u:hunter2@h/db", "password=correct hunter2", "postgresql://u:hunter%ss@h/db"]
)
def test_a_connection_string_that_cannot_be_read_is_not_shown(dsn: str) -> None:
    with pytest.raises(Refused) as refused:
        PostgresMemory(dsn)
    assert refused.value.code == "psd.store-failed"
    for shown in (str(refused.value), repr(refused.value.params), refused.value.sentence):
        assert "hunter" not in shown
    assert refused.value.__cause__ is None


def test_an_interrupted_call_never_leaves_its_answers_to_the_next_one(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.pool.exchange_many(town.asked("a"))
    with monkeypatch.context() as patch:

        def interrupted(_stream: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("towncircle.psd.hosted.pool.read_items", interrupted)
        with pytest.raises(KeyboardInterrupt):
            town.pool.exchange_many(town.asked("b"))
    answers = [commands.decode_answer(answer) for answer in town.pool.exchange_many(town.asked("c"))]
    assert [answer.request_id for answer in answers if isinstance(answer, Evidenced)] == [f"c-{name}" for name in NAMES]


def test_a_large_group_is_cut_into_parts_and_answered_whole(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("towncircle.psd.hosted.pool._BYTES_AT_ONCE", 5000)
    answers = town.pool.exchange_many(town.asked("a", 400))
    assert [told(answer) for answer in answers] == ["Evidenced"] * len(NAMES)


def test_a_secret_shows_in_no_argument_and_no_repr(town: Town) -> None:
    secret = "5" * 32
    pool = Pool(dsn=town.dsn, secret=secret.encode(), workers=1, memory_limit=200 << 20)
    pool.exchange_many(town.asked("a"))
    (pid,) = pool.pids()
    place = Path("/proc") / str(pid)
    shown = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
    pool.close()
    assert secret.encode() not in shown
    assert town.dsn.encode() not in shown
    assert secret not in repr(vars(pool.workers[0]))


def test_a_frame_cut_short_is_no_frame() -> None:
    import io

    whole = io.BytesIO()
    write_items(whole, [b"one", b"", b"three"])
    data = whole.getvalue()
    assert read_items(io.BytesIO(data)) == [b"one", b"", b"three"]
    for size in range(len(data)):
        assert read_items(io.BytesIO(data[:size])) is None


def test_a_worker_that_hangs_holds_only_its_own_devices_and_is_ended(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.pool.exchange_many(town.asked("a"))
    lanes = Lanes(town.pool)
    hung = town.pool.workers[0].child
    assert hung is not None
    os.kill(hung.pid, signal.SIGSTOP)
    monkeypatch.setattr("towncircle.psd.hosted.pool.ANSWER_S", 8)
    there = next(name for name in NAMES if town.pool.place(name) == 0)
    here = next(name for name in NAMES if town.pool.place(name) == 1)
    late: list[str] = []
    waiting = threading.Thread(
        target=lambda: late.append(told(lanes.exchange(there, evidence_command("b", 1, town.day))))
    )
    waiting.start()
    assert told(lanes.exchange(here, evidence_command("b", 1, town.day))) == "Evidenced"
    assert late == []
    waiting.join()
    assert late == ["psd.unreachable"]
    assert told(lanes.exchange(there, evidence_command("b", 1, town.day))) == "Evidenced"
    lanes.close()


def test_a_worker_that_hangs_while_it_is_written_to_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(Setting(dsn="host=/nowhere", secret=SECRET_OF_BENCH, memory_limit=0), MODULE)
    child = worker._start()
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    monkeypatch.setattr("towncircle.psd.hosted.pool.ANSWER_S", 0.2)
    large = evidence_command("b", 1000, "2026-11-21")
    asked = [(NAMES[0], large)] * (200_000 // len(large) + 1)  # more than a pipe takes
    late: list[bytes] = []
    asking = threading.Thread(target=lambda: late.extend(worker.exchange_many(asked)), daemon=True)
    asking.start()
    asking.join(60)
    assert {told(answer) for answer in late} == {"psd.unreachable"}
    assert child.poll() == -signal.SIGKILL
    assert worker.child is None


@pytest.mark.parametrize(("workers", "memory"), [(0, 300), (3, 300), (1, 100), (65, 100_000)])
def test_workers_that_do_not_fit_into_the_memory_are_refused(workers: int, memory: int) -> None:
    with pytest.raises(BadInput) as refused:
        Pool(dsn="", secret=SECRET_OF_BENCH, workers=workers, memory_limit=memory << 20)
    assert refused.value.code == "psd.workers"


def test_a_request_id_that_no_database_takes_fails_alone(town: Town) -> None:
    asked = [*town.asked("a")[:3], (NAMES[3], evidence_command("B\0", 1, town.day))]
    assert [told(answer) for answer in town.pool.exchange_many(asked)[:3]] == ["Evidenced"] * 3


def test_rows_of_version_0_1_0_are_read_moved_and_stay_lawful(town: Town) -> None:
    """The first version cut a state elsewhere: 19 fields moved with each debit."""
    import hashlib

    import psycopg

    old_steady = {"device", "provider", "provider_key", "root_fingerprint", "test_root", "regime", "scheme", "domain"}
    old_steady |= {"parameters", "indicia_key", "message_key", "indicia_certificate", "message_certificate"}
    every = {field.name for field in dataclasses.fields(DeviceState)} - {"terms"}
    parts = [codec.part(DeviceState, names) for names in (old_steady, every - old_steady)]

    def as_before() -> None:
        with psycopg.connect(town.dsn, autocommit=True) as connection:
            for name, state in town.store.load(NAMES).items():
                steady, moving = (part.encode(state) for part in parts)
                digest = hashlib.sha256(hashlib.sha256(steady).digest() + moving).digest()
                connection.execute(
                    "UPDATE device SET steady = %s, moving = %s, digest = %s WHERE id = %s",
                    (steady, moving, digest, name),
                )

    as_before()
    before = town.store.load(NAMES)
    for label in ("a", "b"):
        town.pool.exchange_many(town.asked(label))
        for name, state in town.read_anew().items():
            state.check()
            assert state.resets_total == before[name].resets_total
            assert state.state == "in service"
    as_before()
    town.pool.close()
    town.pool.exchange_many(town.asked("c"))
    assert town.pieces() == [3] * len(NAMES)
    for state in town.read_anew().values():
        state.check()


def test_a_part_that_lacks_what_every_version_has_is_damage(town: Town) -> None:
    state = town.store.load(NAMES[:1])[NAMES[0]]
    with pytest.raises(BrokenInvariant, match="missing"):
        DeviceState.join(cbor.encode({0: NAMES[0]}), state.encode_moving())
