"""Whether a picture holds a symbol that some machine reads, whichever way it stands.

Here: `holds_symbol`, for pictures that must hold none. Not here: reading marks (`reading`).
Kept: it is asked of both polarities (dark on light, light on dark) and of every angle, twice as large: the reader takes
a symbol that is up to 5 degrees off and quarter turns, so steps of less than twice that leave no angle out. A picture
that changes between dark and light less often than the smallest symbol in every row and column holds none (house). The
work is bounded by the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from towncircle.symbol.reading import check_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FORMATS = "PDF417|MicroPDF417|DataMatrix|QRCode|MicroQRCode|RMQRCode|Aztec|MaxiCode"
_STEP_DEGREES = 9
_QUARTER = 90
_LEAST_CHANGES = 6  # a Data Matrix of 10 by 10 modules has more through its middle, at any angle
_MIDDLE = 128


def holds_symbol(image: NDArray[np.uint8]) -> bool:
    """Tell whether a grey picture reads as a two-dimensional symbol in any polarity and at any angle.

    Raises `BadInput`: symbol.not-grey, symbol.too-many-pixels.
    """
    check_image(image)
    return _changes(image) >= _LEAST_CHANGES and any(_reads(grey) for grey in (image, 255 - image))


def _changes(image: NDArray[np.uint8]) -> int:
    """Count the changes between dark and light in the row or column that has most."""
    import numpy as np

    dark = image < _MIDDLE
    return max(int(np.count_nonzero(np.diff(dark, axis=axis), axis=axis).max(initial=0)) for axis in (0, 1))


def _reads(grey: NDArray[np.uint8]) -> bool:
    """Try every angle of a quarter turn; the reader itself tries the quarter turns."""
    import numpy as np
    import zxingcpp
    from PIL import Image

    formats, (height, width) = zxingcpp.barcode_formats_from_str(_FORMATS), grey.shape
    large = Image.fromarray(grey).resize((2 * width, 2 * height), Image.Resampling.BICUBIC)
    for degrees in range(0, _QUARTER, _STEP_DEGREES):
        turned = large.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255) if degrees else large
        if zxingcpp.read_barcodes(np.asarray(turned), formats=formats, try_downscale=False):
            return True
    return False
