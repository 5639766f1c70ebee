"""Messages about the search for a missing device and the copy of a police report (502.24(a)(3), (b)(1)).

Here: the Provider's question to the CMLS site and the MATS coordinator, its word of the copy that it sent to the CPIP
specialist, and the specialist's receipt. Not here: the report itself, of which
the SHA-256 is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

_REFERENCE, _DIGEST = Limit(80), Limit(64)


@message(208, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class PoliceCopySent(Body):
    """Tell the CPIP specialist which copy of a police report goes to him, under which reference."""

    device: Annotated[DeviceId, 1]
    reference: Annotated[str, 2, _REFERENCE]
    document: Annotated[str, 3, _DIGEST]
    at: Annotated[Instant, 4]


@message(209, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class PoliceCopyReceived(Body):
    """Receipt the copy of a police report, as the CPIP specialist has it."""

    device: Annotated[DeviceId, 1]
    reference: Annotated[str, 2, _REFERENCE]
    document: Annotated[str, 3, _DIGEST]
    at: Annotated[Instant, 4]


@message(210, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class LocationInquiry(Body):
    """Ask the CMLS site and the District MATS coordinator where the licensee of a device is that cannot be located."""

    device: Annotated[DeviceId, 1]
    reference: Annotated[str, 2, _REFERENCE]
    at: Annotated[Instant, 3]
