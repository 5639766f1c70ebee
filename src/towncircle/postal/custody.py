"""Custody of devices at the Postal Service (P050 2.6, 2.7, 2.9, 502.20(a), (f), (i), (j) and (l)).

Here: removals that are ordered, devices that an inspector takes along, malfunction reports, carriers and services that
are permitted in writing, systems that the Postal Service purchases. Not here: examinations (`examining`), the balance
of a device that leaves (`withdrawals`).
Kept: a carrier is permitted when its Provider has shown that its security is equivalent; the inspector's receipt is
signed, the licensee fetches it, and the Provider's copy travels with the order. Each permission and each withdrawal is
a message of its own, also under a reference that was used before.
"""

from __future__ import annotations

import base64
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId, RemovalId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.postal.population import own_device
from towncircle.rules.acts import act_named, check_reference, record
from towncircle.wire.bodies import (
    Acknowledged,
    CarrierProposed,
    HandOverQuery,
    HandOverReceipt,
    MalfunctionReport,
    RemovalOrdered,
    ServicePermitted,
    ServiceWithdrawn,
    SystemPurchased,
)
from towncircle.wire.message import Opened

OUT, BACK = "out", "back"
PERMITTED, WITHDRAWN = "service.permitted", "service.permission-withdrawn"
_WORDS = 400


@cites("502.20i/1", "502.20i", "P050-2.6/3", "P050-2.6/4")
def order_removal(ctx: Context, *, device: DeviceId, reason: str, condition: str = "") -> Record:
    """Order the removal of an element; with a condition an inspector has taken it along, and this is the receipt.

    Raises `Refused` (postal.not-in-register, custody.withdrawn), `BadInput` (custody.details).
    """
    row = ctx.tx.get("device", device)
    if row is None:
        raise Refused("postal.not-in-register", device=device)
    if row.body["status"] == "withdrawn":
        raise Refused("custody.withdrawn", device=device)
    for text in filter(None, (reason, condition)):
        if len(text) > _WORDS:
            raise BadInput("custody.details", most=_WORDS)
    if not reason.strip():
        raise BadInput("custody.details", most=_WORDS)
    held = ctx.tx.get("removal", device)
    if held is not None and (held.body["taken"] or not condition):
        return held
    name = RemovalId.new(ctx.randomness)
    body = {"order": name, "reason": reason, "condition": condition, "taken": bool(condition), "at": int(ctx.now)}
    kept = ctx.tx.put("removal", device, body, owner=row.owner, expected=held.version if held else 0)
    clauses = ("P050 2.6", "502.20(i)") if condition else ("502.20(i)",)
    ctx.note("removal.ordered", device, clauses=clauses, provider=row.owner, order=name, taken=bool(condition))
    order = RemovalOrdered(
        order=name, device=device, reason=reason, receipt=name if condition else "", condition=condition, at=ctx.now
    )
    ctx.send(row.owner, order, key=f"removal {name}")
    return kept


@cites("P050-2.6/4")
def on_query(ctx: Context, opened: Opened) -> HandOverReceipt:
    """Give a licensee the inspector's receipt for its device. Raises `Refused` (custody.no-receipt)."""
    body = opened.body
    assert isinstance(body, HandOverQuery)
    row, held = ctx.tx.get("device", body.device), ctx.tx.get("removal", body.device)
    mine = row is not None and row.body["licensee"] == opened.envelope.sender
    if held is None or not mine or not held.body["taken"] or body.direction != "inspector":
        raise Refused("custody.no-receipt", device=body.device)
    return HandOverReceipt(
        shipment=held.body["order"],
        device=body.device,
        condition=held.body["condition"],
        hand_over=b"",
        at=Instant(held.body["at"]),
    )


