"""The names of a device's keys in its token, written down before a key is made and until it is destroyed.

Here: the list, a file beside the device's store. Not here: the token (`pkcs11`).
Kept: a name is on the disk before the token makes a key under it, and is taken off only after the token has destroyed
it. So a key whose device never came to use it, or whose end a dead token did not hear of, is destroyed at a later
start: what is in the list and not in the device's state is nobody's. A key of a release before the list is not in it.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from towncircle.kernel.errors import Refused

FILE = "token.names"


class TokenNames:
    """Keep names of keys in a file of a folder. Raises `Refused` (psd.keys-unclear) where it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._place = folder / FILE

    def all(self) -> list[bytes]:
        """Give the names, in the order in which they came."""
        try:
            return [bytes.fromhex(line) for line in self._place.read_text(encoding="ascii").splitlines()]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise Refused("psd.keys-unclear", path=self._place) from error

    def add(self, name: bytes) -> None:
        """Write a name down, durably."""
        self._write([*self.all(), name])

    def remove(self, names: Collection[bytes]) -> None:
        """Take names off; what cannot be written now stays, and is asked of the token again."""
        left = [name for name in self.all() if name not in names]
        with suppress(OSError):
            self._write(left)

    def _write(self, names: list[bytes]) -> None:
        draft = self._place.with_suffix(".new")
        with draft.open("w", encoding="ascii") as file:
            file.write("".join(f"{name.hex()}\n" for name in names))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._place)
        handle = os.open(self._place.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
