"""Contents of a batch of indicia, built column by column.

Here: from registers, certificate serial and host columns to the signed contents of all pieces. Not here: signing, and
the layouts themselves (`indicium`).
Kept: what a device knows is never taken from the host: id, registers, piece counter, certificate serial, licensing ZIP.
A batch is built by columns, one pass in C for each byte position of a field that varies, because a thousand
small records made one by one in Python would cost as much as half their signatures.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate

from towncircle.indicium.catalogue import Field, layout
from towncircle.indicium.values import to_bytes
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, BrokenInvariant
from towncircle.kernel.ids import DeviceId
from towncircle.psd.columns import Column
from towncircle.psd.state import DeviceState

_MOVING = frozenset({"ascending_mills", "postage_mills", "descending_mills", "piece_count"})
_OWN = _MOVING | {
    *("version", "algorithm", "certificate_serial", "vendor", "model", "vendor_model", "psd_serial", "origin_zip")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Hold the contents of all pieces, joined, and the size of one."""

    joined: bytes
    size: int


@cites("P050-1.1/2", "PRE-03/1")
def build(state: DeviceState, *, amounts: Sequence[int], columns: dict[str, Column], serial: int) -> Contents:
    """Build the contents of a batch from the registers before it.

    Raises `BadInput` (psd.field-not-from-host, psd.field-unknown, psd.field-missing, indicium.field-out-of-range).
    """
    chosen, count = layout(state.granted().layout), len(amounts)
    plan = _plan(chosen.id)
    for name in columns:
        if name in _OWN:
            raise BadInput("psd.field-not-from-host", field=name)
        if name not in plan.fields and name not in ("category", "date"):
            raise BadInput("psd.field-unknown", field=name[:40], layout=chosen.id)
    row = _row(chosen.id, state.device, serial, state.granted().office_zip)
    out = bytearray(row * count)
    registers = state.registers
    ascending = list(accumulate(amounts, initial=int(registers.ascending)))[1:]
    control = int(registers.control_total)
    own = {
        "ascending_mills": ascending,
        "postage_mills": amounts,
        "descending_mills": [control - value for value in ascending],
        "piece_count": range(registers.pieces + 1, registers.pieces + 1 + count),
    }
    for field in plan.varying:
        _lay(out, field, struct.pack(f"<{count}Q", *own[field.name]), width=8, size=len(row))
    for field, written in plan.from_host:
        column = columns.get(field.name)
        if column is None:
            raise BadInput("psd.field-missing", field=field.name, layout=chosen.id)
        values = [written(value) for value in column.numbers or column.texts]
        at = column.spread(count)
        _lay(out, field, b"".join([values[i] for i in at]), width=field.length, size=len(row))
    return Contents(joined=bytes(out), size=len(row))


def _lay(out: bytearray, field: Field, packed: bytes, *, width: int, size: int) -> None:
    """Lay a packed column into its byte positions of all rows; what does not fit the field must be zero."""
    if len(out) == size and not any(packed[field.length :]):  # one row: in one piece
        out[field.offset : field.offset + field.length] = packed[: field.length]
        return
    for position in range(width):
        lane = packed[position::width]
        if position < field.length:
            out[field.offset + position :: size] = lane
        elif any(lane):
            raise BadInput(
                "indicium.field-out-of-range", field=field.name, value="a value", expected=f"{field.length} bytes"
            )


@lru_cache(maxsize=1024)
def _row(layout_id: str, device: DeviceId, serial: int, office_zip: str) -> bytes:
    """Lay what stays the same in every piece of a device into the row of a layout."""
    plan = _plan(layout_id)
    row = bytearray(plan.template)
    known: dict[str, int | str] = {
        "certificate_serial": serial,
        "vendor": device.vendor,
        "model": device.model,
        "psd_serial": device.serial,
        "origin_zip": office_zip[:5],
    }
    if "vendor_model" in plan.fields:
        known["vendor_model"] = layout(layout_id).vendor_model_of(device)
    for name, value in known.items():
        field = plan.fields.get(name)
        if field is not None:
            row[field.offset : field.end] = to_bytes(field, value)
    return bytes(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Hold what is the same for all devices of a layout; a field of the host comes with how its values are written."""

    template: bytes
    fields: dict[str, Field]
    varying: tuple[Field, ...]
    from_host: tuple[tuple[Field, Callable[[int | str], bytes]], ...]


@lru_cache(maxsize=16)
def _plan(layout_id: str) -> _Plan:
    """Plan a layout once: the empty row with version and algorithm, the device's varying fields, the host's fields."""
    chosen = layout(layout_id)
    row = bytearray(chosen.signed_length)
    for name, value in (("version", chosen.version), ("algorithm", chosen.algorithm)):
        if chosen.has(name):
            field = chosen.field(name)
            row[field.offset : field.end] = to_bytes(field, value)
    varying = tuple(field for field in chosen.content_fields if field.name in _MOVING)
    from_host = tuple(field for field in chosen.content_fields if field.name not in _OWN)
    if not any(field.name in ("piece_count", "ascending_mills") for field in varying):
        raise BrokenInvariant("psd.layout-repeats", layout=chosen.id)
    return _Plan(
        template=bytes(row),
        fields={field.name: field for field in chosen.fields},
        varying=varying,
        from_host=tuple((field, lru_cache(maxsize=2048, typed=True)(partial(to_bytes, field))) for field in from_host),
    )
