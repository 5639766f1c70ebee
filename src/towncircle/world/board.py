"""The board where a world's Postal Service publishes, and the verifier who reads it.

Here: files put up whole, one publisher at a time, and the pack as a verifier takes it. Not here: what is published.
Kept: an older pack never replaces a newer one on the board; a verifier remembers the highest number it saw and takes no
lower one, because playing back an old list is how a stolen device would come clean.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.verification import Pack, load_pack
from towncircle.wire.message import peek

PACK = "published/pack.cose"
_SEEN = "verifier/last-pack"


class Board:
    """Publish and read in a world's folder."""

    def __init__(self, folder: Path, *, root: bytes) -> None:
        self._folder = folder
        self._root = root
        self._peeked: tuple[tuple[int, ...], int] = ((), 0)  # which file the pack was, and its number

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only publisher, among threads and processes."""
        guard = self._folder / "published" / ".lock"
        guard.parent.mkdir(parents=True, exist_ok=True)
        with guard.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def put(self, name: str, data: bytes) -> None:
        """Put up a file; a reader sees the old one or the new one, whole."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)

    def shown(self) -> int:
        """Give the number of the pack on the board, 0 where there is none; a pack's counter is its number."""
        try:
            about = (self._folder / PACK).stat()
            stamp = (about.st_mtime_ns, about.st_ino, about.st_size)
            if stamp != self._peeked[0]:
                self._peeked = stamp, peek((self._folder / PACK).read_bytes()).counter
        except (OSError, Refused):
            return 0
        return self._peeked[1]

    def pack(self, now: Instant) -> Pack:
        """Take the pack as a verifier does, with the pinned root. Raises `Refused` (world.damaged), naming the file."""
        last = self._seen()
        try:
            pack = load_pack(
                (self._folder / PACK).read_bytes(),
                root_fingerprint=self._root,
                anchor="test",
                now=now,
                last_number=last,
                stale_ok=True,
            )
        except (OSError, Refused) as error:
            what = error.sentence if isinstance(error, Refused) else error.strerror
            raise Refused("world.damaged", path=self._folder / PACK, what=what) from error
        if pack.number > last:
            self.put(_SEEN, f"{pack.number}\n".encode())
        return pack

    def _seen(self) -> int:
        try:
            return int((self._folder / _SEEN).read_text())
        except (OSError, ValueError):
            return 0
