"""What comes down with a connection: rate tables and the order of an update, to the host that asks (IMI-02, IMI-03).

Here: what each device is to have, the answer to its host, what the host has taken. Not here: publishing (`rates`),
releases (`software`).
Kept: a device is named in a fact when something is assigned to it, with the last day to have it, and in another when it
has it; what is overdue denies its resets (`denials`). A device that is not leased gets nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Steps
from towncircle.kernel.store import Record
from towncircle.provider import software
from towncircle.wire.bodies import Acknowledged, DownloadQuery, Downloads, DownloadsTaken
from towncircle.wire.message import Opened

HOSTS = "hosts"  # the audience of a published table
RATES = "rate-table"
_AT_ONCE = 2  # as many as a message carries
_NEW: dict[str, Any] = {"rates": 0, "rates_assigned": 0, "rates_until": ""}


def leased(ctx: Context) -> Iterator[Record]:
    """Give the devices that are in use."""
    return (row for row in ctx.tx.find("device") if row.body["custody"] == "leased")


@cites("IMI-03/2")
def assign_rates(ctx: Context, row: Record, *, number: int, before: date) -> None:
    """Write down that a device's host is to take a table, at the latest on the day before the table's first one."""
    held = ctx.tx.get("downloads", row.key)
    body = dict(held.body) if held is not None else _NEW
    until = max(before, ctx.now.date_in(row.body["zone"])).isoformat()
    waits = body["rates_assigned"] > body["rates"]
    if waits and until >= body["rates_until"]:
        until = body["rates_until"]
    else:
        if waits:
            ctx.note("rates.reassigned", row.key, clauses=("IMI-03",), licensee=row.owner)
        told = {"licensee": row.owner, "zone": row.body["zone"], "number": number, "until": until}
        ctx.note("rates.assigned", row.key, clauses=("IMI-03",), **told)
    fresh = {**body, "rates_assigned": number, "rates_until": until}
    ctx.tx.put("downloads", row.key, fresh, owner=row.owner, expected=held.version if held else 0)


@cites("IMI-02/3", "IMI-03/2")
def on_query(ctx: Context, opened: Opened) -> Steps:
    """Answer a host that connects: the next tables it lacks, and the update that its device is to have."""
    body = opened.body
    assert isinstance(body, DownloadQuery)
    row = ctx.tx.get("device", body.device)
    if row is None or row.owner != opened.envelope.sender or row.body["custody"] != "leased":
        return Downloads(rates=(), update=b"")
    tables = [one for one in ctx.tx.find(RATES) if one.body["number"] > body.rates]
    update = yield from software.order_for(ctx, row, version=body.software)
    return Downloads(rates=tuple(base64.b64decode(one.body["raw"]) for one in tables[:_AT_ONCE]), update=update)


@cites("IMI-02/3", "IMI-03/2")
def on_taken(ctx: Context, opened: Opened) -> Acknowledged:
    """Take note of the tables that a device's host holds now."""
    body = opened.body
    assert isinstance(body, DownloadsTaken)
    row = ctx.tx.get("device", body.device)
    numbers = [one.body["number"] for one in ctx.tx.find(RATES)]
    if row is not None and row.owner == opened.envelope.sender and body.rates in numbers:
        held = ctx.tx.get("downloads", body.device)
        known = dict(held.body) if held is not None else _NEW
        if body.rates > known["rates"]:
            fresh = {**known, "rates": body.rates}
            ctx.tx.put("downloads", body.device, fresh, owner=row.owner, expected=held.version if held else 0)
            if body.rates >= known["rates_assigned"]:
                ctx.note("rates.taken", body.device, clauses=("IMI-03",), licensee=row.owner, number=body.rates)
    return Acknowledged(note="downloads noted")
