"""Whoever bends a notice, a quality piece or an inventory in an export is named, also in a journal written anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.auditor.test_cases import Row, of, put, rewritten, without
from tests.journeys.stories import HARBOR, MAILROOM, mailer, new_world
from tests.journeys.test_quality import POSTAL, scanned

from towncircle.auditor import audit
from towncircle.world.exporting import export
from towncircle.world.quality import send

OURS, THEIRS, HOSTS = (f"{party}/facts.jsonl" for party in (HARBOR, POSTAL, MAILROOM))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live through a piece, seven months without one, the denial, and a piece that lifts it."""
    base = tmp_path_factory.mktemp("quality")
    world = new_world(base / "world", "ibi-1998")
    journeys = mailer(world, deposit=300, reset=50)
    send(journeys, journeys.device, scanned(journeys, base))
    for _ in range(7):
        world.advance("1mo")
        journeys.contact()
    send(journeys, journeys.device, scanned(journeys, base, number=1))
    world.advance("1d")
    export(world, base / "export")
    world.close()
    return base / "export"


def added(kind: str, at: int) -> Callable[[list[Row]], object]:
    """Say something twice."""

    def act(rows: list[Row]) -> None:
        row = [row for row in rows if row["type"] == kind][at]
        rows.append({**row, "id": f"{row['id']}-2"})

    return act


def backdated(rows: list[Row]) -> None:
    """Let the second piece have come in its time."""
    missed = next(row for row in rows if row["type"] == "limit.missed" and row["body"]["limit"] == "quality-piece")
    late = [row for row in rows if row["type"] == "quality-piece.received"][1]
    late["occurred_at"] = missed["occurred_at"]


CHEATS = {
    "a notice that was never received": (HOSTS, without("notice.received", 0), "notice.not-received"),
    "a notice that was never given": (OURS, of("notice.given", 0, put("body", "notice", to="")), "notice.differs"),
    "a notice of something else": (HOSTS, of("notice.received", 0, put("body", "limit", to="x")), "notice.differs"),
    "a notice received twice": (HOSTS, added("notice.received", 0), "notice.twice"),
    "a notice given twice": (OURS, added("notice.given", 0), "notice.twice"),
    "a reminder told as a notice": (HOSTS, of("notice.received", 0, put("body", "form", to="x")), "notice.differs"),
    "a piece without its licensee": (HOSTS, without("quality-piece.forwarded", 0), "quality.one-sided"),
    "a piece kept from the Postal Service": (THEIRS, without("quality-piece.reported", 0), "quality.one-sided"),
    "a piece nobody received": (OURS, without("quality-piece.received", 0), "quality.not-received"),
    "a piece received twice": (OURS, added("quality-piece.received", 0), "quality.twice"),
    "a better grade": (OURS, of("quality-piece.received", 0, put("body", "grade", to="B")), "quality.differs"),
    "a denial though a piece came": (OURS, backdated, "quality.not-missed"),
    "a report without a notice": (
        THEIRS,
        of("quality.noncompliance-reported", 0, put("body", "notice", to="NTC-NONE")),
        "quality.not-told",
    ),
    "a day reconciled twice": (THEIRS, added("population.reconciled", 0), "inventory.twice"),
    "a day left out": (THEIRS, without("population.reconciled", 2), "inventory.gap"),
    "differences that are not named": (
        THEIRS,
        of("population.reconciled", 0, put("body", "differences", to=7)),
        "inventory.count",
    ),
    "another finding at the Provider": (
        OURS,
        of("inventory.reconciled", 0, put("body", "devices", to=9)),
        "inventory.differs",
    ),
}


def test_the_story_as_it_was_has_no_difference(whole: Path) -> None:
    report = audit(whole)
    assert report.differences == []
    assert report.checked["quality pieces"] == 2
    assert report.checked["notices"] > 2
    assert report.checked["inventories"] == 16


@pytest.mark.parametrize("name", CHEATS)
def test_each_cheat_is_named(whole: Path, tmp_path: Path, name: str) -> None:
    file, change, code = CHEATS[name]
    out = Path(shutil.copytree(whole, tmp_path / "export"))
    rewritten(out, file, change)
    assert code in {difference.code for difference in audit(out).differences}
