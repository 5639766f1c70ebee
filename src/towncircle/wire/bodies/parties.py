"""Messages between licensee, Provider, Postal Service and lockbox bank.

Here: licensing, lease, certification, deposits, daily files, forwarded audits and the general replies.
Not here: the device's messages. A field named "sealed bytes" holds another party's whole signed message, unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire.bodies.common import Ground, Registers
from towncircle.wire.bodies.provider import CERTIFICATE, CHAIN
from towncircle.wire.registry import message
from towncircle.wire.shape import SIGNED, Body, Limit, Row

_ID, _SHORT = Limit(64), Limit(200)


@message(40, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseApplication(Body):
    """Apply for a license (Form 3601-A, P050 2.1)."""

    application_id: Annotated[str, 1, _ID]
    applicant: Annotated[str, 2, _ID]
    name: Annotated[str, 3, _SHORT]
    street: Annotated[str, 4, _SHORT]
    city: Annotated[str, 5, _SHORT]
    state: Annotated[str, 6, _SHORT]
    zip: Annotated[str, 7, _SHORT]
    telephone: Annotated[str, 8, _SHORT]
    contact: Annotated[str, 9, _SHORT]
    office_zip: Annotated[str, 10, _SHORT]
    office_city: Annotated[str, 11, _SHORT]
    office_state: Annotated[str, 12, _SHORT]
    device_location: Annotated[str, 13, _SHORT]
    products: Annotated[str, 14]


@message(41, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseTransmittal(Body):
    """Transmit an application (502.20(b)); `application` is the applicant's sealed bytes."""

    application: Annotated[bytes, 1]
    provider: Annotated[str, 2, _ID]


