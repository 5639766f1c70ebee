"""Simulated scans: symbols and bars drawn at 1,200 dpi, turned, and brought down by an area filter."""

from __future__ import annotations

import numpy as np
from PIL import Image

MASTER_DPI = 1200
DOTS = 16  # 13.3 mil a module


def scanned(modules, *, dpi: int, degrees: float = 0) -> np.ndarray:
    return _scan(modules.image(dots=DOTS), dpi, degrees)


def scanned_bars(bars: str, *, dpi: int, degrees: float = 0, upside_down: bool = False) -> np.ndarray:
    """Draw an Intelligent Mail barcode of 22 bars an inch beside a line of solid text-like blocks."""
    master = np.full((400, 4200), 255, np.uint8)
    for at, bar in enumerate(bars):
        x = round(300 + at * MASTER_DPI / 22)
        master[90 + 70 * (bar in "DT") : 308 - 70 * (bar in "AT"), x : x + 24] = 0
    master[370:390, 300:2000] = 0
    return _scan(master[::-1, ::-1] if upside_down else master, dpi, degrees)


def _scan(master: np.ndarray, dpi: int, degrees: float) -> np.ndarray:
    page = Image.fromarray(np.pad(master, 500, constant_values=255))
    turned = page.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    size = (round(turned.width * dpi / MASTER_DPI), round(turned.height * dpi / MASTER_DPI))
    return np.asarray(turned.resize(size, Image.Resampling.BOX))
