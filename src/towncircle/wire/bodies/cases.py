"""Messages about examinations and irregularity cases between licensee, Provider and Postal Service (P050 2.6, 502.14).

Here: the way of an examiner's order to a device and of its report back, the finding, and the cases that both keep.
Not here: order and report themselves (`examination`), which only the Postal Service and the device make.
A field named "sealed bytes" holds another party's whole signed message, unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.wire.bodies.common import Ground
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

_NAME, _CODE, _STAFF, _TWO = Limit(32), Limit(80), Limit(32), Limit(2)


@message(70, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationRequest(Body):
    """Have a device examined where it stands; `order` is the ExaminationOrder's sealed bytes, for the device."""

    device: Annotated[DeviceId, 1]
    reference: Annotated[str, 2, _NAME]
    order: Annotated[bytes, 3]


@message(71, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationQuery(Body):
    """Ask whether an examination order waits for a leased device."""

    device: Annotated[DeviceId, 1]


@message(72, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationWaiting(Body):
    """Hand out the order that waits for a device, as sealed bytes; both fields are empty where none does."""

    reference: Annotated[str, 1, _NAME]
    order: Annotated[bytes, 2]


@message(73, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationAnswer(Body):
    """Bring what the device answered: its report's sealed bytes, or the code and words of its refusal."""

    device: Annotated[DeviceId, 1]
    reference: Annotated[str, 2, _NAME]
    report: Annotated[bytes, 3]
    code: Annotated[str, 4, _CODE]
    words: Annotated[str, 5]


@message(74, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationReturned(Body):
    """Return what a device answered to an examiner's order, unread."""

    device: Annotated[DeviceId, 1]
    reference: Annotated[str, 2, _NAME]
    report: Annotated[bytes, 3]
    code: Annotated[str, 4, _CODE]
    words: Annotated[str, 5]


@message(75, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationFinding(Body):
    """Tell the Provider what an examination found; `case` names the case that is open about it, or is empty."""

    device: Annotated[DeviceId, 1]
    reference: Annotated[str, 2, _NAME]
    outcome: Annotated[Literal["regular", "irregular", "unanswered", "lapsed"], 3]
    case: Annotated[str, 4, _NAME]
    differences: Annotated[tuple[Ground, ...], 5, Limit(32)]


@message(76, "provider to postal, postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class IrregularityReport(Body):
    """Report an irregularity of a device (502.14(b)); `evidence` is the device's own message, sealed bytes.

    The Postal Service tells a Provider of the case that it opened on a reading itself (PRE-11).
    """

    case: Annotated[str, 1, _NAME]
    device: Annotated[DeviceId, 2]
    ground: Annotated[str, 3]
    discovered_at: Annotated[Instant, 4]
    evidence: Annotated[bytes, 5]


@message(77, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed(Body):
    """Tell how a case ended, who approved it (two staff numbers), and on which examination a release rests."""

    case: Annotated[str, 1, _NAME]
    device: Annotated[DeviceId, 2]
    outcome: Annotated[Literal["released", "retired"], 3]
    reason: Annotated[str, 4, Limit(400)]
    approved_by: Annotated[tuple[str, ...], 5, _TWO]
    examination: Annotated[str, 6, _NAME]
