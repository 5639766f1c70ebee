"""How well a symbol is printed, as far as a scan can tell: graded A to F, an estimate.

Here: the figures of one symbol after ISO/IEC 15415 and 15416 in shape, its turn and ease of reading, and where it
stands on the scan. Not here: how the figures are taken (`matrix_quality`, `stacked_quality`), what a grade leads to.
Kept: the grades are data (`print_grades.toml`) with their source; what a scan does not show is not graded: modules need
a symbol that our own encoder makes of the bytes. A turned symbol is first turned straight, and measured there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import atan2, degrees
from typing import TYPE_CHECKING, Any

from towncircle.kernel.errors import BadInput
from towncircle.symbol import matrix_quality, skew, stacked_quality, views
from towncircle.symbol.lattice import Lattice, lattice
from towncircle.symbol.matrix import data_matrix, pdf417
from towncircle.symbol.reading import Found, check_image, read

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRADES = "ABCDF"
WORST = "F"
ESTIMATE = "an estimate after ISO/IEC 15415 and 15416: a scan is no verifier"
_LIGHT_PERCENTILE, _DARK_PERCENTILE = 95, 5  # house: single specks and holes do not make the paper or the ink
_LEAST_TURN = 1  # degrees from which a symbol is turned straight before it is measured
_UNITS = {"turn": "degrees", "tries": "tries"}
_QUIET_PART = 50  # house: about a module of a Data Matrix of 40, and two of a PDF417 of four columns
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
    `at_edge`: the symbol touches an edge of the scan, so that its quiet zone is not seen.
    """

    across: int
    up: int
    from_right: int | None
    from_top: int | None
    at_edge: bool = False


def blank(image: NDArray[np.uint8]) -> bool:
    """Tell whether a page has nothing on it. Raises `BadInput` like `check_image`."""
    check_image(image)
    return int(image.max()) - int(image.min()) < _BLANK_STEPS


def measure(image: NDArray[np.uint8], found: Found) -> tuple[Measure, ...]:
    """Measure and grade a symbol that was read from an image."""
    straight, seen, fall = _straight(*_with_room(image, found))
    laid = _lattice(straight, seen)
    if laid is None:
        values = {"contrast": _contrast(straight, seen)}
    else:
        values = (stacked_quality if found.symbology == "PDF417" else matrix_quality).figures(laid)
    if seen.unused_error_correction is not None:
        values["unused-error-correction"] = int(100 * seen.unused_error_correction)
    values |= {"turn": abs(round(fall)), "tries": found.tries}
    return tuple(
        Measure(name=name, found=value, unit=_UNITS.get(name, "%"), grade=grade(name, value))
        for name, value in values.items()
    )


def _with_room(image: NDArray[np.uint8], found: Found) -> tuple[NDArray[np.uint8], Found]:
    """Put paper around a symbol that touches the edge of the scan: what is not seen there is no fault of the print."""
    import numpy as np

    xs, ys = [x for x, _ in found.position], [y for _, y in found.position]
    room = max(max(xs) - min(xs), max(ys) - min(ys)) // 4 + 8
    height, width = image.shape
    box = (max(min(xs) - room, 0), max(min(ys) - room, 0), min(max(xs) + room, width), min(max(ys) + room, height))
    lacks = [room - min(xs) + box[0], room - min(ys) + box[1], room - box[2] + max(xs), room - box[3] + max(ys)]
    if max(lacks) <= room - 2 * max(room // _QUIET_PART, 2):
        return image, found
    part = image[box[1] : box[3], box[0] : box[2]]
    paper = int(np.percentile(part, _LIGHT_PERCENTILE))
    left, top, right, bottom = (max(lack, 0) for lack in lacks)
    padded = np.pad(part, ((top, bottom), (left, right)), constant_values=paper)
    one, two, three, four = ((x - box[0] + left, y - box[1] + top) for x, y in found.position)
    return padded, replace(found, position=(one, two, three, four))


def _straight(image: NDArray[np.uint8], found: Found) -> tuple[NDArray[np.uint8], Found, float]:
    """Cut the symbol out with its margin, turned straight, and give how far it fell to the right, in degrees.

    What cannot be read again there stays as it was seen.
    """
    xs, ys = [x for x, _ in found.position], [y for _, y in found.position]
    room = max(max(xs) - min(xs), max(ys) - min(ys)) // 4 + 8
    box = (
        max(min(xs) - room, 0),
        max(min(ys) - room, 0),
        min(max(xs) + room, image.shape[1]),
        min(max(ys) + room, image.shape[0]),
    )
    part = views.crop(image, box, most=image.size)
    fall = _fall(part.pixels, found)
    if abs(fall) >= _LEAST_TURN:
        part = views.straight(part, -fall)
        again = [one for one in read(part.pixels) if one.payload == found.payload]
        if again:
            return part.pixels, again[0], fall
    return image, found, fall


def _lattice(image: NDArray[np.uint8], found: Found) -> Lattice | None:
    """Lay the symbol that our encoder makes of the bytes over the scan; None where it is another one."""
    try:
        modules = pdf417(found.payload) if found.symbology == "PDF417" else data_matrix(found.payload, size=found.size)
    except BadInput:
        return None
    return lattice(image, found.position, modules)


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
    zone = max((right - left) // _QUIET_PART, 1)
    return Place(
        at_edge=min(left, top, width - 1 - right, height - 1 - bottom) < zone,
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


def _fall(image: NDArray[np.uint8], found: Found) -> float:
    """Give how far a symbol's upper edge falls to the right, in degrees.

    The corners that a reader gives of a turned PDF417 may be those of the rows that it met: the edges tell it better.
    """
    (left, left_y), (right, right_y) = found.position[0], found.position[1]
    seen = degrees(atan2(right_y - left_y, right - left))
    told = skew.estimate(image) if found.symbology == "PDF417" else None
    return seen if told is None else -told + 90 * round((seen + told) / 90)


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files("towncircle.symbol").joinpath("print_grades.toml").read_text("utf-8"))
