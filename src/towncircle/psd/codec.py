"""Records to deterministic CBOR and back: the device's commands, answers and stored state.

Here: a codec that reads the shape of a dataclass once and then turns its fields, numbered from 0 in their order, into
a CBOR map and back. Not here: what the records mean, and the wire messages between parties (`wire`).
Kept: a field of another type, a missing or an unknown field is refused by name; nothing is guessed. New fields are
only ever appended with a default, so an older record still reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import partial
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import cbor2

from towncircle.kernel.errors import BadInput
from towncircle.psd import items
from towncircle.psd.recent import ByIdentity
from towncircle.wire import cbor
from towncircle.wire.shape import Body

MAX_RECORD = 1 << 20
T = TypeVar("T")
_Convert = Callable[[Any], Any]
_Write = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class _Field:
    key: int
    name: str
    write: _Write
    read: _Convert
    needed: bool


class Part:
    """Write fields of a record: all of them, or those that a store keeps apart because they seldom change.

    Their numbers rise, as deterministic CBOR wants them.
    """

    def __init__(self, chosen: Sequence[_Field]) -> None:
        self.fields = tuple(chosen)
        self.keys = tuple(field.key for field in chosen)
        self.values = _values(tuple(field.name for field in chosen))
        self._head = items.map_head(len(chosen))
        self._written = tuple((items.integer(field.key), field.write) for field in chosen)

    def encode(self, record: object) -> bytes:
        """Give the fields of this part as deterministic CBOR."""
        parts = [self._head]
        for (key, write), value in zip(self._written, self.values(record), strict=True):
            parts += (key, write(value))
        return b"".join(parts)


class Writer:
    """Write records of one kind one after the other; a field that is the very same object is not written anew."""

    def __init__(self, kind: type) -> None:
        self._part = _shape(kind)
        self._head = items.map_head(len(self._part.fields))
        self._writes = tuple(_keyed(items.integer(field.key), field.write) for field in self._part.fields)
        self._values: tuple[object, ...] = tuple(object() for _ in self._writes)
        self._written = [b""] * len(self._writes)

    def encode(self, record: object) -> bytes:
        """Give the record as deterministic CBOR, the same as `encode`."""
        values = self._part.values(record)
        written = [
            held if value is before else write(value)
            for value, before, held, write in zip(values, self._values, self._written, self._writes, strict=True)
        ]
        self._values, self._written = values, written
        return self._head + b"".join(written)


def _keyed(key: bytes, write: _Write) -> _Write:
    return lambda value: key + write(value)


_SHAPES: dict[type, Part] = {}
_BODIES: ByIdentity[Body, bytes] = ByIdentity(4096)  # signed parameters are long and seldom change


def part(kind: type, names: Collection[str]) -> Part:
    """Choose some fields of a record, to be written by themselves."""
    return Part([field for field in _shape(kind).fields if field.name in names])


def _body(body: Body) -> bytes:
    """Write a message body, remembered for the very same object."""
    return _BODIES.get(body, lambda asked: cbor.encode(asked.to_map()))


def part_of(raw: bytes, what: str) -> dict[int, Any]:
    """Read one part of a record, whose digest was found right. Raises `BadInput` (psd.malformed)."""
    try:
        found = cbor2.loads(raw)
    except cbor2.CBORDecodeError as error:
        raise BadInput("psd.malformed", what=f"{what}: {error}") from error
    if type(found) is not dict:
        raise BadInput("psd.malformed", what=f"{what} is not a map")
    return found


def from_map(kind: type[T], values: object) -> T:
    """Read a record from its map. Raises `BadInput` (psd.malformed)."""
    if type(values) is not dict:
        raise BadInput("psd.malformed", what=f"{kind.__name__} is not a map")
    given: dict[str, Any] = {}
    for field in _shape(kind).fields:
        if field.key in values:
            try:
                given[field.name] = field.read(values[field.key])
            except (TypeError, ValueError) as error:
                raise BadInput("psd.malformed", what=f"{kind.__name__}.{field.name}: {error}") from error
        elif field.needed:
            raise BadInput("psd.malformed", what=f"{kind.__name__}.{field.name} is missing")
    if len(given) != len(values):
        raise BadInput("psd.malformed", what=f"{kind.__name__} has an unknown field")
    return kind(**given)


def encode(record: object) -> bytes:
    """Give a record as deterministic CBOR."""
    return _shape(type(record)).encode(record)


def decode(kind: type[T], raw: bytes) -> T:
    """Read a record from CBOR. Raises `BadInput` (psd.malformed) and `Refused` (wire.malformed)."""
    return from_map(kind, cbor.decode(raw, limit=MAX_RECORD))


def _shape(kind: type) -> Part:
    held = _SHAPES.get(kind)
    if held is None:
        held = _SHAPES[kind] = Part(_read_fields(kind))
    return held


def _read_fields(kind: type) -> list[_Field]:
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    made = []
    for key, field in enumerate(fields(kind)):
        write, read = _converters(hints[field.name])
        needed = field.default is MISSING and field.default_factory is MISSING
        made.append(_Field(key, field.name, write, read, needed))
    return made


def _values(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    """Give the function that takes all fields of a record at once."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)


