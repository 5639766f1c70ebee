"""Files of addresses: each row a recipient, or everything that is wrong with it.

`open_addresses(path)` reads the header and raises `BadInput` for a file that cannot be used at all. The `AddressFile`
it gives is iterated: a generator of rows in the order of the file, each a `Recipient` or a `FaultyRow`, in bounded
memory however long the file is. `good` and `faulty` count what has been given so far; iterating again reads the file
again.
Columns: name, company, urbanization, street, street2, city, state, zip, country, weight_oz, shape, and those of
`row_rates`, under many headings or those that `--map` names; every other column is carried along in `Recipient.extra`
by its heading.

Here: rows to recipients. Not here: one address (`addresses`), the headings (`address_columns`), how files are written
(`address_csv`, `address_xlsx`).
Kept: a row is used whole or not at all, and a faulty one is told with every fault: row, column, code, sentence and
next step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Protocol

from towncircle.kernel.errors import BadInput, RefusedOnGrounds, TowncircleError
from towncircle.mailpiece.address_cells import Number, Unusable
from towncircle.mailpiece.address_columns import Chosen, Columns, columns_of
from towncircle.mailpiece.address_csv import csv_table
from towncircle.mailpiece.address_source import AddressSource, ZipTable, places_of
from towncircle.mailpiece.address_xlsx import OLD_MARK, ZIP_MARK, xlsx_table
from towncircle.mailpiece.addresses import Address, address
from towncircle.mailpiece.harmless import uncelled, visible
from towncircle.mailpiece.rates import SHAPES, Shape
from towncircle.mailpiece.row_rates import COLUMNS, NOTHING, RowRate, row_rate
from towncircle.mailpiece.standard_form import Change, in_standard_form
from towncircle.mailpiece.weights import parse_weight

EMBEDDED = ZipTable()
MOST_ROWS = 1_000_000  # house
LONGEST_CELL = 1_000  # house, characters of a column that is carried along
_WHOLE = (5, 9, 11)  # digits of a ZIP Code, with ZIP+4, with the delivery point
MOST_TOLD = 1_000  # faulty rows that `read_addresses` keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Hold one row of an address file: where it goes, and what else the row says.

    `row` is the line (of a workbook the row) it stands in, `weight_oz` and `shape` are None where the file says
    nothing, `rate` what else it says of the piece, `extra` holds the other columns by their headings, stripped.
    `changes` says what standard form or the address data changed, `verified_by` which data verified the ZIP+4 ('' where
    nobody did).
    """

    row: int
    address: Address
    weight_oz: Fraction | None
    shape: Shape | None
    rate: RowRate = NOTHING
    extra: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    verified_by: str = ""


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

    def __init__(
        self, table: Table, columns: Columns, *, label: str, source: AddressSource = EMBEDDED, standardise: bool = False
    ) -> None:
        self.table = table
        self.columns = columns
        self.label = label
        self.source = source
        self._places = places_of(source)
        self.standardise = standardise
        self.good = 0
        self.faulty = 0
        self._rated = [ours for ours in COLUMNS if ours in columns.places]

    def __iter__(self) -> Iterator[Row]:
        """Give each row. Raises `BadInput` (addresses.*) where the file itself breaks, after the rows before it."""
        self.good = self.faulty = 0
        records = self.table.records()
        next(records, None)
        for number, cells in records:
            row = self._row(number, cells)
            if isinstance(row, Recipient):
                self.good += 1
            else:
                self.faulty += 1
            if self.good + self.faulty > MOST_ROWS:
                raise BadInput("addresses.too-many", path=self.label, most=MOST_ROWS)
            yield row

    def _row(self, number: int, cells: Sequence[str]) -> Row:
        columns = self.columns
        said = {ours: uncelled(_joined(cells, places, ours)) for ours, places in columns.places.items()}
        weight, shape = said.pop("weight_oz", "").strip(), said.pop("shape", "").strip().lower()
        rated = {ours: said.pop(ours) for ours in self._rated}
        changes: tuple[Change, ...] = ()
        if self.standardise:
            said, changes = in_standard_form(said, self._places)
        faults: list[Fault] = []
        made, by = None, ""
        try:
            made, more, by = _matched(address(**said, places=self._places), self.source)
            changes += more
        except TowncircleError as error:
            faults += _faults(error, columns, said)
        ounces: Fraction | None = None
        if weight:
            try:
                ounces = _weight(weight, columns.unit)
            except BadInput as error:
                faults.append(Fault(column=columns.titles["weight_oz"], text=visible(weight, most=40), error=error))
        if shape and shape not in SHAPES:
            wrong = BadInput("rates.unknown-shape", text=visible(shape, most=20))
            faults.append(Fault(column=columns.titles["shape"], text=visible(shape, most=40), error=wrong))
        rate = NOTHING
        if rated:
            rate, wrong_rates = row_rate(rated)
            faults += [
                Fault(column=columns.titles[ours], text=visible(rated[ours], most=40), error=error)
                for ours, error in wrong_rates
            ]
        extra = {title: cells[place].strip() for title, place in columns.extra if place < len(cells)}
        faults = _cell_faults(cells, columns, extra, faults)
        if faults or made is None:
            return FaultyRow(row=number, faults=tuple(faults))
        chosen = next((known for known in SHAPES if known == shape), None)
        return Recipient(
            row=number, address=made, weight_oz=ounces, shape=chosen, rate=rate, extra=extra, changes=changes,
            verified_by=by,
        )  # fmt: skip


