"""Where each request of a hybrid went: a notebook that outlives every kill.

Here: the notes, the mark that the service was moved for good, and that one host at a time writes them. Not here: who
decides where a request goes (`hybrid`).
Kept: a note is on the disk before the request goes anywhere. The last note of a request counts. A line that a power cut
or a full disk tore is taken off: what it would have noted was never sent. Any other line that cannot be read stops the
host, because without it a piece could be paid twice. The first line names the two devices, and whether the first one
had evidenced before there were notes (a line without that word is older, and is read as if it had).
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from towncircle.kernel.errors import BadInput, Refused

NOTES, MOVED = "hybrid.notes", "hybrid.moved"
FIRST, OTHER, NOWHERE = "first", "other", "-"
_PLACES = (FIRST, OTHER, NOWHERE)
_HEAD = "towncircle hybrid 1"
_USED, _NEW = "used", "new"


class Notebook:
    """Keep the notes of one hybrid in a folder; `first` and `other` name its devices, for good.

    `used` says, where the notes are founded now, that the first device has evidenced already.
    Raises `Refused` (world.hybrid-served, world.hybrid-notes, world.damaged), `BadInput` (world.hybrid-other).
    """

    def __init__(self, folder: Path, *, first: str = "", other: str = "", used: bool = True) -> None:
        self.path, self._moved = folder / NOTES, folder / MOVED
        self.first, self.other, self.used = first, other, used
        try:
            self._file = self.path.open("a+b", buffering=0)
        except OSError as error:
            raise Refused("world.hybrid-notes", path=self.path, what=_said(error)) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._places = self._read()
        except BlockingIOError as error:
            self._file.close()
            raise Refused("world.hybrid-served", folder=folder) from error
        except OSError as error:
            self._file.close()
            raise Refused("world.hybrid-notes", path=self.path, what=_said(error)) from error
        except (Refused, BadInput):
            self._file.close()
            raise

    def place(self, request: str) -> str:
        """Give where a request went; empty where it went nowhere."""
        place = self._places.get(request, NOWHERE)
        return "" if place == NOWHERE else place

    def note(self, request: str, place: str) -> None:
        """Note where a request goes, before it goes there. Raises `Refused` (world.hybrid-notes): nothing is noted."""
        assert "\n" not in request
        assert "\t" not in request
        self._write(f"{request}\t{place}\n")
        self._places[request] = place

    @property
    def moved(self) -> bool:
        """Tell whether the service was moved to the other device for good."""
        return self._moved.exists()

    def close(self) -> None:
        """Let another host have it."""
        self._file.close()

    def _read(self) -> dict[str, str]:
        self._file.seek(0)
        data = self._file.read()
        self._size = data.rfind(b"\n") + 1
        self._file.truncate(self._size)
        try:
            lines = data[: self._size].decode("ascii").split("\n")[:-1]
        except UnicodeDecodeError as error:
            raise self._damaged() from error
        if not lines:
            self._write("\t".join((_HEAD, self.first, self.other, _USED if self.used else _NEW)) + "\n")
            _sync(self.path.parent)
            return {}
        head, *rows = [line.split("\t") for line in lines]
        if not _is_head(head) or any(len(row) != 2 or row[1] not in _PLACES for row in rows):
            raise self._damaged()
        first, other = head[1:3]
        if (self.first or first, self.other or other) != (first, other):
            raise BadInput("world.hybrid-other", folder=self.path.parent, first=first, other=other)
        self.first, self.other, self.used = first, other, head[3:] != [_NEW]
        return dict(rows)

    def _damaged(self) -> Refused:
        return Refused("world.damaged", path=self.path, what="a line of it cannot be read")

    def _write(self, line: str) -> None:
        """Write a line to the disk, or take off what came of it."""
        data = line.encode("ascii")
        try:
            self._file.truncate(self._size)  # of a line that could not be taken off the last time
            if self._file.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # a full disk takes half a line
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(self._size)
            raise Refused("world.hybrid-notes", path=self.path, what=_said(error)) from error
        self._size += len(data)


def _is_head(head: list[str]) -> bool:
    return head[:1] == [_HEAD] and (len(head) == 3 or (len(head) == 4 and head[3] in (_USED, _NEW)))


def _said(error: OSError) -> str:
    return error.strerror or type(error).__name__


def refuse_notes(folder: Path) -> None:
    """Refuse a folder whose device is half of a hybrid. Raises `Refused` (world.hybrid-folder)."""
    if (folder / NOTES).exists():
        raise Refused("world.hybrid-folder", folder=folder)


def first_of(folder: Path) -> str:
    """Give the name of the hybrid's own device from its notes; empty where there are none yet."""
    try:
        head = (folder / NOTES).read_text(errors="replace").partition("\n")[0].split("\t")
    except OSError:
        return ""
    return head[1] if _is_head(head) else ""


def was_sent(folder: Path, request: str, *, other: str) -> bool:
    """Tell whether a hybrid's notes say that a request went to its hosted device; yes, where no note can say no."""
    head, places = _noted(folder, request)
    if not _is_head(head) or head[2] != other:
        return True
    return bool(places) and places[-1] not in (FIRST, NOWHERE)


def went_elsewhere(folder: Path, request: str, *, first: str) -> bool:
    """Tell whether a hybrid's notes say that a request went to its hosted device, and so not to its own."""
    head, places = _noted(folder, request)
    return _is_head(head) and head[1] == first and places[-1:] == [OTHER]


def _noted(folder: Path, request: str) -> tuple[list[str], list[str]]:
    """Give the head of the notes and where a request went, the last place at the end; nothing without notes."""
    try:
        lines = (folder / NOTES).read_text(errors="replace").split("\n")
    except OSError:
        return [], []
    places = [place for name, _, place in (line.partition("\t") for line in lines[1:]) if name == request]
    return lines[0].split("\t"), places


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
