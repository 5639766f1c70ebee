"""What the tests of batches tell alike: a list, a wish for it, an interruption, and what stands in the books then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from towncircle.kernel.store import Record
from towncircle.licensee import batches, promises
from towncircle.mailpiece.templates import Template
from towncircle.psd.registers import Registers
from towncircle.world import batching
from towncircle.world.batching import PRINTING, Wish
from towncircle.world.journeys import Journeys

GOOD = "Desk {at},475 L'Enfant Plaza SW,Washington,DC,20260\n"


class Interrupted(Exception):
    """Stands for Ctrl-C."""


def listed(place: Path, rows: str, header: str = "name,street,city,state,zip") -> Path:
    place.mkdir(exist_ok=True)
    path = place / "list.csv"
    path.write_text(f"{header}\n{rows}", encoding="utf-8")
    return path


def wish(source: Path, *, per_file: int = 1, refill: bool = False, skip: bool = False) -> Wish:
    template = Template(name="test", pieces_per_file=per_file)
    return Wish(source=source, template=template, refill=refill, skip_bad_rows=skip)


def good(count: int) -> str:
    return "".join(GOOD.format(at=at) for at in range(count))


def standing(journeys: Journeys) -> tuple[Registers, int]:
    with journeys.world.store(journeys.licensee).reading() as view:
        bound = sum(row.body["reserved"] + row.body["spent"] for row in view.find("department"))
    return journeys.status().registers, bound


def after(done: int) -> Callable[[str, int, int], None]:
    def progress(what: str, count: int, _of: int) -> None:
        if (what, count) == (PRINTING, done):
            raise Interrupted

    return progress


def begun(journeys: Journeys, out: Path, *, pieces: int = 3) -> str:
    """Print a batch that is interrupted after its first part; give its name."""
    with pytest.raises(Interrupted):
        batching.print_batch(journeys, wish(listed(out.parent, good(pieces))), out, progress=after(1))
    with journeys.world.store(journeys.licensee).reading() as view:
        (record,) = promises.open_batches(view)
    return record.key


def job_of(journeys: Journeys, name: str, number: int = 2) -> Record:
    with journeys.world.store(journeys.licensee).reading() as view:
        row = view.get("job", batches.job_of(name, number))
    assert row is not None
    return row
