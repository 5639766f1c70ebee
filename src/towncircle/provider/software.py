"""Software releases: approved builds, staged to devices by groups and percent, and what each device says of itself.

Here: releases, their stages, orders to devices, signed reports. Not here: the device's own checks (`psd.software`), the
approval (`postal.builds`), the code itself, which the owner of each machine installs.
Kept: nothing is ordered that the Postal Service did not approve (502.11); a device gets the highest release that it is
chosen for; a stage only adds devices, a halt recalls who has not taken it. What a device runs is what it signed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Seal, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record
from towncircle.provider.inventory import change, device_record
from towncircle.wire.bodies import (
    Acknowledged,
    BuildApproval,
    BuildApproved,
    SoftwareForward,
    SoftwareReport,
    SoftwareUpdate,
)
from towncircle.wire.message import Opened

RELEASE, DEVICES = "release", "devices"
HUNDRED = 100
_NEW: dict[str, Any] = {"version": 0, "build": "", "next": 0, "assigned": 0, "reported_at": 0}


@cites("IMI-03/1", "502.11")
def on_approved(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep an approved build as a release that nobody is chosen for yet."""
    body = opened.body
    assert isinstance(body, BuildApproved)
    approval = ctx.unseal(body.approval, DEVICES, opened.envelope).body
    assert isinstance(approval, BuildApproval)
    key = f"{approval.version:06d}"
    if ctx.tx.get(RELEASE, key) is None:
        told: dict[str, Any] = {"version": approval.version, "build": approval.build.hex(), "model": approval.model}
        record = {
            **told,
            "changes": approval.changes,
            "approval": base64.b64encode(body.approval).decode(),
            "percent": 0,
            "groups": [],
            "install_by": "",
            "halted": "",
        }
        ctx.tx.put(RELEASE, key, record, owner=ctx.party, expected=0)
        ctx.note("software.released", key, clauses=("IMI-03", "502.11"), **told)
    return Acknowledged(note=f"version {approval.version} kept")


@cites("IMI-03/1")
def stage(ctx: Context, *, version: int, percent: int, groups: Iterable[str], install_by: date) -> Record:
    """Choose more devices for a release: a share of all (0 to 100), and groups: devices, licensees or models.

    Raises `BadInput` (software.bad-stage), `Refused` (software.no-release, software.halted, software.stage-shrinks).
    """
    row = release(ctx, version)
    if not 0 <= percent <= HUNDRED or install_by < ctx.now.utc().date():
        raise BadInput("software.bad-stage", percent=percent, install_by=install_by)
    if row.body["halted"]:
        raise Refused("software.halted", version=version, reason=row.body["halted"])
    if percent < row.body["percent"]:
        raise Refused("software.stage-shrinks", version=version, percent=percent, now=row.body["percent"])
    chosen = sorted({*row.body["groups"], *groups})
    told: dict[str, Any] = {"percent": percent, "groups": chosen, "install_by": install_by.isoformat()}
    row = ctx.tx.put(RELEASE, row.key, {**row.body, **told}, owner=row.owner, expected=row.version)
    ctx.note("software.staged", row.key, clauses=("IMI-03",), **told)
    for device in ctx.tx.find("device"):
        if device.body["custody"] == "leased" and chosen_for(row, device):
            _assign(ctx, device, row)
    return row


@cites("IMI-03/1")
def halt(ctx: Context, *, version: int, reason: str) -> Record:
    """Stop a release: it is ordered no more, and devices that have not taken it are not waited for.

    Raises `BadInput` (software.no-reason), `Refused` (software.no-release).
    """
    if not reason.strip():
        raise BadInput("software.no-reason")
    row = release(ctx, version)
    if row.body["halted"]:
        return row
    ctx.note("software.halted", row.key, clauses=("IMI-03",), reason=reason[:200])
    for held in ctx.tx.find("software"):
        if held.body["assigned"] == version > held.body["version"]:
            _write(ctx, held.key, held, owner=held.owner, assigned=0)
            ctx.note("software.recalled", held.key, clauses=("IMI-03",), licensee=held.owner, version=version)
    return ctx.tx.put(RELEASE, row.key, {**row.body, "halted": reason[:200]}, owner=row.owner, expected=row.version)


