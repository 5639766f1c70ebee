"""One value to bytes and back: the encodings that layout files may name.

Here: `uint`, `mills`, `date`, `days`, `zip`, `ascii`, `category`, `routing`, `bytes`. Not here: where a field lies.
Kept: integers are little-endian and unsigned, money is in mills, a date is the decimal number YYYYMMDD; every
out-of-range value is refused by field and limit. A value that reads back reads back to the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Protocol

from towncircle.kernel.errors import BadInput
from towncircle.kernel.money import Mills

Raw = int | bytes
FieldValue = int | str | Mills
_DAY_ZERO = date(1998, 1, 1)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*\Z", re.ASCII)
_ROUTING_STARTS = {0: 0, 5: 1, 9: 100_001, 11: 1_000_100_001}
_ROUTING_END = 101_000_100_001


class Shape(Protocol):
    """Name what an encoding must know of a field."""

    @property
    def name(self) -> str: ...  # noqa: D102 - the fields of `catalogue.Field`
    @property
    def length(self) -> int: ...  # noqa: D102
    @property
    def encoding(self) -> str: ...  # noqa: D102


def _refuse(field: Shape, value: object, expected: str) -> BadInput:
    return BadInput("indicium.field-out-of-range", field=field.name, value=str(value)[:40], expected=expected)


def _unreadable(field: Shape, part: bytes, expected: str) -> BadInput:
    return BadInput("indicium.field-unreadable", field=field.name, hex=part.hex(), expected=expected)


def _uint(field: Shape, value: object) -> int:
    top = 256**field.length - 1
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= top:
        raise _refuse(field, value, f"a whole number from 0 to {top}")
    return int(value)


def _to_day(field: Shape, value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else _no_day()
    except ValueError as error:
        raise _refuse(field, value, "a date such as 2026-11-21") from error


def _no_day() -> date:
    raise ValueError("not a date")


def _date_raw(field: Shape, value: object) -> int:
    day = _to_day(field, value)
    return day.year * 10_000 + day.month * 100 + day.day


def _date_value(field: Shape, part: bytes) -> str:
    number = int.from_bytes(part, "little")
    year, rest = divmod(number, 10_000)
    try:
        return date(year, *divmod(rest, 100)).isoformat()
    except (ValueError, OverflowError) as error:
        raise _unreadable(field, part, f"the number of a day as YYYYMMDD, not {number}") from error


def _days_raw(field: Shape, value: object) -> int:
    return _uint(field, (_to_day(field, value) - _DAY_ZERO).days)


def _days_value(_: Shape, part: bytes) -> str:
    return (_DAY_ZERO + timedelta(days=int.from_bytes(part, "little"))).isoformat()


def _zip_raw(field: Shape, value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{5}", value, re.ASCII):
        raise _refuse(field, value, "a ZIP Code of 5 digits")
    return int(value)


def _zip_value(field: Shape, part: bytes) -> str:
    number = int.from_bytes(part, "little")
    if number > 99_999:
        raise _unreadable(field, part, "a ZIP Code of 5 digits")
    return f"{number:05d}"


def _ascii_raw(field: Shape, value: object) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(rf"[\x20-\x7e]{{{field.length}}}", value):
        raise _refuse(field, value, f"{field.length} printable ASCII characters")
    return value.encode("ascii")


def _ascii_value(field: Shape, part: bytes) -> str:
    if not all(0x20 <= byte <= 0x7E for byte in part):
        raise _unreadable(field, part, "printable ASCII characters")
    return part.decode("ascii")


def _category_raw(field: Shape, value: object) -> bytes:
    if isinstance(value, str) and re.fullmatch(rf"[0-9a-fA-F]{{{2 * field.length}}}", value, re.ASCII):
        return bytes.fromhex(value)
    if not isinstance(value, str) or not re.fullmatch(rf"[\x21-\x7e][\x20-\x7e]{{0,{field.length - 1}}}", value):
        raise _refuse(field, value, f"1 to {field.length} printable ASCII characters, or {2 * field.length} hex digits")
    return value.encode("ascii").ljust(field.length)


def _category_value(_: Shape, part: bytes) -> str:
    if part[:1] != b" " and all(0x20 <= byte <= 0x7E for byte in part):
        return part.decode("ascii").rstrip(" ")
    return part.hex()


def _routing_raw(field: Shape, value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]*", value, re.ASCII) or len(value) not in _ROUTING_STARTS:
        raise _refuse(field, value, "0, 5, 9 or 11 digits of a delivery point")
    return _ROUTING_STARTS[len(value)] + int(value or "0")


def _routing_value(field: Shape, part: bytes) -> str:
    number = int.from_bytes(part, "little")
    if number >= _ROUTING_END:
        raise _unreadable(field, part, "a delivery point of at most 11 digits")
    digits = max(count for count, start in _ROUTING_STARTS.items() if number >= start)
    return f"{number - _ROUTING_STARTS[digits]:0{digits}d}" if digits else ""


def _bytes_raw(field: Shape, value: object) -> bytes:
    if isinstance(value, str) and _HEX.match(value):
        value = bytes.fromhex(value)
    if not isinstance(value, bytes) or len(value) != field.length:
        shown = value.hex() if isinstance(value, bytes) else value
        raise _refuse(field, shown, f"{field.length} bytes")
    return value


def _uint_value(_: Shape, part: bytes) -> int:
    return int.from_bytes(part, "little")


def _bytes_value(_: Shape, part: bytes) -> str:
    return part.hex()


ENCODINGS: dict[str, tuple[Callable[[Shape, object], Raw], Callable[[Shape, bytes], FieldValue]]] = {
    "uint": (_uint, _uint_value),
    "mills": (_uint, _uint_value),
    "date": (_date_raw, _date_value),
    "days": (_days_raw, _days_value),
    "zip": (_zip_raw, _zip_value),
    "ascii": (_ascii_raw, _ascii_value),
    "category": (_category_raw, _category_value),
    "routing": (_routing_raw, _routing_value),
    "bytes": (_bytes_raw, _bytes_value),
}


def to_raw(field: Shape, value: object) -> Raw:
    """Turn a field value into its raw integer or bytes. Raises `BadInput` (indicium.field-out-of-range)."""
    return ENCODINGS[field.encoding][0](field, value)


def to_bytes(field: Shape, value: object) -> bytes:
    """Turn a field value into the field's bytes. Raises `BadInput` (indicium.field-out-of-range)."""
    raw = to_raw(field, value)
    return raw if isinstance(raw, bytes) else raw.to_bytes(field.length, "little")


def from_bytes(field: Shape, part: bytes) -> FieldValue:
    """Read a field's bytes. Raises `BadInput` (indicium.field-unreadable)."""
    return ENCODINGS[field.encoding][1](field, part)
