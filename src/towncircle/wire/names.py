"""The ids in the bodies of messages, read at the door of who takes them.

Here: which field of a body names what, and the look at it before a handler sees the message. Not here: fields that are
typed as such (`DeviceId`), names of persons, answers (their asker compares them with what it asked).
Kept: an id that goes into a record, a file of lines or a paper is one of its kind. What is looked up is found or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from towncircle.kernel.ids import (
    AdvanceId,
    ApplicationId,
    CaseId,
    ClaimId,
    ClosingId,
    DefectId,
    DepositId,
    DeviceId,
    ExaminationId,
    IncidentId,
    LicenseNumber,
    NoticeId,
    QualityPieceId,
    RefundId,
    RemovalId,
    RequestId,
    ShipmentId,
    TransferId,
    TypedId,
)
from towncircle.wire import bodies
from towncircle.wire.shape import Body

Named: TypeAlias = type[TypedId] | type[LicenseNumber] | type[DeviceId]
FIELDS: Mapping[type[Body], Mapping[str, Named]] = {
    bodies.LicenseApplication: {"application_id": ApplicationId},
    bodies.CheckOutReport: {"refund": RefundId, "license": LicenseNumber},
    bodies.BalanceForm: {"refund": RefundId},
    bodies.BalanceArranged: {"refund": RefundId},
    bodies.CheckOutRequest: {"transfer": TransferId},
    bodies.ExaminationRequest: {"reference": ExaminationId},
    bodies.IrregularityReport: {"case": CaseId},
    bodies.CaseClosed: {"examination": ExaminationId},
    bodies.Notice: {"reference": NoticeId},
    bodies.QualityPiece: {"piece": QualityPieceId},
    bodies.QualityReport: {"piece": QualityPieceId},
    bodies.RefundApplication: {"refund": RefundId},
    bodies.RefundInquiry: {"refund": RefundId},
    bodies.Form3533: {"refund": RefundId, "license": LicenseNumber},
    bodies.RefundSample: {"sample": RequestId},
    bodies.IncidentReport: {"report": IncidentId, "references": IncidentId, "license": LicenseNumber},
    bodies.MalfunctionReport: {"defect": DefectId},
    bodies.RemovalOrdered: {"order": RemovalId, "receipt": RemovalId},
    bodies.HandOver: {"shipment": ShipmentId},
    bodies.ClosingNotice: {"closing": ClosingId},
    bodies.PayoutInstruction: {"closing": ClosingId},
    bodies.DepositOrder: {"deposit_id": DepositId},
    bodies.FirstDepositOrder: {"deposit_id": DepositId},
    bodies.ResetRequest: {"request_id": RequestId},
    bodies.AccountRequest: {"device": DeviceId},
}
OPTIONAL = frozenset(
    {
        (bodies.CheckOutRequest, "transfer"),
        (bodies.CaseClosed, "examination"),
        (bodies.IncidentReport, "references"),
        (bodies.RemovalOrdered, "receipt"),
        (bodies.AccountRequest, "device"),
    }
)
_KINDS: Mapping[str, Named] = {"advance": AdvanceId, "claim": ClaimId, "closing": ClosingId}


def check_names(body: Body) -> None:
    """Read the ids of a body. Raises `BadInput` (id.unreadable, and what a device's or a license's number raises)."""
    for field, kind in FIELDS.get(type(body), {}).items():
        text = getattr(body, field)
        if text or (type(body), field) not in OPTIONAL:
            kind.parse(text)
    if isinstance(body, bodies.AccountRequest):
        _KINDS[body.kind].parse(body.reference)
