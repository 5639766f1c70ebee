"""The slips of the text and the readings chosen (`clauses/errata.toml`).

Here: reading the sheet. Not here: where the text is silent or sources disagree (docs/readings.md).
Kept: a slip names the clause it stands in and the clause that decides, and quotes both word for word.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from towncircle.rules.inventory import sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """Hold one slip: where it stands, its words, the clause it is read with, that clause's words, and the reading."""

    name: str
    at: str
    read: str
    quote: str
    reading: str
    against: str = ""


@cache
def errata() -> tuple[Slip, ...]:
    """Give every slip in the order of the sheet."""
    table = sheet("errata")
    table.pop("source")
    return tuple(Slip(name=name, **row) for name, row in table.items())
