"""Hand-overs of devices between the Provider and its licensees (502.18, 502.20(l), P050 2.5(a), 2.9).

Here: the inspection before distribution, the shipment out and its receipt, the parcel that comes back and the
Provider's receipt for it, services that the Postal Service has permitted. Not here: the lease (`leasing`), the balance
of a device that comes back (`checkouts`).
Kept: a device leaves the bench inspected, by Registered Mail or a carrier permitted in writing; it is leased when its
licensee has signed for it, so no reset goes to a device that nobody has received. Each hand-over is one paper that the
giver signed and one receipt that the receiver signed, kept by both.
"""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId, ShipmentId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO
from towncircle.kernel.store import Record, Transaction
from towncircle.provider.inventory import change, device_record, move
from towncircle.psd.commands import SelfTested, StatusReport
from towncircle.psd.states import AUTHORISED
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import (
    COLLECTED,
    Acknowledged,
    DeviceActivity,
    HandOver,
    HandOverQuery,
    HandOverReceipt,
    Registers,
    ServicePermitted,
    ServiceWithdrawn,
)
from towncircle.wire.message import Opened

SENT, RECEIVED = "sent", "received"
OUT, BACK = "out", "back"
SERVICES = {OUT: "service_out", BACK: "service_back"}
_WORDS = 400


@cites("502.18", "502.20l", "PRE-13", "502.8/7")
def inspect(ctx: Context, device: DeviceId, tested: SelfTested, told: StatusReport) -> None:
    """Record the inspection of a device on the bench. Raises `Refused` (custody.inspection-failed)."""
    empty = told.resets_total == ZERO and told.registers.pieces == 0
    if (told.device, told.state) != (device, AUTHORISED) or not empty or not tested.passed:
        raise Refused("custody.inspection-failed", device=device, state=told.state)
    ctx.note("device.inspected", device, clauses=("502.18",), state=told.state, tests=len(tested.passed))


@cites("502.20l/1", "502.20l", "502.20c")
def send_out(
    ctx: Context, row: Record, *, lease: str, regime: str, service: str, permission: str, article: str
) -> Record:
    """Give a device that was inspected to the carrier for its licensee; give the device's record."""
    shipment = ShipmentId.new(ctx.randomness)
    row = move(ctx, row, "ship", zone=row.body["zone"], regime=regime, shipment=shipment)
    body = {
        **_paper(row.key, OUT, service=service, article=article, permission=permission, at=ctx.now),
        "lease": lease,
        "regime": regime,
    }
    ctx.tx.put("shipment", shipment, body, owner=row.owner, expected=0)
    return row


@cites("502.20l/1")
def service_in_use(ctx: Context, rules: RuleSet, day: date) -> tuple[str, str]:
    """Give the service by which devices go out, and the permission for it: Registered Mail unless another was chosen.

    Raises `Refused` (custody.carrier-not-permitted) for one whose permission is not here.
    """
    chosen = ctx.tx.get("service-in-use", OUT)
    service = str(chosen.body["service"]) if chosen is not None else rules.text(SERVICES[OUT], day)
    return service, permission_for(ctx.tx, rules, day, direction=OUT, service=service)


@cites("502.20l/1", "P050-2.9/2")
def permission_for(tx: Transaction, rules: RuleSet, day: date, *, direction: str, service: str) -> str:
    """Give the written permission for a service, empty for the one that the rule names.

    Raises `Refused`: custody.carrier-not-permitted, custody.return-service.
    """
    named = rules.text(SERVICES[direction], day)
    if service == named:
        return ""
    held = tx.get("permitted-service", f"{direction} {service}")
    if held is None or held.body.get("withdrawn"):
        raise Refused(
            "custody.carrier-not-permitted" if direction == OUT else "custody.return-service",
            service=service[:80],
            named=named,
        )
    return str(held.body["permission"])


@cites("502.20l/1")
def use_service(ctx: Context, rules: RuleSet, *, service: str) -> Record:
    """Ship devices by another service from now on. Raises `Refused` (custody.carrier-not-permitted)."""
    permission = permission_for(ctx.tx, rules, ctx.now.date_in(HEADQUARTERS), direction=OUT, service=service)
    held = ctx.tx.get("service-in-use", OUT)
    ctx.note("service.chosen", ctx.party, clauses=("502.20(l)",), service=service, permission=permission)
    return ctx.tx.put(
        "service-in-use", OUT, {"service": service}, owner=ctx.party, expected=held.version if held else 0
    )


