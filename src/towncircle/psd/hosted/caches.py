"""What a host keeps at hand, bounded: devices, opened keys, and the watch over its resident memory.

Here: a small least-recently-used table, key slots over one, and the watch. Not here: what a device is.
Kept: the setting is a bound on the process's resident memory; tables are sized by it, and shrink when the process
comes near it all the same.
"""

from __future__ import annotations

import gc
import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Generic, TypeVar

from towncircle.kernel.randomness import Randomness
from towncircle.pki.keyfile import SecretProvider
from towncircle.pki.keys import Signer
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.state import SealedKey

K = TypeVar("K")
V = TypeVar("V")
MIB = 1 << 20
DEFAULT_LIMIT = 300 * MIB
_BASE = 90 * MIB  # the program itself, with the largest group in flight
_EACH = 20 * 1024  # a device at hand with its opened key, measured with room to spare
_SMALLEST = 256


class Recent(Generic[K, V]):
    """Keep the entries that were used last, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: K) -> V | None:
        """Give an entry, or None, and count it as used."""
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
            return held

    def put(self, key: K, value: V) -> None:
        """Keep an entry, and let the oldest go."""
        with self._lock:
            self._held[key] = value
            self._held.move_to_end(key)
            while len(self._held) > self.limit:
                self._held.popitem(last=False)

    def drop(self, key: K) -> None:
        """Let an entry go."""
        with self._lock:
            self._held.pop(key, None)

    def shrink(self, limit: int) -> None:
        """Lower the limit."""
        with self._lock:
            self.limit = limit
            while len(self._held) > limit:
                self._held.popitem(last=False)

    def clear(self) -> None:
        """Let everything go."""
        with self._lock:
            self._held.clear()


class RecentSlots(SoftwareSlots):
    """Keep opened keys only while they are used: at most `limit` of them lie in memory."""

    def __init__(self, secret: SecretProvider, randomness: Randomness, *, limit: int) -> None:
        super().__init__(secret, randomness)
        self.opened: Recent[bytes, Signer] = Recent(limit)

    def signer(self, slot: SealedKey) -> Signer:
        """Open a slot for signing, or take the opened one."""
        held = self.opened.get(slot.public)
        if held is None:
            held = super().signer(slot)
            super().drop()
            self.opened.put(slot.public, held)
        return held

    def drop(self) -> None:
        """Forget every opened key."""
        super().drop()
        self.opened.clear()


def entries_for(limit: int) -> int:
    """Say how many devices may be at hand under a limit of resident memory (bytes)."""
    return max(_SMALLEST, (limit - _BASE) // _EACH)


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
