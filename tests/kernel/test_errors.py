"""The error table: every row can be shown, every code has its row, and no row is dead."""

import ast
import re
import string
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from towncircle.cli.main import render
from towncircle.kernel import errors
from towncircle.kernel.errors import (
    BadInput,
    BrokenInvariant,
    Refused,
    RefusedOnGrounds,
    RelayedRefusal,
    Row,
    TowncircleError,
    sheets,
)
from towncircle.kernel.errors.table import ERRORS

SRC = Path(errors.__file__).parents[2]
CLASSES = {cls.__name__: cls.kind for cls in (BadInput, Refused, BrokenInvariant, RefusedOnGrounds)}
SHEETS: dict[str, dict[str, Row]] = {
    module.name: import_module(f"{sheets.__name__}.{module.name}").ROWS for module in iter_modules(sheets.__path__)
}
ADDED = {"RefusedOnGrounds": {"grounds"}}  # what the class itself fills in


@dataclass(frozen=True)
class Raised:
    """One place where an error with a literal code is made."""

    code: str
    cls: str
    params: frozenset[str] | None  # None: some come from a mapping
    where: str


def _sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SRC.rglob("*.py")):
        if "sheets" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _codes(node: ast.expr) -> list[str]:
    """Give the literal codes that an expression may be: a constant, or a choice of constants."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*_codes(node.body), *_codes(node.orelse)]
    return []


def _raised() -> list[Raised]:
    found = []
    for path, tree in _sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in CLASSES:
                given = [keyword.arg for keyword in node.keywords]
                params = None if None in given else frozenset(arg for arg in given if arg)
                where = f"{path.relative_to(SRC)}:{node.lineno}"
                found += [Raised(code, name, params, where) for code in _codes(node.args[0])]
    return found


RAISED = _raised()


def _wanted(row: Row) -> set[str]:
    fields = [*string.Formatter().parse(row.sentence), *string.Formatter().parse(row.next_step)]
    return {name for _, name, _, _ in fields if name is not None}


@pytest.mark.parametrize("code", ERRORS)
def test_a_row_has_a_sentence_a_clause_and_a_next_step_that_can_be_shown(code: str) -> None:
    row = ERRORS[code]
    assert re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", code)
    assert row.clause.strip()
    for text in (row.sentence, row.next_step):
        shown = text.format_map(dict.fromkeys(_wanted(row), "SHOWN"))
        assert shown.strip() == shown
        assert shown
        assert "{" not in shown
    assert all(name.isidentifier() for name in _wanted(row))


def test_the_codes_of_a_sheet_are_named_after_rooms_and_no_word_stands_in_two_sheets() -> None:
    words = defaultdict(set)
    for name, rows in SHEETS.items():
        assert import_module(f"{sheets.__name__}.{name}").__doc__
        for code in rows:
            words[code.split(".")[0]].add(name)
    assert {word: names for word, names in words.items() if len(names) > 1} == {}


def test_the_table_is_all_sheets() -> None:
    assert sum(map(len, SHEETS.values())) == len(ERRORS)


def test_every_code_that_is_raised_has_a_row_of_that_kind() -> None:
    wrong = [
        f"{raised.where}: {raised.cls}({raised.code!r}), the table says "
        f"{ERRORS[raised.code].kind if raised.code in ERRORS else 'nothing'}"
        for raised in RAISED
        if raised.code not in ERRORS or ERRORS[raised.code].kind != CLASSES[raised.cls]
    ]
    assert wrong == []


def test_every_error_gets_what_its_sentence_and_next_step_name() -> None:
    short = []
    for raised in RAISED:
        if raised.code in ERRORS and raised.params is not None:
            missing = _wanted(ERRORS[raised.code]) - raised.params - ADDED.get(raised.cls, set())
            if missing:
                short.append(f"{raised.where}: {raised.code} lacks {sorted(missing)}")
    assert short == []


def test_every_error_is_made_with_a_code_that_can_be_read_in_the_source() -> None:
    hidden = []
    for path, tree in _sources():
        for node in ast.walk(tree):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in CLASSES and not (node.args and _codes(node.args[0])):
                hidden.append(f"{path.relative_to(SRC)}:{node.lineno}")
    assert hidden == []


def test_no_row_is_dead() -> None:
    alive = {raised.code for raised in RAISED}
    assert sorted(set(ERRORS) - alive) == []


@pytest.mark.parametrize(("cls", "code"), [(BadInput, "no.such-code"), (Refused, "no.such-code")])
def test_a_code_without_a_row_is_a_defect_of_the_program(cls: type[TowncircleError], code: str) -> None:
    with pytest.raises(BrokenInvariant) as caught:
        cls(code)
    assert caught.value.code == "kernel.unknown-error-code"


def test_a_code_raised_as_another_kind_is_a_defect_of_the_program() -> None:
    with pytest.raises(BrokenInvariant) as caught:
        Refused("money.unreadable", text="x")
    assert caught.value.code == "kernel.error-kind-mismatch"


def test_an_error_carries_its_sentence_clause_and_next_step() -> None:
    error = BadInput("money.unreadable", text="1e309")
    assert error.as_dict() == {
        "code": "money.unreadable",
        "sentence": "'1e309' is not an amount in dollars.",
        "clause": "house",
        "next_step": "Write it like 12.34 or $0.621: digits, at most three decimals, no commas.",
    }
    assert str(error) == "money.unreadable: '1e309' is not an amount in dollars."


def test_braces_in_what_was_given_are_shown_as_they_are() -> None:
    assert "'{0.__class__}'" in BadInput("money.unreadable", text="{0.__class__}").sentence


def test_what_was_not_given_is_said_so_instead_of_failing_inside_the_failure() -> None:
    assert "(text not given)" in BadInput("money.unreadable").sentence


def test_a_form_is_refused_with_every_ground() -> None:
    grounds = (BadInput("money.unreadable", text="a"), BadInput("time.unreadable", text="b"))
    code = next(raised.code for raised in RAISED if raised.cls == "RefusedOnGrounds")
    error = RefusedOnGrounds(code, grounds)
    record = error.as_dict()
    assert [ground["code"] for ground in record["grounds"]] == ["money.unreadable", "time.unreadable"]  # type: ignore[attr-defined]


def test_a_refusal_names_what_its_guard_keeps_besides_its_clause(capsys: pytest.CaptureFixture[str]) -> None:
    error = Refused("provider.no-license")
    assert error.under == ("PRE-09", "P050-1.3", "502.8")
    assert error.as_dict()["under"] == ["PRE-09", "P050-1.3", "502.8"]
    record = {"code": "provider.no-license", "sentence": "s", "clause": "502.20(c)", "next_step": "n"}
    assert RelayedRefusal(record).as_dict() == {**record, "under": ["PRE-09", "P050-1.3", "502.8"]}
    assert RelayedRefusal({**record, "code": "of.another-version"}).as_dict() == {
        **record,
        "code": "of.another-version",
    }
    render(error, as_json=False)
    assert "clause 502.20(c); also PRE-09, P050 1.3, 502.8\n" in capsys.readouterr().err
