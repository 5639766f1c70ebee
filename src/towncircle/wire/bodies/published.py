"""What the Postal Service publishes for verifiers.

Here: the body of the verification pack. Not here: how a verifier uses it (`verification.pack`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire.bodies.provider import CERTIFICATE, CHAIN
from towncircle.wire.bodies.updates import FILE
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit, Row

ROWS = Limit(1_000_000)
TABLES = Limit(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow(Row):
    """Hold what a verifier needs of one indicia certificate.

    `revoked_at` is None for one in force; `office_zip` is the licensee's licensing office.
    """

    serial: int
    device: DeviceId
    scheme: Annotated[str, Limit(16)]
    public: Annotated[bytes, Limit(1024)]
    not_before: Instant
    not_after: Instant
    revoked_at: Instant | None
    revoked_reason: Annotated[str, Limit(64)]
    office_zip: Annotated[str, Limit(10)]
    zone: Annotated[str, Limit(64)]
    regime: Annotated[str, Limit(16)]
    layout: Annotated[str, Limit(16)]
    specimen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow(Row):
    """Hold the status of one device that is not simply in service, and since when."""

    device: DeviceId
    status: Annotated[Literal["lost", "stolen", "withdrawn", "suspended"], Limit(16)]
    since: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReading(Row):
    """Hold the ascending register of a device at its last word, or when it was lost: what it showed then was paid."""

    device: DeviceId
    ascending: Mills


@dataclass(frozen=True, slots=True, kw_only=True)
class PackTerms(Row):
    """Hold the rule's figures for one regime that a verifier reads; dates are `YYYY-MM-DD`, or empty.

    `decertified_on` and `indicia_valid_through` are empty for a regime in force. `advance_days` and `stale_days` are
    the house's window of mailing dates around a scan.
    """

    regime: Annotated[str, Limit(16)]
    rule_digest: Annotated[str, Limit(64)]
    cap_mills: Mills
    refund_days: int
    advance_days: int
    stale_days: int
    decertified_on: Annotated[str, Limit(10)]
    indicia_valid_through: Annotated[str, Limit(10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRateRow(Row):
    """Hold a rate table that a Provider filed, as packs of version 3 named it."""

    provider: Annotated[str, Limit(64)]
    number: int
    file: Annotated[bytes, FILE]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondRateRow(Row):
    """Hold a rate table that a Provider filed, as packs of version 4 named it: accepted for as long as it holds."""

    provider: Annotated[str, Limit(64)]
    number: int
    file: Annotated[bytes, FILE]
    filed: Instant
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRow(Row):
    """Hold a rate table that a Provider filed: of two for one day the one with the higher number holds.

    `filed` is when the Postal Service had it; `accepted` says that the Postal Service lets it stand as its own,
    `accepted_through` the last mailing date for which it does (`YYYY-MM-DD`), or nothing where no end is set.
    """

    provider: Annotated[str, Limit(64)]
    number: int
    file: Annotated[bytes, FILE]
    filed: Instant
    accepted: bool
    accepted_through: Annotated[str, Limit(10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherRow(Row):
    """Name the devices whose pieces are priced by the tables of a Provider."""

    provider: Annotated[str, Limit(64)]
    devices: Annotated[tuple[DeviceId, ...], ROWS]


@message(57, "postal to everybody", name="PublishedPack")
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPublishedPack(Body):
    """Publish all that a verifier holds offline, as release 0.1.0 did: without last readings."""

    anchor: Annotated[Literal["production", "test"], 1]
    number: Annotated[int, 2]
    issued: Annotated[Instant, 3]
    next_update: Annotated[Instant, 4]
    chain: Annotated[tuple[Annotated[bytes, CERTIFICATE], ...], 5, CHAIN]
    terms: Annotated[tuple[PackTerms, ...], 6, Limit(16)]
    certificates: Annotated[tuple[CertificateRow, ...], 7, ROWS]
    statuses: Annotated[tuple[StatusRow, ...], 8, ROWS]


@message(57, "postal to everybody", version=2, name="PublishedPack")
@dataclass(frozen=True, slots=True, kw_only=True)
class SecondPublishedPack(Body):
    """Publish all that a verifier holds offline, as it was before Providers filed their rate tables."""

    anchor: Annotated[Literal["production", "test"], 1]
    number: Annotated[int, 2]
    issued: Annotated[Instant, 3]
    next_update: Annotated[Instant, 4]
    chain: Annotated[tuple[Annotated[bytes, CERTIFICATE], ...], 5, CHAIN]
    terms: Annotated[tuple[PackTerms, ...], 6, Limit(16)]
    certificates: Annotated[tuple[CertificateRow, ...], 7, ROWS]
    statuses: Annotated[tuple[StatusRow, ...], 8, ROWS]
    last_readings: Annotated[tuple[LastReading, ...], 9, ROWS]


@message(57, "postal to everybody", version=3, name="PublishedPack")
@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdPublishedPack(Body):
    """Publish all that a verifier holds offline, as it was before the Postal Service accepted tables of Providers."""

    anchor: Annotated[Literal["production", "test"], 1]
    number: Annotated[int, 2]
    issued: Annotated[Instant, 3]
    next_update: Annotated[Instant, 4]
    chain: Annotated[tuple[Annotated[bytes, CERTIFICATE], ...], 5, CHAIN]
    terms: Annotated[tuple[PackTerms, ...], 6, Limit(16)]
    certificates: Annotated[tuple[CertificateRow, ...], 7, ROWS]
    statuses: Annotated[tuple[StatusRow, ...], 8, ROWS]
    last_readings: Annotated[tuple[LastReading, ...], 9, ROWS]
    rates: Annotated[tuple[FirstRateRow, ...], 10, TABLES]
    publishers: Annotated[tuple[PublisherRow, ...], 11, Limit(1000)]


@message(57, "postal to everybody", version=4, name="PublishedPack")
@dataclass(frozen=True, slots=True, kw_only=True)
class FourthPublishedPack(Body):
    """Publish all that a verifier holds offline, as it was before an acceptance could be withdrawn."""

    anchor: Annotated[Literal["production", "test"], 1]
    number: Annotated[int, 2]
    issued: Annotated[Instant, 3]
    next_update: Annotated[Instant, 4]
    chain: Annotated[tuple[Annotated[bytes, CERTIFICATE], ...], 5, CHAIN]
    terms: Annotated[tuple[PackTerms, ...], 6, Limit(16)]
    certificates: Annotated[tuple[CertificateRow, ...], 7, ROWS]
    statuses: Annotated[tuple[StatusRow, ...], 8, ROWS]
    last_readings: Annotated[tuple[LastReading, ...], 9, ROWS]
    rates: Annotated[tuple[SecondRateRow, ...], 10, TABLES]
    publishers: Annotated[tuple[PublisherRow, ...], 11, Limit(1000)]


@message(57, "postal to everybody", version=5)
@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPack(Body):
    """Publish all that a verifier holds offline.

    `number` is the list number, which only rises; `chain` are the certificates of the signer, its issuer and the root;
    `last_readings` are of devices that signed their own withdrawal, or that are missing; `rates` are the rate tables
    that Providers filed, `publishers` whose pieces they price.
    """

    anchor: Annotated[Literal["production", "test"], 1]
    number: Annotated[int, 2]
    issued: Annotated[Instant, 3]
    next_update: Annotated[Instant, 4]
    chain: Annotated[tuple[Annotated[bytes, CERTIFICATE], ...], 5, CHAIN]
    terms: Annotated[tuple[PackTerms, ...], 6, Limit(16)]
    certificates: Annotated[tuple[CertificateRow, ...], 7, ROWS]
    statuses: Annotated[tuple[StatusRow, ...], 8, ROWS]
    last_readings: Annotated[tuple[LastReading, ...], 9, ROWS]
    rates: Annotated[tuple[RateRow, ...], 10, TABLES]
    publishers: Annotated[tuple[PublisherRow, ...], 11, Limit(1000)]