def _converters(hint: Any) -> tuple[_Write, _Convert]:
    """Give how a value is written and read. CBOR writes an id as its text."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        (inner,) = (arg for arg in get_args(hint) if arg is not NoneType)
        write, read = _converters(inner)
        return (lambda value: items.NULL if value is None else write(value)), _unless_none(read)
    if origin is tuple:
        return _tuple_converters(get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Body):
        return _body, hint.from_map
    if is_dataclass(hint) and isinstance(hint, type):
        return _shape(hint).encode, lambda values: from_map(hint, values)
    if hint in _PLAIN:
        return _PLAIN[hint], _exactly(hint)
    if isinstance(hint, type) and issubclass(hint, int):
        return items.integer, _made(hint, _exactly(int))
    if isinstance(hint, type) and issubclass(hint, str):
        return items.text, _made(hint, _exactly(str))
    raise TypeError(f"no CBOR form for {hint}")


def _unless_none(convert: _Convert) -> _Convert:
    return lambda value: None if value is None else convert(value)


def _made(kind: Any, check: _Convert) -> _Convert:
    return lambda value: kind(check(value))


_PLAIN: dict[type, _Write] = {int: items.integer, str: items.text, bytes: items.octets, bool: items.truth}


def _tuple_converters(arguments: tuple[Any, ...]) -> tuple[_Write, _Convert]:
    if arguments[-1] is not Ellipsis:
        pairs = [_converters(argument) for argument in arguments]
        return (
            lambda row: items.row([write(v) for (write, _), v in zip(pairs, row, strict=True)]),
            lambda row: tuple(read(v) for (_, read), v in zip(pairs, _listed(row), strict=True)),
        )
    inner = arguments[0]
    write, read = _converters(inner)

    def write_all(values: tuple[Any, ...]) -> bytes:
        return items.row(list(map(write, values)))

    if inner in (int, str, bytes):
        return write_all, partial(_column, inner)
    return write_all, lambda values: tuple(read(v) for v in _listed(values))


def _column(kind: type, values: object) -> tuple[Any, ...]:
    """Read a column of one plain type; one pass in C, because a batch has a thousand of each."""
    column = tuple(_listed(values))
    if column and set(map(type, column)) != {kind}:
        raise TypeError(f"not every value is {kind.__name__}")
    return column


def _listed(values: object) -> list[Any]:
    if type(values) is not list:
        raise TypeError("not a list")
    return values


def _exactly(kind: type) -> _Convert:
    def check(value: object) -> object:
        if type(value) is not kind:
            raise TypeError(f"not {kind.__name__}")
        return value

    return check
