"""Weights of mailpieces, exact.

Here: reading `1oz`, `0.5 lb` or `28 g` into ounces. Not here: what a weight costs.
Kept: a weight is a fraction of an ounce, never a float, so that 3.5 oz is 3.5 oz at the edge of a price step.
"""

from __future__ import annotations

import re
from fractions import Fraction

from towncircle.kernel.errors import BadInput

OUNCES = {"oz": Fraction(1), "lb": Fraction(16), "g": 1 / Fraction("28.349523125")}
_WEIGHT = re.compile(
    r"\s*(?P<number>-?[0-9]{1,6}(?:\.[0-9]{1,4})?)\s*(?P<unit>oz|lb|g)?\s*\Z", re.ASCII | re.IGNORECASE
)
_HEAVIEST = Fraction(70 * 16)


def parse_weight(text: str) -> Fraction:
    """Read a weight into ounces; a bare number is ounces.

    Raises `BadInput`: `weight.unreadable`, `weight.not-positive`, `weight.too-heavy` (over 70 lb nothing is mail).
    """
    match = _WEIGHT.match(text)
    if match is None:
        raise BadInput("weight.unreadable", text=text[:40])
    ounces = Fraction(match["number"]) * OUNCES[(match["unit"] or "oz").lower()]
    if ounces <= 0:
        raise BadInput("weight.not-positive", text=text.strip()[:40])
    if ounces > _HEAVIEST:
        raise BadInput("weight.too-heavy", text=text.strip()[:40])
    return ounces


def show_weight(ounces: Fraction) -> str:
    """Write `1 oz`, `3.5 oz` or, from a pound on, whole pounds as `2 lb`; at most four decimals."""
    if ounces >= OUNCES["lb"] and (ounces / OUNCES["lb"]).denominator == 1:
        return f"{ounces / OUNCES['lb']} lb"
    return f"{float(ounces):.4f}".rstrip("0").rstrip(".") + " oz"
