"""Stored maps read by where their fields lie: rows of one fleet are cut alike, whatever they hold.

Here: `Shapes`, which takes chosen fields out of a deterministic CBOR map at the places where an earlier map had them.
Not here: reading a map for the first time (`codec`), and what the fields mean (`sight`).
Kept: a shape fits a map only where the head of every item in it (its kind and its length or value) is byte for byte
what it was, so that every field lies where the shape says. What is cut otherwise is read item by item.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

Path = tuple[int, ...]  # the keys of a field, from the outermost map inwards
_Token = tuple[str, bytes, Path]  # a form of `struct`; of a head, what it has to be; of what is taken, its path
_WIDTHS = {1: "B", 2: "H", 4: "I", 8: "Q"}
_MOST = 256  # shapes that are held
_SELDOM = 64  # a full table starts anew at so many maps that fit nothing
K = TypeVar("K")


class Shapes(Generic[K]):
    """Remember how maps are cut. `taken` are numbers and strings, `spans` items of any kind that are taken as bytes.

    Items under `same` have to be equal throughout; what they mean is kept with the shape.
    """

    def __init__(self, *, taken: Sequence[Path], spans: Sequence[Path], same: Collection[Path]) -> None:
        self._taken, self._spans, self._same = tuple(taken), tuple(spans), frozenset(same)
        assert len(self._taken) + len(self._spans) > 1  # one alone would not come as a tuple
        self._held: dict[int, list[tuple[_Shape, K]]] = {}  # by length
        self._count = self._missed = 0

    def read(self, raw: bytes) -> tuple[tuple[Any, ...], K] | None:
        """Give the fields taken, spans after them, and what was kept with the shape; None where none fits."""
        for shape, kept in self._held.get(len(raw), ()):
            found = shape.read(raw)
            if found is not None:
                return found, kept
        return None

    def learn(self, raw: bytes, kept: K) -> tuple[bytes, ...] | None:
        """Remember how a map is cut that was read and found right; give its spans, or None where it is not."""
        known = self.read(raw)
        if known is not None:
            return known[0][len(self._taken) :]
        self._missed += 1
        if self._count >= _MOST:
            if self._missed % _SELDOM:
                return None
            self._held, self._count = {}, 0
        shape = self._shape(raw)
        found = shape.read(raw) if shape is not None else None
        if shape is None or found is None:
            return None
        self._held.setdefault(len(raw), []).append((shape, kept))
        self._count += 1
        return found[len(self._taken) :]

    def _shape(self, raw: bytes) -> _Shape | None:
        wanted = (*self._taken, *self._spans)
        tokens: list[_Token] = []
        fixed: dict[Path, int] = {}
        try:
            end = _walk(raw, 0, (), (frozenset(self._taken), frozenset(self._spans), self._same), tokens, fixed)
        except (IndexError, ValueError):
            return None
        whole = end == len(raw) and {path for _, _, path in tokens} | fixed.keys() >= {*wanted}
        return _Shape(tokens, fixed, wanted) if whole else None


class _Shape:
    """Hold one way in which a map is cut."""

    def __init__(self, tokens: Sequence[_Token], fixed: dict[Path, int], wanted: Sequence[Path]) -> None:
        form, heads, head = [">"], [], b""  # type: tuple[list[str], list[bytes], bytes]
        places: dict[Path, int] = {}
        at: list[int] = []
        for kind, is_head, path in (*tokens, ("", b"", ())):
            if is_head:
                head += is_head
                continue
            if head:
                at.append(len(at) + len(places))
                form.append(f"{len(head)}s")
                heads.append(head)
                head = b""
            form.append(kind)
            if path:
                places[path] = len(at) + len(places)
        count = len(at) + len(places)
        self._constants = tuple(fixed[path] for path in wanted if path not in places)
        constants = iter(range(count, count + len(self._constants)))
        self._unpack: Callable[[bytes], tuple[Any, ...]] = struct.Struct("".join(form)).unpack
        self._is_head, self._heads = itemgetter(*at), tuple(heads) if len(heads) > 1 else heads[0]
        self._take = itemgetter(*(places[path] if path in places else next(constants) for path in wanted))

    def read(self, raw: bytes) -> tuple[Any, ...] | None:
        found = self._unpack(raw)
        if self._is_head(found) != self._heads:
            return None
        taken: tuple[Any, ...] = self._take(found + self._constants)
        return taken


def _walk(
    raw: bytes,
    at: int,
    path: Path,
    asked: tuple[Collection[Path], Collection[Path], Collection[Path]],
    tokens: list[_Token],
    fixed: dict[Path, int],
) -> int:
    """Note the heads of an item and of all in it, and where contents lie; give where it ends."""
    taken, spans, same = asked
    major, info = raw[at] >> 5, raw[at] & 31
    if info > 27:
        raise ValueError("an item without a length")
    size = 1 << (info - 24) if info > 23 else 0
    body = at + 1 + size
    value = int.from_bytes(raw[at + 1 : body], "big") if size else info
    if path in spans or path in same:
        inside: list[_Token] = []
        end = _walk(raw, at, (), ((), (), ()), inside, {})
        tokens.append(("", raw[at:end], ()) if path in same else (f"{end - at}s", b"", path))
        return end
    if major == 0 and size:
        tokens += [("", raw[at : at + 1], ()), (_WIDTHS[size], b"", path) if path in taken else (f"{size}x", b"", ())]
        return body
    tokens.append(("", raw[at:body], ()))
    if major == 0 and path in taken:
        fixed[path] = value
    if major in (2, 3):
        tokens.append((f"{value}s", b"", path) if path in taken else (f"{value}x", b"", ()))
        return body + value
    if major in (4, 5):
        for number in range(value):
            key = number
            if major == 5:
                key, end = raw[body], body + 1
                if key == 24:
                    key, end = raw[body + 1], body + 2
                elif key > 24:
                    raise ValueError("a field without a short number")
                tokens.append(("", raw[body:end], ()))
                body = end
            body = _walk(raw, body, (*path, key), asked, tokens, fixed)
    return body
