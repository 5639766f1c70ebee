"""The print quality of a Data Matrix symbol, module by module, after ISO/IEC 15415 in shape.

Here: contrast, modulation by codeword, fixed pattern damage, axial and grid non-uniformity, from the lattice of a
symbol whose bytes are known. Not here: grades (`grading`), unused error correction (the reader tells it).
How: the figures follow the standard's definitions as far as a scan allows. Damage of fixed patterns is the worst of
the two solid sides, the two dashed sides with the inner ones, and the margin. The grid is looked at in parts: where
each fits the modules best, against where it should be.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from towncircle.symbol.lattice import Lattice
from towncircle.symbol.placement import placement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REGIONS = {
    **dict.fromkeys((32, 36, 40, 44, 48, 52), 2),
    **dict.fromkeys((64, 72, 80, 88, 96, 104), 4),
    **dict.fromkeys((120, 132, 144), 6),
}
# codewords of error correction, for the sizes that have one block of them
_CORRECTION = dict(
    zip(
        (10, 12, 14, 16, 18, 20, 22, 24, 26, 32, 36, 40, 44, 48),
        (5, 7, 10, 12, 14, 18, 20, 24, 28, 36, 42, 48, 56, 68),
        strict=True,
    )
)
_PART = 6  # modules of one part of the grid
_REACH, _STEPS = 0.8, 8  # how far a part may lie off, and in how many steps each way it is looked for
_CLEARLY = 0.25  # of a module
_AS_GOOD = 0.97  # of the best fit: pixels of a coarse scan tell no finer


def figures(lattice: Lattice) -> dict[str, int]:
    """Give the measured figures in per cent, by name."""
    middles = lattice.middles(quiet=1)
    lightest, darkest = float(middles.max()), float(middles.min())
    contrast, threshold = lightest - darkest, (lightest + darkest) / 2
    off = _offsets(lattice, threshold)
    inner = _where_it_lies(lattice, off)
    wrong = (inner < threshold) != lattice.true
    margin = _ring(middles) < threshold
    across, down = lattice.module
    return {
        "contrast": int(100 * contrast + 0.5),
        "modulation": _modulation(lattice, inner, wrong, threshold, contrast),
        "fixed-pattern-damage": _damage(wrong, margin),
        "axial-non-uniformity": int(200 * abs(across - down) / (across + down) + 0.5),
        "grid-non-uniformity": int(100 * float(abs(off).max()) + 0.5),
    }


def _ring(middles: Any) -> Any:
    """Give the outermost modules: the margin."""
    import numpy as np

    return np.concatenate((middles[0], middles[-1], middles[1:-1, 0], middles[1:-1, -1]))


def _modulation(lattice: Lattice, inner: Any, wrong: Any, threshold: float, contrast: float) -> int:
    """Give the level that all codewords reach, but for as many as error correction could mend at that level.

    For each level the codewords below it count as errors, and what error correction they leave unused is compared with
    the level, as in ISO/IEC 15415: the best of the lesser of both.
    """
    import numpy as np

    margins = np.where(wrong, 0, 2 * np.abs(inner - threshold) / max(contrast, 1e-6))
    words = codewords(lattice.true.shape[0])
    levels = np.array([margins[rows, columns].min() for rows, columns in words])
    mendable = _CORRECTION.get(lattice.true.shape[0], len(levels) * 3 // 10) // 2
    best = 0.0
    for level in np.unique(levels):
        unused = 1 - float((levels < level).sum()) / max(mendable, 1)
        best = max(best, min(float(level), max(unused, 0.0)))
    return int(100 * best + 0.5)


def _damage(wrong: Any, margin: Any) -> int:
    """Give the share of wrong modules of the worst fixed pattern, in per cent."""
    size = wrong.shape[0]
    per = size // _REGIONS.get(size, 1)
    parts = [wrong[:, 0], wrong[-1, :], wrong[:, -1], wrong[0, :], margin]
    for at in range(per, size, per):
        parts += [wrong[:, at], wrong[:, at - 1], wrong[at, :], wrong[at - 1, :]]
    return max(int(100 * float(part.mean()) + 0.5) for part in parts)


def _offsets(lattice: Lattice, threshold: float) -> Any:
    """Give how far each part of the grid lies off its place, as complex parts of a module: the middle of what fits."""
    import numpy as np

    weight = np.where(lattice.true, -1.0, 1.0)
    edges = _edges(lattice.true.shape[0])
    steps = [_REACH * step / _STEPS for step in range(-_STEPS, _STEPS + 1)]
    shifts = np.array([complex(dx, dy) for dx in steps for dy in steps])
    fits = []
    for shift in shifts:
        fit = weight * (lattice.middles(shift=(shift.real, shift.imag)) - threshold)
        fits.append(np.add.reduceat(np.add.reduceat(fit, edges, axis=0), edges, axis=1))
    told = np.array(fits)
    best = told.max(axis=0)
    near = told >= best - (1 - _AS_GOOD) * np.abs(best)
    return (near * shifts[:, None, None]).sum(axis=0) / near.sum(axis=0)


def _edges(size: int) -> list[int]:
    return list(range(0, size - _PART + 1, _PART))


def _where_it_lies(lattice: Lattice, off: Any) -> Any:
    """Give the reflectance of the modules, each part of the grid taken where it lies if that is clearly elsewhere."""
    import numpy as np

    size = lattice.true.shape[0]
    part = np.minimum(np.arange(size) // _PART, len(_edges(size)) - 1)
    shift = np.where(np.abs(off) > _CLEARLY, off, 0)[part][:, part]
    rows, columns = np.mgrid[:size, :size] + 0.5
    return lattice.at(columns + shift.real, rows + shift.imag)


@cache
def codewords(size: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Give the rows and columns of the eight modules of each codeword, in the symbol with its finder."""
    import numpy as np

    per = size // _REGIONS.get(size, 1) - 2
    found: dict[int, list[tuple[int, int]]] = {}
    for place, word in placement(size // (per + 2) * per).items():
        row, column = (axis // per * (per + 2) + axis % per + 1 for axis in place)
        found.setdefault(word, []).append((row, column))
    words = [np.array(places) for _, places in sorted(found.items())]
    return [(places[:, 0], places[:, 1]) for places in words]
