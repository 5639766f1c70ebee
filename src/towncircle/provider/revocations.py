"""Licenses after they were issued, at the Provider (P050 2.3 to 2.5, 502.20(h)).

Here: the notice of a revocation and what it does to leases at once, the outcome of appeals, changed license data passed
on. Not here: the decisions, which are the Postal Service's; the return of a device (`checkouts`).
Kept: the lease of a revoked license is cancelled in the transaction that takes the notice, so that a reset is either
authorised before it and stands, or asked for after it and is refused. A cancelled lease stays cancelled. What is
missing cannot be removed: the time for that begins when it is found.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.provider import removals
from towncircle.provider.missing import LOST, STOLEN
from towncircle.wire.bodies import (
    Acknowledged,
    AppealDecided,
    LicenseDataStated,
    LicenseDataTransmitted,
    LicenseRevoked,
    RevisedLicense,
    RevisedLicenseNotice,
)
from towncircle.wire.message import Opened

OUT = ("returned", "checked out", "scrapped")
GONE = ("missing", LOST, STOLEN)


@cites("502.20h", "502.20h/1", "502.20h/2", "502.20i/2", "P050-2.3g/2")
def on_revoked(ctx: Context, opened: Opened) -> Steps:
    """Take the notice of a revocation: every lease under the license is cancelled, resets are denied from now on.

    What resides in the Provider's server is disabled in the same command.
    """
    body = opened.body
    assert isinstance(body, LicenseRevoked)
    elements = _hosted_under(ctx, body.license)
    words = yield from removals.silence(elements, reason=f"revocation {body.decision}")
    row = ctx.tx.get("license", body.license)
    if row is None:  # the decision on its application was never brought back: no lease rests on it
        return Acknowledged(note=f"{body.license} is not leased under here")
    about: dict[str, Any] = {"licensee": row.owner, "decision": body.decision, "license": row.key}
    clauses = tuple(ground.clause for ground in body.grounds)
    revoked = {"decision": body.decision, "at": int(ctx.now), "clause": ", ".join(dict.fromkeys(clauses))}
    ctx.tx.put("license", row.key, {**row.body, "state": "revoked", **revoked}, owner=row.owner, expected=row.version)
    ctx.note("license.revocation-noticed", row.key, clauses=("P050 2.3",), **about)
    for lease in leases_under(ctx, row.key, row.owner):
        device = ctx.tx.get("device", lease.body["device"])
        if lease.body.get("cancelled") or device is None or device.body["custody"] in OUT:
            continue
        ctx.tx.put("lease", lease.key, {**lease.body, "cancelled": revoked}, owner=lease.owner, expected=lease.version)
        told = {
            "device": device.key,
            "open_reset": device.body["open_reset"],  # authorised before: its device settles it
            "removal": "when found" if device.body["custody"] in GONE else "due",
        }
        ctx.note("lease.cancelled", lease.key, clauses=("502.20(h)",), **told, **about)
    removals.disable(ctx, elements, words, reason=f"revocation {body.decision}")
    return Acknowledged(note=f"{body.license} revoked")


def _hosted_under(ctx: Context, number: str) -> list[DeviceId]:
    row = ctx.tx.get("license", number)
    leases = leases_under(ctx, row.key, row.owner) if row is not None else []
    rows = [ctx.tx.get("device", lease.body["device"]) for lease in leases]
    return removals.hosted(*(row for row in rows if row is not None))


def leases_under(ctx: Context, number: str, licensee: str) -> list[Record]:
    """Give the leases under a license."""
    return [row for row in ctx.tx.find("lease", owner=licensee) if row.body["license"] == number]


@cites("502.20h", "P050-2.3a", "P050-2.3b", "P050-2.3c", "P050-2.3d", "P050-2.3e", "P050-2.3f")
def cancelled(ctx: Context, device: Record) -> Refused | None:
    """Give the refusal that a device of a cancelled lease meets, or None."""
    lease = ctx.tx.get("lease", device.body["lease"])
    ended = lease.body.get("cancelled") if lease else None
    if lease is None or not ended:
        return None
    return Refused(
        "license.lease-cancelled",
        device=device.key,
        license=lease.body["license"],
        decision=ended["decision"],
        at=Instant(ended["at"]),
        clause=f"{ended['clause']}, 502.20(h), 502.20(i)",
    )


@cites("P050-1.3/1", "P050-2.5e/4")
def check_valid(row: Record) -> None:
    """Refuse a license that was revoked or given up. Raises `Refused` (license.revoked-here, license.given-up)."""
    if row.body["state"] == "revoked":
        raise Refused("license.revoked-here", license=row.key, decision=row.body["decision"])
    if row.body["state"] == "given up":
        raise Refused("license.given-up", license=row.key)


@cites("P050-2.4")
def on_appeal_decided(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the outcome of an appeal: after a reversal the license is valid, and another lease may be signed."""
    body = opened.body
    assert isinstance(body, AppealDecided)
    about: dict[str, Any] = {"licensee": body.licensee, "docket": body.docket, "outcome": body.outcome}
    ctx.note("license.appeal-told", body.license or body.about, clauses=("P050 2.4",), **about)
    if body.outcome == "reversed":
        held = ctx.tx.get("license", body.license)
        named = ("office_zip", "office_city", "office_state")
        record = {"state": "valid", **{name: getattr(body, name) for name in named}}
        ctx.tx.put("license", body.license, record, owner=body.licensee, expected=held.version if held else 0)
    return Acknowledged(note=f"{body.docket} {body.outcome}")


@cites("P050-2.5d", "P050-2.5e/1", "P050-2.5e/3")
def on_stated(ctx: Context, opened: Opened) -> Steps:
    """Transmit what a licensee states of its license, and answer with the Postal Service's revised license.

    Raises `Refused`: license.not-the-licensee, license.device-in-service.
    """
    body = opened.body
    assert isinstance(body, LicenseDataStated)
    row = ctx.tx.get("license", body.license)
    if row is None or row.owner != body.licensee or opened.envelope.sender != body.licensee:
        raise Refused("license.not-the-licensee", sender=opened.envelope.sender, license=body.license)
    if body.purpose == "give-up":
        _none_in_service(ctx, row)
    transmitted = LicenseDataTransmitted(statement=opened.raw, provider=ctx.party)
    answer = yield Ask("postal.usps", transmitted, f"license data {body.licensee} {body.statement}")
    revised = answer.body
    assert isinstance(revised, RevisedLicense)
    row = ctx.tx.get("license", body.license)
    assert row is not None
    if row.body["state"] == "valid" and row.body.get("statement") != body.statement:
        if revised.state == "given up":
            _none_in_service(ctx, row)
        told = {"state": revised.state, "revision": revised.revision, "statement": body.statement}
        ctx.tx.put("license", row.key, {**row.body, **told}, owner=row.owner, expected=row.version)
        kind = "license.given-up" if revised.state == "given up" else "license.data-updated"
        ctx.note(kind, row.key, clauses=("P050 2.5(e)",), licensee=row.owner, revision=revised.revision)
    return RevisedLicenseNotice(revised=answer.raw)


def _none_in_service(ctx: Context, row: Record) -> None:
    for lease in leases_under(ctx, row.key, row.owner):
        device = ctx.tx.get("device", lease.body["device"])
        if device is not None and device.body["custody"] not in (*OUT, LOST, STOLEN):
            raise Refused("license.device-in-service", device=device.key, license=row.key)
