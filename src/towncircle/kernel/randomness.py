"""The injected source of randomness.

Here: the port and the seeded source that makes a sandbox run repeat to the byte. Not here: the operating system's
source (`pki.randomness`), because the kernel does no input or output.
Kept: ids, keys, serials and nonces come from one injected port (house.md 9).
"""

from __future__ import annotations

import hashlib
import threading
from typing import Protocol

_BLOCK = 32  # bytes of a SHA-256


class Randomness(Protocol):
    """Give random bytes and say whether they repeat."""

    @property
    def repeatable(self) -> bool:
        """Tell whether the same seed gives the same bytes; true only in a sandbox."""
        ...

    def take(self, count: int) -> bytes:
        """Give `count` fresh random bytes."""
        ...


class SeededRandomness:
    """Give bytes by SHA-256 in counter mode from a seed and a label. For sandboxes and tests only."""

    repeatable = True

    def __init__(self, seed: int, label: str) -> None:
        self._key = hashlib.sha256(f"towncircle sandbox {seed} {label}".encode()).digest()
        self._counter = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "SeededRandomness(...)"

    def take(self, count: int) -> bytes:
        """Give the next `count` bytes of the stream."""
        with self._lock:
            first = self._counter
            self._counter = end = first + -(-count // _BLOCK)
        if end == first + 1:
            return hashlib.sha256(self._key + first.to_bytes(8, "big")).digest()[:count]
        blocks = (hashlib.sha256(self._key + at.to_bytes(8, "big")).digest() for at in range(first, end))
        return b"".join(blocks)[:count]


def below(source: Randomness, limit: int) -> int:
    """Draw a number from 0 to `limit - 1` without bias."""
    size = (limit.bit_length() + 7) // 8
    top = (256**size // limit) * limit
    while True:
        value = int.from_bytes(source.take(size), "big")
        if value < top:
            return value % limit
