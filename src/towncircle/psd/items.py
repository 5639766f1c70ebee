"""The few CBOR items of the device's records, written by hand.

Here: integers, byte and text strings, lists and heads of maps in their one deterministic form (RFC 8949 4.2.1). Not
here: reading them, and what a record is (`codec`); messages between parties (`wire.cbor`).
The library takes a fifth of a microsecond for an item, and a debit has forty: that was a fifth of a signature.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from towncircle.kernel.errors import BrokenInvariant

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = (major << 5 for major in (0, 1, 2, 3, 4, 5))
_TWO, _FOUR, _EIGHT = (struct.Struct(form).pack for form in (">BH", ">BI", ">BQ"))
NULL = b"\xf6"


def _head(major: int, argument: int) -> bytes:
    """Give the head of an item: its kind and its value or length, in the shortest form."""
    if argument < 24:
        return bytes((major + argument,))
    if argument < 1 << 8:
        return bytes((major + 24, argument))
    if argument < 1 << 16:
        return _TWO(major + 25, argument)
    if argument < 1 << 32:
        return _FOUR(major + 26, argument)
    if argument >= 1 << 64:
        raise BrokenInvariant("wire.cannot-encode", what="an integer beyond 64 bits")
    return _EIGHT(major + 27, argument)


_SMALL = [_head(_UNSIGNED, number) for number in range(256)]
_SHORT_TEXT = [_head(_TEXT, length) for length in range(256)]
_SHORT_BYTES = [_head(_BYTES, length) for length in range(256)]


def integer(value: int) -> bytes:
    """Write an integer of 64 bits. Raises `BrokenInvariant` (wire.cannot-encode)."""
    if value < 0:
        return _head(_NEGATIVE, ~value)
    if value < 1 << 8:
        return _SMALL[value]
    if value < 1 << 16:
        return _TWO(25, value)
    return _FOUR(26, value) if value < 1 << 32 else _head(_UNSIGNED, value)


def text(value: str) -> bytes:
    """Write a text string."""
    raw = value.encode()
    return (_SHORT_TEXT[len(raw)] if len(raw) < 256 else _head(_TEXT, len(raw))) + raw


def octets(value: bytes) -> bytes:
    """Write a byte string."""
    return (_SHORT_BYTES[len(value)] if len(value) < 256 else _head(_BYTES, len(value))) + value


def truth(value: bool) -> bytes:  # noqa: FBT001 - the value itself
    """Write true or false."""
    return b"\xf5" if value else b"\xf4"


def row(written: Sequence[bytes]) -> bytes:
    """Write a list of items that are written already."""
    return _head(_ARRAY, len(written)) + b"".join(written)


def list_head(count: int) -> bytes:
    """Write the head of a list of so many items."""
    return _head(_ARRAY, count)


def map_head(count: int) -> bytes:
    """Write the head of a map of so many pairs."""
    return _head(_MAP, count)
