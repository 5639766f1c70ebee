"""The print quality of a PDF417 symbol, by scan lines, after ISO/IEC 15416 and 15438 in shape.

Here: the start and stop patterns of ten scan lines (edges, least reflectance, contrast, edge contrast, modulation,
defects, decodability) and the codeword yield of all rows. Not here: grades (`grading`), unused error correction.
How: a scan line is the reflectance along the middle of a row, in the symbol's own frame, so that a turned symbol is
measured like a straight one. Each figure of a line is that of its worse pattern, and the symbol's is the mean of the
ten, as the standard averages scan lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from towncircle.symbol.lattice import QUIET, Lattice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LINES = 10
_PER_MODULE = 8  # samples
START, STOP, CODEWORD = 17, 18, 17  # modules
ROW_UNITS = 3
_START_EDGES, _STOP_EDGES = 8, 9  # of 81111113 from the paper to its last space, of 711311121 from its first bar on


def figures(lattice: Lattice) -> dict[str, int]:
    """Give the measured figures in per cent, by name."""
    import numpy as np

    rows = lattice.true.shape[0] // ROW_UNITS
    chosen = np.linspace(0, rows - 1, _LINES).round().astype(int)
    lines = [_line_figures(lattice, int(row)) for row in chosen]
    means = {name: int(100 * sum(one[name] for one in lines) / len(lines) + 0.5) for name in lines[0]}
    return {**means, "codeword-yield": _yield(lattice, rows)}


def _profile(lattice: Lattice, row: int, *, first: int, last: int) -> NDArray[np.float32]:
    """Give the reflectance along the middle of a row, from one module edge to another."""
    import numpy as np

    columns = first + (np.arange((last - first) * _PER_MODULE) + 0.5) / _PER_MODULE
    profile: NDArray[np.float32] = lattice.at(columns, np.full(columns.shape, ROW_UNITS * (row + 0.5)))
    return profile


def _line_figures(lattice: Lattice, row: int) -> dict[str, float]:
    width = lattice.true.shape[1]
    whole = _profile(lattice, row, first=-QUIET, last=width + QUIET)
    lightest, darkest = float(whole.max()), float(whole.min())
    contrast, threshold = max(lightest - darkest, 1e-6), (lightest + darkest) / 2
    parts = [
        _pattern(_profile(lattice, row, first=first, last=last), edges, threshold)
        for first, last, edges in ((-QUIET, START - 1, _START_EDGES), (width - STOP + 1, width + QUIET, _STOP_EDGES))
    ]
    return {
        "contrast": contrast,
        "least-reflectance": darkest / max(lightest, 1e-6),
        "edges": min(part["edges"] for part in parts),
        "edge-contrast": min(part["edge-contrast"] for part in parts),
        "edge-modulation": min(part["edge-contrast"] for part in parts) / contrast,
        "defects": max(part["defect"] for part in parts) / contrast,
        "decodability": min(part["decodability"] for part in parts),
    }


def _pattern(profile: Any, edges: int, threshold: float) -> dict[str, float]:
    """Measure a start or stop pattern with the paper beside it, seen along a line that crosses so many edges."""
    import numpy as np

    crossings = _crossings(profile, threshold)
    if len(crossings) != edges:
        return {"edges": 0.0, "edge-contrast": 0.0, "defect": 1.0, "decodability": 0.0}
    parts = np.split(profile, np.ceil(crossings).astype(int))
    light = [(at % 2 == 0) == (profile[0] > threshold) for at in range(len(parts))]
    peaks = [float(part.max() if is_light else part.min()) for part, is_light in zip(parts, light, strict=True)]
    return {
        "edges": 1.0,
        "edge-contrast": min(abs(one - other) for one, other in pairwise(peaks)),
        "defect": max(_defect(part if is_light else -part) for part, is_light in zip(parts, light, strict=True)),
        "decodability": _decodability(crossings / _PER_MODULE),
    }


def _crossings(profile: Any, threshold: float) -> Any:
    """Give where the line crosses the threshold, between samples."""
    import numpy as np

    light = profile > threshold
    at = np.flatnonzero(light[1:] != light[:-1])
    before, after = profile[at], profile[at + 1]
    return at + 0.5 + (threshold - before) / (after - before)


def _defect(light: Any) -> float:
    """Give how deep the worst dip of a light element is: a dark element comes with its sign turned."""
    import numpy as np

    from_left, from_right = np.maximum.accumulate(light), np.maximum.accumulate(light[::-1])[::-1]
    return float((np.minimum(from_left, from_right) - light).max(initial=0))


def _decodability(edges: Any) -> float:
    """Give how much of half a module is left before an edge-to-similar-edge distance reads as another one."""
    import numpy as np

    span = edges[-1] - edges[0]
    if span <= 0 or len(edges) < 3:
        return 0.0
    similar = (edges[2:] - edges[:-2]) * (round(float(span)) / span)
    return max(0.0, 1 - 2 * float(np.abs(similar - np.round(similar)).max()))


def _yield(lattice: Lattice, rows: int) -> int:
    """Give the share of codewords, row indicators included, that read right along the middle of their row."""
    import numpy as np

    good = total = 0
    for row in range(rows):
        profile = _profile(lattice, row, first=0, last=lattice.true.shape[1]).reshape(-1, _PER_MODULE)
        threshold = (float(profile.max()) + float(profile.min())) / 2
        dark = profile[:, _PER_MODULE // 4 : -_PER_MODULE // 4].mean(axis=1) < threshold
        wrong = dark != lattice.true[ROW_UNITS * row]
        for first in _codeword_starts(lattice.true.shape[1]):
            good += not np.any(wrong[first : first + CODEWORD])
            total += 1
    return 100 * good // total


def _codeword_starts(width: int) -> Iterator[int]:
    yield from range(START, width - STOP, CODEWORD)
