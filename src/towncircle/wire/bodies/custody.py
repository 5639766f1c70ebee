"""Messages about the custody of devices (P050 2.5 to 2.9, 502.20(a), (e), (f), (i), (j) and (l)).

Here: hand-overs between a giver and a receiver, defects and malfunction reports, removals that the Postal Service
orders, carriers, purchases by the Postal Service. Not here: the balance of a device that leaves (`checkout`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.wire.bodies.common import Registers
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

COLLECTED = "Collected by the Provider"
_NAME, _REFERENCE, _WORDS, _DIGEST, _DAY = Limit(32), Limit(80), Limit(400), Limit(64), Limit(10)


@message(130, "licensee to provider and postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverQuery(Body):
    """Ask for the paper of a device's hand-over: what was sent here, or the receipt for what was sent from here."""

    device: Annotated[DeviceId, 1]
    direction: Annotated[Literal["out", "back", "inspector"], 2]


@message(131, "provider to licensee, licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Body):
    """Say that a device was given to a carrier for the receiver: by which service, under which article number.

    `permission` names the written permission for another carrier or service; it is empty for the one the rule names.
    `article` is empty where the carrier's number was not told when the paper was given. A device that the Provider
    collects itself goes back by the service `COLLECTED`, under the reference of its retrieval.
    """

    shipment: Annotated[str, 1, _NAME]
    device: Annotated[DeviceId, 2]
    direction: Annotated[Literal["out", "back"], 3]
    service: Annotated[str, 4, _REFERENCE]
    article: Annotated[str, 5, _REFERENCE]
    permission: Annotated[str, 6, _REFERENCE]
    at: Annotated[Instant, 7]


@message(132, "receiver to giver")
@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverReceipt(Body):
    """Receipt a device: which one came and in which condition; `hand_over` is the giver's sealed paper, if any."""

    shipment: Annotated[str, 1, _NAME]
    device: Annotated[DeviceId, 2]
    condition: Annotated[str, 3, _WORDS]
    hand_over: Annotated[bytes, 4]
    at: Annotated[Instant, 5]


@message(133, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class DefectReport(Body):
    """Report a misregistering, faulty or defective device (P050 2.5(f), 2.7)."""

    device: Annotated[DeviceId, 1]
    kind: Annotated[Literal["misregistering", "faulty", "defective"], 2]
    details: Annotated[str, 3, _WORDS]
    found_at: Annotated[Instant, 4]


@message(134, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class DefectNoted(Body):
    """Take a defect report: it may not be used, and is retrieved by the day named; `remedy` says how it was mended."""

    device: Annotated[DeviceId, 1]
    defect: Annotated[str, 2, _NAME]
    retrieve_by: Annotated[str, 3, _DAY]
    remedy: Annotated[Literal["", "corrected", "replaced", "withdrawn"], 4]
    at: Annotated[Instant, 5]


@message(135, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class MalfunctionReport(Body):
    """Tell the Manager, MTM, of a defective device: at once as a notice, and the fault found by its examination."""

    defect: Annotated[str, 1, _NAME]
    device: Annotated[DeviceId, 2]
    stage: Annotated[Literal["notice", "report"], 3]
    kind: Annotated[Literal["misregistering", "faulty", "defective"], 4]
    fault: Annotated[str, 5, _WORDS]
    remedy: Annotated[Literal["", "replaced", "corrected", "withdrawn"], 6]
    reference: Annotated[str, 7, _REFERENCE]
    registers: Annotated[Registers, 8]
    notified_at: Annotated[Instant, 9]
    at: Annotated[Instant, 10]


@message(136, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalOrdered(Body):
    """Indicate an element that is to be removed from service; `receipt` is an inspector's, who took it along.

    `condition` is what the receipt says of the device: this is the Provider's copy (P050 2.6).
    """

    order: Annotated[str, 1, _NAME]
    device: Annotated[DeviceId, 2]
    reason: Annotated[str, 3, _WORDS]
    receipt: Annotated[str, 4, _NAME]
    condition: Annotated[str, 5, _WORDS]
    at: Annotated[Instant, 6]


@message(137, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierProposed(Body):
    """Show that a carrier's security is equivalent to Registered Mail; `document` is the paper's SHA-256 (hex)."""

    carrier: Annotated[str, 1, _REFERENCE]
    reference: Annotated[str, 2, _REFERENCE]
    document: Annotated[str, 3, _DIGEST]


@message(138, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePermitted(Body):
    """Permit another carrier for shipments out, or another service for returns, in writing."""

    direction: Annotated[Literal["out", "back"], 1]
    service: Annotated[str, 2, _REFERENCE]
    permission: Annotated[str, 3, _REFERENCE]
    document: Annotated[str, 4, _DIGEST]
    at: Annotated[Instant, 5]


@message(198, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceWithdrawn(Body):
    """Withdraw a written permission for another carrier or service: no device goes by it from then on."""

    direction: Annotated[Literal["out", "back"], 1]
    service: Annotated[str, 2, _REFERENCE]
    reference: Annotated[str, 3, _REFERENCE]
    document: Annotated[str, 4, _DIGEST]
    at: Annotated[Instant, 5]


@message(139, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPurchased(Body):
    """Say that the Postal Service has purchased a system: the title to the device passes to it (502.20(a))."""

    device: Annotated[DeviceId, 1]
    reference: Annotated[str, 2, _REFERENCE]
    document: Annotated[str, 3, _DIGEST]
    at: Annotated[Instant, 4]
