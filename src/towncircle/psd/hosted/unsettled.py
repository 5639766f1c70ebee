"""Notes on keys in a token whose birth or end is not settled, in the folder that all hosts of a database share.

Here: the notes, what they say and who has them. Not here: what becomes of the keys (`tokens`).
Kept: a note is on the disk before the token makes a key, and before the commit that ends one. The group that writes it
holds it (a shared lock, which the end of its process gives back) until it knows what became of its commit; the worker
that makes a key holds it too meanwhile. Whoever settles a note has it alone, so nobody destroys what another is making.
A note goes only when everything in it is settled. What was written down under a database that went further than the one
that is served is set aside (`.kept`): it is the true one's, and nobody destroys it by counters that have caught up.

Form of a note: a line of JSON for each key: its device, counter and epoch as the store has them before the commit, its
name in the token, and whether it ends. A line that was cut is no key's: a key is made after its line is on the disk.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.pki import durable
from towncircle.pki.randomness import SystemRandomness

_NOTE, _DRAFT, _ASIDE = ".note", ".new", ".kept"


class Row(NamedTuple):
    """Tell of one key; `counter` and `epoch` are those that the commit expects in the store."""

    device: DeviceId
    counter: int
    epoch: int
    key: bytes
    ends: bool


class Note:
    """Be the note of one group, which holds it until it is let go."""

    def __init__(self, folder: Path, *, ending: str = _NOTE) -> None:
        name = SystemRandomness().take(16).hex()
        self.path, self.rows = folder / f"{name}{ending}", list[Row]()
        draft = folder / f"{name}{_DRAFT}"
        with _translated(folder):
            self._file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_APPEND, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_SH)  # before anybody can find it
            draft.replace(self.path)
            durable.sync(folder)

    def add(self, rows: Sequence[Row]) -> None:
        """Write keys down, durably. Raises `Refused` (psd.wrapping-failed)."""
        lines = "".join(f"\n{json.dumps({**row._asdict(), 'key': row.key.hex()})}" for row in rows).encode()
        with _translated(self.path.parent):
            if os.write(self._file, lines) < len(lines):
                raise OSError("the disk is full")
            os.fsync(self._file)
        self.rows += rows

    def let_go(self) -> None:
        """Leave it to whoever settles it."""
        with suppress(OSError):
            os.close(self._file)

    def remove(self) -> None:
        """Let go of it, settled; one that cannot be removed is settled again by whoever comes to it."""
        with suppress(OSError):
            self.path.unlink()
        self.let_go()


class Notes:
    """Keep the notes of a folder. Raises `Refused` (psd.wrapping-failed) where it cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _translated(folder):
            folder.mkdir(mode=0o700, exist_ok=True)

    def begin(self) -> Note:
        """Begin the note of a group."""
        return Note(self._folder)

    def left(self) -> list[Path]:
        """Name the notes that lie here, whoever has them."""
        with _translated(self._folder):
            return sorted(self._folder.glob(f"*{_NOTE}"))

    def of_ended(self, device: DeviceId) -> list[Path]:
        """Name the notes that say that a key of a device ends, whoever has them."""
        with _translated(self._folder):
            found = [place for place in self._folder.iterdir() if place.suffix in (_NOTE, _ASIDE)]
        return [place for place in found if any(row.ends and row.device == device for row in self._read(place))]

    def part(self, place: Path, *, aside: Sequence[Row], rest: Sequence[Row]) -> None:
        """Set keys of a note aside for good, and leave what else is not settled in a note of its own."""
        for rows, ending in ((aside, _ASIDE), (rest, _NOTE)):
            if rows:
                note = Note(self._folder, ending=ending)
                note.add(rows)
                note.let_go()
        self.remove(place)

    @contextmanager
    def alone(self, place: Path) -> Iterator[list[Row] | None]:
        """Have a note alone and give its keys, or give None where somebody has it or it is gone."""
        file = self._taken(place)
        try:
            yield None if file is None else self._read(place)
        finally:
            if file is not None:
                os.close(file)

    def _taken(self, place: Path) -> int | None:
        with _translated(self._folder), suppress(BlockingIOError, FileNotFoundError):
            file = os.open(place, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(file), place.stat()):
                    return file
            except BaseException:
                os.close(file)
                raise
            os.close(file)
        return None

    def _read(self, place: Path) -> list[Row]:
        rows, lines = [], list[str]()
        with _translated(self._folder), suppress(FileNotFoundError):  # it was settled meanwhile
            lines = place.read_text(encoding="ascii", errors="replace").splitlines()
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):  # a line that was cut
                told = json.loads(line)
                name, key = DeviceId(told["device"]), bytes.fromhex(told["key"])
                rows.append(Row(name, int(told["counter"]), int(told["epoch"]), key, bool(told["ends"])))
        return rows

    def remove(self, place: Path) -> None:
        """Remove a note that is settled."""
        with _translated(self._folder):
            place.unlink()


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refused("psd.wrapping-failed", path=folder, what=str(error)[:200]) from error
