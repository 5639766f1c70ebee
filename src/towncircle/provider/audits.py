"""Contacts and audits of devices in use (502.23, P050 3.4): the audit comes up, the renewal goes down.

Here: the Provider's answer to a device audit. Not here: the device's watchdog, which the renewal winds up.
Kept: every audit is forwarded to the Postal Service as the device signed it; an open request that this Provider never
authorised, or whose authorisation has run out, is closed by a signed word, never by a timer.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.instants import Instant
from towncircle.provider import checkouts, missing
from towncircle.provider.inventory import change
from towncircle.provider.leasing import device_terms
from towncircle.provider.readings import refusal_of, refused_frozen, reset_key, take_reading
from towncircle.rules import RuleSet
from towncircle.wire.bodies import (
    AuditForward,
    CheckOutNoted,
    CheckOutStatement,
    DeviceAudit,
    RefusedReply,
    Renewal,
    Withdraw,
)
from towncircle.wire.message import Opened


@cites("502.23", "P050-3.4", "IMI-01", "IMI-11")
def on_audit(
    ctx: Context, opened: Opened, *, rules: RuleSet
) -> Renewal | Withdraw | CheckOutStatement | CheckOutNoted | RefusedReply:
    """Take a device audit and wind up its watchdog; tell it what became of its open request and the terms of today.

    A device that is to leave is ordered out instead; one that is missing gets nothing, but what it signed counts.
    """
    reading = opened.body
    assert isinstance(reading, DeviceAudit)
    row = take_reading(ctx, opened, reading)
    if row.body["frozen"]:
        return refused_frozen(row)
    ctx.send("postal.usps", AuditForward(audit=opened.raw), key=f"audit {row.key} {opened.envelope.counter}")
    if row.body["custody"] in ("returned", "checked out"):
        return checkouts.answer_audit(ctx, row, opened, reading)
    gone = missing.away(ctx, row, open_request=reading.open_request)
    if gone is not None:
        return refusal_of(gone)
    change(ctx, row, contact_at=int(ctx.now))
    ended = _ended(ctx, row.key, reading.open_request)
    return Renewal(
        audit_counter=opened.envelope.counter,
        contact_at=ctx.now,
        parameters=None,
        settle_request=reading.open_request if ended else "",
        settle_outcome="void" if ended else "",
        terms=device_terms(rules, ctx.now.date_in(str(row.body["zone"]))),
    )


def _ended(ctx: Context, device: str, request_id: str) -> bool:
    if not request_id:
        return False
    reset = ctx.tx.get("reset", reset_key(device, request_id))
    if reset is None:
        return True
    return bool(reset.body["state"] != "reserved" or Instant(reset.body["until"]) <= ctx.now)
