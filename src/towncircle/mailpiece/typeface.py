"""Widths and heights of the embedded fonts.

Here: measuring text. Not here: the font files (`towncircle.paper.fonts`).
Kept: the layout measures with the widths that are printed; both come from `tools/subset_fonts.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

FontKey = Literal["sans", "bold", "mono"]
_BELOW = frozenset("gjpqyQç,;()[]{}|$@/_ÿýþ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Hold the metrics of one font, in thousandths of its size; `widths` start at code 32 of code page 1252."""

    key: str
    name: str
    widths: tuple[int, ...]
    ascent: int
    descent: int
    cap_height: int
    bbox: tuple[int, ...]

    def width(self, text: str, size: int, tracking: int = 0) -> int:
        """Measure a line, rounded up to a unit. `tracking` is added after each character but the last."""
        widths = self.widths
        total = sum([widths[code - 32] for code in text.encode("cp1252")])
        return -(-total * size // 1000) + tracking * max(len(text) - 1, 0)

    def below(self, text: str, size: int) -> int:
        """Give how far the line reaches below its baseline."""
        return -self.descent * size // 1000 if _BELOW & set(text) else 0

    def above(self, text: str, size: int) -> int:
        """Give how far the line reaches above its baseline: capitals, or the ascender where there is more."""
        plain = text.isascii() and text.upper() == text and "$" not in text
        return (self.cap_height + 24 if plain else self.ascent - 80) * size // 1000

    def fitting(self, text: str, *, size: int, most: int, least: int, tracking: int = 0) -> int:
        """Give the largest size up to `size` at which the line is at most `most` wide; 0 if under `least`."""
        while size >= least:
            if self.width(text, size, tracking) <= most:
                return size
            size -= 100
        return 0


@cache
def face(key: str) -> Face:
    """Look a font up by `sans`, `bold` or `mono`."""
    row = _metrics()[key]
    return Face(
        key=key,
        name=row["name"],
        widths=tuple(row["widths"]),
        ascent=row["ascent"],
        descent=row["descent"],
        cap_height=row["cap_height"],
        bbox=tuple(row["bbox"]),
    )


FONT_KEYS: tuple[FontKey, ...] = ("sans", "bold", "mono")


@cache
def _metrics() -> dict[str, Any]:
    text = (files("towncircle.mailpiece") / "data" / "typeface_metrics.json").read_text(encoding="utf-8")
    metrics: dict[str, Any] = json.loads(text)
    return metrics
