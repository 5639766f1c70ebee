"""Files of addresses: each row a recipient, or everything that is wrong with it.

`open_addresses(path)` reads the header and raises `BadInput` for a file that cannot be used at all. The `AddressFile`
it gives is iterated: a generator of rows in the order of the file, each a `Recipient` or a `FaultyRow`, in bounded
memory however long the file is. `good` and `faulty` count what has been given so far; iterating again reads the file
again.
Columns: name, company, urbanization, street, street2, city, state, zip, country, weight_oz, shape, under many
headings or those that `--map` names; every other column is carried along in `Recipient.extra` by its heading.

Here: rows to recipients. Not here: one address (`addresses`), the headings (`address_columns`), how files are written
(`address_csv`, `address_xlsx`).
Kept: a row is used whole or not at all, and a faulty one is told with every fault: row, column, code, sentence and
next step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Protocol

from towncircle.kernel.errors import BadInput, RefusedOnGrounds, TowncircleError
from towncircle.mailpiece.address_columns import Chosen, Columns, columns_of
from towncircle.mailpiece.address_csv import csv_table
from towncircle.mailpiece.addresses import Address, address
from towncircle.mailpiece.harmless import visible
from towncircle.mailpiece.rates import SHAPES, Shape
from towncircle.mailpiece.weights import parse_weight

MOST_ROWS = 1_000_000  # house
LONGEST_CELL = 1_000  # house, characters of a column that is carried along
MOST_TOLD = 1_000  # faulty rows that `read_addresses` keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Hold one row of an address file: where it goes, and what else the row says.

    `row` is the line (of a workbook the row) it stands in, `weight_oz` and `shape` are None where the file says
    nothing, `extra` holds the columns that are not an address's by their headings, stripped.
    """

    row: int
    address: Address
    weight_oz: Fraction | None
    shape: Shape | None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Hold one fault of a row: the heading it stands under ('' for the row), what stands there, and the error."""

    column: str
    text: str
    error: TowncircleError


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyRow:
    """Hold a row that cannot be used and everything that is wrong with it."""

    row: int
    faults: tuple[Fault, ...]

    @property
    def error(self) -> BadInput:
        """Give all its faults in one error."""
        return BadInput("addresses.faulty-row", row=self.row, what=" ".join(one.error.sentence for one in self.faults))


Row = Recipient | FaultyRow


class Table(Protocol):
    """Give the rows of a file; the first is the header."""

    @property
    def told(self) -> str:
        """Say how the file is written."""

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Give each row that is not blank with its number."""


class AddressFile:
    """Read the rows of an address file. Made by `open_addresses`."""

    def __init__(self, table: Table, columns: Columns, *, label: str) -> None:
        self.table = table
        self.columns = columns
        self.label = label
        self.good = 0
        self.faulty = 0

    def __iter__(self) -> Iterator[Row]:
        """Give each row. Raises `BadInput` (addresses.*) where the file itself breaks, after the rows before it."""
        self.good = self.faulty = 0
        records = self.table.records()
        next(records, None)
        for number, cells in records:
            row = _row(number, cells, self.columns)
            if isinstance(row, Recipient):
                self.good += 1
            else:
                self.faulty += 1
            if self.good + self.faulty > MOST_ROWS:
                raise BadInput("addresses.too-many", path=self.label, most=MOST_ROWS)
            yield row


def open_addresses(
    source: Path, *, chosen: Chosen | None = None, encoding: str = "", divider: str = "", label: str = ""
) -> AddressFile:
    """Open a file of addresses and read its header; `chosen` says which headings are ours (`parse_map`).

    Raises `BadInput` (addresses.*) for a file that cannot be used.
    """
    label = label or visible(source.name, most=80)
    table: Table = csv_table(source, label=label, encoding=encoding, divider=divider)
    records = table.records()
    first = next(records, None)
    if first is None or next(records, None) is None:
        raise BadInput("addresses.empty", path=label)
    return AddressFile(table, columns_of(first[1], chosen or {}, label=label), label=label)


def read_addresses(source: Path, *, chosen: Chosen | None = None) -> tuple[Recipient, ...]:
    """Read a whole file of addresses that must be without a fault.

    Raises `BadInput` (addresses.*) for a file that cannot be used and `RefusedOnGrounds` (addresses.faulty-rows) with a
    ground for every faulty row, the first thousand of them.
    """
    return _whole(open_addresses(source, chosen=chosen))


def public_addresses() -> tuple[Recipient, ...]:
    """Give the public addresses that come with the program (federal agencies and a post office)."""
    with as_file(files("towncircle.mailpiece") / "data" / "public_addresses.csv") as path:
        return _whole(open_addresses(path))


def _whole(file: AddressFile) -> tuple[Recipient, ...]:
    found: list[Recipient] = []
    faults: list[TowncircleError] = []
    for row in file:
        if isinstance(row, Recipient):
            found.append(row)
        elif len(faults) < MOST_TOLD:
            faults.append(row.error)
    if faults:
        every = file.good + file.faulty
        raise RefusedOnGrounds("addresses.faulty-rows", tuple(faults), path=file.label, count=file.faulty, all=every)
    return tuple(found)


def _row(number: int, cells: Sequence[str], columns: Columns) -> Row:
    said = {ours: _joined(cells, places, ours) for ours, places in columns.places.items()}
    weight, shape = said.pop("weight_oz", "").strip(), said.pop("shape", "").strip().lower()
    faults: list[Fault] = []
    made: Address | None = None
    try:
        made = address(**said)
    except TowncircleError as error:
        faults += _faults(error, columns, said)
    ounces: Fraction | None = None
    if weight:
        try:
            ounces = _weight(weight)
        except BadInput as error:
            faults.append(Fault(column=columns.titles["weight_oz"], text=visible(weight, most=40), error=error))
    if shape and shape not in SHAPES:
        wrong = BadInput("rates.unknown-shape", text=visible(shape, most=20))
        faults.append(Fault(column=columns.titles["shape"], text=visible(shape, most=40), error=wrong))
    if len(cells) > columns.width and any(cell.strip() for cell in cells[columns.width :]):
        faults.append(Fault(column="", text="", error=BadInput("addresses.too-many-cells")))
    extra = {title: cells[place].strip() for title, place in columns.extra if place < len(cells)}
    for title, text in extra.items():
        if len(text) > LONGEST_CELL:
            long = BadInput("addresses.cell-too-long", heading=visible(title, most=40), most=LONGEST_CELL)
            faults.append(Fault(column=visible(title, most=40), text=visible(text, most=40), error=long))
    if faults or made is None:
        return FaultyRow(row=number, faults=tuple(faults))
    chosen = next((known for known in SHAPES if known == shape), None)
    return Recipient(row=number, address=made, weight_oz=ounces, shape=chosen, extra=extra)


def _joined(cells: Sequence[str], places: tuple[int, ...], ours: str) -> str:
    if len(places) == 1:
        place = places[0]
        return cells[place] if place < len(cells) else ""
    parts = [cells[place].strip() for place in places if place < len(cells)]
    return ("-" if ours == "zip" else " ").join(part for part in parts if part)


def _faults(error: TowncircleError, columns: Columns, said: Mapping[str, str]) -> list[Fault]:
    found = []
    for ground in error.grounds if isinstance(error, RefusedOnGrounds) else (error,):
        ours = str(ground.params.get("column", ""))
        found.append(
            Fault(column=columns.titles.get(ours, ours), text=visible(said.get(ours, ""), most=40), error=ground)
        )
    return found


@lru_cache(maxsize=1024)
def _weight(text: str) -> Fraction:
    return parse_weight(text)
