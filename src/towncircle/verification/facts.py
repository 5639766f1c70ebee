"""What a verifier knows besides the pack.

Here: prior scans, refunds and register readings, and what a person or a sorter observed of the piece. Not here: where
they are kept.
Kept: everything is keyed by signed content, never by the bytes of a barcode: (r, n-s), other padding or another symbol
is the same piece.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.mailpiece.eligibility import Size
from towncircle.symbol.reflectance import Reflectance


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorScan:
    """Hold the scan that accepted a content or, where none did, the first that held it."""

    scan_id: str
    site: str
    at: Instant
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """Hold the refund of a content: the case it was paid in and when."""

    case: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Hold the registers that a mark of a device shows; what its layout does not carry is None."""

    content_key: str
    ascending: Mills | None
    postage: Mills
    pieces: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFacts:
    """Hold what was seen before.

    `scans` and `refunds` are by content key. `readings` are, by device, the marks worth comparing: those with the same
    piece count or ascending register, and the nearest below and above. `branches` are those approved for the device's
    license; `delays` the months whose mailing the postmaster found delayed, each with the last day of acceptance.
    `combined_until` is the last day on which the license may combine its mail with what is paid otherwise, or None.
    """

    scans: Mapping[str, PriorScan] = field(default_factory=lambda: MappingProxyType({}))
    refunds: Mapping[str, Refunded] = field(default_factory=lambda: MappingProxyType({}))
    readings: Mapping[DeviceId, tuple[Reading, ...]] = field(default_factory=lambda: MappingProxyType({}))
    branches: frozenset[str] = frozenset()
    delays: Mapping[str, date] = field(default_factory=lambda: MappingProxyType({}))
    combined_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Hold what was observed of the piece; what is None was not observed.

    `amount_due` is the postage for the piece as weighed and addressed, less any other postage on it; `origin` the ZIP
    Code of the post office of deposit; `destination` the delivery point digits of its address; `weight_tenths` tenths
    of an ounce, rounded up; `redate` the actual date of mailing that a REDATE on the piece shows. `month_only` says
    that the indicium shows month and year without the day, `branch` that its town circle names this branch. `size` is
    that of the piece in inches; `handful` says that it is one of a handful that was deposited elsewhere to expedite
    dispatch; `other_payment` names what else pays in the same mailing. `claimed` is the category that the whole piece
    is paid as, where several marks pay it; `prints` what was measured of the print of each mark, by its bytes. `zone`
    is the zone that the piece goes to, `extras` are the extra services whose labels it bears, `declared_value` is what
    it is insured for. `doubt` says of an amount due that is paid why it may be too low all the same.
    """

    amount_due: Mills | None = None
    origin: str | None = None
    destination: str | None = None
    weight_tenths: int | None = None
    deposited_at: Instant | None = None
    purpose: Literal["postage", "refund"] = "postage"
    redate: date | None = None
    month_only: bool = False
    branch: str = ""
    size: Size | None = None
    handful: bool = False
    other_payment: str = ""
    claimed: str = ""
    zone: str = ""
    extras: tuple[str, ...] = ()
    declared_value: Mills | None = None
    doubt: str = ""
    prints: Mapping[bytes, Reflectance] = field(default_factory=lambda: MappingProxyType({}))

    def told(self) -> dict[str, Any]:
        """Give what was observed in plain values, to be kept with a scan; nothing for what was not."""
        size = self.size
        sides = (size.length, size.height, size.thickness) if size is not None else ()
        values = {
            "due": int(self.amount_due) if self.amount_due is not None else None,
            "origin": self.origin,
            "destination": self.destination,
            "weight_tenths": self.weight_tenths,
            "size": [str(side) for side in sides if side is not None],
            "deposited_at": int(self.deposited_at) if self.deposited_at is not None else None,
            "month_only": self.month_only,
            "branch": self.branch,
            "handful": self.handful,
            "other_payment": self.other_payment,
            "zone": self.zone,
            "extras": list(self.extras),
            "declared_value": int(self.declared_value) if self.declared_value is not None else None,
        }
        return {name: value for name, value in values.items() if value}
