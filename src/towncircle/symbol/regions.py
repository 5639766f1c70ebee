"""Where on a page a symbol may stand: patches of about as much ink as paper.

Here: `find`, on a grid of at most some 120 cells a side. Not here: reading what stands there (`reading`).
How: a cell's share of ink is how much darker its mean is than the light paper around it, so that a shadow over one side
of a photograph is no ink. A symbol's cells are half ink; those of text and drawings seldom are, and a dark table is all
ink. Cells that touch make a region.
Kept: each page is looked at in bounded time whatever stands on it: the grid, and the number of regions, have limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_REGIONS = 32
Box = tuple[int, int, int, int]
_GRID = 120
_LEAST_CELL = 8
_LEAST_SIDE = 20  # pixels: ten modules of two pixels, the least symbol
_ANY_INK, _SOLID_INK = 0.12, 0.9
_HALF_INK = (0.36, 0.75)  # a symbol's share; type of 20 points, close set, stays below a third
_LEAST_CROSSING = 0.15
_GROWN = 2  # cells by which a patch grows, so that a light column does not part a symbol
_FAINTEST = 0.06  # the least contrast, as a share of the paper, that is taken for ink


def find(image: NDArray[np.uint8], taken: Sequence[Sequence[tuple[int, int]]] = ()) -> list[Box]:
    """Give boxes (left, top, right, bottom in pixels) where symbols may stand, the likeliest first.

    `taken` are the corners of symbols that were found already. What they cover is left out, and so is then what has no
    patch of half ink that holds most of the smallest of them: the text and the bars beside a symbol that was read.
    """
    import numpy as np
    from PIL import Image, ImageFilter

    cell = max(_LEAST_CELL, round(max(image.shape) / _GRID))
    share = _ink(image, cell)
    for corners in taken:
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        share[max(min(ys) // cell - 1, 0) : max(ys) // cell + 2, max(min(xs) // cell - 1, 0) : max(xs) // cell + 2] = 0
    like = Image.fromarray(((share > _HALF_INK[0]) & (share < _HALF_INK[1])).astype(np.uint8))
    if taken:
        side = 2 * (max(_least_side(taken) // cell, 3) * 3 // 10) + 1
        core = like.filter(ImageFilter.MinFilter(side))
        if not core.getbbox():
            return []
        mask = core.filter(ImageFilter.MaxFilter(side))
    else:
        mask = Image.fromarray(((share > _ANY_INK) & (share < _SOLID_INK)).astype(np.uint8))
    boxes = _boxes(np.asarray(mask.filter(ImageFilter.MaxFilter(2 * _GROWN + 1))), np.asarray(like), cell, image.shape)
    return [box for box in boxes if not taken or not _only_bars(image, box)][:MAX_REGIONS]


def _least_side(taken: Sequence[Sequence[tuple[int, int]]]) -> int:
    """Give the shorter side of the smallest symbol, in pixels."""
    spans = [max(point[axis] for point in one) - min(point[axis] for point in one) for one in taken for axis in (0, 1)]
    return min(spans)


def _only_bars(image: NDArray[np.uint8], box: Box) -> bool:
    """Tell whether all edges of a region run one way, as those of a FIM do."""
    import numpy as np

    left, top, right, bottom = box
    part = image[top:bottom:2, left:right:2].astype(np.int16)
    upright, level = (float(np.abs(np.diff(part, axis=axis)).sum()) for axis in (1, 0))
    return min(upright, level) < _LEAST_CROSSING * max(upright, level)


def _boxes(grown: Any, like: Any, cell: int, shape: tuple[int, ...]) -> list[Box]:
    found = []
    for top, left, bottom, right in _components(grown):
        if min(bottom - top, right - left) - 2 * _GROWN < 1 + _LEAST_SIDE // cell:
            continue
        box = (
            max((left - 1) * cell, 0),
            max((top - 1) * cell, 0),
            min((right + 1) * cell, shape[1]),
            min((bottom + 1) * cell, shape[0]),
        )
        found.append((-int(like[top:bottom, left:right].sum()), box))
    return [box for _, box in sorted(found)]


def _ink(image: NDArray[np.uint8], cell: int) -> Any:
    """Give each cell's share of ink, 0 to 1, against the lightest cells around it and the page's darkest pixels.

    It is the mean of three by three cells, which is more than a module, so that a symbol is neither light nor solid.
    """
    import numpy as np
    from PIL import Image, ImageFilter

    grid = Image.fromarray(image).reduce(cell)
    coarse = grid.reduce(4).filter(ImageFilter.MaxFilter(9)).filter(ImageFilter.BoxBlur(2))
    light = np.maximum(np.asarray(coarse.resize(grid.size, Image.Resampling.BILINEAR), dtype=np.float32), 1)
    sample = np.bincount(image[:: max(cell // 4, 1), :: max(cell // 4, 1)].ravel(), minlength=256).cumsum()
    darkest = int(np.searchsorted(sample, sample[-1] // 100))
    deepest = max(1 - darkest / float(np.median(light)), _FAINTEST)
    return (light - np.asarray(grid.filter(ImageFilter.BoxBlur(1)), dtype=np.float32)) / (light * deepest)


def _components(mask: Any) -> list[tuple[int, int, int, int]]:
    """Give the bounds (top, left, bottom, right) of the patches of set cells that touch."""
    width = mask.shape[1]
    left_over = {int(at) for at in mask.ravel().nonzero()[0]}
    found = []
    while left_over:
        start = left_over.pop()
        edge = [start]
        top = bottom = start // width
        left = right = start % width
        while edge:
            at = edge.pop()
            row, column = at // width, at % width
            top, bottom, left, right = min(top, row), max(bottom, row), min(left, column), max(right, column)
            beside = [at - width, at + width]
            beside += [at - 1] if column else []
            beside += [at + 1] if column < width - 1 else []
            for other in beside:
                if other in left_over:
                    left_over.remove(other)
                    edge.append(other)
        found.append((top, left, bottom + 1, right + 1))
    return found
