"""Other posts' marks, named as what they are.

Here: Deutsche Post (`DEA`) and Royal Mail Mailmark (`JGB `), as far as their public descriptions go. Not here: any
check of them; this post takes no postage of another one.
Sources: DV-Freimachung 1.5.2 as implemented by IT-Franking-Decoder (big-endian); the stamps with matrix code of 2021 as
collectors describe them; Mailmark as implemented by libzint (`backend/mailmark.c`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from towncircle.indicium.values import FieldValue

_FRANKING_TYPES = {
    0x01: "Stampit",
    0x03: "Frankit",
    0x12: "DV-Freimachung",
    0x35: "stamp with matrix code (2021 and later)",
    0x85: "Internetmarke",
}
_STAMP_2021 = 0x35
_SERVICE_CLASSES = {"0": "none", "1": "first class", "2": "second class"}
Part = tuple[str, int, int, Callable[[bytes], FieldValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignMark:
    """Hold a recognised foreign mark: its format, its name in words, its fields and what a cut dump has lost."""

    format: str
    name: str
    fields: Mapping[str, FieldValue]
    missing: tuple[str, ...]


def _number(part: bytes) -> int:
    return int.from_bytes(part, "big")


def _hex(part: bytes) -> str:
    return part.hex()


def _text(part: bytes) -> str:
    return part.decode("ascii", "replace").rstrip(" ")


def _day_of_year(part: bytes) -> str:
    day, year = divmod(_number(part), 100)
    if not 1 <= day <= 366:
        return part.hex()
    return (date(2000 + year, 1, 1) + timedelta(days=day - 1)).isoformat()


def _franking_type(part: bytes) -> str:
    return _FRANKING_TYPES.get(part[0], f"unknown (0x{part[0]:02x})")


_DEUTSCHE_POST: tuple[Part, ...] = (
    ("post", 0, 3, _text),
    ("franking_type", 3, 1, _franking_type),
    ("product_list_version", 4, 1, _number),
    ("customer_number", 5, 5, _hex),
    ("euros", 10, 1, _number),
    ("cents", 11, 1, _number),
    ("date", 12, 2, _day_of_year),
    ("product_key", 14, 2, _number),
    ("item_number", 16, 3, _number),
    ("subscription_number", 19, 1, _number),
    ("posting_certificate_number", 20, 2, _number),
)
_STAMP: tuple[Part, ...] = (
    ("post", 0, 3, _text),
    ("franking_type", 3, 1, _franking_type),
    ("serial", 4, 5, _hex),
    ("stamp_id", 9, 5, _hex),
)
_MAILMARK: tuple[Part, ...] = (
    ("post", 0, 4, _text),
    ("information_type", 4, 1, _text),
    ("format_version", 5, 1, _text),
    ("service_class", 6, 1, lambda part: _SERVICE_CLASSES.get(_text(part), _text(part))),
    ("supply_chain_id", 7, 7, _text),
    ("item_id", 14, 8, _text),
    ("destination", 22, 9, _text),
    ("service_type", 31, 1, _text),
    ("return_postcode", 32, 7, _text),
)


def recognise(payload: bytes) -> ForeignMark | None:
    """Name a foreign mark by its first bytes, or give None."""
    if payload.startswith(b"DEA"):
        stamp = len(payload) > 3 and payload[3] == _STAMP_2021
        kind = _franking_type(payload[3:4]) if len(payload) > 3 else "franking type cut off"
        return _mark("deutsche-post", f"Deutsche Post, {kind}", _STAMP if stamp else _DEUTSCHE_POST, payload)
    if payload.startswith(b"JGB "):
        return _mark("royal-mail-mailmark", "Royal Mail, Mailmark", _MAILMARK, payload)
    return None


def _mark(form: str, name: str, parts: tuple[Part, ...], payload: bytes) -> ForeignMark:
    fields: dict[str, FieldValue] = {}
    missing = []
    for field, offset, length, read in parts:
        part = payload[offset : offset + length]
        if len(part) == length:
            fields[field] = read(part)
        else:
            missing.append(field)
    return ForeignMark(format=form, name=name, fields=fields, missing=tuple(missing))
