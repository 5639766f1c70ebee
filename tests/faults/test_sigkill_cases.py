"""A process gets SIGKILL at points of an examination that finds a copy, and the case settles at both ends, once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.faults import killed as world_of

from towncircle.auditor import audit
from towncircle.kernel.money import ZERO
from towncircle.mailpiece.address_files import public_addresses
from towncircle.testing.rehearsal_world import rehearse
from towncircle.world import printing
from towncircle.world.config import POSTAL
from towncircle.world.examinations import cases_of, close, examine
from towncircle.world.exporting import export

# forking is meant here: the child walks one journey and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
CHUNKS = 2


@pytest.fixture(scope="module")
def went_back(top: Path) -> Path:
    """Put a device back to before two pieces that its Provider and the Postal Service know of."""
    folder = world_of.prepared(top / "template", up_to="reset")
    with world_of.opened(folder) as journeys:
        device = journeys.world.shelf.folder_of(journeys.device)
        journeys.world.shelf.close()
        shutil.copytree(device, top / "old")
        printing.print_job(journeys, public_addresses()[:2], top / "printed", formats=("pdf",))
        journeys.contact()
    shutil.rmtree(device)
    (top / "old").rename(device)
    return folder


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_kill_while_a_copy_is_examined_leaves_one_case_at_both_ends(chunk: int, went_back: Path, top: Path) -> None:
    rehearsal = shutil.copytree(went_back, top / f"rehearsed {chunk}")
    points = rehearse(rehearsal, "examine", amount=ZERO, out=rehearsal / "printed")
    assert len(points) > 20
    for point in range(1 + chunk, len(points) + 1, CHUNKS):
        folder = world_of.killed(went_back, top / f"examine {point}", "examine", point, ZERO)
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
        done = examine(world, journeys.device)
        assert done.record.body["outcome"] == "irregular"
        found = cases_of(world)
        assert {case.party for case in found} == {POSTAL, world_of.HARBOR}
        assert len({case.record.key for case in found}) == 1
        assert len(found) == 2
        with world.store(world_of.HARBOR).reading() as view:
            row = view.get("device", journeys.device)
        assert row is not None
        assert row.body["custody"] == "suspect"
        close(
            world, found[0].record.key, outcome="retired", reason="a copy", approved_by=("crypto-officer", "examiner")
        )
        assert {case.record.body["state"] for case in cases_of(world)} == {"retired"}
        world_of.nothing_waits(journeys)
        export(world, folder / "export")
        codes = {one.code for one in audit(folder / "export", root=world.config.root).differences}
        assert not {code for code in codes if code.startswith(("examination", "case", "message", "fact", "entry"))}
        assert "register.went-back" in codes  # the copy itself, which no case mends
