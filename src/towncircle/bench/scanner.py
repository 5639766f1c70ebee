"""A simulated scanner: a drawn symbol through paper, ink, optics and sensor, as an 8-bit grey array.

Here: what may go wrong between a symbol's modules and the pixels of its scan, each by one number, and a table of
conditions. Not here: reading (`towncircle.symbol`), counting what was read (`robustness`).
How: the symbol is drawn fine, its ink spreads or thins by so much an edge, the sheet is turned or seen aslant, an area
filter makes the pixels of the resolution at a random phase, then come blur, contrast, light, noise and spots. No paper
was printed or scanned: what a simulation shows is an ordering, not a promise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from towncircle.symbol import Modules

_INK, _PAPER = 20, 200
_OVER = 4  # how many fine pixels make one of the scan, each way


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Describe what is wrong with a scan.

    `degrees` turned counterclockwise; `aslant` is by what share the far edge of a photograph is shorter; `blur` is the
    sigma in mil; `noise` that in grey levels; `contrast` a share of ink to paper; `gain` how far ink spreads at each
    edge in mil, less than nothing where it is thin; `shade` how much darker the darker side is, as a share; `specks`
    the share of pixels that are black or white dust; `levels` of 2 is a bilevel (fax) scan.
    """

    name: str
    degrees: float = 0
    aslant: float = 0
    blur: float = 0
    noise: float = 0
    contrast: float = 1
    gain: float = 0
    shade: float = 0
    specks: float = 0
    levels: int = 256


CONDITIONS = (
    Condition(name="clean"),
    *(Condition(name=f"turned {degrees} degrees", degrees=degrees) for degrees in (2, 5, 10, -10, 20, 32, 45)),
    *(Condition(name=f"blur {mil} mil", blur=mil) for mil in (3, 5, 8)),
    *(Condition(name=f"noise {levels}", noise=levels) for levels in (20, 40, 60)),
    *(Condition(name=f"contrast {share}", contrast=share) for share in (0.4, 0.2, 0.1)),
    *(Condition(name=f"ink {mil:+d} mil", gain=mil) for mil in (2, -2)),
    *(Condition(name=f"dust {share:.0%}", specks=share) for share in (0.01, 0.04)),
    Condition(name="bilevel", levels=2),
    Condition(name="one side dark", shade=0.7),
    Condition(name="aslant", aslant=0.12),
    Condition(name="photograph", aslant=0.08, degrees=7, shade=0.5, blur=3, noise=6),
    Condition(name="turned, blurred, noisy, faint", degrees=7, blur=3, noise=15, contrast=0.4),
)


def scan(
    modules: Modules, condition: Condition, *, mil: float, dpi: int, random: Callable[[], float]
) -> NDArray[np.uint8]:
    """Scan a symbol of modules `mil` thousandths of an inch wide, with half an inch of paper around it.

    `random` gives numbers from 0 up to 1: the phase of the pixels, and the seed of the noise.
    """
    import numpy as np
    from PIL import Image, ImageFilter

    noise = np.random.default_rng(int(random() * 2**53))
    sheet = _sheet(modules, condition.gain, mil=mil, dots=dpi * _OVER)
    seen = _seen(Image.fromarray(sheet), condition, (random(), random()))
    fine = Image.fromarray(seen).reduce(_OVER)
    sharp = fine.filter(ImageFilter.GaussianBlur(condition.blur * dpi / 1000)) if condition.blur else fine
    middle = (_INK + _PAPER) / 2
    grey = middle + (np.asarray(sharp, dtype=np.float32) - middle) * condition.contrast
    grey *= np.linspace(1, 1 - condition.shade, grey.shape[1], dtype=np.float32)
    if condition.noise:
        grey += noise.normal(0, condition.noise, grey.shape)
    if condition.specks:
        dust = noise.random(grey.shape)
        grey[dust < condition.specks / 2], grey[dust > 1 - condition.specks / 2] = _INK, _PAPER
    if condition.levels == 2:
        grey = np.where(grey > middle, 255, 0)
    pixels: NDArray[np.uint8] = np.clip(grey, 0, 255).astype(np.uint8)
    return pixels


def _sheet(modules: Modules, gain: float, *, mil: float, dots: int) -> NDArray[np.uint8]:
    """Draw the symbol at `dots` an inch in the middle of a sheet; ink grows or thins at each edge."""
    import numpy as np
    from PIL import Image, ImageFilter

    grid = np.repeat(modules.array(), modules.row_height, axis=0)
    rows, columns = (np.floor(np.arange(math.floor(n * mil * dots / 1000)) / (mil * dots / 1000)) for n in grid.shape)
    drawn = grid[rows.astype(np.int64)][:, columns.astype(np.int64)]
    sheet = Image.fromarray(np.pad(np.where(drawn, _INK, _PAPER).astype(np.uint8), dots // 2, constant_values=_PAPER))
    reach = round(abs(gain) * dots / 1000)
    if reach:
        spread = (ImageFilter.MinFilter if gain > 0 else ImageFilter.MaxFilter)(2 * reach + 1)
        sheet = sheet.filter(spread)
    return np.asarray(sheet)


def _seen(sheet: Any, condition: Condition, phase: tuple[float, float]) -> NDArray[np.uint8]:
    """Turn the sheet and look at it aslant, with the pixels at a phase."""
    import numpy as np
    from PIL import Image

    if condition.degrees:
        sheet = sheet.rotate(condition.degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_PAPER)
    width, height = sheet.size
    right, down = (round(share * (_OVER - 1)) for share in phase)
    if condition.aslant:
        inset = condition.aslant * width / 2
        corners = ((inset, 0), (0, height), (width, height), (width - inset, 0))
        towards = ((0, 0), (0, height), (width, height), (width, 0))
        how = {"data": _perspective(corners, towards), "resample": Image.Resampling.BICUBIC, "fillcolor": _PAPER}
        sheet = sheet.transform(sheet.size, Image.Transform.PERSPECTIVE, **how)
    return np.pad(np.asarray(sheet), ((down, 0), (right, 0)), constant_values=_PAPER)


def _perspective(seen: Any, true: Any) -> list[float]:
    """Give Pillow's eight numbers of the view in which the corners `true` stand at `seen`."""
    import numpy as np

    rows, values = [], []
    for (x, y), (u, v) in zip(seen, true, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(one) for one in np.linalg.solve(np.array(rows, float), np.array(values, float))]
