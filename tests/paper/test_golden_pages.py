"""Every element of every form stands where the design says, read back from the rendered page.

The expected places are a data file that no layout code reads or writes. That the measure would notice is proved too:
each element of each page, moved by 0.02 inch, makes it fail, and so does each figure of the layout code
(`test_shifts`). The pictures are what a person looked at; a page that looks otherwise is looked at again.
"""

from __future__ import annotations

import tomllib
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.paper.golden import patch, reach, wrong
from tests.paper.golden_set import DPI, FIRST, MAKERS, PICTURES, PROBES, page_of

from towncircle.mailpiece.elements import ArcText, Element, Layer, Page, Path
from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import raster

HELD = tomllib.loads(PROBES.read_text(encoding="utf-8"))
STEP = 1440  # 0.02 inch
AROUND_MM = 20.0  # a round probe reaches over the whole town circle
CELL = 5  # pixels, 1/20 inch
WAYS = ((STEP, 0), (0, STEP), (-STEP, 0), (0, -STEP))


def mm(units: int) -> float:
    return units * 25.4 / 72_000


@pytest.mark.parametrize("key", MAKERS)
def test_every_element_stands_where_the_design_says(key: str) -> None:
    page = page_of(key)
    pixels = patch(to_pdf([page]), 0, 0, mm(page.form.width), mm(page.form.height))
    assert [found for probe in HELD[key] if (found := wrong(pixels, probe))] == []
    assert len({probe["what"] for probe in HELD[key]}) == len(page.boxed)


def cells(grey: np.ndarray) -> np.ndarray:
    high, wide = (side // CELL * CELL for side in grey.shape)
    return grey[:high, :wide].reshape(high // CELL, CELL, wide // CELL, CELL).astype(float).mean(axis=(1, 3))


@pytest.mark.parametrize("key", MAKERS)
def test_a_page_looks_as_it_did_when_it_was_looked_at(key: str) -> None:
    seen = np.asarray(Image.open(PICTURES / f"{key}.png").convert("L"))
    now = raster(to_pdf([page_of(key)]), dpi=DPI)
    assert now.shape == seen.shape
    assert np.abs(cells(now) - cells(seen)).max() < 12  # words that are moved by 0.02 inch give 25 or more
    assert np.abs(cells(np.roll(now, round(DPI / 50), axis=1)) - cells(seen)).max() > 24


def test_every_picture_is_of_a_golden_page_and_they_are_small() -> None:
    files = list(PICTURES.iterdir())
    assert {file.name for file in files} == {f"{key}.png" for key in MAKERS}
    assert set(HELD) == set(MAKERS)
    assert sum(file.stat().st_size for file in files) < 500_000


def moved(element: Element, right: int, up: int) -> Element:
    if isinstance(element, Path):
        ops = tuple((op, tuple(n + (up if at % 2 else right) for at, n in enumerate(to))) for op, to in element.ops)
        return replace(element, ops=ops)
    if isinstance(element, ArcText):
        return replace(element, cx=element.cx + right, cy=element.cy + up)
    return replace(element, x=element.x + right, y=element.y + up)


def elements_of(page: Page) -> list[Element]:
    return [element for element, _ in page.boxed]


def ways_of(key: str, at: int) -> tuple[tuple[int, int], ...]:
    """Give the ways that an element is moved: all four on the first pages, on the others one that its place draws."""
    return WAYS if key in FIRST else (WAYS[zlib.crc32(f"{key} {at}".encode()) % 4],)


@pytest.mark.parametrize("key", MAKERS)
def test_an_element_that_is_moved_by_two_hundredths_of_an_inch_is_noticed(key: str) -> None:
    page = page_of(key)
    every = elements_of(page)
    unnoticed = []
    for at, (element, box) in enumerate(page.boxed):
        left, top = mm(box.left) - AROUND_MM, mm(page.form.height - box.top) - AROUND_MM
        width, height = mm(box.width) + 2 * AROUND_MM, mm(box.height) + 2 * AROUND_MM
        near = [
            probe
            for probe in HELD[key]
            if left <= reach(probe)[0]
            and top <= reach(probe)[1]
            and reach(probe)[2] <= left + width
            and reach(probe)[3] <= top + height
        ]
        for right, up in ways_of(key, at):
            changed = [*every[:at], moved(element, right, up), *every[at + 1 :]]
            data = to_pdf([replace(page, layers=(Layer(tuple(changed)),), elements=())])
            pixels = patch(data, left, top, width, height)
            if not any(wrong(pixels, probe, left, top) for probe in near):
                unnoticed.append(f"{element.role} {getattr(element, 'text', '')} by {right}, {up}")
    assert unnoticed == []
