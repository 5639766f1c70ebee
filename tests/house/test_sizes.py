"""Functions fit on a screen, modules in a sitting (style.md); every module says what is in it."""

import ast

from tests.house.source import modules

MODULE_LINES = 400
FUNCTION_LINES = 50
EXCEPTIONS: dict[str, str] = {
    "kernel/errors/sheets/psd.py": "a table; all codes of a word stand in one sheet"
}  # "path" or "path:function": the reason it may be longer


def test_a_module_fits_in_a_sitting() -> None:
    long = {module.path: module.text.count("\n") for module in modules()}
    assert {p: n for p, n in long.items() if n > MODULE_LINES and p not in EXCEPTIONS} == {}


def _functions() -> dict[str, int]:
    found = {}
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                prose = (ast.get_docstring(node) or "").count("\n")  # a numbered list of checks is no burden
                found[f"{module.path}:{node.name}"] = (node.end_lineno or node.lineno) - node.lineno + 1 - prose
    return found


def test_a_function_fits_on_a_screen() -> None:
    assert {f: n for f, n in _functions().items() if n > FUNCTION_LINES and f not in EXCEPTIONS} == {}


def test_no_exception_is_out_of_date() -> None:
    sizes = {module.path: module.text.count("\n") - MODULE_LINES for module in modules()}
    sizes |= {name: lines - FUNCTION_LINES for name, lines in _functions().items()}
    assert [name for name in EXCEPTIONS if sizes.get(name, 0) <= 0] == []


def test_every_module_opens_with_what_is_here() -> None:
    assert [module.path for module in modules() if not (ast.get_docstring(module.tree) or "").strip()] == []


def test_every_public_thing_has_a_docstring() -> None:
    bare = []
    for module in modules():
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                bare += [] if ast.get_docstring(node) else [module.at(node)]
    assert bare == []
