"""Clause ids and `@cites`: which requirement is kept where.

Here: the decorator that binds a function or class to requirement ids of `requirements.tsv` (such as `P050-3.6`).
Not here: the matrix that is printed from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T", bound=Callable[..., object])

CITED: dict[str, list[str]] = {}


def cites(*clauses: str) -> Callable[[T], T]:
    """Record that a function or class keeps the named requirements."""

    def mark(thing: T) -> T:
        for clause in clauses:
            CITED.setdefault(clause, []).append(f"{thing.__module__}.{thing.__qualname__}")
        return thing

    return mark
