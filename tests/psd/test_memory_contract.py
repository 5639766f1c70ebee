"""One contract for every memory of the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, Story, sqlite

from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd.memory import Change, Memory, MemoryInRam, Record
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.state import DeviceState

OTHER = DeviceId.of(vendor="TC", model="1A", serial=18)
STATE = DeviceState(
    device=DEVICE, provider="provider.x", provider_key=b"k", root_fingerprint=b"r", test_root=True, counter=1, epoch=1
)


@pytest.fixture(params=["ram", "sqlite", "postgres", "postgres in parts"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Memory]]:
    if not request.param.startswith("postgres"):
        yield MemoryInRam if request.param == "ram" else lambda: sqlite(tmp_path)
        return
    dsn = request.getfixturevalue("databases")()
    made = PostgresMemory(dsn, create=True, partitions=4 if request.param.endswith("parts") else 0)
    yield lambda: made
    made.close()


def record(request_id: str, response: bytes = b"answer") -> Record:
    return Record(
        kind="evidence", request_id=request_id, command_digest=b"d", response=response, first_piece=1, count=1
    )


def test_a_memory_gives_back_what_was_committed(make: Callable[[], Memory]) -> None:
    memory = make()
    assert memory.load([DEVICE]) == {}
    memory.commit([Change(DEVICE, 0, 0, STATE, ())])
    after = replace(STATE, counter=2, reprints=4)
    memory.commit([Change(DEVICE, 1, 1, after, (record("A"), record("B", b"")))])
    assert memory.load([DEVICE, OTHER]) == {DEVICE: after}
    assert memory.record(DEVICE, kind="evidence", request_id="A") == record("A")
    assert memory.record(DEVICE, kind="received", request_id="A") is None
    assert memory.record(OTHER, kind="evidence", request_id="A") is None
    assert [row.request_id for row in memory.records(DEVICE)] == ["A", "B"]


@pytest.mark.parametrize(("counter", "epoch"), [(0, 0), (0, 1), (2, 1), (1, 2), (1, 0)])
def test_another_counter_or_epoch_is_refused_and_nothing_is_kept(
    make: Callable[[], Memory], counter: int, epoch: int
) -> None:
    memory = make()
    memory.commit([Change(DEVICE, 0, 0, STATE, ())])
    other = replace(STATE, device=OTHER)
    changes = [
        Change(OTHER, 0, 0, other, (record("A"),)),
        Change(DEVICE, counter, epoch, replace(STATE, counter=9), (record("B"),)),
    ]
    with pytest.raises(Refused, match=r"psd\.store-stale"):
        memory.commit(changes)
    assert memory.load([DEVICE, OTHER]) == {DEVICE: STATE}
    assert list(memory.records(DEVICE)) == list(memory.records(OTHER)) == []


def test_many_devices_are_kept_in_one_commit(make: Callable[[], Memory]) -> None:
    memory = make()
    other = replace(STATE, device=OTHER)
    memory.commit([Change(DEVICE, 0, 0, STATE, ()), Change(OTHER, 0, 0, other, (record("A"),))])
    assert memory.load([OTHER, DEVICE]) == {OTHER: other, DEVICE: STATE}


def test_a_record_is_never_written_over(make: Callable[[], Memory]) -> None:
    memory = make()
    memory.commit([Change(DEVICE, 0, 0, STATE, (record("A"),))])
    with pytest.raises(BrokenInvariant, match=r"psd\.record-doubled"):
        memory.commit([Change(DEVICE, 1, 1, replace(STATE, counter=2), (record("A", b"other"),))])
    assert memory.load([DEVICE]) == {DEVICE: STATE}


def test_a_device_lives_on_any_memory(make: Callable[[], Memory]) -> None:
    story = Story(make()).to("in service")
    done = story.evidence(amounts=(1, 2, 3))
    story.restart()
    assert story.client.recover("JOB-1") == done
    assert story.client.status().registers.pieces == 3


def test_an_older_owner_of_the_same_memory_cannot_commit_any_more(make: Callable[[], Memory]) -> None:
    story = Story(make()).to("in service")
    older = story.client
    story.restart()
    story.evidence("JOB-1")
    from tests.psd.setting import batch

    for name in ("JOB-2", "JOB-3"):
        with pytest.raises(Refused, match=r"psd\.store-stale"):
            older.evidence(batch(name))
    assert story.client.status().registers.pieces == 1


def test_state_reads_back_in_every_stage() -> None:
    for stage in ("manufactured", "initialised", "authorised", "in service", "locked", "withdrawn", "zeroised"):
        state = Story().to(stage).state()
        assert DeviceState.decode(state.encode()) == state
