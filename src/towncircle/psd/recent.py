"""Bounded tables: of what was used last, and of what was worked out for an object.

Here: `Recent` and `ByIdentity`. Not here: what lies in them, and how large they may be (`hosted.caches`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


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

    def all(self, keys: Iterable[K]) -> dict[K, V | None]:
        """Give many entries, each or None, and count them as used."""
        with self._lock:
            held = self._held
            found = {key: held.get(key) for key in keys}
            for key, value in found.items():
                if value is not None:
                    held.move_to_end(key)
            return found

    def put(self, key: K, value: V) -> None:
        """Keep an entry, and let the oldest go."""
        with self._lock:
            self._held[key] = value
            self._held.move_to_end(key)
            while len(self._held) > self.limit:
                self._held.popitem(last=False)

    def put_all(self, entries: Mapping[K, V]) -> None:
        """Keep many entries, and let the oldest go."""
        with self._lock:
            held = self._held
            for key, value in entries.items():
                held[key] = value
                held.move_to_end(key)
            while len(held) > self.limit:
                held.popitem(last=False)

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


class ByIdentity(Generic[K, V]):
    """Remember what was worked out for the very same object, which is immutable and comes again and again.

    The object is held too, so that its identity is not given to another one. A full table starts anew.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[int, tuple[K, V]] = {}

    def get(self, of: K, make: Callable[[K], V]) -> V:
        """Give what was worked out for an object, or work it out."""
        held = self._held.get(id(of))
        if held is not None and held[0] is of:
            return held[1]
        made = make(of)
        if len(self._held) >= self._limit:
            self._held.clear()
        self._held[id(of)] = (of, made)
        return made
