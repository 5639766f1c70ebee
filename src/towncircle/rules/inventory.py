"""The inventory of clauses: every requirement of the rule, taken apart into numbered duties.

Here: reading `clauses/*.toml`, and the way from a clause as it is written in errors, facts and tables ("502.25(c)(1)")
to the requirements it names. Not here: who keeps a duty and what proves it (`conformance`).
Kept: a requirement with several duties numbers them id/1, id/2; a number is never given anew. What can be quoted is
quoted word for word, and a test compares it with the text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from towncircle.kernel.errors import BrokenInvariant
from towncircle.rules.parameters import QUALITIES

Kind = Literal["implemented", "by-construction", "operational", "not-applicable", "open"]
KINDS: tuple[Kind, ...] = ("implemented", "by-construction", "operational", "not-applicable", "open")
REASONED = ("operational", "not-applicable")  # what the program does not do itself says why
FOLDER = "clauses"
SHEETS = ("preamble", "p050", "part-502", "imi")
_PART = re.compile(r"[0-9]{3}\.[0-9]", re.ASCII)
_ASIDE = re.compile(r"\([A-Za-z][^)]{2,}\)", re.ASCII)  # "(house)", "(DMM C810)"; "(c)" is part of a clause


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Hold one duty: its id, what is to be done, of which kind it is, and why where people do it or nobody."""

    id: str
    row: str
    does: str
    kind: Kind
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Hold one requirement: whom it binds, what it says in our words, the rule's own words where they are quoted."""

    id: str
    party: str
    says: str
    quote: str
    source: str
    quality: str
    duties: tuple[Duty, ...]

    @property
    def clause(self) -> str:
        """Give the clause as a lawyer writes it: `P050 2.5i`, `502.20(a)`; the preamble has no numbers: `PRE-11`."""
        if _PART.match(self.id):
            return re.sub(r"([0-9])([a-z])([0-9]?)$", _lettered, self.id)
        return self.id.replace("P050-", "P050 ")


@cache
def inventory() -> Mapping[str, Row]:
    """Give every requirement by its id, in the order of the rule."""
    found: dict[str, Row] = {}
    for name_of_sheet in SHEETS:
        table = sheet(name_of_sheet)
        source, quality = table.pop("source"), table.pop("quality")
        for name, row in table.items():
            found[name] = _row(name, row, source=source, quality=quality)
    return MappingProxyType(found)


@cache
def duties() -> Mapping[str, Duty]:
    """Give every duty by its id."""
    return MappingProxyType({duty.id: duty for row in inventory().values() for duty in row.duties})


@cache
def told_by() -> Mapping[str, frozenset[str]]:
    """Give for each kind of fact the requirements that it tells of besides those of its own clauses."""
    rows: dict[str, set[str]] = {}
    for row, kinds in sheet("happens").items():
        for kind in kinds:
            rows.setdefault(kind, set()).add(row)
    return MappingProxyType({kind: frozenset(held) for kind, held in rows.items()})


def chosen(wanted: Iterable[str]) -> list[Duty]:
    """Give the duties that ids name: a duty, a requirement, or the beginning of one (`P050-4`, `502.20`); all if none.

    A clause as it is written elsewhere ("502.25(c)") is understood too. An id that names nothing gives nothing.
    """
    wanted = tuple(wanted)
    if not wanted:
        return list(duties().values())
    rows = {row for text in wanted for row in rows_named(text)}
    return [duty for duty in duties().values() if duty.id in wanted or duty.row in rows]


@cache
def rows_named(clause: str) -> frozenset[str]:
    """Name the requirements that a clause speaks of; none for a house rule or another body's standard.

    A clause is written as `P050 2.5(i)`, `502.27(a)(1)`, `P050 4.8, 4.9`, `502.24` or `IMI-01`. A clause below a
    requirement names that requirement, and a clause above several names all of them.
    """
    found: set[str] = set()
    before = ""
    for part in re.split(r"[,;]", _ASIDE.sub("", clause)):
        text = part.strip().replace("P050 ", "P050-")
        if before == "P050-" and re.match(r"[0-9]\.[0-9]", text):
            text = f"P050-{text}"
        before = "P050-" if text.startswith("P050-") else ""
        found |= _rows(re.sub(r"[()]", "", text).removesuffix(".0"))
    return frozenset(found)


def _rows(text: str) -> set[str]:
    names = inventory().keys()
    if not text or text in names:
        return {text} & names
    above = [name for name in names if _below(text, name)]
    if above:
        return {max(above, key=len)}
    return {name for name in names if _below(name, text)}


def _below(text: str, above: str) -> bool:
    """Tell whether a clause lies below another one: `502.25c1` below `502.25c`, but `502.14b` not below `502.1`."""
    rest = text.removeprefix(above)
    return text.startswith(above) and bool(rest) and not (rest[0].isdigit() and above[-1].isdigit())


def sheet(name: str) -> dict[str, Any]:
    """Read one sheet of the clauses, `source` included."""
    text = files("towncircle.rules").joinpath(FOLDER, f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _row(name: str, row: Mapping[str, Any], *, source: str, quality: str) -> Row:
    held = row["duties"]
    made = []
    for number, duty in enumerate(held, start=1):
        own = f"{name}/{number}" if len(held) > 1 else name
        if duty["kind"] not in KINDS or (duty["kind"] in REASONED) != bool(duty.get("why")):
            what = f"{own} has no known kind, or a reason that does not go with it"
            raise BrokenInvariant("rules.file-unreadable", file=FOLDER, what=what)
        made.append(Duty(id=own, row=name, does=duty["does"], kind=duty["kind"], why=duty.get("why", "")))
    own_quality = row.get("quality", quality)
    if own_quality not in QUALITIES:
        raise BrokenInvariant("rules.file-unreadable", file=FOLDER, what=f"{name} has no known quality")
    return Row(
        id=name,
        party=row["party"],
        says=row["says"],
        quote=row.get("quote", ""),
        source=source,
        quality=own_quality,
        duties=tuple(made),
    )


def _lettered(match: re.Match[str]) -> str:
    number, letter, below = match.groups()
    return f"{number}({letter})({below})" if below else f"{number}({letter})"
