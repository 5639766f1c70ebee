"""What is told of branches: one changed word of a decision or of its notice is a named difference."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.auditor.test_checkouts import Row, body, edit, lines, without
from tests.journeys.stories import MAILROOM, mailer, new_world

from towncircle.auditor import audit
from towncircle.licensee import branches
from towncircle.postal import branches as office
from towncircle.world.config import POSTAL
from towncircle.world.exporting import export
from towncircle.world.notices import fetch_from, give_standing
from towncircle.world.supervising import by_officer

U, L, R = f"{POSTAL}/facts.jsonl", f"{MAILROOM}/facts.jsonl", f"{POSTAL}/records.jsonl"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live through one branch that is approved and told of, and one whose refusal waits for its host to call."""
    base = tmp_path_factory.mktemp("branches")
    world = new_world(base / "world")
    journeys = mailer(world, deposit=100)
    for name, facility in (("UNION HEIGHTS", "classified-branch"), ("UNION STATION", "contract-station")):
        row = journeys.do(partial(branches.request, name=name, state="MD", facility="classified-branch"))
        approve = facility == "classified-branch"
        told = {"number": row.body["license"], "branch": name, "facility": facility, "reasons": "Found on the spot."}
        decide = partial(office.decide, approve=approve, notify=give_standing, **told)
        by_officer(world, decide, by="postmaster", act="postmaster approve")
        if approve:
            fetch_from(world, MAILROOM, POSTAL)
    export(world, base / "export")
    world.close()
    return base / "export"


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "export"))


def test_the_untouched_export_has_no_difference_and_a_notice_that_waits_is_excused(copy: Path) -> None:
    report = audit(copy)
    assert report.differences == []
    assert report.checked["branches"] == 2


def _before(row: Row) -> None:
    row["occurred_at"] = row["recorded_at"] = "2020-01-01T00:00:00Z"


def _all_delivered(rows: list[Row]) -> list[Row]:
    for row in rows:
        if row["kind"] == "notice-waiting":
            row["body"]["state"] = "delivered"
    return rows


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "approved, and it was refused": (edit(U, lambda row: row.update(type="branch.refused"), type="branch.approved"),
                                     "branch.differs"),
    "an answer that nobody gave": (without(U, type="branch.approved"), "branch.differs"),
    "an answer of another branch": (edit(L, body(branch="UNION DALE"), type="branch.answered"), "branch.differs"),
    "told before it was decided": (edit(L, _before, type="branch.answered"), "branch.differs"),
    "a decision that nobody was told": (without(L, type="branch.answered"), "branch.not-told"),
    "a notice that waits no more": (lines(R, _all_delivered), "branch.not-told"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damage_is_named(name: str, copy: Path) -> None:
    harm, code = DAMAGE[name]
    harm(copy)
    assert code in {difference.code for difference in audit(copy).differences}
