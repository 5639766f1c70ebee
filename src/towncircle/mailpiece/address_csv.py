"""CSV files of addresses, in any encoding and with any usual divider, read row by row.

Here: telling encoding and divider, and the rows. Not here: what a row means (`address_files`), workbooks
(`address_xlsx`).
Kept: an encoding is told only from what proves it: a byte order mark, the zeros of UTF-16, bytes that are UTF-8 from
the first to the last. Windows-1252 is assumed for the rest, and that is said; whoever knows better names it. However a
file is made, one row takes at most `LONGEST_ROW` characters of memory and a file at most `MOST_BYTES`.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.address_columns import known_headings
from towncircle.mailpiece.harmless import visible

MOST_BYTES = 512 << 20  # house
LONGEST_ROW = 1 << 16  # house, characters: some hundred times an address
DIVIDERS = (",", ";", "\t", "|")
ASSUMED = "cp1252"
_CHUNK = 1 << 20
_SAMPLE = 4096
_MARKS = (  # UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_LETTERS = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))  # Windows-1252 gives these no meaning
_NOT_OF_FILES = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvTable:
    """Hold how a CSV file is written; `records` reads it. `assumed`: nothing in the file proves its encoding."""

    path: Path
    label: str
    encoding: str
    assumed: bool
    divider: str
    first_line: int

    @property
    def told(self) -> str:
        """Say how the file is written."""
        dividers = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
        return f"CSV, {self.encoding}{' (assumed)' if self.assumed else ''}, {dividers.get(self.divider, self.divider)}"

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Give each row that is not blank with the line it begins at. Raises `BadInput` where the file breaks."""
        with _opened(self.path, self.label) as raw, _text(raw, self.encoding) as text:
            for _ in range(self.first_line - 1):
                text.readline(LONGEST_ROW)
            lines = _Lines(text, self.label)
            rows = csv.reader(lines, delimiter=self.divider, strict=True)
            start = self.first_line
            try:
                for row in rows:
                    lines.spent = 0
                    if any(row) and any(cell.strip() for cell in row):
                        yield start, row
                    start = self.first_line + rows.line_num
            except csv.Error as error:
                raise BadInput("addresses.not-csv", path=self.label, row=start, why=str(error)) from error
            except UnicodeError as error:  # also where UTF-16 has no byte order mark
                raise BadInput(
                    "addresses.encoding-broken", path=self.label, encoding=self.encoding, row=start
                ) from error


class _Lines:
    """Hand lines to the CSV reader, and stop a row that is too long before it is whole."""

    def __init__(self, text: TextIO, label: str) -> None:
        self._text = text
        self._label = label
        self.spent = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST_ROW + 1):
            self.spent += len(line)
            if self.spent > LONGEST_ROW:
                raise BadInput("addresses.row-too-long", path=self._label, most=LONGEST_ROW)
            yield line


def csv_table(path: Path, *, label: str, encoding: str = "", divider: str = "") -> CsvTable:
    """Tell how a CSV file is written, or take what is named.

    Raises `BadInput`: addresses.no-file, .too-large, .encoding-unknown, .encoding-broken, .encoding-strange.
    """
    assumed = False
    if encoding:
        name = _codec(encoding)
    else:
        with _opened(path, label) as raw:
            name, assumed = _told(raw, label)
    head = _head(path, label, name)
    first_line = 1
    if head.lower().startswith("sep=") and len(head.splitlines()[0]) == 5:  # what spreadsheet programs write
        divider, first_line = divider or head[4], 2
        head = head[head.index("\n") + 1 :] if "\n" in head else ""
    return CsvTable(
        path=path, label=label, encoding=name, assumed=assumed, divider=divider or _divider(head), first_line=first_line
    )


def _opened(path: Path, label: str) -> BinaryIO:
    try:
        raw = path.open("rb")
    except OSError as error:
        raise BadInput("addresses.no-file", path=label, why=error.strerror or "unreadable") from error
    try:
        size = raw.seek(0, io.SEEK_END)
        raw.seek(0)
    except OSError as error:
        raw.close()
        raise BadInput("addresses.no-file", path=label, why=error.strerror or "unreadable") from error
    if size > MOST_BYTES:
        raw.close()
        raise BadInput("addresses.too-large", path=label, most=MOST_BYTES >> 20)
    return raw


def _text(raw: BinaryIO, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="")


def _codec(name: str) -> str:
    """Take the name of an encoding of text. Raises `BadInput` (addresses.encoding-strange)."""
    try:
        codec = codecs.lookup(name).name
        "".encode(codec)  # refuses what turns bytes into bytes
    except (LookupError, ValueError) as error:
        raise BadInput("addresses.encoding-strange", encoding=visible(name, most=40)) from error
    if codec in _NOT_OF_FILES:
        raise BadInput("addresses.encoding-strange", encoding=visible(name, most=40))
    return codec


def _told(raw: BinaryIO, label: str) -> tuple[str, bool]:
    """Tell the encoding of a file from all its bytes, and whether it is only assumed."""
    sample = raw.read(_SAMPLE)
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name, False
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) > len(sample) // 5 and min(even, odd) * 4 < max(even, odd):
        return ("utf-16-be" if even > odd else "utf-16-le"), False
    raw.seek(0)
    strict, loose = (codecs.getincrementaldecoder("utf-8")(how) for how in ("strict", "replace"))
    proved, letters, damaged, meaningless = True, 0, 0, False
    while chunk := raw.read(_CHUNK):
        if proved:
            try:
                strict.decode(chunk)
            except UnicodeDecodeError:
                proved = False
        if not chunk.isascii():
            seen = loose.decode(chunk)
            broken = seen.count("\ufffd")
            letters += len(seen) - len(seen.encode("ascii", "ignore")) - broken
            damaged += broken
            meaningless = meaningless or len(chunk.translate(None, _NO_LETTERS)) != len(chunk)
    try:
        strict.decode(b"", final=True)
    except UnicodeDecodeError:
        proved = False
    if proved:
        return "utf-8", False
    if letters > damaged:
        raise BadInput("addresses.encoding-broken", path=label, encoding="utf-8", row="some")
    if meaningless:
        raise BadInput("addresses.encoding-unknown", path=label)
    return ASSUMED, True


def _head(path: Path, label: str, encoding: str) -> str:
    """Read the first line, and the one after it where the first names the divider."""
    with _opened(path, label) as raw, _text(raw, encoding) as text:
        try:
            return text.readline(LONGEST_ROW) + text.readline(LONGEST_ROW)
        except UnicodeError as error:
            raise BadInput("addresses.encoding-broken", path=label, encoding=encoding, row=1) from error


def _divider(head: str) -> str:
    """Choose the divider under which the header has the most headings that are known, then the most at all."""

    def worth(divider: str) -> tuple[int, int]:
        try:
            header = next(csv.reader(head.splitlines(keepends=True), delimiter=divider), [])
        except csv.Error:
            return 0, 0
        return known_headings(header), len(header)

    return max(DIVIDERS, key=worth)
