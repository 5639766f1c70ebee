"""Departments and their budgets: the port that every print goes through (IMI-05).

Here: reserve, spend, release. Not here: PINs, periods and reports (one default department until there are more).
Kept: what is reserved and spent never passes the budget; a job reserves once and settles once.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record

DEFAULT = "mailroom"


@cites("IMI-05")
def reserve(ctx: Context, *, department: str, job: str, amount: Mills) -> None:
    """Reserve money of a department for a job. Raises `Refused` (department.unknown, department.over-budget)."""
    row = _department(ctx, department)
    limit, bound = row.body["budget"], Mills(row.body["reserved"] + row.body["spent"])
    if limit is not None and bound + amount > Mills(limit):
        raise Refused("department.over-budget", department=department, budget=Mills(limit), bound=bound, amount=amount)
    _write(ctx, row, reserved=row.body["reserved"] + int(amount))
    held = {"job": job, "amount": int(amount), "state": "reserved"}
    ctx.tx.put("reservation", job, held, owner=department, expected=0)


def settle(ctx: Context, *, job: str, spent: Mills) -> None:
    """Turn a job's reservation into what was spent (nothing: it is released). Settling twice changes nothing."""
    held = ctx.tx.get("reservation", job)
    assert held is not None
    if held.body["state"] != "reserved":
        return
    row = _department(ctx, held.owner)
    _write(ctx, row, reserved=row.body["reserved"] - held.body["amount"], spent=row.body["spent"] + int(spent))
    done = {**held.body, "state": "settled", "spent": int(spent)}
    ctx.tx.put("reservation", job, done, owner=held.owner, expected=held.version)


def _department(ctx: Context, department: str) -> Record:
    row = ctx.tx.get("department", department)
    if row is None and department == DEFAULT:
        body = {"budget": None, "reserved": 0, "spent": 0}
        row = ctx.tx.put("department", department, body, owner=department, expected=0)
    if row is None:
        raise Refused("department.unknown", department=department)
    return row


def _write(ctx: Context, row: Record, **values: int) -> None:
    ctx.tx.put("department", row.key, {**row.body, **values}, owner=row.owner, expected=row.version)
