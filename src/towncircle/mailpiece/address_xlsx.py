"""Workbooks (XLSX) of addresses, read row by row.

Here: the parts of a workbook and how large they may be. Not here: their XML (`address_xml`), what a row means
(`address_files`), CSV (`address_csv`).
Kept: the list of a workbook's parts, the size of each and how far it is compressed are bounded before one byte is
unpacked, and what is unpacked is read in small pieces. Formulas are never computed: a cell has the value that the
spreadsheet program saved, or none. Nothing that a workbook links to is opened.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.address_xml import Names, Rows, Strings, parsed
from towncircle.mailpiece.harmless import visible

MOST_BYTES = 64 << 20  # house, of the file
MOST_UNPACKED = 512 << 20  # house, of the sheet
MOST_STRINGS = 128 << 20  # house, of the shared strings, which are held in memory
MOST_NAMES = 4 << 20  # house, of the parts that only name others
MOST_LIST = 1 << 20  # house, of the list of parts
MOST_SHRUNK = 100  # house: a sheet of addresses shrinks to a tenth
SMALL = 1 << 20  # house: what is smaller may shrink as it likes
FOLDER, BOOK = "xl", "workbook.xml"  # where the parts of a workbook stand
STRINGS = f"{FOLDER}/sharedStrings.xml"
ZIP_MARK, OLD_MARK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True, kw_only=True)
class XlsxTable:
    """Hold which sheet of a workbook is read; `records` reads it."""

    path: Path
    label: str
    sheet: str
    part: str

    @property
    def told(self) -> str:
        """Say how the file is written."""
        return f"XLSX, sheet {visible(self.sheet, most=31)}"

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Give each row that is not blank with its number. Raises `BadInput` where the workbook breaks."""
        with _opened(self.path, self.label) as book:
            strings = Strings()
            if STRINGS in book.namelist():
                with _part(book, STRINGS, MOST_STRINGS, self.label) as part:
                    for _ in parsed(part, strings.begin, strings.end, strings.text, label=self.label):
                        pass
            rows = Rows(strings)
            with _part(book, self.part, MOST_UNPACKED, self.label) as part:
                for _ in parsed(part, rows.begin, rows.end, rows.text, label=self.label):
                    for number, cells in rows.done:
                        if any(type(cell) is not str or cell.strip() for cell in cells):
                            yield number, cells
                    rows.done.clear()


def xlsx_table(path: Path, *, label: str, sheet: str = "") -> XlsxTable:
    """Choose the sheet of a workbook: the one named, or the first that is not hidden.

    Raises `BadInput`: addresses.no-file, .too-large, .workbook-broken, .workbook-bomb, .workbook-old, .no-such-sheet.
    """
    names = Names()
    with _opened(path, label) as book:
        for name in (f"{FOLDER}/{BOOK}", f"{FOLDER}/_rels/{BOOK}.rels"):
            with _part(book, name, MOST_NAMES, label) as part:
                for _ in parsed(part, names.begin, lambda _: None, lambda _: None, label=label):
                    pass
    for name, relation, seen in names.sheets:
        if name == sheet or (not sheet and seen):
            target = posixpath.normpath(posixpath.join(f"/{FOLDER}", names.targets.get(relation, ""))).lstrip("/")
            return XlsxTable(path=path, label=label, sheet=name, part=target)
    known = ", ".join(visible(name, most=31) for name, _, _ in names.sheets[:20]) or "none"
    raise BadInput("addresses.no-such-sheet", path=label, sheet=visible(sheet, most=31), known=known)


class _Careful(io.RawIOBase):
    """Read a file, never much at once: the list of parts of a forged workbook can claim any length."""

    def __init__(self, raw: BinaryIO, label: str) -> None:
        self._raw = raw
        self._label = label

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def read(self, size: int = -1, /) -> bytes:
        if size > MOST_LIST:
            raise BadInput("addresses.workbook-bomb", path=self._label, what="its list of parts is too long")
        return self._raw.read(size if size >= 0 else MOST_LIST)


@contextmanager
def _opened(path: Path, label: str) -> Iterator[zipfile.ZipFile]:
    try:
        with path.open("rb") as raw:
            if raw.seek(0, io.SEEK_END) > MOST_BYTES:
                raise BadInput("addresses.too-large", path=label, most=MOST_BYTES >> 20)
            raw.seek(0)
            if raw.read(4) == OLD_MARK:
                raise BadInput("addresses.workbook-old", path=label)
            raw.seek(0)
            with zipfile.ZipFile(_Careful(raw, label)) as book:
                yield book
    except OSError as error:
        raise BadInput("addresses.no-file", path=label, why=error.strerror or "unreadable") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise BadInput("addresses.workbook-broken", path=label, why=visible(str(error), most=80)) from error


@contextmanager
def _part(book: zipfile.ZipFile, name: str, most: int, label: str) -> Iterator[BinaryIO]:
    """Open a part, unless what it claims to be is too much. What it really is, is never more than it claims."""
    try:
        told = book.getinfo(name)
    except KeyError as error:
        raise BadInput("addresses.workbook-broken", path=label, why=f"it has no part {name}") from error
    if told.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInput("addresses.workbook-broken", path=label, why="a part is packed in a way workbooks do not use")
    if told.file_size > most:
        raise BadInput("addresses.workbook-bomb", path=label, what=f"a part is larger than {most >> 20} MiB")
    if told.file_size > SMALL and told.file_size > MOST_SHRUNK * told.compress_size:
        raise BadInput(
            "addresses.workbook-bomb", path=label, what=f"a part unpacks to over {MOST_SHRUNK} times its size"
        )
    with book.open(told) as part:
        yield part  # type: ignore[misc]  # a ZipExtFile reads as a BinaryIO does
