"""No number of the rule stands in code: what the rule sets say is asked of the rule sets (house.md 6).

The numbers looked for are the values of every parameter of every rule set, so a new parameter is guarded when it
arrives.
"""

import ast
from datetime import date

import pytest
from tests.house.source import Module, modules

from towncircle.rules import ruleset
from towncircle.rules.rulesets import RULESETS

UNITS = ("months", "days", "hours")
# "path: value": why this number is not the rule's
OTHER_MEANING = {
    "bench/fleet.py: 100000 mills": "devices of a fleet",
    "bench/mailpiece.py: 100000 mills": "a descending register of a mark",
    "cli/bench.py: 100000 mills": "devices of a fleet",
    "testing/hostile_wire.py: 100 dollars": "a reset",
    "testing/sandbox.py: 100 dollars": "a reset",
    "postal/publishing.py: 30 days": "house: the window of mailing dates around a scan, published in the pack",
    "auditor/refund_forms.py: 24 hours": "house: how long a message is good, in the auditor's own words",
    "wire/message.py: 24 hours": "house: how long a message is good, not how early a device warns",
}


def _values(unit: str) -> set[object]:
    found: set[object] = set()
    for name in RULESETS:
        for parameter in ruleset(name).parameters.values():
            if parameter.unit == unit:
                found |= {dated.value for dated in parameter.values}
    return found


AMOUNTS = {int(value) for value in _values("mills")}  # type: ignore[call-overload]  # all are whole numbers
DATES = {str(value) for value in _values("date")}
LENGTHS = {str(value) for value in _values("length")}
LIMITS = [limit for name in RULESETS for limit in ruleset(name).limits.values() if limit.quality != "house"]
LIMIT_TERMS = {str(row.value) for limit in LIMITS for row in limit.values if " " in str(row.value)} - {"0 days"}
DATES |= {row.value.isoformat() for limit in LIMITS for row in limit.values if isinstance(row.value, date)}
TERMS = {str(value) for value in _values("term")} | LIMIT_TERMS
COUNTS = {(term.split()[1].rstrip("s") + "s", int(term.split()[0])) for term in TERMS if len(term.split()) == 2}


def _constant(node: ast.AST | None) -> object:
    """Give the value of a constant, also in a product of constants."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left, right = _constant(node.left), _constant(node.right)
        if isinstance(left, int) and isinstance(right, int):
            return left * right
    return None


def _prose(tree: ast.Module) -> set[int]:
    """Name the constants that are docstrings."""
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def _unit_of(name: str) -> str | None:
    words = name.lower().split("_")
    return next((unit for unit in UNITS if unit in words or unit[:-1] in words), None)


def _said(node: ast.AST) -> str | None:
    """Give the rule's number that a node says, or None."""
    value = _constant(node)
    if isinstance(value, int) and not isinstance(value, bool) and value in AMOUNTS:
        return f"{value} mills"
    if isinstance(value, str) and value in DATES | LENGTHS | TERMS:
        return value
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        numbers = [_constant(arg) for arg in node.args]
        if name == "date" and len(numbers) == 3 and all(isinstance(number, int) for number in numbers):
            day = date(*numbers).isoformat()  # type: ignore[arg-type]  # checked in the line above
            return day if day in DATES else None
        if name == "dollars" and numbers and isinstance(numbers[0], int) and numbers[0] * 1000 in AMOUNTS:
            return f"{numbers[0]} dollars"
    if isinstance(node, ast.keyword) and node.arg in UNITS and (node.arg, _constant(node.value)) in COUNTS:
        return f"{_constant(node.value)} {node.arg}"
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        unit = _unit_of(node.targets[0].id)
        if unit and (unit, _constant(node.value)) in COUNTS:
            return f"{_constant(node.value)} {unit}"
    return None


def _found(module: Module) -> list[str]:
    prose = _prose(module.tree)
    nodes = (node for node in ast.walk(module.tree) if id(node) not in prose)
    return [said for node in nodes if (said := _said(node)) is not None]


def test_no_number_of_the_rule_stands_in_code() -> None:
    assert len(LIMIT_TERMS) > 9
    found = {f"{module.path}: {said}" for module in modules() if module.room != "rules" for said in _found(module)}
    assert sorted(found - OTHER_MEANING.keys()) == []
    assert sorted(OTHER_MEANING.keys() - found) == [], "no longer there"


@pytest.mark.parametrize(
    "text",
    ["CAP = 500_000", "CAP = 500 * 1000", "x = Mills.dollars(500)", "DAY = date(2024, 6, 30)", "DAY = '2024-06-30'",
     "x = now.plus(hours=72)",
     "x = Term(days=45)", "APPEAL_DAYS = 10", "DAY = '2024-12-31'",
     "LAPSE_HOURS = 72", "WINDOW_DAYS = 30", "x = Term(months=3)", "x = '1/4 in'"],
)  # fmt: skip
def test_it_would_be_found(text: str) -> None:
    assert _found(Module("psd/specimen.py", "psd", text, ast.parse(text))) != []


@pytest.mark.parametrize(
    "text", ["SIZE = 72", "'''Wait 72 hours.'''", "x = now.plus(hours=1)", "def f():\n  '30 days'"]
)
def test_another_number_is_left_alone(text: str) -> None:
    assert _found(Module("psd/specimen.py", "psd", text, ast.parse(text))) == []


def test_every_parameter_is_read_by_somebody() -> None:
    text = "\n".join(module.text for module in modules() if module.room != "rules")
    names = {name for regime in RULESETS for name in ruleset(regime).parameters}
    assert sorted(name for name in names if f'"{name}"' not in text) == []
