"""The envelopes of refunded pieces at the Provider (502.27(a)(7)): kept, shown to the Postal Service, destroyed.

Here: the samples that the Postal Service asks for, what a person of the Provider finds of them, the end of the time for
which envelopes are kept. Not here: what is refunded (`refunds`).
Kept: the answer to a sample is what was scanned for it and nothing that is remembered. While a sample is unanswered
its envelopes are not destroyed.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.provider.refunds import OPEN, annotations_of, held_refund, pieces_of, write
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.offices import check_office
from towncircle.verification.refunding import NOT_RECEIVED, kept_until
from towncircle.wire.bodies import Acknowledged, RefundSample, RefundSampleShown, ShownPiece
from towncircle.wire.bodies.refund import CREDITED, REFUSED, SENT
from towncircle.wire.message import Opened

ASKED, SHOWN = "asked", "shown"


@cites("502.27a/9")
def on_sample(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the Postal Service's word which kept envelopes it wants to see; a person looks for them (`show`).

    Raises `Refused` (refund.envelopes-gone, refund.not-decided, refund.never-came), `BadInput` (refund.no-such-piece).
    """
    body = opened.body
    assert isinstance(body, RefundSample)
    held = held_refund(ctx, body.refund)
    _not_gone(held)
    if held.body["state"] in OPEN:
        raise Refused("refund.not-decided", refund=body.refund, state=held.body["state"], needed=SENT)
    numbers = {piece.number for piece in pieces_of(ctx, body.refund)}
    never = {one.piece for one in annotations_of(held.body) if one.code == NOT_RECEIVED}
    for number in body.pieces:
        if number not in numbers:
            raise BadInput("refund.no-such-piece", refund=body.refund, piece=number)
        if number in never:
            raise Refused("refund.never-came", refund=body.refund, piece=number)
    record = {"state": ASKED, "pieces": list(body.pieces), "asked_by": body.asked_by, "at": int(ctx.now)}
    ctx.tx.put("refund-sample", body.sample, record, owner=body.refund, expected=0)
    told: dict[str, Any] = {"sample": body.sample, "pieces": list(body.pieces), "by": body.asked_by}
    ctx.note("refund.sample-asked", body.refund, clauses=("502.27(a)(7)",), **told)
    return Acknowledged(note=f"{len(body.pieces)} envelopes of the refund {body.refund} are looked for")


@cites("502.27a/9")
def show(ctx: Context, *, refund: str, seen: tuple[bytes, ...]) -> list[str]:
    """Answer the open samples of a refund with the envelopes that were just scanned; give the samples.

    Raises `Refused` (refund.no-sample).
    """
    check_office(ctx, ctx.actor, "refund show")
    held_refund(ctx, refund)
    open_ = _open_samples(ctx, refund)
    if not open_:
        raise Refused("refund.no-sample", refund=refund)
    payloads = {piece.number: piece.payload for piece in pieces_of(ctx, refund)}
    for row in open_:
        asked = row.body["pieces"]
        found = tuple(number for number in asked if payloads[number] in seen)
        missing = tuple(number for number in asked if number not in found)
        answer = RefundSampleShown(
            refund=refund,
            sample=row.key,
            pieces=tuple(ShownPiece(piece=number, payload=payloads[number]) for number in found),
            missing=missing,
            shown_by=ctx.actor,
            at=ctx.now,
        )
        ctx.send("postal.usps", answer, key=f"sample {row.key}")
        body = {**row.body, "state": SHOWN, "found": list(found), "shown_by": ctx.actor, "shown_at": int(ctx.now)}
        ctx.tx.put("refund-sample", row.key, body, owner=refund, expected=row.version)
        told: dict[str, Any] = {"sample": row.key, "found": list(found), "missing": list(missing), "by": ctx.actor}
        ctx.note("refund.sample-shown", refund, clauses=("502.27(a)(7)",), **told)
    return [row.key for row in open_]


def _open_samples(ctx: Context, refund: str) -> list[Record]:
    return [row for row in ctx.tx.find("refund-sample", owner=refund) if row.body["state"] == ASKED]


@cites("502.27a/8")
def destroy(ctx: Context, *, refund: str, rules: RuleSet) -> Record:
    """Destroy the envelopes of a refund after the time for which they are kept; once.

    Raises `Refused`: refund.envelopes-kept, refund.envelopes-gone, refund.not-decided, refund.sample-open.
    """
    check_office(ctx, ctx.actor, "refund destroy")
    held = held_refund(ctx, refund)
    _not_gone(held)
    if held.body["state"] not in (CREDITED, REFUSED):
        raise Refused("refund.not-decided", refund=refund, state=held.body["state"], needed="decided")
    until = kept_until(rules, Instant(held.body.get("sent_at", held.body["at"])))
    if ctx.now <= until:
        raise Refused("refund.envelopes-kept", refund=refund, until=until.date_in(HEADQUARTERS))
    if _open_samples(ctx, refund):
        raise Refused("refund.sample-open", refund=refund)
    kept = write(ctx, held, destroyed_at=int(ctx.now))
    ctx.note("refunded-envelopes.destroyed", refund, clauses=("502.27(a)(7)",), kept_until=until.iso())
    return kept


def _not_gone(held: Record) -> None:
    if held.body.get("destroyed_at"):
        raise Refused("refund.envelopes-gone", refund=held.key, at=Instant(held.body["destroyed_at"]))
