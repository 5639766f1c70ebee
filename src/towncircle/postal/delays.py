"""The postmaster's finding that a mailing was unavoidably delayed before deposit (P050 4.6).

Here: the finding for the pieces of a device that show a month, and the last day they may be accepted. Not here: the
judgement of a piece (`verification.circumstances`).
Kept: the last day is the rule set's, worked out when the finding is made; one finding is made for a device and month.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.store import Record, Transaction
from towncircle.mailpiece.zipcode import place_of
from towncircle.postal.procedures import text_of
from towncircle.rules import RuleSet

CLAUSE = "P050 4.6"
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])\Z", re.ASCII)


def month_after(month: str) -> date:
    """Give the first day of the month that follows one written as `2026-11`. Raises `BadInput` (delay.no-month)."""
    if not _MONTH.match(month):
        raise BadInput("delay.no-month", text=month[:20])
    return (date.fromisoformat(f"{month}-28") + timedelta(days=4)).replace(day=1)


@cites("P050-4.6/4")
def find(ctx: Context, *, device: str, month: str, reasons: str, rules: RuleSet) -> Record:
    """Record that the mailing of a device's pieces of a month was unavoidably delayed; give the record.

    A month that has not begun at the device's post office had no mailing that could be delayed. Raises `Refused`
    (delay.no-device, delay.not-begun, delay.found-already), `BadInput` (delay.no-month, procedure.no-reasons).
    """
    first = month_after(month)
    held = ctx.tx.get("device", device)
    if held is None:
        raise Refused("delay.no-device", device=device[:40])
    if ctx.now.date_in(_zone(ctx.tx, held)).isoformat()[:7] < month:
        raise Refused("delay.not-begun", month=month)
    words = text_of(reasons, CLAUSE)
    if ctx.tx.get("delay", f"{device} {month}") is not None:
        raise Refused("delay.found-already", device=device, month=month)
    through = first + timedelta(days=rules.term("month_only_grace", first).days - 1)
    record = {"device": device, "month": month, "through": through.isoformat(), "reasons": words, "by": ctx.actor}
    row = ctx.tx.put("delay", f"{device} {month}", record, owner=device, expected=0)
    named: dict[str, Any] = {"month": month, "through": record["through"], "mailing": row.key}
    ctx.note("mailing.delay-found", device, clauses=(CLAUSE,), **named)
    return row


def _zone(tx: Transaction, device: Record) -> str:
    held = tx.get("license", device.body["license"])
    assert held is not None, "a registered device has a license"
    zone = held.body.get("zone")  # a meter license on file says its office only
    return str(zone or place_of(str(held.body["office_zip"])).zone)


def delays_of(tx: Transaction, device: str) -> dict[str, date]:
    """Give the months of a device whose mailing was found delayed, each with the last day of acceptance."""
    return {row.body["month"]: date.fromisoformat(row.body["through"]) for row in tx.find("delay", owner=device)}
