"""What licensees state of their licenses: changed data, periodic verification, giving up (P050 2.5(d), (e)).

Here: the Postal Service's revised license, based on what the Provider transmits. Not here: the post office of deposit,
which a revision never changes: that needs another license (2.5(e)).
Kept: the licensee's own signed statement is what is judged; fictitious data are refused with every ground; a statement
is taken once; a license is given up only when no device is in service under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused, RefusedOnGrounds
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.postal.licenses import DATA, data_of, fictitious, keep_data
from towncircle.postal.standing import GIVEN_UP, VALID, license_row, not_valid, serves
from towncircle.wire.bodies import LicenseDataStated, LicenseDataTransmitted, RevisedLicense
from towncircle.wire.message import Opened


@cites("P050-2.5e/1", "PRE-07/2")
def on_transmitted(ctx: Context, opened: Opened) -> RevisedLicense:
    """Issue a revised license from what a Provider transmits.

    Raises `Refused`: license.not-the-licensee, license.not-valid, license.device-in-service, license.data-fictitious.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, LicenseDataTransmitted)
    enclosed = ctx.unseal(body.statement, provider, opened.envelope)
    stated = enclosed.body
    mine = isinstance(stated, LicenseDataStated) and stated.licensee == enclosed.envelope.sender
    if not isinstance(stated, LicenseDataStated) or not mine or body.provider != provider:
        raise Refused("license.not-the-licensee", sender=enclosed.envelope.sender, license="named")
    row = license_row(ctx, stated.license)
    if row.owner != stated.licensee or not serves(row, provider):
        raise Refused("license.not-the-licensee", sender=stated.licensee, license=row.key)
    earlier = ctx.tx.get("license-statement", stated.statement)
    if earlier is None:
        earlier = _take(ctx, row, stated, provider)
    elif earlier.owner != stated.licensee or earlier.body["license"] != row.key:
        raise Refused("license.not-the-licensee", sender=stated.licensee, license=row.key)
    return RevisedLicense(
        statement=stated.statement,
        license=row.key,
        state="given up" if earlier.body["purpose"] == "give-up" else "valid",
        revision=earlier.body["revision"],
        at=Instant(earlier.body["at"]),
    )


def _take(ctx: Context, row: Record, stated: LicenseDataStated, provider: str) -> Record:
    if row.body["state"] != VALID:
        raise not_valid(ctx, row, clause="P050 2.5(e), P050 2.3")
    grounds = tuple(_grounds(stated))
    if grounds:
        raise RefusedOnGrounds("license.data-fictitious", grounds, license=row.key)
    about: dict[str, Any] = {"licensee": row.owner, "provider": provider, "statement": stated.statement}
    if stated.purpose == "give-up":
        _give_up(ctx, row)
        ctx.note("license.given-up", row.key, clauses=("P050 2.5(e)",), **about)
    held = ctx.tx.get("license-data", row.key)
    revision = keep_data(ctx, row.key, data_of(stated), owner=row.owner)
    if stated.purpose != "give-up":
        revised = held is None or revision != held.body["revision"]
        kind = "license.revised" if revised else "license.verified"
        ctx.note(kind, row.key, clauses=("P050 2.5(e)",), revision=revision, **about)
    record = {"license": row.key, "purpose": stated.purpose, "revision": revision, "at": int(ctx.now)}
    return ctx.tx.put("license-statement", stated.statement, record, owner=row.owner, expected=0)


def _grounds(stated: LicenseDataStated) -> Iterator[Refused]:
    for name in DATA:
        if not str(getattr(stated, name)).strip():
            yield Refused("postal.form-incomplete", field=name.replace("_", " "))
    yield from fictitious(stated.telephone, ("address", stated.zip, stated.state))


@cites("P050-2.5e/3")
def _give_up(ctx: Context, row: Record) -> None:
    for device in ctx.tx.find("device"):
        if device.body["license"] == row.key and device.body["status"] in ("installed", "recovered"):
            raise Refused("license.device-in-service", device=device.key, license=row.key)
    body = {**row.body, "state": GIVEN_UP, "given_up_at": int(ctx.now)}
    ctx.tx.put("license", row.key, body, owner=row.owner, expected=row.version)
