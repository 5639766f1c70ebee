"""The register of every device of every Provider (502.8, total population management).

Here: what a Provider reports of its devices (Form 3601-C, audits) and the Postal Service's copy of their registers.
Not here: what a Provider keeps of its own inventory.
Kept: a row belongs to the Provider that reported it, and only that Provider changes it.
"""

from __future__ import annotations

from dataclasses import replace

from towncircle.kernel.cases import OPEN, open_case
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import CaseId, DeviceId
from towncircle.kernel.money import ZERO
from towncircle.kernel.store import Record
from towncircle.postal.decertification import check_certified
from towncircle.postal.standing import serves
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import (
    Acknowledged,
    AuditForward,
    DeviceActivity,
    DeviceAudit,
    DeviceWithdrawal,
    IrregularityReport,
    Registers,
    ResetRequest,
)
from towncircle.wire.message import Opened
from towncircle.wire.shape import Body

# what Form 3601-C can tell of a device
MISSING = ("lost", "stolen")
EVENTS = ("installed", "withdrawn", "lost", "stolen", "recovered")
CAP, OVER_CAP = "descending_cap", "its descending register held more than the cap"


@cites("PRE-07", "502.8", "PRE-07/3", "502.8/4", "PRE-10/1")
def on_activity(ctx: Context, opened: Opened, *, rules: RuleSet) -> Acknowledged:
    """Record a Form 3601-C activity: a device installed, withdrawn, lost or found."""
    body = opened.body
    assert isinstance(body, DeviceActivity)
    provider = opened.envelope.sender
    license_row = ctx.tx.get("license", body.license)
    # of a revoked license too: whatever happens to its devices until they are out of service stands in the register
    if license_row is None or not serves(license_row, provider):
        raise Refused("postal.no-license", license=body.license, licensee="this device")
    if body.event not in EVENTS or body.at > ctx.now:
        raise Refused("postal.no-such-activity", event=body.event[:40], at=body.at)
    certified = ctx.tx.get("device-certificates", body.device)
    row = ctx.tx.get("device", body.device)
    owners = {held.owner for held in (certified, row) if held is not None}
    if certified is None or owners != {provider}:
        raise Refused("postal.unknown-device", device=body.device, provider=provider)
    _check_event(row, body)
    if body.event == "installed":
        check_certified(ctx, rules, body.device)
    missing = body.event in MISSING
    read = int(body.registers.ascending)
    if row is not None and row.body["status"] in MISSING:  # a device that was lost and is stolen was missed once
        read = row.body.get("missing_ascending", read)
    record = {
        **(row.body if row else {"audited_at": 0}),
        **({"missing_since": int(body.at), "reported_at": int(ctx.now), "missing_ascending": read} if missing else {}),
        "license": body.license,
        "licensee": license_row.owner,
        "status": body.event,
        "since": int(body.at),
        "ascending": body.registers.ascending,
        "descending": body.registers.descending,
        "pieces": body.registers.pieces,
    }
    ctx.tx.put("device", body.device, record, owner=provider, expected=row.version if row else 0)
    ctx.note(
        f"device.{body.event}",
        body.device,
        clauses=("502.20(e)",),
        occurred_at=body.at,
        provider=provider,
        licensee=license_row.owner,
        license=body.license,
    )
    return Acknowledged(note=f"{body.device} {body.event}")


@cites("502.24c/1", "502.8/8", "502.8/7")
def _check_event(row: Record | None, body: DeviceActivity) -> None:
    """Check that an event can follow what the register says of a device.

    Raises `Refused` (postal.life-cycle, missing.no-such-move).
    """
    status = row.body["status"] if row is not None else ""
    after = {
        "installed": ("", "installed", "recovered"),
        "lost": ("", "installed", "lost", "recovered"),  # one that nobody has signed for was lost on its way
        "stolen": ("", "installed", "lost", "stolen", "recovered"),
        "recovered": ("lost", "stolen", "recovered"),
    }
    if status not in after.get(body.event, (status,)):
        if body.event == "installed":
            raise Refused("postal.life-cycle", device=body.device, status=status)
        raise Refused("missing.no-such-move", device=body.device, status=status or "new", event=body.event)


