"""Cells of a workbook that are more than their text.

Here: numbers, whose leading zeros a workbook does not keep, and cells that cannot be used. Not here: reading a workbook
(`address_xlsx`).
"""

from __future__ import annotations

from towncircle.kernel.errors import BadInput


class Number(str):
    """Be the text of a cell that holds a number: `2108` where the sheet shows 02108."""

    __slots__ = ()


class Unusable(str):
    """Be the text of a cell that cannot be used, and say why in `error`."""

    __slots__ = ("error",)
    error: BadInput

    @classmethod
    def because(cls, error: BadInput, text: str = "") -> Unusable:
        """Make a cell that cannot be used."""
        made = cls(text)
        made.error = error
        return made
