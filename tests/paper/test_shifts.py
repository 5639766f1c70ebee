"""Every figure of the layout code is measured: 0.02 inch more in any of them, and a golden page is wrong.

The figures are the numbers in the code of the layout and the lengths of the zones. Each is changed in turn, in the
running program, and the pages are measured with the probes that no layout code knows.
"""

from __future__ import annotations

import ast
import inspect
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from tests.paper.golden import patch, reach, wrong
from tests.paper.golden_set import MAKERS, PROBES, drawing, page_of

from towncircle.kernel.errors import TowncircleError
from towncircle.mailpiece import art, geometry, imprint, page, placing
from towncircle.mailpiece.elements import Page
from towncircle.paper.pdf import to_pdf

HELD = tomllib.loads(PROBES.read_text(encoding="utf-8"))
SHIFT = 1440
MODULES = (imprint, placing, art, page)
AROUND_MM = 20.0
LEAST = 300  # smaller numbers count things
TABLES = ("fim", "barcode", "ocr", "label", "art", "imb", "postnet")
# Numbers that put nothing at a place: bounds of a choice that no golden page is at, dots and ink, what only lints ask.
DECIDING = {
    *("imprint.APART_HEIGHT[-1]", "imprint.MOST_MODULE[-1]", "imprint._GAP[-1]", "imprint.module_size[0]"),
    *("imprint._ribbon[4]", "imprint._ribbon[6]", "imprint.symbol_at[0]", "placing._BESIDE[-1]"),
    *("placing._MOST_WIDTH[-1]", "placing._SENDER[-1]", "placing._GOOD_MODULE[-1]", "placing.frame_of[0]"),
    *("art._ART_LINES[-1]", "art._MOST_TRACKING[-1]", "art._inches[0]", "page._LEFT[-1]"),
    *(f"art.art_layer[{at}]" for at in (1, 3, 7, 9)),
    *(f"page.nonaddress_side[{at}]" for at in range(4)),
    *(f"page._stationery[{at}]" for at in range(3)),
    *("fim.zone_right", "fim.zone_height", "fim.top_most", "barcode.width", "barcode.side_clearance", "ocr.side"),
    *("label.bottom", "label.corner", "art.width", "art.most_bytes", "art.most_dots", "imb.length_most"),
    *("art.least_ink_percent", "art.most_ink_percent", "imb.vertical_clearance", "postnet.vertical_clearance"),
    *(f"fim.{name}_tolerance" for name in ("bar", "height", "right", "bottom")),
    *(
        f"{table}.{name}_{end}"
        for table, names in (("imb", ("pitch", "bar", "full")), ("postnet", ("pitch", "bar", "full", "short")))
        for name in names
        for end in ("least", "most")
    ),
}