@cites("502.20f/2", "P050-2.7/3", "502.20j/2")
def on_malfunction(ctx: Context, opened: Opened) -> Acknowledged:
    """File a Provider's word of a defective device: the notice, then the report that explains the fault.

    Raises `Refused`: postal.unknown-device, custody.no-notice, custody.report-differs.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, MalfunctionReport)
    own_device(ctx, body.device, provider)
    held = ctx.tx.get("malfunction", body.defect)
    if held is None and body.stage == "report":
        raise Refused("custody.no-notice", defect=body.defect, device=body.device)
    if held is not None and (held.body["device"], held.owner) != (body.device, provider):
        raise Refused("custody.report-differs", defect=body.defect, device=held.body["device"])
    told: dict[str, Any] = dict(held.body) if held is not None else {"device": body.device, "kind": body.kind}
    told[body.stage] = {
        "fault": body.fault,
        "remedy": body.remedy,
        "reference": body.reference,
        "ascending": int(body.registers.ascending),
        "descending": int(body.registers.descending),
        "at": int(body.at),
    }
    ctx.tx.put("malfunction", body.defect, told, owner=provider, expected=held.version if held else 0)
    named: dict[str, Any] = {"provider": provider, "defect": body.defect, "stage": body.stage, "remedy": body.remedy}
    ctx.note("malfunction.told", body.device, clauses=("502.20(f)", "502.20(j)"), **named)
    return Acknowledged(note=f"{body.stage} of {body.defect} filed")


@cites("502.20l/3", "502.20l")
def on_proposed(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep a Provider's demonstration that a carrier's security is equivalent; nothing is permitted by it."""
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, CarrierProposed)
    held = ctx.tx.get("carrier", f"{provider} {body.carrier}")
    told = {"reference": body.reference, "document": body.document, "at": int(ctx.now)}
    told["paper"] = base64.b64encode(opened.raw).decode()
    ctx.tx.put("carrier", f"{provider} {body.carrier}", told, owner=provider, expected=held.version if held else 0)
    ctx.note("carrier.proposed", provider, clauses=("502.20(l)",), carrier=body.carrier, document=body.document)
    return Acknowledged(note=f"{body.carrier} was shown; it may be used when it is permitted in writing")


@cites("502.20l/1", "502.20l/2", "502.20l/3", "P050-2.9/2")
def permit(ctx: Context, *, provider: str, direction: Any, service: str, permission: str, document: str) -> None:
    """Permit another carrier for shipments out, or another service for returns, in writing.

    `document` is the SHA-256 (hex) of the paper. Raises `Refused` (custody.carrier-not-shown) for a carrier whose
    security its Provider has not shown, and what `acts.record` refuses.
    """
    if direction == OUT:
        if ctx.tx.get("carrier", f"{provider} {service}") is None:
            raise Refused("custody.carrier-not-shown", service=service[:80], provider=provider)
        record(ctx, act=act_named("carrier-permitted"), reference=permission, document=document, at=ctx.now)
    clause = "502.20(l)" if direction == OUT else "P050 2.9"
    named: dict[str, Any] = {"direction": direction, "service": service, "permission": permission}
    ctx.note(PERMITTED, provider, clauses=(clause,), document=document, **named)
    body = ServicePermitted(direction=direction, service=service, permission=permission, document=document, at=ctx.now)
    ctx.send(provider, body, key=f"permission {ctx.tx.next_number('permission')} {permission} {direction} {service}")


@cites("502.20l/1", "P050-2.9/2")
def withdraw(ctx: Context, *, provider: str, direction: Any, service: str, reference: str, document: str) -> None:
    """Withdraw the permission for a carrier or another service in writing: from then on no device goes by it.

    What is under way arrives as it was sent. Raises `Refused` (custody.not-permitted, custody.no-paper).
    """
    standing = ""
    for fact in ctx.tx.facts():
        about = (fact.subject, fact.body.get("direction"), fact.body.get("service"))
        if fact.type in (PERMITTED, WITHDRAWN) and about == (provider, direction, service):
            standing = fact.type
    clause = "502.20(l)" if direction == OUT else "P050 2.9"
    if standing != PERMITTED:
        raise Refused("custody.not-permitted", service=service[:80], provider=provider, clause=clause)
    if not document:
        raise Refused("custody.no-paper", service=service[:80], clause=clause)
    check_reference(reference)
    told: dict[str, Any] = {"direction": direction, "service": service, "reference": reference}
    ctx.note(WITHDRAWN, provider, clauses=(clause,), document=document, **told)
    body = ServiceWithdrawn(document=document, at=ctx.now, **told)
    number = ctx.tx.next_number("permission")
    ctx.send(provider, body, key=f"permission {number} withdrawn {reference} {direction} {service}")


@cites("502.20a/2", "PRE-10/2")
def purchase(ctx: Context, *, device: DeviceId, reference: str, document: str) -> Record:
    """Record that the Postal Service has purchased a system, and tell its Provider: the title passes.

    Such a system is exempt from the sanction of 502.21. Raises `Refused` (postal.not-in-register).
    """
    row = ctx.tx.get("device", device)
    if row is None:
        raise Refused("postal.not-in-register", device=device)
    if row.body.get("owned"):
        return row
    ctx.note(
        "system.purchased",
        device,
        clauses=("502.20(a)", "502.21"),
        provider=row.owner,
        reference=reference,
        document=document,
    )
    body = SystemPurchased(device=device, reference=reference, document=document, at=ctx.now)
    ctx.send(row.owner, body, key=f"purchased {device}")
    return ctx.tx.put("device", device, {**row.body, "owned": True}, owner=row.owner, expected=row.version)
