"""Marks of pieces, read by the auditor itself.

Here: from the bytes of a mark to device, value, day, registers and the name of its signed content. Not here:
signatures, and what the issuers' codec makes of the same bytes.
Kept: this is the auditor's own copy of the offsets in the layout files; no code of the rooms that issue is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

Place = tuple[int, int]  # offset and length in bytes; integers are little-endian
_DAY_ZERO = date(1998, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Hold where a layout has what is audited; what it does not carry is None."""

    signed: int
    length: int
    postage: Place
    day: Place
    serial: Place
    ascending: Place | None
    pieces: Place | None
    model: Mapping[int, str] | None = None  # by the byte before the serial; None: four letters stand there


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMark:
    """Hold what a mark says: money in mills, `key` the SHA-256 (hex) of its signed content."""

    device: str
    postage: int
    day: date
    ascending: int | None
    pieces: int | None
    certificate: int
    key: str


_FULL = Shape(signed=49, length=89, postage=(19, 3), day=(22, 4), serial=(10, 4), ascending=(14, 5), pieces=None)
_STANDARD = Shape(
    signed=46, length=110, postage=(19, 3), day=(22, 4), serial=(10, 4), ascending=(14, 5), pieces=(38, 4)
)
_SHAPES: Mapping[int, Shape] = MappingProxyType(
    {
        0x98: _FULL,
        0xA1: Shape(
            signed=20,
            length=84,
            postage=(15, 3),
            day=(18, 2),
            serial=(7, 4),
            ascending=None,
            pieces=(11, 4),
            model=MappingProxyType({26: "TC1A"}),
        ),
        0xA2: _STANDARD,
        0xA3: Shape(
            signed=58, length=122, postage=(19, 3), day=(22, 4), serial=(10, 4), ascending=(14, 5), pieces=(38, 4)
        ),
    }
)


def read_mark(payload: object) -> ReadMark | None:
    """Read a whole mark of a device of this post that shows a day, or give None for anything else."""
    shape = _SHAPES.get(payload[0]) if isinstance(payload, bytes) and payload else None
    if shape is None or not isinstance(payload, bytes) or len(payload) < shape.length:
        return None
    model, day = _model(payload, shape), _day(payload, shape.day)
    if model is None or day is None:
        return None
    return ReadMark(
        device=f"{model}{_number(payload, shape.serial):010d}",
        postage=_number(payload, shape.postage),
        day=day,
        ascending=_number(payload, shape.ascending) if shape.ascending else None,
        pieces=_number(payload, shape.pieces) if shape.pieces else None,
        certificate=_number(payload, (2, 4)),
        key=hashlib.sha256(payload[: shape.signed]).hexdigest(),
    )


def _number(payload: bytes, place: Place) -> int:
    return int.from_bytes(payload[place[0] : place[0] + place[1]], "little")


def _model(payload: bytes, shape: Shape) -> str | None:
    offset = shape.serial[0]
    if shape.model is not None:
        return shape.model.get(payload[offset - 1])
    letters = payload[offset - 4 : offset]
    return letters.decode("ascii") if letters.isalnum() and letters.isascii() else None


def _day(payload: bytes, place: Place) -> date | None:
    number = _number(payload, place)
    if place[1] == 2:
        return _DAY_ZERO + timedelta(days=number)
    year, rest = divmod(number, 10_000)
    try:
        return date(year, *divmod(rest, 100))
    except (ValueError, OverflowError):
        return None
