"""The frame of an evidence command, read by hand.

Here: id, amounts and columns out of the one deterministic form of the command that debits, because every piece passes
here; and the same of a command of one piece, quicker still. Not here: all other commands, and what a form that does not
fit is refused for: `commands` reads it item by item.
Kept: what is read here, `commands` would read to the same record; a test compares the two over both forms and damage.
The columns of small batches are remembered by their bytes: the next piece most often brings the same.
"""

from __future__ import annotations

from functools import lru_cache

from towncircle.kernel.errors import BadInput
from towncircle.psd import codec
from towncircle.psd.columns import Again, Column
from towncircle.wire import cbor

_HEAD = bytes.fromhex("a30001010b02a300")  # {0: version 1, 1: verb 11, 2: {0: ...
OnePiece = tuple[bytes, int, int, tuple[Column, ...]]  # see `one_piece`
MAX_ITEMS = 40_000  # of all containers of a command: a thousand pieces in a dozen columns have fewer
_SMALL = 512  # bytes of columns that are remembered
_TEXT, _BYTES = 0x60, 0x40
_START = len(_HEAD)  # of the request id
_ONE_AMOUNT = b"\x01\x44"  # key 1, 4 bytes


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


def _columns(tail: bytes) -> tuple[Column, ...]:
    rows = cbor.decode(tail, limit=len(tail), items=MAX_ITEMS)
    if type(rows) is not list:
        raise BadInput("psd.malformed", what="Evidence.columns: not a list")
    return tuple(codec.from_map(Column, row) for row in rows)


@lru_cache(maxsize=2048)
def _remembered(tail: bytes) -> Again:
    return Again(_columns(tail))
