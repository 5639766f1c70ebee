"""The matrix tells the truth: every id is known, every quote stands in the text, nothing is claimed without proof."""

from __future__ import annotations

import ast
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from tests.house.source import modules
from tests.rules.test_rulesets import TEXTS
from tools import proofs
from tools.docs import state_tables

from towncircle.cli.main import main
from towncircle.kernel.errors import BrokenInvariant
from towncircle.kernel.errors.table import ERRORS
from towncircle.kernel.errors.under import UNDER
from towncircle.kernel.facts import Fact
from towncircle.kernel.ids import FactId
from towncircle.kernel.instants import Instant
from towncircle.mailpiece.lints import LINTS
from towncircle.provider.custody import JOINT
from towncircle.rules import RULESETS, ruleset
from towncircle.rules.acts import acts
from towncircle.rules.conformance import Line, matrix
from towncircle.rules.errata import errata
from towncircle.rules.inventory import KINDS, REASONED, SHEETS, duties, inventory, rows_named, sheet, told_by
from towncircle.verification.finding import CLAUSES
from towncircle.world.clauses import counted, facts_of_world, rows_of
from towncircle.world.recording import record
from towncircle.world.world import World

OPEN = Path(__file__).parents[1] / "data" / "open-duties.txt"
ROWS = 150
MOST_OPEN = 0
MOST_LEFT = 38  # what people do, and what does not apply
# clauses that are no requirement of the inventory: our own rules and the standards of others
OTHERS = {"house", "USPS-B-3200", "Postal Bulletin 22487 (2018)", "DMM 604.9.3.2", "39 CFR 501.20(b)"}
OTHERS |= {"39 CFR 501.14(c)(7)", "39 CFR 501.15"}


def text_of(row: str) -> str:
    return TEXTS[inventory()[row].source[:11]]


def test_the_inventory_has_every_requirement_and_numbers_its_duties() -> None:
    assert len(inventory()) == ROWS
    for row in inventory().values():
        numbered = [f"{row.id}/{number}" for number in range(1, len(row.duties) + 1)]
        assert [duty.id for duty in row.duties] == (numbered if len(row.duties) > 1 else [row.id])
        assert rows_named(row.clause) == {row.id}


@pytest.mark.parametrize("row", inventory().values(), ids=lambda row: row.id)
def test_every_requirement_quotes_its_text_word_for_word(row) -> None:  # type: ignore[no-untyped-def]
    assert len(row.quote) > 10
    assert row.quote in text_of(row.id)


@pytest.mark.parametrize("slip", errata(), ids=lambda slip: slip.name)
def test_every_slip_quotes_both_of_its_clauses(slip) -> None:  # type: ignore[no-untyped-def]
    assert slip.quote in text_of(slip.at)
    assert slip.against in text_of(slip.read)
    assert slip.against or slip.at == slip.read


def test_nothing_is_claimed_without_a_place_and_a_test() -> None:
    assert [(line.duty.id, line.missing) for line in matrix() if line.missing and line.duty.kind != "open"] == []


def test_every_implemented_duty_has_a_test_that_breaks_it() -> None:
    broken = {name for _, name in proofs.marked(proofs.ROOT / "tests")}
    assert [duty.id for duty in duties().values() if duty.kind == "implemented" and duty.id not in broken] == []
    assert (
        Line(duty=duties()["502.27d"], where=("x",), breaks=(), shows=("y",)).missing == "without a test that breaks it"
    )


def test_what_cannot_be_broken_is_a_short_list() -> None:
    assert {duty.id for duty in duties().values() if duty.kind == "by-construction"} == {
        *("PRE-01/3", "PRE-03/1", "PRE-03/2", "PRE-10/1", "PRE-11/2", "PRE-23/2"),
        *("P050-1.1/2", "P050-2.1/8", "502.20a/1", "IMI-10"),
    }


