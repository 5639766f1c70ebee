"""The procedures by which the Postal Service supervises a Provider, as data (502.5, 502.13, 502.15, 502.21).

Here: the four procedures (`clauses/procedures.toml`), the one table of their states, what a decision is about, and when
it is in force. Not here: who decides (`postal.suspensions`, `postal.sanctions`), what a Provider may do meanwhile.
Kept: a step that a procedure does not have is not in its clauses; what is in force is told by two instants and a scope,
so that every party reads the same from the same decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.instants import Instant
from towncircle.kernel.machine import Move, StateTable
from towncircle.rules.inventory import sheet

NEW, PROPOSED, NOTICED, DEFENDED, IN_FORCE = "new", "proposed", "noticed", "defended", "in force"
REVOKING, REVOKING_DEFENDED, REVOKED = "revocation noticed", "revocation defended", "revoked"
STAYED, CLOSED = "stayed", "closed"
ALL = "all"

PROCEDURE = StateTable(
    "the procedure",
    NEW,
    (
        Move(NEW, "propose", PROPOSED, "502.5(c)(1), 502.13(b)(1)"),
        Move(NEW, "notify", NOTICED, "502.5(c)(2), 502.15(b), 502.21(c)"),
        Move(PROPOSED, "extend the time", PROPOSED, "502.5(c)(1), 502.13(b)(1)"),
        Move(PROPOSED, "find corrected", CLOSED, "502.5(c)(1), 502.13(b)(1)"),
        Move(PROPOSED, "withdraw", CLOSED, "502.5(c)(1), 502.13(b)(1)"),
        Move(PROPOSED, "notify", NOTICED, "502.5(c)(2), 502.13(b)(2)"),
        Move(NOTICED, "defend", DEFENDED, "502.5(d), 502.13(c), 502.15(c), 502.21(d)"),
        Move(NOTICED, "lapse", IN_FORCE, "502.5(c)(2), 502.13(b)(2), 502.15(b), 502.21(c)"),
        Move(NOTICED, "withdraw", CLOSED, "502.5(c)(4)(iii), 502.13(b)(4)(iii)"),
        Move(DEFENDED, "sustain", IN_FORCE, "502.5(e), 502.13(d), 502.15(d), 502.21(e)"),
        Move(DEFENDED, "withdraw", CLOSED, "502.5(e), 502.13(d), 502.15(d), 502.21(e)"),
        Move(IN_FORCE, "extend", IN_FORCE, "502.5(c)(4)(i), 502.13(b)(4)(i)"),
        Move(IN_FORCE, "withdraw", CLOSED, "502.5(c)(4)(iii), 502.13(b)(4)(iii)"),
        Move(IN_FORCE, "run out", CLOSED, "502.5(c)(3), 502.13(b)(3)"),
        Move(IN_FORCE, "revoke", REVOKED, "502.5(c)(4)(ii)"),
        Move(IN_FORCE, "notify revocation", REVOKING, "502.13(b)(4)(ii)"),
        Move(IN_FORCE, "reverse", CLOSED, "502.5(e), 502.13(d)"),
        Move(IN_FORCE, "stay", STAYED, "502.15(e), 502.21(f)"),
        Move(STAYED, "uphold", IN_FORCE, "502.15(e), 502.21(f)"),
        Move(STAYED, "reverse", CLOSED, "502.15(e), 502.21(f)"),
        Move(STAYED, "withdraw", CLOSED, "502.15(d), 502.21(e)"),
        Move(REVOKING, "extend", REVOKING, "502.13(b)(4)(i)"),
        Move(REVOKING, "defend", REVOKING_DEFENDED, "502.13(c)"),
        Move(REVOKING, "lapse", REVOKED, "502.13(c)"),
        Move(REVOKING, "withdraw", CLOSED, "502.13(b)(4)(iii)"),
        Move(REVOKING_DEFENDED, "extend", REVOKING_DEFENDED, "502.13(b)(4)(i)"),
        Move(REVOKING_DEFENDED, "sustain", REVOKED, "502.13(d)"),
        Move(REVOKING_DEFENDED, "withdraw", CLOSED, "502.13(d)"),
        Move(REVOKED, "reverse", CLOSED, "502.5(e), 502.13(d)"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """Hold one procedure: its facts' first word, its form, which steps it has, their clauses and its time limits."""

    name: str
    title: str
    form: str
    willful: bool
    heard_again: bool
    stays: bool
    scopes: tuple[str, ...]
    considers: tuple[str, ...]
    limits: Mapping[str, str]
    clauses: Mapping[str, str]

    def fact(self, what: str) -> str:
        """Name a fact of this procedure, as its time limits know it."""
        return f"{self.name}.{what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Hold what a decision may be about: a system (vendor and model), its class and the version of its build."""

    system: str
    category: str = ""
    build: str = ""


@cache
def procedures() -> Mapping[str, Procedure]:
    """Give every procedure by its name."""
    table = sheet("procedures")
    table.pop("source")
    return MappingProxyType({name: _read(name, row) for name, row in table.items()})


def _read(name: str, row: Mapping[str, Any]) -> Procedure:
    fields = {key: value for key, value in row.items() if key not in ("limits", "clauses")}
    fields |= {key: tuple(row[key]) for key in ("scopes", "considers")}
    fields |= {key: MappingProxyType(dict(row[key])) for key in ("limits", "clauses")}
    return Procedure(name=name, **fields)


@cites("502.13/6")
def about(scope: Iterable[str], subject: Subject) -> bool:
    """Tell whether a decision's scope (`all`, `system TC1A`, `class wan`, `version 3f..`) takes in a system."""
    named = {ALL, f"system {subject.system}"}
    named |= {f"class {subject.category}"} if subject.category else set()
    named |= {f"version {subject.build}"} if subject.build else set()
    return bool(named & set(scope))


def in_force(body: Mapping[str, Any], now: Instant) -> bool:
    """Tell whether what was decided holds at an instant: from `from`, up to `until` where it has an end."""
    begun = int(body["from"])
    return bool(begun) and begun <= int(now) and (not body["until"] or int(now) <= int(body["until"]))
