"""A field of a batch as a column: its distinct values, and which piece has which.

Here: the column's record, its making and its spreading, and what is read of a batch's columns once. Not here: the batch
(`commands`), and where fields lie (`indicia`).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from towncircle.kernel.errors import BadInput
from towncircle.psd.recent import ByIdentity

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


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
        if len(values) == 1:
            return cls.one(name, values[0])
        distinct: dict[int | str, int] = {}
        at = [distinct.setdefault(value, len(distinct)) for value in values]
        packed = struct.pack(f"<{len(at)}H", *at) if len(distinct) > 1 else b""
        if all(isinstance(value, str) for value in distinct):
            return cls(name=name, texts=tuple(str(value) for value in distinct), at=packed)
        return cls(name=name, numbers=tuple(int(value) for value in distinct), at=packed)

    @classmethod
    def one(cls, name: str, value: int | str) -> Column:
        """Make a column of one value for all pieces."""
        return _text(name, str(value)) if isinstance(value, str) else _number(name, int(value))

    def spread(self, count: int) -> list[int]:
        """Give the position of each piece's value. Raises `BadInput` (psd.malformed)."""
        size = len(self.numbers) + len(self.texts)
        if not self.at and size == 1:
            return [0] * count
        if (self.numbers and self.texts) or size == 0:
            raise BadInput("psd.malformed", what=f"the column {self.name[:40]} has no values of one kind")
        if len(set(self.numbers or self.texts)) != size:
            raise BadInput("psd.malformed", what=f"the column {self.name[:40]} holds a value twice")
        if len(self.at) != 2 * count or size > count:
            raise BadInput("psd.malformed", what=f"the column {self.name[:40]} does not have one value a piece")
        positions = list(struct.unpack(f"<{count}H", self.at))
        if max(positions) >= size:
            raise BadInput("psd.malformed", what=f"the column {self.name[:40]} names a value that it does not hold")
        return positions


@lru_cache(maxsize=4096)
def _text(name: str, value: str) -> Column:
    return Column(name=name, texts=(value,))


@lru_cache(maxsize=4096)
def _number(name: str, value: int) -> Column:
    return Column(name=name, numbers=(value,))


class Again(tuple[Column, ...]):
    """Be short columns that are remembered by their bytes: the next piece most often brings this very object."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFields:
    """Hold what a batch's columns say before any device is looked at: columns by name, mailing dates, categories.

    `days` are the distinct mailing dates, `categories` the distinct rate categories, in the order of their columns.
    `again` tells that the very same object comes with the next batch, so that what follows from it is worth keeping.
    """

    by_name: Mapping[str, Column]
    days: tuple[date, ...]
    categories: tuple[str, ...]
    category: Column
    again: bool


_NO_CATEGORY = Column(name="category", texts=("",))
_READ: ByIdentity[tuple[Column, ...], HostFields] = ByIdentity(1024)


def host_fields(columns: tuple[Column, ...]) -> HostFields:
    """Read the columns of a batch. Raises `BadInput` (psd.field-missing, psd.date-unreadable, psd.field-unknown)."""
    return _READ.get(columns, _read) if type(columns) is Again else _read(columns)


def _read(columns: tuple[Column, ...]) -> HostFields:
    by_name = {column.name: column for column in columns}
    if len(by_name) != len(columns) or "date" not in by_name:
        raise BadInput("psd.field-missing", field="date, or a field twice", layout="any")
    category = by_name.get("category", _NO_CATEGORY)
    names = tuple(str(value) for value in category.texts or category.numbers)
    if any(len(name) > 16 for name in names):
        raise BadInput("psd.field-unknown", field="a category longer than 16 characters", layout="usage")
    return HostFields(
        by_name=by_name,
        days=_days(by_name["date"]),
        categories=names,
        category=category,
        again=type(columns) is Again,
    )


def _days(column: Column) -> tuple[date, ...]:
    if column.numbers:
        raise BadInput("psd.date-unreadable", text=column.numbers[0])
    days = []
    for text in column.texts:
        try:
            days.append(date.fromisoformat(text if _DATE.fullmatch(text) else ""))
        except ValueError as error:
            raise BadInput("psd.date-unreadable", text=text[:40]) from error
    return tuple(days)
