"""Devices kept in proper condition to their end (502.20(a), 502.20(e), 502.22(a)): parts, title, papers, scrap.

Here: how long the clock, the timer and the battery of a device last, who owns a device, how long its Form 3601-C is
kept, and the end of a device. Not here: defects (`defects`), the balance (`checkouts`).
Kept: how long a part lasts is what its maker's paper says, never a guess: what nobody has told is unknown, and is shown
so. The title stays with the Provider and passes to nobody but the Postal Service; a device is scrapped when its owner
may, it came back, and its keys are destroyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Exchange, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record, Transaction
from towncircle.provider.handovers import BACK, RECEIVED, last_shipment
from towncircle.provider.inventory import HELD, balance_waits, change, check_mended, device_record, move
from towncircle.provider.removals import SERVER
from towncircle.psd.states import ZEROISED
from towncircle.rules import RuleSet
from towncircle.wire.bodies import Acknowledged, SystemPurchased
from towncircle.wire.message import Opened

CLOCK, TIMER, BATTERY = "clock", "timer", "battery"
PARTS = (CLOCK, TIMER, BATTERY)
POSTAL = "postal.usps"
FORM_LIMIT = "form-3601-c-kept"
GONE = ("checked out", "scrapped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Hold how long a part of a device lasts: its last day (ISO) and the paper that says so, empty where unknown."""

    device: str
    licensee: str
    part: str
    until: str
    reference: str


@cites("502.22a")
def know(ctx: Context, *, device: str, part: str, until: date, reference: str) -> Record:
    """Record until when a part lasts, as a paper says; a part that was recorded before was replaced.

    Raises `Refused` (custody.part-over, custody.not-in-use), `BadInput` (custody.no-such-part, custody.reference).
    """
    row = device_record(ctx, device)
    if part not in PARTS:
        raise BadInput("custody.no-such-part", part=part[:40], known=", ".join(PARTS))
    if not reference.strip() or len(reference) > 80:
        raise BadInput("custody.reference", most=80)
    if row.body["custody"] in GONE:
        raise Refused("custody.not-in-use", device=device, custody=row.body["custody"])
    if until <= ctx.now.date_in(str(row.body["zone"])):
        raise Refused("custody.part-over", device=device, part=part, until=until)
    held = ctx.tx.get("part", f"{device} {part}")
    told = {"device": device, "part": part, "until": until.isoformat(), "reference": reference}
    if held is not None and held.body == told:
        return held
    if held is not None:
        ctx.note("part.replaced", device, clauses=("502.22(a)",), part=part, reference=reference)
    ctx.note("part.life-known", device, clauses=("502.22(a)",), part=part, until=told["until"], reference=reference)
    return ctx.tx.put("part", f"{device} {part}", told, owner=device, expected=held.version if held else 0)


@cites("502.22a", "PRE-13/2")
def forecast(tx: Transaction) -> list[Forecast]:
    """Give each part of each device that is not out of service, what ends first before the rest, unknown ones last."""
    found = []
    for row in tx.find("device"):
        for part in PARTS if row.body["custody"] not in GONE else ():
            held = tx.get("part", f"{row.key} {part}")
            until, reference = (held.body["until"], held.body["reference"]) if held else ("", "")
            found.append(Forecast(device=row.key, licensee=row.owner, part=part, until=until, reference=reference))
    return sorted(found, key=lambda one: (one.until or "9999", one.device, one.part))


@cites("502.20a/2", "PRE-10/2", "502.20a", "PRE-10")
def on_purchased(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the Postal Service's word that it has purchased a system; nobody else acquires one.

    Raises `Refused` (custody.title-stays).
    """
    body = opened.body
    assert isinstance(body, SystemPurchased)
    row = device_record(ctx, body.device)
    if opened.envelope.sender != POSTAL:
        raise Refused("custody.title-stays", device=row.key, party=opened.envelope.sender)
    if owner_of(ctx, row) != POSTAL:
        named: dict[str, Any] = {"owner": POSTAL, "reference": body.reference, "document": body.document}
        ctx.note("title.passed", row.key, clauses=("502.20(a)",), **named)
        change(ctx, row, title=POSTAL)
    return Acknowledged(note=f"the title to {row.key} is the Postal Service's")


@cites("502.20a/2")
def owner_of(ctx: Context, row: Record) -> str:
    """Name who holds the title to a device: this Provider, or the Postal Service, whose systems 502.21 exempts."""
    return str(row.body.get("title") or ctx.party)


@cites("PRE-06/2", "502.8/7", "502.20a/2", "PRE-13/2")
def scrap(ctx: Context, *, device: str) -> Steps:
    """Destroy the keys of a device that came back and was checked out, and scrap it; give its record.

    Raises `Refused`: custody.not-owned, custody.not-out, provider.balance-waiting, custody.not-back,
    custody.still-defective.
    """
    row = device_record(ctx, device)
    if row.body["custody"] != "scrapped":
        _may_scrap(ctx, row)
        name = DeviceId(row.key)
        told = yield Exchange(name, lambda client: client.status())
        if told.state != ZEROISED:
            yield Exchange(name, lambda client: client.zeroise(name))
        row = device_record(ctx, device)
        if row.body["custody"] != "scrapped":
            _may_scrap(ctx, row)
            row = move(ctx, row, "scrap")
    return row


def _may_scrap(ctx: Context, row: Record) -> None:
    owner = owner_of(ctx, row)
    if owner != ctx.party:
        raise Refused("custody.not-owned", device=row.key, owner=owner)
    if row.body["custody"] != "checked out":
        raise Refused("custody.not-out", device=row.key, custody=row.body["custody"])
    out = ctx.tx.get("check-out", row.key)
    if out is not None and out.body["state"] == HELD:  # its licensee still compares the credit with the device's word
        raise balance_waits(out)
    back = last_shipment(ctx.tx, row.key, BACK)
    if row.body.get("resides") != SERVER and (back is None or back.body["state"] != RECEIVED):
        raise Refused("custody.not-back", device=row.key)
    check_mended(ctx, row)  # its examination comes first


@cites("502.20e/4", "502.20e")
def let_form_go(ctx: Context, rules: RuleSet, *, device: str) -> None:
    """Record that the Form 3601-C of a device is destroyed. Raises `Refused` (custody.form-kept) before its time."""
    row = device_record(ctx, device)
    filed = [fact for fact in ctx.tx.facts() if (fact.type, fact.subject) == ("form-3601-c.filed", device)]
    gone = [fact for fact in ctx.tx.facts() if (fact.type, fact.subject) == ("form-3601-c.destroyed", device)]
    zone = str(row.body["zone"])
    for fact in filed[-1:]:
        day = fact.occurred_at.date_in(zone)
        until = rules.length_of(FORM_LIMIT, day).last_day(day)
        if ctx.now.date_in(zone) <= until:
            raise Refused("custody.form-kept", device=device, until=until)
    if filed and (not gone or gone[-1].recorded_at < filed[-1].recorded_at):
        ctx.note("form-3601-c.destroyed", device, clauses=("502.20(e)",), licensee=row.owner)
