"""Devices out of service, as Providers report them (502.20(e), 502.27(b)).

Here: the reported balance against the device's own signed word, the register of devices, the end of the device's
certificates. Not here: the signed form of the balance and its credit, which the MATS coordinator arranges (`balances`).
Kept: nothing is taken on the Provider's word alone; from then on the device's certificates are revoked, its former ones
too, so that marks dated later are refused.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.postal.certificates import revoke_withdrawn
from towncircle.postal.examining import lapse_order
from towncircle.postal.population import registers_told, told_device
from towncircle.wire.bodies import Acknowledged, CheckOutReport, DeviceAudit, DeviceWithdrawal, Registers
from towncircle.wire.bodies.checkout import EXAMINATION
from towncircle.wire.message import Opened
from towncircle.wire.shape import Body


@cites("502.27b", "502.20e", "P050-2.7")
def on_check_out(ctx: Context, opened: Opened) -> Acknowledged:
    """Record a device out of service, also one that nobody has signed for, and revoke its certificates.

    Raises `Refused` (postal.balance-differs, ...).
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, CheckOutReport)
    row = told_device(ctx, body.device, provider)
    if body.license != row.body["license"] or body.at > ctx.now:
        raise Refused("postal.no-license", license=body.license, licensee="this device")
    retired = bool(row.body.get("retired")) and "refund" not in row.body  # withdrawn by a case, not checked out yet
    if row.body["status"] == "withdrawn" and not retired:
        raise Refused("postal.withdrawn-before", device=body.device, at=Instant(row.body["since"]))
    if body.signed_by != provider:
        raise Refused("postal.unsigned-form", device=body.device)
    registers = _registers(ctx, body, opened)
    since = row.body["since"] if retired else int(body.at)
    record = {**row.body, "status": "withdrawn", "since": since, "refund": body.refund}
    if body.amount > ZERO:  # its form, signed in section G, is still to come (`balances`)
        record["given"] = {"refund": body.refund, "amount": int(body.amount)}
    if registers is not None:
        told = ("ascending", "descending", "pieces")
        record |= {name: int(getattr(registers, name)) for name in told}
    ctx.tx.put("device", body.device, record, owner=provider, expected=row.version)
    lapse_order(ctx, device=body.device)
    revoke_withdrawn(ctx, device=body.device)
    ctx.note(
        "device.withdrawn",
        body.device,
        clauses=("502.20(e)", "502.27(b)"),
        occurred_at=body.at,
        provider=provider,
        licensee=row.body["licensee"],
        license=body.license,
        refund=body.refund,
        outcome=body.outcome,
        amount=int(body.amount),
        credit="waiting" if body.amount > ZERO else "none",
    )
    return Acknowledged(note=f"{body.device} withdrawn")


def _registers(ctx: Context, body: CheckOutReport, opened: Opened) -> Registers | None:
    """Give the registers that the device signed last, where they show just the reported balance as given back."""
    if body.outcome == EXAMINATION:
        if body.amount != ZERO:
            raise Refused("postal.balance-differs", device=body.device, amount=body.amount, given="nothing")
        return None
    reading = ctx.unseal(body.reading, opened.envelope.sender, opened.envelope)
    given = _given(reading.body)
    if reading.envelope.sender != f"device.{body.device}" or given != body.amount:
        raise Refused("postal.balance-differs", device=body.device, amount=body.amount, given=given)
    return registers_told(reading.body)


def _given(body: Body) -> Mills | None:
    match body:
        case DeviceWithdrawal():
            return body.registers.descending
        case DeviceAudit():
            return body.withdrawn_total
    return None
