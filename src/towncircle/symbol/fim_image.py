"""Finding the facing identification mark in an image.

Here: which of FIM A to E stands along the upper edge, and where. Not here: whether it stands well (the lints of the
page do that; a scan's place is measured in `grading.place`).
How: rows near the upper edge are looked at for bars of even pitch whose pattern is one of the five, with paper on both
sides; a mark is believed where a quarter inch of rows says the same. The image stands upright, as `skew` leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from towncircle.symbol import skew
from towncircle.symbol.bars import FIM_PATTERNS
from towncircle.symbol.reading import check_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PITCH, _BAR = 1 / 16, 1 / 32  # inches (DMM C810)
_DEPTH = 0.75  # inches from the upper edge
_LEAST_ROWS = 0.25  # inches
_UNEVEN = 0.3  # the share of a pitch by which an edge may stand off
_SPAN = len(FIM_PATTERNS["D"]) - 1  # pitches from the first bar to the last


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFim:
    """Hold a FIM that was seen: its letter, and its bars' box (left, top, right, bottom) in pixels."""

    letter: str
    box: tuple[int, int, int, int]


def fim_from_image(image: NDArray[np.uint8], *, dpi: int) -> FoundFim | None:
    """Find the facing identification mark along the upper edge of an upright scan; None where there is none.

    Raises `BadInput`: symbol.not-grey, symbol.too-many-pixels.
    """
    check_image(image)
    ink = skew.dark(image[: round(_DEPTH * dpi)])
    seen: dict[tuple[str, int], list[tuple[int, int, int]]] = {}
    for row in range(ink.shape[0]):
        for letter, left, right in _marks(ink[row], dpi):
            near = next((key for key in seen if key[0] == letter and abs(key[1] - left) <= _PITCH * dpi / 2), None)
            seen.setdefault(near or (letter, left), []).append((row, left, right))
    rows = max(seen.values(), key=len, default=[])
    if len(rows) < _LEAST_ROWS * dpi:
        return None
    letter = next(key[0] for key, value in seen.items() if value is rows)
    box = (min(left for _, left, _ in rows), rows[0][0], max(right for _, _, right in rows), rows[-1][0])
    return FoundFim(letter=letter, box=box)


def _marks(row: Any, dpi: int) -> list[tuple[str, int, int]]:
    """Give each mark that a row of pixels shows: letter, left and right edge."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.view(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    pitch, found = _PITCH * dpi, []
    for at, start in enumerate(starts):
        last = int(np.searchsorted(starts, start + (_SPAN + _UNEVEN) * pitch))
        bars, widths = (starts[at:last] - start) / pitch, (ends[at:last] - starts[at:last]) / dpi
        places = np.round(bars)
        if len(bars) < 2 or np.abs(bars - places).max() > _UNEVEN or np.abs(widths - _BAR).max() > _BAR / 2:
            continue
        pattern = "".join("1" if place in places else "0" for place in range(_SPAN + 1))
        letter = next((name for name, bits in FIM_PATTERNS.items() if bits == pattern), None)
        alone = (at == 0 or start - ends[at - 1] > pitch) and (
            last == len(starts) or starts[last] - ends[last - 1] > pitch
        )
        if letter is not None and alone:
            found.append((letter, int(start), int(ends[last - 1])))
    return found