@cites("502.20l/1", "P050-2.9/2")
def on_permitted(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the Postal Service's written permission for another carrier or service."""
    body = opened.body
    assert isinstance(body, ServicePermitted)
    key = f"{body.direction} {body.service}"
    held = ctx.tx.get("permitted-service", key)
    record = {
        "permission": body.permission,
        "document": body.document,
        "at": int(body.at),
        "paper": base64.b64encode(opened.raw).decode(),
    }
    ctx.tx.put("permitted-service", key, record, owner=ctx.party, expected=held.version if held else 0)
    clause = "502.20(l)" if body.direction == OUT else "P050 2.9"
    named: dict[str, Any] = {"direction": body.direction, "service": body.service}
    ctx.note("service.permitted", body.permission, clauses=(clause,), document=body.document, **named)
    return Acknowledged(note=f"{body.service} is permitted for devices that go {body.direction}")


@cites("502.20l/1", "P050-2.9/2")
def on_withdrawn(ctx: Context, opened: Opened, *, rules: RuleSet) -> Acknowledged:
    """Take the withdrawal of a permission: the service that the rule names is used again from now on."""
    body = opened.body
    assert isinstance(body, ServiceWithdrawn)
    held = ctx.tx.get("permitted-service", f"{body.direction} {body.service}")
    if held is not None and not held.body.get("withdrawn"):
        record = {**held.body, "withdrawn": body.reference, "withdrawal": base64.b64encode(opened.raw).decode()}
        ctx.tx.put(held.kind, held.key, record, owner=ctx.party, expected=held.version)
        clause = "502.20(l)" if body.direction == OUT else "P050 2.9"
        named: dict[str, Any] = {"direction": body.direction, "service": body.service}
        ctx.note("service.permission-withdrawn", body.reference, clauses=(clause,), document=body.document, **named)
        chosen = ctx.tx.get("service-in-use", OUT)
        if body.direction == OUT and chosen is not None and chosen.body["service"] == body.service:
            use_service(ctx, rules, service=rules.text(SERVICES[OUT], ctx.now.date_in(HEADQUARTERS)))
    return Acknowledged(note=f"{body.service} is used for no device that goes {body.direction}")


@cites("PRE-13/1", "502.8/7")
def on_query(ctx: Context, opened: Opened) -> HandOver | HandOverReceipt:
    """Give a licensee the paper of a device sent to it, or the receipt for one that it sent back.

    Raises `Refused`: custody.no-shipment, custody.not-arrived.
    """
    body = opened.body
    assert isinstance(body, HandOverQuery)
    row = _own(ctx, body.device, opened.envelope.sender)
    held = last_shipment(ctx.tx, row.key, body.direction)
    if held is None:
        raise Refused("custody.no-shipment", device=row.key, direction=body.direction)
    if body.direction == OUT:
        if "on_paper" not in held.body:  # what is told from now on does not change the paper that was given
            told = {**held.body, "on_paper": held.body["article"]}
            held = ctx.tx.put("shipment", held.key, told, owner=held.owner, expected=held.version)
        return hand_over_of(held)
    if held.body["state"] != RECEIVED:
        raise Refused("custody.not-arrived", device=row.key, shipment=held.key)
    return HandOverReceipt(
        shipment=held.key,
        device=DeviceId(row.key),
        condition=held.body["condition"],
        hand_over=base64.b64decode(held.body["paper"]),
        at=Instant(held.body["received_at"]),
    )


def hand_over_of(held: Record) -> HandOver:
    """Give a shipment as the paper that its giver signs."""
    body = held.body
    return HandOver(
        shipment=held.key,
        device=DeviceId(body["device"]),
        direction=body["direction"],
        service=body["service"],
        article=body.get("on_paper", body["article"]),
        permission=body["permission"],
        at=Instant(body["at"]),
    )


@cites("502.20c", "P050-2.5a", "PRE-13/1")
def on_receipt(ctx: Context, opened: Opened) -> Acknowledged:
    """Take a licensee's receipt for its device: it is leased from now on, and the register is told.

    Raises `Refused`: custody.no-shipment, custody.other-paper.
    """
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, HandOverReceipt)
    row = _own(ctx, body.device, licensee)
    check_dated(opened, body.at, device=body.device, what="A receipt", clause="P050 2.5(a)")
    held = ctx.tx.get("shipment", body.shipment)
    if held is None or (held.body["device"], held.body["direction"]) != (row.key, OUT):
        raise Refused("custody.no-shipment", device=row.key, direction=OUT)
    paper = ctx.unseal(body.hand_over, licensee, opened.envelope)
    if paper.envelope.sender != ctx.party or paper.body != hand_over_of(held):
        raise Refused("custody.other-paper", device=row.key, shipment=held.key)
    if held.body["state"] == RECEIVED:
        return Acknowledged(note=f"{row.key} was received before")
    _received(ctx, held, condition=body.condition, paper=body.hand_over, receipt=opened.raw)
    move(ctx, row, "lease", zone=row.body["zone"], regime=held.body["regime"], shipment=held.key)
    activity = DeviceActivity(
        device=body.device,
        license=row.body["license"],
        event="installed",
        registers=Registers(ascending=ZERO, descending=ZERO, pieces=0),
        at=ctx.now,
    )
    ctx.send("postal.usps", activity, key=f"installed {row.key}")
    ctx.note("form-3601-c.filed", row.key, clauses=("502.20(e)",), licensee=licensee, event="installed")
    return Acknowledged(note=f"{row.key} is leased")


