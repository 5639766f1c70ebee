"""The operating system's source of randomness.

Here: the one place of the package that asks the operating system for random bytes. Not here: the seeded source of
sandboxes (`kernel.randomness`).
"""

from __future__ import annotations

import os


class SystemRandomness:
    """Give bytes of the operating system's generator; they never repeat."""

    repeatable = False

    def __repr__(self) -> str:
        return "SystemRandomness()"

    def take(self, count: int) -> bytes:
        """Give `count` fresh random bytes."""
        return os.urandom(count)
