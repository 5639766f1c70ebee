"""Messages about devices that are missing (P050 2.8, 502.20(g) and (k), 502.24).

Here: the licensee's report and what the Provider answers, the standardized incident report, the monthly file. Not here:
the change of the register itself, which is an ordinary device activity (Form 3601-C), and the layout of the file
(`wire.lost_and_stolen`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire.bodies.common import Registers
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit, Row

_NAME, _REFERENCE, _WORDS, _DIGEST = Limit(32), Limit(80), Limit(400), Limit(64)


@message(80, "licensee to provider and postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class MissingReport(Body):
    """Report the loss, theft or recovery of a device (P050 2.8), with a copy of the police report if there is one."""

    device: Annotated[DeviceId, 1]
    event: Annotated[Literal["lost", "stolen", "recovered"], 2]
    at: Annotated[Instant, 3]
    place: Annotated[str, 4, _WORDS]
    details: Annotated[str, 5]
    police_reference: Annotated[str, 6, _REFERENCE]
    police_report: Annotated[bytes, 7]


@message(81, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class MissingNoted(Body):
    """Tell a licensee what its report did: the incident, the custody now, and what is still under way to the device."""

    device: Annotated[DeviceId, 1]
    incident: Annotated[str, 2, _NAME]
    custody: Annotated[str, 3, _NAME]
    in_transit: Annotated[Mills, 4]
    next_step: Annotated[str, 5]
    at: Annotated[Instant, 6]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow(Row):
    """Hold one step of the checklist of 502.24: what was done, with which result, and the paper that shows it."""

    step: Annotated[str, _NAME]
    result: Annotated[str, _NAME]
    reference: Annotated[str, _REFERENCE]
    document: Annotated[str, _DIGEST]
    at: Instant


@message(82, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport(Body):
    """File a Lost and Stolen PSD Incident Report; `references` names the first report of a device that was found."""

    report: Annotated[str, 1, _NAME]
    references: Annotated[str, 2, _NAME]
    device: Annotated[DeviceId, 3]
    license: Annotated[str, 4, _NAME]
    event: Annotated[Literal["lost", "stolen", "recovered"], 5]
    determined_at: Annotated[Instant, 6]
    source: Annotated[Literal["licensee", "search"], 7]
    place: Annotated[str, 8, _WORDS]
    details: Annotated[str, 9]
    steps: Annotated[tuple[StepRow, ...], 10, Limit(32)]
    registers: Annotated[Registers, 11]


@message(83, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class LostAndStolenFile(Body):
    """Send the monthly file of lost or stolen devices of a period (`YYYY-MM`), as its documented layout writes it."""

    period: Annotated[str, 1, Limit(7)]
    file: Annotated[bytes, 2, Limit(4_000_000)]
