"""A crash at every write index: nothing lost, nothing doubled."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from tests.psd.setting import DEVICE, Story, sqlite

from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.psd.memory import MemoryInRam
from towncircle.testing.faulty_memory import FaultyMemory

How = Literal["before", "after"]


def sweep(tmp_path: Path, how: How, *, disk: bool, prepare: str, act: Callable[[Story], None]) -> int:
    """Run an act with a fault at write 1, 2, ... until no fault is met any more; give the number of faults."""
    for fail_at in range(1, 40):
        place = tmp_path / f"{how}-{fail_at}"
        place.mkdir()
        story = Story(sqlite(place) if disk else MemoryInRam()).to(prepare)
        faulty = FaultyMemory(story.memory, fail_at=fail_at, how=how)
        story.memory, whole = faulty, story.memory
        with suppress(Refused):
            story.restart()
            act(story)
        story.memory = whole
        story.restart()
        act(story)  # the host tries again after the restart
        assert story.client.status().state == "in service"
        story.state().check()
        whole.close()
        if faulty.writes < fail_at:
            return fail_at - 1
    raise AssertionError("the act never ended")


def print_two(story: Story) -> None:
    first = story.evidence("JOB-1", amounts=(730, 1060))
    second = story.evidence("JOB-2", amounts=(290,))
    assert (first.first_piece, second.first_piece) == (1, 3)
    status = story.client.status()
    assert (status.registers.ascending, status.registers.pieces) == (2080, 3)
    assert story.client.recover("JOB-1") == first


def reset_and_acknowledge(story: Story) -> None:
    if story.client.status().last_applied == "":
        opened = story.workshop.open(DEVICE, story.client, story.client.request_reset(Mills.dollars(100)).message)
        sealed = story.workshop.authorisation(DEVICE, opened, story.now)
        done = story.client.apply_reset(sealed)
        assert story.client.apply_reset(sealed) == done
    status = story.client.status()
    assert (status.resets_total, status.registers.descending) == (100_000, 100_000)
    assert status.open_request == ""


def contact_twice(story: Story) -> None:
    story.contact()
    story.contact()
    assert story.client.status().registers.descending == Mills.dollars(100)


@pytest.mark.parametrize("disk", [False, True])
@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize(
    ("prepare", "act", "writes"),
    [("in service", print_two, 3), ("authorised", reset_and_acknowledge, 3), ("in service", contact_twice, 5)],
)
def test_a_crash_at_any_write_settles(
    tmp_path: Path, how: How, disk: bool, prepare: str, act: Callable[[Story], None], writes: int
) -> None:
    assert sweep(tmp_path, how, disk=disk, prepare=prepare, act=act) == writes


def test_a_write_that_was_kept_but_not_told_is_found_again_by_its_id() -> None:
    story = Story().to("in service")
    story.restart(FaultyMemory(story.memory, fail_at=2, how="after"))
    with pytest.raises(Refused, match=r"psd\.store-failed"):
        story.evidence("JOB-1", amounts=(730,))
    assert story.client.recover("JOB-1").registers.ascending == 730
    assert story.evidence("JOB-1", amounts=(730,)).registers.ascending == 730
    assert story.client.status().registers.pieces == 1


def test_a_write_that_failed_leaves_the_running_device_as_it_was() -> None:
    story = Story().to("in service")
    story.restart(FaultyMemory(story.memory, fail_at=2, how="before"))
    with pytest.raises(Refused, match=r"psd\.store-failed"):
        story.evidence("JOB-1", amounts=(730,))
    assert story.client.status().registers.pieces == 0
    assert story.evidence("JOB-1", amounts=(730,)).first_piece == 1


def test_a_batch_that_was_not_kept_has_not_happened_for_the_running_device() -> None:
    story = Story().to("in service")  # more than one piece: one alone is decided from the registers in plain numbers
    story.restart(FaultyMemory(story.memory, fail_at=2, how="before"))
    before = story.client.status()
    with pytest.raises(Refused, match=r"psd\.store-failed"):
        story.evidence("JOB-1", amounts=(730, 1060))
    assert story.client.status() == before
    assert story.state().registers == before.registers
    made = story.evidence("JOB-2", amounts=(290, 290))
    assert (made.first_piece, made.registers.ascending, made.registers.pieces) == (1, 580, 2)
    with pytest.raises(Refused, match=r"psd\.request-unknown"):
        story.client.recover("JOB-1")
    story.restart()
    assert story.client.status().registers == made.registers
