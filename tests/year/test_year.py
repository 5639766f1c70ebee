"""The simulated year: complete by rule, clean at its end, the same for the same seed and after an interruption."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tools.kinds import kinds

from towncircle.cli.demo.narration import Narrator
from towncircle.cli.demo.regulation import closing
from towncircle.cli.demo.regulation.census import UNSHOWN_FACTS, UNSHOWN_MESSAGES
from towncircle.cli.demo.regulation.chapter import TABLE, Chapter
from towncircle.cli.demo.regulation.procedures import PROCEDURES, SCENES, Proof
from towncircle.cli.demo.regulation.town import MOST_ROOMS, STORIES, Pace
from towncircle.cli.demo.regulation.year import Year
from towncircle.cli.main import main
from towncircle.kernel.errors import BadInput
from towncircle.rules.inventory import inventory
from towncircle.wire.registry import all_types
from towncircle.world.exporting import export

SHORT = Pace(licensees=STORIES, visits=2, step=30)
REGIME = "imi-2024"
PROVED = {proof.kind for procedure in PROCEDURES for proof in procedure.proofs}


def chapter(out: Path, pace: Pace = SHORT, seed: int = 1) -> Chapter:
    return Chapter(out, seed=seed, regime=REGIME, pace=pace, narrator=Narrator(quiet=True))


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Chapter, bool]:
    out = tmp_path_factory.mktemp("year") / "out"
    played = chapter(out)
    return out, played, played.play(resume=False)


# ---- complete by rule


def test_every_kind_of_fact_is_a_proof_or_is_excused() -> None:
    open_ = {kind: place for kind, place in kinds().items() if kind not in PROVED and kind not in UNSHOWN_FACTS}
    assert open_ == {}, "a scene of the simulated year must show these kinds of facts"


def test_nothing_is_proved_or_excused_that_the_product_cannot_do() -> None:
    known = kinds().keys()
    assert PROVED - known == set()
    assert UNSHOWN_FACTS.keys() - known == set()
    assert UNSHOWN_MESSAGES.keys() - {kind.name for kind in all_types()} == set()
    assert not UNSHOWN_FACTS.keys() & PROVED
    assert all(reason.strip() for reason in (*UNSHOWN_FACTS.values(), *UNSHOWN_MESSAGES.values()))


def test_the_help_says_how_many_licensees_a_year_has_room_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--help"])
    assert f"{STORIES} to {MOST_ROOMS};" in capsys.readouterr().out


def test_every_scene_lies_in_the_year_and_every_procedure_names_its_clause() -> None:
    assert all(0 <= dated.day < Pace().days for dated in SCENES)
    assert all(procedure.clause for procedure in PROCEDURES)
    assert inventory()


# ---- the year itself


def test_the_year_ends_as_it_should(year: tuple[Path, Chapter, bool]) -> None:
    out, played, well = year
    assert [(step["name"], step["ok"], step["detail"]) for step in played.told["steps"] if not step["ok"]] == []
    assert (well, played.told["ok"]) == (True, True)
    assert json.loads((out / TABLE).read_text())["ok"] is True


def test_no_procedure_is_at_zero_and_each_names_its_facts(year: tuple[Path, Chapter, bool]) -> None:
    rows = year[1].told["procedures"]
    assert [row["name"] for row in rows if not row["count"]] == []
    assert len(rows) == len(PROCEDURES)
    assert all(fact["first"].startswith("FCT-") for row in rows for fact in row["facts"])


def test_what_is_excused_did_not_occur_and_nothing_occurred_that_proves_nothing(
    year: tuple[Path, Chapter, bool],
) -> None:
    out, played, _ = year
    lived = Year(out, seed=1, regime=REGIME, pace=SHORT, progress=lambda *_: None)
    occurred = set(closing.kinds(lived.world))
    lived.close()
    assert occurred & UNSHOWN_FACTS.keys() == set()
    assert occurred <= PROVED
    sent = {name.rpartition(" ")[0] for name in played.told["messages"]}
    assert sent & UNSHOWN_MESSAGES.keys() == set()


def test_the_audit_of_the_year_finds_nothing_and_every_duty_is_explained(year: tuple[Path, Chapter, bool]) -> None:
    told = year[1].told
    assert told["audit"]["differences"] == []
    assert told["audit"]["quiet"] is True
    assert told["duties"]["consequences"] > 0
    assert told["decisions"]["would_differ"] > 0


# ---- interrupted


def exported(out: Path, pace: Pace) -> dict[str, str]:
    lived = Year(out, seed=1, regime=REGIME, pace=pace, progress=lambda *_: None)
    export(lived.world, out / "export")
    lived.close()
    files = sorted((out / "export").rglob("*"))
    return {str(one.relative_to(out)): hashlib.sha256(one.read_bytes()).hexdigest() for one in files if one.is_file()}


class _Interrupted(Exception):
    pass


def test_an_interrupted_year_is_taken_up_and_is_the_same_year(tmp_path: Path) -> None:
    pace = Pace(licensees=STORIES, days=36, visits=1, step=30)

    def interrupt(_words: str, done: int, _of: int) -> None:
        if done == 34:
            raise _Interrupted

    whole = Year(tmp_path / "whole", seed=1, regime=REGIME, pace=pace, progress=lambda *_: None)
    whole.begin()
    whole.run()
    whole.close()
    cut = Year(tmp_path / "cut", seed=1, regime=REGIME, pace=pace, progress=interrupt)
    cut.begin()
    with pytest.raises(_Interrupted):
        cut.run()
    cut.close()
    again = Year(tmp_path / "cut", seed=1, regime=REGIME, pace=pace, progress=lambda *_: None)
    again.run()
    again.close()
    assert exported(tmp_path / "cut", pace) == exported(tmp_path / "whole", pace)
    other = Year(tmp_path / "cut", seed=2, regime=REGIME, pace=pace, progress=lambda *_: None)
    with pytest.raises(BadInput) as caught:
        other.run()
    assert caught.value.code == "demo.other-year"


# ---- arguments


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--resume",), "cli.argument-astray"),
        (("--licensees", "30"), "cli.argument-astray"),
        (("--chapter", "regulation", "--processes"), "cli.argument-astray"),
        (("--chapter", "regulation", "--licensees", "39"), "demo.too-few"),
        (("--chapter", "regulation", "--licensees", "100"), "demo.too-few"),
        (("--chapter", "regulation", "--resume"), "demo.no-checkpoint"),
    ],
)
def test_what_does_not_go_together_is_said(
    arguments: tuple[str, ...], code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--out", str(tmp_path / "out"), *arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code


def test_a_proof_reads_its_words() -> None:
    proof = Proof.parse("provider custody.checked_out purpose=return noted=*")
    where = (("purpose", "return"), ("noted", "*"))
    assert (proof.role, proof.kind, proof.where) == ("provider", "custody.checked out", where)
