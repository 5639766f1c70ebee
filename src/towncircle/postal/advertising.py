"""Prior approval of slogans and advertising art (502.20(d)).

Here: what is submitted, and the decision. Not here: how art is printed (`mailpiece.imprint`).
Kept: a decision is about the words that were submitted, and is made once; art that cannot be printed readably is never
approved. Content is a person's finding, with reasons.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.mailpiece.art import Art, art_fits
from towncircle.postal.procedures import text_of
from towncircle.wire.bodies import Acknowledged, ArtDecided, ArtSubmitted
from towncircle.wire.message import Opened

CLAUSE = "502.20(d)"


@cites("502.20d/1", "502.20d/2")
def on_submitted(ctx: Context, opened: Opened) -> Acknowledged:
    """Take art for a decision. Raises `Refused` (advertising.unsuitable, advertising.taken)."""
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, ArtSubmitted)
    if not art_fits(Art(words=body.words)):
        raise Refused("advertising.unsuitable", name=body.name)
    key = f"{provider} {body.name}"
    if ctx.tx.get("advertising", key) is not None:
        raise Refused("advertising.taken", name=body.name)
    record = {"name": body.name, "words": list(body.words), "state": "submitted", "reasons": "", "at": int(ctx.now)}
    ctx.tx.put("advertising", key, record, owner=provider, expected=0)
    ctx.note("advertising.submitted", key, clauses=(CLAUSE,), provider=provider)
    return Acknowledged(note=f"{body.name} submitted")


@cites("502.20d/2")
def decide(ctx: Context, *, provider: str, name: str, approve: bool, reasons: str) -> Record:
    """Approve or refuse art, with reasons. Raises `Refused` (advertising.not-submitted), `BadInput`."""
    row = ctx.tx.get("advertising", f"{provider} {name}")
    if row is None or row.body["state"] != "submitted":
        raise Refused("advertising.not-submitted", name=name[:64], provider=provider)
    words = text_of(reasons, CLAUSE)
    outcome = "approved" if approve else "refused"
    record = {**row.body, "state": outcome, "reasons": words, "by": ctx.actor}
    kept = ctx.tx.put("advertising", row.key, record, owner=provider, expected=row.version)
    ctx.note(f"advertising.{outcome}", row.key, clauses=(CLAUSE,), provider=provider)
    lines = tuple(row.body["words"])
    told = ArtDecided(name=name, words=lines, outcome="approved" if approve else "refused", reasons=words, at=ctx.now)
    ctx.send(provider, told, key=f"art {row.key}")
    return kept
