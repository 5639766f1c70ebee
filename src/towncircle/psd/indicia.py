"""Contents of a batch of indicia, built column by column.

Here: from registers, certificate serial and host columns to the signed contents of all pieces. Not here: signing, and
the layouts themselves (`indicium`).
Kept: what a device knows is never taken from the host: id, registers, piece counter, certificate serial, licensing ZIP.
A batch is built by columns, one pass in C for each byte position of a field that varies, because a thousand
small records made one by one in Python would cost as much as half their signatures.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate

from towncircle.indicium.catalogue import Field, layout
from towncircle.indicium.values import to_bytes
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, BrokenInvariant
from towncircle.psd.columns import Column, HostFields
from towncircle.psd.recent import ByIdentity
from towncircle.psd.sight import Seen
from towncircle.psd.state import DeviceState

_MOVING = ("ascending_mills", "postage_mills", "descending_mills", "piece_count")
_NUMBERS = ("certificate_serial", "psd_serial")  # what tells a device from the others of its model
_OWN = {
    *_NUMBERS,
    *_MOVING,
    *("version", "algorithm", "vendor", "model", "vendor_model", "origin_zip"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Hold the contents of all pieces, joined, and the size of one."""

    joined: bytes
    size: int


@cites("P050-1.1/2", "PRE-03/1")
def build(state: DeviceState, *, amounts: Sequence[int], host: HostFields, serial: int) -> Contents:
    """Build the contents of a batch from the registers before it.

    Raises `BadInput` (psd.field-not-from-host, psd.field-unknown, psd.field-missing, indicium.field-out-of-range).
    """
    granted, count = state.granted(), len(amounts)
    plan = plan_of(granted.layout)
    same, varied = plan.written(host)
    row = row_of(state, same, serial=serial)
    out = row * count
    for field, values, column in varied:
        joined = b"".join([values[at] for at in column.spread(count)])
        _lay(out, field, joined, width=field.length, size=len(row))
    registers = state.registers
    if count == 1:
        ascending = int(registers.ascending) + amounts[0]
        lay_one(out, plan, ascending, amounts[0], int(registers.control_total) - ascending, registers.pieces + 1)
    else:
        _lay_moving(out, plan, state, amounts)
    return Contents(joined=bytes(out), size=len(row))


def row_of(state: Seen, same: Same, *, serial: int) -> bytearray:
    """Give the row of one piece with everything but what moves and what differs from piece to piece."""
    granted = state.granted()
    device = state.device
    row = bytearray(_model_row(granted.layout, device.vendor, device.model, granted.office_zip))
    _lay_numbers(row, plan_of(granted.layout).own, (serial, device.serial))
    for start, end, value in same:
        row[start:end] = value
    return row


def lay_one(out: bytearray, plan: Plan, *values: int) -> None:
    """Write what moves into the row of one piece: ascending after it, postage, descending after it, piece number.

    Raises `BadInput` (indicium.field-out-of-range).
    """
    _lay_numbers(out, plan.moving, values)


def _lay_numbers(out: bytearray, places: Sequence[Numbered], values: Sequence[int]) -> None:
    """Write numbers into their places of one row. Raises `BadInput` (indicium.field-out-of-range)."""
    for at, start, end, field in places:
        try:
            out[start:end] = values[at].to_bytes(end - start, "little")
        except OverflowError as error:
            raise _out_of_range(field) from error