def release(ctx: Context, version: int) -> Record:
    """Give a release. Raises `Refused` (software.no-release)."""
    row = ctx.tx.get(RELEASE, f"{version:06d}")
    if row is None:
        known = ", ".join(str(one.body["version"]) for one in ctx.tx.find(RELEASE)) or "none"
        raise Refused("software.no-release", version=version, known=known)
    return row


def chosen_for(row: Record, device: Record) -> bool:
    """Tell whether a device is chosen for a release; its place among the hundred follows from its id alone."""
    name = DeviceId(device.key)
    model = f"{name.vendor}{name.model}"
    if row.body["halted"] or row.body["model"] != model:
        return False
    place = int.from_bytes(hashlib.sha256(f"{row.key} {device.key}".encode()).digest()[:4], "big") % HUNDRED
    return place < row.body["percent"] or not {device.key, device.owner, model}.isdisjoint(row.body["groups"])


@cites("IMI-02/3", "IMI-03/1")
def order_for(ctx: Context, device: Record, *, version: int) -> Steps:
    """Give the sealed order of the highest release that a device is chosen for and does not have, or nothing."""
    rows = [row for row in ctx.tx.find(RELEASE) if row.body["version"] > version and chosen_for(row, device)]
    if not rows:
        return b""
    row = max(rows, key=lambda one: int(one.body["version"]))
    order = SoftwareUpdate(
        version=row.body["version"],
        build=bytes.fromhex(row.body["build"]),
        approval=base64.b64decode(row.body["approval"]),
    )
    sealed = yield Seal(f"device.{device.key}", order, key=f"software {row.key} {device.key}")
    _assign(ctx, device, row)
    return sealed


def _assign(ctx: Context, device: Record, row: Record) -> None:
    held, version = ctx.tx.get("software", device.key), int(row.body["version"])
    body = dict(held.body) if held is not None else _NEW
    if version <= max(body["assigned"], body["version"]):
        return
    if body["assigned"] > body["version"]:
        ctx.note("software.recalled", device.key, clauses=("IMI-03",), licensee=device.owner, version=body["assigned"])
    _write(ctx, device.key, held, owner=device.owner, assigned=version)
    ctx.note(
        "software.assigned",
        device.key,
        clauses=("IMI-03",),
        licensee=device.owner,
        zone=device.body["zone"],
        version=version,
        until=row.body["install_by"],
    )


@cites("IMI-03/1", "502.8/2")
def on_report(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep what a device signed about its software, and forward it to the Postal Service.

    Raises `Refused` (provider.unknown-device, provider.stale-reading).
    """
    body, envelope = opened.body, opened.envelope
    assert isinstance(body, SoftwareReport)
    device = envelope.sender.partition(".")[2]
    row = device_record(ctx, device)
    if envelope.counter <= row.body["message_counter"]:
        raise Refused("provider.stale-reading", device=device, counter=envelope.counter)
    change(ctx, row, message_counter=envelope.counter)
    held = ctx.tx.get("software", device)
    before = dict(held.body) if held is not None else _NEW
    _write(
        ctx,
        device,
        held,
        owner=row.owner,
        version=body.version,
        build=body.build.hex(),
        next=body.next_version,
        reported_at=int(envelope.issued),
    )
    told = {"licensee": row.owner, "version": body.version, "next": body.next_version, "running": body.running.hex()}
    ctx.note("software.reported", device, clauses=("IMI-03",), occurred_at=envelope.issued, **told)
    if body.version > before["version"]:
        ctx.note("software.installed", device, clauses=("IMI-03",), licensee=row.owner, version=body.version)
    forward = SoftwareForward(report=opened.raw, at=ctx.now)
    ctx.send("postal.usps", forward, key=f"software of {device} {envelope.counter}")
    return Acknowledged(note="software noted")


def _write(ctx: Context, device: str, held: Record | None, *, owner: str, **values: Any) -> None:
    body = {**(held.body if held is not None else _NEW), **values}
    ctx.tx.put("software", device, body, owner=owner, expected=held.version if held is not None else 0)