def open_addresses(
    path: Path,
    *,
    chosen: Chosen | None = None,
    encoding: str = "",
    divider: str = "",
    sheet: str = "",
    source: AddressSource = EMBEDDED,
    standardise: bool = False,
) -> AddressFile:
    """Open a file of addresses and read its header; `chosen` says which headings are ours (`parse_map`).

    What a file is, is told from its first bytes, not from its name; `encoding` and `divider` are for CSV, `sheet` for a
    workbook. `standardise` puts each address into the form of Publication 28 (`standard_form`); `source` is the address
    data that verify a ZIP+4 or add one. Raises `BadInput` (addresses.*) for a file that cannot be used.
    """
    label = visible(path.name, most=80)
    table = _table(path, label=label, encoding=encoding, divider=divider, sheet=sheet)
    records = table.records()
    first = next(records, None)
    if first is None or next(records, None) is None:
        raise BadInput("addresses.empty", path=label)
    columns = columns_of(first[1], chosen or {}, label=label)
    return AddressFile(table, columns, label=label, source=source, standardise=standardise)


def _table(path: Path, *, label: str, encoding: str, divider: str, sheet: str) -> Table:
    try:
        with path.open("rb") as raw:
            mark = raw.read(4)
    except OSError as error:
        raise BadInput("addresses.no-file", path=label, why=error.strerror or "unreadable") from error
    if mark in (ZIP_MARK, OLD_MARK):
        return xlsx_table(path, label=label, sheet=sheet)
    return csv_table(path, label=label, encoding=encoding, divider=divider)


def read_addresses(
    source: Path,
    *,
    chosen: Chosen | None = None,
    encoding: str = "",
    divider: str = "",
    sheet: str = "",
    standardise: bool = False,
    data: AddressSource = EMBEDDED,
) -> tuple[Recipient, ...]:
    """Read a whole file of addresses that must be without a fault, as `open_addresses` does.

    Raises `BadInput` (addresses.*) for a file that cannot be used and `RefusedOnGrounds` (addresses.faulty-rows) with a
    ground for every faulty row, the first thousand of them.
    """
    how: dict[str, Any] = {"encoding": encoding, "divider": divider, "sheet": sheet, "standardise": standardise}
    return _whole(open_addresses(source, chosen=chosen, source=data, **how))


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


def _cell_faults(cells: Sequence[str], columns: Columns, extra: Mapping[str, str], faults: list[Fault]) -> list[Fault]:
    """Add what is wrong with single cells to the faults of a row; a cell that cannot be used has no other fault."""
    for place, cell in enumerate(cells):
        if type(cell) is Unusable:
            heading = columns.heading(place)
            faults = [one for one in faults if one.column != heading]
            faults.append(Fault(column=heading, text=visible(cell, most=40), error=cell.error))
    if len(cells) > columns.width and any(cell.strip() for cell in cells[columns.width :]):
        faults.append(Fault(column="", text="", error=BadInput("addresses.too-many-cells")))
    for title, text in extra.items():
        if len(text) > LONGEST_CELL:
            long = BadInput("addresses.cell-too-long", heading=visible(title, most=40), most=LONGEST_CELL)
            faults.append(Fault(column=visible(title, most=40), text=visible(text, most=40), error=long))
    return faults


def matched(row: Recipient, source: AddressSource) -> Recipient:
    """Ask other address data about a row that was read. Raises `BadInput` (address.plus4-contradicted)."""
    made, changes, by = _matched(row.address, source)
    if not by:
        return row
    return replace(row, address=made, changes=row.changes + changes, verified_by=by)


def _matched(made: Address, source: AddressSource) -> tuple[Address, tuple[Change, ...], str]:
    """Ask the address data about an address. Raises `BadInput` (address.plus4-contradicted)."""
    match = source.match(made)
    if match.standing == "not verified":
        return made, (), ""
    if match.standing == "contradicted":
        told = {"zip": made.zip, "plus4": match.plus4, "name": visible(source.name, most=80), "edition": source.edition}
        raise BadInput("address.plus4-contradicted", column="zip", **told)
    by = f"{visible(source.name, most=80)} of {source.edition}"
    if match.standing == "verified":
        return made, (), by
    with_it = replace(made, plus4=match.plus4)
    return with_it, (Change(field="zip", before=made.zip, after=with_it.zip),), by


def _joined(cells: Sequence[str], places: tuple[int, ...], ours: str) -> str:
    if len(places) == 1 and ours != "zip":
        place = places[0]
        return cells[place] if place < len(cells) else ""
    if ours != "zip":
        return " ".join(part for part in (cells[place].strip() for place in places if place < len(cells)) if part)
    digits = [_digits(cells[place], part) for part, place in enumerate(places) if place < len(cells)]
    return "-".join(part for part in digits if part)


def _digits(cell: str, part: int) -> str:
    """Give the digits of a ZIP Code as they were meant.

    A number of a workbook has lost its leading zeros, and `="02108"` is how CSV keeps them.
    """
    if type(cell) is Number:
        if not cell.isdigit():
            return cell
        lengths = (_WHOLE, (4,), (2,))[min(part, 2)]
        return cell.zfill(next((length for length in lengths if len(cell) <= length), 0))
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell.strip()


def _faults(error: TowncircleError, columns: Columns, said: Mapping[str, str]) -> list[Fault]:
    found = []
    for ground in error.grounds if isinstance(error, RefusedOnGrounds) else (error,):
        ours = str(ground.params.get("column", ""))
        found.append(
            Fault(column=columns.titles.get(ours, ours), text=visible(said.get(ours, ""), most=40), error=ground)
        )
    return found


@lru_cache(maxsize=1024)
def _weight(text: str, unit: str) -> Fraction:
    return parse_weight(text, unit=unit)
