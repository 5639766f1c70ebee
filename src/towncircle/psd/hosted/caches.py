"""What a host keeps at hand, bounded: devices, opened keys, and the watch over its resident memory.

Here: key slots over a bounded table, and the watch. Not here: the table (`psd.recent`), and what a device is.
Kept: the setting is a bound on the process's resident memory; tables are sized by it, and shrink when the process
comes near it all the same.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

from towncircle.kernel.randomness import Randomness
from towncircle.pki.keyfile import SecretProvider
from towncircle.pki.keys import Signer
from towncircle.psd.keys import SoftwareSlots, check_here
from towncircle.psd.recent import Recent
from towncircle.psd.state import SealedKey

MIB = 1 << 20
DEFAULT_LIMIT = 300 * MIB
_BASE = 80 * MIB  # the program itself, with the largest group in flight
_EACH = 12 * 1024  # a device at hand with its opened key, measured with room to spare
_SMALLEST = 256
_COLLECT_AFTER = 50_000


class RecentSlots(SoftwareSlots):
    """Keep opened keys only while they are used: at most `limit` of them lie in memory."""

    def __init__(self, secret: SecretProvider, randomness: Randomness, *, limit: int) -> None:
        super().__init__(secret, randomness)
        self.opened: Recent[bytes, Signer] = Recent(limit)

    def signer(self, slot: SealedKey) -> Signer:
        """Open a slot for signing, or take the opened one."""
        held = self.opened.get(slot.public)
        if held is None:
            held = self._open(slot.public, slot.sealed, self._secret)
            self.opened.put(slot.public, held)
        return held

    def drop(self) -> None:
        """Forget every opened key."""
        super().drop()
        self.opened.clear()

    def destroy(self, *ended: SealedKey) -> None:
        """Forget the keys that have ended; those of other devices stay at hand. Raises `Refused` (psd.token-unset)."""
        check_here(ended)
        for key in ended:
            self.opened.drop(key.public)


def entries_for(limit: int) -> int:
    """Say how many devices may be at hand under a limit of resident memory (bytes)."""
    return max(_SMALLEST, (limit - _BASE) // _EACH)


def calm_collector() -> None:
    """Have Python look for cycles less often: a host makes many short-lived records and hardly any cycle."""
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 100)


def resident() -> int:
    """Measure the resident memory of this process in bytes; 0 where the system does not tell."""
    try:
        fields = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


class Watch:
    """Watch resident memory and shrink tables before it passes the limit."""

    def __init__(self, limit: int, tables: tuple[Recent[object, object], ...], *, every: int = 16) -> None:
        self._limit, self._tables, self._every, self._turn = limit, tables, every, 0

    def look(self) -> None:
        """Look once in a while; over nine tenths of the limit, halve the tables."""
        self._turn += 1
        if self._turn % self._every or resident() * 10 <= self._limit * 9:
            return
        for table in self._tables:
            table.shrink(max(_SMALLEST, len(table) // 2))
        gc.collect()
