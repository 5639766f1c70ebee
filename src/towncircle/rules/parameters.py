"""Parameters: one number of the rule each, with its clause, its words and its dates.

Here: the shape of a parameter and how one is read from TOML. Not here: rule sets and how they lie over each other.
Kept: a value is dated; a parameter without a clause, a quote or a known quality does not load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from towncircle.kernel.errors import BadInput
from towncircle.rules.terms import Length, Term

Value = int | str | date

CLAUSE_LETTERS = 80  # what a ground of a refusal holds
QUALITIES = ("proposed", "secondary", "primary", "house")
EXAMPLES: Mapping[str, Value] = {
    "mills": 500_000,
    "integer": 3,
    "term": "3 months",
    "text": "lock",
    "date": date(2024, 6, 30),
    "length": "1/4 in",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """Hold a value and the first day on which it is in force."""

    since: date
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Hold one parameter of a rule set.

    `quote` is the rule's own words at `clause`; where only a retelling of the rule could be read it is empty, and
    `retold` says what the retelling says. `unit` is one of mills, integer, term, text, date, length; `quality`
    says how good the source is (proposed, secondary, primary, house); `values` stand in the order of their dates.
    """

    name: str
    clause: str
    quote: str
    unit: str
    quality: str
    source: str
    values: tuple[Dated, ...]
    note: str = ""
    retold: str = ""

    def on(self, day: date) -> Value | None:
        """Give the value in force on a day, or None before the first one."""
        return next((dated.value for dated in reversed(self.values) if dated.since <= day), None)

    def highest(self, day: date) -> int:
        """Give the highest number that was ever in force up to a day; 0 before the first one."""
        return max((int(str(dated.value)) for dated in self.values if dated.since <= day), default=0)

    def with_value(self, value: Value) -> Parameter:
        """Give the parameter with one value since its first day. Raises `BadInput` (rules.value-unreadable)."""
        if not _fits(self.unit, value):
            raise BadInput(
                "rules.value-unreadable", value=value, name=self.name, unit=self.unit, example=EXAMPLES[self.unit]
            )
        return replace(self, values=(Dated(since=self.values[0].since, value=value),))

    def as_dict(self) -> dict[str, Any]:
        """Give the parameter as a JSON record, the form in which the rule set's digest covers it."""
        return {
            "name": self.name,
            "clause": self.clause,
            "quote": self.quote,
            "unit": self.unit,
            "quality": self.quality,
            "source": self.source,
            "note": self.note,
            "values": [[dated.since.isoformat(), _plain(dated.value)] for dated in self.values],
            **({"retold": self.retold} if self.retold else {}),
        }


def read_parameter(name: str, table: Mapping[str, Any], *, source: str, quality: str) -> Parameter:
    """Read a parameter from its TOML table. Raises `ValueError` saying what is wrong with it."""
    unknown = table.keys() - {"clause", "quote", "unit", "quality", "source", "note", "values", "retold"}
    if unknown:
        raise ValueError(f"{name} has the unknown keys {sorted(unknown)}")
    values = tuple(Dated(since=row["from"], value=row["value"]) for row in table["values"])
    parameter = Parameter(
        name=name,
        clause=table["clause"],
        quote=table["quote"] if "retold" not in table else "",
        retold=table.get("retold", ""),
        unit=table["unit"],
        quality=table.get("quality", quality),
        source=table.get("source", source),
        note=table.get("note", ""),
        values=values,
    )
    words = (parameter.clause, parameter.quote, parameter.retold, parameter.unit, parameter.source, parameter.note)
    if not all(isinstance(word, str) for word in words):
        raise ValueError(f"{name} has a key whose value is no text")
    if parameter.unit not in EXAMPLES or parameter.quality not in QUALITIES or not _said(parameter):
        raise ValueError(f"{name} has no known unit, no known quality or no quote")
    if not parameter.source:
        raise ValueError(f"{name} has no source")
    if not all(type(row.since) is date for row in values):
        raise ValueError(f"{name} has values whose 'from' is no date")
    if not values or [row.since for row in values] != sorted({row.since for row in values}):
        raise ValueError(f"{name} has no values, or they are not in the order of their dates")
    if not all(_fits(parameter.unit, dated.value) for dated in values):
        raise ValueError(f"{name} has a value that is not of the unit {parameter.unit}")
    return parameter


def _said(parameter: Parameter) -> bool:
    """Tell whether the rule's words are there: quoted, or retold where the source is a retelling."""
    return bool(parameter.quote) or (bool(parameter.retold) and parameter.quality == "secondary")


def _fits(unit: str, value: Value) -> bool:
    try:
        match unit:
            case "mills" | "integer":
                return type(value) is int and value >= 0
            case "term":
                Term.parse(str(value))
            case "length":
                Length.parse(str(value))
            case "date":
                return type(value) is date
            case _:
                return isinstance(value, str) and bool(value)
    except ValueError:
        return False
    return True


def _plain(value: Value) -> int | str:
    return value.isoformat() if isinstance(value, date) else value
