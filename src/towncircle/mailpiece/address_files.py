"""Files of addresses: CSV with the columns name, company, street, street2, city, state, zip [, weight_oz, shape].

Here: reading a whole file and reporting every faulty row at once. Not here: one address (`addresses`).
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

from towncircle.kernel.errors import BadInput, RefusedOnGrounds, TowncircleError
from towncircle.mailpiece.addresses import Address, address
from towncircle.mailpiece.rates import SHAPES, Shape
from towncircle.mailpiece.weights import parse_weight

NEEDED = ("street", "city", "state", "zip")
KNOWN = ("name", "company", *NEEDED, "street2", "country", "weight_oz", "shape")
MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Hold one row of an address file: where it goes and, where the file says so, what the piece weighs and is."""

    row: int
    address: Address
    weight_oz: Fraction | None
    shape: Shape | None


def read_addresses(source: Path) -> tuple[Recipient, ...]:
    """Read a CSV file of addresses, in UTF-8 (with or without a mark) or Latin-1.

    Raises `BadInput` (addresses.*) for a file that cannot be used and `RefusedOnGrounds` (addresses.faulty-rows) with a
    ground for every faulty row.
    """
    try:
        raw = source.read_bytes()
    except OSError as error:
        raise BadInput("addresses.no-file", path=str(source), why=error.strerror or "unreadable") from error
    return parse_addresses(raw, label=source.name)


def public_addresses() -> tuple[Recipient, ...]:
    """Give the public addresses that come with the program (federal agencies and a post office)."""
    raw = (files("towncircle.mailpiece") / "data" / "public_addresses.csv").read_bytes()
    return parse_addresses(raw, label="public_addresses.csv")


def parse_addresses(raw: bytes, *, label: str) -> tuple[Recipient, ...]:
    """Read the bytes of a CSV file of addresses. Raises as `read_addresses`."""
    reader = csv.reader(io.StringIO(_text(raw), newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadInput("addresses.not-csv", path=label, why=str(error)) from error
    if not rows:
        raise BadInput("addresses.empty", path=label)
    header = [cell.strip().lower() for cell in rows[0][1]]
    missing = [column for column in NEEDED if column not in header]
    if not {"name", "company"} & set(header):
        missing.insert(0, "name")
    if missing:
        raise BadInput("addresses.columns-missing", path=label, columns=", ".join(missing))
    strange = [column for column in header if column not in KNOWN]
    if strange or len(set(header)) != len(header):
        raise BadInput("addresses.columns-strange", path=label, columns=", ".join(strange) or "a column twice")
    if not 2 <= len(rows) <= MOST_ROWS + 1:
        raise BadInput("addresses.empty" if len(rows) < 2 else "addresses.too-many", path=label, most=MOST_ROWS)
    return _recipients(header, rows[1:], label)


def _recipients(header: list[str], rows: list[tuple[int, list[str]]], label: str) -> tuple[Recipient, ...]:
    found: list[Recipient] = []
    faults: list[TowncircleError] = []
    for number, cells in rows:
        try:
            found.append(_recipient(number, dict(zip(header, cells, strict=False)), len(cells) > len(header)))
        except TowncircleError as error:
            grounds = error.grounds if isinstance(error, RefusedOnGrounds) else (error,)
            what = " ".join(ground.sentence for ground in grounds)
            faults.append(BadInput("addresses.faulty-row", row=number, what=what))
    if faults:
        raise RefusedOnGrounds("addresses.faulty-rows", tuple(faults), path=label, count=len(faults), all=len(rows))
    return tuple(found)


def _recipient(number: int, cells: dict[str, str], overlong: bool) -> Recipient:  # noqa: FBT001 private, one caller
    if overlong:
        raise BadInput("addresses.too-many-cells")
    weight, shape = cells.pop("weight_oz", "").strip(), cells.pop("shape", "").strip().lower()
    cells = {"street": "", "city": "", "state": "", "zip": ""} | cells
    where = address(**cells)
    chosen = next((known for known in SHAPES if known == shape), None)
    if shape and chosen is None:
        raise BadInput("rates.unknown-shape", text=shape[:20])
    return Recipient(row=number, address=where, weight_oz=parse_weight(weight) if weight else None, shape=chosen)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Shim."""

    column: str
    error: TowncircleError


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyRow:
    """Shim."""

    row: int
    faults: tuple[Fault, ...]


def open_addresses(source: Path, *, chosen=None):
    """Shim."""
    with source.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = [cell.strip().lower() for cell in next(reader)]
        for cells in reader:
            try:
                yield _recipient(reader.line_num, dict(zip(header, cells, strict=False)), len(cells) > len(header))
            except TowncircleError as error:
                yield FaultyRow(row=reader.line_num, faults=(Fault(column="", error=error),))
