"""A process gets SIGKILL at every point of a closing and of a returned item; walked again, each happened once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults import killed as world_of
from tests.journeys.stories import hold_all

from towncircle.auditor import audit
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import BANK as BANK_CHART
from towncircle.ledger import POSTAL as POSTAL_CHART
from towncircle.ledger import Books
from towncircle.testing.rehearsal_world import rehearse
from towncircle.testing.walks import CENTER, SIGNER, walk_closing, walk_return
from towncircle.world import accounts, returning
from towncircle.world.config import BANK, POSTAL
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys

# forking is meant here: the child walks one journey and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
CHUNKS = 2
OWNER = f"{world_of.HARBOR}/{world_of.LICENSEE}"


@pytest.fixture(scope="module")
def set_once(top: Path) -> Path:
    folder = world_of.prepared(top / "reset", up_to="reset")
    with world_of.opened(folder) as journeys:
        for party, name in ((world_of.LICENSEE, SIGNER), (POSTAL, CENTER)):
            hold_all(journeys.world, party, name)
    return folder


@pytest.fixture(scope="module")
def given_back(top: Path, set_once: Path) -> Path:
    folder = Path(shutil.copytree(set_once, top / "given back"))
    with world_of.opened(folder) as journeys:
        returning.withdraw(journeys, reason="no longer wanted")
    return folder


def balance(journeys: Journeys, party: str, account: str) -> Mills:
    chart = {POSTAL: (POSTAL_CHART,), BANK: (BANK_CHART,)}.get(party, ())
    with journeys.world.store(party).reading() as view:
        return Books(view, *chart).balance(account)


def swept(template: Path, top: Path, journey: str, chunk: int) -> Iterator[Path]:
    """Kill the journey at every point of a chunk; give each world, and take it away when it was looked at."""
    rehearsal = Path(shutil.copytree(template, top / f"rehearsed {journey} {chunk}"))
    points = rehearse(rehearsal, journey, amount=ZERO, out=rehearsal / "out")
    assert len(points) > 15
    for point in range(1 + chunk, len(points) + 1, CHUNKS):
        folder = world_of.killed(template, top / f"{journey} {point}", journey, point, ZERO)
        try:
            yield folder
        except BaseException as error:
            error.add_note(f"killed at point {point} of {len(points)}: {points[point - 1]}")
            raise
        shutil.rmtree(folder)


def looked_at(journeys: Journeys, out: Path) -> None:
    world_of.nothing_waits(journeys)
    assert export(journeys.world, out).quiet
    assert [str(one) for one in audit(out, root=journeys.world.config.root).differences] == []


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_kill_in_a_closing_settles_with_one_check(chunk: int, given_back: Path, top: Path) -> None:
    for folder in swept(given_back, top, "close", chunk):
        with world_of.opened(folder) as journeys:
            journeys.settle()
            closing = walk_closing(journeys)
            told = accounts.follow(journeys, closing)
            assert (told.state, told.amount, told.check) == ("paid", world_of.DEPOSIT, 1)
            assert balance(journeys, world_of.HARBOR, f"account/{world_of.LICENSEE}") == ZERO
            assert balance(journeys, POSTAL, f"trust/{OWNER}") == ZERO
            assert balance(journeys, BANK, f"held/{OWNER}") == ZERO
            looked_at(journeys, folder / "export")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_kill_in_a_returned_item_takes_it_back_once(chunk: int, set_once: Path, top: Path) -> None:
    for folder in swept(set_once, top, "return", chunk):
        with world_of.opened(folder) as journeys:
            journeys.world.deliver()
            walk_return(journeys)
            journeys.world.deliver()
            assert balance(journeys, world_of.HARBOR, f"account/{world_of.LICENSEE}") == ZERO
            assert balance(journeys, world_of.HARBOR, f"advances/{world_of.LICENSEE}") == world_of.FIRST
            assert balance(journeys, BANK, f"held/{OWNER}") == ZERO
            looked_at(journeys, folder / "export")
