"""Messages about inspections of a Provider's facilities and records (502.1(c), 502.19, 502.25(b)).

Here: the announcement, the inspector's report, the Provider's answer to what was found, and the end. Not here: the
records that were looked at, which stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

from towncircle.kernel.instants import Instant
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

_NAME, _WORDS, _DIGEST, _DAY = Limit(80), Limit(400), Limit(64), Limit(10)
Scope: TypeAlias = Literal["factory", "distribution", "resetting"]
CLAUSES: Mapping[str, str] = MappingProxyType(
    {"factory": "502.1(c)", "distribution": "502.19", "resetting": "502.25(b)"}
)
Outcome: TypeAlias = Literal["in-order", "deficient", "refused"]


@message(204, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionAnnounced(Body):
    """Announce an inspection: of which facilities, where, on which day, and which records are asked for."""

    inspection: Annotated[str, 1, _NAME]
    scope: Annotated[Scope, 2]
    site: Annotated[str, 3, _WORDS]
    on: Annotated[str, 4, _DAY]
    records: Annotated[tuple[str, ...], 5, Limit(50)]
    at: Annotated[Instant, 6]


@message(205, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionReport(Body):
    """Report an inspection: what was found, or that it was refused.

    `announced` is the day for which it was announced; it is empty for one that came unannounced.
    """

    inspection: Annotated[str, 1, _NAME]
    scope: Annotated[Scope, 2]
    site: Annotated[str, 3, _WORDS]
    announced: Annotated[str, 4, _DAY]
    records: Annotated[tuple[str, ...], 5, Limit(50)]
    outcome: Annotated[Outcome, 6]
    findings: Annotated[tuple[str, ...], 7, Limit(50)]
    document: Annotated[str, 8, _DIGEST]
    at: Annotated[Instant, 9]


@message(206, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionAnswer(Body):
    """Answer the findings of an inspection, one by one, in their order; `document` is the paper that shows it."""

    inspection: Annotated[str, 1, _NAME]
    answers: Annotated[tuple[str, ...], 2, Limit(50)]
    document: Annotated[str, 3, _DIGEST]
    at: Annotated[Instant, 4]


@message(207, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionClosed(Body):
    """Close an inspection that found something: it is corrected, or referred for a suspension or a sanction."""

    inspection: Annotated[str, 1, _NAME]
    outcome: Annotated[Literal["corrected", "referred"], 2]
    words: Annotated[str, 3, _WORDS]
    at: Annotated[Instant, 4]
