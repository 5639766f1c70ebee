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
from operator import attrgetter, itemgetter
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import cbor2

from towncircle.kernel.errors import BadInput
from towncircle.psd import items
from towncircle.psd.amending import Amendable
from towncircle.psd.recent import ByIdentity
from towncircle.wire import cbor
from towncircle.wire.shape import Body

MAX_RECORD = 1 << 20
_BODIES_READ = 1024  # of one kind
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
    hint: Any


class Part:
    """Write fields of a record: all of them, or those that a store keeps apart because they seldom change.

    Their numbers rise, as deterministic CBOR wants them.
    """

    def __init__(self, kind: type, chosen: Sequence[_Field]) -> None:
        self.fields = tuple(chosen)
        self.keys = tuple(field.key for field in chosen)
        self.values = _values(kind, tuple(field.name for field in chosen))
        self._head = items.map_head(len(chosen))
        self._written = tuple((items.integer(field.key), field.write) for field in chosen)

    def encode(self, record: object) -> bytes:
        """Give the fields of this part as deterministic CBOR."""
        parts = [self._head]
        for (key, write), value in zip(self._written, self.values(record), strict=True):
            parts += (key, write(value))
        return b"".join(parts)


class _Reader:
    """Read whole records of one kind: the types of all plain fields are looked at in one pass in C.

    What it does not read, `from_map` refuses by name, or reads because it is an older form.
    """

    def __init__(self, kind: type, chosen: Sequence[_Field]) -> None:
        checked = [(field, plain) for field in chosen if (plain := _plain(field.hint)) is not None]
        self._kind, self._bare = kind, issubclass(kind, Amendable)
        self._names = [field.name for field in chosen]
        self._keys = {field.key for field in chosen}
        self._take = itemgetter(*(field.key for field in chosen)) if min(len(chosen), len(checked)) > 1 else None
        self._checked = itemgetter(*(field.key for field, _ in checked)) if self._take else tuple
        self._types = [plain for _, plain in checked]
        self._made = [
            (field.name, field.hint if _plain(field.hint) else field.read)
            for field in chosen
            if field.hint not in _PLAIN
        ]

    def read(self, values: object) -> Any:
        """Give the record, or None."""
        if self._take is None or type(values) is not dict or values.keys() != self._keys:
            return None
        if list(map(type, self._checked(values))) != self._types:
            return None
        given = dict(zip(self._names, self._take(values)))  # noqa: B905 - as many of both; saying so doubles its time
        try:
            for name, make in self._made:
                given[name] = make(given[name])
        except (TypeError, ValueError):
            return None
        return self._kind.of_fields(given) if self._bare else self._kind(**given)  # type: ignore[attr-defined]  # Amendable


class Writer:
    """Write records of one kind one after the other; a field that is the very same object is not written anew.

    `apart` names fields in their order that a caller may have written already (`spliced`).
    """

    def __init__(self, kind: type, apart: Sequence[str] = ()) -> None:
        self._part = _shape(kind)
        self._head = items.map_head(len(self._part.fields))
        self._writes = tuple(_keyed(items.integer(field.key), field.write) for field in self._part.fields)
        self._values: tuple[object, ...] = tuple(object() for _ in self._writes)
        self._written = [b""] * len(self._writes)
        names = [field.name for field in self._part.fields]
        self._apart = [names.index(name) for name in apart]
        assert self._apart == sorted(self._apart)
        self._base: object = None
        self._between: list[bytes] = []

    def encode(self, record: object) -> bytes:
        """Give the record as deterministic CBOR, the same as `encode`."""
        self._write(record)
        return self._head + b"".join(self._written)

    def spliced(self, base: object, written: Sequence[bytes]) -> bytes:
        """Give a record that is `base` but for the fields apart, which are written already, each with its key."""
        if base is not self._base:
            self._write(base)
            ends = [0, *(at + 1 for at in self._apart)]
            starts = [*self._apart, len(self._written)]
            self._between = [b"".join(self._written[end:start]) for end, start in zip(ends, starts, strict=True)]
            self._base = base
        parts = [self._head] * (2 * len(self._between))
        parts[1::2] = self._between
        parts[2::2] = written
        return b"".join(parts)

    def _write(self, record: object) -> None:
        values = self._part.values(record)
        self._written = [
            held if value is before else write(value)
            for value, before, held, write in zip(values, self._values, self._written, self._writes, strict=True)
        ]
        self._values = values


