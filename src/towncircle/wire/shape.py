"""How a body becomes a CBOR map and back.

Here: `Body` (a map with small integer keys), `Row` (an array in the order of its fields), the marks of a field, and the
codec that is compiled once from the annotations. Not here: the bodies.
Kept: every field is typed and bounded on both ways; unknown and missing keys are refused. A field that is None is
written as null.

A field is annotated with its key and, where the default bound does not fit, a `Limit` or `SIGNED`:

    device: Annotated[DeviceId, 1]
    note: Annotated[str, 2, Limit(4000)]
    balance: Annotated[Mills, 3, SIGNED]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Self, get_args, get_origin, get_type_hints

from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire import cbor

UINT64_MAX = 2**64 - 1
INT64_MAX = 2**63 - 1
MAX_INSTANT = 253_402_300_799_999_999  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class Limit:
    """Bound a field: characters of a text, bytes of a byte string, rows of a list."""

    most: int


class Signed:
    """Mark an integer or amount that may be negative."""


SIGNED = Signed()
_TEXT_LIMIT, _BYTES_LIMIT, _ROWS_LIMIT = Limit(1000), Limit(65_536), Limit(10_000)


class Body:
    """Be a message body: a frozen dataclass whose fields carry small integer keys."""

    __slots__ = ()

    def to_map(self) -> dict[int, Any]:
        """Give the CBOR map. Raises `BadInput` (wire.bad-field)."""
        return {part.key: part.write(getattr(self, part.name)) for part in parts_of(type(self))}

    @classmethod
    def from_map(cls, value: object) -> Self:
        """Read the CBOR map. Raises `Refused` (wire.malformed)."""
        parts = parts_of(cls)
        if not isinstance(value, dict) or value.keys() != {part.key for part in parts}:
            raise cbor.malformed(f"{cls.__name__} does not have exactly its keys")
        try:
            return cls(**{part.name: part.read(value[part.key]) for part in parts})
        except BadInput as error:
            raise cbor.malformed(f"{cls.__name__}: {error.sentence}") from error


class Row:
    """Be a row of a list: a frozen dataclass that is written as an array in the order of its fields."""

    __slots__ = ()

    def to_list(self) -> list[Any]:
        """Give the CBOR array. Raises `BadInput` (wire.bad-field)."""
        return [part.write(getattr(self, part.name)) for part in parts_of(type(self))]

    @classmethod
    def from_list(cls, value: object) -> Self:
        """Read the CBOR array. Raises `Refused` (wire.malformed)."""
        parts = parts_of(cls)
        if not isinstance(value, list) or len(value) != len(parts):
            raise cbor.malformed(f"{cls.__name__} does not have {len(parts)} columns")
        try:
            return cls(**{part.name: part.read(item) for part, item in zip(parts, value, strict=True)})
        except BadInput as error:
            raise cbor.malformed(f"{cls.__name__}: {error.sentence}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Hold one field: its key, name, the words for its type, the shape inside it, and its writer and reader."""

    key: int
    name: str
    words: str
    inner: type[Body | Row] | None
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


_COMPILED: dict[type, tuple[Part, ...]] = {}


def parts_of(kind: type) -> tuple[Part, ...]:
    """Give the fields of a body or row in the order of their keys; they are compiled once."""
    parts = _COMPILED.get(kind)
    if parts is None:
        parts = _COMPILED[kind] = _compiled(kind)
    return parts


def _compiled(kind: type) -> tuple[Part, ...]:
    assert is_dataclass(kind)
    hints = get_type_hints(kind, include_extras=True)
    parts = []
    for position, field in enumerate(fields(kind), start=1):
        annotated = hints[field.name]
        marks = get_args(annotated)[1:] if get_origin(annotated) is Annotated else ()
        key = next((mark for mark in marks if isinstance(mark, int)), position)
        words, write, read = _codec(field.name, annotated)
        inner = _inner(annotated)
        parts.append(Part(key=key, name=field.name, words=words, inner=inner, write=write, read=read))
    assert len({part.key for part in parts}) == len(parts), f"two fields of {kind.__name__} share a key"
    return tuple(sorted(parts, key=lambda part: part.key))


