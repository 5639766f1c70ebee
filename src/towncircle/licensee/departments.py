"""Departments and their budgets: the port that every print goes through (IMI-05).

Here: the departments, whom each admits, reserve, spend, release. Not here: PINs (`pins`), reports (`usage`).
Kept: what is reserved and spent never passes the budget; a job reserves once and settles once. A department that admits
persons by name prints for nobody else; the one of the start, `mailroom`, admits everybody until it names somebody.
"""

from __future__ import annotations

import re
from typing import Any

from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.ids import BatchId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.licensee import pins

DEFAULT = "mailroom"
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)


@cites("IMI-05")
def keep(ctx: Context, *, department: str, budget: Mills | None) -> Record:
    """Open a department, or give one another budget (None: without a limit).

    Raises `BadInput` (department.unfit), `Refused` (department.budget-bound).
    """
    if not _CODE.fullmatch(department):
        raise BadInput("department.unfit", text=department[:40])
    if budget is not None and budget < ZERO:
        raise BadInput("department.unfit", text=budget)
    row = ctx.tx.get("department", department)
    body = dict(row.body) if row is not None else _new()
    bound = Mills(body["reserved"] + body["spent"])
    if budget is not None and budget < bound:
        raise Refused("department.budget-bound", department=department, budget=budget, bound=bound)
    told = int(budget) if budget is not None else None
    ctx.note("department.budgeted", department, clauses=("IMI-05",), budget=told)
    return ctx.tx.put(
        "department", department, {**body, "budget": told}, owner=department, expected=row.version if row else 0
    )


@cites("IMI-05/3")
def admit(ctx: Context, *, department: str, name: str, admitted: bool) -> Record:
    """Admit an authorised person to a department, or no more. Raises `Refused` (department.unknown, person.unknown)."""
    row = _department(ctx, department)
    named = {*_persons(row)} - {name}
    if admitted:
        persons.check(ctx, name)
        named.add(name)
    kind = "department.admitted" if admitted else "department.dismissed"
    ctx.note(kind, department, clauses=("IMI-05",), person=name)
    return _write(ctx, row, persons=sorted(named), guarded=True)


@cites("IMI-05/3")
def check_person(ctx: Context, *, department: str, person: str, job: JobId | BatchId) -> None:
    """Check who prints for a department.

    Raises `Refused` (department.pin-needed, department.not-admitted, person.unknown, pin.needed).
    """
    row = _department(ctx, department)
    if person:
        pins.proved(ctx, name=person, job=job)
    if not row.body.get("guarded"):
        return
    if not person:
        raise Refused("department.pin-needed", department=department)
    if person not in _persons(row):
        raise Refused("department.not-admitted", department=department, name=person)


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


@cites("IMI-05")
def spend(ctx: Context, *, job: str, amount: Mills) -> None:
    """Turn a part of a reservation into what was spent; the rest stays reserved.

    Raises `BrokenInvariant` (department.overspent) where it is more than the reservation has left.
    """
    held = ctx.tx.get("reservation", job)
    assert held is not None
    spent = Mills(held.body.get("spent", 0)) + amount
    if held.body["state"] != "reserved" or spent > Mills(held.body["amount"]):
        raise BrokenInvariant("department.overspent", job=job, reserved=Mills(held.body["amount"]), spent=spent)
    row = _department(ctx, held.owner)
    _write(ctx, row, reserved=row.body["reserved"] - int(amount), spent=row.body["spent"] + int(amount))
    ctx.tx.put("reservation", job, {**held.body, "spent": int(spent)}, owner=held.owner, expected=held.version)


def settle(ctx: Context, *, job: str, spent: Mills) -> None:
    """Turn what is left of a reservation into what was spent (nothing: it is released). Twice changes nothing."""
    held = ctx.tx.get("reservation", job)
    assert held is not None
    if held.body["state"] != "reserved":
        return
    row, before = _department(ctx, held.owner), held.body.get("spent", 0)
    left = row.body["reserved"] - (held.body["amount"] - before)
    _write(ctx, row, reserved=left, spent=row.body["spent"] + int(spent))
    done = {**held.body, "state": "settled", "spent": before + int(spent)}
    ctx.tx.put("reservation", job, done, owner=held.owner, expected=held.version)


def _department(ctx: Context, department: str) -> Record:
    row = ctx.tx.get("department", department)
    if row is None and department == DEFAULT:
        row = ctx.tx.put("department", department, _new(), owner=department, expected=0)
    if row is None:
        raise Refused("department.unknown", department=department[:40])
    return row


def _new() -> dict[str, Any]:
    return {"budget": None, "reserved": 0, "spent": 0}


def _persons(row: Record) -> list[str]:
    return list(row.body.get("persons", ()))


def _write(ctx: Context, row: Record, **values: Any) -> Record:
    return ctx.tx.put("department", row.key, {**row.body, **values}, owner=row.owner, expected=row.version)
