"""Money in integer mills (1/1000 dollar).

Here: the one money type. Not here: rates, rounding of percentages (a rule asks for that, so it lives by the rule).
Kept: no float ever touches money and nothing divides it (house.md 5).
"""

from __future__ import annotations

import re
from typing import NoReturn, overload

from towncircle.kernel.errors import BadInput

_plus, _minus = int.__add__, int.__sub__  # what money may do with money; every debit passes here
_DOLLARS = re.compile(r"(?P<sign>-?)\$?(?P<whole>[0-9]{1,12})(?:\.(?P<frac>[0-9]{1,3}))?\Z", re.ASCII)


class Mills(int):
    """Hold an amount of money as an integer number of mills.

    Adds and subtracts with `Mills` only and multiplies by whole numbers only; division, floats and bare integers
    are refused with `TypeError`, so that a unit error cannot pass silently. (A float on the left, `1.0 + amount`, is
    answered by float itself and out of reach here; a house test bans floats from the rooms of money.)
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
        return Mills(_plus(self, _money(other)))

    def __radd__(self, other: int) -> Mills:
        if type(other) is int and other == 0:  # lets sum() start
            return self
        return Mills(int(_money(other)) + int(self))

    def __sub__(self, other: int) -> Mills:
        return Mills(_minus(self, _money(other)))

    def __rsub__(self, other: int) -> Mills:
        return Mills(int(_money(other)) - int(self))

    @overload
    def __mul__(self, other: Mills) -> NoReturn: ...
    @overload
    def __mul__(self, other: int) -> Mills: ...
    def __mul__(self, other: int) -> Mills:
        # raises where NotImplemented would let int or float answer in its place
        if isinstance(other, Mills) or not isinstance(other, int):
            raise TypeError(f"money is multiplied by whole numbers only, not by {other!r}")
        return Mills(int(self) * other)

    def __rmul__(self, other: int) -> Mills:
        return self.__mul__(other)

    def __neg__(self) -> Mills:
        return Mills(-int(self))

    def __abs__(self) -> Mills:
        return Mills(abs(int(self)))

    def _never_divided(self, *_other: object) -> NoReturn:
        raise TypeError("money is never divided, rounded or made a float; ask a rule for the share")

    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _never_divided
    __mod__ = __rmod__ = __divmod__ = __rdivmod__ = __pow__ = __rpow__ = _never_divided
    __round__ = __float__ = _never_divided

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


def _money(other: object) -> Mills:
    """Give the other operand when it is money. Raising, not `NotImplemented`, because `int` would answer then."""
    if not isinstance(other, Mills):
        raise TypeError(f"money is added to and taken from money only, not {other!r}")
    return other


ZERO = Mills(0)
