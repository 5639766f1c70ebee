"""A process gets SIGKILL at points of a defect's report, a return to the scrap and a removal, and all settles."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.faults import killed as world_of
from tests.journeys.stories import officers

from towncircle.kernel.money import ZERO
from towncircle.ledger import Books
from towncircle.provider import removals
from towncircle.testing.rehearsal_world import rehearse
from towncircle.testing.walks import walk_custody
from towncircle.world import custody
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.missing import at_provider

# forking is meant here: the child walks one journey and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(scope="module")
def hosted(in_service: Path, top: Path) -> Path:
    folder = shutil.copytree(in_service, top / "hosted")
    with world_of.opened(folder) as journeys:
        device = journeys.device
        at_provider(journeys.world, device, lambda ctx: removals.host(ctx, device=device))
        officers(journeys.world, "inspector")
    return folder


@pytest.mark.parametrize("journey", ["defect", "send-back", "remove"])
def test_a_kill_leaves_one_paper_of_each_kind_and_one_credit(
    journey: str, in_service: Path, hosted: Path, top: Path
) -> None:
    template = hosted if journey == "remove" else in_service
    rehearsal = shutil.copytree(template, top / f"rehearsed {journey}")
    points = rehearse(rehearsal, journey, amount=ZERO, out=rehearsal / "printed")
    assert len(points) > 5
    for point in range(1, len(points) + 1):
        folder = world_of.killed(template, top / f"{journey} {point}", journey, point, ZERO)
        try:
            with world_of.opened(folder) as journeys:
                world_of.audited_midway(journeys, folder / "midway")
                _settled(journeys, journey, folder)
        except BaseException as error:
            error.add_note(f"killed at point {point} of {len(points)} of {journey}: {points[point - 1]}")
            raise
        shutil.rmtree(folder)


def _settled(journeys: Journeys, journey: str, folder: Path) -> None:
    world, device = journeys.world, journeys.device
    journeys.settle()
    done = journey == "remove" and custody.kept(world)[0].device.body["custody"] == "checked out"
    if not done:  # else there is nothing to remove any more
        walk_custody(journeys, journey)
    journeys.settle()
    world.deliver()
    (one,) = custody.kept(world)
    with world.store(world_of.HARBOR).reading() as view:
        account = Books(view).balance(f"account/{world_of.LICENSEE}")
        kinds = [fact.type for fact in view.facts()]
    with world.store(POSTAL).reading() as view:
        told = [fact.type for fact in view.facts()].count("malfunction.told")
    custodies = {"defect": "suspect", "send-back": "scrapped", "remove": "checked out"}
    assert one.device.body["custody"] == custodies[journey]
    assert account == world_of.DEPOSIT - (world_of.FIRST if journey == "defect" else ZERO)
    assert (kinds.count("balance.withdrawn"), told) == ((0, 1) if journey == "defect" else (1, 0))
    assert len(one.shipments) == (2 if journey == "send-back" else 1)
    assert kinds.count("element.disabled") == (journey == "remove")
    assert journeys.device == device
    world_of.nothing_waits(journeys)
    world_of.audited_midway(journeys, folder / "settled")
