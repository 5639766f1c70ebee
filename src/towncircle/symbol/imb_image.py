"""Finding and reading the bars of an Intelligent Mail or a POSTNET barcode in an image.

Here: a scan by rows for 65 even bars, then by columns for what each bar has above and below. Not here: decoding.
How: every bar crosses the tracker band, so a row of pixels in that band shows 65 dark runs of even pitch, and the rows
above and below it show only some of them. The image may be upside down (the decoder sees that), and turned by what
`skew` finds. All bars of POSTNET stand on one line, so the rows at their feet show all of them, and those above the
tall.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from towncircle.kernel.errors import BadInput
from towncircle.symbol import imb, skew
from towncircle.symbol.bars import POSTNET_BARS, postnet_digits
from towncircle.symbol.reading import check_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_UNEVEN = 0.35  # the share of a pitch by which a bar may stand off, for the pixels of a scanner
_REACH = 6  # how many pitches a bar may reach up or down from the tracker band


def imb_from_image(image: NDArray[np.uint8]) -> str:
    """Read the bars of the first Intelligent Mail barcode in an image, as 65 letters that decode.

    Raises `BadInput`: symbol.imb-not-found, symbol.not-grey, symbol.too-many-pixels.
    """
    found = _straight_or_turned(image, _read_straight)
    if found is None:
        raise BadInput("symbol.imb-not-found")
    return found


def postnet_from_image(image: NDArray[np.uint8]) -> str:
    """Read the digits of the first POSTNET barcode in an image: 5, 9 or 11 of them.

    Raises `BadInput`: symbol.postnet-not-found, symbol.not-grey, symbol.too-many-pixels.
    """
    found = _straight_or_turned(image, _read_postnet)
    if found is None:
        raise BadInput("symbol.postnet-not-found")
    return found


def _straight_or_turned(image: NDArray[np.uint8], read: Callable[[NDArray[np.uint8]], str | None]) -> str | None:
    """Give what is read in an image as it is, or else turned straight; None where that is nothing."""
    check_image(image)
    found = read(image)
    if found is None and (angle := skew.estimate(image)) is not None:
        found = read(skew.straighten(image, angle)[0])
    return found


def _read_postnet(image: NDArray[np.uint8]) -> str | None:
    dark = skew.dark(image)
    for count in POSTNET_BARS:
        for first, last, centres in _bands(dark, count):
            reach = _REACH * max(b - a for a, b in pairwise(centres))
            up = [_run(dark[max(0, first - reach) : first, x][::-1]) for x in centres]
            down = [_run(dark[last + 1 : last + 1 + reach, x]) for x in centres]
            rises = up if max(up) >= max(down) else down[::-1]  # upside down the tall bars hang
            with suppress(BadInput):
                return postnet_digits("".join("01"[2 * rise > max(rises)] for rise in rises))
    return None


def _read_straight(image: NDArray[np.uint8]) -> str | None:
    dark = skew.dark(image)
    for first, last, centres in _bands(dark, imb.BARS):
        bars = _classify(dark, first, last, centres)
        if bars is not None:
            return bars
    return None


def _bands(dark: Any, count: int) -> list[tuple[int, int, tuple[int, ...]]]:
    """Give the bands of rows that show so many even bars: first row, last row, centres; the highest first."""
    bands: list[tuple[int, int, tuple[int, ...]]] = []
    for row in range(dark.shape[0]):
        centres = _even_bars(dark[row], count)
        if centres is None:
            continue
        if bands and bands[-1][1] == row - 1 and abs(bands[-1][2][0] - centres[0]) <= 2:
            bands[-1] = (bands[-1][0], row, bands[-1][2])
        else:
            bands.append((row, row, centres))
    return sorted(bands, key=lambda band: band[0] - band[1])


def _even_bars(row: Any, count: int) -> tuple[int, ...] | None:
    """Give the centres of so many dark runs of even pitch with nothing close on either side, or None."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.view(np.int8), [0]))))
    if len(edges) < 2 * count:
        return None
    centres = (edges[::2] + edges[1::2]) / 2
    pitches = np.diff(centres)
    steps = np.abs(np.diff(pitches)) > np.maximum(2.0, 2 * _UNEVEN * np.minimum(pitches[:-1], pitches[1:]))
    breaks = np.concatenate(([0], np.cumsum(steps)))
    for start in np.flatnonzero(breaks[count - 2 :] == breaks[: 2 - count]):
        part = pitches[start : start + count - 1]
        mean = (centres[start + count - 1] - centres[start]) / (count - 1)
        if abs(part - mean).max() <= max(1.0, _UNEVEN * mean):
            return tuple(int(x) for x in centres[start : start + count])
    return None


def _classify(dark: Any, first: int, last: int, centres: tuple[int, ...]) -> str | None:
    """Tell which bars reach out of the band, up and down, and give them if they are a valid barcode."""
    reach = _REACH * max(b - a for a, b in pairwise(centres))
    up = [_run(dark[max(0, first - reach) : first, x][::-1]) for x in centres]
    down = [_run(dark[last + 1 : last + 1 + reach, x]) for x in centres]
    if not (max(up) and max(down)):
        return None
    bars = "".join(
        "TADF"[(2 * above > max(up)) + 2 * (2 * below > max(down))] for above, below in zip(up, down, strict=True)
    )
    try:
        imb.decode(bars)
    except BadInput:
        return None
    return bars


def _run(column: Any) -> int:
    """Count the dark pixels before the first light one."""
    return int(column.argmin()) if not column.all() else len(column)
