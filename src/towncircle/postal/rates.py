"""Rate tables as Providers file them: what verifiers price the pieces of their devices by (IMI-03, P050 1.5).

Here: keeping a filed table, accepting one, and the rows of the verification pack. Not here: publishing
(`provider.rates`), the pack (`publishing`), which table holds on a day (`mailpiece.tariff`).
Kept: a table is kept as the Provider signed it, under its number, and never changed. The mailing date alone says which
table holds, here as at the host; a table that cannot be read is refused, so that no pack carries one (ADR 39). What
only a filed table makes enough is in doubt until an officer of the Postal Service accepts that table, and again for
mailing dates after the one through which he withdrew it.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.mailpiece import rate_files
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import (
    AcceptanceWithdrawn,
    Acknowledged,
    PublisherRow,
    RateRow,
    RateTableAccepted,
    RateTableFiled,
)
from towncircle.wire.message import Opened

FILED = "rate-table"
_MOST_WORDS = 2000


@cites("IMI-03/2", "P050-1.5")
def on_filed(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep a table that a Provider published; the same one again changes nothing.

    Raises `Refused` (updates.changed, updates.other-day), and what `rate_files.read` raises.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, RateTableFiled)
    table, key = rate_files.read(body.file), f"{provider} {body.number:06d}"
    if table.in_force_from.isoformat() != body.in_force_from:
        raise Refused("updates.other-day", first=table.in_force_from, told=body.in_force_from[:10])
    digest, held = hashlib.sha256(body.file).hexdigest(), ctx.tx.get(FILED, key)
    if held is not None:
        if held.body["digest"] != digest:
            raise Refused("updates.changed", number=body.number, provider=provider)
        return Acknowledged(note="rate table known")
    told: dict[str, Any] = {"number": body.number, "in_force_from": body.in_force_from, "digest": digest}
    record = {**told, "table": table.id, "file": body.file.decode(), "at": int(ctx.now)}
    ctx.tx.put(FILED, key, record, owner=provider, expected=0)
    ctx.note("rates.filed", key, clauses=("IMI-03", "P050 1.5"), provider=provider, **told)
    return Acknowledged(note="rate table filed")


@cites("P050-1.5")
def accept(ctx: Context, *, provider: str, number: int) -> Record:
    """Let a filed table stand as the Postal Service's own, from its first day, and tell its Provider.

    Once more changes nothing; a Provider who was not told, as in an earlier release, is told then.

    Raises `Refused` (updates.not-filed).
    """
    held = ctx.tx.get(FILED, f"{provider} {number:06d}")
    if held is None:
        raise Refused("updates.not-filed", number=number, provider=provider[:64])
    if not held.body.get("accepted"):
        told = {name: held.body[name] for name in ("number", "in_force_from", "digest")}
        ctx.note("rates.accepted", held.key, clauses=("P050 1.5",), provider=provider, **told)
        body = {**held.body, "accepted": int(ctx.now)}
        held = ctx.tx.put(FILED, held.key, body, owner=provider, expected=held.version)
    key = f"rate table {number} of {provider} accepted"
    if ctx.tx.get("outgoing", key) is None:
        digest, at = held.body["digest"], Instant(held.body["accepted"])
        ctx.send(provider, RateTableAccepted(number=number, digest=digest, at=at), key=key)
    return held


@cites("P050-1.5")
def withdraw(ctx: Context, *, provider: str, number: int, through: date, reasons: str, rules: RuleSet) -> Record:
    """Withdraw the acceptance of a filed table after a mailing date, and give its Provider notice; once more is known.

    What is dated through that day stands as it was accepted. The notice is so early (house) that the Provider can
    publish another table, and each device connect, before the day after; as long another day can be named instead.

    Raises `Refused`: updates.not-filed, updates.not-accepted, updates.withdrawn, updates.withdrawn-too-late; `BadInput`
    (updates.no-reasons).
    """
    held = ctx.tx.get(FILED, f"{provider} {number:06d}")
    if held is None:
        raise Refused("updates.not-filed", number=number, provider=provider[:64])
    if not held.body.get("accepted"):
        raise Refused("updates.not-accepted", number=number, provider=provider)
    if not 0 < len(reasons.strip()) <= _MOST_WORDS:
        raise BadInput("updates.no-reasons", number=number)
    if held.body.get("accepted_through"):
        if held.body["accepted_through"] == through.isoformat():
            return held
        before = date.fromisoformat(held.body["accepted_through"])
        if ctx.now > _ready(rules, before):  # its Provider, and its hosts, go by it
            raise Refused("updates.withdrawn", number=number, provider=provider, through=before)
    if ctx.now > (ready := _ready(rules, through)):
        raise Refused("updates.withdrawn-too-late", through=through, ready=ready)
    told = {name: held.body[name] for name in ("number", "digest")}
    ctx.note(
        "rates.acceptance-withdrawn",
        held.key,
        clauses=("P050 1.5",),
        provider=provider,
        in_force_from=held.body["in_force_from"],
        through=through.isoformat(),
        reasons=reasons,
        **told,
    )
    notice = AcceptanceWithdrawn(through=through.isoformat(), reasons=reasons, at=ctx.now, **told)
    ctx.send(provider, notice, key=f"rate table {number} of {provider} withdrawn {ctx.tx.next_number('withdrawal')}")
    body = {**held.body, "accepted_through": through.isoformat(), "reasons": reasons}
    return ctx.tx.put(FILED, held.key, body, owner=provider, expected=held.version)


def _ready(rules: RuleSet, through: date) -> Instant:
    """Give the moment by which a withdrawal after a day is told, so that hosts connect before the next day."""
    first = through + timedelta(days=1)
    midnight = Instant.of(datetime.combine(first, datetime.min.time(), ZoneInfo(HEADQUARTERS)))
    return rules.term("contact_interval", first).before(midnight, HEADQUARTERS)


@cites("PRE-05", "P050-1.5")
def for_the_pack(view: Transaction) -> tuple[tuple[RateRow, ...], tuple[PublisherRow, ...]]:
    """Give the filed tables in the order of their numbers, and whose devices' pieces they price."""
    rates = tuple(
        RateRow(
            provider=row.owner,
            number=row.body["number"],
            file=row.body["file"].encode(),
            filed=Instant(row.body["at"]),
            accepted=bool(row.body.get("accepted")),
            accepted_through=str(row.body.get("accepted_through", "")),
        )
        for row in sorted(view.find(FILED), key=lambda row: (row.owner, row.body["number"]))
    )
    devices: dict[str, list[DeviceId]] = {row.provider: [] for row in rates}
    for row in view.find("device-certificates") if rates else ():
        if row.owner in devices:
            devices[row.owner].append(DeviceId(row.key))
    return rates, tuple(PublisherRow(provider=name, devices=tuple(held)) for name, held in devices.items())