@message(42, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseDecision(Body):
    """Decide on an application (Form 3601-B, or every ground of a refusal)."""

    application_id: Annotated[str, 1, _ID]
    outcome: Annotated[Literal["issued", "refused", "existing"], 2]
    license: Annotated[str, 3, _ID]
    office_zip: Annotated[str, 4, _SHORT]
    office_city: Annotated[str, 5, _SHORT]
    office_state: Annotated[str, 6, _SHORT]
    grounds: Annotated[tuple[Ground, ...], 7, Limit(100)]


@message(43, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseNotice(Body):
    """Hand the decision on; `decision` is the Postal Service's sealed bytes."""

    decision: Annotated[bytes, 1]


@message(44, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSigned(Body):
    """Sign a lease with its financial agreement and deposit acknowledgment; the texts are named by digest."""

    license: Annotated[str, 1, _ID]
    agreement_digest: Annotated[str, 2, _ID]
    financial_agreement: Annotated[bool, 3]
    deposit_acknowledgment: Annotated[str, 4, _ID]
    signed_by: Annotated[str, 5, _SHORT]


@message(45, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseConfirmed(Body):
    """Confirm a lease: its id, the device and the account."""

    lease: Annotated[str, 1, _ID]
    device: Annotated[DeviceId, 2]
    account: Annotated[str, 3, _ID]


@message(46, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class DepositAcknowledgmentForwarded(Body):
    """Forward the deposit acknowledgment; `lease` is the licensee's sealed bytes."""

    lease: Annotated[bytes, 1]


@message(47, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest(Body):
    """Ask for a device's certificates; `report` is the device's sealed key report."""

    report: Annotated[bytes, 1]
    license: Annotated[str, 2, _ID]


@message(48, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateIssued(Body):
    """Give a device's certificates and the chain above them."""

    device: Annotated[DeviceId, 1]
    indicia_certificate: Annotated[bytes, 2, CERTIFICATE]
    message_certificate: Annotated[bytes, 3, CERTIFICATE]
    chain: Annotated[tuple[bytes, ...], 4, CHAIN]


@message(49, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceActivity(Body):
    """Report what happened to a device: its event, registers and when."""

    device: Annotated[DeviceId, 1]
    license: Annotated[str, 2, _ID]
    event: Annotated[str, 3, _ID]
    registers: Annotated[Registers, 4]
    at: Annotated[Instant, 5]


@message(50, "licensee to bank", name="DepositOrder")
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstDepositOrder(Body):
    """Order a deposit to the lockbox, as releases before ACH files did."""

    deposit_id: Annotated[str, 1, _ID]
    provider: Annotated[str, 2, _ID]
    account: Annotated[str, 3, _ID]
    amount: Annotated[Mills, 4]
    form: Annotated[str, 5, _ID]


@message(50, "licensee to bank", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class DepositOrder(Body):
    """Order a deposit to the Postal Service's lockbox (P050 3.5).

    `routing` and `payer` name the licensee's own bank account where it is paid by ACH, and are empty otherwise.
    """

    deposit_id: Annotated[str, 1, _ID]
    provider: Annotated[str, 2, _ID]
    account: Annotated[str, 3, _ID]
    amount: Annotated[Mills, 4]
    form: Annotated[str, 5, _ID]
    routing: Annotated[str, 6, Limit(9)] = ""
    payer: Annotated[str, 7, Limit(17)] = ""


@message(51, "bank to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class DepositReceipt(Body):
    """Receipt a deposit, with its value date and the balance after it."""

    deposit_id: Annotated[str, 1, _ID]
    amount: Annotated[Mills, 2, SIGNED]
    value_date: Annotated[str, 3, Limit(10)]
    balance: Annotated[Mills, 4, SIGNED]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockboxRow(Row):
    """Hold one deposit of the lockbox report; a returned item is negative."""

    deposit_id: Annotated[str, _ID]
    licensee: Annotated[str, _ID]
    provider: Annotated[str, _ID]
    amount: Annotated[Mills, SIGNED]
    form: Annotated[str, _ID]


@message(52, "bank to postal and provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class LockboxReport(Body):
    """Report a day of the lockbox, with opening and closing balance."""

    day: Annotated[str, 1, Limit(10)]
    number: Annotated[int, 2]
    deposits: Annotated[tuple[LockboxRow, ...], 3]
    opening: Annotated[Mills, 4, SIGNED]
    closing: Annotated[Mills, 5, SIGNED]


@message(53, "any party to any party")
@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged(Body):
    """Say that a message was taken in."""

    note: Annotated[str, 1]


@message(54, "any party to any party")
@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedReply(Body):
    """Refuse what was asked, with every ground and what to do next."""

    code: Annotated[str, 1, Limit(80)]
    sentence: Annotated[str, 2, Limit(4000)]
    clause: Annotated[str, 3, Limit(80)]
    next_step: Annotated[str, 4, Limit(4000)]
    grounds: Annotated[tuple[Ground, ...], 5, Limit(100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionRow(Row):
    """Hold one posted reset of the daily transaction file."""

    device: DeviceId
    licensee: Annotated[str, _ID]
    request_id: Annotated[str, _ID]
    amount: Annotated[Mills, SIGNED]
    posted_at: Instant


@message(55, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFile(Body):
    """Report a day's resets (502.20(m)), with their total."""

    day: Annotated[str, 1, Limit(10)]
    number: Annotated[int, 2]
    rows: Annotated[tuple[TransactionRow, ...], 3]
    total: Annotated[Mills, 4, SIGNED]


@message(56, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class AuditForward(Body):
    """Forward a device audit; `audit` is the device's sealed bytes."""

    audit: Annotated[bytes, 1]


@message(58, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatement(Body):
    """State what a reset request led to and the account's balance after it."""

    request_id: Annotated[str, 1, _ID]
    device: Annotated[DeviceId, 2]
    amount: Annotated[Mills, 3, SIGNED]
    account_balance: Annotated[Mills, 4, SIGNED]
    at: Annotated[Instant, 5]


@message(59, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResetStatusQuery(Body):
    """Ask what became of a reset request whose answer was lost."""

    request_id: Annotated[str, 1, _ID]


@message(182, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResetStanding(Body):
    """Tell where a reset stands that is not posted: reserved until the device's next word, or given up."""

    request_id: Annotated[str, 1, _ID]
    device: Annotated[DeviceId, 2]
    amount: Annotated[Mills, 3, SIGNED]
    state: Annotated[Literal["reserved", "voided"], 4]
    sentence: Annotated[str, 5, _SHORT]
    at: Annotated[Instant, 6]
