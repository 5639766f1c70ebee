"""Messages of supervision: what the Postal Service decides about a Provider, and what that answers (502.5 to 502.21).

Here: 140 to 149. Not here: orders to remove one device (`cases`), notices of time limits (`quality`).
A day is written as `1999-02-26`, or as an instant where a decision names the hour; nothing where it sets none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

_ID, _SHORT, _LONG, _DAY, _DIGEST = Limit(64), Limit(200), Limit(4000), Limit(40), Limit(64)
Form = Literal["authorization", "approval", "reporting-sanction", "sanction"]


@message(140, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionNotice(Body):
    """Give a Provider written notice of one step of a procedure: proposed, noticed, decided, changed, ended.

    `force` says what it does: nothing yet, in force from `begins` (null: on receipt) up to `ends` (null: no end), or no
    longer. `amount` is a sanction's sum; `scope` what it is about.
    """

    procedure: Annotated[str, 1, _ID]
    number: Annotated[int, 2]
    form: Annotated[Form, 3]
    step: Annotated[str, 4, _ID]
    words: Annotated[str, 5, _LONG]
    deficiencies: Annotated[tuple[str, ...], 6, Limit(50)]
    scope: Annotated[tuple[str, ...], 7, Limit(50)]
    correct_by: Annotated[str, 8, _DAY]
    defend_by: Annotated[str, 9, _DAY]
    effective_on: Annotated[str, 10, _DAY]
    appeal_by: Annotated[str, 11, _DAY]
    amount: Annotated[Mills, 12]
    force: Annotated[Literal["none", "in force", "over"], 13]
    begins: Annotated[Instant | None, 14]
    ends: Annotated[Instant | None, 15]
    clause: Annotated[str, 16, _SHORT]
    at: Annotated[Instant, 17]


@message(141, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionReceipt(Body):
    """Confirm that a notice was received: times for a defense and an appeal count from here."""

    procedure: Annotated[str, 1, _ID]
    number: Annotated[int, 2]
    at: Annotated[Instant, 3]


@message(142, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionAnswer(Body):
    """Answer a notice: corrected deficiencies, a written defense, or an appeal, with reasons and supporting evidence.

    `evidence` names each paper by reference and SHA-256.
    """

    procedure: Annotated[str, 1, _ID]
    number: Annotated[int, 2]
    kind: Annotated[Literal["correction", "defense", "appeal"], 3]
    reasons: Annotated[str, 4, _LONG]
    evidence: Annotated[tuple[str, ...], 5, Limit(50)]


@message(143, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDocketed(Body):
    """Tell that an answer was put on the docket, and whether it stays what was decided."""

    procedure: Annotated[str, 1, _ID]
    docket: Annotated[str, 2, _ID]
    kind: Annotated[Literal["correction", "defense", "appeal"], 3]
    stays: Annotated[bool, 4]
    at: Annotated[Instant, 5]


@message(144, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class WeaknessReport(Body):
    """Report on a security weakness or a test result (502.14): preliminary, written, a status, or the summary.

    `about` is the weakness or the frozen device, `systems` what is subject to it, `completion_on` the anticipated day
    of its completion.
    """

    about: Annotated[str, 1, _ID]
    stage: Annotated[Literal["preliminary", "written", "status", "summary"], 2]
    category: Annotated[str, 3, _ID]
    systems: Annotated[tuple[str, ...], 4, Limit(50)]
    discovered_at: Annotated[Instant, 5]
    words: Annotated[str, 6, _LONG]
    investigation: Annotated[str, 7, _LONG]
    completion_on: Annotated[str, 8, _DAY]
    document: Annotated[str, 9, _DIGEST]


@message(145, "provider to postal", name="ArtSubmitted")
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstArtSubmitted(Body):
    """Submit a slogan for prior approval (502.20(d)), as releases before pictures did."""

    name: Annotated[str, 1, _ID]
    words: Annotated[tuple[str, ...], 2, Limit(10)]


@message(146, "postal to provider", name="ArtDecided")
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstArtDecided(Body):
    """Approve or refuse submitted words, as releases before pictures did."""

    name: Annotated[str, 1, _ID]
    words: Annotated[tuple[str, ...], 2, Limit(10)]
    outcome: Annotated[Literal["approved", "refused"], 3]
    reasons: Annotated[str, 4, _LONG]
    at: Annotated[Instant, 5]


@message(147, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class ArtQuery(Body):
    """Ask for art to print, by its name."""

    name: Annotated[str, 1, _ID]


@message(148, "provider to licensee", name="ArtSupplied")
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstArtSupplied(Body):
    """Supply the host with approved words, as releases before pictures did."""

    name: Annotated[str, 1, _ID]
    words: Annotated[tuple[str, ...], 2, Limit(10)]
    approved_at: Annotated[Instant, 3]
