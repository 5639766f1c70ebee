"""Records to deterministic CBOR and back: the device's commands, answers and stored state.

Here: a codec that reads the shape of a dataclass once and then turns its fields, numbered from 0 in their order, into
a CBOR map and back. Not here: what the records mean, and the wire messages between parties (`wire`).
Kept: a field of another type, a missing or an unknown field is refused by name; nothing is guessed. New fields are
only ever appended with a default, so an older record still reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import MISSING, dataclass, fields, is_dataclass
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import cbor2

from towncircle.kernel.errors import BadInput
from towncircle.psd.recent import ByIdentity
from towncircle.wire import cbor
from towncircle.wire.shape import Body

MAX_RECORD = 1 << 20
T = TypeVar("T")
_Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Field:
    key: int
    name: str
    write: _Convert | None  # None: the value is written as it is
    read: _Convert
    needed: bool


@dataclass(frozen=True, slots=True)
class _Shape:
    fields: tuple[_Field, ...]
    values: Callable[[object], tuple[Any, ...]]
    written: tuple[tuple[int, _Convert], ...]


_SHAPES: dict[type, _Shape] = {}
_MAPS: ByIdentity[Body, dict[int, Any]] = ByIdentity(4096)  # signed parameters are long and seldom change


def to_map(record: object) -> dict[int, Any]:
    """Give a record as a map of field numbers to plain values."""
    shape = _shape(type(record))
    out = dict(enumerate(shape.values(record)))
    for key, write in shape.written:
        out[key] = write(out[key])
    return out


def _body_map(body: Body) -> dict[int, Any]:
    """Give the map of a message body, remembered for the very same object."""
    return _MAPS.get(body, Body.to_map)


class Part:
    """Encode some of the fields of a record by themselves, for a store that keeps what seldom changes apart."""

    def __init__(self, kind: type, names: Collection[str]) -> None:
        chosen = [field for field in _shape(kind).fields if field.name in names]
        self.keys = tuple(field.key for field in chosen)
        self._written = tuple((field.key, field.write) for field in chosen if field.write is not None)
        self.values = _values(tuple(field.name for field in chosen))

    def encode(self, record: object) -> bytes:
        """Give the fields of this part as deterministic CBOR."""
        out = dict(zip(self.keys, self.values(record), strict=True))
        for key, write in self._written:
            out[key] = write(out[key])
        return dump(out)


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
    return dump(to_map(record))


def dump(values: dict[int, Any]) -> bytes:
    """Give a map of this codec as deterministic CBOR.

    Its keys are integers in rising order at every level, which is already the order that `wire.cbor` would bring them
    into; leaving the sorting out saves a tenth of the time of a single piece. A test compares the two.
    """
    return cbor2.dumps(values)


def decode(kind: type[T], raw: bytes) -> T:
    """Read a record from CBOR. Raises `BadInput` (psd.malformed) and `Refused` (wire.malformed)."""
    return from_map(kind, cbor.decode(raw, limit=MAX_RECORD))


def _shape(kind: type) -> _Shape:
    held = _SHAPES.get(kind)
    if held is None:
        held = _SHAPES[kind] = _read_shape(kind)
    return held


def _read_shape(kind: type) -> _Shape:
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    made = []
    for key, field in enumerate(fields(kind)):
        write, read = _converters(hints[field.name])
        needed = field.default is MISSING and field.default_factory is MISSING
        made.append(_Field(key, field.name, write, read, needed))
    written = tuple((field.key, field.write) for field in made if field.write is not None)
    return _Shape(tuple(made), _values(tuple(field.name for field in made)), written)


def _values(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    """Give the function that takes all fields of a record at once."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)


def _converters(hint: Any) -> tuple[_Convert | None, _Convert]:
    """Give how a value is written (None: as it is) and read. CBOR writes an id as its text."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        (inner,) = (arg for arg in get_args(hint) if arg is not NoneType)
        write, read = _converters(inner)
        maybe = None if write is None else _unless_none(write)
        return maybe, _unless_none(read)
    if origin is tuple:
        return _tuple_converters(get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Body):
        return _body_map, hint.from_map
    if is_dataclass(hint) and isinstance(hint, type):
        return to_map, lambda values: from_map(hint, values)
    if hint in (int, str, bytes, bool):
        return None, _exactly(hint)
    if isinstance(hint, type) and issubclass(hint, int):
        return int, _made(hint, _exactly(int))
    if isinstance(hint, type) and issubclass(hint, str):
        return None, _made(hint, _exactly(str))
    raise TypeError(f"no CBOR form for {hint}")


def _unless_none(convert: _Convert) -> _Convert:
    return lambda value: None if value is None else convert(value)


def _made(kind: Any, check: _Convert) -> _Convert:
    return lambda value: kind(check(value))


def _tuple_converters(arguments: tuple[Any, ...]) -> tuple[_Convert | None, _Convert]:
    if arguments[-1] is not Ellipsis:
        pairs = [_converters(argument) for argument in arguments]
        return (
            lambda row: [write(v) if write else v for (write, _), v in zip(pairs, row, strict=True)],
            lambda row: tuple(read(v) for (_, read), v in zip(pairs, _listed(row), strict=True)),
        )
    inner = arguments[0]
    if inner in (int, str, bytes):
        return None, lambda values: _column(inner, values)
    write, read = _converters(inner)
    rows = None if write is None else lambda values: [write(v) for v in values]
    return rows, (lambda values: tuple(read(v) for v in _listed(values)))


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
