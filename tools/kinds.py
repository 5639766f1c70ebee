"""Every kind of fact that the product can record, read from its source: what `ctx.note` is called with, and where.

A kind is written out, or is a name that the same function or module sets, or is spelled by one of the few rules below.
A call that none of these reads is named, so that a new room says how its kinds are spelled.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import get_args

from towncircle.kernel.persons import AUTHORISED, STRUCK
from towncircle.licensee.refunds import CREDITED, REFUSED
from towncircle.postal.licenses import Outcome
from towncircle.postal.population import EVENTS
from towncircle.provider.inventory import CUSTODY
from towncircle.provider.weaknesses import FACTS
from towncircle.rules.acting import MENDED, MISSED
from towncircle.rules.procedures import Procedure, procedures

SRC = Path(__file__).parents[1] / "src" / "towncircle"
PARTIES = ("licensee", "provider", "postal", "bank")
_KIND = re.compile(r"[a-z0-9-]+\.[a-z0-9 -]+")
# the steps of a procedure of supervision: of each, of a suspension, where a revocation is heard again, of a sanction
_EACH = ("notice-received", "defended", "decided", "decision-received", "in-force", "appealed", "appeal-decided")
_SUSPENSION = (
    *("suspension-proposed", "cure-extended", "correction-reported", "deficiencies-corrected", "proposal-withdrawn"),
    *("suspension-notified", "suspended", "suspension-extended", "suspension-ended", "suspension-withdrawn", "revoked"),
)
_HEARD_AGAIN = ("revocation-notified",)
_SANCTION = ("noticed", "assessed", "imposed", "withdrawn", "paid", "repaid")


def _steps(form: Procedure) -> tuple[str, ...]:
    own = _SANCTION if form.form == "sanction" else (*_SUSPENSION, *(_HEARD_AGAIN if form.heard_again else ()))
    return tuple(form.fact(what) for what in (*_EACH, *own))


SPELLED: dict[str, tuple[str, ...]] = {
    "f'custody.{step.to}'": tuple(f"custody.{move.to}" for move in CUSTODY.moves),
    "f'device.{body.event}'": tuple(f"device.{event}" for event in EVENTS),
    "f'license.{outcome}'": tuple(f"license.{outcome}" for outcome in get_args(Outcome)),
    "f'refund.{told.state}'": (f"refund.{CREDITED}", f"refund.{REFUSED}"),
    "f'person.{state}'": (f"person.{AUTHORISED}", f"person.{STRUCK}"),
    "one.stage": (MISSED, MENDED),
    "f'advertising.{outcome}'": ("advertising.approved", "advertising.refused"),
    "f'advertising.{body.outcome}'": ("advertising.approved", "advertising.refused"),
    "f'branch.{outcome}'": ("branch.approved", "branch.refused"),
    "FACTS[stage]": tuple(FACTS.values()),
    "form_of(row).fact(what)": tuple(kind for form in procedures().values() for kind in _steps(form)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Module:
    """One module that records facts: its path below src/towncircle and its tree."""

    path: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        """Name a place in the module."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def kinds() -> dict[str, str]:
    """Give every kind with a place that records it."""
    return {kind: places[-1] for kind, places in recorded().items()}


def recorded_by(party: str) -> set[str]:
    """Name the kinds that stand in the journals of a role: what its own room notes, and what no party's room does."""
    return {
        kind
        for kind, places in recorded().items()
        if any(place.partition("/")[0] == party or place.partition("/")[0] not in PARTIES for place in places)
    }


@cache
def recorded() -> Mapping[str, list[str]]:
    """Give every kind with all the places that record it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(SRC.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "ctx.note" in text:
            for kind, place in _of(_Module(path=path.relative_to(SRC).as_posix(), tree=ast.parse(text))):
                found[kind].append(place)
    return found


@cache
def fields() -> Mapping[str, frozenset[str]]:
    """Give the fields that each kind's body is seen to hold: what `ctx.note` is called with, as far as it is spelt."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(SRC.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "ctx.note" not in text:
            continue
        module = _Module(path=path.relative_to(SRC).as_posix(), tree=ast.parse(text))
        for function in (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call) and _notes(node)):
                for kind in _read(call.args[0], function, module):
                    found[kind] |= _spelled(call, function, module)
    return {kind: frozenset(names) for kind, names in found.items()}


def _spelled(call: ast.Call, function: ast.FunctionDef, module: _Module) -> set[str]:
    names = {word.arg for word in call.keywords if word.arg not in (None, "clauses", "occurred_at")}
    for word in call.keywords:
        if word.arg is None:
            names |= _keys(word.value, function, module)
    return {name for name in names if name}


def _keys(node: ast.expr, function: ast.FunctionDef, module: _Module, depth: int = 3) -> set[str]:
    """Read the keys of a dictionary that is written out here, or that the function or one it calls makes."""
    found = {key.value for one in ast.walk(node) if isinstance(one, ast.Dict) for key in one.keys
             if isinstance(key, ast.Constant) and isinstance(key.value, str)}  # fmt: skip
    if not depth:
        return found
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            for setting in ast.walk(function):
                if isinstance(setting, ast.Assign | ast.AnnAssign | ast.AugAssign) and setting.value is not None:
                    targets = setting.targets if isinstance(setting, ast.Assign) else [setting.target]
                    if any(isinstance(target, ast.Name) and target.id == one.id for target in targets):
                        found |= _keys(setting.value, function, module, depth - 1)
    return found


def _of(module: _Module) -> Iterator[tuple[str, str]]:
    for function in (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if _notes(call):
                found = tuple(_read(call.args[0], function, module))
                assert found, f"{module.at(call)} records {ast.unparse(call.args[0])}: SPELLED must say what that is"
                yield from ((kind, module.at(call)) for kind in found)


def _notes(call: ast.Call) -> bool:
    about = call.func
    return isinstance(about, ast.Attribute) and about.attr == "note" and ast.unparse(about.value) == "ctx"


def _read(node: ast.expr, function: ast.FunctionDef, module: _Module) -> Iterator[str]:
    if ast.unparse(node) in SPELLED:
        yield from SPELLED[ast.unparse(node)]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _read(node.body, function, module)
        yield from _read(node.orelse, function, module)
    elif isinstance(node, ast.Name) and node.id.isupper():
        name = f"towncircle.{module.path.removesuffix('.py').replace('/', '.')}"
        yield getattr(import_module(name), node.id)
    elif isinstance(node, ast.Name):
        for setting in ast.walk(function):
            if isinstance(setting, ast.Assign) and node.id in map(ast.unparse, setting.targets):
                yield from (text for text in _texts(setting.value) if _KIND.fullmatch(text))


def _texts(node: ast.expr) -> Iterator[str]:
    return (part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))
