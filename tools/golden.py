"""Draw and measure the golden pages anew: `.venv/bin/python tools/golden.py [NAME ...]`.

Writes tests/data/golden/NAME.png (to be looked at) and the probes of the page in tests/data/golden-pages.toml; those
of the first eight pages are kept by hand, and what other pages share with them is taken from there. Nothing here
judges: whoever runs it looks at each picture, and at what changed in the file, before keeping them.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from tests.paper.golden import NEAR_MM, Probe, measured, patch  # noqa: E402
from tests.paper.golden_set import DPI, FIRST, MAKERS, PICTURES, PROBES, SHADES, page_of  # noqa: E402

from towncircle.mailpiece.elements import ArcText, Element, Layer, Page, Text  # noqa: E402
from towncircle.paper.pdf import to_pdf  # noqa: E402
from towncircle.paper.png import raster  # noqa: E402

MARGIN_MM, MARGIN_DEGREES = 0.25, 3.0
THIN_MM = 0.12


def mm(units: float) -> float:
    """Give millimetres."""
    return units * 25.4 / 72_000


def draw(name: str) -> None:
    """Write the picture of a page, in few shades of grey."""
    PICTURES.mkdir(exist_ok=True)
    grey = Image.fromarray(raster(to_pdf([page_of(name)]), dpi=DPI))
    step = 255 // (SHADES - 1)
    grey.point([round(value / step) * step for value in range(256)]).quantize(SHADES).save(
        PICTURES / f"{name}.png", optimize=True
    )


def pixels_of(page: Page) -> np.ndarray:
    """Render a page as the tests do."""
    return patch(to_pdf([page]), 0, 0, mm(page.form.width), mm(page.form.height))


def words_of(element: Element) -> str:
    """Name an element."""
    text = getattr(element, "text", "")
    return f"{element.role}: {text[:23].strip()}" if text else f"{element.role}: {type(element).__name__.lower()}"


def probes_of(page: Page) -> Iterator[Probe]:
    """Measure every element of a page where no other one stands in the way."""
    whole, held = pixels_of(page), measured_before()
    names = [words_of(element) for element, _ in page.boxed]
    for at, (element, _) in enumerate(page.boxed):
        count = f" ({names[: at + 1].count(names[at])})" if names.count(names[at]) > 1 else ""
        what = names[at] + count
        if (page.form.key, element) in held:
            yield from held[page.form.key, element]
            continue
        if isinstance(element, ArcText):
            yield {"what": what, **arc(element, whole, page)}
            continue
        alone = pixels_of(replace(page, layers=(Layer((dark(element),)),), elements=()))
        ink = measured(alone, {"window": [0.0, 0.0, mm(page.form.width), mm(page.form.height)]})
        assert ink is not None, what
        found = list(cuts(what, ink, alone, whole, light=isinstance(element, Text) and element.ink > 500))
        if not found:
            sys.exit(f"{what}: nothing of it stands clear of the others; measure it by hand")
        yield from found


@cache
def measured_before() -> dict[tuple[str, Element], list[Probe]]:
    """Give the probes of elements that were measured by hand, by form and element."""
    held = tomllib.loads(PROBES.read_text(encoding="utf-8"))
    found: dict[tuple[str, Element], list[Probe]] = {}
    for name in FIRST:
        page = page_of(name)
        whats = list(dict.fromkeys(probe["what"] for probe in held[name]))
        for (element, _), what in zip(page.boxed, whats, strict=True):
            found[page.form.key, element] = [probe for probe in held[name] if probe["what"] == what]
    return found


def dark(element: Element) -> Element:
    """Give an element in black."""
    return replace(element, ink=0) if isinstance(element, Text) and element.ink else element


def cuts(what: str, ink: list[float], alone: np.ndarray, whole: np.ndarray, *, light: bool) -> Iterator[Probe]:
    """Give the window of an element, or two thin cuts of it where others stand in its window."""
    head: Probe = {"what": what, **({"light": True} if light else {})}
    window = [round(ink[0] - MARGIN_MM, 2), round(ink[1] - MARGIN_MM, 2)]
    window += [round(ink[2] + MARGIN_MM, 2), round(ink[3] + MARGIN_MM, 2)]
    probe = {**head, "window": window}
    found = measured(whole, probe)
    if found is not None and same(found, ink):
        yield {**probe, "ink": found}
        return
    for across in (True, False):
        low, high = (ink[1], ink[3]) if across else (ink[0], ink[2])
        for share in np.linspace(0.03, 0.97, 48):
            cut = slice_of(window, low + share * (high - low), across=across)
            seen, own = measured(whole, {**head, "window": cut}), measured(alone, {"window": cut})
            if seen is not None and own is not None and same(seen, own) and inside(seen, cut, across=across):
                yield {**head, "window": cut, "ink": seen}
                break


def slice_of(window: list[float], at: float, *, across: bool) -> list[float]:
    """Give a thin cut through a window, across it or down."""
    left, top, right, bottom = window
    low, high = round(at - THIN_MM, 2), round(at + THIN_MM, 2)
    return [left, low, right, high] if across else [low, top, high, bottom]


def inside(ink: list[float], cut: list[float], *, across: bool) -> bool:
    """Tell whether ink ends before its cut does, so that a shift is seen."""
    if across:
        return ink[0] > cut[0] + 0.05 and ink[2] < cut[2] - 0.05
    return ink[1] > cut[1] + 0.05 and ink[3] < cut[3] - 0.05


def same(one: list[float], other: list[float]) -> bool:
    """Tell whether two boxes are the same to less than a shift."""
    return all(abs(a - b) <= NEAR_MM / 2 for a, b in zip(one, other, strict=True))


def arc(element: ArcText, whole: np.ndarray, page: Page) -> Probe:
    """Measure words along a circle."""
    centre = [round(mm(element.cx), 2), round(mm(page.form.height - element.cy), 2)]
    base, high = mm(element.radius), mm(element.size) * 0.75
    ring = [base - 0.45, base + high + 0.1] if element.over else [base - high - 0.1, base + 0.45]
    middle, half = (90.0 if element.over else 270.0), min(element.sweep / 2 + 2 * MARGIN_DEGREES, 180)
    wide = [0.0, 360.0] if half >= 170 else [middle - half, middle + half]
    probe: Probe = {
        "centre": centre,
        "ring": [round(value, 2) for value in ring],
        "arc": [round(value, 1) for value in wide],
    }
    ink = measured(whole, probe)
    assert ink is not None
    tight = [round(ink[0] - 0.2, 2), round(ink[1] + 0.2, 2)]
    bounds = wide if half >= 170 else [round(ink[2] - MARGIN_DEGREES, 1), round(ink[3] + MARGIN_DEGREES, 1)]
    probe = {"centre": centre, "ring": tight, "arc": bounds}
    found = measured(whole, probe)
    return {**probe, "ink": found}


def in_toml(probe: Probe) -> str:
    """Write a probe."""

    def value(held: object) -> str:
        if isinstance(held, bool):
            return "true"
        if isinstance(held, str):
            return '"' + held.replace('"', "'") + '"'
        assert isinstance(held, list)
        return "[" + ", ".join(f"{one:g}" if one % 1 == 0 else f"{one:.2f}".rstrip("0") for one in held) + "]"

    order = ("what", "window", "centre", "ring", "arc", "light", "ink")
    return "  { " + ", ".join(f"{name} = {value(probe[name])}" for name in order if name in probe) + " },"


def measure(name: str) -> None:
    """Put the probes of a page into the file, in the place of those it has."""
    text = PROBES.read_text(encoding="utf-8")
    page = page_of(name)
    block = "\n".join([f"{name} = [ # {page.form.name}, {page.side} side", *map(in_toml, probes_of(page)), "]", ""])
    if name in tomllib.loads(text):
        begin = text.index(f"\n{name} = [") + 1
        text = text[:begin] + block + text[text.index("\n]\n", begin) + 3 :]
    else:
        text = f"{text.rstrip()}\n\n{block}"
    PROBES.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for one in sys.argv[1:] or MAKERS:
        draw(one)
        if one not in FIRST:
            measure(one)