def _keyed(key: bytes, write: _Write) -> _Write:
    return lambda value: key + write(value)


_SHAPES: dict[type, Part] = {}
_READERS: dict[type, _Reader] = {}
_BODIES: ByIdentity[Body, bytes] = ByIdentity(4096)  # signed parameters are long and seldom change


def part(kind: type, names: Collection[str]) -> Part:
    """Choose some fields of a record, to be written by themselves."""
    return Part(kind, [field for field in _shape(kind).fields if field.name in names])


def _body(body: Body) -> bytes:
    """Write a message body, remembered for the very same object."""
    return _BODIES.get(body, lambda asked: cbor.encode(asked.to_map()))


def plain_values(kind: type, *names: str) -> Callable[[object], Any]:
    """Give a function that takes plain fields out of a record's map, in C, or gives None where one is not as written.

    The values stay plain: an amount is an int.
    """
    chosen = {field.name: field for field in _shape(kind).fields}
    take, types = itemgetter(*(chosen[name].key for name in names)), [_plain(chosen[name].hint) for name in names]
    assert None not in types

    def read(values: object) -> Any:
        if type(values) is not dict:
            return None
        try:
            found = take(values)
        except KeyError:
            return None
        return found if list(map(type, found)) == types else None

    return read


def field_of(kind: type, name: str) -> tuple[int, _Convert]:
    """Give the key of a field in its record's map, and how it is read."""
    (found,) = (field for field in _shape(kind).fields if field.name == name)
    return found.key, found.read


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
    quick: T | None = _reader(kind).read(values)
    if quick is not None:
        return quick
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
        held = _SHAPES[kind] = Part(kind, _read_fields(kind))
    return held


def _reader(kind: type) -> _Reader:
    held = _READERS.get(kind)
    if held is None:
        held = _READERS[kind] = _Reader(kind, _shape(kind).fields)
    return held


def _read_fields(kind: type) -> list[_Field]:
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    made = []
    for key, field in enumerate(fields(kind)):
        write, read = _converters(hints[field.name])
        needed = field.default is MISSING and field.default_factory is MISSING
        made.append(_Field(key, field.name, write, read, needed, hints[field.name]))
    return made


def _values(kind: type, names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    """Give the function that takes all fields of a record at once; one without slots has them in a dict."""
    if len(names) > 1 and issubclass(kind, Amendable):
        take = itemgetter(*names)
        return lambda record: take(record.__dict__)
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
        return _body, _remembered(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return _shape(hint).encode, lambda values: from_map(hint, values)
    if hint in _PLAIN:
        return _PLAIN[hint], _exactly(hint)
    if isinstance(hint, type) and issubclass(hint, int):
        return items.integer, _made(hint, _exactly(int))
    if isinstance(hint, type) and issubclass(hint, str):
        return items.text, _made(hint, _exactly(str))
    raise TypeError(f"no CBOR form for {hint}")


def _remembered(body: type[Body]) -> _Convert:
    """Read a message body; what was read of the same values last is given again, because many devices have the same."""
    held: dict[object, Body] = {}

    def read(values: object) -> Body:
        if type(values) is not dict:
            return body.from_map(values)
        row = tuple(values.values())
        key = (tuple(values), row, tuple(map(type, row)))
        try:
            found = held.get(key)
        except TypeError:  # something in it is a list or a map
            return body.from_map(values)
        if found is None:
            found = body.from_map(values)
            if len(held) >= _BODIES_READ:
                held.clear()
            held[key] = found
        return found

    return read


def _plain(hint: Any) -> type | None:
    """Give the type that a field has in CBOR, where it is one plain type."""
    if not isinstance(hint, type) or get_origin(hint) is not None:
        return None
    if hint in _PLAIN:
        return hint
    return int if issubclass(hint, int) else str if issubclass(hint, str) else None


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
