"""Money in integer mills (1/1000 dollar).

Here: the one money type. Not here: rates, rounding of percentages (a rule asks for that, so it lives by the rule).
Kept: no float ever touches money and nothing divides it (house.md 5).
"""

from __future__ import annotations

import re
from typing import NoReturn, SupportsIndex, overload

from towncircle.kernel.errors import BadInput

_DOLLARS = re.compile(r"(?P<sign>-?)\$?(?P<whole>[0-9]{1,12})(?:\.(?P<frac>[0-9]{1,3}))?\Z", re.ASCII)


class Mills(int):
    """Hold an amount of money as an integer number of mills.

    Adds and subtracts with `Mills` only and multiplies by whole numbers only; division, floats and bare integers
    are refused with `TypeError`, so that a unit error cannot pass silently.
    """

    __slots__ = ()

    @classmethod
    def dollars(cls, whole: int, *, cents: int = 0) -> Mills:
        """Make an amount from whole dollars and whole cents."""
        return cls(whole * 1000 + cents * 10)

    @classmethod
    def parse(cls, text: str) -> Mills:
        """Read `12.34`, `$12.345` or `-0.5` (dollars, at most three decimals). Raises `BadInput` (money.unreadable)."""
        match = _DOLLARS.match(text)
        if match is None:
            raise BadInput("money.unreadable", text=text[:40])
        mills = int(match["whole"]) * 1000 + int((match["frac"] or "").ljust(3, "0"))
        return cls(-mills if match["sign"] else mills)

    def __add__(self, other: int) -> Mills:
        if not isinstance(other, Mills):
            return NotImplemented
        return Mills(int(self) + int(other))

    def __radd__(self, other: int) -> Mills:
        if type(other) is int and other == 0:  # lets sum() start
            return self
        return NotImplemented

    def __sub__(self, other: int) -> Mills:
        if not isinstance(other, Mills):
            return NotImplemented
        return Mills(int(self) - int(other))

    @overload
    def __mul__(self, other: Mills) -> NoReturn: ...
    @overload
    def __mul__(self, other: int) -> Mills: ...
    def __mul__(self, other: int) -> Mills:
        if isinstance(other, Mills) or not isinstance(other, int):
            return NotImplemented
        return Mills(int(self) * other)

    def __rmul__(self, other: int) -> Mills:
        return self.__mul__(other)

    def __neg__(self) -> Mills:
        return Mills(-int(self))

    def __abs__(self) -> Mills:
        return Mills(abs(int(self)))

    def __truediv__(self, other: object) -> NoReturn:
        raise TypeError("money is never divided; ask a rule for the share")

    def __floordiv__(self, other: object) -> NoReturn:
        raise TypeError("money is never divided; ask a rule for the share")

    def __mod__(self, other: object) -> NoReturn:
        raise TypeError("money is never divided; ask a rule for the share")

    def __round__(self, ndigits: SupportsIndex | None = None) -> NoReturn:
        raise TypeError("money is never rounded; ask a rule for the share")

    def __str__(self) -> str:
        """Write `$12.34`, or `$0.621` where there are tenths of a cent."""
        whole, rest = divmod(abs(int(self)), 1000)
        cents, tenth = divmod(rest, 10)
        tail = f"{cents:02d}{tenth}" if tenth else f"{cents:02d}"
        return f"{'-' if self < 0 else ''}${whole:,}.{tail}"

    def __repr__(self) -> str:
        return f"Mills({int(self)})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


ZERO = Mills(0)
