"""Messages from a device to its Provider.

Here: key report, report, audit, reset request and acknowledgment, withdrawal. Not here: what a device may do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire.bodies.common import Registers, UsageRow
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

_UP = "device to provider"


@message(1, _UP)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceKeyReport(Body):
    """Report the keys born in the device; `indicia_proof` is the indicia key's signature over the message key."""

    device: Annotated[DeviceId, 1]
    regime: Annotated[str, 2, Limit(16)]
    scheme: Annotated[str, 3, Limit(16)]
    indicia_public: Annotated[bytes, 4, Limit(1024)]
    message_public: Annotated[bytes, 5, Limit(1024)]
    indicia_proof: Annotated[bytes, 6, Limit(64)]


@message(2, _UP)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport(Body):
    """Report state and registers; `applied` is the last applied request id, or empty."""

    state: Annotated[str, 1, Limit(32)]
    registers: Annotated[Registers, 2]
    high_water: Annotated[Instant, 3]
    applied: Annotated[str, 4, Limit(32)]


@message(3, _UP)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAudit(Body):
    """Report the device audit data (502.23, 502.25(a)); `usage` is what was evidenced since the last contact."""

    state: Annotated[str, 1, Limit(32)]
    registers: Annotated[Registers, 2]
    resets_total: Annotated[Mills, 3]
    withdrawn_total: Annotated[Mills, 4]
    high_water: Annotated[Instant, 5]
    contact_due: Annotated[Instant, 6]
    open_request: Annotated[str, 7, Limit(32)]
    open_amount: Annotated[Mills, 8]
    last_applied: Annotated[str, 9, Limit(32)]
    usage: Annotated[tuple[UsageRow, ...], 10]
    reprints: Annotated[int, 11]


@message(4, _UP)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResetRequest(Body):
    """Ask for postage value, with the device audit data (502.25(a))."""

    request_id: Annotated[str, 1, Limit(32)]
    amount: Annotated[Mills, 2]
    audit: Annotated[DeviceAudit, 3]


@message(5, _UP)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResetAcknowledgment(Body):
    """Say that a reset was applied, with the registers after it."""

    request_id: Annotated[str, 1, Limit(32)]
    amount: Annotated[Mills, 2]
    registers: Annotated[Registers, 3]
    resets_total: Annotated[Mills, 4]


@message(6, _UP)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWithdrawal(Body):
    """Say that the device is out of service, with the registers it stopped at (502.27(b))."""

    registers: Annotated[Registers, 1]
    resets_total: Annotated[Mills, 2]
    reason: Annotated[str, 3, Limit(200)]
