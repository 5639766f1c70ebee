"""Elements that are removed from service (502.20(e), (h), (i), P050 2.6): on order, or out of a Provider's server.

Here: the Postal Service's order, and the disabling of an element that resides in the Provider's server. Not here: the
balance (`checkouts`), revoked licenses (`revocations`), which disable what they find here.
Kept: an element at the licensee's site is suspect from the order on, so all its resets are denied; one in the
Provider's server is withdrawn in the same command, by the Provider's own hand, and signs nothing any more. Its balance
is credited by its own signed word, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from towncircle.kernel.cases import open_case_of
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Exchange, Seal, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record
from towncircle.provider import checkouts
from towncircle.provider.inventory import change, device_record, move, suspect
from towncircle.psd.states import AUTHORISED, IN_SERVICE, LOCKED, WITHDRAWN
from towncircle.wire.bodies import Acknowledged, RemovalOrdered, Withdraw
from towncircle.wire.message import Opened

SERVER, SITE = "server", "site"
_SIGNING = (AUTHORISED, IN_SERVICE, LOCKED)


@cites("PRE-06", "502.20e")
def host(ctx: Context, *, device: str) -> Record:
    """Take a leased element into the Provider's server. Raises `Refused` (custody.not-in-use)."""
    row = device_record(ctx, device)
    if row.body.get("resides") == SERVER:
        return row
    if row.body["custody"] != "leased":
        raise Refused("custody.not-in-use", device=row.key, custody=row.body["custody"])
    ctx.note("element.hosted", row.key, clauses=("502.20(e)",), licensee=row.owner)
    return change(ctx, row, resides=SERVER)


@cites("502.20i/1", "502.20i", "P050-2.6", "P050-2.6/4")
def on_ordered(ctx: Context, opened: Opened) -> Steps:
    """Take the Postal Service's order to remove an element: its resets are denied, one in the server is disabled."""
    body = opened.body
    assert isinstance(body, RemovalOrdered)
    elements = hosted(device_record(ctx, body.device))
    words = yield from silence(elements, reason=f"removal {body.order}")
    row = device_record(ctx, body.device)
    if row.body.get("removal") == body.order:
        return Acknowledged(note=f"{body.order} was told before")
    named: dict[str, Any] = {"order": body.order, "receipt": body.receipt, "condition": body.condition}
    ctx.note("removal.ordered", row.key, clauses=("502.20(i)",), licensee=row.owner, zone=row.body["zone"], **named)
    row = change(ctx, row, removal=body.order)
    if row.body["custody"] == "shipped":
        move(ctx, row, "return", order=body.order)
    else:
        suspect(ctx, row)
    disable(ctx, elements, words, reason=body.reason)
    return Acknowledged(note=f"{row.key} is removed from service")


def hosted(*rows: Record) -> list[DeviceId]:
    """Give the devices among some that reside in the Provider's server and are in use."""
    return [DeviceId(row.key) for row in rows if row.body.get("resides") == SERVER and row.body["custody"] == "leased"]


@cites("502.20e/2", "502.20e")
def silence(devices: Iterable[DeviceId], *, reason: str) -> Steps:
    """Withdraw elements in the Provider's server; give the last sealed word of each.

    One with an open reset is left for the reading that settles it; one that failed signs nothing anyway.
    """
    words: dict[DeviceId, bytes] = {}
    for device in devices:
        told = yield Exchange(device, lambda client: client.status())
        if told.open_request or told.state not in (*_SIGNING, WITHDRAWN):
            continue
        if told.state != WITHDRAWN:
            order = yield Seal(f"device.{device}", Withdraw(reason=reason), key=f"disable {device}")
            yield Exchange(device, lambda client, order=order: client.withdraw(order))  # type: ignore[misc]  # bound at once
        signed = yield Exchange(device, lambda client: client.audit())
        words[device] = signed.message
    return words


@cites("502.20e/2")
def disable(ctx: Context, devices: Iterable[DeviceId], words: Mapping[DeviceId, bytes], *, reason: str) -> None:
    """Write down that elements in the Provider's server are disabled, and credit what they gave back.

    One without a last word is still to be disabled: its limit runs, and denies its resets.
    """
    for device in devices:
        row = device_record(ctx, device)
        if not row.body.get("unwanted"):
            ctx.note("element.unwanted", device, clauses=("502.20(e)",), licensee=row.owner, zone=row.body["zone"])
            row = change(ctx, row, unwanted=reason)
        if device not in words:
            continue
        ctx.note("element.disabled", device, clauses=("502.20(e)",), licensee=row.owner)
        if not row.body["frozen"] and open_case_of(ctx.tx, device) is None:
            checkouts.on_disabled(ctx, row, ctx.unseal(words[device], ctx.party, None), reason=reason)


@cites("502.20e/2")
def disable_now(ctx: Context, *, device: str) -> Steps:
    """Disable an element that could not be disabled when it was to be; give its record.

    Raises `Refused` (custody.not-unwanted, custody.not-disabled).
    """
    row = device_record(ctx, device)
    if row.body.get("resides") != SERVER or not row.body.get("unwanted"):
        raise Refused("custody.not-unwanted", device=row.key)
    if row.body["custody"] == "checked out":
        return row
    name = DeviceId(row.key)
    words = yield from silence([name], reason=row.body["unwanted"])
    if not words:
        raise Refused("custody.not-disabled", device=row.key)
    disable(ctx, [name], words, reason=row.body["unwanted"])
    return device_record(ctx, device)
