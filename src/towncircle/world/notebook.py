"""Where each request of a hybrid went: a notebook that outlives every kill.

Here: the notes, the mark that the service was moved for good, and that one host at a time writes them. Not here: who
decides where a request goes (`hybrid`).
Kept: a note is on the disk before the request goes anywhere. The last note of a request counts. A line that a power cut
tore is taken off: what it would have noted was never sent. Any other line that cannot be read stops the host, because
without it a piece could be paid twice.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from towncircle.kernel.errors import BadInput, Refused

NOTES, MOVED = "hybrid.notes", "hybrid.moved"
FIRST, OTHER, NOWHERE = "first", "other", "-"
_PLACES = (FIRST, OTHER, NOWHERE)
_HEAD = "towncircle hybrid 1"


class Notebook:
    """Keep the notes of one hybrid in a folder; `first` and `other` name its devices, for good.

    Raises `Refused` (world.hybrid-served, world.damaged), `BadInput` (world.hybrid-other).
    """

    def __init__(self, folder: Path, *, first: str = "", other: str = "") -> None:
        self.path, self._moved = folder / NOTES, folder / MOVED
        self._file = self.path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._places = self._read(first, other)
        except OSError as error:
            self._file.close()
            raise Refused("world.hybrid-served", folder=folder) from error
        except (Refused, BadInput):
            self._file.close()
            raise

    def place(self, request: str) -> str:
        """Give where a request went; empty where it went nowhere."""
        place = self._places.get(request, NOWHERE)
        return "" if place == NOWHERE else place

    def note(self, request: str, place: str) -> None:
        """Note where a request goes, before it goes there."""
        self._write(f"{request}\t{place}\n")
        self._places[request] = place

    @property
    def moved(self) -> bool:
        """Tell whether the service was moved to the other device for good."""
        return self._moved.exists()

    def close(self) -> None:
        """Let another host have it."""
        self._file.close()

    def _read(self, first: str, other: str) -> dict[str, str]:
        self._file.seek(0)
        data = self._file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._file.truncate(len(whole))
        lines = whole.decode(errors="replace").splitlines()
        if not lines:
            self.first, self.other = first, other
            self._write(f"{_HEAD}\t{first}\t{other}\n")
            _sync(self.path.parent)
            return {}
        head, *rows = [line.split("\t") for line in lines]
        if len(head) != 3 or head[0] != _HEAD or any(len(row) != 2 or row[1] not in _PLACES for row in rows):
            raise Refused("world.damaged", path=self.path, what="a line of it cannot be read")
        self.first, self.other = head[1:]
        if (first or self.first, other or self.other) != (self.first, self.other):
            raise BadInput("world.hybrid-other", folder=self.path.parent, first=self.first, other=self.other)
        return dict(rows)

    def _write(self, line: str) -> None:
        self._file.write(line.encode())
        self._file.flush()
        os.fsync(self._file.fileno())


def first_of(folder: Path) -> str:
    """Give the name of the hybrid's own device from its notes; empty where there are none yet."""
    try:
        head = (folder / NOTES).read_text(errors="replace").partition("\n")[0].split("\t")
    except OSError:
        return ""
    return head[1] if len(head) == 3 and head[0] == _HEAD else ""


def move(folder: Path) -> None:
    """Move the service of a hybrid to its hosted device for good; a host that runs heeds it at the next request.

    Raises `BadInput` (world.no-hybrid).
    """
    if not first_of(folder):
        raise BadInput("world.no-hybrid", folder=folder)
    with (folder / MOVED).open("a") as file:
        os.fsync(file.fileno())
    _sync(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
