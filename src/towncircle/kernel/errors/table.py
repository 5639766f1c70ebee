"""The one table of error codes, put together from one sheet a room.

Here: the union of the sheets and its look-up. Not here: exceptions (`towncircle.kernel.errors`).
A code is `room.what-went-wrong`. A new code arrives with its row; `docs/errors.md` is generated from this table.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from towncircle.kernel.errors import BrokenInvariant, Kind, Row


def _read_sheets() -> dict[str, Row]:
    from towncircle.kernel.errors import sheets

    rows: dict[str, Row] = {}
    for module in iter_modules(sheets.__path__):
        sheet: dict[str, Row] = import_module(f"{sheets.__name__}.{module.name}").ROWS
        doubled = rows.keys() & sheet.keys()
        assert not doubled, f"error codes in two sheets: {sorted(doubled)}"
        rows.update(sheet)
    return rows


ERRORS = MappingProxyType(_read_sheets())


def row_of(code: str, kind: Kind) -> Row:
    """Look up a code. A code that is missing, or is of another kind, is a defect of this program."""
    row = ERRORS.get(code)
    if row is None:
        raise BrokenInvariant("kernel.unknown-error-code", unknown=code)
    if row.kind != kind:
        raise BrokenInvariant("kernel.error-kind-mismatch", unknown=code, kind=kind)
    return row
