"""Slogans and advertising art that a Provider supplies to hosts (502.20(d)).

Here: submitting art, keeping the decision, supplying what was approved. Not here: the approval, the host.
Kept: no art leaves for a host before it was approved, and what leaves is what was approved.
"""

from __future__ import annotations

from collections.abc import Sequence

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.mailpiece.art import Art, art_fits
from towncircle.rules.acts import check_reference
from towncircle.wire.bodies import Acknowledged, ArtDecided, ArtQuery, ArtSubmitted, ArtSupplied
from towncircle.wire.message import Opened

POSTAL = "postal.usps"


@cites("502.20d/1")
def submit(ctx: Context, *, name: str, words: Sequence[str]) -> Record:
    """Submit art under a name. Raises `Refused` (advertising.unsuitable, advertising.taken), `BadInput`."""
    check_reference(name)
    lines = tuple(word.strip() for word in words)
    if not art_fits(Art(words=lines)):
        raise Refused("advertising.unsuitable", name=name)
    if ctx.tx.get("advertising", name) is not None:
        raise Refused("advertising.taken", name=name)
    record = {"words": list(lines), "state": "submitted", "at": int(ctx.now)}
    row = ctx.tx.put("advertising", name, record, owner=ctx.party, expected=0)
    ctx.note("advertising.submitted", name, clauses=("502.20(d)",))
    ctx.send(POSTAL, ArtSubmitted(name=name, words=lines), key=f"art {name}")
    return row


def on_decided(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep the decision about art. Raises `Refused` (advertising.not-submitted)."""
    body = opened.body
    assert isinstance(body, ArtDecided)
    row = ctx.tx.get("advertising", body.name)
    if row is None or tuple(row.body["words"]) != body.words:
        raise Refused("advertising.not-submitted", name=body.name, provider=ctx.party)
    record = {**row.body, "state": body.outcome, "at": int(body.at)}
    ctx.tx.put("advertising", row.key, record, owner=row.owner, expected=row.version)
    ctx.note(f"advertising.{body.outcome}", row.key, clauses=("502.20(d)",))
    return Acknowledged(note=f"{body.name} {body.outcome}")


@cites("502.20d/1", "502.20d/2")
def on_query(ctx: Context, opened: Opened) -> ArtSupplied:
    """Supply a host with approved art. Raises `Refused` (advertising.not-approved)."""
    body = opened.body
    assert isinstance(body, ArtQuery)
    row = ctx.tx.get("advertising", body.name)
    if row is None or row.body["state"] != "approved":
        raise Refused("advertising.not-approved", name=body.name)
    ctx.note("advertising.supplied", row.key, clauses=("502.20(d)",), licensee=opened.envelope.sender)
    return ArtSupplied(name=body.name, words=tuple(row.body["words"]), approved_at=Instant(row.body["at"]))
