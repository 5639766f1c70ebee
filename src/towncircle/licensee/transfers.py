"""The transfer of a balance to a replacement device (P050 2.6), by two persons (house).

Here: the case: requested by one authorised person, approved by another, done, cancelled or ended. Not here: its steps,
which are a check-out (`returns`), a lease (`setup`) and an ordinary reset (`funds`).
Kept: one person alone moves nothing; one case is open at a time, and a second one is told of the first; until it is
done the replacement takes no other reset, so that the balance is set once.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, same_person, second_person
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, TransferId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.licensee import returns

REQUESTED, APPROVED, DONE, CANCELLED, ENDED = "requested", "approved", "done", "cancelled", "ended"
_CLAUSE = "P050 2.6"


@cites("P050-2.6", "P050-2.7")
def request(ctx: Context, *, device: DeviceId, reason: str, transfer: TransferId) -> Record:
    """Ask for a transfer, as an authorised person.

    Raises `Refused` (person.unknown, licensee.transfer-open, ...), `BadInput` (licensee.reason).
    """
    returns.check_reason(reason)
    persons.check(ctx, ctx.actor)
    none_open(ctx)
    case = returns.not_out(ctx, device=device)
    if case is not None and case.body["state"] != returns.DECLINED:
        raise Refused("licensee.check-out-open", device=device)
    body = {"device": device, "reason": reason, "requested_by": ctx.actor, "requested_at": int(ctx.now)}
    number = len(ctx.tx.find("transfer")) + 1
    record = {**body, "number": number, "approved_by": "", "state": REQUESTED, "replacement": ""}
    ctx.note("transfer.requested", transfer, clauses=(_CLAUSE,), device=device)
    return ctx.tx.put("transfer", transfer, record, owner=ctx.party, expected=0)


@cites("P050-2.6")
def approve(ctx: Context) -> Record:
    """Approve the open transfer, as another authorised person; one that this person approved is given again.

    Raises `Refused`: licensee.no-transfer, person.unknown, person.same-person, licensee.transfer-open for one that
    somebody else approved.
    """
    approver, held = persons.check(ctx, ctx.actor), open_case(ctx)
    if held is None:
        last = _last(ctx)
        if last is None or last.body["approved_by"] != approver:
            raise _none(last)
        return last
    second_person(held.body["requested_by"], (approver,), what="A transfer of a balance", clause=_CLAUSE)
    if held.body["state"] == APPROVED:
        if held.body["approved_by"] != approver:
            raise _told(held)
        return held
    persons.check(ctx, held.body["requested_by"])
    note = {"device": held.body["device"], "requested_by": held.body["requested_by"], "approved_by": approver}
    ctx.note("transfer.approved", held.key, clauses=(_CLAUSE,), **note)
    return _write(ctx, held, state=APPROVED, approved_by=approver)


def cancel(ctx: Context, *, out: bool) -> Record:
    """Take back a transfer that nobody has approved yet, or end one that cannot go on; give it.

    `out` tells that the old device gives nothing more: it is out of service, or it failed. Then two persons may end an
    approved transfer, and what was credited stays in the account. Raises `Refused` (licensee.no-transfer, ...).
    """
    person, held = persons.check(ctx, ctx.actor), open_case(ctx)
    if held is None:
        raise _none(_last(ctx))
    if held.body["state"] == REQUESTED:
        ctx.note("transfer.cancelled", held.key, clauses=(_CLAUSE,), device=held.body["device"])
        return _write(ctx, held, state=CANCELLED)
    if not out:
        raise _told(held)
    first = held.body.get("ending_by", "")
    if not first:
        ctx.note("transfer.ending", held.key, clauses=(_CLAUSE,), device=held.body["device"])
        return _write(ctx, held, ending_by=person)
    if same_person(first, person):
        return held
    persons.check(ctx, first)
    note = {"device": held.body["device"], "requested_by": first, "approved_by": person}
    ctx.note("transfer.ended", held.key, clauses=(_CLAUSE,), **note)
    return _write(ctx, held, state=ENDED)


def refused(ctx: Context, *, transfer: str) -> None:
    """Close a transfer whose check-out the Provider has refused: nothing has moved."""
    held = ctx.tx.get("transfer", transfer)
    assert held is not None
    ctx.note("transfer.refused", held.key, clauses=(_CLAUSE,), device=held.body["device"])
    _write(ctx, held, state=CANCELLED)


def replaced(ctx: Context, *, transfer: str, replacement: DeviceId) -> Record:
    """Write down which device replaces the old one, before anything is set into it; another may follow it."""
    held = ctx.tx.get("transfer", transfer)
    assert held is not None
    return held if held.body["replacement"] == replacement else _write(ctx, held, replacement=replacement)


@cites("P050-2.6", "P050-3.6")
def done(ctx: Context, *, transfer: str, amount: Mills, refund: str, reset: str) -> Record:
    """Close a transfer whose balance is set into the replacement by the reset named; nothing to set is well too."""
    held = ctx.tx.get("transfer", transfer)
    assert held is not None
    if held.body["state"] == DONE:
        return held
    told: dict[str, Any] = {"amount": int(amount), "refund": refund, "reset": reset}
    named = ("device", "replacement", "requested_by", "approved_by")
    ctx.note("transfer.done", transfer, clauses=(_CLAUSE,), **{name: held.body[name] for name in named}, **told)
    return _write(ctx, held, state=DONE, **told)


def open_case(ctx: Context) -> Record | None:
    """Give the transfer that is requested or approved and not done."""
    return next((row for row in ctx.tx.find("transfer") if row.body["state"] in (REQUESTED, APPROVED)), None)


def none_open(ctx: Context) -> None:
    """Raise `Refused` (licensee.transfer-open) where a transfer is requested or under way."""
    held = open_case(ctx)
    if held is not None:
        raise _told(held)


def may_reset(ctx: Context, *, device: DeviceId) -> None:
    """Keep other resets from a device while a balance is on its way to it or out of it.

    Raises `Refused` (licensee.checked-out, licensee.transfer-open, licensee.check-out-open).
    """
    case, held = returns.not_out(ctx, device=device), open_case(ctx)
    if held is not None and held.body["state"] == APPROVED:
        raise _told(held)
    if case is not None and case.body["state"] in (returns.BEGUN, returns.NOTED):
        raise Refused("licensee.check-out-open", device=device)


def _told(held: Record) -> Refused:
    body = held.body
    by = f" and approved by {body['approved_by']}" if body["approved_by"] else ""
    return Refused(
        "licensee.transfer-open",
        transfer=held.key,
        device=body["device"],
        state=f"requested by {body['requested_by']} at {Instant(body['requested_at'])}{by}",
    )


def _last(ctx: Context) -> Record | None:
    rows = [row for row in ctx.tx.find("transfer") if row.body["state"] == DONE]
    return max(rows, key=lambda row: int(row.body["number"]), default=None)


def _none(last: Record | None) -> Refused:
    told = "None was ever done."
    if last is not None:
        told = f"The last one, {last.key}, moved {Mills(last.body['amount'])} to {last.body['replacement']}."
    return Refused("licensee.no-transfer", last=told)


def _write(ctx: Context, held: Record, **values: Any) -> Record:
    return ctx.tx.put("transfer", held.key, {**held.body, **values}, owner=held.owner, expected=held.version)