def numbers(module: ModuleType) -> list[tuple[str, int]]:
    """Name every number of a module's functions, by function and place in it, and those of the module itself."""
    tree, found = ast.parse(inspect.getsource(module)), []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            held = [one for one in ast.walk(node) if is_figure(one)]
            found += [(node.name, at) for at in range(len(held))]
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            names = [one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
            found += [(name, -1) for name in names if isinstance(getattr(module, name), int)]
    return found


def is_figure(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value >= LEAST


def bare(held: Any) -> FunctionType:
    while hasattr(held, "__wrapped__"):
        held = held.__wrapped__
    assert isinstance(held, FunctionType)
    return held


def code_with(module: ModuleType, name: str, at: int) -> CodeType:
    tree = ast.parse(inspect.getsource(module))
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    figure = [node for node in ast.walk(function) if is_figure(node)][at]
    figure.value += SHIFT  # type: ignore[attr-defined]  # it is a constant
    whole = compile(tree, str(module.__file__), "exec", dont_inherit=True)
    (code,) = (one for one in whole.co_consts if isinstance(one, CodeType) and one.co_name == name)
    return code


def forget() -> None:
    for module in (*MODULES, geometry):
        for held in vars(module).values():
            if hasattr(held, "cache_clear") and held is not geometry._data:
                held.cache_clear()


@contextmanager
def shifted(module: ModuleType, name: str, at: int) -> Iterator[None]:
    if at < 0:
        before = getattr(module, name)
        having = [one for one in MODULES if getattr(one, name, None) == before]
        change = lambda value: [setattr(one, name, value) for one in having]  # noqa: E731
        make, undo = (lambda: change(before + SHIFT)), (lambda: change(before))
    else:
        function = bare(getattr(module, name))
        old, new = function.__code__, code_with(module, name, at)
        make, undo = (lambda: setattr(function, "__code__", new)), (lambda: setattr(function, "__code__", old))
    with done(make, undo):
        yield


@contextmanager
def done(make: Callable[[], Any], undo: Callable[[], Any]) -> Iterator[None]:
    make()
    forget()
    try:
        yield
    finally:
        undo()
        forget()


@contextmanager
def longer(table: str, name: str) -> Iterator[None]:
    rows: dict[str, Any] = geometry._data()[table]
    before = rows[name]
    after = f"{before} 1/50" if isinstance(before, str) else before + 12  # dots of 600 dpi
    with done(lambda: rows.update({name: after}), lambda: rows.update({name: before})):
        if name == "picture_height":
            drawing.cache_clear()
        yield
    if name == "picture_height":
        drawing.cache_clear()


def noticed() -> bool | None:
    """Tell whether a page is wrong or refused; None where all are as they were."""
    same = True
    for key, make in MAKERS.items():
        try:
            now: Page = make()
        except (TowncircleError, AssertionError):
            return True
        before = page_of(key).boxed
        if now.boxed != before:
            same = False
            changed = [box for (element, box), was in zip(now.boxed, before, strict=False) if (element, box) != was]
            if is_wrong(key, now, changed):
                return True
    return None if same else False


def is_wrong(key: str, now: Page, changed: list[geometry.Box]) -> bool:
    """Measure a page around some of what changed on it, and then all of it."""
    data = to_pdf([now])
    whole = (0.0, 0.0, mm(now.form.width), mm(now.form.height))
    near = [
        (mm(box.left) - AROUND_MM, mm(now.form.height - box.top) - AROUND_MM, mm(box.right), mm(box.height))
        for box in changed[:2]
    ]
    areas = [(left, top, right + AROUND_MM - left, high + 2 * AROUND_MM) for left, top, right, high in near]
    for left, top, width, height in (*areas, whole):
        probes = [
            probe
            for probe in HELD[key]
            if (at := reach(probe))[0] >= left and at[1] >= top and at[2] <= left + width and at[3] <= top + height
        ]
        pixels = patch(data, left, top, width, height) if probes else None
        if pixels is not None and any(wrong(pixels, probe, left, top) for probe in probes):
            return True
    return False


def mm(units: int) -> float:
    return units * 25.4 / 72_000


FIGURES = [(module, name, at) for module in MODULES for name, at in numbers(module)]
ZONES = [
    (table, name)
    for table in TABLES
    for name, value in geometry._data()[table].items()
    if isinstance(value, int) or (isinstance(value, str) and value[0].isdigit() and name != "source")
]


@pytest.fixture(scope="module", autouse=True)
def _known() -> None:
    for key in MAKERS:
        page_of(key)


def test_a_figure_of_the_layout_code_that_is_off_by_two_hundredths_of_an_inch_is_noticed() -> None:
    found: dict[str, bool | None] = {}
    for module, name, at in FIGURES:
        with shifted(module, name, at):
            found[f"{module.__name__.rpartition('.')[2]}.{name}[{at}]"] = noticed()
    for table, name in ZONES:
        with longer(table, name):
            found[f"{table}.{name}"] = noticed()
    assert {name for name, said in found.items() if said is not True} == DECIDING
    assert len(found) - len(DECIDING) > 90
    assert noticed() is None  # all is as it was
