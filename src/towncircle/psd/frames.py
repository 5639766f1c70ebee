"""The frames of an evidence command and of its answer, written and read by hand.

Here: id, amounts and columns in the one deterministic form of the command that debits, because every piece passes
here; the same of a command of one piece, quicker still; the fields of the answer. Not here: all other commands, and
what a form that does not fit is refused for: `commands` reads it item by item.
Kept: what is read here, `commands` would read to the same record, and what is written here it would write to the same
bytes; tests compare the two over both forms and damage.
The columns of small batches are remembered by their bytes, and the bytes of a column of one value by the column: the
next piece most often brings the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.psd import codec, items
from towncircle.psd.columns import Again, Column
from towncircle.psd.recent import ByIdentity
from towncircle.psd.registers import Registers
from towncircle.wire import cbor

_HEAD = bytes.fromhex("a30001010b02a300")  # {0: version 1, 1: verb 11, 2: {0: ...
OnePiece = tuple[bytes, int, int, tuple[Column, ...]]  # see `one_piece`
MAX_ITEMS = 40_000  # of all containers of a command: a thousand pieces in a dozen columns have fewer
_SMALL = 512  # bytes of columns that are remembered
_TEXT, _BYTES = 0x60, 0x40
_START = len(_HEAD)  # of the request id
_ONE_AMOUNT = b"\x01\x44"  # key 1, 4 bytes
_ANSWERED = bytes.fromhex("a30001010b02a800")  # {0: version 1, 1: verb 11, 2: {0: ... of eight fields
_WRITTEN: ByIdentity[Column, bytes] = ByIdentity(4096)


def evidence_frame(request_id: str, amounts: bytes, columns: Sequence[Column]) -> bytes:
    """Write an evidence command."""
    written = [codec.encode(column) if column.at else _WRITTEN.get(column, codec.encode) for column in columns]
    return b"".join(
        (_HEAD, items.text(request_id), b"\1", items.octets(amounts), b"\2", items.list_head(len(written)), *written)
    )


def answered(raw: bytes) -> dict[str, object] | None:
    """Give the fields of the answer to an evidence command, or None where this is another answer or another form."""
    if not raw.startswith(_ANSWERED):
        return None
    try:
        request_id, at = _taken(raw, _START, b"", _TEXT)
        layout, at = _taken(raw, at, b"\1", _TEXT)
        first_piece, at = _number(raw, at, b"\2")
        count, at = _number(raw, at, b"\3")
        contents, at = _taken(raw, at, b"\4", _BYTES)
        signatures, at = _taken(raw, at, b"\5", _BYTES)
        ascending, at = _number(raw, at, b"\6\xa3\0")
        descending, at = _number(raw, at, b"\1")
        pieces, at = _number(raw, at, b"\2")
        instant, at = _number(raw, at, b"\7")
        names = {"request_id": request_id.decode(), "layout": layout.decode()}
    except (IndexError, ValueError):
        return None
    registers = Registers(ascending=Mills(ascending), descending=Mills(descending), pieces=pieces)
    counted = {"first_piece": first_piece, "count": count, "contents": contents, "signatures": signatures}
    return {**names, **counted, "registers": registers, "at": Instant(instant)} if at == len(raw) else None


def evidence_parts(raw: bytes) -> tuple[str, bytes, tuple[Column, ...]] | None:
    """Give request id, amounts and columns, or None where this is another command or another form.

    Raises `Refused` (wire.malformed) and `BadInput` (psd.malformed) for the columns.
    """
    if not raw.startswith(_HEAD):
        return None
    start, end = _string(raw, len(_HEAD), _TEXT)
    first, last = _string(raw, end + 1, _BYTES) if raw[end : end + 1] == b"\1" else (0, 0)
    if not start or not first or raw[last : last + 1] != b"\2":
        return None
    try:
        request_id = raw[start:end].decode()
    except UnicodeDecodeError:
        return None
    tail = raw[last + 1 :]
    return request_id, raw[first:last], (_remembered if len(tail) <= _SMALL else _columns)(tail)


def one_piece(raw: bytes) -> OnePiece | None:
    """Give request id as it is written, where its text begins, mills and columns of the command of one piece.

    None stands for every other command, and for columns that are too long to be remembered. Raises `Refused`
    (wire.malformed) and `BadInput` (psd.malformed) for the columns.
    """
    if not raw.startswith(_HEAD):
        return None
    start, end = _string(raw, _START, _TEXT)
    tail = raw[end + 7 :]
    if not start or raw[end : end + 2] != _ONE_AMOUNT or raw[end + 6 : end + 7] != b"\2" or not 0 < len(tail) <= _SMALL:
        return None
    return raw[_START:end], start - _START, int.from_bytes(raw[end + 2 : end + 6], "little"), _remembered(tail)


def _string(raw: bytes, at: int, major: int) -> tuple[int, int]:
    """Give where a string in its shortest form begins and ends; (0, 0) where there is none."""
    info = raw[at] - major if at < len(raw) else -1
    if 0 <= info < 24:
        start, length = at + 1, info
    elif info in (24, 25):
        start = at + 2 if info == 24 else at + 3
        length = int.from_bytes(raw[at + 1 : start], "big")
        if length < (24 if info == 24 else 256):
            return 0, 0
    else:
        return 0, 0
    return (start, start + length) if start + length < len(raw) else (0, 0)


def _taken(raw: bytes, at: int, before: bytes, major: int) -> tuple[bytes, int]:
    """Give the bytes of the string after `before`, and where they end. Raises `ValueError` for another form."""
    start, end = _string(raw, at + len(before), major)
    if not start or not raw.startswith(before, at):
        raise ValueError("another form")
    return raw[start:end], end


def _number(raw: bytes, at: int, before: bytes) -> tuple[int, int]:
    """Give the number after `before` in its shortest form, and where it ends. Raises `IndexError`, `ValueError`."""
    at += len(before)
    info = raw[at]
    if info > 27 or not raw.startswith(before, at - len(before)):
        raise ValueError("another form")
    if info < 24:
        return info, at + 1
    size = 1 << (info - 24)
    value = int.from_bytes(raw[at + 1 : at + 1 + size], "big")
    if value < (24 if size == 1 else 1 << (4 * size)) or at + size >= len(raw):
        raise ValueError("a form longer than needed, or cut short")
    return value, at + 1 + size


def _columns(tail: bytes) -> tuple[Column, ...]:
    rows = cbor.decode(tail, limit=len(tail), items=MAX_ITEMS)
    if type(rows) is not list:
        raise BadInput("psd.malformed", what="Evidence.columns: not a list")
    return tuple(codec.from_map(Column, row) for row in rows)


@lru_cache(maxsize=2048)
def _remembered(tail: bytes) -> Again:
    return Again(_columns(tail))
