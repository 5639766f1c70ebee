"""Looking up one caller in a host's list of stations, which may name a nation's.

Here: an index over the list as it lies in its file. Not here: what a caller may do, and who changes the list
(`stations`).
Kept: a list is read whole once after each change, in parts; then one caller costs one place of the file, so neither
memory nor time of a command grows with the list. A change is seen with the next look: the file that the index is of
is held open, so no other one can have its number.
"""

from __future__ import annotations

import json
import os
import re
import threading
from array import array
from bisect import bisect_left
from pathlib import Path
from typing import Any

_PRINT = re.compile(rb'"([0-9a-f]{64})"\s{0,8}:\s{0,8}\{')
_PRINTED = re.compile("[0-9a-f]{64}")
_DIGITS, _PLACES = 8, 32  # an entry of the index: so many first digits of a fingerprint, so many bits for its place
_AT_ONCE, _LONGEST = 1 << 20, 96  # bytes; what is read at once, and no shorter than what `_PRINT` finds
_FIRST = 512  # bytes; holds a row that names a few devices
_Mark = tuple[int, int, int, int]


class Enrolled:
    """Look up callers in a list of stations. Any number of threads may ask."""

    def __init__(self, place: Path) -> None:
        self._place, self._lock = place, threading.Lock()
        self._file, self._mark = -1, (0, 0, 0, 0)
        self._index = array("Q")

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)

    def find(self, fingerprint: str) -> dict[str, Any] | None:
        """Give the row of a caller, or None. Raises `OSError`, `ValueError` for a list that cannot be read."""
        with self._lock:
            if _mark(self._place.stat()) != self._mark:
                self._read()
            if not _PRINTED.fullmatch(fingerprint):
                return None
            wanted = int(fingerprint[:_DIGITS], 16) << _PLACES
            at, found = bisect_left(self._index, wanted), None
            while at < len(self._index) and self._index[at] >> _PLACES == wanted >> _PLACES:
                place = self._index[at] & ((1 << _PLACES) - 1)
                if os.pread(self._file, 64, place + 1) == fingerprint.encode():
                    found = place  # of two rows the last one counts, as in all of JSON
                at += 1
            return None if found is None else self._row(found)

    def _read(self) -> None:
        """Index the list as it is now."""
        file = os.open(self._place, os.O_RDONLY | os.O_CLOEXEC)
        try:
            mark, entries = _mark(os.fstat(file)), list[int]()
            if os.pread(file, 1, 0) != b"{" or not os.pread(file, 9, max(0, mark[2] - 8)).rstrip().endswith(b"}"):
                raise ValueError("it is no table")
            for begin in range(0, mark[2], _AT_ONCE):
                part = os.pread(file, _AT_ONCE + _LONGEST, begin)
                found = (one for one in _PRINT.finditer(part) if one.start() < _AT_ONCE)
                entries += [int(one[1][:_DIGITS], 16) << _PLACES | begin + one.start() for one in found]
        except BaseException:
            os.close(file)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._mark, self._index = file, mark, array("Q", sorted(entries))

    def _row(self, place: int) -> dict[str, Any]:
        size = _FIRST
        while True:
            text = os.pread(self._file, size, place + 66).decode(errors="replace")
            try:
                row, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
            except ValueError:
                if len(text) < size // 4:  # characters of four bytes at most: the end of the file is in it
                    raise
                size *= 16
            else:
                assert isinstance(row, dict)
                return row


def _mark(shown: os.stat_result) -> _Mark:
    return shown.st_dev, shown.st_ino, shown.st_size, shown.st_mtime_ns
