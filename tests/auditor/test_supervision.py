"""What is told of supervision: one changed word of it is a named difference."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.auditor.test_checkouts import Edit, Row, edit, lines, without
from tests.conformance.test_sanctions import failure, imposed, notify, occurred
from tests.journeys.stories import HARBOR, mailer, new_world
from tests.journeys.test_supervision import act, answer, decided, suspended

from towncircle.auditor import audit
from towncircle.kernel.money import Mills
from towncircle.postal import decisions, defenses, sanctions
from towncircle.world.config import POSTAL
from towncircle.world.exporting import export

P, U, B = f"{HARBOR}/facts.jsonl", f"{POSTAL}/facts.jsonl", f"{POSTAL}/entries.jsonl"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live through a suspension that ends before a reset, a sanction appealed and partly paid, one paid that falls."""
    base = tmp_path_factory.mktemp("supervision")
    world = new_world(base / "world")
    journeys = mailer(world, deposit=600)
    row = suspended(world)
    act(world, decisions.withdraw, procedure=row.key, solution="solved")
    journeys.contact()
    journeys.reset(Mills.dollars(10))
    early = occurred(world, kind="cost", amount=Mills(41_300))
    world.advance("40d")
    recovered = occurred(world, kind="recovery", amount=Mills(1_300))
    sanction = notify(world, failure(world, "sanction", early, occurred(world), recovered))
    answer(world, sanction, "defense")
    decided(world, sanction, considered={"just-cause": "none"})
    answer(world, sanction, "appeal")
    act(world, defenses.decide_appeal, procedure=sanction.key, reverse=False, reasons="it stands", by="director")
    act(world, sanctions.pay, procedure=sanction.key, amount=Mills(700), reference="CHK-1")
    fallen = imposed(world, "sanction")
    act(world, sanctions.pay, procedure=fallen.key, amount=Mills(500), reference="CHK-2")
    act(world, decisions.withdraw, procedure=fallen.key, solution="the control was performed")
    act(world, sanctions.repay, procedure=fallen.key, reference="CHK-3")
    export(world, base / "export")
    world.close()
    return base / "export"


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "export"))


def codes_of(out: Path) -> set[str]:
    return {difference.code for difference in audit(out).differences}


def test_the_untouched_export_has_no_difference(copy: Path) -> None:
    report = audit(copy)
    assert report.differences == []
    assert (report.checked["sanctions"], report.checked["notices of supervision"]) == (2, 11)


def body(file: str, kind: str, **values: Any) -> Edit:
    return edit(file, lambda row: row["body"].update(values), type=kind)


def acted(kind: str, actor: str) -> Edit:
    return edit(U, lambda row: row.update(actor=actor), type=kind)


def twice(file: str, kind: str) -> Edit:
    def act_on(rows: list[Row]) -> list[Row]:
        return rows + [row for row in rows if row["type"] == kind][:1]

    return lines(file, act_on)


def _never_over(out: Path) -> None:
    def act_on(rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["body"].get("force") != "over"]

    lines(P, act_on)(out)


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "another sum": (body(U, "sanction.assessed", total=1), "sanction.sum"),
    "another rate": (body(U, "sanction.assessed", rate=60_000), "sanction.sum"),
    "a row left out": (body(U, "sanction.assessed", rows=[]), "sanction.sum"),
    "another sum imposed": (body(U, "sanction.imposed", amount=1), "sanction.imposed"),
    "more paid than told": (body(U, "sanction.paid", amount=701), "sanction.paid"),
    "more paid than due": (body(U, "sanction.paid", amount=10**6, paid=10**6), "sanction.not-due"),
    "paid while stayed": (without(U, type="sanction.appeal-decided"), "sanction.not-due"),
    "more paid back than paid": (body(U, "sanction.repaid", amount=501), "sanction.repaid"),
    "paid back, and it stands": (without(U, type="sanction.withdrawn"), "sanction.repaid"),
    "paid back twice": (twice(U, "sanction.repaid"), "sanction.repaid"),
    "a payment without books": (without(B, recipe="sanction-paid"), "sanction.books"),
    "a repayment without books": (without(B, recipe="sanction-repaid"), "sanction.books"),
    "books of a payment that was not": (without(U, type="sanction.paid"), "sanction.books"),
    "an appeal that nobody made": (without(U, type="sanction.appealed"), "supervision.no-appeal"),
    "one person": (acted("sanction.appeal-decided", f"{POSTAL}/manager-mtm"), "supervision.one-person"),
    "no notice received": (without(P, type="supervision.noticed"), "supervision.not-received"),
    "no notice given": (without(U, type="supervision.given"), "supervision.differs"),
    "another notice": (body(P, "supervision.noticed", step="other"), "supervision.differs"),
    "a notice received twice": (twice(P, "supervision.noticed"), "supervision.twice"),
    "a reset while suspended": (_never_over, "supervision.reset"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damage_is_named(name: str, copy: Path) -> None:
    harm, code = DAMAGE[name]
    harm(copy)
    assert code in codes_of(copy)
