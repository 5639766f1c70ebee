"""The names of a device's keys in its token, written down before a key is made and until it is destroyed.

Here: the list, a file beside the device's store. Not here: the token (`pkcs11`).
Kept: a name is on the disk before the token makes a key under it, and is taken off only after the token has destroyed
it. So a key whose device never came to use it, or whose end a dead token did not hear of, is destroyed at a later
start: what is in the list and not in the device's state is nobody's, if the state is not older than the key. With each
name stands the counter of the state that would have it first; a store that is not as far may be an older copy that was
put back, and what the true one uses is then left for good. A key of a release before the list is not in it.
Form: a line each, the name in hex and the counter; without one, of an earlier release, the name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

from towncircle.kernel.errors import Refused
from towncircle.pki import durable

FILE = "token.names"
NEVER = 2**63  # a store went back behind this name: no state's word alone makes it nobody's


class TokenNames:
    """Keep names of keys in a file of a folder. Raises `Refused` (psd.keys-unclear) where it cannot be read."""

    def __init__(self, folder: Path, counter: Callable[[], int]) -> None:
        """Take the folder, and what tells the counter of the device's state."""
        self._place, self._counter = folder / FILE, counter

    def all(self) -> list[bytes]:
        """Give the names, in the order in which they came."""
        return list(self._rows())

    def ended(self, held: Collection[bytes]) -> list[bytes]:
        """Give the names that are nobody's, where the state holds these."""
        rows, at = self._rows(), self._counter()
        known = {name: _known(told, at, held=name in held) for name, told in rows.items()}
        if known != rows:
            with suppress(OSError):
                self._write(known)
        return [name for name, told in known.items() if name not in held and told <= at]

    def add(self, name: bytes) -> None:
        """Write a name down, durably."""
        self._write({**self._rows(), name: self._counter() + 1})

    def remove(self, names: Collection[bytes]) -> None:
        """Take names off; what cannot be written now stays, and is asked of the token again."""
        left = {name: told for name, told in self._rows().items() if name not in names}
        with suppress(OSError):
            self._write(left)

    def _rows(self) -> dict[bytes, int]:
        try:
            parted = [line.partition(" ") for line in self._place.read_text(encoding="ascii").splitlines()]
            return {bytes.fromhex(name): int(told or 0) for name, _, told in parted}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Refused("psd.keys-unclear", path=self._place) from error

    def _write(self, rows: Mapping[bytes, int]) -> None:
        durable.keep(self._place, "".join(f"{name.hex()} {told}\n" for name, told in rows.items()).encode("ascii"))


def _known(told: int, at: int, *, held: bool) -> int:
    """Give the counter of a name as this start leaves it; a cut before a commit leaves the next one, and not more."""
    if held:
        return at if told in (0, NEVER) else told
    return NEVER if told > at + 1 else told
