"""The worker on deadlines gets SIGKILL at every commit: the next one does what is missing, and each thing once."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.faults import killed as world_of

from towncircle.testing.rehearsal_world import Points, rehearsed
from towncircle.world.deadlines import act_on_deadlines
from towncircle.world.journeys import Journeys

# forking is meant here: the child acts on deadlines and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

SILENCE = "7mo"


@pytest.fixture(scope="module")
def silent() -> Iterator[Path]:
    """Make a world in which everything of seven months is overdue and nobody has looked yet."""
    top = world_of.folder_in_memory()
    folder = world_of.prepared(top / "world", up_to="reset")
    with world_of.opened(folder) as journeys:
        journeys.world.clock.advance(SILENCE)
    yield folder
    shutil.rmtree(top)


def points_of(folder: Path, kill_at: int = 0) -> list[str]:
    points = Points(kill_at)
    world = rehearsed(folder, points)
    points.names.clear()  # opening is another story
    act_on_deadlines(world)
    names = list(points.names)
    world.close()
    return names


def killed(template: Path, folder: Path, point: int) -> Path:
    shutil.copytree(template, folder)
    child = os.fork()
    if child == 0:
        try:
            points_of(folder, point)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    return folder


def acts(journeys: Journeys) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for party in journeys.world.config.parties:
        with journeys.world.store(party).reading() as view:
            for fact in view.facts():
                if "duty" in fact.body:
                    limit, _, period = str(fact.body["duty"]).partition(" ")
                    about = (limit, period, str(fact.body.get("to", "")))
                    found[(party, fact.type, fact.subject, *about)] += 1
    return found


def test_a_kill_at_every_commit_leaves_nothing_out_and_does_nothing_twice(silent: Path, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(silent, tmp_path / "whole"))
    points = points_of(whole)
    with world_of.opened(whole) as journeys:
        expected = acts(journeys)
    assert {name.partition(":")[0] for name in points} >= {world_of.HARBOR, "postal.usps", world_of.LICENSEE}
    assert len(expected) > 30
    assert set(expected.values()) == {1}
    for point in range(1, len(points) + 1):
        folder = killed(silent, tmp_path / f"point {point}", point)
        with world_of.opened(folder) as journeys:
            act_on_deadlines(journeys.world)
            found = acts(journeys)
            assert act_on_deadlines(journeys.world) == {}
            assert found == expected, points[point - 1]
            assert acts(journeys) == expected
            world_of.audited(journeys, folder / "export")
        shutil.rmtree(folder)


def test_two_workers_at_once_do_each_thing_once(silent: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(silent, tmp_path / "world"))
    with world_of.opened(folder) as one, world_of.opened(folder) as two:
        for _ in range(3):
            with ThreadPoolExecutor(2) as pool:
                done = [pool.submit(act_on_deadlines, journeys.world) for journeys in (one, two)]
                for job in done:
                    job.result()
            assert set(acts(one).values()) == {1}
            one.world.clock.advance("1mo")
        one.world.publish()
        world_of.audited(one, folder / "export")
