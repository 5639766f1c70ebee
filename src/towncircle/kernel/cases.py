"""Irregularity cases (502.8, irregularity management): one record a case, and its steps as facts.

Here: opening a case, adding a step, closing it, and reading its steps back. Not here: what is irregular (the parties).
Kept: a step is a fact and is never edited; a case is closed once, by two persons, who stand in its last step. Persons
are named by staff numbers, since no fact holds a name; two spellings of one number are one person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, same_person
from towncircle.kernel.errors import Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction

OPEN, RELEASED, RETIRED = "open", "released", "retired"
_STAFF = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,30}[a-z0-9])?", re.ASCII)


@cites("502.8", "PRE-07")
def open_case(
    ctx: Context,
    *,
    case: str,
    device: str,
    other: str,
    ground: str,
    clauses: tuple[str, ...],
    at: Instant | None = None,
) -> Record:
    """Open a case on a device, discovered at an instant (now); a known case is given as it is.

    `other` is the party that keeps the case too.
    """
    held = ctx.tx.get("case", case)
    if held is not None:
        return held
    since = at or ctx.now
    body = {"device": device, "ground": ground, "state": OPEN, "opened_at": int(since), "other": other}
    row = ctx.tx.put("case", case, body, owner=device, expected=0)
    ctx.note("case.opened", case, clauses=clauses, occurred_at=since, device=device, other=other, ground=ground)
    return row


def add_step(ctx: Context, case: str, what: str, *, clauses: tuple[str, ...]) -> None:
    """Add a step to a case."""
    ctx.note("case.step", case, clauses=clauses, what=what)


def close_case(
    ctx: Context, row: Record, *, outcome: str, reason: str, approved_by: Sequence[str], examination: str
) -> Record:
    """Close a case. Raises `Refused` (case.over, case.two-persons)."""
    check_closing(row, approved_by)
    ctx.note(
        "case.closed",
        row.key,
        clauses=("502.8", "P050 2.6"),
        device=row.body["device"],
        outcome=outcome,
        reason=reason,
        approved_by=list(approved_by),
        examination=examination,
    )
    return ctx.tx.put("case", row.key, {**row.body, "state": outcome}, owner=row.owner, expected=row.version)


def check_closing(row: Record, approved_by: Sequence[str]) -> None:
    """Check that a case is open and that two persons close it. Raises `Refused` (case.over, case.two-persons)."""
    if row.body["state"] != OPEN:
        raise Refused("case.over", case=row.key, state=row.body["state"])
    if len(approved_by) != 2 or same_person(*approved_by) or not all(map(_STAFF.fullmatch, approved_by)):
        raise Refused("case.two-persons", case=row.key)


def open_case_of(tx: Transaction, device: str) -> Record | None:
    """Give the last case that is open on a device, or None."""
    rows = [row for row in tx.find("case", owner=device) if row.body["state"] == OPEN]
    return max(rows, key=lambda row: (row.body["opened_at"], row.key), default=None)


def steps_of(tx: Transaction, case: str) -> list[Fact]:
    """Give the facts of a case, in order."""
    return [fact for fact in tx.facts() if fact.subject == case and fact.type.startswith("case.")]


def opened_at(row: Record) -> Instant:
    """Give the instant at which a case was opened."""
    return Instant(row.body["opened_at"])
