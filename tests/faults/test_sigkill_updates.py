"""A process gets SIGKILL at points of a publication and of a connection that brings it, and everything settles."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from tests.faults import killed as world_of

from towncircle.kernel.money import ZERO
from towncircle.licensee import rates
from towncircle.mailpiece.address_files import public_addresses
from towncircle.testing.rehearsal_world import rehearse, walk
from towncircle.world import printing
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys

# forking is meant here: the child walks one journey and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
ONCE = ("rates.published", "rates.filed", "rates.taken", "rates.received", "software.released", "software.assigned")


@pytest.fixture(scope="module")
def published(in_service: Path, top: Path) -> Path:
    folder = shutil.copytree(in_service, top / "published")
    with world_of.opened(folder) as journeys:
        walk(journeys, "publish", amount=ZERO, out=folder / "printed")
    return folder


@pytest.mark.parametrize("journey", ["publish", "update"])
def test_a_kill_leaves_one_table_one_version_and_a_device_that_prints(
    journey: str, in_service: Path, published: Path, top: Path
) -> None:
    template = in_service if journey == "publish" else published
    rehearsal = shutil.copytree(template, top / f"rehearsed {journey}")
    points = rehearse(rehearsal, journey, amount=ZERO, out=rehearsal / "printed")
    assert len(points) > 10
    for point in range(1, len(points) + 1):
        folder = world_of.killed(template, top / f"{journey} {point}", journey, point, ZERO)
        try:
            with world_of.opened(folder) as journeys:
                world_of.audited_midway(journeys, folder / "midway")
                _settled(journeys, folder)
        except BaseException as error:
            error.add_note(f"killed at point {point} of {len(points)} of {journey}: {points[point - 1]}")
            raise
        shutil.rmtree(folder)


def _settled(journeys: Journeys, folder: Path) -> None:
    world = journeys.world
    journeys.settle()
    walk(journeys, "publish", amount=ZERO, out=folder)
    journeys.contact()
    world.deliver()
    status = journeys.status()
    assert (status.software_version, status.software_next) == (1, 0)
    with world.store(journeys.licensee).reading() as view:
        used, _ = rates.standing(view, world_of.HARBOR, day=date(2027, 1, 1))
        noted = [fact.type for fact in view.facts() if fact.type in ONCE]
    assert "rehearsed" in [table.id for table in used]
    for party in (world_of.HARBOR, POSTAL):
        with world.store(party).reading() as view:
            noted += [fact.type for fact in view.facts() if fact.type in ONCE]
    assert sorted(noted) == sorted(ONCE)
    printing.print_job(journeys, public_addresses()[:1], folder / "printed", formats=("pdf",))
    world_of.nothing_waits(journeys)
    world_of.audited_midway(journeys, folder / "settled")
