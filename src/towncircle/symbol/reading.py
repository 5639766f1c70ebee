"""Reading PDF417 and Data Matrix symbols from a grey image.

Here: `read`, a ladder of tries with zxing-cpp. Not here: opening files (`paper/scan`), what the bytes mean.
Kept: cheap tries first. The page as it is with fast flags is the first; where that leaves a region unread that looks
like a symbol, and where it finds none at all, the regions are tried one by one: 2 with full options, 3 turned straight,
4 evened out, 5 blurred by a pixel, 6 turned and blurred, 7 twice as large, 8 turned and twice as large, 9 without
specks, 10 turned and without specks, 11 sharpened and twice as large, 12 blurred by two pixels, 13 and 14 with thicker
and with thinner ink. The first try that reads a region ends it. Only a page that gave nothing is tried as a whole
(15, 16 turned).
PDF417 needs the turning: its rows are 3 modules high, so that beyond about 5 degrees no scan line stays in one row.
A PDF417 reading that has used up its error correction is thrown away: nothing is left in it that could tell a right
reading from a wrong one, and turned symbols do give wrong ones.
No image takes longer than its pixels and a fixed number of tried pixels allow, whatever it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from towncircle.kernel.errors import BadInput
from towncircle.symbol import regions, skew, views

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_PIXELS = 80_000_000
MAX_REGION_PIXELS = 3_000_000
MAX_TRIED_PIXELS = 120_000_000
MAX_SYMBOLS = 64
LEAST_UNUSED_CORRECTION = 0.1
_FAST: dict[str, Any] = {"try_rotate": False, "try_downscale": False, "try_invert": False}
_ROUNDS = 3
Point = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hold one symbol that was read.

    `position` holds the corners top left, top right, bottom right, bottom left of the symbol as (x, y) pixels of the
    image given; `unused_error_correction` is 1.0 for a clean symbol and None where the reader does not say; `tries` is
    the number of the step that read it; `size` is the side of a square Data Matrix in modules, None for another symbol.
    """

    symbology: str
    payload: bytes
    position: tuple[Point, Point, Point, Point]
    unused_error_correction: float | None
    tries: int
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """Hold the symbols of a page from the top down; `more`: there are more than are read, or may be."""

    symbols: tuple[Found, ...]
    more: bool


@dataclass(slots=True)
class _Work:
    """Count the pixels that were tried, and tell when there were enough."""

    left: int = MAX_TRIED_PIXELS
    more: bool = False  # whether anything was passed over because enough was found
    tried: set[regions.Box] = field(default_factory=set)

    def take(self, pixels: int) -> bool:
        self.left -= pixels
        return self.left >= 0


def read(image: NDArray[np.uint8], *, fast_only: bool = False) -> list[Found]:
    """Read the symbols of one image, from the top down, at most 64 of them; an empty list where there are none.

    Raises as `read_page`.
    """
    return list(read_page(image, fast_only=fast_only).symbols)


def read_page(image: NDArray[np.uint8], *, fast_only: bool = False) -> Symbols:
    """Read the symbols of one image, and tell whether there are more.

    `fast_only` stops after the first try, for benches and clean renders. Raises `BadInput`: symbol.not-grey,
    symbol.too-many-pixels.
    """
    check_image(image)
    work = _Work()
    found = _try(views.View(pixels=image), 1, _FAST, work)
    if not fast_only:
        for _ in range(_ROUNDS):
            more = _read_regions(image, found, work)
            found += more
            if not more:
                break
        if not found:
            found = _read_whole(image, work)
    found.sort(key=lambda one: (one.position[0][1], one.position[0][0]))
    return Symbols(symbols=tuple(found[:MAX_SYMBOLS]), more=work.more or len(found) > MAX_SYMBOLS)


def check_image(image: NDArray[np.uint8]) -> None:
    """Refuse what is no grey image of bounded size. Raises `BadInput` (symbol.not-grey, symbol.too-many-pixels)."""
    if image.ndim != 2 or image.dtype.name != "uint8" or image.size == 0:
        raise BadInput("symbol.not-grey", what=f"{image.ndim} dimensions of {image.dtype.name}, shape {image.shape}")
    if image.size > MAX_PIXELS:
        raise BadInput("symbol.too-many-pixels", pixels=image.size, limit=MAX_PIXELS)


