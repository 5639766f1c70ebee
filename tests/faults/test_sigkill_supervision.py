"""A process gets SIGKILL at points of a suspension, from its notice to its decision, and everything settles."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.faults import killed as world_of
from tests.journeys.test_supervision import act, complaint, day, denied

from towncircle.kernel.money import ZERO
from towncircle.postal import suspensions
from towncircle.testing.rehearsal_world import rehearse
from towncircle.testing.walks import walk_suspension
from towncircle.world.config import POSTAL
from towncircle.world.supervising import kept

# forking is meant here: the child walks one journey and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
ONCE = ("suspension-notified", "notice-received", "defended", "decided", "suspended", "decision-received", "in-force")


def test_a_kill_leaves_one_notice_one_defense_and_one_decision(top: Path) -> None:
    template = world_of.prepared(top / "proposed", up_to="reset")
    with world_of.opened(template) as journeys:
        act(journeys.world, suspensions.propose, complaint(), correct_by=day(journeys.world, 1))
        journeys.world.advance("60h")
    rehearsal = shutil.copytree(template, top / "rehearsed")
    points = rehearse(rehearsal, "suspend", amount=ZERO, out=rehearsal / "printed")
    assert len(points) > 20
    for point in range(1, len(points) + 1):
        folder = world_of.killed(template, top / f"{point}", "suspend", point, ZERO)
        try:
            with world_of.opened(folder) as journeys:
                world = journeys.world
                world_of.audited_midway(journeys, folder / "midway")
                world.deliver()
                walk_suspension(journeys)
                world.deliver()
                with world.store(POSTAL).reading() as view:
                    steps = [fact.type.partition(".")[2] for fact in view.facts() if fact.type.startswith("auth")]
                assert steps == ["suspension-proposed", *ONCE]
                assert [row.body["state"] for row in kept(world, POSTAL, "procedure")] == ["in force"]
                denied(journeys)
        except BaseException as error:
            error.add_note(f"killed at point {point} of {len(points)}: {points[point - 1]}")
            raise
        shutil.rmtree(folder)
