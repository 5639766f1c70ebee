"""Every element of every form stands where the design says, read back from the rendered page.

The expected places are a data file that no layout code reads or writes. That the measure would notice is proved too:
each element of each page, moved by 0.02 inch, makes it fail.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path as FilePath

import pytest
from tests.mailpiece.pages import correction, piece, piece_1998, redate
from tests.paper.golden import patch, reach, wrong

from towncircle.mailpiece.elements import ArcText, Element, Layer, Page, Path
from towncircle.paper.pdf import to_pdf

PAGES = {
    "letter": piece(),
    "letter-1998": piece_1998(),
    "flat": piece("flat9x12"),
    "card": piece("postcard"),
    "redate": redate(),
    "correction": correction(),
    "label": piece("label4x6", art=None),
    "tape": piece("tape", bars="", art=None, sender=None),
}
PROBES = tomllib.loads((FilePath(__file__).parents[1] / "data" / "golden-pages.toml").read_text(encoding="utf-8"))
STEP = 1440  # 0.02 inch
AROUND_MM = 20.0  # a round probe reaches over the whole town circle


def mm(units: int) -> float:
    return units * 25.4 / 72_000


@pytest.mark.parametrize("key", PAGES)
def test_every_element_stands_where_the_design_says(key: str) -> None:
    page = PAGES[key]
    pixels = patch(to_pdf([page]), 0, 0, mm(page.form.width), mm(page.form.height))
    assert [found for probe in PROBES[key] if (found := wrong(pixels, probe))] == []
    assert len({probe["what"] for probe in PROBES[key]}) == len(page.boxed)


def moved(element: Element, right: int, up: int) -> Element:
    if isinstance(element, Path):
        ops = tuple((op, tuple(n + (up if at % 2 else right) for at, n in enumerate(to))) for op, to in element.ops)
        return replace(element, ops=ops)
    if isinstance(element, ArcText):
        return replace(element, cx=element.cx + right, cy=element.cy + up)
    return replace(element, x=element.x + right, y=element.y + up)


def elements_of(page: Page) -> list[Element]:
    return [element for element, _ in page.boxed]


@pytest.mark.parametrize("key", PAGES)
@pytest.mark.parametrize(("right", "up"), [(STEP, 0), (0, STEP), (-STEP, 0), (0, -STEP)])
def test_an_element_that_is_moved_by_two_hundredths_of_an_inch_is_noticed(key: str, right: int, up: int) -> None:
    page = PAGES[key]
    every = elements_of(page)
    unnoticed = []
    for at, (element, box) in enumerate(page.boxed):
        changed = [*every[:at], moved(element, right, up), *every[at + 1 :]]
        left, top = mm(box.left) - AROUND_MM, mm(page.form.height - box.top) - AROUND_MM
        width, height = mm(box.width) + 2 * AROUND_MM, mm(box.height) + 2 * AROUND_MM
        near = [
            probe
            for probe in PROBES[key]
            if left <= reach(probe)[0]
            and top <= reach(probe)[1]
            and reach(probe)[2] <= left + width
            and reach(probe)[3] <= top + height
        ]
        data = to_pdf([replace(page, layers=(Layer(tuple(changed)),), elements=())])
        pixels = patch(data, left, top, width, height)
        if not any(wrong(pixels, probe, left, top) for probe in near):
            unnoticed.append(f"{element.role} {getattr(element, 'text', '')}")
    assert unnoticed == []
