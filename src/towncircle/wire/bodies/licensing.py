"""Messages about a license after it was issued: revocation, standing, appeal, changed data (P050 2.3 to 2.5).

Here: 110 to 119. Not here: the application and its decision (`parties`, 40 to 43).
A field named "sealed bytes" holds another party's whole signed message, unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.instants import Instant
from towncircle.wire.bodies.common import Ground
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

_ID, _SHORT, _LONG, _DAY = Limit(64), Limit(200), Limit(4000), Limit(10)


@message(110, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseRevoked(Body):
    """Give written notice that a license is revoked, with every ground (P050 2.3)."""

    decision: Annotated[str, 1, _ID]
    license: Annotated[str, 2, _ID]
    licensee: Annotated[str, 3, _ID]
    grounds: Annotated[tuple[Ground, ...], 4, Limit(100)]
    at: Annotated[Instant, 5]


@message(111, "licensee to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseStandingQuery(Body):
    """Ask how a license or an application stands."""

    about: Annotated[str, 1, _ID]


@message(112, "postal to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseStanding(Body):
    """Say how a license or an application stands; a refusal or a revocation with its grounds is the written notice.

    `appeal_by` is the last day for an appeal, or empty; `appeal` how the appeal under `docket` stands, with `reasons`.
    """

    about: Annotated[str, 1, _ID]
    license: Annotated[str, 2, _ID]
    state: Annotated[Literal["valid", "revoked", "refused", "given up"], 3]
    decision: Annotated[str, 4, _ID]
    grounds: Annotated[tuple[Ground, ...], 5, Limit(100)]
    at: Annotated[Instant, 6]
    appeal_by: Annotated[str, 7, _DAY]
    docket: Annotated[str, 8, _ID]
    appeal: Annotated[Literal["none", "filed", "upheld", "reversed"], 9]
    reasons: Annotated[str, 10, _LONG]
    office_zip: Annotated[str, 11, _SHORT]
    office_city: Annotated[str, 12, _SHORT]
    office_state: Annotated[str, 13, _SHORT]
    provider: Annotated[str, 14, _ID]


@message(113, "licensee to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseAppeal(Body):
    """Appeal in writing to the Manager, MTM, against a refusal or a revocation (P050 2.4).

    `decision` names it as its notice does; `evidence` is the SHA-256 (hex) of a paper, or empty.
    """

    about: Annotated[str, 1, _ID]
    decision: Annotated[str, 2, _ID]
    reasons: Annotated[str, 3, _LONG]
    evidence: Annotated[str, 4, _ID]


@message(114, "postal to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDocketed(Body):
    """Say that an appeal is on the docket; it stays nothing."""

    docket: Annotated[str, 1, _ID]
    about: Annotated[str, 2, _ID]
    filed_at: Annotated[Instant, 3]


@message(115, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseDataStated(Body):
    """State the Form 3601-A data of a license anew: changed, verified, or of a license that is given up."""

    statement: Annotated[str, 1, _ID]
    license: Annotated[str, 2, _ID]
    licensee: Annotated[str, 3, _ID]
    purpose: Annotated[Literal["change", "verification", "give-up"], 4]
    name: Annotated[str, 5, _SHORT]
    street: Annotated[str, 6, _SHORT]
    city: Annotated[str, 7, _SHORT]
    state: Annotated[str, 8, _SHORT]
    zip: Annotated[str, 9, _SHORT]
    telephone: Annotated[str, 10, _SHORT]
    contact: Annotated[str, 11, _SHORT]
    device_location: Annotated[str, 12, _SHORT]


@message(116, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseDataTransmitted(Body):
    """Transmit what a licensee states of its license (P050 2.5(e)); `statement` is the licensee's sealed bytes."""

    statement: Annotated[bytes, 1]
    provider: Annotated[str, 2, _ID]


@message(117, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedLicense(Body):
    """Issue a license as revised, or say that it stands, or that it was given up."""

    statement: Annotated[str, 1, _ID]
    license: Annotated[str, 2, _ID]
    state: Annotated[Literal["valid", "given up"], 3]
    revision: Annotated[int, 4]
    at: Annotated[Instant, 5]


@message(118, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedLicenseNotice(Body):
    """Hand a revised license on; `revised` is the Postal Service's sealed bytes."""

    revised: Annotated[bytes, 1]


@message(119, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDecided(Body):
    """Tell a Provider how an appeal of its licensee ended; a reversal makes the license valid."""

    docket: Annotated[str, 1, _ID]
    about: Annotated[str, 2, _ID]
    license: Annotated[str, 3, _ID]
    licensee: Annotated[str, 4, _ID]
    outcome: Annotated[Literal["upheld", "reversed"], 5]
    office_zip: Annotated[str, 6, _SHORT]
    office_city: Annotated[str, 7, _SHORT]
    office_state: Annotated[str, 8, _SHORT]
    at: Annotated[Instant, 9]
