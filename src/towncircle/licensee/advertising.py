"""The slogan or advertising art that a host prints (502.20(d), P050 4.10).

Here: asking the Provider for art, checking it against the approval, and what stands in a print job. Not here: its look
(`mailpiece.art`).
Kept: art comes from the Provider and is believed by the Postal Service's own sealed decision about its digest, never by
the Provider's word; a job keeps the art that it was planned with, so that a reprint shows the same, and art that was
changed since is not printed. A host without any prints the art that came with its system.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import MessageId
from towncircle.mailpiece.art import DEFAULT_ART, Art
from towncircle.wire.bodies import ArtDecided, ArtQuery, ArtSupplied, FirstArtDecided

POSTAL = "postal.usps"


@cites("502.20d/1", "P050-4.10/2", "P050-4.10/5")
def fetch(ctx: Context, *, name: str, provider: str) -> Steps:
    """Fetch approved art from the Provider and use it from now on; give its record.

    Raises the Provider's refusal, and `Refused` (advertising.not-the-approved).
    """
    answer = yield Ask(provider, ArtQuery(name=name), f"art {name} {MessageId.new(ctx.randomness)}")
    supplied = answer.body
    assert isinstance(supplied, ArtSupplied)
    art = Art.made(
        supplied.words,
        attribution=supplied.attribution,
        width=supplied.width,
        height=supplied.height,
        picture=supplied.picture,
    )
    opened = ctx.unseal(supplied.decision, provider, answer.envelope)
    decided = opened.body
    if isinstance(decided, FirstArtDecided):
        same = Art(words=decided.words).digest == art.digest
    else:
        same = isinstance(decided, ArtDecided) and decided.digest == art.digest
    if not same or opened.envelope.sender != POSTAL or (decided.name, decided.outcome) != (name, "approved"):
        raise Refused("advertising.not-the-approved", name=name)
    held = ctx.tx.get("advertising", "in use")
    record = {"name": name, **art.parts(), "digest": art.digest, "approved_at": int(decided.at)}
    row = ctx.tx.put("advertising", "in use", record, owner=provider, expected=held.version if held else 0)
    ctx.note("advertising.received", name, clauses=("502.20(d)", "P050 4.10"), provider=provider, digest=art.digest)
    return row


def of_job(ctx: Context) -> dict[str, Any]:
    """Give what a new print job keeps of the art in use; nothing where none was fetched.

    Raises `Refused` (advertising.not-the-approved) where it is not what was approved.
    """
    held = ctx.tx.get("advertising", "in use")
    if held is None:
        return {}
    parts = Art.of_record(held.body).parts()
    kept = {
        "art": parts.pop("words"),
        "art_of": {**parts, "name": held.body["name"], "digest": held.body.get("digest")},
    }
    art_of_job(kept)
    return kept


@cites("P050-4.10/2")
def art_of_job(job: Mapping[str, Any]) -> Art:
    """Give the art of a job: that of its approval, or what came with the system.

    Raises `Refused` (advertising.not-the-approved).
    """
    if "art" not in job:
        return DEFAULT_ART
    kept = job.get("art_of", {})
    art = Art.of_record({**kept, "words": job["art"]})
    if kept.get("digest") not in (None, art.digest):  # None: from before pictures
        raise Refused("advertising.not-the-approved", name=kept["name"])
    return art
