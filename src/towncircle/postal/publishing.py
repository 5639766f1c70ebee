"""What the Postal Service publishes for verifiers (502.8, PRE-05).

Here: the rows of the verification pack, out of certificates, licenses and the device register. Not here: signing it.
Kept: a pack's number only rises; it says when the next one is due; statuses carry the instant since which they hold.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal, cast

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.facts import Fact
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.mailpiece.zipcode import place_of
from towncircle.pki.verifying import DEVICE_INDICIA, read_certificate
from towncircle.postal import rates
from towncircle.postal.certificates import certificates_of
from towncircle.postal.decertification import inactive_since
from towncircle.rules.rulesets import REGISTRY, chain
from towncircle.verification import terms_of
from towncircle.wire.bodies import (
    CertificateRow,
    LastReading,
    PackTerms,
    PublishedPack,
    PublisherRow,
    RateRow,
    StatusRow,
)

# House: how long a pack may be used offline, and how old a mailing date may be at a scan.
NEXT_UPDATE_DAYS = 7
STALE_DAYS = 30
# Facts that change nothing of a pack: those of any other kind, and a word of a device that is out of service, may.
_QUIET = frozenset(
    (
        "pack.published",
        "audit.forwarded",
        "population.reconciled",
        "books.reconciled",
        "file.booked",
        "lockbox.reported",
        "scan.recorded",
        "quality-piece.reported",
        "limit.reminded",
        "limit.missed",
        "limit.mended",
        "limit.case-opened",
        "limit.case-closed",
        "notice.given",
        "notice.delivered",
        "notice.received",
        "supervision.given",
    )
)
_IN_SERVICE = "installed"
_LISTED = ("lost", "stolen", "withdrawn", "suspended")
_MISSED = ("lost", "stolen", "recovered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Hold the rows of a pack."""

    certificates: tuple[CertificateRow, ...]
    statuses: tuple[StatusRow, ...]
    lasts: tuple[LastReading, ...]
    tables: tuple[RateRow, ...]
    publishers: tuple[PublisherRow, ...]

    @property
    def digest(self) -> str:
        """Give the digest of the rows."""
        rows = (self.certificates, self.statuses, self.lasts, self.tables, self.publishers)
        return hashlib.sha256(json.dumps([repr(one) for one in rows]).encode()).hexdigest()


def content(view: Transaction) -> Content:
    """Give the rows of a pack as the records have them now."""
    tables, publishers = rates.for_the_pack(view)
    return Content(
        certificates=_certificates(view),
        statuses=_statuses(view),
        lasts=_last_readings(view),
        tables=tables,
        publishers=publishers,
    )


def stands(view: Transaction, since: int, now: Instant) -> bool:
    """Tell whether a pack that was right when the journal had so many facts is right still, without making it anew."""
    last = view.get("pack", "last")
    return last is not None and _fresh(last, now) and all(_quiet(view, fact) for fact in view.facts()[since:])


def _quiet(view: Transaction, fact: Fact) -> bool:
    if fact.type != "audit.forwarded":
        return fact.type in _QUIET
    row = view.get("device", fact.subject)
    return row is not None and row.body["status"] == _IN_SERVICE


def _fresh(last: Record, now: Instant) -> bool:
    return now < Instant(last.body["issued"]).plus(hours=12 * NEXT_UPDATE_DAYS)


@cites("PRE-05", "502.8")
def publish(ctx: Context, *, chain: tuple[bytes, ...], test: bool, judged_in: str, shown: int) -> PublishedPack | None:
    """Make the next pack where anything changed or the last one is half used up; None where it still stands.

    `shown` is the number of the pack that verifiers see: one that was made but never shown (a crash in between) is
    followed by another.
    """
    told = content(ctx.tx)
    last = ctx.tx.get("pack", "last")
    if (
        last is not None
        and _fresh(last, ctx.now)
        and (last.body["digest"], last.body["number"]) == (told.digest, shown)
    ):
        return None
    number = int(last.body["number"]) + 1 if last else 1
    record = {"number": number, "issued": int(ctx.now), "digest": told.digest}
    ctx.tx.put("pack", "last", record, owner=ctx.party, expected=last.version if last else 0)
    ctx.note("pack.published", str(number), certificates=len(told.certificates), statuses=len(told.statuses))
    return PublishedPack(
        anchor="test" if test else "production",
        number=number,
        issued=ctx.now,
        next_update=ctx.now.plus(days=NEXT_UPDATE_DAYS),
        chain=chain,
        terms=_terms(ctx, judged_in),
        certificates=told.certificates,
        statuses=told.statuses,
        last_readings=told.lasts,
        rates=told.tables,
        publishers=told.publishers,
    )


def _terms(ctx: Context, judged_in: str) -> tuple[PackTerms, ...]:
    today = ctx.now.utc().date()
    return tuple(terms_of(regime, on=today, judged_in=judged_in, stale_days=STALE_DAYS) for regime in chain(judged_in))


def _certificates(view: Transaction) -> tuple[CertificateRow, ...]:
    rows = []
    for held, der in certificates_of(view):
        certificate = read_certificate(der)
        if certificate.purpose != DEVICE_INDICIA:
            continue
        license_row = view.get("license", held.body["license"])
        assert license_row is not None
        office_zip = str(license_row.body["office_zip"])
        rows.append(
            CertificateRow(
                serial=certificate.serial,
                device=DeviceId(held.key),
                scheme=certificate.public.scheme,
                public=certificate.public.raw,
                not_before=certificate.not_before,
                not_after=certificate.not_after,
                revoked_at=Instant(held.body["revoked_at"]) if held.body["revoked_at"] else None,
                revoked_reason=held.body["revoked_reason"],
                office_zip=office_zip,
                zone=place_of(office_zip).zone,
                regime=held.body["regime"],
                layout=REGISTRY[held.body["regime"]].layout,
                specimen=True,
            )
        )
    return tuple(rows)


def _statuses(view: Transaction) -> tuple[StatusRow, ...]:
    rows = []
    for held in view.find("device"):
        status = str(held.body["status"])
        if status in _LISTED:
            word = cast("Literal['lost', 'stolen', 'withdrawn', 'suspended']", status)
            rows.append(StatusRow(device=DeviceId(held.key), status=word, since=Instant(held.body["since"])))
        elif status == "recovered":  # it was not inspected and given back yet, and a stranger may have used it
            since = Instant(held.body["missing_since"])
            rows.append(StatusRow(device=DeviceId(held.key), status="suspended", since=since))
        elif (out := inactive_since(held)) is not None:  # decertified, and nobody withdrew it in time
            rows.append(StatusRow(device=DeviceId(held.key), status="withdrawn", since=out))
    return tuple(rows)


def _last_readings(view: Transaction) -> tuple[LastReading, ...]:
    """Give what devices had signed for: those checked out at their last word, missing ones when they were missed."""
    lasts = []
    for held in view.find("device"):
        body = held.body
        checked_out = body["status"] == "withdrawn" and body.get("refund") and "ascending" in body
        missed = body["status"] in _MISSED and "missing_ascending" in body
        if checked_out or missed:
            last = Mills(body["ascending"] if checked_out else body["missing_ascending"])
            lasts.append(LastReading(device=DeviceId(held.key), ascending=last))
    return tuple(lasts)
