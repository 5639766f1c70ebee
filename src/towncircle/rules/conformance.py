"""The conformance matrix: for each duty where it is kept and which test proves it.

Here: the duties of the inventory joined with `clauses/proofs.json`, which `tools/docs.py` gathers from the `@cites` of
the code and the markers of the tests. Not here: that gathering, and what happened under a clause.
Kept: nothing is claimed without proof: an implemented duty has a test that breaks it and is refused. A duty that is not
built is `open`, and the matrix says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

from towncircle.rules.inventory import FOLDER, Duty, chosen, inventory

PROOFS = "proofs.json"
_KEPT = ("implemented", "by-construction", "operational")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Hold one line of the matrix: a duty, the symbols that keep it, the tests that break it or show more of it."""

    duty: Duty
    where: tuple[str, ...]
    breaks: tuple[str, ...]
    shows: tuple[str, ...] = ()

    @property
    def tests(self) -> tuple[str, ...]:
        """Give every test of the duty."""
        return (*self.breaks, *self.shows)

    @property
    def missing(self) -> str:
        """Say what the duty lacks; empty where nothing is lacking."""
        if self.duty.kind == "open":
            return "not built yet"
        if self.duty.kind not in _KEPT:
            return ""
        proof = ("a test that breaks it", self.breaks) if self.duty.kind == "implemented" else ("a test", self.tests)
        lacks = [name for name, held in (("a place", self.where), proof) if not held]
        return f"without {' and '.join(lacks)}" if lacks else ""

    def as_dict(self) -> dict[str, Any]:
        """Give the line as a JSON record."""
        row = inventory()[self.duty.row]
        return {
            "id": self.duty.id,
            "row": row.id,
            "clause": row.clause,
            "party": row.party,
            "does": self.duty.does,
            "kind": self.duty.kind,
            "why": self.duty.why,
            "where": list(self.where),
            "tests": list(self.tests),
            "breaks": list(self.breaks) if self.duty.kind == "implemented" else [],
            "quality": row.quality,
            "quote": row.quote,
            "missing": self.missing,
        }


Proofs: TypeAlias = Mapping[str, Mapping[str, list[str]]]


def matrix(wanted: Iterable[str] = (), *, proofs: Proofs | None = None) -> list[Line]:
    """Give the lines of the duties that ids name, or of all; by the proofs that came with the package, or by others."""
    held = _proofs() if proofs is None else proofs
    return [
        Line(
            duty=duty,
            where=tuple(held["where"].get(duty.id, ())),
            breaks=tuple(held["tests"].get(duty.id, ())),
            shows=tuple(held["shows"].get(duty.id, ())),
        )
        for duty in chosen(wanted)
    ]


@cache
def _proofs() -> Proofs:
    text = files("towncircle.rules").joinpath(FOLDER, PROOFS).read_text("utf-8")
    held: dict[str, dict[str, list[str]]] = json.loads(text)
    return held
