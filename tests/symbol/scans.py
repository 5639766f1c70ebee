"""Simulated scans: symbols and bars drawn at 1,200 dpi, turned, and brought down by an area filter."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from towncircle.symbol import fim

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


def photographed(modules, bars: str, *, dpi: int, degrees: float) -> np.ndarray:
    """Draw a #10 envelope: text, FIM D, a symbol and an Intelligent Mail barcode, turned and darker to one side."""
    page = Image.new("L", (5700, 2475), 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(70)
    draw.multiline_text((200, 150), "CASCO BAY SUPPLY\n12 COMMERCIAL ST\nPORTLAND ME 04101", 0, font)
    draw.multiline_text((2400, 1150), "JANE Q PUBLIC\n475 LENFANT PLZ SW\nWASHINGTON DC 20260", 0, font)
    symbol = modules.image(dots=8)
    page.paste(Image.fromarray(symbol), (5500 - symbol.shape[1], 200))
    for at, bar in enumerate(bars):
        x = round(2400 + at * 600 / 22)
        draw.rectangle((x, 1600 + 35 * (bar in "DT"), x + 11, 1709 - 35 * (bar in "AT")), 0)
    for at, bar in enumerate(fim("D")):
        if bar == "1":
            draw.rectangle((4100 + round(at * 37.5), 0, 4118 + round(at * 37.5), 375), 0)
    turned = page.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    small = np.asarray(turned.resize((turned.width * dpi // 600, turned.height * dpi // 600), Image.Resampling.BOX))
    return (small * np.linspace(0.35, 1, small.shape[1])).astype(np.uint8)


def _scan(master: np.ndarray, dpi: int, degrees: float) -> np.ndarray:
    page = Image.fromarray(np.pad(master, 500, constant_values=255))
    turned = page.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    size = (round(turned.width * dpi / MASTER_DPI), round(turned.height * dpi / MASTER_DPI))
    return np.asarray(turned.resize(size, Image.Resampling.BOX))
