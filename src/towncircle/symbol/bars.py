"""Facing identification marks and POSTNET, as patterns of bars.

Here: which bars stand where. Not here: inches; pitch, height and place are numbers of the page room.
The FIM patterns were compared with those that libzint draws, bar by bar.
"""

from __future__ import annotations

import re

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput

FIM_PATTERNS = {
    "A": "110010011",
    "B": "101101101",
    "C": "110101011",
    "D": "111010111",
    "E": "101000101",
}
POSTNET_BARS = (62, 52, 32)  # of 11, 9 and 5 digits, with check digit and frame bars
_POSTNET_DIGITS = ("11000", "00011", "00101", "00110", "01001", "01010", "01100", "10001", "10010", "10100")


@cites("P050-4.12")
def fim(letter: str) -> str:
    """Give a FIM as nine positions, `1` a bar and `0` none. Raises `BadInput` (symbol.no-such-fim)."""
    pattern = FIM_PATTERNS.get(letter)
    if pattern is None:
        raise BadInput("symbol.no-such-fim", letter=letter[:10])
    return pattern


def postnet(digits: str) -> str:
    """Give POSTNET for 5, 9 or 11 digits: `1` a tall and `0` a short bar, with frame bars and check digit.

    Raises `BadInput` (symbol.postnet-digits).
    """
    if not re.fullmatch(r"[0-9]{5}|[0-9]{9}|[0-9]{11}", digits, re.ASCII):
        raise BadInput("symbol.postnet-digits", text=digits[:20])
    check = -sum(map(int, digits)) % 10
    return "1" + "".join(_POSTNET_DIGITS[int(digit)] for digit in f"{digits}{check}") + "1"


def postnet_digits(bars: str) -> str:
    """Read POSTNET bars (`1` tall, `0` short): 5, 9 or 11 digits, whose frame, digits and check digit are right.

    Raises `BadInput` (symbol.postnet-unreadable).
    """
    coded = [bars[at : at + 5] for at in range(1, len(bars) - 1, 5)]
    if len(bars) in POSTNET_BARS and bars[0] == bars[-1] == "1" and set(coded) <= set(_POSTNET_DIGITS):
        digits = [_POSTNET_DIGITS.index(one) for one in coded]
        if sum(digits) % 10 == 0:
            return "".join(map(str, digits[:-1]))
    raise BadInput("symbol.postnet-unreadable", count=len(bars))
