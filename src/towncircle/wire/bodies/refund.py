"""Messages about unused postage (P050 3.3, 502.27(a)): the pieces on their Form 3533, from licensee to credit.

Here: the licensee's application, what the Postal Service knows of the pieces, the certified form, the MATS
coordinator's decision, samples of the kept envelopes. Not here: a device's balance (`checkout`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire.registry import message
from towncircle.wire.shape import SIGNED, Body, Limit, Row

_ID, _PIECES = Limit(64), Limit(500)
RECEIVED, SCANNED, SENT, CREDITED, REFUSED = "received", "scanned", "sent", "credited", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundGroup(Row):
    """Hold one line of Part IV: the pieces of one postage value and their total (502.27(a)(1))."""

    value: Mills
    pieces: int
    total: Mills


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation(Row):
    """Hold why a piece of Part IV does not qualify (502.27(a)(3)); pieces count from 1."""

    piece: int
    code: Annotated[str, Limit(80)]
    sentence: str
    clause: Annotated[str, Limit(80)]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPiece(Row):
    """Hold what became of a piece before: the scan that accepted it, or only held it, or the refund it was paid in."""

    content: Annotated[str, Limit(64)]
    scan: Annotated[str, Limit(64)]
    site: str
    held: bool
    repaid: Annotated[str, Limit(64)]
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReading(Row):
    """Hold the registers of another mark of the device that is worth comparing."""

    content: Annotated[str, Limit(64)]
    ascending: Mills | None
    postage: Mills
    pieces: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPiece(Row):
    """Hold one kept envelope that is shown: its number on the form and the bytes of its mark."""

    piece: int
    payload: bytes


@message(90, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class RefundApplication(Body):
    """Apply for the refund of unused pieces of one device: Form 3533 with the details of Part IV."""

    refund: Annotated[str, 1, _ID]
    device: Annotated[DeviceId, 2]
    pieces: Annotated[tuple[bytes, ...], 3, _PIECES]
    groups: Annotated[tuple[RefundGroup, ...], 4, _PIECES]
    total: Annotated[Mills, 5]
    claimed_by: Annotated[str, 6, _ID]


@message(91, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class RefundStatement(Body):
    """State how a refund stands: what qualifies of it, what was credited, and why pieces do not qualify."""

    refund: Annotated[str, 1, _ID]
    state: Annotated[Literal["received", "scanned", "sent", "credited", "refused"], 2]
    claimed: Annotated[Mills, 3]
    total: Annotated[Mills, 4]
    share: Annotated[int, 5]
    amount: Annotated[Mills, 6]
    annotations: Annotated[tuple[Annotation, ...], 7, _PIECES]
    account_balance: Annotated[Mills, 8, SIGNED]
    at: Annotated[Instant, 9]


@message(92, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class RefundQuery(Body):
    """Ask how a refund stands."""

    refund: Annotated[str, 1, _ID]


@message(93, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class RefundInquiry(Body):
    """Ask which of some pieces were mailed or refunded before."""

    refund: Annotated[str, 1, _ID]
    device: Annotated[DeviceId, 2]
    pieces: Annotated[tuple[bytes, ...], 3, _PIECES]


@message(94, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class RefundKnown(Body):
    """Say what became of the pieces before, with the readings of their device that are worth comparing."""

    refund: Annotated[str, 1, _ID]
    pieces: Annotated[tuple[KnownPiece, ...], 2, _PIECES]
    readings: Annotated[tuple[KnownReading, ...], 3]


@message(95, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class Form3533(Body):
    """Send the certified Form 3533 to the District MATS coordinator (502.27(a)(5)).

    `application` is the licensee's own sealed word and `received` when it came in; `groups` and `total` are Part IV
    without the annotated pieces; `amount` is `share` percent of the total, rounded half up to the mill once.
    """

    refund: Annotated[str, 1, _ID]
    license: Annotated[str, 2, _ID]
    application: Annotated[bytes, 3, Limit(200_000)]
    annotations: Annotated[tuple[Annotation, ...], 4, _PIECES]
    groups: Annotated[tuple[RefundGroup, ...], 5, _PIECES]
    total: Annotated[Mills, 6]
    share: Annotated[int, 7]
    amount: Annotated[Mills, 8]
    scanned_by: Annotated[str, 9, _ID]
    certified_by: Annotated[str, 10, _ID]
    received: Annotated[Instant, 11]
    at: Annotated[Instant, 12]


@message(96, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDecided(Body):
    """Arrange the credit of a refund, or refuse it (502.27(a)(6)); the annotations are the final ones."""

    refund: Annotated[str, 1, _ID]
    outcome: Annotated[Literal["granted", "refused"], 2]
    annotations: Annotated[tuple[Annotation, ...], 3, _PIECES]
    total: Annotated[Mills, 4]
    amount: Annotated[Mills, 5]
    decided_by: Annotated[str, 6, _ID]
    at: Annotated[Instant, 7]


@message(97, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSample(Body):
    """Ask for some of the kept envelopes of a refund, to audit them (502.27(a)(7))."""

    refund: Annotated[str, 1, _ID]
    sample: Annotated[str, 2, _ID]
    pieces: Annotated[tuple[int, ...], 3, _PIECES]
    asked_by: Annotated[str, 4, _ID]


@message(98, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSampleShown(Body):
    """Show the envelopes of a sample that were found and scanned for it, and name those that were not found."""

    refund: Annotated[str, 1, _ID]
    sample: Annotated[str, 2, _ID]
    pieces: Annotated[tuple[ShownPiece, ...], 3, _PIECES]
    missing: Annotated[tuple[int, ...], 4, _PIECES]
    shown_by: Annotated[str, 5, _ID]
    at: Annotated[Instant, 6]
