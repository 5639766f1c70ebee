"""Every field in words, for people who read a decoded indicium.

Here: one sentence a field. Not here: the table around it (`cli/decode`), judgements (`verification`).
Kept: words say what the field says and no more; `$0.78 of postage` is what was printed, not what was paid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from towncircle.indicium.catalogue import layout as layout_of
from towncircle.indicium.codec import Decoded
from towncircle.indicium.values import FieldValue
from towncircle.kernel.money import Mills

_SCHEMES = {1: "signed by the 1998 scheme (DSA)", 3: "signed by ECDSA on P-256", 0: "closed by a shared-secret code"}
_SHAPES = {"C": "a card", "L": "a letter", "F": "a flat", "P": "a parcel"}
TEST_SERIALS_FROM = 0x8000_0000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Hold one field, its value as JSON shows it, and the same in words."""

    field: str
    value: str
    words: str


def _money(what: str) -> Callable[[FieldValue], str]:
    return lambda value: f"{Mills(int(value))} {what}"


def _day(value: FieldValue) -> str:
    day = date.fromisoformat(str(value))
    return f"date of mailing {day.strftime('%B')} {day.day}, {day.year}"


def _serial(value: FieldValue) -> str:
    return f"certificate number {int(value):#x}" + (", of the test root" if int(value) >= TEST_SERIALS_FROM else "")


def _software(value: FieldValue) -> str:
    name = bytes.fromhex(str(value)).decode("latin-1")
    return f"host software {value}" + (f" ({name})" if name.isprintable() and name.strip() else "")


def _routing(value: FieldValue) -> str:
    text = str(value)
    if not text:
        return "no destination given"
    parts = [part for part in (text[:5], text[5:9]) if part]
    return f"going to {'-'.join(parts)}" + (f", delivery point {text[9:]}" if len(text) == 11 else "")


def _tenths(value: FieldValue) -> str:
    whole, tenth = divmod(int(value), 10)
    return f"weighs {whole}.{tenth} oz"


_WORDS: dict[str, Callable[[FieldValue], str]] = {
    "version": lambda value: f"layout version byte 0x{int(value):02x}",
    "algorithm": lambda value: _SCHEMES.get(int(value), "a scheme that is not known here"),
    "certificate_serial": _serial,
    "vendor": lambda value: f"made by vendor {value}",
    "model": lambda value: f"model {value}",
    "psd_serial": lambda value: f"device number {value}",
    "vendor_model": lambda value: f"vendor and model code 0x{int(value):02x}",
    "ascending_mills": _money("evidenced by this device in its life"),
    "postage_mills": _money("of postage"),
    "date": _day,
    "origin_zip": lambda value: f"licensed at the post office of {value}",
    "software_id": _software,
    "product_data": lambda _: "differs by product; not interpreted",
    "descending_mills": _money("left in the device after this piece"),
    "category": lambda value: f"rate category {value}",
    "piece_count": lambda value: f"piece {int(value):,} of this device",
    "mail_service": lambda value: f"mail service code {value}",
    "destination": _routing,
    "weight": _tenths,
    "shape": lambda value: _SHAPES.get(str(value), f"shape {value}"),
    "rate_date": lambda value: f"rates in force on {value}",
    "mac": lambda _: "code under a shared secret; the public cannot check it",
    "signature": lambda value: f"digital signature of {len(str(value)) // 2} bytes",
}


def words(name: str, value: FieldValue) -> str:
    """Say one field in words; "" for a field (of a foreign mark) that has none."""
    say = _WORDS.get(name)
    return say(value) if say else ""


def explain(decoded: Decoded) -> tuple[Line, ...]:
    """Say every field of a decoded payload in words, in the order of its bytes."""
    if decoded.foreign:
        return tuple(Line(field=name, value=str(value), words="") for name, value in decoded.fields.items())
    return tuple(
        Line(field=name, value=_shown(value), words=words(name, value)) for name, value in decoded.fields.items()
    )


def headline(decoded: Decoded) -> str:
    """Say in one line what the payload is."""
    if decoded.foreign:
        return f"{decoded.foreign}: a mark of another post"
    item = layout_of(decoded.layout)
    size = f"{item.length} bytes, {item.signed_length} of them signed ({item.scheme})"
    return f"{item.title} ({item.id}): {size}"


def _shown(value: FieldValue) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{text[:12]}...{text[-8:]}"
