"""Estimating how far an image is turned, and turning it straight.

Here: projection profiles over a range of angles, with numpy; turning with Pillow. Not here: reading.
How: a page that is straight has the sharpest edges in the histogram of its dark pixels by row (lines of text) and by
column (the start and stop bars of PDF417). Both are tried, because which one tells more depends on what is in view.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_DEGREES = 15
_COARSE_STEP = 0.5
_FINE_STEP = 0.125
_WORKING_SIZE = 1200
_WORKING_POINTS = 60_000


@dataclass(frozen=True, slots=True)
class Turn:
    """Hold a turn about the centre, from pixels of the turned image back to those of the first one."""

    degrees: float
    width: int
    height: int
    turned_width: int
    turned_height: int

    def original(self, x: float, y: float) -> tuple[float, float]:
        """Give the first image's point for one of the turned image."""
        angle = math.radians(self.degrees)
        dx, dy = x - self.turned_width / 2, y - self.turned_height / 2
        return (
            self.width / 2 + dx * math.cos(angle) + dy * math.sin(angle),
            self.height / 2 - dx * math.sin(angle) + dy * math.cos(angle),
        )


def estimates(image: NDArray[np.uint8]) -> list[float]:
    """Estimate the skew in degrees, positive if turned counterclockwise: by columns, then by rows if that differs."""
    points = _dark_points(image)
    if points is None:
        return []
    found: list[float] = []
    for swap in (False, True):
        angle = _sharpest(*(points[::-1] if swap else points), sign=-1 if swap else 1)
        if abs(angle) >= _FINE_STEP and all(abs(angle - other) > 2 * _FINE_STEP for other in found):
            found.append(angle)
    return found


def straighten(image: NDArray[np.uint8], degrees: float) -> tuple[NDArray[np.uint8], Turn]:
    """Turn an image clockwise by its skew, white where nothing was."""
    import numpy as np
    from PIL import Image

    height, width = image.shape
    turned = Image.fromarray(image).rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    return np.asarray(turned), Turn(degrees, width, height, *turned.size)


def _dark_points(image: NDArray[np.uint8]) -> tuple[Any, Any] | None:
    """Give x and y of the dark pixels of a smaller image, about its centre; None where there are too few."""
    import numpy as np

    step = max(1, math.ceil(max(image.shape) / _WORKING_SIZE))
    height, width = (size // step * step for size in image.shape)
    if height < 2 * step or width < 2 * step:
        return None
    blocks = image[:height, :width].reshape(height // step, step, width // step, step)
    small = blocks.mean(axis=(1, 3), dtype=np.float32)
    ys, xs = np.nonzero(dark(small.astype(np.uint8)))
    if len(xs) > _WORKING_POINTS:
        every = len(xs) // _WORKING_POINTS + 1
        xs, ys = xs[::every], ys[::every]
    if len(xs) < 50:
        return None
    return xs - small.shape[1] / 2, ys - small.shape[0] / 2


def dark(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell ink from paper, pixel by pixel, by what is around each: a photograph may be darker on one side."""
    import numpy as np
    from PIL import Image, ImageFilter

    radius = min(max(max(image.shape) // 40, 8), 60)
    around = np.asarray(Image.fromarray(image).filter(ImageFilter.BoxBlur(radius)), dtype=np.int16)
    least = max(4, (int(image.max()) - int(image.min())) // 10)
    return around - image > least


def _sharpest(along: Any, across: Any, *, sign: int) -> float:
    """Give the angle at which the histogram of `along` has the sharpest edges."""
    count = int(MAX_DEGREES / _COARSE_STEP)
    steps = int(_COARSE_STEP / _FINE_STEP)

    def sharpness(degrees: float) -> float:
        return _sharpness(along, across, degrees * sign)

    coarse = max((at * _COARSE_STEP for at in range(-count, count + 1)), key=sharpness)
    return max((coarse + at * _FINE_STEP for at in range(-steps, steps + 1)), key=sharpness)


def _sharpness(along: Any, across: Any, degrees: float) -> float:
    import numpy as np

    angle = math.radians(degrees)
    turned = along * math.cos(angle) - across * math.sin(angle)
    bins = np.bincount((turned - turned.min()).astype(np.int64))
    return float(np.square(np.diff(bins.astype(np.float64))).sum())