def test_a_refusal_names_further_requirements_only_where_a_test_breaks_them_so() -> None:
    asserted = defaultdict[str, str](str)  # for each requirement the text of the tests that break a duty of it
    for path in sorted((proofs.ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "mark.requirement" in text else ():
            if isinstance(node, ast.FunctionDef):
                for call in (call for one in node.decorator_list for call in ast.walk(one)):
                    if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("mark.requirement"):
                        for name in call.args:
                            row = str(ast.literal_eval(name)).partition("/")[0]
                            asserted[row] += "".join(map(ast.unparse, [*node.decorator_list, *node.body]))
    for code, rows in UNDER.items():
        assert not {*rows} & rows_named(ERRORS[code].clause), code
        assert [row for row in rows if f"'{code}'" not in asserted[row]] == [], code


def test_what_is_open_is_on_the_list_and_the_list_does_not_grow() -> None:
    still = [duty.id for duty in duties().values() if duty.kind == "open"]
    assert OPEN.read_text().split() == still, "write tests/data/open-duties.txt anew, and lower MOST_OPEN"
    assert len(still) <= MOST_OPEN


def test_an_open_duty_names_no_test_and_no_place() -> None:
    assert [line.duty.id for line in matrix() if line.duty.kind == "open" and (line.where or line.tests)] == []


def test_what_the_program_does_not_do_is_a_short_list_with_reasons() -> None:
    left = [duty for duty in duties().values() if duty.kind in REASONED]
    assert len(left) <= MOST_LEFT
    assert [duty.id for duty in left if not 10 < len(duty.why) <= 100] == []
    assert [duty.id for duty in duties().values() if duty.kind not in REASONED and duty.why] == []


@pytest.mark.parametrize(
    "duty",
    [
        {"kind": "operational", "does": "x"},
        {"kind": "not-applicable", "does": "x"},
        {"kind": "implemented", "does": "x", "why": "y"},
        {"kind": "done", "does": "x"},
    ],
    ids=lambda duty: duty["kind"],
)
def test_a_duty_without_its_reason_is_no_duty(duty: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    sheets = {name: {**sheet(name)} for name in SHEETS}
    row = {**sheets["p050"]["P050-3.6"], "duties": [duty]}
    sheets["p050"] = {**sheets["p050"], "P050-3.6": row}
    monkeypatch.setattr("towncircle.rules.inventory.sheet", lambda name: {**sheets[name]})
    with pytest.raises(BrokenInvariant, match=r"P050-3\.6 has no known kind, or a reason that does not go with it"):
        inventory.__wrapped__()


def test_every_operational_duty_has_its_act_and_every_act_its_duty() -> None:
    operational = {duty.id for duty in duties().values() if duty.kind == "operational"}
    acted = {act.duty for act in acts().values()}
    assert operational <= acted
    # acts of people without which the program goes no further: their duties are implemented by its refusal
    barred = {"502.2/1", "502.3", "502.9", "502.12/3", "502.18", "502.20l/2", "502.20l/3"}
    assert acted - operational == barred
    assert {duties()[name].kind for name in barred} == {"implemented"}
    count = Counter(act.duty for act in acts().values())
    assert [duty for duty, number in count.items() if number > 1] == ["502.17/2"]  # a test run, and its destruction


def test_what_a_procedure_does_counts_as_the_act_only_where_the_program_notes_it() -> None:
    kinds = json.loads(files("towncircle.rules").joinpath("facts.json").read_text("utf-8"))
    told = {act.name: act.told_by for act in acts().values() if act.told_by}
    assert len(told) == 21
    known = {*kinds["postal"], *kinds["provider"]}
    assert [name for name, facts in told.items() for fact, _ in facts if fact not in known] == []


def test_every_kind_of_fact_that_tells_of_a_requirement_is_one() -> None:
    kinds = json.loads(files("towncircle.rules").joinpath("facts.json").read_text("utf-8"))
    known = {kind for held in kinds.values() for kind in held}
    assert told_by().keys() - known == set()
    assert {row for rows in told_by().values() for row in rows} - inventory().keys() == set()


def test_a_fact_is_counted_by_its_clause_its_limit_its_code_and_its_kind(fact: Callable[..., Fact]) -> None:
    assert rows_of(fact("audit.taken", clauses=("502.23",))) >= {"502.23", "PRE-15", "IMI-11"}
    assert rows_of(fact("reset.refused", clauses=("P050 3.5(a)",), code="ledger.insufficient-funds")) == {
        *("P050-3.5a", *UNDER["ledger.insufficient-funds"])
    }
    missed = ruleset("cfr-501").limits["incident-report"]
    told = fact("limit.missed", clauses=(missed.clause,), limit=missed.id, digest=ruleset("cfr-501").digest)
    assert rows_named(missed.clause) == frozenset()
    assert rows_of(told) == {*missed.cites} == {"502.20g", "502.24"}


@pytest.fixture
def fact() -> Callable[..., Fact]:
    def made(kind: str, *, clauses: tuple[str, ...], digest: str = "", **body: str) -> Fact:
        when = Instant.parse("2026-11-21T15:00Z")
        return Fact(
            id=FactId("FCT-00000000000000000000000001"),
            type=kind,
            subject="x",
            occurred_at=when,
            recorded_at=when,
            actor="x",
            rule_digest=digest,
            clauses=clauses,
            body=body,
        )

    return made


def test_every_test_and_every_place_of_the_matrix_is_there() -> None:
    found = {test for name in (proofs.BREAKS, proofs.SHOWS) for test, _ in proofs.marked(proofs.ROOT / "tests", name)}
    assert {test for line in matrix() for test in line.tests} <= found
    texts = {module.path: module.text for module in modules()}
    for line in matrix():
        for place in line.where:
            if not place.startswith("towncircle "):
                module, name = place.removeprefix("towncircle.").rsplit(".", 1)
                path = module.replace(".", "/")
                held = [texts.get(f"{way}.py", "") for way in (path, path.rsplit("/", 1)[0], f"{path}/__init__")]
                assert any(f"{kind} {name}" in text for text in held for kind in ("def", "class")), place


@pytest.mark.parametrize("text", ['@cites("P050-9.9")\ndef f(): ...', '@cites("502.25a/9")\ndef f(): ...'])
def test_a_citation_of_an_unknown_id_stops_the_gathering(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "keeper.py").write_text(text)
    monkeypatch.setattr(proofs, "ROOT", tmp_path)
    with pytest.raises(proofs.UnknownIdError, match=r"keeper\.f"):
        proofs.proofs()


def test_a_marker_of_an_unknown_id_stops_the_gathering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text('@pytest.mark.requirement("P050-4.4")\ndef test_a(): ...')
    monkeypatch.setattr(proofs, "ROOT", tmp_path)
    with pytest.raises(proofs.UnknownIdError, match=r"test_it.py::test_a is marked with 'P050-4\.4'"):
        proofs.proofs()


def clauses_said() -> dict[str, str]:
    """Give every clause that the program says somewhere, with where."""
    said = {row.clause: code for code, row in ERRORS.items()}
    said |= {lint.clause: f"lint {lint.code}" for lint in LINTS}
    said |= {clause: f"finding {code}" for code, clause in CLAUSES.items()}
    said |= {pair.clause: f"custody {pair.custody}" for pair in JOINT}
    said |= {move.clause: f"{name} {move.event}" for _, name, table in state_tables() for move in table.moves}
    for name in RULESETS:
        said |= {one.clause: f"{name} {one.name}" for one in ruleset(name).parameters.values()}
        said |= {one.clause: f"{name} {one.id}" for one in ruleset(name).limits.values()}
    return said


def test_every_clause_that_the_program_says_is_one_of_the_rule() -> None:
    strange = {clause: where for clause, where in clauses_said().items() if not rows_named(clause)}
    assert {clause: where for clause, where in strange.items() if clause not in OTHERS} == {}


@pytest.mark.parametrize(
    ("clause", "rows"),
    [
        ("502.25(c)(1)", {"502.25c"}),
        ("502.25(c)(2)", {"502.25c2"}),
        ("502.27(a)(1)", {"502.27a"}),
        ("502.1", {"502.1"}),
        ("502.14(b)", {"502.14b"}),
        ("P050 2.5(i)", {"P050-2.5i"}),
        ("P050 4.8, 4.9", {"P050-4.8", "P050-4.9"}),
        ("P050 3.3", {"P050-3.3a", "P050-3.3b", "P050-3.3c", "P050-3.3d"}),
        ("P050 5.0", {"P050-5.1", "P050-5.2", "P050-5.3"}),
        ("P050 4.2 (DMM C830, OCR read area)", {"P050-4.2"}),
        ("house", set()),
        ("P050 9.9", set()),
        ("502.99(z)", set()),
    ],
)
def test_a_clause_as_it_is_written_names_its_requirements(clause: str, rows: set[str]) -> None:
    assert rows_named(clause) == rows


# ---- the command


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    code = main(["conformance", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_command_gives_every_duty_and_fails_while_one_is_open(capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = told(capsys)
    requirements = answer["requirements"]
    assert isinstance(requirements, list)
    assert [one["id"] for one in requirements] == list(duties())
    assert {"id", "kind", "where", "tests", "quality"} <= requirements[0].keys()
    assert code == (1 if any(one["missing"] for one in requirements) else 0)


def test_a_choice_of_duties_is_shown_alone_and_its_proof_decides(capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = told(capsys, "P050-3.6", "502.25(a)")
    assert [one["id"] for one in answer["requirements"]] == ["P050-3.6", *(f"502.25a/{at}" for at in range(1, 5))]  # type: ignore[attr-defined]  # a list
    assert code == 0
    _, whole = told(capsys)
    requirements = whole["requirements"]
    assert isinstance(requirements, list)
    for name in [one["id"] for one in requirements if one["missing"]][:1]:
        code, answer = told(capsys, "--id", name.partition("/")[0])
        assert code == 1
    for kind in KINDS:
        _, answer = told(capsys, "--kind", kind)
        assert {one["kind"] for one in answer["requirements"]} <= {kind}  # type: ignore[attr-defined]  # a list


@pytest.mark.parametrize("words", [["P050-9.9"], ["--kind", "done"], ["--since", "2026-11-21"], ["", ""]])
def test_what_names_nothing_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = told(capsys, *words)
    assert code == 2
    assert "error" in answer


def test_the_table_and_one_requirement_are_readable(capsys: pytest.CaptureFixture[str]) -> None:
    main(["conformance"])
    table = capsys.readouterr().out
    assert f"{ROWS} requirements, {len(duties())} duties" in table
    main(["conformance", "P050-3.6"])
    one = capsys.readouterr().out
    assert "programmed not to exceed $500" in one
    assert "broken in  tests/conformance/" in one
    assert "shown by   tests/world/" in one
    assert "Every one has its proof." in one


def test_what_happened_is_counted_by_clause_and_time(world: World) -> None:
    record(world, "system-inspected", by="provider.harbor", reference="TC1A0000000001", document=None)
    now = world.clock.now()
    all_of_it = counted(facts_of_world(world), since=None, until=None)
    assert all_of_it.rows["P050-2.1"] >= 2
    assert all_of_it.acts["502.18"] == 3  # the devices that were leased were inspected too
    assert all_of_it.types["502.20c"]["lease.signed"] == 2
    later = counted(facts_of_world(world), since=now.plus(microseconds=1), until=None)
    assert (sum(later.rows.values()), sum(later.acts.values())) == (0, 0)
    assert counted(facts_of_world(world), since=None, until=Instant.parse("1998-09-02")).rows == {}
