"""Balances that devices gave back, at the Postal Service: the District MATS coordinator (502.27(b)(3) and (4)).

Here: the completed Form 3601-C of a balance, and the arrangement of its credit. Not here: the report that a device is
out of service (`withdrawals`), the credit itself (`provider.balances`, `trust`).
Kept: a balance is arranged once, by a person who holds the office, and only for what the device's own sealed word gave
back.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cases import open_case_of
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.postal.population import own_device
from towncircle.rules.offices import check_office
from towncircle.wire.bodies import Acknowledged, BalanceArranged, BalanceForm
from towncircle.wire.message import Opened

WAITING, ARRANGED = "waiting", "arranged"


@cites("502.27b/2", "502.27b/3")
def on_form(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the completed Form 3601-C of a balance for the coordinator.

    Raises `Refused` (postal.unsigned-form, postal.balance-differs) where section G names no person, or section F is not
    what was noted less what was evidenced, or not what the device gave back.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, BalanceForm)
    row = own_device(ctx, body.device, provider)
    if not body.signed_by or body.signed_by == provider:
        raise Refused("postal.unsigned-form", device=body.device)
    given = row.body.get("given", {})
    if (given.get("refund"), given.get("amount")) != (body.refund, int(body.amount)):
        found = Mills(given["amount"]) if given else "nothing"
        raise Refused("postal.balance-differs", device=body.device, amount=body.amount, given=found)
    if body.noted - body.used != body.amount:
        raise Refused("postal.balance-differs", device=body.device, amount=body.amount, given=body.noted - body.used)
    if ctx.tx.get("balance-form", body.refund) is None:
        note: dict[str, Any] = {
            "provider": provider,
            "licensee": row.body["licensee"],
            "device": body.device,
            "amount": int(body.amount),
            "signed_by": body.signed_by,
        }
        ctx.tx.put("balance-form", body.refund, {**note, "state": WAITING}, owner=provider, expected=0)
        ctx.note("balance-form.received", body.refund, clauses=("502.27(b)(3)",), occurred_at=body.at, **note)
    return Acknowledged(note=f"the balance of {body.device} waits for the District MATS coordinator")


@cites("502.27b/4")
def arrange(ctx: Context, *, device: str) -> Record:
    """Arrange the credit of a balance as the MATS coordinator; an arranged one is left as it is.

    Raises `Refused` (postal.no-balance-form, provider.case-open, person.unknown, person.other-office).
    """
    name = ctx.actor.rpartition("/")[2]
    check_office(ctx, name, "custody arrange")
    held = next((row for row in ctx.tx.find("balance-form") if row.body["device"] == device), None)
    if held is None:
        raise Refused("postal.no-balance-form", device=device)
    if held.body["state"] == ARRANGED:
        return held
    case = open_case_of(ctx.tx, device)
    if case is not None:
        raise Refused("provider.case-open", device=device, case=case.key)
    body = {**held.body, "state": ARRANGED, "arranged_by": name, "arranged_at": int(ctx.now)}
    kept = ctx.tx.put("balance-form", held.key, body, owner=held.owner, expected=held.version)
    note = {key: body[key] for key in ("provider", "licensee", "device", "amount", "signed_by", "arranged_by")}
    ctx.note("balance.arranged", held.key, clauses=("502.27(b)(4)",), **note)
    told = BalanceArranged(
        device=DeviceId(device),
        refund=held.key,
        amount=Mills(body["amount"]),
        arranged_by=name,
        at=Instant(body["arranged_at"]),
    )
    ctx.send(held.owner, told, key=f"balance {held.key}")
    return kept
