"""Changed images of a part of a page, each of which knows the way back to the page's pixels.

Here: cutting out, turning, blurring, enlarging, cleaning and thickening, with Pillow. Not here: which of them are tried
in which order (`reading`).
Kept: a view is never larger than its limit, whatever it is made of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from towncircle.symbol import skew

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from towncircle.symbol.regions import Box

MAX_ENLARGED_PIXELS = 12_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Hold a changed image and the way back: its scale and turn against the part, and where on the page that begins."""

    pixels: Any
    left: int = 0
    top: int = 0
    reduced: int = 1
    turn: skew.Turn | None = None
    enlarged: int = 1

    def original(self, x: float, y: float) -> tuple[int, int]:
        """Give the page's pixel for one of the view."""
        x, y = x / self.enlarged, y / self.enlarged
        if self.turn is not None:
            x, y = self.turn.original(x, y)
        return round(x * self.reduced + self.left), round(y * self.reduced + self.top)


def crop(image: NDArray[np.uint8], box: Box, *, most: int) -> View:
    """Cut a box out of a page; one of more than `most` pixels is brought down by a whole number."""
    import numpy as np
    from PIL import Image

    left, top, right, bottom = box
    part = np.ascontiguousarray(image[top:bottom, left:right])
    reduced = 1
    while part.size > most * reduced * reduced:
        reduced += 1
    if reduced > 1:
        part = np.asarray(Image.fromarray(part).reduce(reduced))
    return View(pixels=part, left=left, top=top, reduced=reduced)


def straight(view: View, degrees: float) -> View:
    """Turn a view clockwise by its skew."""
    pixels, turn = skew.straighten(view.pixels, degrees)
    return replace(view, pixels=pixels, turn=turn)


def blurred(view: View, radius: int) -> View:
    """Blur by a radius in pixels: noise goes, and modules of few pixels come together."""
    from PIL import ImageFilter

    return _filtered(view, ImageFilter.GaussianBlur(radius))


def without_specks(view: View) -> View:
    """Take out single light and dark pixels, with a median."""
    from PIL import ImageFilter

    return _filtered(view, ImageFilter.MedianFilter(3))


def sharpened(view: View) -> View:
    """Draw edges together that were out of focus."""
    from PIL import ImageFilter

    return _filtered(view, ImageFilter.UnsharpMask(radius=6, percent=300, threshold=0))


def inked(view: View, *, thicker: bool) -> View:
    """Make what is dark a pixel thicker or thinner on each side, at twice the size."""
    from PIL import ImageFilter

    return _filtered(enlarged(view), (ImageFilter.MinFilter if thicker else ImageFilter.MaxFilter)(3))


def enlarged(view: View) -> View:
    """Make a view twice as large, unless that is too large."""
    from PIL import Image

    if 4 * view.pixels.size > MAX_ENLARGED_PIXELS:
        return view
    size = (2 * view.pixels.shape[1], 2 * view.pixels.shape[0])
    pixels = _array(Image.fromarray(view.pixels).resize(size, Image.Resampling.BICUBIC))
    return replace(view, pixels=pixels, enlarged=2)


def evened(view: View) -> View:
    """Stretch the greys so that the lightest and the darkest of each neighbourhood are white and black."""
    import numpy as np
    from PIL import Image, ImageFilter

    image = Image.fromarray(view.pixels)
    cell = max(1, min(image.size) // 40)
    small = image.filter(ImageFilter.BoxBlur(1)).reduce(cell)
    reach = 9
    bounds = []
    for extreme in (ImageFilter.MinFilter(reach), ImageFilter.MaxFilter(reach)):
        around = small.filter(extreme).filter(ImageFilter.BoxBlur(reach // 2))
        bounds.append(np.asarray(around.resize(image.size, Image.Resampling.BILINEAR), dtype=np.float32))
    low, high = bounds
    span = np.maximum(high - low, max(8.0, float((high - low).max()) / 3))
    grey = 255 - (high - view.pixels) * (255 / span)  # what is as light as its surroundings is paper
    return replace(view, pixels=np.clip(grey, 0, 255).astype(np.uint8))


def _filtered(view: View, how: Any) -> View:
    from PIL import Image

    return replace(view, pixels=_array(Image.fromarray(view.pixels).filter(how)))


def _array(image: Any) -> NDArray[np.uint8]:
    import numpy as np

    return np.asarray(image)
