"""Deterministic CBOR.

Here: `encode` and a strict `decode` of the few CBOR types that messages use: integers of 64 bits, byte and text
strings, arrays, maps, booleans and null. Not here: what a map means; tags (`wire.cose` handles its one tag).
Kept: RFC 8949 4.2.1. Keys are ordered by their encoded bytes (cbor2's canonical mode uses the older order by length
first, so the maps are ordered here before cbor2 writes them). One value has one encoding: `decode` refuses every other,
as well as duplicate keys, floats, indefinite lengths, tags, trailing bytes, nesting deeper than 8, oversize input and,
where the caller says how many may be, too many items: a quarter megabyte of empty maps takes longer to read than a
stranger may have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cbor2

from towncircle.kernel.errors import BrokenInvariant, Refused

Value = int | bytes | str | bool | None | list["Value"] | dict["int | str", "Value"]
Encodable = (
    int | bytes | str | bool | None | Sequence["Encodable"] | Mapping[int, "Encodable"] | Mapping[str, "Encodable"]
)
MAX_DEPTH = 8
DEFAULT_LIMIT = 65_536
_UINT64_MAX = 2**64 - 1
_EARLY = "the input ends too early"
_KNOWN = {0xF4: False, 0xF5: True, 0xF6: None}
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _SIMPLE = 0, 1, 2, 3, 4, 5, 7


def encode(value: Encodable) -> bytes:
    """Encode a value in its one deterministic form. Raises `BrokenInvariant` (wire.cannot-encode)."""
    return cbor2.dumps(_ordered(value, 1))


def decode(raw: bytes, *, limit: int = DEFAULT_LIMIT, items: int | None = None) -> Value:
    """Decode exactly one value, of so many items at most. Raises `Refused` (wire.too-large, wire.malformed)."""
    if len(raw) > limit:
        raise Refused("wire.too-large", size=len(raw), limit=limit)
    value, at = _value(raw, 0, 1, [len(raw) if items is None else items])
    if at != len(raw):
        raise malformed("bytes follow the end")
    return value


def malformed(why: str) -> Refused:
    """Make the refusal of bytes that are not what they must be."""
    return Refused("wire.malformed", why=why)


def _ordered(value: object, depth: int) -> object:
    if depth > MAX_DEPTH + 1:
        raise BrokenInvariant("wire.cannot-encode", what="nesting deeper than 8")
    if value is None or isinstance(value, bool | bytes):
        return value
    if isinstance(value, int):
        if not -_UINT64_MAX - 1 <= value <= _UINT64_MAX:
            raise BrokenInvariant("wire.cannot-encode", what="an integer beyond 64 bits")
        return int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        kinds = set(map(type, value))
        if kinds == {int} and min(value) >= 0:  # then the bytes are ordered as the numbers are
            return {key: _ordered(value[key], depth + 1) for key in sorted(value)}
        if any(issubclass(kind, bool) or not issubclass(kind, int | str) for kind in kinds):
            raise BrokenInvariant("wire.cannot-encode", what="a map key that is no integer and no text")
        keys = sorted(value, key=_encoded_key)
        return {_plain(key): _ordered(value[key], depth + 1) for key in keys}
    if isinstance(value, Sequence):
        return [_ordered(item, depth + 1) for item in value]
    raise BrokenInvariant("wire.cannot-encode", what=type(value).__name__)


def _plain(key: int | str) -> int | str:
    return int(key) if isinstance(key, int) else str(key)


def _encoded_key(key: int | str) -> bytes:
    return cbor2.dumps(_plain(key))


def _value(raw: bytes, at: int, depth: int, budget: list[int]) -> tuple[Value, int]:
    """Read one value at a place; give it and the place after it. Written for speed: every command passes here.

    `budget` holds how many items containers may still have.
    """
    if at >= len(raw):
        raise malformed(_EARLY)
    initial = raw[at]
    if initial < 24:
        return initial, at + 1
    major, argument, after = initial >> 5, initial & 31, at + 1
    if argument >= 24:
        argument, after = _argument(raw, major, argument, after)
    if major == _UNSIGNED:
        return argument, after
    if major in (_BYTES, _TEXT):
        end = after + argument
        if end > len(raw):
            raise malformed(_EARLY)
        return (raw[after:end] if major == _BYTES else _text(raw[after:end])), end
    if major == _NEGATIVE:
        return -1 - argument, after
    if major == _SIMPLE:
        return _simple(initial), after
    return _container(raw, after, major, argument, depth, budget)


def _container(raw: bytes, at: int, major: int, count: int, depth: int, budget: list[int]) -> tuple[Value, int]:
    if major not in (_ARRAY, _MAP):
        raise malformed("a tag")
    if depth > MAX_DEPTH:
        raise malformed("nesting deeper than 8")
    if count > len(raw) - at:  # every item takes a byte at least
        raise malformed(_EARLY)
    budget[0] -= count
    if budget[0] < 0:
        raise malformed("more items than a message has")
    if major == _MAP:
        return _map(raw, at, count, depth, budget)
    items = []
    for _ in range(count):
        item, at = _value(raw, at, depth + 1, budget)
        items.append(item)
    return items, at


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed("a text is not UTF-8") from error


def _map(raw: bytes, at: int, count: int, depth: int, budget: list[int]) -> tuple[dict[int | str, Value], int]:
    out: dict[int | str, Value] = {}
    last = b""
    for _ in range(count):
        key, after = _value(raw, at, MAX_DEPTH + 1, budget)  # a key is never a container
        encoded = raw[at:after]
        if isinstance(key, bool) or not isinstance(key, int | str):
            raise malformed("a map key that is no integer and no text")
        if encoded <= last:
            raise malformed("a duplicate key" if encoded == last else "map keys out of order")
        last = encoded
        out[key], at = _value(raw, after, depth + 1, budget)
    return out, at


def _argument(raw: bytes, major: int, info: int, at: int) -> tuple[int, int]:
    """Read an argument that has bytes of its own; give it and the place after it."""
    if info > 27:
        raise malformed("an indefinite length or a reserved form")
    size = 1 << (info - 24)
    after = at + size
    if after > len(raw):
        raise malformed(_EARLY)
    if major == _SIMPLE:
        raise malformed("a float or an unknown simple value")
    argument = int.from_bytes(raw[at:after], "big")
    if argument < (24 if size == 1 else 1 << (4 * size)):
        raise malformed("a form longer than needed")
    return argument, after


def _simple(initial: int) -> bool | None:
    if initial not in _KNOWN:
        raise malformed("a float or an unknown simple value")
    return _KNOWN[initial]
