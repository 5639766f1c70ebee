"""The layout of NACHA files: the fields of each record, as text and back.

Here: records of 94 characters, field by field. Not here: which records follow each other, and their totals (`nacha`).
The layout is that of the Nacha Operating Rules as banks retell it in their public format guides (docs/ach-files.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from towncircle.kernel.errors import BadInput, Refused

LENGTH, BLOCK = 94, 10
PADDING = "9" * LENGTH


@dataclass(frozen=True, slots=True)
class Field:
    """Describe one field: its name, its length, and whether it is a number (zeros before) or a text (blanks after)."""

    name: str
    length: int
    number: bool = False
    constant: str = ""


def _record(*fields: Field) -> tuple[Field, ...]:
    assert sum(field.length for field in fields) == LENGTH
    return fields


RECORDS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        "1": _record(
            Field("record type", 1, constant="1"),
            Field("priority code", 2, constant="01"),
            Field("immediate destination", 10),
            Field("immediate origin", 10),
            Field("file creation date", 6),
            Field("file creation time", 4),
            Field("file id modifier", 1),
            Field("record size", 3, constant="094"),
            Field("blocking factor", 2, constant="10"),
            Field("format code", 1, constant="1"),
            Field("immediate destination name", 23),
            Field("immediate origin name", 23),
            Field("reference code", 8),
        ),
        "5": _record(
            Field("record type", 1, constant="5"),
            Field("service class", 3),
            Field("company name", 16),
            Field("company discretionary data", 20),
            Field("company identification", 10),
            Field("standard entry class", 3),
            Field("company entry description", 10),
            Field("company descriptive date", 6),
            Field("effective entry date", 6),
            Field("settlement date", 3),
            Field("originator status code", 1, constant="1"),
            Field("originating institution", 8),
            Field("batch number", 7, number=True),
        ),
        "6": _record(
            Field("record type", 1, constant="6"),
            Field("transaction code", 2),
            Field("receiving institution", 8),
            Field("check digit", 1),
            Field("account number", 17),
            Field("amount", 10, number=True),
            Field("identification", 15),
            Field("individual name", 22),
            Field("discretionary data", 2),
            Field("addenda indicator", 1),
            Field("trace number", 15),
        ),
        "7": _record(
            Field("record type", 1, constant="7"),
            Field("addenda type", 2, constant="99"),
            Field("return reason", 3),
            Field("original trace number", 15),
            Field("date of death", 6),
            Field("original receiving institution", 8),
            Field("addenda information", 44),
            Field("trace number", 15),
        ),
        "8": _record(
            Field("record type", 1, constant="8"),
            Field("service class", 3),
            Field("entry and addenda count", 6, number=True),
            Field("entry hash", 10, number=True),
            Field("total debits", 12, number=True),
            Field("total credits", 12, number=True),
            Field("company identification", 10),
            Field("authentication code", 19),
            Field("reserved", 6),
            Field("originating institution", 8),
            Field("batch number", 7, number=True),
        ),
        "9": _record(
            Field("record type", 1, constant="9"),
            Field("batch count", 6, number=True),
            Field("block count", 6, number=True),
            Field("entry and addenda count", 8, number=True),
            Field("entry hash", 10, number=True),
            Field("total debits", 12, number=True),
            Field("total credits", 12, number=True),
            Field("reserved", 39),
        ),
    }
)


def write_record(kind: str, values: Mapping[str, object]) -> str:
    """Write a record of a kind; fields without a value are blank. Raises `BadInput` (ach.field-too-long)."""
    return "".join(_written(kind, field, values.get(field.name, "")) for field in RECORDS[kind])


def _written(kind: str, field: Field, value: object) -> str:
    text = field.constant or (str(value).rjust(field.length, "0") if field.number else str(value).ljust(field.length))
    plain = text.isascii() and text.isprintable()
    if len(text) != field.length or not plain or (field.number and not text.isdigit()):
        raise BadInput("ach.field-too-long", field=field.name, kind=kind, length=field.length, value=str(value)[:40])
    return text


def read_record(number: int, line: str) -> tuple[str, dict[str, str]]:
    """Read a record of a line: its kind and its fields, texts without blanks around. Raises `Refused`."""
    if len(line) != LENGTH:
        raise broken(number, f"it has {len(line)} characters, not {LENGTH}")
    if not line.isascii() or not line.isprintable():
        raise broken(number, "it holds something else than printable ASCII")
    fields = RECORDS.get(line[0])
    if fields is None:
        raise broken(number, f"there is no record of type '{line[0]}'")
    values, at = {}, 0
    for field in fields:
        text = line[at : at + field.length]
        if field.constant and text != field.constant:
            raise broken(number, f"the {field.name} in columns {at + 1} to {at + field.length} is '{text}'")
        if field.number and not text.isdigit():
            raise broken(number, f"the {field.name} in columns {at + 1} to {at + field.length} is no number: '{text}'")
        values[field.name] = text.strip()
        at += field.length
    return line[0], values


def broken(line: int, why: str) -> Refused:
    """Give the refusal of a file that is not as it should be, at a line."""
    return Refused("ach.file-broken", line=line, why=why)
