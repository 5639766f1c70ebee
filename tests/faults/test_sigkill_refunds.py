"""A process gets SIGKILL at every point of a refund; walked again, it is credited once and nothing differs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.faults import killed as world_of
from tests.journeys.stories import hold_all

from towncircle.auditor import audit
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import Books
from towncircle.testing.rehearsal_world import PIECES, rehearse
from towncircle.testing.walks import CERTIFIER, COORDINATOR, SCANNER, walk_refund
from towncircle.world import refunding
from towncircle.world.config import POSTAL
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys

# forking is meant here: the child walks one journey and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
CHUNKS = 3


@pytest.fixture(scope="module")
def printed(top: Path) -> Path:
    folder = world_of.prepared(top / "template", up_to="print")
    with world_of.opened(folder) as journeys:
        for party, name in ((world_of.HARBOR, SCANNER), (world_of.HARBOR, CERTIFIER), (POSTAL, COORDINATOR)):
            hold_all(journeys.world, party, name)
    return folder


def account(journeys: Journeys) -> Mills:
    with journeys.world.store(world_of.HARBOR).reading() as view:
        return Books(view).balance(f"account/{world_of.LICENSEE}")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_kill_in_a_refund_settles_and_credits_once(chunk: int, printed: Path, top: Path) -> None:
    rehearsal = Path(shutil.copytree(printed, top / f"rehearsed {chunk}"))
    points = rehearse(rehearsal, "refund", amount=ZERO, out=rehearsal / "printed")
    assert len(points) > 30
    assert any(POSTAL in point for point in points)
    for point in range(1 + chunk, len(points) + 1, CHUNKS):
        folder = world_of.killed(printed, top / f"refund {point}", "refund", point, ZERO)
        try:
            _settled(folder)
        except BaseException as error:
            error.add_note(f"killed at point {point} of {len(points)}: {points[point - 1]}")
            raise
        shutil.rmtree(folder)


def _settled(folder: Path) -> None:
    with world_of.opened(folder) as journeys:
        world = journeys.world
        world.deliver()
        refund = walk_refund(journeys)
        told = refunding.follow(journeys, refund)
        assert (told.state, told.annotations) == ("credited", ())
        assert account(journeys) == world_of.DEPOSIT - world_of.FIRST + told.amount > ZERO
        with world.store(POSTAL).reading() as view:
            assert {row.body["refund"] for row in view.find("repaid")} == {refund}
            assert len(view.find("repaid")) == PIECES
        assert refunding.refunds_of(journeys) == [refund]
        world_of.nothing_waits(journeys)
        assert export(world, folder / "export").quiet
        assert [str(one) for one in audit(folder / "export", root=world.config.root).differences] == []
