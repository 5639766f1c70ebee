"""How well a symbol is printed, as far as a scan can tell: graded A to F, an estimate.

Here: contrast, unused error correction, turn and ease of reading of one symbol, and where it stands on the scan. Not
here: modules one by one (modulation, fixed pattern, grid), which need a calibrated verifier; what a grade leads to.
Kept: the grades are data (`print_grades.toml`); what a reader does not tell is not graded.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from towncircle.symbol.reading import Found, check_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRADES = "ABCDF"
WORST = "F"
_LIGHT_PERCENTILE, _DARK_PERCENTILE = 95, 5  # house: single specks and holes do not make the paper or the ink
_BLANK_STEPS = 26  # house: a page whose grey values differ by less than a tenth has nothing on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Hold one graded measurement: its name, what was found with its unit, and the grade."""

    name: str
    found: int
    unit: str
    grade: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Hold where the middle of a symbol stands, in thousandths of the page's width and height from the lower left.

    `from_right` and `from_top` are thousandths of an inch to the edges of the scan, None where no resolution is known.
    """

    across: int
    up: int
    from_right: int | None
    from_top: int | None


def blank(image: NDArray[np.uint8]) -> bool:
    """Tell whether a page has nothing on it. Raises `BadInput` like `check_image`."""
    check_image(image)
    return int(image.max()) - int(image.min()) < _BLANK_STEPS


def measure(image: NDArray[np.uint8], found: Found) -> tuple[Measure, ...]:
    """Measure and grade a symbol that was read from an image."""
    values = [
        ("contrast", _contrast(image, found), "%"),
        ("turn", _turn(found), "degrees"),
        ("tries", found.tries, "tries"),
    ]
    if found.unused_error_correction is not None:
        values.insert(1, ("unused-error-correction", int(100 * found.unused_error_correction), "%"))
    return tuple(Measure(name=name, found=value, unit=unit, grade=grade(name, value)) for name, value, unit in values)


def grade(name: str, value: int) -> str:
    """Give the grade of a value."""
    table = _table()[name]
    if "least" in table:
        return next((letter for letter, least in table["least"].items() if value >= least), WORST)
    return next((letter for letter, most in table["most"].items() if value <= most), WORST)


def overall(measures: tuple[Measure, ...]) -> str:
    """Give the lowest grade; without any measure the worst."""
    return max((one.grade for one in measures), key=GRADES.index, default=WORST)


def place(image: NDArray[np.uint8], found: Found, dpi: int | None) -> Place:
    """Say where a symbol stands on the scan."""
    height, width = image.shape
    right, left = max(x for x, _ in found.position), min(x for x, _ in found.position)
    top, bottom = min(y for _, y in found.position), max(y for _, y in found.position)
    return Place(
        across=500 * (left + right) // width,
        up=500 * (2 * height - top - bottom) // height,
        from_right=1000 * (width - right) // dpi if dpi else None,
        from_top=1000 * top // dpi if dpi else None,
    )


def _contrast(image: NDArray[np.uint8], found: Found) -> int:
    import numpy as np

    xs, ys = [x for x, _ in found.position], [y for _, y in found.position]
    region = image[max(min(ys), 0) : max(ys) + 1, max(min(xs), 0) : max(xs) + 1]
    if not region.size:
        return 0
    light, dark = np.percentile(region, (_LIGHT_PERCENTILE, _DARK_PERCENTILE))
    return int(100 * (light - dark) / 255)


def _turn(found: Found) -> int:
    from math import atan2, degrees

    (left, left_y), (right, right_y) = found.position[0], found.position[1]
    return abs(round(degrees(atan2(right_y - left_y, right - left))))


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files("towncircle.symbol").joinpath("print_grades.toml").read_text("utf-8"))
