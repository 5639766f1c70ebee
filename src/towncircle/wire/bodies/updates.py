"""Messages of what comes down with a connection: rate tables, software, and the builds behind it (IMI-02, IMI-03).

Here: the published table, its copy for the Postal Service, what a host asks and gets, the approval of a
build, the order that a device runs one, the device's word on what it runs. Not here: the layout of a rate file
(`mailpiece.rate_files`), the code of a build, which no message carries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.wire.bodies.provider import CHAIN
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

FILE = Limit(60_000)
_SEALED, _DIGEST, _WORDS = Limit(96_000), Limit(32), Limit(2000)


@message(160, "provider to hosts")
@dataclass(frozen=True, slots=True, kw_only=True)
class RateTable(Body):
    """Publish a rate table: the file as its documented layout writes it, and the first mailing date (`YYYY-MM-DD`).

    `number` counts a Provider's tables and only rises: of two tables for a day the one with the higher number holds.
    """

    number: Annotated[int, 1]
    in_force_from: Annotated[str, 2, Limit(10)]
    file: Annotated[bytes, 3, FILE]


@message(161, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadQuery(Body):
    """Ask what a device and its host are to have; `rates` is the number of the last table that the host has taken."""

    device: Annotated[DeviceId, 1]
    rates: Annotated[int, 2]
    software: Annotated[int, 3]


@message(162, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class Downloads(Body):
    """Hand a host the next sealed tables, in their order, and the sealed order of a software update, if any."""

    rates: Annotated[tuple[Annotated[bytes, _SEALED], ...], 1, Limit(2)]
    update: Annotated[bytes, 2, _SEALED]


@message(163, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadsTaken(Body):
    """Say up to which number a device's host has taken the rate tables."""

    device: Annotated[DeviceId, 1]
    rates: Annotated[int, 2]


@message(164, "postal to devices")
@dataclass(frozen=True, slots=True, kw_only=True)
class BuildApproval(Body):
    """Approve a build for a model under a regime; `build` is the SHA-256 of its manifest, `changes` what is new.

    `chain` are the certificates of the signer, its issuer and the root, so that a device needs nobody's word for it.
    """

    version: Annotated[int, 1]
    build: Annotated[bytes, 2, _DIGEST]
    model: Annotated[str, 3, Limit(8)]
    regime: Annotated[str, 4, Limit(16)]
    changes: Annotated[str, 5, _WORDS]
    chain: Annotated[tuple[bytes, ...], 6, CHAIN]


@message(165, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class BuildApproved(Body):
    """Give a Provider the sealed approval of a build."""

    approval: Annotated[bytes, 1, _SEALED]


@message(166, "provider to device")
@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareUpdate(Body):
    """Order a device to run a build from its next start on; it brings the Postal Service's sealed approval."""

    version: Annotated[int, 1]
    build: Annotated[bytes, 2, _DIGEST]
    approval: Annotated[bytes, 3, _SEALED]


@message(167, "device to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareReport(Body):
    """Say which version and build a device is bound to, which one waits for its next start, and which one runs."""

    version: Annotated[int, 1]
    build: Annotated[bytes, 2, _DIGEST]
    next_version: Annotated[int, 3]
    next_build: Annotated[bytes, 4, _DIGEST]
    running: Annotated[bytes, 5, _DIGEST]


@message(168, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareForward(Body):
    """Forward a device's software report as the device signed it, with when it came."""

    report: Annotated[bytes, 1, _SEALED]
    at: Annotated[Instant, 2]


@message(169, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class RateTableFiled(Body):
    """File a rate table with the Postal Service as it was published to the hosts, so that verifiers price by it too."""

    number: Annotated[int, 1]
    in_force_from: Annotated[str, 2, Limit(10)]
    file: Annotated[bytes, 3, FILE]


@message(197, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceWithdrawn(Body):
    """Say that a filed rate table stands as the Postal Service's own for no mailing date after `through` (P050 1.5)."""

    number: Annotated[int, 1]
    digest: Annotated[str, 2, Limit(64)]
    through: Annotated[str, 3, Limit(10)]
    reasons: Annotated[str, 4, Limit(2000)]
    at: Annotated[Instant, 5]


@message(215, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class RateTableAccepted(Body):
    """Say that a filed rate table stands as the Postal Service's own from its first mailing date on (P050 1.5)."""

    number: Annotated[int, 1]
    digest: Annotated[str, 2, Limit(64)]
    at: Annotated[Instant, 3]