def _lay_moving(out: bytearray, plan: Plan, state: DeviceState, amounts: Sequence[int]) -> None:
    """Lay the moving values of many pieces."""
    count, registers = len(amounts), state.registers
    ascending = list(accumulate(amounts, initial=int(registers.ascending)))[1:]
    control, first = int(registers.control_total), registers.pieces + 1
    columns = (ascending, amounts, [control - value for value in ascending], range(first, first + count))
    for at, _, _, field in plan.moving:
        _lay(out, field, struct.pack(f"<{count}Q", *columns[at]), width=8, size=len(out) // count)


def _lay(out: bytearray, field: Field, packed: bytes, *, width: int, size: int) -> None:
    """Lay a packed column into its byte positions of all rows; what does not fit the field must be zero."""
    for position in range(width):
        lane = packed[position::width]
        if position < field.length:
            out[field.offset + position :: size] = lane
        elif any(lane):
            raise _out_of_range(field)


def _out_of_range(field: Field) -> BadInput:
    return BadInput("indicium.field-out-of-range", field=field.name, value="a value", expected=f"{field.length} bytes")


@lru_cache(maxsize=1024)
def _model_row(layout_id: str, vendor: str, model: str, office_zip: str) -> bytes:
    """Lay what all devices of a model and an office have in common into the row of a layout."""
    plan = plan_of(layout_id)
    row = bytearray(plan.template)
    known: dict[str, int | str] = {"vendor": vendor, "model": model, "origin_zip": office_zip[:5]}
    if "vendor_model" in plan.fields:
        known["vendor_model"] = layout(layout_id).vendor_model_of(vendor + model)
    _write(row, plan, known)
    return bytes(row)


def _write(row: bytearray, plan: Plan, known: Mapping[str, int | str]) -> None:
    for name, value in known.items():
        field = plan.fields.get(name)
        if field is not None:
            row[field.offset : field.end] = to_bytes(field, value)


Same = list[tuple[int, int, bytes]]
Numbered = tuple[int, int, int, Field]  # which value it is, where its bytes begin and end, the field
Varied = list[tuple[Field, list[bytes], Column]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Hold what is the same for all devices of a layout; a field of the host comes with how its values are written.

    `moving` holds where the values of `_MOVING` lie, `own` where the device's numbers do (`_NUMBERS`);
    `hosts` remembers what columns that come again come to in this layout.
    """

    layout: str
    template: bytes
    fields: dict[str, Field]
    moving: tuple[Numbered, ...]
    own: tuple[Numbered, ...]
    from_host: tuple[tuple[Field, Callable[[int | str], bytes]], ...]
    hosts: ByIdentity[HostFields, tuple[Same, Varied]]

    def written(self, host: HostFields) -> tuple[Same, Varied]:
        """Give the host's values as bytes; of columns that come again the very same lists."""
        return self.hosts.get(host, self.read_host) if host.again else self.read_host(host)

    def read_host(self, host: HostFields) -> tuple[Same, Varied]:
        """Write the host's values: those that are the same for all pieces, and those that are not."""
        for name in host.by_name:
            if name in _OWN:
                raise BadInput("psd.field-not-from-host", field=name)
            if name not in self.fields and name not in ("category", "date"):
                raise BadInput("psd.field-unknown", field=name[:40], layout=self.layout)
        same: Same = []
        varied: Varied = []
        for field, written in self.from_host:
            column = host.by_name.get(field.name)
            if column is None:
                raise BadInput("psd.field-missing", field=field.name, layout=self.layout)
            values = [written(value) for value in column.numbers or column.texts]
            if column.at:
                varied.append((field, values, column))
            else:
                (at,) = column.spread(1)
                same.append((field.offset, field.end, values[at]))
        return same, varied


@lru_cache(maxsize=16)
def plan_of(layout_id: str) -> Plan:
    """Plan a layout once: the empty row with version and algorithm, the device's varying fields, the host's fields."""
    chosen = layout(layout_id)
    row = bytearray(chosen.signed_length)
    for name, value in (("version", chosen.version), ("algorithm", chosen.algorithm)):
        if chosen.has(name):
            field = chosen.field(name)
            row[field.offset : field.end] = to_bytes(field, value)
    moving = [field for field in chosen.content_fields if field.name in _MOVING]
    own = [field for field in chosen.content_fields if field.name in _NUMBERS]
    assert all(field.encoding == "uint" for field in own)
    from_host = tuple(field for field in chosen.content_fields if field.name not in _OWN)
    if not any(field.name in ("piece_count", "ascending_mills") for field in moving):
        raise BrokenInvariant("psd.layout-repeats", layout=chosen.id)
    return Plan(
        layout=chosen.id,
        template=bytes(row),
        fields={field.name: field for field in chosen.fields},
        moving=_numbered(_MOVING, moving),
        own=_numbered(_NUMBERS, own),
        from_host=tuple((field, lru_cache(maxsize=2048, typed=True)(partial(to_bytes, field))) for field in from_host),
        hosts=ByIdentity(256),
    )


def _numbered(names: Sequence[str], found: Sequence[Field]) -> tuple[Numbered, ...]:
    """Give where numbers lie."""
    return tuple((names.index(field.name), field.offset, field.end, field) for field in found)
