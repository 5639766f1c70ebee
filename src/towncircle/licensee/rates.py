"""The rate tables that a host prices by: those that came with the program, and over them what its Provider published.

Here: taking a table, and which one holds on a day. Not here: prices (`mailpiece.rates`), the way down (`downloads`).
Kept: the mailing date alone says which table holds, so it changes at midnight of the licensing office, for whole jobs.
A table is taken once, in the order of its number, and never while a job is open.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Transaction
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.tariff import Table, known_tables, laid_over
from towncircle.wire.bodies import RateTable
from towncircle.wire.message import Opened

TAKEN = "rate-table"


@cites("IMI-03/2")
def take(ctx: Context, opened: Opened, *, provider: str) -> int:
    """Take a published table; the same one again changes nothing. Gives its number.

    Raises `Refused` (updates.not-the-provider, updates.changed, updates.other-day), `BadInput`
    (updates.file-unreadable, updates.file-totals).
    """
    body = opened.body
    if not isinstance(body, RateTable) or opened.envelope.sender != provider:
        raise Refused("updates.not-the-provider", sender=opened.envelope.sender, provider=provider)
    table, key = rate_files.read(body.file), f"{provider} {body.number:06d}"
    if table.in_force_from.isoformat() != body.in_force_from:
        raise Refused("updates.other-day", first=table.in_force_from, told=body.in_force_from[:10])
    held = ctx.tx.get(TAKEN, key)
    if held is not None:
        if held.body["digest"] != opened.digest.hex():
            raise Refused("updates.changed", number=body.number, provider=provider)
        return body.number
    record = {
        "number": body.number,
        "in_force_from": body.in_force_from,
        "table": table.id,
        "file": body.file.decode(),
        "digest": opened.digest.hex(),
        "taken_at": int(ctx.now),
    }
    ctx.tx.put(TAKEN, key, record, owner=provider, expected=0)
    told: dict[str, Any] = {"provider": provider, "number": body.number, "in_force_from": body.in_force_from}
    ctx.note("rates.received", key, clauses=("IMI-03",), **told)
    return body.number


@cites("IMI-03/2")
def tables(view: Transaction, provider: str) -> tuple[Table, ...]:
    """Give the tables that hold for the devices of a Provider, oldest first."""
    rows = view.find(TAKEN, owner=provider)
    rows.sort(key=lambda row: int(row.body["number"]))
    return laid_over(known_tables(), (rate_files.read_taken(row.body["file"].encode()) for row in rows))


def standing(view: Transaction, provider: str, *, day: date) -> tuple[tuple[Table, ...], tuple[Table, ...]]:
    """Give the tables in use on a day, one a series at most, and those that wait for their day."""
    known = tables(view, provider)
    used = tuple(one for one in known if one.in_force_from <= day <= one.in_force_through)
    return used, tuple(one for one in known if one.in_force_from > day)
