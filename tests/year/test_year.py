"""The simulated year: complete by rule, clean at its end, the same for the same seed and after an interruption."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tools.kinds import kinds

from towncircle.cli.demo.narration import Narrator
from towncircle.cli.demo.regulation import closing
from towncircle.cli.demo.regulation.census import UNSHOWN_FACTS, UNSHOWN_MESSAGES
from towncircle.cli.demo.regulation.chapter import TABLE, Chapter
from towncircle.cli.demo.regulation.procedures import PROCEDURES, SCENES, Proof, of_act, schedule
from towncircle.cli.demo.regulation.scenes import TOPICS, accounts
from towncircle.cli.demo.regulation.town import MOST_ROOMS, STORIES, Pace
from towncircle.cli.demo.regulation.year import Year, eve_of, start_of
from towncircle.cli.main import main
from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Transaction
from towncircle.postal import publishing
from towncircle.rules.calendars import business_days_after, is_business_day
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.inventory import duties, inventory
from towncircle.rules.rulesets import chain, ruleset
from towncircle.wire.registry import all_types
from towncircle.world.clauses import counted, facts_of_world
from towncircle.world.config import STARTS
from towncircle.world.exporting import export
from towncircle.world.world import World

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


def test_every_procedure_names_its_clause() -> None:
    assert all(procedure.clause for procedure in PROCEDURES)
    assert inventory()


@pytest.mark.parametrize("regime", STARTS)
def test_each_rule_set_has_a_row_for_every_procedure_and_act_of_its_own_or_says_what_its_data_lack(regime: str) -> None:
    rules = ruleset(regime)
    absent = closing.absent(rules)
    needed = {one.name: one.needs for one in PROCEDURES if one.needs}
    assert absent.keys() == {name for name, what in needed.items() if what not in rules.parameters}
    assert all(needed[name] in why and regime in why for name, why in absent.items())
    own = {of_act(act).name for act in rules.acts.values()}
    assert len(own) == (3 if regime == "cfr-501" else 0)
    assert own.isdisjoint({one.name for one in PROCEDURES})


# ---- its days


def firsts() -> Iterator[date]:
    """Give the first day of the year of each regime, and of twelve years each thirteenth day."""
    yield from (start_of(name, Pace().days).date_in(HEADQUARTERS) for name in STARTS)
    yield from (date(1998, 9, 9) + timedelta(days=days) for days in range(0, 12 * 365, 13))


def test_every_scene_lies_on_a_business_day_of_the_year_in_the_order_of_its_topic_whenever_it_begins() -> None:
    rules = [ruleset(name) for name in STARTS]
    ordered = sorted((one for one in SCENES if not one.waits), key=lambda one: one.day)
    topics = [[one for one in ordered if one.scene.__module__.endswith(f".{topic}")] for topic in TOPICS]
    for number, first in enumerate(firsts()):
        days = schedule(first, rules[number % len(rules)])
        assert all(is_business_day(day) for day in days)
        assert min(days) >= first
        assert max(days) < first + timedelta(days=Pace().days)
        played = {play: day for day, plays in days.items() for play in plays}
        assert len(played) == len(SCENES)
        for own in topics:
            steps = [(one.day, played[one.scene]) for one in own]
            assert all((a[0] < b[0]) == (a[1] < b[1]) for a, b in pairwise(steps))


@pytest.mark.parametrize("regime", STARTS)
def test_a_year_begins_when_its_rule_sets_are_in_force_and_a_check_is_drawn_on_when_it_is_collected(
    regime: str,
) -> None:
    start = start_of(regime, Pace().days)
    assert is_business_day(eve_of(start).date_in(HEADQUARTERS))
    ruleset(chain(regime)[0]).check_start(eve_of(start).date_in("UTC"))
    rules = ruleset(regime)
    for first in (start.date_in(HEADQUARTERS), date(1998, 9, 9), date(2026, 11, 18), date(2027, 12, 20)):
        played = {play: day for day, plays in schedule(first, rules).items() for play in plays}
        paid, drawn = played[accounts.waits], played[accounts.available]
        assert business_days_after(paid, rules.integer("available_check", paid)) == drawn < played[accounts.advanced]


# ---- the year itself


def test_the_year_ends_as_it_should(year: tuple[Path, Chapter, bool]) -> None:
    out, played, well = year
    assert [(step["name"], step["ok"], step["detail"]) for step in played.told["steps"] if not step["ok"]] == []
    assert (well, played.told["ok"]) == (True, True)
    told = json.loads((out / TABLE).read_text())
    assert told["ok"] is True
    assert 0 < told["time"]["processor_seconds"] <= told["time"]["wall_seconds"] * 2


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
    happened = counted(facts_of_world(lived.world), since=None, until=None).rows
    lived.close()
    built = {duty.row for duty in duties().values() if duty.kind in ("implemented", "by-construction")}
    assert {row for row in built if not happened[row]} == set()
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


def checked(real: Callable[..., bool]) -> Callable[..., bool]:
    """Have each pack that is said to stand made anew: it is what was published."""

    def stands(world: World, view: Transaction, shown: int, now: Instant) -> bool:
        right = real(world, view, shown, now)
        if right:
            told = publishing.content(view)
            last = view.get("pack", "last")
            assert last is not None
            assert (last.body["digest"], last.body["number"]) == (told.digest, shown)
        return right

    return stands


def test_an_interrupted_year_is_taken_up_and_is_the_same_year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace(licensees=STORIES, days=36, visits=1, step=30)

    def interrupt(_words: str, done: int, _of: int) -> None:
        if done == 34:
            raise _Interrupted

    monkeypatch.setattr(World, "_stands", checked(World._stands))
    whole = Year(tmp_path / "whole", seed=1, regime=REGIME, pace=pace, progress=lambda *_: None)
    whole.begin()
    whole.run()
    whole.close()
    monkeypatch.undo()
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


def test_a_proof_about_the_subject_of_another_fact_is_none_without_that_fact() -> None:
    class Scan:
        type, body = "scan.recorded", {"device": "TC1A0000000001"}

    proof = Proof.parse("postal scan.recorded device=@device.stolen")
    for stolen, shown in (({"TC1A0000000001"}, True), ({"TC1A0000000002"}, False), (set[str](), False)):
        assert proof.shows(Scan(), {"device.stolen": stolen}.__getitem__) is shown  # type: ignore[arg-type]
