"""Who keeps each duty and what proves it, gathered from the source: `src/towncircle/rules/clauses/proofs.json`.

Here: the `@cites(...)` of the code and the `requirement(...)` and `shows(...)` markers of the tests, read from the
syntax trees, so that nothing needs to run. Not here: the duties (`towncircle.rules.inventory`), writing the file
(`tools/docs.py`), whether a test keeps what its marker promises (`tests/duties.py`).
Kept: an id that no inventory has stops the gathering. A citation of a whole requirement counts for those of its duties
that nobody cites by number; a marker always names the duty.
"""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from towncircle.rules.acts import acts
from towncircle.rules.inventory import duties, inventory

ROOT = Path(__file__).parents[1]
# the markers of tests that walk through `acts.toml`, and whether a procedure does the acts that they walk
EVERY_ACT = {"every act of a procedure": True, "every act recorded by hand": False}
KEPT = ("implemented", "by-construction")
BREAKS, SHOWS = "requirement", "shows"  # the markers of the tests


class UnknownIdError(Exception):
    """Says which citation or marker names what no inventory has."""


def proofs() -> str:
    """Give the file: for each duty the symbols that keep it, the tests that break it, the tests that show more."""
    record = {"where": _sorted(_where()), "tests": _sorted(_tests(BREAKS)), "shows": _sorted(_tests(SHOWS))}
    return json.dumps(record, indent=1, ensure_ascii=False)


def _sorted(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: sorted(set(found[name])) for name in duties() if name in found}


def _where() -> dict[str, list[str]]:
    exact, whole = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for symbol, name in cited(ROOT / "src"):
        if name in duties():
            exact[name].append(symbol)
        elif name in inventory():
            whole[name].append(symbol)
        else:
            raise UnknownIdError(f"{symbol} cites '{name}', which is no requirement and no duty")
    for duty in duties().values():
        if duty.kind in KEPT and duty.id not in exact and duty.row in whole:
            exact[duty.id] = whole[duty.row]
    for act in acts().values():
        exact[act.duty].append(f"towncircle {act.command or f'record {act.name}'}")
    return {name: places for name, places in exact.items() if duties()[name].kind in (*KEPT, "operational")}


def _tests(marker: str) -> dict[str, list[str]]:
    found = defaultdict[str, list[str]](list)
    for test, name in marked(ROOT / "tests", marker):
        if name in EVERY_ACT:
            for act in acts().values():
                if bool(act.command) is EVERY_ACT[name]:
                    found[act.duty].append(test)
        elif name in duties():
            found[name].append(test)
        else:
            raise UnknownIdError(f"{test} is marked with '{name}', which is no duty")
    return found


def cited(folder: Path) -> Iterator[tuple[str, str]]:
    """Give (symbol, id) for every `@cites` of a source tree."""
    for path in sorted(folder.rglob("*.py")):
        module = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
        for name, call in _decorated(ast.parse(path.read_text(encoding="utf-8")), ""):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "cites":
                for text in _texts(call):
                    yield f"{module}.{name}", text


def marked(folder: Path, marker: str = BREAKS) -> Iterator[tuple[str, str]]:
    """Give (test, id) for every marker of a tree of tests, also of a single parameter."""
    for path in sorted(folder.rglob("test_*.py")):
        file = path.relative_to(folder.parent).as_posix()
        for name, decorator in _decorated(ast.parse(path.read_text(encoding="utf-8")), ""):
            for call in ast.walk(decorator):
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(f"mark.{marker}"):
                    for text in _texts(call):
                        yield f"{file}::{name}", text


def _decorated(tree: ast.AST, above: str) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{above}.{node.name}" if above else node.name
            for decorator in node.decorator_list:
                yield name, decorator
            yield from _decorated(node, name)


def _texts(call: ast.Call) -> list[str]:
    return [str(ast.literal_eval(arg)) for arg in call.args]
