"""How a refund of unused postage ends at the Provider (502.27(a)(4), (6)): refused, reopened, credited.

Here: the end of one in which nothing qualifies, the form that the Postal Service did not take, the credit that it
arranged. Not here: what comes before (`refunds`), the envelopes (`envelopes`).
Kept: the account is credited once, with what the MATS coordinator decided, and not before. A claim is held by
a form that is certified and by no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.ledger.recipes import unused_refunded
from towncircle.provider.checkouts import retired
from towncircle.provider.inventory import device_record
from towncircle.provider.readings import file_transaction, frozen_refusal
from towncircle.provider.refunds import (
    annotations_of,
    claim_of,
    held_refund,
    pieces_of,
    presented_on,
    qualifying,
    still_open,
    write,
)
from towncircle.rules import RuleSet
from towncircle.rules.offices import check_office
from towncircle.verification.refunding import WHOLE, Unused, groups_of, share_of, share_unknown, total_of
from towncircle.wire.bodies import Acknowledged, Annotation, RefundDecided
from towncircle.wire.bodies.refund import CREDITED, RECEIVED, REFUSED, SCANNED, SENT
from towncircle.wire.message import Opened


@cites("502.27a/4")
def refuse(ctx: Context, *, refund: str, rules: RuleSet) -> Record:
    """Refuse a refund in which nothing qualifies, with the annotations that say why; its device may have been retired.

    The same person asking again gets the first answer. Raises `Refused`: refund.not-scanned, refund.some-qualify,
    refund.certified-before, refund.refused-before.
    """
    check_office(ctx, ctx.actor, "refund refuse")
    held = held_refund(ctx, refund)
    if held.body["state"] == REFUSED and held.body["decided_by"] == ctx.actor:
        return held
    if held.body["state"] == RECEIVED:
        raise Refused("refund.not-scanned", refund=refund)
    still_open(held)
    notes, row = annotations_of(held.body), device_record(ctx, held.body["device"])
    _, total, amount = qualifying(ctx, held, rules)
    told = frozen_refusal(row) if retired(ctx, row) else share_unknown(rules, total, presented_on(held))
    if told is not None:
        struck = {one.piece for one in notes}
        notes += tuple(
            Annotation(piece=piece.number, code=told.code, sentence=told.sentence, clause=told.clause)
            for piece in pieces_of(ctx, refund)
            if piece.number not in struck
        )
    elif amount > ZERO:
        raise Refused("refund.some-qualify", refund=refund, amount=amount)
    written = [one.to_list() for one in notes]
    kept = write(ctx, held, state=REFUSED, annotations=written, decided_by=ctx.actor, at=int(ctx.now))
    ctx.note("refund.refused", refund, clauses=("502.27(a)(4)",), licensee=held.owner, by=ctx.actor)
    return kept


def reopen(ctx: Context, *, refund: str, version: int, told: TowncircleError) -> Record:
    """Reopen a form that the Postal Service refused: it is scanned again or certified again, and holds no claims.

    `version` is that of the record which was seen with the refusal: one that has moved on is left as it is.
    """
    held = held_refund(ctx, refund)
    if (held.version, held.body["state"]) != (version, SENT):
        return held
    _release(ctx, refund, pieces_of(ctx, refund))
    empty = {"share": WHOLE, "total": 0, "amount": 0, "certified_by": ""}
    kept = write(ctx, held, state=SCANNED, at=int(ctx.now), **empty)
    note = {"licensee": held.owner, "device": held.body["device"], "code": told.code}
    ctx.note("form-3533.refused", refund, clauses=(told.clause,), **note)
    return kept


def _release(ctx: Context, refund: str, pieces: Iterable[Unused]) -> None:
    for piece in pieces:
        if claim_of(ctx, piece) == refund:
            row = ctx.tx.get("refund-claim", piece.key)
            assert row is not None
            ctx.tx.put("refund-claim", piece.key, {"refund": ""}, owner=piece.device, expected=row.version)


@cites("502.27a/7", "P050-3.3b/3", "PRE-19/1")
def on_decided(ctx: Context, opened: Opened) -> Acknowledged:
    """Credit the account with what the MATS coordinator arranged, once; file it with the Postal Service."""
    body = opened.body
    assert isinstance(body, RefundDecided)
    held = held_refund(ctx, body.refund)
    if held.body["state"] != SENT:
        raise Refused("refund.not-decided", refund=body.refund, state=held.body["state"], needed=SENT)
    pieces = pieces_of(ctx, body.refund)
    total = total_of(groups_of(pieces, body.annotations))
    amount = share_of(total, held.body["share"])
    if (body.total, body.amount) != (total, amount) or amount > Mills(held.body["amount"]):
        raise Refused("refund.does-not-add-up", refund=body.refund, said=body.amount, found=amount)
    struck = {one.piece for one in body.annotations}
    _release(ctx, body.refund, (piece for piece in pieces if piece.number in struck))
    kept = write(
        ctx,
        held,
        state=CREDITED if amount > ZERO else REFUSED,
        total=int(total),
        amount=int(amount),
        annotations=[one.to_list() for one in body.annotations],
        decided_by=body.decided_by,
        at=int(ctx.now),
    )
    if amount > ZERO:
        _credit(ctx, kept, amount)
    else:
        ctx.note("refund.refused", body.refund, clauses=("502.27(a)(6)",), licensee=held.owner, by=body.decided_by)
    return Acknowledged(note=f"refund {body.refund} {kept.body['state']}")


def _credit(ctx: Context, held: Record, amount: Mills) -> None:
    row = device_record(ctx, held.body["device"])
    entry = unused_refunded(refund_id=held.key, licensee=held.owner, device=row.key, amount=amount, at=ctx.now)
    Books(ctx.tx).post(entry)
    note: dict[str, Any] = {"device": row.key, "licensee": held.owner, "amount": int(amount)}
    ctx.note("unused.refunded", held.key, clauses=("502.27(a)(6)", "P050 3.3"), **note)
    file_transaction(ctx, row, reference=held.key, amount=-amount)
