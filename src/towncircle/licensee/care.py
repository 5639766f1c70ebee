"""The licensee's care (P050 2.5(b) and (g)): records shown on request, and address matching data kept up to date.

Here: the request for a review and what is shown, and updates of address data that are kept elsewhere. Not here: the
device itself, which an examination reads (`examination`), the data that pieces are addressed by (`address_data`).
Kept: a review is granted to the licensee's own Providers and the Postal Service; what was shown is named by its digest.
An edition of the address data is an update only when it is newer than the one held and still good. It is a word: what
is printed here counts by the data in use.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.store import Record
from towncircle.mailpiece.address_source import LIMIT
from towncircle.rules import RuleSet
from towncircle.wire.bodies import ReviewGranted

POSTAL = "postal.usps"
ASKED, GRANTED = "asked", "granted"
CLAUSE = "P050 2.5(b)"
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./:_-]{0,79}", re.ASCII)
_EDITION = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
SHOWN = ("deposit", "statement", "job", "check-out", "refund", "hand-over")


@cites("P050-2.5b/2", "P050-2.5b")
def ask(ctx: Context, *, by: str, reference: str) -> Record:
    """Keep the request of a party for a review of the transaction records; the same asked again is one request.

    Raises `Refused` (custody.not-entitled, custody.review-taken), `BadInput` (custody.reference).
    """
    if not REFERENCE.fullmatch(reference):
        raise BadInput("custody.reference", most=80)
    providers = {str(row.body["provider"]) for row in ctx.tx.find("device")}
    if by != POSTAL and by not in providers:
        raise Refused("custody.not-entitled", party=by[:40])
    held = ctx.tx.get("review", reference)
    if held is None:
        ctx.note("review.requested", reference, clauses=("P050 2.5(b)",), by=by)
        body = {"by": by, "state": ASKED, "digest": ""}
        held = ctx.tx.put("review", reference, body, owner=ctx.party, expected=0)
    elif held.body["by"] != by:
        raise Refused("custody.review-taken", reference=reference, licensee=held.body["by"])
    return held


@cites("P050-2.5b/2")
def grant(ctx: Context, *, reference: str = "") -> tuple[Record, bytes]:
    """Show the transaction records: JSON Lines, the entries of the licensee's books and the records they rest on.

    Without a reference it answers the request that is open longest. Who asked is told the digest of what was shown.
    Raises `Refused` (custody.no-review).
    """
    waiting = open_reviews(ctx)
    held = ctx.tx.get("review", reference) if reference else waiting[0] if waiting else None
    if held is None:
        raise Refused("custody.no-review", reference=reference[:80] or "any number")
    rows: list[dict[str, Any]] = [{"entry": dict(entry)} for entry in ctx.tx.entries()]
    for kind in SHOWN:
        rows += [{"kind": kind, "key": row.key, "body": dict(row.body)} for row in ctx.tx.find(kind)]
    data = "".join(f"{json.dumps(row, sort_keys=True, default=str)}\n" for row in rows).encode()
    digest = hashlib.sha256(data).hexdigest()
    if held.body["state"] == ASKED:
        ctx.note("review.granted", held.key, clauses=("P050 2.5(b)",), by=held.body["by"], digest=digest)
        body = {**held.body, "state": GRANTED, "digest": digest}
        ctx.tx.put("review", held.key, body, owner=ctx.party, expected=held.version)
        told = ReviewGranted(reference=held.key, records=len(rows), digest=digest, at=ctx.now)
        ctx.send(held.body["by"], told, key=f"review {held.key}")
    return held, data


def open_reviews(ctx: Context) -> list[Record]:
    """Give the reviews that were asked for and not granted yet, the oldest first."""
    rows = [row for row in ctx.tx.find("review") if row.body["state"] == ASKED]
    asked = {fact.subject: fact.occurred_at for fact in ctx.tx.facts() if fact.type == "review.requested"}
    return sorted(rows, key=lambda row: (asked[row.key], row.key))


@cites("P050-2.5g")
def update_address_data(ctx: Context, rules: RuleSet, *, edition: str, zone: str) -> Record:
    """Record an update of address matching data kept elsewhere; `edition` is its year and month.

    Raises `BadInput` (custody.edition), `Refused` (custody.address-data-old).
    """
    if not _EDITION.fullmatch(edition):
        raise BadInput("custody.edition", text=edition[:40])
    today, first = ctx.now.date_in(zone), date.fromisoformat(f"{edition}-01")
    held = ctx.tx.get("address-data", "own")
    if first > today:
        raise Refused("custody.address-data-old", edition=edition, why="it is not out yet")
    term = rules.length_of(LIMIT, today)
    if term.last_day(first) < today:
        raise Refused("custody.address-data-old", edition=edition, why=f"it is older than {term}")
    if held is not None and held.body["edition"] >= edition:
        if held.body["edition"] == edition:
            return held
        raise Refused("custody.address-data-old", edition=edition, why=f"{held.body['edition']} is installed")
    ctx.note("address-data.updated", ctx.party, clauses=("P050 2.5(g)",), edition=edition)
    return ctx.tx.put(
        "address-data", "own", {"edition": edition}, owner=ctx.party, expected=held.version if held else 0
    )
