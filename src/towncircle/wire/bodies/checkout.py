"""Messages about a device that goes out of service (P050 2.6, 2.9, 502.20(e), 502.27(b)).

Here: the licensee's request, the Provider's note and statement, the completed Form 3601-C. Not here: the order to the
device and its last reading (`provider.Withdraw`, `device.DeviceWithdrawal`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire.registry import message
from towncircle.wire.shape import SIGNED, Body, Limit

REASON = 200  # characters
_ID, _SHORT = Limit(64), Limit(REASON)
CREDITED, EMPTY, EXAMINATION = "credited", "empty", "to be examined"


@message(62, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutRequest(Body):
    """Ask to take a device out of service: given back, or replaced, which a second person must approve.

    The persons are named by their sign-in names; `transfer` names the transfer that a replacement belongs to; a faulted
    device cannot sign what it gives back.
    """

    device: Annotated[DeviceId, 1]
    purpose: Annotated[Literal["return", "replacement"], 2]
    reason: Annotated[str, 3, _SHORT]
    requested_by: Annotated[str, 4, _ID]
    approved_by: Annotated[str, 5, _ID]
    transfer: Annotated[str, 6, _ID]
    faulted: Annotated[bool, 7]


@message(63, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutNoted(Body):
    """Say that the notice was taken, with the descending balance noted at it (502.27(b)(1)); resets are denied now."""

    device: Annotated[DeviceId, 1]
    refund: Annotated[str, 2, _ID]
    noted: Annotated[Mills, 3]
    at: Annotated[Instant, 4]


@message(64, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutQuery(Body):
    """Ask what became of the balance of a device that goes out of service."""

    device: Annotated[DeviceId, 1]


@message(65, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutStatement(Body):
    """State what a device gave back: the noted balance, what it evidenced since, the amount credited to the account."""

    device: Annotated[DeviceId, 1]
    refund: Annotated[str, 2, _ID]
    outcome: Annotated[Literal["credited", "empty", "to be examined"], 3]
    noted: Annotated[Mills, 4]
    used: Annotated[Mills, 5]
    amount: Annotated[Mills, 6]
    account_balance: Annotated[Mills, 7, SIGNED]
    at: Annotated[Instant, 8]


@message(66, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutReport(Body):
    """Report a device out of service, by which its certificates end.

    `amount` is what it gave back, by the Provider's reckoning (`signed_by`); the signature of a person follows in
    section G of its form (`BalanceForm`). `reading` is the device's own last sealed word, empty for one that cannot
    sign any more.
    """

    device: Annotated[DeviceId, 1]
    license: Annotated[str, 2, _ID]
    refund: Annotated[str, 3, _ID]
    outcome: Annotated[Literal["credited", "empty", "to be examined"], 4]
    noted: Annotated[Mills, 5]
    amount: Annotated[Mills, 6]
    signed_by: Annotated[str, 7, _ID]
    requested_by: Annotated[str, 8, _ID]
    approved_by: Annotated[str, 9, _ID]
    reading: Annotated[bytes, 10]
    at: Annotated[Instant, 11]


@message(190, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceForm(Body):
    """Send the completed Form 3601-C of a balance to the District MATS coordinator (502.27(b)(2) and (3)).

    `amount` is section F: what was noted at the notice less what was evidenced since. `signed_by` is section G: the
    person of the Provider who reconciled and signed it.
    """

    device: Annotated[DeviceId, 1]
    refund: Annotated[str, 2, _ID]
    noted: Annotated[Mills, 3]
    used: Annotated[Mills, 4]
    amount: Annotated[Mills, 5]
    signed_by: Annotated[str, 6, _ID]
    at: Annotated[Instant, 7]


@message(191, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceArranged(Body):
    """Arrange the credit of a balance to the licensee's account, as the District MATS coordinator (502.27(b)(4))."""

    device: Annotated[DeviceId, 1]
    refund: Annotated[str, 2, _ID]
    amount: Annotated[Mills, 3]
    arranged_by: Annotated[str, 4, _ID]
    at: Annotated[Instant, 5]
