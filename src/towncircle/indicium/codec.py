"""The codec: fields to content bytes, content and signature to a payload, and any payload back to fields.

Here: `encode_content`, `join`, `decode`. Not here: signing and checking (`pki`), judging (`verification`).
Kept: a dump that was cut short decodes as far as it goes and names what is missing; bytes behind the signature are
reported, never refused; another post's mark is named as what it is; anything else is a typed error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from towncircle.indicium import foreign
from towncircle.indicium.catalogue import ANY_VENDOR, Layout, choose, device_of, vendor_of
from towncircle.indicium.catalogue import layout as layout_of
from towncircle.indicium.values import FieldValue, from_bytes, to_bytes
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId

MAX_PAYLOAD = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Hold what a payload says.

    `layout` is the layout's id (for a foreign mark the name of its format), `fields` the values by shared name in the
    order of the bytes, `content` the signed bytes, `signature` the bytes after them (of whatever length was there),
    `trailing` what follows the layout, `missing` the fields that a cut dump has lost, `foreign` another post's name
    or "".
    """

    layout: str
    fields: Mapping[str, FieldValue]
    content: bytes
    signature: bytes
    trailing: bytes
    missing: tuple[str, ...]
    foreign: str = ""

    @property
    def scheme(self) -> str:
        """Name the signature scheme of the layout; "" for a foreign mark."""
        return "" if self.foreign else layout_of(self.layout).scheme

    @property
    def device(self) -> DeviceId | None:
        """Give the device id, or None where the mark does not name one of ours in full."""
        return None if self.foreign else device_of(layout_of(self.layout), self.fields)

    def as_dict(self) -> dict[str, object]:
        """Give the shared JSON shape: layout and fields; missing, trailing and foreign only where there are any."""
        record: dict[str, object] = {"layout": self.layout, "fields": dict(self.fields)}
        if self.missing:
            record["missing"] = list(self.missing)
        if self.trailing:
            record["trailing"] = self.trailing.hex()
        if self.foreign:
            record["foreign"] = self.foreign
        return record


@cites("P050-4.5")
def encode_content(layout: Layout, fields: Mapping[str, object]) -> bytes:
    """Build the signed content of a layout from its fields.

    `version` and `algorithm` may be left out: the layout knows its own. Raises `BadInput`: indicium.field-missing,
    indicium.field-unknown, indicium.field-out-of-range, indicium.version-not-of-layout.
    """
    names = {field.name for field in layout.content_fields}
    for name in fields:
        if name not in names:
            raise BadInput("indicium.field-unknown", layout=layout.id, field=str(name)[:40])
    given = {"version": layout.version, "algorithm": layout.algorithm, **fields}
    parts = []
    for field in layout.content_fields:
        if field.name not in given:
            raise BadInput("indicium.field-missing", layout=layout.id, field=field.name)
        parts.append(to_bytes(field, given[field.name]))
    content = b"".join(parts)
    assert len(content) == layout.signed_length, f"{layout.id} content has {len(content)} bytes"
    vendor = vendor_of(content, layout)
    if not any(version == content[0] and name in {ANY_VENDOR, vendor} for version, name in layout.chosen_by):
        raise BadInput("indicium.version-not-of-layout", layout=layout.id, version=f"0x{content[0]:02x}", vendor=vendor)
    return content


def join(content: bytes, signature: bytes) -> bytes:
    """Join signed content and its signature to a payload. Raises `BadInput` (indicium.signature-length)."""
    item = choose(content)
    expected = item.signature_field.length
    if len(content) != item.signed_length or len(signature) != expected:
        raise BadInput(
            "indicium.signature-length",
            layout=item.id,
            content=item.signed_length,
            expected=expected,
            got_content=len(content),
            got=len(signature),
        )
    return content + signature


@cites("502.8/9")
def decode(payload: bytes) -> Decoded:
    """Read any payload.

    Raises `BadInput`: indicium.empty, indicium.too-long, indicium.unknown-version, indicium.unknown-vendor,
    indicium.field-unreadable.
    """
    if len(payload) > MAX_PAYLOAD:
        raise BadInput("indicium.too-long", length=len(payload), limit=MAX_PAYLOAD)
    mark = foreign.recognise(payload)
    if mark is not None:
        return Decoded(
            layout=mark.format,
            foreign=mark.name,
            fields=mark.fields,
            content=payload,
            signature=b"",
            trailing=b"",
            missing=mark.missing,
        )
    item = choose(payload)
    fields: dict[str, FieldValue] = {}
    missing = []
    for field in item.fields:
        part = payload[field.offset : field.end]
        if len(part) < field.length:
            missing.append(field.name)
        else:
            fields[field.name] = from_bytes(field, part)
    return Decoded(
        layout=item.id,
        fields=fields,
        content=payload[: item.signed_length],
        signature=payload[item.signed_length : item.length],
        trailing=payload[item.length :],
        missing=tuple(missing),
    )
