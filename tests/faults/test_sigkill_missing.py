"""A process gets SIGKILL at points of a report of loss, of a find and of the monthly files, and everything settles."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.faults import killed as world_of

from towncircle.kernel.money import ZERO
from towncircle.testing.rehearsal_world import rehearse
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.missing import file_months, kept, report

# forking is meant here: the child walks one journey and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
WORDS = {"place": "mail room", "details": "a rehearsal"}


@pytest.fixture(scope="module")
def stolen(in_service: Path, top: Path) -> Path:
    folder = shutil.copytree(in_service, top / "stolen")
    with world_of.opened(folder) as journeys:
        report(journeys, journeys.device, event="stolen", **WORDS)
        journeys.world.clock.advance("40d")  # nobody ran: the round of a day would send the files
        journeys.world.publish()
    return folder


@pytest.mark.parametrize("journey", ["lose", "find", "file"])
def test_a_kill_leaves_one_incident_and_one_paper_of_each_kind(
    journey: str, in_service: Path, stolen: Path, top: Path
) -> None:
    template = in_service if journey == "lose" else stolen
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
    world = journeys.world
    journeys.settle()
    if journey == "file":
        file_months(world, world_of.HARBOR)
    else:
        event = "stolen" if journey == "lose" else "recovered"
        report(journeys, journeys.device, event=event, **WORDS)
    world.deliver()
    found = kept(world)
    assert len(found.incidents) == 1
    status = {"lose": "stolen", "find": "recovered", "file": "stolen"}[journey]
    assert found.register[journeys.device][0] == status
    assert [row.status for row in world.pack().statuses[journeys.device]] == [
        "suspended" if status == "recovered" else status
    ]
    with world.store(POSTAL).reading() as view:
        files = view.find("lost-and-stolen-file")
        told = [fact.body["event"] for fact in view.facts() if fact.type == "missing.told"]
    assert len(files) == (2 if journey == "file" else 0)  # November and December
    assert told == (["stolen", "recovered"] if journey == "find" else ["stolen"])
    world_of.nothing_waits(journeys)
    world_of.audited_midway(journeys, folder / "settled")
