"""SQLite files that somebody else made: read as tables of bounded size, in bounded time.

Here: opening one, and asking it. Not here: what its tables mean (`address_source`).
Kept: a file is opened for reading alone and has plain tables and indexes only: no view, trigger, virtual table or
column that is worked out, so that nothing of it runs. Each question has a budget of steps, each value a greatest
length.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

MOST_BYTES = 1 << 34  # house: 16 GiB, of a file
_LONGEST = 1 << 16  # house: bytes of one value, one row, or the SQL of one table
_MOST_STEPS = 2_000  # house: of a question, each a thousand instructions of SQLite's machine: under a second
_MOST_ENTRIES = 200  # house: tables and indexes of a file


class Unusable(Exception):
    """Say why a file cannot be used."""


class ForeignFile:
    """Read a file that may be anything. Each of its methods raises `Unusable`."""

    def __init__(
        self, path: Path, *, needed: Mapping[str, set[str]], optional: Mapping[str, set[str]] | None = None
    ) -> None:
        """Open a file that has these tables, and may have others, each with at least these columns."""
        if not path.is_file():
            raise Unusable("there is no such file")
        if path.stat().st_size > MOST_BYTES:
            raise Unusable(f"it is larger than {MOST_BYTES:,} bytes")
        self._steps = 0
        try:
            self._held = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)
        except sqlite3.Error as error:
            raise Unusable(str(error)) from error
        try:
            self._held.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
            self._held.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            self._held.set_progress_handler(self._step, 1_000)
            self.ask("PRAGMA trusted_schema = OFF")
            self._check_plain()
            self.columns = {table: self._columns(table) for table in (*needed, *(optional or {}))}
        except Unusable:
            self._held.close()
            raise
        for table, columns in {**needed, **(optional or {})}.items():
            if not columns <= self.columns[table] and (table in needed or self.columns[table]):
                self._held.close()
                raise Unusable(f"it lacks the table {table} ({', '.join(sorted(columns))})")

    def close(self) -> None:
        """Close the file."""
        self._held.close()

    def ask(self, question: str, values: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
        """Give the rows that answer a question, whose own LIMIT bounds them."""
        self._steps = 0
        try:
            return self._held.execute(question, values).fetchall()
        except sqlite3.Error as error:
            if self._steps > _MOST_STEPS:
                raise Unusable("a look-up takes too long: it needs an index") from error
            raise Unusable(str(error)) from error

    def _step(self) -> int:
        self._steps += 1
        return self._steps > _MOST_STEPS

    def _check_plain(self) -> None:
        entries = self.ask("SELECT type, rootpage FROM sqlite_master LIMIT ?", (_MOST_ENTRIES + 1,))
        if len(entries) > _MOST_ENTRIES:
            raise Unusable(f"it has more than {_MOST_ENTRIES} tables and indexes")
        if any(kind not in ("table", "index") or not page for kind, page in entries):
            raise Unusable("it has a view, a trigger or a virtual table: plain tables only")

    def _columns(self, table: str) -> set[str]:
        """Give the columns of a table, none where there is no such table."""
        rows = self.ask("SELECT name, hidden FROM pragma_table_xinfo(?) LIMIT 2000", (table,))
        if any(hidden for _, hidden in rows):
            raise Unusable(f"a column of {table} is worked out: plain columns only")
        return {str(name) for name, _ in rows}
