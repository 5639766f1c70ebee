"""A field of a batch as a column: its distinct values, and which piece has which.

Here: the column's record, its making and its spreading. Not here: the batch (`commands`), and what fields mean.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from towncircle.kernel.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Hold one indicium field of a batch: its distinct values, and for each piece which of them it has.

    `numbers` or `texts` hold the distinct values in the order of their first piece. `at` is empty where all pieces
    have the one value, otherwise 2 bytes a piece (unsigned, little-endian): the position of its value.
    """

    name: str
    numbers: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    at: bytes = b""

    @classmethod
    def of(cls, name: str, values: Sequence[int] | Sequence[str]) -> Column:
        """Make a column of one value a piece."""
        distinct: dict[int | str, int] = {}
        at = [distinct.setdefault(value, len(distinct)) for value in values]
        packed = struct.pack(f"<{len(at)}H", *at) if len(distinct) > 1 else b""
        if all(isinstance(value, str) for value in distinct):
            return cls(name=name, texts=tuple(str(value) for value in distinct), at=packed)
        return cls(name=name, numbers=tuple(int(value) for value in distinct), at=packed)

    def spread(self, count: int) -> list[int]:
        """Give the position of each piece's value. Raises `BadInput` (psd.malformed)."""
        size = len(self.numbers) or len(self.texts)
        if (self.numbers and self.texts) or size == 0:
            raise BadInput("psd.malformed", what=f"the column {self.name[:40]} has no values of one kind")
        if len(set(self.numbers or self.texts)) != size:
            raise BadInput("psd.malformed", what=f"the column {self.name[:40]} holds a value twice")
        if not self.at and size == 1:
            return [0] * count
        if len(self.at) != 2 * count or size > count:
            raise BadInput("psd.malformed", what=f"the column {self.name[:40]} does not have one value a piece")
        positions = list(struct.unpack(f"<{count}H", self.at))
        if max(positions) >= size:
            raise BadInput("psd.malformed", what=f"the column {self.name[:40]} names a value that it does not hold")
        return positions
