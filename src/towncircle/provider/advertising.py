"""Slogans and advertising art that a Provider supplies to hosts (502.20(d), P050 4.10).

Here: submitting art, keeping the decision, supplying what was approved. Not here: the approval, the host.
Kept: no art leaves for a host before it was approved, and what leaves is what was approved, to the dot: the Postal
Service's own sealed decision goes with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.mailpiece.art import ATTRIBUTION, Art, art_fits
from towncircle.mailpiece.bitmap import Bitmap
from towncircle.rules.acts import check_reference
from towncircle.wire.bodies import (
    Acknowledged,
    ArtDecided,
    ArtQuery,
    ArtSubmitted,
    ArtSupplied,
    FirstArtDecided,
    SecondArtDecided,
)
from towncircle.wire.message import Opened

POSTAL = "postal.usps"
CLAUSES = ("502.20(d)", "P050 4.10")


@cites("502.20d/1", "P050-4.10/2", "P050-4.10/5")
def submit(
    ctx: Context, *, name: str, words: Sequence[str], attribution: str = ATTRIBUTION, picture: Bitmap | None = None
) -> Record:
    """Submit art under a name. Raises `Refused` (advertising.unsuitable, advertising.taken), `BadInput`."""
    check_reference(name)
    art = Art(words=tuple(word.strip() for word in words), attribution=attribution.strip(), picture=picture)
    if not art_fits(art):
        raise Refused("advertising.unsuitable", name=name)
    if ctx.tx.get("advertising", name) is not None:
        raise Refused("advertising.taken", name=name)
    record = {**art.parts(), "digest": art.digest, "state": "submitted", "at": int(ctx.now)}
    row = ctx.tx.put("advertising", name, record, owner=ctx.party, expected=0)
    ctx.note("advertising.submitted", name, clauses=CLAUSES, digest=art.digest)
    ctx.send(POSTAL, ArtSubmitted(name=name, **carried(art)), key=f"art {name}")
    return row


def carried(art: Art) -> dict[str, Any]:
    """Give the fields of art as messages have them."""
    parts = art.parts()
    return {**parts, "words": art.words, "picture": bytes.fromhex(parts["picture"])}


def on_decided(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep the decision about art. Raises `Refused` (advertising.not-submitted)."""
    body = opened.body
    assert isinstance(body, ArtDecided | SecondArtDecided | FirstArtDecided)
    row = ctx.tx.get("advertising", body.name)
    art = Art.of_record(row.body) if row is not None else None
    if row is None or art is None or not _about(body, art):
        raise Refused("advertising.not-submitted", name=body.name, provider=ctx.party)
    digest = art.digest
    record = {**row.body, "state": body.outcome, "at": int(body.at), "decision": opened.raw.hex()}
    ctx.tx.put("advertising", row.key, record, owner=row.owner, expected=row.version)
    ctx.note(f"advertising.{body.outcome}", row.key, clauses=CLAUSES, digest=digest)
    return Acknowledged(note=f"{body.name} {body.outcome}")


def _about(decided: ArtDecided | SecondArtDecided | FirstArtDecided, art: Art) -> bool:
    """Tell whether a decision, of this release or an earlier one, is about this art and no other."""
    if isinstance(decided, ArtDecided):
        return decided.digest == art.digest
    if isinstance(decided, SecondArtDecided):
        return decided.digest == art.joined_digest
    return Art(words=decided.words) == art


@cites("502.20d/1", "502.20d/2", "P050-4.10/5")
def on_query(ctx: Context, opened: Opened) -> ArtSupplied:
    """Supply a host with approved art. Raises `Refused` (advertising.not-approved)."""
    body = opened.body
    assert isinstance(body, ArtQuery)
    row = ctx.tx.get("advertising", body.name)
    if row is None or row.body["state"] != "approved" or "decision" not in row.body:
        raise Refused("advertising.not-approved", name=body.name)
    ctx.note("advertising.supplied", row.key, clauses=CLAUSES, licensee=opened.envelope.sender)
    decision = bytes.fromhex(row.body["decision"])
    return ArtSupplied(name=body.name, decision=decision, **carried(Art.of_record(row.body)))