@cites("502.23", "IMI-11", "502.8/2", "502.23/2", "PRE-15/2")
def on_audit(ctx: Context, opened: Opened, *, rules: RuleSet) -> Acknowledged:
    """Record a device audit message that the Provider forwards, as the device signed it; look at its cap."""
    body = opened.body
    assert isinstance(body, AuditForward)
    provider = opened.envelope.sender
    audit = ctx.unseal(body.audit, provider, opened.envelope)
    role, _, device = audit.envelope.sender.partition(".")
    registers = registers_told(audit.body)
    if registers is None or role != "device":
        raise Refused("postal.not-an-audit", type=type(audit.body).__name__)
    row = told_device(ctx, device, provider)
    late = audit.envelope.counter <= row.body.get("message_counter", 0)
    record = (
        row.body
        if late
        else {
            **row.body,
            "audited_at": int(audit.envelope.issued),
            "ascending": registers.ascending,
            "descending": registers.descending,
            "pieces": registers.pieces,
            "message_counter": audit.envelope.counter,
        }
    )
    if row.version:  # one that nobody has signed for enters the register when it is installed or goes out of service
        ctx.tx.put("device", device, record, owner=provider, expected=row.version)
    ctx.note(
        "audit.forwarded",
        device,
        clauses=("502.23",),
        occurred_at=audit.envelope.issued,
        provider=provider,
        ascending=registers.ascending,
        descending=registers.descending,
        pieces=registers.pieces,
        message_counter=audit.envelope.counter,
    )
    _check_cap(ctx, row, audit, registers, rules=rules)
    return Acknowledged(note="audit recorded")


@cites("PRE-11/3")
def _check_cap(ctx: Context, row: Record, audit: Opened, registers: Registers, *, rules: RuleSet) -> None:
    """Open a case on a device that held more than the Postal Service ever allowed up to the day it signed that.

    A device that was given a lower cap since may hold what it held before, so the highest value counts. While such a
    case is open, or one was opened on a later reading, there is no second one. Its Provider is told, with the reading.
    """
    signed = audit.envelope.issued
    cap = rules.highest_mills(CAP, signed.date_in(HEADQUARTERS))
    if registers.descending <= cap:
        return
    known = [held for held in ctx.tx.find("case", owner=row.key) if held.body["ground"].startswith(OVER_CAP)]
    if any(held.body["state"] == OPEN or held.body["opened_at"] >= int(signed) for held in known):
        return
    case = CaseId.new(ctx.randomness)
    ground = f"{OVER_CAP}: {registers.descending}; the Postal Service allowed {cap}"
    open_case(ctx, case=case, device=row.key, other=row.owner, ground=ground, clauses=("PRE-11", "P050 3.6"))
    told = IrregularityReport(
        case=case, device=DeviceId(row.key), ground=ground, discovered_at=ctx.now, evidence=audit.raw
    )
    ctx.send(row.owner, told, key=f"case {case}")


def registers_told(body: Body) -> Registers | None:
    """Give the registers that a device's message leaves it at: after a withdrawal its descending one is empty."""
    match body:
        case DeviceAudit():
            return body.registers
        case ResetRequest():
            return body.audit.registers
        case DeviceWithdrawal():
            return replace(body.registers, descending=ZERO)
    return None


@cites("502.8/4")
def own_device(ctx: Context, device: str, provider: str) -> Record:
    """Give the register's row of a Provider's device. Raises `Refused` (postal.unknown-device)."""
    row = ctx.tx.get("device", device)
    if row is None or row.owner != provider:
        raise Refused("postal.unknown-device", device=device, provider=provider)
    return row


@cites("502.8/4")
def told_device(ctx: Context, device: str, provider: str) -> Record:
    """Give the register's row of a Provider's device, or what its row begins with where nobody has signed for it yet.

    Such a device may come back from the mail and speak, or go out of service. Raises `Refused` (postal.unknown-device).
    """
    certified = ctx.tx.get("device-certificates", device)
    if ctx.tx.get("device", device) is not None or certified is None or certified.owner != provider:
        return own_device(ctx, device, provider)
    number = certified.body["license"]
    license_row = ctx.tx.get("license", number)
    assert license_row is not None
    named = {"license": number, "licensee": license_row.owner, "status": "certified"}
    body = {**named, "audited_at": 0, "ascending": 0, "descending": 0, "pieces": 0}
    return Record(kind="device", key=device, owner=provider, version=0, body=body)