@cites("P050-2.9/2", "P050-2.9", "P050-2.5a", "P050-2.9/1")
def on_sent_back(ctx: Context, opened: Opened, *, rules: RuleSet) -> Acknowledged:
    """Take a licensee's word that it has sent a device back, by the service of the rule or one that is permitted.

    Raises `Refused`: custody.stays, custody.return-service, custody.sent-before, custody.in-the-future.
    """
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, HandOver)
    ShipmentId.parse(body.shipment)
    check_dated(opened, body.at, device=body.device, what="A parcel", clause="P050 2.9")
    row = _own(ctx, body.device, licensee)
    if body.direction != BACK or row.body["custody"] not in ("returned", "checked out"):
        raise Refused("custody.stays", device=row.key, custody=row.body["custody"])
    day = ctx.now.date_in(str(row.body["zone"]))
    if body.service == COLLECTED:
        permission = _collected(ctx, row, body.article)
    else:
        permission = permission_for(ctx.tx, rules, day, direction=BACK, service=body.service)
    held = last_shipment(ctx.tx, row.key, BACK)
    if held is not None:
        if held.key == body.shipment:
            return Acknowledged(note=f"{body.shipment} was told before")
        raise Refused("custody.sent-before", device=row.key, shipment=held.key, article=held.body["article"])
    told = _paper(row.key, BACK, service=body.service, article=body.article, permission=permission, at=body.at)
    told["paper"] = base64.b64encode(opened.raw).decode()
    ctx.tx.put("shipment", body.shipment, told, owner=row.owner, expected=0)
    named: dict[str, Any] = {
        "shipment": body.shipment,
        "service": body.service,
        "article": body.article,
        "permission": permission,
    }
    ctx.note("device.sent-back", row.key, clauses=("P050 2.9",), licensee=licensee, **named)
    return Acknowledged(note=f"{row.key} is on its way back")


@cites("502.20f/1", "P050-2.7/2")
def _collected(ctx: Context, row: Record, reference: str) -> str:
    """Check that this Provider has retrieved a device itself, under the reference that its licensee signs.

    Raises `Refused` (custody.not-collected).
    """
    retrieved = [held.body["retrieved"] for held in ctx.tx.find("defect", owner=row.key)]
    if not reference or reference not in retrieved:  # what was not retrieved has no reference
        raise Refused("custody.not-collected", device=row.key, reference=reference[:80])
    return ""


@cites("P050-2.9/1", "502.20e/1", "PRE-13/2")
def receive(ctx: Context, *, device: str, condition: str) -> Record:
    """Sign for a device that came back; its licensee fetches the receipt. The same told again changes nothing.

    Raises `Refused` (custody.no-shipment), `BadInput` (custody.condition).
    """
    row = device_record(ctx, device)
    if not condition.strip() or len(condition) > _WORDS:
        raise BadInput("custody.condition", most=_WORDS)
    held = last_shipment(ctx.tx, row.key, BACK)
    if held is None:
        raise Refused("custody.no-shipment", device=row.key, direction=BACK)
    if held.body["state"] == RECEIVED:
        return held
    kept = _received(ctx, held, condition=condition, paper=base64.b64decode(held.body["paper"]), receipt=b"")
    ctx.note("device.came-back", row.key, clauses=("P050 2.9",), licensee=row.owner, shipment=held.key)
    change(ctx, row, back_at=int(ctx.now))
    return kept


def check_dated(opened: Opened, at: Instant, *, device: str, what: str, clause: str) -> None:
    """Check that what a message tells is not later than the message. Raises `Refused` (custody.in-the-future)."""
    if at > opened.envelope.issued:
        raise Refused("custody.in-the-future", what=what, device=device, at=at, clause=clause)


def last_shipment(tx: Transaction, device: str, direction: str) -> Record | None:
    """Give the last hand-over of a device in a direction, or None."""
    rows = [row for row in tx.find("shipment") if (row.body["device"], row.body["direction"]) == (device, direction)]
    return max(rows, key=lambda row: (row.body["at"], row.key), default=None)


def _paper(device: str, direction: str, *, service: str, article: str, permission: str, at: Instant) -> dict[str, Any]:
    return {
        "device": device,
        "direction": direction,
        "service": service,
        "article": article,
        "permission": permission,
        "state": SENT,
        "at": int(at),
        "received_at": 0,
        "condition": "",
        "paper": "",
        "receipt": "",
    }


def _received(ctx: Context, held: Record, *, condition: str, paper: bytes, receipt: bytes) -> Record:
    body = {
        **held.body,
        "state": RECEIVED,
        "received_at": int(ctx.now),
        "condition": condition,
        "paper": base64.b64encode(paper).decode(),
        "receipt": base64.b64encode(receipt).decode(),
    }
    named: dict[str, Any] = {name: body[name] for name in ("device", "direction", "service", "article", "permission")}
    ctx.note("hand-over.signed", held.key, clauses=("PRE-13",), licensee=held.owner, **named)
    return ctx.tx.put("shipment", held.key, body, owner=held.owner, expected=held.version)


def _own(ctx: Context, device: str, licensee: str) -> Record:
    row = device_record(ctx, device)
    if row.owner != licensee:
        raise Refused("provider.unknown-device", device=device, provider=ctx.party)
    return row
