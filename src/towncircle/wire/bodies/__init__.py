"""Every message body.

Here: the bodies by direction: `common` (shapes used by several), `device` (device to Provider), `provider` (Provider to
device), `examination` (between the Postal Service and a device), `parties` (between licensee, Provider, Postal Service
and bank), `checkout` (a device that goes out of service) and `published` (the verification pack). Importing this
package registers them all.
"""

from towncircle.wire.bodies.checkout import (
    CheckOutNoted,
    CheckOutQuery,
    CheckOutReport,
    CheckOutRequest,
    CheckOutStatement,
)
from towncircle.wire.bodies.common import DeviceParameters, Ground, Registers, UsageRow
from towncircle.wire.bodies.device import (
    DeviceAudit,
    DeviceKeyReport,
    DeviceReport,
    DeviceWithdrawal,
    ResetAcknowledgment,
    ResetRequest,
)
from towncircle.wire.bodies.examination import ExaminationOrder, ExaminationReport
from towncircle.wire.bodies.parties import (
    AccountStatement,
    Acknowledged,
    AuditForward,
    CertificateIssued,
    CertificateRequest,
    DepositAcknowledgmentForwarded,
    DepositOrder,
    DepositReceipt,
    DeviceActivity,
    LeaseConfirmed,
    LeaseSigned,
    LicenseApplication,
    LicenseDecision,
    LicenseNotice,
    LicenseTransmittal,
    LockboxReport,
    LockboxRow,
    RefusedReply,
    ResetStatusQuery,
    TransactionFile,
    TransactionRow,
)
from towncircle.wire.bodies.provider import (
    Authorise,
    Certify,
    Initialise,
    Renewal,
    ResetAuthorisation,
    ResetRefusal,
    Withdraw,
)
from towncircle.wire.bodies.published import CertificateRow, PackTerms, PublishedPack, StatusRow

__all__ = [
    "AccountStatement",
    "Acknowledged",
    "AuditForward",
    "Authorise",
    "CertificateIssued",
    "CertificateRequest",
    "CertificateRow",
    "Certify",
    "CheckOutNoted",
    "CheckOutQuery",
    "CheckOutReport",
    "CheckOutRequest",
    "CheckOutStatement",
    "DepositAcknowledgmentForwarded",
    "DepositOrder",
    "DepositReceipt",
    "DeviceActivity",
    "DeviceAudit",
    "DeviceKeyReport",
    "DeviceParameters",
    "DeviceReport",
    "DeviceWithdrawal",
    "ExaminationOrder",
    "ExaminationReport",
    "Ground",
    "Initialise",
    "LeaseConfirmed",
    "LeaseSigned",
    "LicenseApplication",
    "LicenseDecision",
    "LicenseNotice",
    "LicenseTransmittal",
    "LockboxReport",
    "LockboxRow",
    "PackTerms",
    "PublishedPack",
    "RefusedReply",
    "Registers",
    "Renewal",
    "ResetAcknowledgment",
    "ResetAuthorisation",
    "ResetRefusal",
    "ResetRequest",
    "ResetStatusQuery",
    "StatusRow",
    "TransactionFile",
    "TransactionRow",
    "UsageRow",
    "Withdraw",
]
