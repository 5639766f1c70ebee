"""A process gets SIGKILL at any point of a batch; it goes on where it was, and every file is the same to the byte.

The batch has three parts of a piece each, and the device is reset between the first and the second. The sweep walks
every point; `python -m tests.faults.batch_soak SEED ROUNDS` kills larger ones again and again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from tests.faults import killed as world_of

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.licensee import batches, promises
from towncircle.testing.rehearsal_world import BATCHED, batch_wish, rehearse
from towncircle.world import batching
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.manifest import MANIFEST
from towncircle.world.world import World

# forking is meant here: the child walks one journey and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

HELD = Mills.parse("1.00")  # pays the first piece


@pytest.fixture(scope="module")
def ready(top: Path) -> Path:
    folder = top / "ready"
    World.create(folder, regime="imi-2024", seed=7, start=world_of.START).close()
    with world_of.opened(folder) as journeys:
        journeys.apply(Applicant(), provider=world_of.HARBOR)
        journeys.lease()
        journeys.deposit(world_of.DEPOSIT)
        journeys.reset(HELD)
    return folder


def test_a_batch_killed_at_any_point_goes_on_with_the_same_bytes_and_loses_and_doubles_no_piece(
    ready: Path, top: Path
) -> None:
    rehearsal = shutil.copytree(ready, top / "rehearsed")
    points = rehearse(rehearsal, "batch", amount=HELD, out=rehearsal / "printed")
    whole = _files(rehearsal / "printed")
    assert len(whole) == BATCHED + 1
    seen = set()
    for point in range(1, len(points) + 1):
        folder = world_of.killed(ready, top / str(point), "batch", point, HELD)
        try:
            seen.add(_goes_on(folder, whole, audit=point % 8 == 0 or point == len(points)))
        except BaseException as error:
            error.add_note(f"killed at point {point} of {len(points)}: {points[point - 1]}")
            raise
        shutil.rmtree(folder)
    assert seen == {"nothing was reserved", "it was open", "it was over"}


def _goes_on(folder: Path, whole: dict[str, str], *, audit: bool) -> str:
    out = folder / "printed"
    with world_of.opened(folder) as journeys:
        opened = _open(journeys)
        over = (out / MANIFEST).exists() and not opened
        if opened:
            batching.resume(journeys, opened[0], out)
        elif not over:
            shutil.rmtree(out, ignore_errors=True)
            batching.print_batch(journeys, batch_wish(out), out)
        journeys.settle()
        assert _open(journeys) == []
        _agrees(journeys)
        if audit:
            world_of.facts_of_money(journeys)
            world_of.audited(journeys, folder / "settled")
    made = _files(out)
    assert (made if opened or over else set(made)) == (whole if opened or over else set(whole))
    assert _signed(out) == [1, 2, 3]
    return "it was over" if over else "it was open" if opened else "nothing was reserved"


def _open(journeys: Journeys) -> list[str]:
    with journeys.world.store(journeys.licensee).reading() as view:
        return [row.key for row in promises.open_batches(view)]


def _agrees(journeys: Journeys) -> None:
    """Assert that each piece of the batch was evidenced once, and that its money is what the device debited."""
    with journeys.world.store(journeys.licensee).reading() as view:
        (record,) = view.find("batch")
        jobs, held = list(batches.jobs(view, record)), view.get("reservation", record.key)
        (department,) = view.find("department")
    assert record.body["state"] == "printed"
    marks = [mark for job in jobs for mark in job.body["indicia"]]
    assert len(marks) == len(set(marks)) == BATCHED
    for job in jobs:
        with journeys.world.shelf.client(DeviceId(job.body["device"])) as client:
            assert [mark.hex() for mark in client.recover(job.key).indicia()] == job.body["indicia"]
    registers = journeys.status().registers
    assert (registers.pieces, int(registers.ascending)) == (BATCHED, record.body["spent"])
    assert held is not None
    assert (held.body["state"], held.body["spent"]) == ("settled", record.body["total"])
    assert (department.body["reserved"], department.body["spent"]) == (0, record.body["total"])


def _files(out: Path) -> dict[str, str]:
    made = [path for path in sorted(out.iterdir()) if path.suffix in (".pdf", ".json")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made}


def _signed(out: Path) -> list[int]:
    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    for told in manifest["files"]:
        assert hashlib.sha256((out / told["file"]).read_bytes()).hexdigest() == told["sha256"]
    return [piece["piece"] for piece in manifest["pieces"]]
