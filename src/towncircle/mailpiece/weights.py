"""Weights of mailpieces, exact.

Here: reading `1oz`, `0.5 lb` or `28 g` into ounces. Not here: what a weight costs.
Kept: a weight is a fraction of an ounce, never a float, so that 3.5 oz is 3.5 oz at the edge of a price step. A number
without a unit is no weight.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

from towncircle.kernel.errors import BadInput

OUNCES = {"oz": Fraction(1), "lb": Fraction(16), "g": 1 / Fraction("28.349523125")}
_WEIGHT = re.compile(
    r"\s*(?P<number>-?[0-9]{1,6}(?:\.[0-9]{1,4})?)\s*(?P<unit>oz|lb|g)?\s*\Z", re.ASCII | re.IGNORECASE
)
_HEAVIEST = Fraction(70 * 16)


def parse_weight(text: str, *, unit: str = "") -> Fraction:
    """Read a weight into ounces; a bare number is of the `unit` that its column declares.

    Raises `BadInput`: `weight.unreadable`, `weight.no-unit`, `weight.not-positive`, `weight.too-heavy` (over 70 lb
    nothing is mail).
    """
    match = _WEIGHT.match(text)
    if match is None:
        raise BadInput("weight.unreadable", text=text[:40])
    told = (match["unit"] or unit).lower()
    if not told:
        raise BadInput("weight.no-unit", text=text.strip()[:40])
    ounces = Fraction(match["number"]) * OUNCES[told]
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


def plain_ounces(ounces: Fraction) -> str:
    """Write a weight as a bare number of ounces with at most four decimals, rounded up."""
    whole, rest = divmod(ceil(ounces * 10_000), 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
