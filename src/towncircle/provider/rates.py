"""Rate tables as a Provider publishes them: signed, dated, and at every host before their first day (IMI-03).

Here: publishing, and filing with the Postal Service. Not here: the file (`mailpiece.rate_files`), the way down
(`downloads`), prices.
Kept: a table is published so long before midnight of its first day that every device has to connect in between; later
only for a reason that is written down. Numbers only rise, and what was published is never changed.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Reserve, Seal, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.mailpiece import rate_files
from towncircle.provider.downloads import HOSTS, RATES, assign_rates, leased
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import AcceptanceWithdrawn, Acknowledged, RateTable, RateTableAccepted, RateTableFiled
from towncircle.wire.bodies.updates import FILE
from towncircle.wire.message import Opened, body_of


@cites("IMI-03/2")
def publish(ctx: Context, *, file: bytes, rules: RuleSet, late: str = "") -> Steps:
    """Publish a rate file; the same file published again is the same table. Gives its record.

    Raises `BadInput` (updates.file-unreadable, updates.file-totals, updates.file-size), `Refused` (updates.too-late).
    """
    if len(file) > FILE.most:
        raise BadInput("updates.file-size", size=len(file), limit=FILE.most)
    table, digest = rate_files.read(file), hashlib.sha256(file).hexdigest()
    held = _published(ctx, digest)
    if held is not None:
        return held
    ready = _in_time(table.in_force_from, rules)
    if ctx.now > ready and not late.strip():
        raise Refused("updates.too-late", first=table.in_force_from, ready=ready)
    number = yield Reserve("rate table", f"rate table {digest}")
    body = RateTable(number=number, in_force_from=table.in_force_from.isoformat(), file=file)
    raw = yield Seal(HOSTS, body, key=f"rate table {number}")
    held = _published(ctx, digest)
    if held is not None:
        return held
    told = {
        "number": number,
        "in_force_from": body.in_force_from,
        "digest": digest,
        "lines": len(table.lines),
        "total": int(rate_files.total_of(table)),
    }
    record = {**told, "raw": base64.b64encode(raw).decode(), "table": table.id, "at": int(ctx.now)}
    kept = _filed(ctx, ctx.tx.put(RATES, f"{number:06d}", record, owner=ctx.party, expected=0), file)
    ctx.note("rates.published", f"{number:06d}", clauses=("IMI-03",), **told, late=late[:200])
    before = table.in_force_from - timedelta(days=1)
    for row in leased(ctx):
        assign_rates(ctx, row, number=number, before=before)
    return kept


@cites("IMI-03/2", "P050-1.5")
def file_earlier(ctx: Context) -> None:
    """File the tables that were published before tables were filed with the Postal Service."""
    for row in unfiled(ctx.tx):
        body = body_of(base64.b64decode(row.body["raw"]))
        assert isinstance(body, RateTable)
        _filed(ctx, row, body.file)


def keep_refused(ctx: Context, *, number: int, code: str, sentence: str) -> Record:
    """Keep that the Postal Service refused a table that was filed: hosts price by it, and verifiers do not."""
    row = ctx.tx.get(RATES, f"{number:06d}")
    if row is None:
        raise Refused("updates.not-filed", number=number, provider=ctx.party)
    if row.body.get("refused"):
        return row
    told: dict[str, Any] = {"number": number, "code": code, "sentence": sentence[:500]}
    before = date.fromisoformat(row.body["in_force_from"]) - timedelta(days=1)
    ctx.note("rates.filing-refused", row.key, clauses=("IMI-03", "P050 1.5"), until=before.isoformat(), **told)
    return ctx.tx.put(RATES, row.key, {**row.body, "refused": told}, owner=row.owner, expected=row.version)


@cites("P050-1.5")
def on_accepted(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep that a table stands as the Postal Service's own. Raises `Refused` (updates.not-filed)."""
    body = opened.body
    assert isinstance(body, RateTableAccepted)
    row = _mine(ctx, body.number, body.digest)
    if not row.body.get("accepted"):
        told: dict[str, Any] = {"number": body.number, "digest": body.digest}
        ctx.note("rates.accepted", row.key, clauses=("P050 1.5",), occurred_at=body.at, **told)
        ctx.tx.put(RATES, row.key, {**row.body, "accepted": int(body.at)}, owner=row.owner, expected=row.version)
    return Acknowledged(note=f"table {body.number} is accepted")


@cites("P050-1.5")
def on_withdrawn(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep the notice that a table stands as the Postal Service's own through a day only. Raises `Refused`."""
    body = opened.body
    assert isinstance(body, AcceptanceWithdrawn)
    row = _mine(ctx, body.number, body.digest)
    if row.body.get("accepted_through") != body.through and int(body.at) >= row.body.get("withdrawn_at", 0):
        told: dict[str, Any] = {"number": body.number, "through": body.through, "reasons": body.reasons}
        ctx.note("rates.acceptance-withdrawn", row.key, clauses=("P050 1.5",), **told)
        kept = {**row.body, "accepted_through": body.through, "withdrawn_at": int(body.at)}
        ctx.tx.put(RATES, row.key, kept, owner=row.owner, expected=row.version)
    return Acknowledged(note=f"table {body.number} stands through {body.through}")


def _mine(ctx: Context, number: int, digest: str) -> Record:
    row = ctx.tx.get(RATES, f"{number:06d}")
    if row is None or row.body["digest"] != digest:
        raise Refused("updates.not-filed", number=number, provider=ctx.party)
    return row


def filing_of(number: int) -> str:
    """Give the key of the message that files a table."""
    return f"rate table {number} filed"


def unfiled(view: Transaction) -> list[Record]:
    """Give the published tables that the Postal Service was not sent."""
    return [row for row in view.find(RATES) if not row.body.get("filed")]


def _filed(ctx: Context, row: Record, file: bytes) -> Record:
    """Send the Postal Service a table as it was published: verifiers price by the same (P050 1.5)."""
    number = row.body["number"]
    body = RateTableFiled(number=number, in_force_from=row.body["in_force_from"], file=file)
    ctx.send("postal.usps", body, key=filing_of(number))
    return ctx.tx.put(RATES, row.key, {**row.body, "filed": True}, owner=row.owner, expected=row.version)


def _published(ctx: Context, digest: str) -> Record | None:
    return next((row for row in ctx.tx.find(RATES) if row.body["digest"] == digest), None)


def _in_time(first: date, rules: RuleSet) -> Instant:
    """Give the last instant at which a table may be published for every device to connect before its first day."""
    midnight = Instant.of(datetime.combine(first, datetime.min.time(), ZoneInfo(HEADQUARTERS)))
    return rules.term("contact_interval", first).before(midnight, HEADQUARTERS)
