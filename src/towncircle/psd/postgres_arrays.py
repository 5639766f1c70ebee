"""Columns of many rows as PostgreSQL's binary arrays.

Here: packing whole columns at once, because psycopg adapts arrays item by item in Python, which for a hundred devices
costs as much as their signatures. Not here: statements (`postgres_sql`), connections (`postgres`).
Form (PostgreSQL, "Message Formats", and array_recv): number of dimensions, has-nulls flag, element type, length and
lower bound of the one dimension, then each element after its length; -1 is the length of a null. All 4 bytes,
big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_BIGINT, _INTEGER, _TEXT, _BYTEA = 20, 23, 25, 17
_NULL = b"\xff\xff\xff\xff"
_LENGTHS = [struct.pack(">i", length) for length in range(1024)]


class _Packed(bytes):
    """Be a packed array; each kind below is bound to its array type in `register`."""

    __slots__ = ()


class _Bigints(_Packed):
    __slots__ = ()


class _Integers(_Packed):
    __slots__ = ()


class _Texts(_Packed):
    __slots__ = ()


class _Byteas(_Packed):
    __slots__ = ()


_ARRAY_TYPES: dict[type[_Packed], int] = {_Bigints: 1016, _Integers: 1007, _Texts: 1009, _Byteas: 1001}


def bigints(values: Sequence[int]) -> bytes:
    """Pack a column of bigint."""
    return _Bigints(_head(_BIGINT, len(values)) + struct.pack(">" + "iq" * len(values), *_with(8, values)))


def integers(values: Sequence[int]) -> bytes:
    """Pack a column of integer."""
    return _Integers(_head(_INTEGER, len(values)) + struct.pack(">" + "ii" * len(values), *_with(4, values)))


def texts(values: Iterable[str]) -> bytes:
    """Pack a column of text."""
    return _Texts(_strings(_TEXT, [value.encode() for value in values]))


def byteas(values: Sequence[bytes | None]) -> bytes:
    """Pack a column of bytea; None is null."""
    return _Byteas(_strings(_BYTEA, values))


def register(connection: psycopg.Connection[Any]) -> None:
    """Teach a connection to send packed columns as they are."""
    from psycopg.adapt import Dumper
    from psycopg.pq import Format

    def dumper_of(array_type: int) -> type[Dumper]:
        class Packed(Dumper):
            oid = array_type
            format = Format.BINARY

            def dump(self, obj: bytes) -> bytes:
                return obj

        return Packed

    for kind, array_type in _ARRAY_TYPES.items():
        connection.adapters.register_dumper(kind, dumper_of(array_type))


def _head(element: int, count: int, *, nulls: bool = False) -> bytes:
    return struct.pack(">iiiii", 1, nulls, element, count, 1) if count else struct.pack(">iii", 0, 0, element)


def _with(size: int, values: Sequence[int]) -> list[int]:
    out = [size] * (2 * len(values))
    out[1::2] = values
    return out


def _strings(element: int, values: Sequence[bytes | None]) -> bytes:
    """Pack values after their lengths; values of one length, as digests and names mostly are, in one pass in C."""
    try:
        lengths = set(map(len, values))  # type: ignore[arg-type]  # a null has none
    except TypeError:
        lengths = set()
    if len(lengths) == 1:
        mark = struct.pack(">i", lengths.pop())
        return b"".join((_head(element, len(values)), mark, mark.join(values)))  # type: ignore[arg-type]  # no null
    parts = [_head(element, len(values), nulls=None in values)]
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            size = len(value)
            parts += (_LENGTHS[size] if size < 1024 else struct.pack(">i", size), value)
    return b"".join(parts)
