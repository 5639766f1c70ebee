"""The commands of supervision as people walk them: each verb in JSON, one in text, with refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from tests.journeys.stories import HARBOR, new_world, officers
from tests.journeys.test_supervision import day
from tests.parties.test_papers import texts_of

from towncircle.cli.main import main
from towncircle.postal.products import QUALIFICATION, SUBMISSION, Step

BUILD = "12" * 32


class Desk:
    """Runs commands on one world and gives their exit codes and answers."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys

    def tell(self, command: str, *words: object) -> tuple[int, dict[str, Any]]:
        verb, *rest = map(str, words)
        code = main([command, verb, str(self.folder), *rest, "--json"])
        return code, json.loads(self._capsys.readouterr().out)

    def well(self, command: str, *words: object) -> dict[str, Any]:
        code, answer = self.tell(command, *words)
        assert code == 0, answer
        return answer

    def refused(self, command: str, *words: object) -> str:
        code, answer = self.tell(command, *words)
        assert code in (2, 3)
        return str(answer["error"]["code"])


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    new_world(tmp_path / "world", "ibi-1998").close()
    return Desk(tmp_path / "world", capsys)


def authorised(desk: Desk, name: str) -> None:
    from towncircle.world.world import World

    world = World.open(desk.folder)
    officers(world, name)
    world.close()


def ahead(desk: Desk, days: int) -> str:
    from towncircle.world.world import World

    world = World.open(desk.folder)
    told = day(world, days)
    world.close()
    return told