def _read_regions(image: NDArray[np.uint8], found: list[Found], work: _Work) -> list[Found]:
    """Read what stands in regions that no symbol covers yet; each region is tried once."""
    more: list[Found] = []
    for box in regions.find(image, [one.position for one in found]):
        if box in work.tried:
            continue
        if len(found) + len(more) >= MAX_SYMBOLS:
            work.more = True
            break
        work.tried.add(box)
        read_there = _climb(views.crop(image, box, most=MAX_REGION_PIXELS), work)
        more += [one for one in read_there if not any(_same(one, other) for other in (*found, *more))]
    return more


def _climb(view: views.View, work: _Work) -> list[Found]:
    for tries, step in enumerate(_ladder(view), start=2):
        if step is None:
            continue
        if not work.take(step.pixels.size):
            return []
        found = _try(step, tries, {}, work)
        if found:
            return found
    return []


def _ladder(view: views.View) -> Iterator[views.View | None]:
    """Give the tries of a region, None for one that would show nothing new."""
    yield view
    angle = skew.estimate(view.pixels)
    turned = views.straight(view, angle) if angle is not None else None
    yield turned
    yield views.evened(view)
    yield views.blurred(view, 1)
    yield views.blurred(turned, 1) if turned else None
    yield views.enlarged(view)
    yield views.enlarged(turned) if turned else None
    yield views.without_specks(view)
    yield views.without_specks(turned) if turned else None
    yield views.sharpened(views.enlarged(turned or view))
    yield views.blurred(turned or view, 2)
    yield views.inked(turned or view, thicker=True)
    yield views.inked(turned or view, thicker=False)


def _read_whole(image: NDArray[np.uint8], work: _Work) -> list[Found]:
    whole = views.View(pixels=image)
    found = _try(whole, 15, {}, work) if work.take(image.size) else []
    angle = skew.estimate(image) if not found else None
    if angle is not None and work.take(2 * image.size):
        found = _try(views.straight(whole, angle), 16, {}, work)
    return found


def _try(view: views.View, tries: int, flags: dict[str, Any], work: _Work) -> list[Found]:
    import zxingcpp

    formats = zxingcpp.barcode_formats_from_str("PDF417|DataMatrix")
    results = zxingcpp.read_barcodes(view.pixels, formats=formats, **flags)
    found: list[Found] = []
    work.more |= len(results) > MAX_SYMBOLS
    for one in (_found(result, view, tries) for result in results[:MAX_SYMBOLS]):
        if _trusted(one) and not any(_same(one, other) for other in found):
            found.append(one)
    return found


def _trusted(found: Found) -> bool:
    unused = found.unused_error_correction
    return found.symbology != "PDF417" or unused is None or unused >= LEAST_UNUSED_CORRECTION


def _same(one: Found, other: Found) -> bool:
    """Tell whether two readings are of one symbol: the same bytes in the same place.

    Of a faint PDF417 the upper rows and the lower ones may be read as two: what is within half its length is the same.
    A copy of a mark that stands so near is not told apart, and adds nothing to what the piece pays.
    """
    if one.payload != other.payload:
        return False
    xs, ys = [x for x, _ in other.position], [y for _, y in other.position]
    near = max(max(xs) - min(xs), max(ys) - min(ys)) // 2 if other.symbology == "PDF417" else 0
    x, y = (sum(point[axis] for point in one.position) / 4 for axis in (0, 1))
    return min(xs) - near <= x <= max(xs) + near and min(ys) - near <= y <= max(ys) + near


def _found(result: Any, view: views.View, tries: int) -> Found:
    corners = result.position
    extra = result.extra if isinstance(result.extra, dict) else {}
    unused, (rows, _, columns) = extra.get("UEC"), str(extra.get("Version", "")).partition("x")
    return Found(
        symbology="PDF417" if "PDF417" in str(result.format) else "Data Matrix",
        payload=bytes(result.bytes),
        position=(
            view.original(corners.top_left.x, corners.top_left.y),
            view.original(corners.top_right.x, corners.top_right.y),
            view.original(corners.bottom_right.x, corners.bottom_right.y),
            view.original(corners.bottom_left.x, corners.bottom_left.y),
        ),
        unused_error_correction=float(unused) if unused is not None else None,
        tries=tries,
        size=int(rows) if rows == columns and rows.isdecimal() else None,
    )
