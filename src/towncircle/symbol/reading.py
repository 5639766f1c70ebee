"""Reading PDF417 and Data Matrix symbols from a grey image.

Here: `read`, a ladder of tries with zxing-cpp. Not here: opening files (`paper/scan`), what the bytes mean.
Kept: cheap tries first. 1 fast flags, 2 full options, 3 turned straight by an estimate of the skew, 4 blurred by one
pixel, 5 turned and blurred, 6 twice as large, 7 turned and twice as large. The first try that finds a symbol ends it.
PDF417 needs the turning: its rows are 3 modules high, so that beyond about 5 degrees no scan line stays in one row.
A PDF417 reading that has used up its error correction is thrown away: nothing is left in it that could tell a right
reading from a wrong one, and turned symbols do give wrong ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from towncircle.kernel.errors import BadInput
from towncircle.symbol import skew

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_PIXELS = 80_000_000
MAX_ENLARGED_PIXELS = 12_000_000
MAX_SYMBOLS = 64
LEAST_UNUSED_CORRECTION = 0.1
Point = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hold one symbol that was read.

    `position` holds the corners top left, top right, bottom right, bottom left of the symbol as (x, y) pixels of the
    image given; `unused_error_correction` is 1.0 for a clean symbol and None where the reader does not say; `tries` is
    the number of the step that read it.
    """

    symbology: str
    payload: bytes
    position: tuple[Point, Point, Point, Point]
    unused_error_correction: float | None
    tries: int


@dataclass(frozen=True, slots=True)
class _View:
    """Hold a changed image and how to come back from its pixels to those of the first one."""

    pixels: Any
    back: skew.Turn | None
    scale: int = 1

    def original(self, point: Any) -> Point:
        x, y = point.x / self.scale, point.y / self.scale
        if self.back is not None:
            x, y = self.back.original(x, y)
        return round(x), round(y)


def read(image: NDArray[np.uint8], *, fast_only: bool = False) -> list[Found]:
    """Read all symbols of one image, from the top down; an empty list where there are none.

    `fast_only` stops after the first try, for benches and clean renders. Raises `BadInput`: symbol.not-grey,
    symbol.too-many-pixels.
    """
    check_image(image)
    for tries, (view, flags) in enumerate(_ladder(image), start=1):
        found = _try(view, flags, tries)
        if found or fast_only:
            return found
    return []


def check_image(image: NDArray[np.uint8]) -> None:
    """Refuse what is no grey image of bounded size. Raises `BadInput` (symbol.not-grey, symbol.too-many-pixels)."""
    if image.ndim != 2 or image.dtype.name != "uint8" or image.size == 0:
        raise BadInput("symbol.not-grey", what=f"{image.ndim} dimensions of {image.dtype.name}, shape {image.shape}")
    if image.size > MAX_PIXELS:
        raise BadInput("symbol.too-many-pixels", pixels=image.size, limit=MAX_PIXELS)


def _ladder(image: NDArray[np.uint8]) -> Iterator[tuple[_View, dict[str, Any]]]:
    full: dict[str, Any] = {}
    yield _View(image, None), {"try_rotate": False, "try_downscale": False, "try_invert": False}
    yield _View(image, None), full
    turns = [skew.straighten(image, angle) for angle in skew.estimates(image)]
    for straight, turn in turns:
        yield _View(straight, turn), full
    yield _View(_blurred(image), None), full
    for straight, turn in turns:
        yield _View(_blurred(straight), turn), full
    if 4 * image.size <= MAX_ENLARGED_PIXELS:
        yield _View(_enlarged(image), None, 2), full
        for straight, turn in turns:
            yield _View(_enlarged(straight), turn, 2), full


def _try(view: _View, flags: dict[str, Any], tries: int) -> list[Found]:
    import zxingcpp

    formats = zxingcpp.barcode_formats_from_str("PDF417|DataMatrix")
    results = zxingcpp.read_barcodes(view.pixels, formats=formats, **flags)
    found = [_found(result, view, tries) for result in results[:MAX_SYMBOLS]]
    return sorted(filter(_trusted, found), key=lambda item: (item.position[0][1], item.position[0][0]))


def _trusted(found: Found) -> bool:
    unused = found.unused_error_correction
    return found.symbology != "PDF417" or unused is None or unused >= LEAST_UNUSED_CORRECTION


def _found(result: Any, view: _View, tries: int) -> Found:
    corners = result.position
    unused = (result.extra or {}).get("UEC") if isinstance(result.extra, dict) else None
    return Found(
        symbology="PDF417" if "PDF417" in str(result.format) else "Data Matrix",
        payload=bytes(result.bytes),
        position=(
            view.original(corners.top_left),
            view.original(corners.top_right),
            view.original(corners.bottom_right),
            view.original(corners.bottom_left),
        ),
        unused_error_correction=float(unused) if unused is not None else None,
        tries=tries,
    )


def _blurred(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image, ImageFilter

    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(1)))


def _enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image

    height, width = image.shape
    return np.asarray(Image.fromarray(image).resize((2 * width, 2 * height), Image.Resampling.BICUBIC))
