"""Postal markings: what each class of mail is marked with (P050 4.11).

Here: the marking of a class, and the class that printed words name. Not here: how a marking fills its area (`art`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput


@cache
def _classes() -> Mapping[str, dict[str, Any]]:
    text = (files("towncircle.mailpiece") / "data" / "markings.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def class_named(words: str) -> str:
    """Give the class that a printed rate category or a marking begins with; nothing where it names none."""
    text = " ".join(words.upper().split())
    heads = [(head, name) for name, row in _classes().items() for head in (row["marking"], *row["heads"])]
    return max((pair for pair in heads if text.startswith(pair[0])), key=lambda pair: len(pair[0]), default=("", ""))[1]


@cites("P050-4.11", "P050-4.11/1")
def marking_of(category: str) -> str:
    """Give the marking of the class that a printed rate category names. Raises `BadInput` (page.no-marking)."""
    name = class_named(category)
    if not name:
        raise BadInput("page.no-marking", text=category[:40])
    return str(_classes()[name]["marking"])


@cites("P050-4.6", "P050-4.6/2")
def may_omit_day(category: str) -> bool:
    """Tell whether the class that a printed rate category names may show the month and year alone."""
    return class_named(category) == "standard"
