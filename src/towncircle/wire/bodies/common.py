"""Shapes that several messages carry.

Here: registers, usage rows, device parameters and terms, grounds of a refusal. Not here: messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from towncircle.kernel.money import Mills
from towncircle.wire.shape import Body, Limit, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers(Body):
    """Hold a reading of a device's registers (P050 3.6, 502.25(a))."""

    ascending: Annotated[Mills, 1]
    descending: Annotated[Mills, 2]
    pieces: Annotated[int, 3]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow(Row):
    """Hold what a device evidenced on one mailing date (`YYYY-MM-DD`) in one category."""

    date: Annotated[str, Limit(10)]
    category: Annotated[str, Limit(16)]
    count: int
    mills: Mills


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground(Row):
    """Hold one ground of a refusal: its code, the sentence and the clause."""

    code: Annotated[str, Limit(80)]
    sentence: str
    clause: Annotated[str, Limit(80)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceParameters(Body):
    """Hold what the Provider sets in a device.

    `advance_days` is how far ahead a mailing date may lie; `zone` is the licensing office's IANA zone.
    """

    licensee: Annotated[str, 1, Limit(64)]
    license: Annotated[str, 2, Limit(32)]
    office_zip: Annotated[str, 3, Limit(10)]
    office_city: Annotated[str, 4, Limit(64)]
    office_state: Annotated[str, 5, Limit(2)]
    zone: Annotated[str, 6, Limit(64)]
    cap_mills: Annotated[Mills, 7]
    contact_months: Annotated[int, 8]
    contact_hours: Annotated[int, 9]
    lapse_effect: Annotated[str, 10, Limit(16)]
    layout: Annotated[str, 11, Limit(16)]
    advance_days: Annotated[int, 12]
    piece_limit_mills: Annotated[Mills, 13]
    rule_digest: Annotated[str, 14, Limit(64)]
    specimen: Annotated[bool, 15]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTerms(Body):
    """Hold the house terms of the rule that a device keeps: when it warns, and how wrong a clock or a date may be.

    The contact warning begins that long before the contact deadline (calendar months in the office's zone, or hours).
    """

    contact_warning_months: Annotated[int, 1]
    contact_warning_hours: Annotated[int, 2]
    certificate_warning_days: Annotated[int, 3]
    clock_difference_minutes: Annotated[int, 4]
    advance_limit_days: Annotated[int, 5]
