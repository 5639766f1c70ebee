"""The catalogue of layouts: five TOML files, read once, checked, and never changed.

Here: what a layout and a field are, how a layout is looked up by id or chosen for a payload, and the packer of the
device's hot loop. Not here: how one value becomes bytes (`values`), decoding (`codec`).
Kept: layouts are data (house.md 7), chosen by version byte and vendor.
"""

from __future__ import annotations

import hashlib
import struct
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from towncircle.indicium.values import ENCODINGS, Raw, to_raw
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId

HOUSE_VENDOR = "TC"
ANY_VENDOR = "*"
_IDS = ("ibi-full", "ibi-lite", "imi-min", "imi-std", "imi-max")
_STRUCT_CODES = {1: "B", 2: "H", 4: "I"}
_TEXT_ENCODINGS = ("ascii", "category", "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Describe one field: its name, byte offset, length in bytes, encoding, and the clause or paper it follows."""

    name: str
    offset: int
    length: int
    encoding: str
    source: str

    @property
    def end(self) -> int:
        """Give the offset behind the field's last byte."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Describe one layout.

    `length` counts all bytes with the signature, `signed_length` those that are signed, from the start. `algorithm` is
    the number that the algorithm byte carries, `scheme` its name. `chosen_by` holds (version byte, vendor) pairs, and
    `vendor_models` the meaning of a one-byte vendor and model code. `digest` is the SHA-256 of the layout file.
    """

    id: str
    title: str
    status: str
    note: str
    length: int
    signed_length: int
    scheme: str
    algorithm: int
    chosen_by: tuple[tuple[int, str], ...]
    vendor_models: Mapping[int, str]
    fields: tuple[Field, ...]
    digest: str

    @property
    def version(self) -> int:
        """Give the version byte under which our own devices use this layout."""
        return next(version for version, vendor in self.chosen_by if vendor == HOUSE_VENDOR)

    @property
    def content_fields(self) -> tuple[Field, ...]:
        """Give the signed fields in order, which is the order of the packer's arguments."""
        return self.fields[:-1]

    @property
    def signature_field(self) -> Field:
        """Give the last field, `signature` or `mac`."""
        return self.fields[-1]

    def field(self, name: str) -> Field:
        """Look up a field by name. Raises `BadInput` (indicium.field-unknown)."""
        for item in self.fields:
            if item.name == name:
                return item
        raise BadInput("indicium.field-unknown", layout=self.id, field=name[:40])

    def has(self, name: str) -> bool:
        """Tell whether the layout carries a field."""
        return any(item.name == name for item in self.fields)

    def vendor_model_of(self, device: str) -> int:
        """Give the one-byte code of a device's vendor and model. Raises `BadInput` (indicium.vendor-model-unknown)."""
        for code, name in self.vendor_models.items():
            if name == device[:4]:
                return code
        raise BadInput("indicium.vendor-model-unknown", layout=self.id, device=device[:14])

    def raw(self, name: str, value: object) -> Raw:
        """Turn one field value into the integer or bytes that the packer takes. Raises `BadInput`."""
        return to_raw(self.field(name), value)

    def packer(self) -> Callable[..., bytes]:
        """Make the fast packer: raw integers and bytes in the order of `content_fields`, content bytes out.

        A date is the integer YYYYMMDD (days since 1998-01-01 where the encoding is `days`), a ZIP an integer, text and
        opaque fields are bytes of full length. Raises `BadInput` (indicium.unpackable) for a value that does not fit.
        """
        codes = "".join(_code(item) for item in self.content_fields)
        pack_struct = struct.Struct("<" + codes)
        widened = tuple((at, item.length) for at, item in enumerate(self.content_fields) if _is_odd(item))
        layout_id, size, sized = self.id, self.signed_length, _sized(self.content_fields)

        def pack(*row: Raw) -> bytes:
            raw: list[Any] = list(row)
            try:
                for at, width in widened:
                    raw[at] = raw[at].to_bytes(width, "little")
                if any(len(raw[at]) != width for at, width in sized):
                    raise BadInput("indicium.unpackable", layout=layout_id, why="a text field has another length")
                return pack_struct.pack(*raw)
            except (struct.error, OverflowError, AttributeError, TypeError, IndexError) as error:
                raise BadInput("indicium.unpackable", layout=layout_id, why=str(error)) from error

        assert pack_struct.size == size, f"{layout_id} packs {pack_struct.size} bytes"
        return pack


def _is_odd(item: Field) -> bool:
    return item.encoding not in _TEXT_ENCODINGS and item.length not in _STRUCT_CODES


def _code(item: Field) -> str:
    if item.encoding in _TEXT_ENCODINGS or _is_odd(item):
        return f"{item.length}s"
    return _STRUCT_CODES[item.length]


def _sized(fields: tuple[Field, ...]) -> tuple[tuple[int, int], ...]:
    return tuple((at, item.length) for at, item in enumerate(fields) if item.encoding in _TEXT_ENCODINGS)


def _read(layout_id: str) -> Layout:
    text = resources.files("towncircle.indicium").joinpath(f"layouts/{layout_id}.toml").read_bytes()
    table = tomllib.loads(text.decode())
    fields = tuple(Field(**row) for row in table["field"])
    result = Layout(
        id=table["id"],
        title=table["title"],
        status=table["status"],
        note=table["note"],
        length=table["length"],
        signed_length=table["signed_length"],
        scheme=table["scheme"],
        algorithm=table["algorithm"],
        chosen_by=tuple((row["version"], row["vendor"]) for row in table["chosen_by"]),
        vendor_models=MappingProxyType({int(key): name for key, name in table.get("vendor_models", {}).items()}),
        fields=fields,
        digest=hashlib.sha256(text).hexdigest(),
    )
    _check(result, layout_id)
    return result


def _check(item: Layout, layout_id: str) -> None:
    assert item.id == layout_id, f"{layout_id}.toml names itself {item.id}"
    at = 0
    for field in item.fields:
        assert field.offset == at, f"{layout_id}: a gap or an overlap before {field.name}"
        assert field.encoding in ENCODINGS, f"{layout_id}: {field.name} has no known encoding"
        at = field.end
    assert at == item.length, f"{layout_id}: the fields do not fill the layout"
    assert item.signature_field.offset == item.signed_length, f"{layout_id}: the signature is not behind the content"


@cache
def layouts() -> tuple[Layout, ...]:
    """Give all layouts."""
    return tuple(_read(layout_id) for layout_id in _IDS)


def layout(layout_id: str) -> Layout:
    """Look up a layout by id. Raises `BadInput` (indicium.no-such-layout)."""
    for item in layouts():
        if item.id == layout_id:
            return item
    raise BadInput("indicium.no-such-layout", layout=layout_id[:40], known=", ".join(_IDS))


@cites("502.8/9")
def choose(payload: bytes) -> Layout:
    """Choose the layout of a payload by its version byte and vendor.

    Raises `BadInput`: indicium.empty, indicium.unknown-version, indicium.unknown-vendor.
    """
    if not payload:
        raise BadInput("indicium.empty")
    candidates = [item for item in layouts() if any(version == payload[0] for version, _ in item.chosen_by)]
    if not candidates:
        raise BadInput("indicium.unknown-version", version=f"0x{payload[0]:02x}")
    for item in candidates:
        vendor = vendor_of(payload, item)
        if any(version == payload[0] and name in {ANY_VENDOR, vendor or name} for version, name in item.chosen_by):
            return item
    raise BadInput("indicium.unknown-vendor", version=f"0x{payload[0]:02x}")


def vendor_of(payload: bytes, item: Layout) -> str | None:
    """Read the vendor out of a payload; None where the payload ends before it, and `?` where it has no meaning."""
    name = "vendor" if item.has("vendor") else "vendor_model"
    field = item.field(name)
    part = payload[field.offset : field.end]
    if len(part) < field.length:
        return None
    if name == "vendor":
        return part.decode("ascii", "replace")
    return item.vendor_models.get(part[0], "?")[:2]


def device_of(item: Layout, fields: Mapping[str, object]) -> DeviceId | None:
    """Give the device id that decoded fields name, or None where they do not name a whole one."""
    serial = fields.get("psd_serial")
    if item.has("vendor_model"):
        code = fields.get("vendor_model")
        head = item.vendor_models.get(code) if isinstance(code, int) else None
    else:
        parts = (fields.get("vendor"), fields.get("model"))
        head = f"{parts[0]}{parts[1]}" if all(isinstance(part, str) for part in parts) else None
    if head is None or not isinstance(serial, int):
        return None
    try:
        return DeviceId.of(vendor=head[:2], model=head[2:], serial=serial)
    except BadInput:
        return None  # another vendor's id that does not print as ours do