def test_a_suspension_is_walked_from_the_proposal_to_the_appeal(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--provider", HARBOR, "--ground", "noncompliance", "--about", "502.23", "--scope", "all")
    cited = ("--deficiency", "audits were not made")
    assert desk.refused("supervision", "propose", *words, *cited) == "procedure.no-time"
    name = desk.well("supervision", "propose", *words, *cited, "--correct-by", ahead(desk, 5))["name"]
    desk.well("supervision", "more-time", name, "--correct-by", ahead(desk, 8))
    assert main(["world", "advance", str(desk.folder), "10d"]) == 0
    capsys.readouterr()
    desk.well("supervision", "notify", name, "--reasons", "not corrected", "--effective", ahead(desk, 40))
    paper = tmp_path / "evidence.txt"
    paper.write_text("the line was down")
    told = ("--reasons", "the line was down", "--evidence", paper)
    assert desk.well("provider", "answer", name, "--kind", "defense", *told)["kind"] == "defense"
    weighed = [f"--considered={one}=seen" for one in ("willful", "admitted", "cooperated", "remedied", "history")]
    assert desk.refused("supervision", "decide", name, "--reasons", "it stands") == "procedure.not-considered"
    assert desk.well("supervision", "decide", name, "--reasons", "it stands", *weighed)["state"] == "in force"
    desk.well("supervision", "extend", name, "--until", ahead(desk, 120), "--reasons", "more time")
    desk.well("provider", "answer", name, "--kind", "appeal", *told)
    assert desk.refused("supervision", "uphold", name, "--reasons", "no") == "procedure.same-person"
    assert main(["person", str(desk.folder), "director", "--at", "postal.usps", "--office", "manager-mtm"]) == 0
    capsys.readouterr()
    assert desk.well("supervision", "uphold", name, "--reasons", "no", "--by", "director")["appeal"] == "upheld"
    assert desk.well("supervision", "revoke", name, "--reasons", "nothing changed", *weighed)["state"] == "revoked"
    notices = desk.well("provider", "notices")["notices"]
    assert [one["step"] for one in notices][-2:] == ["appeal-upheld", "revocation"]
    assert main(["supervision", "show", str(desk.folder)]) == 0
    assert "revoked" in capsys.readouterr().out
    out = tmp_path / "decision.pdf"
    desk.well("supervision", "paper", name, "--number", 4, "--out", out)
    page = pypdfium2.PdfDocument(out)[0].get_textpage().get_text_bounded()
    assert "SPECIMEN" in page
    assert "What was considered" in page
    assert "within 30 calendar days of receiving this decision" in page.replace("\r\n", " ")


def test_a_sanction_is_calculated_noticed_and_withdrawn(desk: Desk, tmp_path: Path) -> None:
    words = ("--provider", HARBOR, "--provision", "502.20(f)", "--reasons", "late", "--effective", ahead(desk, 40))
    rate = ("--rate", 50_000, "--rate-source", "published")
    row = f"loss:{ahead(desk, 0)}:125.50:FILE-7"
    assert desk.refused("supervision", "sanction", *words, *rate, "--row", "loss:x") == "sanction.bad-row"
    assert desk.refused("supervision", "sanction", *words, "--row", row) == "sanction.no-rate"
    told = desk.well("supervision", "sanction", *words, *rate, "--row", row)
    assert (told["amount"], told["state"]) == (125_500, "noticed")
    paid = ("--amount", "1.00", "--reference", "CHK-1")
    assert desk.refused("supervision", "pay", told["name"], *paid) == "sanction.not-due"
    out = tmp_path / "sanction.pdf"
    desk.well("supervision", "paper", told["name"], "--out", out)
    assert "$125.50" in pypdfium2.PdfDocument(out)[0].get_textpage().get_text_bounded()
    assert desk.well("supervision", "withdraw", told["name"], "--reasons", "an error")["ended"] == "withdrawn"


def test_products_weaknesses_and_art_are_walked(desk: Desk, tmp_path: Path) -> None:
    paper = tmp_path / "paper.txt"
    paper.write_text("a paper")
    by = ("--by", "olaf")
    filed = ("--reference", "FILE-1", "--document", paper, *by)
    assert desk.refused("products", "qualify", HARBOR, "--step", "integrity", *filed) == "person.unknown"
    authorised(desk, "olaf")
    for step in ("integrity", "prototype", "factory", "facilities"):
        desk.well("products", "qualify", HARBOR, "--step", step, *filed)
    assert desk.well("products", "authorize", HARBOR, *filed)["state"] == "authorized"
    system = (HARBOR, "--system", "TC2A")
    for step in ("letter-of-intent", "nondisclosure", "concept-of-operations", "test-plan", "testing"):
        desk.well("products", "submit", *system, "--step", step, *filed)
    assert desk.refused("products", "approve", *system, *filed) == "product.steps-open"
    for step in ("product", "laboratory"):
        desk.well("products", "submit", *system, "--step", step, "--build", BUILD, "--class", "wan", *filed)
    assert list(desk.well("products", "approve", *system, *filed)["builds"]) == [BUILD]
    found = desk.well("provider", "discover", "--category", "defect", "--system", "TC1A", "--details", "it skips")
    told = (found["name"], "--details", "it skips")
    assert desk.refused("provider", "report", *told, "--stage", "written") == "weakness.out-of-order"
    filing = (found["name"], "--out", tmp_path / "reports")
    assert desk.refused("provider", "papers", *filing) == "weakness.no-report"
    assert desk.well("provider", "report", *told, "--stage", "preliminary")["stage"] == "preliminary"
    plan = ("--investigation", "open six of them", "--completion", ahead(desk, 20))
    desk.well("provider", "report", found["name"], "--details", "a spring", "--stage", "written", *plan)
    reports = list(texts_of([Path(file) for file in desk.well("provider", "papers", *filing)["files"]]).values())
    assert "Preliminary report of a security weakness SPECIMEN" in reports[0]
    assert "Category defect Systems or models TC1A Under 502.14(b) What is known it skips" in reports[0]
    written = "Under 502.14(c) Circumstances a spring Proposed investigative procedure open six of them"
    assert f"Anticipated completion {plan[-1]} {written}" in reports[1]
    assert desk.refused("provider", "papers", *filing, "--provider", "provider.summit") == "weakness.no-report"
    desk.well("provider", "art", "spring", "--line", "Write once")
    assert desk.refused("provider", "supply-art", "spring") == "advertising.not-approved"
    about = (HARBOR, "--name", "spring", "--reasons", "suitable", *by)
    assert desk.refused("products", "approve-art", *about) == "advertising.not-examined"
    assert desk.refused("products", "refuse-art", *about, "--ground", "taste") == "advertising.no-ground"
    desk.well("products", "approve-art", *about, "--examined")
    assert desk.well("provider", "supply-art", "spring")["words"] == ["Write once"]
    assert desk.well("products", "show")["advertising"][0]["state"] == "approved"


@pytest.mark.parametrize(("verb", "steps"), [("qualify", QUALIFICATION), ("submit", SUBMISSION)])
def test_the_help_of_a_step_names_every_step(
    verb: str, steps: tuple[Step, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["products", verb, "--help"])
    said = " ".join(capsys.readouterr().out.split()).replace("- ", "-")
    assert [one.name for one in steps if one.name not in said] == []
