"""Balances that devices gave back (502.27(b)): section G of Form 3601-C, and the credit that the coordinator arranges.

Here: the signature of a person of the Provider, the form that goes to the District MATS coordinator, the credit.
Not here: the check-out of the device (`checkouts`), the coordinator (`postal.balances`).
Kept: until it is credited a balance stands in the books where it stood, in the account of its own device, and nowhere
else; the daily comparison names it as waiting. No party can print, set or pay it out there. The credit is posted once,
for just what was signed and arranged.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cases import open_case_of
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.ledger.recipes import balance_withdrawn
from towncircle.provider.inventory import HELD, device_record
from towncircle.provider.readings import file_transaction
from towncircle.rules.offices import check_office
from towncircle.wire.bodies import Acknowledged, BalanceArranged, BalanceForm
from towncircle.wire.message import Opened

DONE = "done"


@cites("502.27b/1", "502.27b/2", "502.27b/3")
def sign_form(ctx: Context, *, device: str, again: bool = False) -> Record:
    """Reconcile the balance of a device that was given back, sign section G, and send the form to the coordinator.

    One that is signed is left as it is, and sent `again` where the Postal Service refused it. One that an earlier
    release credited at once is signed for afterwards. Raises `Refused` (provider.no-balance-held, provider.case-open,
    person.unknown, person.other-office).
    """
    name = ctx.actor.rpartition("/")[2]
    check_office(ctx, name, "custody sign-form")
    row, held = device_record(ctx, device), ctx.tx.get("check-out", device)
    if held is None or held.body["state"] not in (HELD, DONE) or not held.body["amount"]:
        raise Refused("provider.no-balance-held", device=device)
    if _signed(held):
        if again:
            _send(ctx, held)
        return held
    case = open_case_of(ctx.tx, device)
    if case is not None:
        raise Refused("provider.case-open", device=device, case=case.key)
    amount, used = Mills(held.body["amount"]), Mills(held.body["ascending"] - held.body["noted_ascending"])
    due = Mills(held.body["noted"]) - used
    in_books = Books(ctx.tx).device(row.owner, device).descending
    for other in (due, in_books) if held.body["state"] == HELD else (due,):
        if amount != other:
            raise BrokenInvariant("provider.balance-differs", device=device, amount=amount, due=other)
    kept = ctx.tx.put(
        "check-out",
        device,
        {**held.body, "signed_by": name, "signed_at": int(ctx.now)},
        owner=held.owner,
        expected=held.version,
    )
    refund = held.body["refund"]
    note: dict[str, Any] = {"device": device, "licensee": held.owner, "amount": int(amount), "signed_by": name}
    ctx.note("balance.signed", refund, clauses=("502.27(b)(2)",), **note)
    _send(ctx, kept)
    return kept


def form_key(refund: str) -> str:
    """Name the message that brings the form of a balance to the coordinator."""
    return f"balance {refund}"


def _send(ctx: Context, held: Record) -> None:
    body = held.body
    form = BalanceForm(
        device=DeviceId(held.key),
        refund=body["refund"],
        noted=Mills(body["noted"]),
        used=Mills(body["ascending"] - body["noted_ascending"]),
        amount=Mills(body["amount"]),
        signed_by=body["signed_by"],
        at=Instant(body["signed_at"]),
    )
    ctx.send("postal.usps", form, key=form_key(body["refund"]))


def _signed(held: Record) -> bool:
    return bool(held.body.get("signed_by"))


@cites("PRE-19/2", "502.27b/4", "P050-3.3c/1", "P050-3.3c/2")
def on_arranged(ctx: Context, opened: Opened) -> Acknowledged:
    """Credit the account with what the MATS coordinator arranged, once; file it with the Postal Service.

    Raises `Refused` (provider.no-balance-held, provider.other-balance).
    """
    body = opened.body
    assert isinstance(body, BalanceArranged)
    row, held = device_record(ctx, body.device), ctx.tx.get("check-out", body.device)
    if held is None or held.body["refund"] != body.refund or not _signed(held):
        raise Refused("provider.no-balance-held", device=body.device)
    amount = Mills(held.body["amount"])
    if body.amount != amount:
        raise Refused("provider.other-balance", device=body.device, arranged=body.amount, amount=amount)
    if held.body["state"] == HELD:
        _credit(ctx, row, held, amount, by=body.arranged_by)
    return Acknowledged(note=f"the balance of {body.device} is credited")


def _credit(ctx: Context, row: Record, held: Record, amount: Mills, *, by: str) -> None:
    refund = held.body["refund"]
    entry = balance_withdrawn(refund_id=refund, licensee=row.owner, device=row.key, amount=amount, at=ctx.now)
    Books(ctx.tx).post(entry)
    note: dict[str, Any] = {"device": row.key, "licensee": row.owner, "amount": int(amount)}
    ctx.note("balance.withdrawn", refund, clauses=("502.27(b)", "P050 3.3"), arranged_by=by, **note)
    file_transaction(ctx, row, reference=refund, amount=-amount)
    body = {**held.body, "state": DONE, "arranged_by": by, "credited_at": int(ctx.now)}
    ctx.tx.put("check-out", row.key, body, owner=held.owner, expected=held.version)
