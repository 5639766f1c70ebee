"""The slogan or advertising art that a host prints (502.20(d), P050 4.10).

Here: asking the Provider for art, checking it against the approval, and what stands in a print job. Not here: its look
(`mailpiece.art`).
Kept: art comes from the Provider and is believed by the Postal Service's own sealed decision about its digest, never by
the Provider's word. The decision is kept and opened anew at each job, evidencing and reprint; a job keeps the art that
it was planned with, so that a reprint shows the same, and art that was changed since is not printed. A host without any
prints the art that came with its system, on specimens alone (`mailpiece/data/house-art.toml`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import MessageId
from towncircle.mailpiece.art import DEFAULT_ART, Art
from towncircle.wire.bodies import ArtDecided, ArtQuery, ArtSupplied, FirstArtDecided, SecondArtDecided
from towncircle.wire.message import Opened, peek

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
    decided = _decided(ctx, supplied.decision, art=art, name=name, provider=provider)
    held = ctx.tx.get("advertising", "in use")
    record = {"name": name, **art.parts(), "digest": art.digest, "approved_at": int(decided.at)}
    record["decision"] = supplied.decision.hex()
    row = ctx.tx.put("advertising", "in use", record, owner=provider, expected=held.version if held else 0)
    ctx.note("advertising.received", name, clauses=("502.20(d)", "P050 4.10"), provider=provider, digest=art.digest)
    return row


@cites("502.20d/1", "P050-4.10/2", "P050-4.10/5")
def _decided(
    ctx: Context, sealed: bytes, *, art: Art, name: str, provider: str
) -> ArtDecided | SecondArtDecided | FirstArtDecided:
    """Open the Postal Service's sealed decision, and give it where it approves this art under this name.

    Raises `Refused` (advertising.not-the-approved, world.enclosure-refused).
    """
    opened: Opened = ctx.unseal(sealed, provider, peek(sealed))
    decided = opened.body
    match decided:
        case ArtDecided():
            same = decided.digest == art.digest
        case SecondArtDecided():  # as releases before this one digested it
            same = decided.digest == art.joined_digest
        case FirstArtDecided():
            same = Art(words=decided.words) == art
        case _:
            raise Refused("advertising.not-the-approved", name=name)
    if not same or opened.envelope.sender != POSTAL or (decided.name, decided.outcome) != (name, "approved"):
        raise Refused("advertising.not-the-approved", name=name)
    return decided


def of_job(ctx: Context) -> dict[str, Any]:
    """Give what a new print job keeps of the art in use; nothing where none was fetched.

    Raises `Refused` (advertising.not-the-approved) where it is not what was approved.
    """
    held = ctx.tx.get("advertising", "in use")
    if held is None:
        return {}
    if not held.body.get("decision"):  # fetched by a release that did not keep it
        raise Refused("advertising.not-the-approved", name=held.body["name"])
    parts = Art.of_record(held.body).parts()
    told = {"name": held.body["name"], "digest": held.body.get("digest"), "decision": held.body["decision"]}
    kept = {"art": parts.pop("words"), "art_of": {**parts, **told, "provider": held.owner}}
    check_job(ctx, kept)
    return kept


@cites("502.20d/1", "P050-4.10/2")
def check_job(ctx: Context, job: Mapping[str, Any]) -> None:
    """Check the art of a job by the sealed decision that it keeps, each time before anything of it is signed.

    Raises `Refused` (advertising.not-the-approved). A job of a release that kept none has its digest alone.
    """
    art, kept = art_of_job(job), job.get("art_of", {})
    if kept.get("decision"):
        sealed = bytes.fromhex(kept["decision"])
        _decided(ctx, sealed, art=art, name=kept["name"], provider=kept["provider"])


@cites("P050-4.10/2")
def art_of_job(job: Mapping[str, Any]) -> Art:
    """Give the art of a job: that of its approval, or what came with the system.

    Raises `Refused` (advertising.not-the-approved).
    """
    if "art" not in job:
        return DEFAULT_ART
    kept = job.get("art_of", {})
    art = Art.of_record({**kept, "words": job["art"]})
    known = (
        (None, art.digest) if kept.get("decision") else (None, art.digest, art.joined_digest)
    )  # None: no pictures yet
    if kept.get("digest") not in known:
        raise Refused("advertising.not-the-approved", name=kept["name"])
    return art
