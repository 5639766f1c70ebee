"""The reset protocol over a hostile wire, with either side crashing: it settles to the mill, and nothing is left open.

On the build server (CI=true) every leg x fault x crash point is walked, elsewhere a drawn share of them; the long
stories are `python -m towncircle.testing.hostile_wire --seed N --rounds M`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from towncircle.kernel.money import Mills
from towncircle.psd.state import DeviceState
from towncircle.testing.dice import dice_for
from towncircle.testing.hostile_wire import FAULTS, BrokenLawError, Stage

EVERY = bool(os.environ.get("CI"))
LEGS, POINTS = 12, 52  # what one reset and its settling have where nothing goes wrong


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage") / "world")


def state_of(stage: Stage) -> DeviceState:
    return stage.sandbox.memory().load([stage.sandbox.device])[stage.sandbox.device]


def test_without_faults_a_reset_has_so_many_legs_and_crash_points(stage: Stage) -> None:
    assert stage.tell({}) == (LEGS, POINTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_at_any_leg_settles(stage: Stage, fault: str) -> None:
    for leg in range(1, LEGS + 1):
        stage.tell({leg: fault})
        assert stage.wire.met == [f"leg {leg} {fault}"]


def test_a_crash_of_any_party_at_any_commit_settles(stage: Stage) -> None:
    for point in range(1, POINTS + 1):
        stage.tell({}, point)


@pytest.mark.parametrize("leg", range(1, LEGS + 1))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_and_a_crash_together_settle(stage: Stage, fault: str, leg: int) -> None:
    dice = dice_for("fault and crash", fault, leg)
    points = range(1, POINTS + 1) if EVERY else [dice.randint(1, POINTS)]
    for point in points:
        stage.tell({leg: fault}, point)


def test_two_faults_settle(stage: Stage) -> None:
    dice = dice_for("two faults")
    for _ in range(400 if EVERY else 30):
        first, second = sorted(dice.sample(range(1, LEGS + 1), 2))
        stage.tell({first: dice.choice(FAULTS), second: dice.choice(FAULTS)}, dice.choice((0, dice.randint(1, POINTS))))


def test_no_leg_but_the_last_may_be_lost_for_ever_and_yet_the_money_waits(stage: Stage) -> None:
    for fault in ("lost", "cut", "altered", "misdelivered"):
        stage.rewind()
        stage.wire.begin(lambda _leg, fault=fault: fault)  # type: ignore[misc]
        for _ in range(3):
            assert not stage.attempt(lambda: stage.journeys.reset(Mills.dollars(50)))
        assert state_of(stage).resets_total == Mills.dollars(100)
        stage.settle()


@pytest.mark.parametrize("number", range(12 if EVERY else 2))
def test_a_long_story_of_drawn_faults_and_crashes_keeps_the_law(stage: Stage, number: int) -> None:
    stage.wander(dice_for("hostile wire", 2026, number), 12)


def test_the_law_is_not_blind(stage: Stage) -> None:
    stage.rewind()
    stage.wire.begin(lambda leg: "lost" if leg > 4 else "")  # the acknowledgment never arrives
    stage.attempt(lambda: stage.journeys.reset(Mills.dollars(50)))
    with pytest.raises(BrokenLawError):
        stage.check()
    stage.rewind()
    stage.journeys.reset(Mills.dollars(50))
    forget = stage.sandbox.memory().mark()
    stage.journeys.reset(Mills.dollars(20))
    forget()  # the device's store is put back by a day
    stage.sandbox.world.shelf.close()
    with pytest.raises(BrokenLawError):
        stage.check()


# rollback and clones


@pytest.fixture
def fresh(stage: Stage) -> Iterator[Stage]:
    stage.rewind()
    yield stage
    stage.rewind()


def spend(stage: Stage, name: str, mills: int) -> None:
    stage._spend(name, mills)


def later(stage: Stage, restore: Callable[[], None]) -> None:
    """Put the device's store back, and let an hour pass."""
    restore()
    stage.sandbox.world.shelf.close()
    stage.sandbox.world.clock.advance("1h")
    stage.spent = 0


def frozen(stage: Stage) -> str:
    with stage.sandbox.store("provider.harbor").reading() as view:
        row = view.get("device", stage.sandbox.device)
    assert row is not None
    return str(row.body["frozen"])


def test_a_restored_device_is_caught_at_its_next_contact_and_frozen(fresh: Stage) -> None:
    restore = fresh.sandbox.memory().mark()
    spend(fresh, "JOB-1", 60_000)
    fresh.journeys.contact()
    later(fresh, restore)
    assert state_of(fresh).registers.descending == Mills.dollars(100)  # the money seems to be back
    assert not fresh.attempt(fresh.journeys.contact)
    assert "older copy" in frozen(fresh)
    assert not fresh.attempt(lambda: fresh.journeys.reset(Mills.dollars(50)))
    with fresh.sandbox.store("provider.harbor").reading() as view:
        events = [fact for fact in view.facts() if fact.type == "device.frozen"]
    assert len(events) == 1


def test_a_restored_device_that_prints_on_before_it_calls_is_caught_all_the_same(fresh: Stage) -> None:
    restore = fresh.sandbox.memory().mark()
    spend(fresh, "JOB-1", 60_000)
    fresh.journeys.contact()
    later(fresh, restore)
    for number in range(20):  # its counter runs past the one that the Provider knows
        spend(fresh, f"JOB-OTHER-{number}", 100)
    assert not fresh.attempt(fresh.journeys.contact)
    assert frozen(fresh)


def test_a_restored_device_that_had_spent_nothing_is_caught_by_its_counter(fresh: Stage) -> None:
    restore = fresh.sandbox.memory().mark()
    with fresh.sandbox.world.shelf.client(fresh.sandbox.device) as client:
        for _ in range(5):
            client.audit()  # which nobody sent: no name of a message repeats
    fresh.journeys.contact()
    later(fresh, restore)
    assert not fresh.attempt(fresh.journeys.contact)
    assert "message counter" in frozen(fresh)


def test_of_two_copies_the_second_to_call_is_frozen_and_each_spent_no_more_than_its_balance(fresh: Stage) -> None:
    copy = fresh.sandbox.memory().mark()
    total = 0
    for number in range(30):
        before = state_of(fresh).registers.ascending
        spend(fresh, f"FIRST-{number}", 7_000)
        total += int(state_of(fresh).registers.ascending - before)
    assert total <= Mills.dollars(100)  # offline it is bounded by the descending register
    fresh.journeys.contact()
    later(fresh, copy)
    for number in range(30):
        spend(fresh, f"SECOND-{number}", 9_000)
    assert state_of(fresh).registers.ascending <= Mills.dollars(100)
    assert not fresh.attempt(fresh.journeys.contact)
    assert frozen(fresh)
