"""The XML of a workbook, read piece by piece: no entities, no depth, no element without end.

Here: the one parser that all parts of a workbook go through, and the shared strings, names and rows that it gives.
Not here: the parts themselves and their sizes (`address_xlsx`).
Kept: a document type, which entities need, is refused at its first word; so is anything deeper than `DEEPEST` or an
element longer than `LONGEST_PIECE`. Of a text no more is kept than a cell may hold.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import BinaryIO
from xml.parsers import expat

from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.address_cells import Number, Unusable
from towncircle.mailpiece.address_columns import MOST_COLUMNS

DEEPEST = 32  # house
LONGEST_PIECE = 1 << 20  # house, bytes of one element with its attributes
LONGEST_TEXT = 32_767  # what a cell of a workbook may hold
_CHUNK = 1 << 16
_LETTERS = {letter: number for number, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", start=1)}
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

Begin = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


class _Hostile(Exception):
    """Say what in a document makes it unusable."""


class _Local(dict[str, str]):
    """Give the name of an element without its namespace."""

    def __missing__(self, name: str) -> str:
        if len(self) > MOST_COLUMNS:
            self.clear()
        self[name] = made = name.rpartition(" ")[2]
        return made


def parsed(part: BinaryIO, begin: Begin, end: End, text: Text, *, label: str) -> Iterator[None]:
    """Read a part, call back, and yield after every piece. Raises `BadInput` (addresses.workbook-broken)."""
    depth, local = 0, _Local()

    def _begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise _Hostile(f"it is nested deeper than {DEEPEST}")
        begin(local[name], attributes)

    def _end(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(local[name])

    def _type(*_: object) -> None:
        raise _Hostile("it declares a document type")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _type
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = _begin, _end, text
    fed = 0
    try:
        while chunk := part.read(_CHUNK):
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > LONGEST_PIECE:
                raise _Hostile("an element has no end")
            yield
        parser.Parse(b"", True)
        yield
    except (expat.ExpatError, _Hostile) as error:
        raise BadInput("addresses.workbook-broken", path=label, why=str(error)) from error


class Names:
    """Collect the sheets of a workbook and where its relations lead."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []  # name, relation, visible
        self.targets: dict[str, str] = {}

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """Take a sheet or a relation."""
        if name == "sheet" and len(self.sheets) < MOST_COLUMNS:
            relation = attributes.get(f"{_RELATION} id", "")
            self.sheets.append((attributes.get("name", ""), relation, attributes.get("state", "visible") == "visible"))
        elif name == "Relationship" and attributes.get("TargetMode") != "External" and len(self.targets) < 4096:
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


class Strings:
    """Keep the shared strings of a workbook close together: their bytes, and where each begins."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._starts = array("L", [0])
        self._parts: list[str] = []
        self._kept = 0
        self._reading = False
        self._aside = 0

    def begin(self, name: str, _: dict[str, str]) -> None:
        """Begin a string, or the reading aid of one, which is left out."""
        if name == "si":
            self._parts, self._kept = [], 0
        elif name == "rPh":
            self._aside += 1
        elif name == "t":
            self._reading = not self._aside

    def end(self, name: str) -> None:
        """End a string."""
        if name == "t":
            self._reading = False
        elif name == "rPh":
            self._aside -= 1
        elif name == "si":
            self._bytes += "".join(self._parts).encode("utf-8", "replace")
            self._starts.append(len(self._bytes))

    def text(self, piece: str) -> None:
        """Take a piece of a string, as far as a cell may hold it."""
        if self._reading and self._kept <= LONGEST_TEXT:
            self._parts.append(piece[: LONGEST_TEXT + 1])
            self._kept += len(piece)

    def __getitem__(self, number: int) -> str:
        """Give a string. Raises `IndexError`."""
        if number < 0:
            raise IndexError
        return self._bytes[self._starts[number] : self._starts[number + 1]].decode("utf-8")


class Rows:
    """Collect the rows of a sheet; `done` holds those that are whole and not taken yet."""

    def __init__(self, strings: Strings) -> None:
        self.done: list[tuple[int, list[str]]] = []
        self._strings = strings
        self._row = 0
        self._cells: list[str] = []
        self._place = 0
        self._type = ""
        self._parts: list[str] = []
        self._open = self._valued = False
        self._kept = 0
        self._formula = False

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """Begin a row, a cell, its formula or its value."""
        if name == "row":
            said = attributes.get("r", "")
            self._row = int(said) if said.isascii() and said.isdigit() and len(said) < 8 else self._row + 1
            self._cells, self._place = [], 0
        elif name == "c":
            said = attributes.get("r", "")
            self._place = _column(said) if said else self._place + 1
            self._type, self._formula = attributes.get("t", "n"), False
            self._parts, self._kept, self._open, self._valued = [], 0, False, False
        elif name in ("v", "t"):
            self._open = self._valued = True
        elif name == "f":
            self._formula = True

    def end(self, name: str) -> None:
        """End a value, a cell or a row."""
        if name in ("v", "t"):
            self._open = False
        elif name == "c":
            self._keep(self._cell())
        elif name == "row":
            self.done.append((self._row, self._cells))
            self._cells = []

    def text(self, piece: str) -> None:
        """Take a piece of a value, as far as a cell may hold it, in however many runs it stands."""
        if self._open and self._kept <= LONGEST_TEXT:
            self._parts.append(piece[: LONGEST_TEXT + 1])
            self._kept += len(piece)

    def _keep(self, cell: str) -> None:
        if not cell and not isinstance(cell, Unusable):
            return
        place = min(self._place, MOST_COLUMNS + 1)  # what stands further out is one cell too many
        if place > len(self._cells):
            self._cells += [""] * (place - len(self._cells))
        self._cells[place - 1] = cell

    def _cell(self) -> str:
        value = "".join(self._parts) if self._valued else None
        if value is None or (self._formula and not value and self._type != "str"):
            return Unusable.because(BadInput("addresses.formula-unvalued")) if self._formula else ""
        if self._type == "s":
            try:
                return self._strings[int(value)]
            except (ValueError, IndexError):
                return Unusable.because(BadInput("addresses.cell-broken"))
        if self._type == "e":
            return Unusable.because(BadInput("addresses.formula-failed", text=value[:20]), value[:20])
        return Number(_plain(value)) if self._type == "n" else value


def _plain(value: str) -> str:
    """Write a number without what a workbook adds: `2108.0` and `2.108E3` are 2108."""
    if value.isdigit():
        return value
    try:
        number = float(value) if len(value) < 40 else None
    except ValueError:
        return value
    if number is None or not number.is_integer() or abs(number) >= 1e15:
        return value
    return str(int(number))


def _column(reference: str) -> int:
    """Give the column of a cell reference such as `AB12`, from 1; a reference of no sense is far out."""
    number = 0
    for letter in reference[:4]:
        if letter not in _LETTERS:
            break
        number = number * 26 + _LETTERS[letter]
    return number or MOST_COLUMNS + 1
