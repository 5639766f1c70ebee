"""Prior approval of slogans and advertising art (502.20(d), P050 4.10).

Here: what is submitted, and the decision. Not here: how art is printed (`mailpiece.art`).
Kept: a decision is about the very words and dots that were submitted, and is made once; art that cannot be printed
readably, or that holds a barcode, is never approved. Content is a person's finding, with reasons: nothing is approved
that nobody has looked at for what P050 4.10 forbids.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.mailpiece.art import Art, art_fits
from towncircle.mailpiece.artwork import holds_no_symbol
from towncircle.postal.procedures import text_of
from towncircle.wire.bodies import Acknowledged, ArtDecided, ArtSubmitted, FirstArtSubmitted
from towncircle.wire.message import Opened

CLAUSE = "502.20(d)"
CLAUSES = (CLAUSE, "P050 4.10")
FORBIDDEN = ("obscene", "defamatory", "deceptive", "unlawful")  # advocating an unlawful action
GROUNDS = (*FORBIDDEN, "quality", "attribution")


@cites("502.20d/1", "502.20d/2", "P050-4.10/5")
def on_submitted(ctx: Context, opened: Opened) -> Acknowledged:
    """Take art for a decision.

    Raises `Refused` (advertising.unsuitable, advertising.taken, artwork.holds-symbol), `BadInput`
    (artwork.not-canonical).
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, ArtSubmitted | FirstArtSubmitted)
    if isinstance(body, FirstArtSubmitted):
        art = Art(words=body.words)
    else:
        art = Art.made(
            body.words, attribution=body.attribution, width=body.width, height=body.height, picture=body.picture
        )
    if not art_fits(art):
        raise Refused("advertising.unsuitable", name=body.name)
    if art.picture is not None:
        holds_no_symbol(art.picture)
    key = f"{provider} {body.name}"
    if ctx.tx.get("advertising", key) is not None:
        raise Refused("advertising.taken", name=body.name)
    told = {"name": body.name, "digest": art.digest, "state": "submitted", "reasons": "", "at": int(ctx.now)}
    ctx.tx.put("advertising", key, {**art.parts(), **told}, owner=provider, expected=0)
    ctx.note("advertising.submitted", key, clauses=CLAUSES, provider=provider, digest=art.digest)
    return Acknowledged(note=f"{body.name} submitted")


@cites("502.20d/2", "P050-4.10/4")
def decide(
    ctx: Context, *, provider: str, name: str, approve: bool, reasons: str, examined: bool = False, ground: str = ""
) -> Record:
    """Approve art whose content was examined, or refuse it on a ground, with reasons.

    Raises `Refused` (advertising.not-submitted, advertising.not-examined, advertising.no-ground), `BadInput`.
    """
    row = ctx.tx.get("advertising", f"{provider} {name}")
    if row is None or row.body["state"] != "submitted":
        raise Refused("advertising.not-submitted", name=name[:64], provider=provider)
    if approve and not examined:
        raise Refused("advertising.not-examined", name=name, forbidden=", ".join(FORBIDDEN))
    if not approve and ground not in GROUNDS:
        raise Refused("advertising.no-ground", name=name, known=", ".join(GROUNDS))
    words = text_of(reasons, CLAUSE)
    art = Art.of_record(row.body)
    outcome = "approved" if approve else "refused"
    record = {**row.body, "digest": art.digest, "state": outcome, "reasons": words, "ground": ground, "by": ctx.actor}
    kept = ctx.tx.put("advertising", row.key, record, owner=provider, expected=row.version)
    ctx.note(
        f"advertising.{outcome}", row.key, clauses=CLAUSES, provider=provider, digest=art.digest, examined=examined,
        ground=ground,
    )  # fmt: skip
    told = ArtDecided(
        name=name, digest=art.digest, outcome="approved" if approve else "refused", reasons=words, at=ctx.now
    )
    ctx.send(provider, told, key=f"art {row.key}")
    return kept
