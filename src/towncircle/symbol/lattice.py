"""A symbol's modules on the pixels of its scan.

Here: from four corners to every module's place, mended by the modules that the bytes say, and the reflectance there.
Not here: what the figures are worth (`grading`).
How: a projection of the symbol's rectangle onto its four corners, which are then moved a little, one at a time, as long
as the reflectances agree better with the modules. Reflectance is grey as a share of white, taken through an aperture of
0.8 of a module as ISO/IEC 15415 has it: an estimate, because a scanner is not calibrated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from towncircle.symbol.modules import Modules
    from towncircle.symbol.reading import Point

APERTURE = 0.8
QUIET = 2  # modules of paper around the symbol that are looked at
_LEAST_AGREEMENT = 0.62  # of the modules; another symbol agrees in half of them
_STEPS = (1.0, 0.5, 0.25, 0.125, 0.0625)  # of a module


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Hold where a symbol's modules lie: its true modules by unit rows, its corners, the reflectance of the scan."""

    true: Any
    corners: Any
    reflectance: Any

    @property
    def module(self) -> tuple[float, float]:
        """Give the mean width and height of a module in pixels."""
        height, width = self.true.shape
        top_left, top_right, bottom_right, bottom_left = self.corners
        across = abs(top_right - top_left) + abs(bottom_right - bottom_left)
        down = abs(bottom_left - top_left) + abs(bottom_right - top_right)
        return float(across) / 2 / width, float(down) / 2 / height

    def at(self, columns: Any, rows: Any) -> Any:
        """Give the reflectance at places in modules from the symbol's top left, 0 to 1; beyond the scan it is paper."""
        return _sampled(self.reflectance, _projected(self.corners, self.true.shape, columns, rows))

    def middles(self, *, quiet: int = 0, shift: tuple[float, float] = (0, 0)) -> NDArray[np.float32]:
        """Give the reflectance in the middle of every module, with `quiet` modules around, moved by a `shift`."""
        import numpy as np

        height, width = self.true.shape
        rows, columns = np.mgrid[-quiet : height + quiet, -quiet : width + quiet] + 0.5
        sampled: NDArray[np.float32] = self.at(columns + shift[0], rows + shift[1])
        return sampled


def lattice(image: NDArray[np.uint8], corners: tuple[Point, Point, Point, Point], modules: Modules) -> Lattice | None:
    """Lay a symbol's modules over its scan; None where the scan does not show them."""
    import numpy as np
    from PIL import Image, ImageFilter

    true = np.repeat(modules.array(), modules.row_height, axis=0).astype(bool)
    placed = np.array([complex(x, y) for x, y in corners])
    plain = Lattice(true=true, corners=placed, reflectance=image)
    if min(plain.module) < 1:
        return None
    radius = APERTURE * min(plain.module) / 2 - 1  # a box of 2 r + 1 pixels over pixels that are apertures themselves
    seen = Image.fromarray(image).filter(ImageFilter.BoxBlur(max(radius, 0)))
    reflectance = np.asarray(seen, dtype=np.float32) / 255
    for start in _starts(plain):
        found = _fitted(Lattice(true=true, corners=start, reflectance=reflectance))
        sampled = found.middles()
        light = sampled > (np.percentile(sampled, 5) + np.percentile(sampled, 95)) / 2
        if float((light != true).mean()) >= _LEAST_AGREEMENT:
            return found
    return None


def _starts(plain: Lattice) -> Iterator[Any]:
    """Give corners to begin with: as they were read, and where one side was not met, that side at its true distance."""
    yield plain.corners
    top_left, top_right, bottom_right, bottom_left = plain.corners
    (height, width), (across, down) = plain.true.shape, plain.module
    right, below = (top_right - top_left) / width / across, (bottom_left - top_left) / height / down
    wide, high = right * down * width, below * across * height
    yield _array(top_left, top_left + wide, bottom_left + wide, bottom_left)
    yield _array(top_right - wide, top_right, bottom_right, bottom_right - wide)
    yield _array(top_left, top_right, top_right + high, top_left + high)
    yield _array(bottom_left - high, bottom_right - high, bottom_right, bottom_left)


def _array(*corners: complex) -> Any:
    import numpy as np

    return np.array(corners)


def _fitted(start: Lattice) -> Lattice:
    """Move the corners, one at a time, as long as the modules agree better."""
    import numpy as np

    weight = np.where(start.true, -1.0, 1.0)
    weight -= weight.mean()
    height, width = start.true.shape
    rows, columns = np.mgrid[:height, :width] + 0.5
    corners, pitch = start.corners.copy(), min(start.module)

    def agreement(where: Any) -> float:
        sampled = _sampled(start.reflectance, _projected(where, start.true.shape, columns, rows))
        return float((weight * sampled).sum())

    best = agreement(corners)
    for step in _STEPS:
        for _ in range(6):
            moved = False
            for at in range(4):
                for way in (1, -1, 1j, -1j):
                    tried = corners.copy()
                    tried[at] += way * step * pitch
                    if (value := agreement(tried)) > best:
                        best, corners, moved = value, tried, True
            if not moved:
                break
    return Lattice(true=start.true, corners=corners, reflectance=start.reflectance)


def _projected(corners: Any, shape: tuple[int, int], columns: Any, rows: Any) -> Any:
    """Give the pixels, as complex numbers, of places in modules: the projection of a rectangle onto four corners."""
    height, width = shape
    first, second, third, fourth = corners
    sides = second - third, fourth - third
    gap = first - second + third - fourth
    area = _cross(sides[0], sides[1])
    g, h = _cross(gap, sides[1]) / area, _cross(sides[0], gap) / area
    u, v = columns / width, rows / height
    across, down = second - first + g * second, fourth - first + h * fourth
    return (across * u + down * v + first) / (g * u + h * v + 1)


def _cross(one: complex, other: complex) -> float:
    return one.real * other.imag - one.imag * other.real


def _sampled(reflectance: Any, places: Any) -> Any:
    """Take the reflectance between pixels; a corner at (x, y) is the upper left edge of pixel (x, y)."""
    import numpy as np

    height, width = reflectance.shape
    x, y = np.clip(places.real - 0.5, 0, width - 1.001), np.clip(places.imag - 0.5, 0, height - 1.001)
    left, top = x.astype(np.intp), y.astype(np.intp)
    right, down = (x - left).astype(np.float32), (y - top).astype(np.float32)
    flat, at = reflectance.ravel(), top * width + left
    upper = flat[at] * (1 - right) + flat[at + 1] * right
    lower = flat[at + width] * (1 - right) + flat[at + width + 1] * right
    return upper * (1 - down) + lower * down
