"""Messages between the Postal Service's examiner and a device (P050 2.6, 3.4).

Here: the order and the report. Not here: when a device is examined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire.bodies.common import Registers
from towncircle.wire.bodies.provider import CHAIN
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit


@message(60, "Postal Service to device")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationOrder(Body):
    """Order a device to report itself; `chain` is the examiner's certificate, the issuing authority's and the root."""

    device: Annotated[DeviceId, 1]
    reference: Annotated[str, 2, Limit(64)]
    chain: Annotated[tuple[bytes, ...], 3, CHAIN]


@message(61, "device to Postal Service")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationReport(Body):
    """Report everything that a device knows of itself; `module` is the digest of its build's manifest."""

    reference: Annotated[str, 1, Limit(64)]
    state: Annotated[str, 2, Limit(32)]
    reason: Annotated[str, 3, Limit(400)]
    registers: Annotated[Registers, 4]
    resets_total: Annotated[Mills, 5]
    withdrawn_total: Annotated[Mills, 6]
    counter: Annotated[int, 7]
    epoch: Annotated[int, 8]
    clock: Annotated[Instant, 9]
    high_water: Annotated[Instant, 10]
    contact_due: Annotated[Instant, 11]
    open_request: Annotated[str, 12, Limit(32)]
    open_amount: Annotated[Mills, 13]
    last_applied: Annotated[str, 14, Limit(32)]
    reprints: Annotated[int, 15]
    certificate_serial: Annotated[int, 16]
    module: Annotated[bytes, 17, Limit(32)]
