"""A device whose clock is not its Provider's: within the terms all goes on, beyond them no money moves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults import killed as world_of
from tests.journeys.stories import refused
from tests.journeys.test_returning import account, audited

from towncircle.kernel.cites import cites
from towncircle.kernel.money import ZERO, Mills
from towncircle.licensee import returns
from towncircle.world.devices import here_port
from towncircle.world.journeys import Journeys
from towncircle.world.world import Wiring, World

MINUTE_US = 60_000_000


@pytest.fixture(scope="module")
def leased(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = world_of.prepared(tmp_path_factory.mktemp("clocks") / "world", up_to="reset")
    with world_of.opened(folder) as journeys:
        journeys.world.advance("6h")
    return folder


@pytest.fixture
def folder(leased: Path, tmp_path: Path) -> Path:
    return shutil.copytree(leased, tmp_path / "world")


@contextmanager
def apart(folder: Path, minutes: int) -> Iterator[Journeys]:
    """Open the world with a device whose clock is so many minutes ahead of everybody else's."""
    told = json.loads((folder / "clock.json").read_text())
    (own := folder.parent / "device-clock.json").write_text(
        json.dumps({**told, "now_us": told["now_us"] + minutes * MINUTE_US})
    )
    world = World.open(folder, Wiring(make_port=here_port(own, world_of_seed(folder))))
    try:
        yield Journeys(world)
    finally:
        world.close()


def world_of_seed(folder: Path) -> int | None:
    from towncircle.world.config import WorldConfig

    return WorldConfig.read(folder).seed


def balances(journeys: Journeys) -> tuple[Mills, Mills]:
    status = journeys.status()
    return status.registers.descending, status.resets_total


@pytest.mark.parametrize("minutes", [-4, 4])
def test_within_the_terms_all_goes_on(folder: Path, minutes: int) -> None:
    with apart(folder, minutes) as journeys:
        journeys.contact()
        before = balances(journeys)
        journeys.reset(Mills.dollars(10))
        assert balances(journeys) == (before[0] + Mills.dollars(10), before[1] + Mills.dollars(10))


def test_a_device_that_is_behind_moves_no_money_and_with_the_clock_set_right_all_goes_on(folder: Path) -> None:
    with apart(folder, -120) as journeys:
        before = balances(journeys)
        with refused("wire.not-yet-valid"):
            journeys.reset(Mills.dollars(10))  # the Provider's word comes from its future
        assert balances(journeys) == before
    finished(folder, before)


def test_a_device_that_is_ahead_is_not_believed_and_a_contact_brings_it_back(folder: Path) -> None:
    with apart(folder, 120) as journeys:
        before = balances(journeys)
        with refused("wire.not-yet-valid"):
            journeys.reset(Mills.dollars(10))  # its own word comes from the Provider's future
        assert balances(journeys) == before
    with world_of.opened(folder) as journeys, refused("psd.clock-back"):
        journeys.reset(Mills.dollars(10))
    with world_of.opened(folder) as journeys:
        journeys.contact()
    finished(folder, before)


@cites("502.20e", "502.27b")
def test_a_device_that_was_ordered_out_and_ran_ahead_gives_its_balance_back(folder: Path, tmp_path: Path) -> None:
    with world_of.opened(folder) as journeys:
        device, before = journeys.device, account(journeys)
        journeys.do(lambda ctx: returns.begin(ctx, device=device, purpose="return", reason="no longer wanted"))
        journeys.do(lambda ctx: returns.give_notice(ctx, device=device, faulted=False))
    with apart(folder, 10 * 366 * 24 * 60) as journeys:
        assert journeys.status().state == "locked"  # at that mark, for ten years
    with world_of.opened(folder) as journeys:
        balance = journeys.status().registers.descending
        journeys.settle()
        status = journeys.status()
        assert (status.state, status.withdrawn_total, status.warnings) == ("withdrawn", balance, ())
        assert (account(journeys) - balance, balance > ZERO) == (before, True)
        audited(journeys.world, tmp_path / "export")


def finished(folder: Path, before: tuple[Mills, Mills]) -> None:
    with world_of.opened(folder) as journeys:
        journeys.settle()
        told = balances(journeys)
        assert told in (before, (before[0] + Mills.dollars(10), before[1] + Mills.dollars(10)))
        assert not journeys.status().open_request
        journeys.reset(Mills.dollars(5))
        assert balances(journeys)[1] == told[1] + Mills.dollars(5)
        world_of.nothing_waits(journeys)
