"""A process gets SIGKILL in the daily round, midnight passes, and each Provider's inventories follow each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.faults import killed as world_of

from towncircle.kernel.money import ZERO
from towncircle.testing.rehearsal_world import rehearse
from towncircle.world.config import POSTAL
from towncircle.world.population import reconcile

# forking is meant here: the child walks one journey and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.mark.shows("502.8/4")
def test_a_kill_in_the_daily_round_leaves_no_inventory_untold_after_midnight() -> None:
    top = world_of.folder_in_memory()
    template = world_of.prepared(top / "template", up_to="reset")
    rehearsal = shutil.copytree(template, top / "rehearsed")
    points = rehearse(rehearsal, "reconcile", amount=ZERO, out=rehearsal / "printed")
    assert len(points) > 10
    for point in range(1, len(points) + 1):
        folder = world_of.killed(template, top / str(point), "reconcile", point, ZERO)
        try:
            _settled(folder)
        except BaseException as error:
            error.add_note(f"killed at point {point} of {len(points)}: {points[point - 1]}")
            raise
        shutil.rmtree(folder)
    shutil.rmtree(top)


def _settled(folder: Path) -> None:
    with world_of.opened(folder) as journeys:
        journeys.contact()  # what the untold inventory says is behind the register by now
        journeys.world.advance("1d")
        found = dict(reconcile(journeys.world))
        assert set(found) == set(journeys.world.config.providers)
        with journeys.world.store(POSTAL).reading() as view:
            told = [fact.body for fact in view.facts() if fact.type == "population.reconciled"]
        for provider in journeys.world.config.providers:
            numbers = [body["number"] for body in told if body["provider"] == provider]
            assert numbers == list(range(1, len(numbers) + 1))
            assert numbers[-1] == found[provider].number
        assert [body["unexplained"] for body in told] == [0] * len(told)
        world_of.nothing_waits(journeys)
        world_of.audited_midway(journeys, folder / "settled")
