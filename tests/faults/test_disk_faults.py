"""The disk is full, or fails, at each of its operations: the device refuses, releases nothing, and recovers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
from tests.psd.setting import DEVICE, Story

from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.psd.commands import Evidenced
from towncircle.psd.sqlite import SqliteMemory
from towncircle.testing import forgetful_disk
from towncircle.testing.dice import dice_for
from towncircle.testing.forgetful_disk import Fault, ForgetfulDisk, Kind, Platter

STORE = Path("/device.sqlite")
FAULTS = {
    "the disk is full once": (apsw.FullError, {"write", "create"}, True),
    "the disk stays full": (apsw.FullError, {"write", "create"}, False),
    "a write fails": (apsw.IOError, {"write", "truncate"}, True),
    "a sync fails": (apsw.IOError, {"sync"}, True),
    "no sync succeeds any more": (apsw.IOError, {"sync"}, False),
}
RECOVERIES = ("closed and opened again", "killed and opened again", "after a power cut")


class Rig:
    """A funded device on a forgetful disk, put back to the same beginning for every fault."""

    def __init__(self) -> None:
        self.disk, self.pages = ForgetfulDisk(), 6
        self.story = Story(self.memory(create=True)).to("in service")
        self.story.memory.close()
        self.files = self.disk.live()

    def memory(self, *, create: bool = False) -> SqliteMemory:
        return SqliteMemory(STORE, create=create, vfs=self.disk.vfs, checkpoint_pages=self.pages)

    def start(self) -> None:
        self.pages = 6
        self.disk.fault = lambda _index, _kind: None
        self.disk.insert(self.files)
        self.switch_on()

    def switch_on(self) -> None:
        self.story.memory = self.memory()
        self.story.restart()

    def cut(self, choose: Callable[..., object] = forgetful_disk.nothing) -> dict[str, bytes]:
        platter = Platter(self.files)
        for operation in self.disk.operations:
            platter.play(operation)
        return platter.image(choose)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.disk.fault = lambda _index, _kind: None
    made.story.memory.close()


def first_job(story: Story) -> Evidenced:
    return story.evidence("JOB-1", (730, 1060))


def reset(story: Story) -> Mills:
    if story.client.status().resets_total == Mills.dollars(100):
        opened = story.workshop.open(DEVICE, story.client, story.client.request_reset(Mills.dollars(50)).message)
        story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now))
    return story.client.status().resets_total


def second_job(story: Story) -> Evidenced:
    return story.evidence("JOB-2", (10,) * 40)


def contact(story: Story) -> str:
    story.contact()
    return "made"


STEPS = (first_job, reset, second_job, contact)


def fault_at(at: int, error: type[apsw.Error], kinds: set[Kind], *, once: bool) -> tuple[Fault, list[int]]:
    met: list[int] = []
    seen = [0]

    def fault(index: int, kind: Kind) -> None:
        if kind not in kinds:
            return
        seen[0] += 1
        if seen[0] == at or (seen[0] > at and not once):
            met.append(index)
            raise error("a rehearsed fault")

    return fault, met


def work(story: Story) -> tuple[list[object], bool]:
    """Do all steps until one is refused; a refusal must be that of the store, and nothing may follow it."""
    done: list[object] = []
    for step in STEPS:
        try:
            done.append(step(story))
        except Refused as refusal:
            if refusal.code != "psd.store-failed":
                raise
            with pytest.raises(Refused, match=r"psd\.store-failed"):
                story.evidence("JOB-9", (1,))
            return done, False
    return done, True


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_any_disk_operation_releases_nothing_and_is_recovered_from(
    rig: Rig, name: str, recovery: str
) -> None:
    error, kinds, once = FAULTS[name]
    dice = dice_for(name, recovery)
    refused = 0
    for at in range(1, 1000):
        rig.start()
        rig.disk.fault, met = fault_at(at, error, kinds, once=once)  # type: ignore[arg-type]
        released, whole = work(rig.story)
        if not met:
            assert whole
            break
        refused += not whole
        rig.disk.fault = lambda _index, _kind: None
        if recovery == "after a power cut":
            left = rig.cut(dice.choice((forgetful_disk.nothing, forgetful_disk.torn(dice))))
            rig.disk.insert(left)
        elif recovery == "killed and opened again":
            rig.disk.kill()
            rig.pages = 1000  # no later checkpoint mends what the opening did not
        else:
            rig.story.memory.close()
        rig.switch_on()
        finished, whole = work(rig.story)
        assert whole
        assert finished[: len(released)] == released
        status = rig.story.client.status()
        assert (status.registers.ascending, status.resets_total, status.registers.pieces) == (2190, 150_000, 42)
        if recovery != "after a power cut":  # what was acknowledged since must not stand in the machine's memory only
            rig.disk.insert(rig.cut())
            rig.switch_on()
            assert rig.story.client.status().registers == status.registers
            assert work(rig.story)[0] == finished
    assert refused > 5
