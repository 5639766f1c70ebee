"""How much the print of a symbol differs from its paper, in red and in green light (P050 4.2).

Here: the difference of reflectances of one symbol on a scan, and the least that counts. Not here: grades of print
(`grading`), what follows an illegible indicium (`verification`).
How: paper and ink are the values that 15 per cent of the pixels of the symbol are beyond. A scanner writes values
after the sRGB curve (IEC 61966-2-1); they are taken back to shares of light. A scanner is not calibrated: an estimate.
A JPEG file whose colours are coarser than its grey shows more difference in a colour than there is.
Kept: a grey scan does not tell red from green: it can show that an indicium is too faint, and never that it is not. In
dim light, where even the paper is dark in every colour, nobody can tell faint print from a bad photograph.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_EDGE, _SLOPE, _OFFSET, _POWER = 0.04045, 12.92, 0.055, 2.4  # the sRGB curve
_SHARE = 15  # house: per cent of the pixels that are darker than what is taken for ink, lighter than paper: no rims


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflectance:
    """Hold the difference between paper and print in per cent of white; of a grey scan only `grey` is known.

    `dim` says that the paper is dark in every colour, as on an underexposed photograph.
    """

    red: int | None = None
    green: int | None = None
    grey: int | None = None
    dim: bool = False

    def __str__(self) -> str:
        if self.red is None or self.green is None:
            said = f"Print and paper differ by {self.grey} % on a grey scan"
        else:
            said = f"Print and paper differ by {self.red} % in red and {self.green} % in green"
        return f"{said}, in dim light" if self.dim else said

    @property
    def worst(self) -> int:
        """Give the least difference that was seen."""
        return min([one for one in (self.red, self.green) if one is not None] or [self.grey or 0])

    def enough(self, least: int) -> bool | None:
        """Tell whether both differences reach the least; None where a grey or dim scan cannot tell."""
        if self.worst < least:
            return None if self.dim else False
        return None if self.red is None or self.green is None else True


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("towncircle.symbol").joinpath("reflectance.toml").read_text("utf-8"))


def least() -> int:
    """Give the least difference of a legible print in per cent."""
    return int(_data()["least_percent"])


def difference(pixels: Any, corners: Sequence[tuple[int, int]]) -> Reflectance | None:
    """Measure a symbol on a page of rows by columns (grey) or rows by columns by 3 (red, green, blue), 8 bits each.

    `corners` are those of the symbol as (x, y). None where they are not on the page. Colours that are all the same are
    those of a grey scan.
    """
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    part = pixels[max(min(ys), 0) : max(ys) + 1, max(min(xs), 0) : max(xs) + 1]
    if not part.size:
        return None
    if part.ndim == 3 and bool((part == part[..., :1]).all()):
        part = part[..., 0]
    seen = [_ends(part)] if part.ndim == 2 else [_ends(part[..., at]) for at in range(3)]
    dim = max(paper for _, paper in seen) * 100 < _data()["dim_percent"]
    told = [int(100 * (paper - ink) + 1e-9) for ink, paper in seen]
    return Reflectance(grey=told[0], dim=dim) if len(told) == 1 else Reflectance(red=told[0], green=told[1], dim=dim)


def _ends(values: Any) -> tuple[float, float]:
    import numpy as np

    dark, light = np.percentile(values, (_SHARE, 100 - _SHARE))
    return _light(float(dark)), _light(float(light))


def _light(value: float) -> float:
    share = value / 255
    return share / _SLOPE if share <= _EDGE else ((share + _OFFSET) / (1 + _OFFSET)) ** _POWER