def _inner(annotated: Any) -> type[Body | Row] | None:
    """Give the body or row that stands inside an annotation, or None."""
    if isinstance(annotated, type) and issubclass(annotated, Body | Row):
        return annotated
    found = (_inner(arm) for arm in get_args(annotated))
    return next((kind for kind in found if kind is not None), None)


_Codec = tuple[str, Callable[[Any], Any], Callable[[Any], Any]]


def _codec(name: str, annotated: Any) -> _Codec:
    """Choose the codec of one annotation."""
    kind, *marks = get_args(annotated) if get_origin(annotated) is Annotated else (annotated,)
    origin = get_origin(kind)
    if origin is UnionType:
        (inner,) = (arm for arm in get_args(kind) if arm is not NoneType)
        return _optional(_codec(name, inner))
    if origin is tuple:
        return _rows(name, _codec(name, get_args(kind)[0]), _limit(marks, _ROWS_LIMIT))
    if origin is Literal:
        return _choice(name, get_args(kind))
    if issubclass(kind, Body):
        return kind.__name__, _of(name, kind, lambda value: value.to_map()), kind.from_map
    if issubclass(kind, Row):
        return kind.__name__, _of(name, kind, lambda value: value.to_list()), kind.from_list
    return _scalar(name, kind, marks)


def _scalar(name: str, kind: Any, marks: Sequence[Any]) -> _Codec:
    if kind is bool:
        return _same("yes or no", _of(name, bool, lambda value: value))
    if issubclass(kind, int):
        return _integer(name, kind, signed=SIGNED in marks)
    if kind is bytes:
        most = _limit(marks, _BYTES_LIMIT)
        return _same(f"bytes, at most {most}", _bounded(name, bytes, most))
    assert issubclass(kind, str), f"no codec for {kind}"
    most = _limit(marks, _TEXT_LIMIT)
    check = _bounded(name, str, most)
    if kind is DeviceId:
        return "device id", check, lambda value: DeviceId.parse(check(value))
    return _same(f"text, at most {most}", check)


def _limit(marks: Sequence[Any], default: Limit) -> int:
    return next((mark for mark in marks if isinstance(mark, Limit)), default).most


def _same(words: str, check: Callable[[Any], Any]) -> _Codec:
    return words, check, check


def _optional(inner: _Codec) -> _Codec:
    words, write, read = inner

    def or_none(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda value: None if value is None else change(value)

    return f"{words}, or null", or_none(write), or_none(read)


def _rows(name: str, inner: _Codec, most: int) -> _Codec:
    words, write, read = inner

    def write_all(value: Any) -> list[Any]:
        if not isinstance(value, tuple | list) or len(value) > most:
            raise BadInput("wire.bad-field", field=name, needed=f"a list of at most {most}")
        return [write(item) for item in value]

    def read_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise BadInput("wire.bad-field", field=name, needed=f"a list of at most {most}")
        return tuple(read(item) for item in value)

    return f"list of ({words}), at most {most}", write_all, read_all


def _choice(name: str, words: tuple[Any, ...]) -> _Codec:
    def check(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            raise BadInput("wire.bad-field", field=name, needed=f"one of {', '.join(map(repr, words))}")
        return value

    return _same("one of " + ", ".join(f'"{word}"' for word in words), check)


def _integer(name: str, kind: Any, *, signed: bool) -> _Codec:
    low = -INT64_MAX if signed else 0
    high = MAX_INSTANT if kind is Instant else INT64_MAX
    words = {Mills: "amount in mills", Instant: "instant in UTC microseconds"}.get(kind, "integer")

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= int(value) <= high:
            raise BadInput("wire.bad-field", field=name, needed=f"{words} from {low} to {high}")
        return int(value)

    return words + (", may be negative" if signed else ""), check, lambda value: kind(check(value))


def _bounded(name: str, kind: type, most: int) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not isinstance(value, kind) or len(value) > most:  # type: ignore[arg-type]  # str and bytes have a length
            raise BadInput("wire.bad-field", field=name, needed=f"{kind.__name__} of at most {most}")
        return value

    return check


def _of(name: str, kind: type, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def write(value: Any) -> Any:
        if not isinstance(value, kind):
            raise BadInput("wire.bad-field", field=name, needed=kind.__name__)
        return change(value)

    return write
