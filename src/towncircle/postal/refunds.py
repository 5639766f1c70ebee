"""Refunds of unused postage at the Postal Service: the District MATS coordinator (502.27(a)(5) to (7)).

Here: what is known of pieces, the certified Form 3533, the decision that arranges the credit, samples of the kept
envelopes. Not here: the credit itself, which the trust account books from the transaction file (`trust`).
Kept: each piece has one fate. It is judged anew when it is decided, in the transaction that marks it refunded, with
every scan and every refund: one that was mailed meanwhile is struck, and one that was refunded is a DUPLICATE at
every later scan. Nothing is taken on the Provider's word alone: the pieces are those of the licensee's own sealed
application.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towncircle.indicium import decode
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps, same_person, second_person
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import RequestId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.randomness import below
from towncircle.kernel.store import Record, Transaction
from towncircle.postal.population import own_device
from towncircle.postal.scans import facts_about, governed_by
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.offices import check_office
from towncircle.verification import Pack, Reading
from towncircle.verification.refunding import (
    Unused,
    annotated,
    groups_of,
    kept_until,
    not_backdated,
    refund_share,
    share_is_known,
    share_of,
    total_of,
    unused,
)
from towncircle.wire.bodies import (
    Acknowledged,
    Annotation,
    Form3533,
    KnownPiece,
    KnownReading,
    RefundApplication,
    RefundDecided,
    RefundInquiry,
    RefundKnown,
    RefundSample,
    RefundSampleShown,
)
from towncircle.wire.message import Opened

WAITING, GRANTED, REFUSED = "waiting", "granted", "refused"
BY_COORDINATOR = "refund.by-coordinator"


@cites("502.27a/3")
def on_inquiry(ctx: Context, opened: Opened) -> RefundKnown:
    """Tell a Provider which pieces of its device were mailed or refunded before, and which readings to compare."""
    body = opened.body
    assert isinstance(body, RefundInquiry)
    own_device(ctx, body.device, opened.envelope.sender)
    known: list[KnownPiece] = []
    readings: dict[str, KnownReading] = {}
    for piece in unused(body.pieces):
        if piece.device != body.device:
            raise Refused("refund.other-device", refund=body.refund, piece=piece.number, device=body.device)
        facts = facts_about(ctx.tx, piece.payload, body.device)
        scan, repaid = facts.scans.get(piece.key), facts.refunds.get(piece.key)
        if scan is not None or repaid is not None:
            known.append(
                KnownPiece(
                    content=piece.key,
                    scan=scan.scan_id if scan else "",
                    site=scan.site if scan else "",
                    held=scan.held if scan else False,
                    repaid=repaid.case if repaid else "",
                    at=scan.at if scan else repaid.at if repaid else ctx.now,
                )
            )
        for one in _worth_comparing(piece, facts.readings[body.device]):
            readings[one.content_key] = KnownReading(
                content=one.content_key, ascending=one.ascending, postage=one.postage, pieces=one.pieces
            )
    return RefundKnown(refund=body.refund, pieces=tuple(known), readings=tuple(readings.values()))


def _worth_comparing(piece: Unused, readings: tuple[Reading, ...]) -> list[Reading]:
    """Choose the marks with the same count or register as a piece, and the nearest ones below and above."""
    fields = decode(piece.payload).fields
    chosen: list[Reading] = []
    for name, field in (("pieces", "piece_count"), ("ascending", "ascending_mills")):
        at = fields.get(field)
        if isinstance(at, int):
            placed = [(int(getattr(one, name)), one) for one in readings if getattr(one, name) is not None]
            chosen += [one for place, one in placed if place == at]
            chosen += [max(below_, key=_first)[1] for below_ in ([one for one in placed if one[0] < at],) if below_]
            chosen += [min(above, key=_first)[1] for above in ([one for one in placed if one[0] > at],) if above]
    return chosen


def _first(placed: tuple[int, Reading]) -> int:
    return placed[0]


@cites("502.27a/6", "P050-3.3b/2")
def on_form(ctx: Context, opened: Opened, *, rules: RuleSet) -> Acknowledged:
    """Take a certified Form 3533 for the MATS coordinator's decision.

    Raises `Refused`: person.same-person, refund.not-its-licensee, refund.backdated, refund.does-not-add-up,
    refund.other-share, refund.conflict.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, Form3533)
    second_person(body.scanned_by, (body.certified_by,), what="A refund", clause="502.27(a)(4)")
    sealed = ctx.unseal(body.application, provider, opened.envelope)
    asked, licensee = sealed.body, sealed.envelope.sender
    if not isinstance(asked, RefundApplication) or asked.refund != body.refund:
        raise Refused("refund.not-its-licensee", refund=body.refund)
    row = own_device(ctx, asked.device, provider)
    pieces = unused(asked.pieces)
    if row.body["licensee"] != licensee or any(piece.device != asked.device for piece in pieces):
        raise Refused("refund.not-its-licensee", refund=body.refund)
    if ctx.tx.get("refund", body.refund) is not None:
        raise Refused("refund.conflict", refund=body.refund)
    not_backdated(body.refund, sealed.envelope.issued, received=body.received)
    share = refund_share(rules, sealed.envelope.issued.date_in(HEADQUARTERS))
    if body.share != share:
        raise Refused("refund.other-share", said=body.share, due=share)
    found = groups_of(pieces, body.annotations)
    share_is_known(rules, total_of(found), sealed.envelope.issued.date_in(HEADQUARTERS))
    amount = share_of(total_of(found), body.share)
    if (body.groups, body.total, body.amount) != (found, total_of(found), amount):
        raise Refused("refund.does-not-add-up", refund=body.refund, said=body.amount, found=amount)
    note: dict[str, Any] = {
        "provider": provider,
        "licensee": licensee,
        "device": asked.device,
        "share": body.share,
        "total": int(body.total),
        "amount": int(body.amount),
        "scanned_by": body.scanned_by,
        "certified_by": body.certified_by,
    }
    record = {
        **note,
        "state": WAITING,
        "claimed_by": asked.claimed_by,
        "presented": int(sealed.envelope.issued),
        "sent_at": int(body.at),
        "annotations": [one.to_list() for one in body.annotations],
    }
    ctx.tx.put("refund", body.refund, record, owner=provider, expected=0)
    held = {"pieces": [piece.hex() for piece in asked.pieces]}
    ctx.tx.put("refund-pieces", body.refund, held, owner=provider, expected=0)
    ctx.note("form-3533.received", body.refund, clauses=("502.27(a)(5)",), **note)
    return Acknowledged(note=f"refund {body.refund} waits for its decision")


@cites("502.27a/7", "502.27a/3", "P050-3.3b/3", "PRE-19/1")
def decide(ctx: Context, *, refund: str, pack: Pack, refuse: str = "") -> Record:
    """Decide as the MATS coordinator: grant what still qualifies, or refuse, with the reason or with every ground.

    The same person asking the same again gets the first answer; anybody else is told who decided what, and when.
    Raises `Refused` (person.same-person) for who applied for it, scanned it or certified it.
    """
    check_office(ctx, ctx.actor, "refund decide")
    held = held_refund(ctx.tx, refund)
    if held.body["state"] != WAITING:
        return _decided_before(ctx, held, refuse)
    for name in ("claimed_by", "scanned_by", "certified_by"):
        if same_person(held.body[name], ctx.actor):
            raise Refused("person.same-person", actor=ctx.actor, what="A refund", clause="502.27(a)(6)")
    pieces, notes = pieces_of(ctx.tx, refund), {one.piece: one for one in annotations_of(held.body)}
    if refuse:
        told = {"code": BY_COORDINATOR, "sentence": refuse, "clause": "502.27(a)(6)"}
        notes |= {piece.number: Annotation(piece=piece.number, **told) for piece in pieces if piece.number not in notes}
    final = annotated(
        pieces,
        pack,
        lambda piece: facts_about(ctx.tx, piece.payload, piece.device),
        presented=Instant(held.body["presented"]),
        now=ctx.now,
        before=notes,
    )
    paid = [piece for piece in pieces if piece.number not in {one.piece for one in final}]
    total = total_of(groups_of(paid))
    for piece in paid:
        _mark(ctx, held, piece)
    governed = governed_by(ctx, pack, decode(pieces[0].payload).fields) if pieces else {}  # all are of one device
    amount = share_of(total, held.body["share"])
    return _conclude(ctx, held, final, total=total, amount=amount, pieces=len(paid), reason=refuse, governed=governed)


def _decided_before(ctx: Context, held: Record, refuse: str) -> Record:
    body = held.body
    if (body["decided_by"], body["reason"]) == (ctx.actor, refuse):
        return held
    told = {"by": body["decided_by"], "at": Instant(body["decided_at"]), "outcome": body["state"]}
    raise Refused("refund.decided-before", refund=held.key, amount=Mills(body["amount"]), **told)


def _mark(ctx: Context, held: Record, piece: Unused) -> None:
    """Mark a piece refunded, once for all."""
    fields = decode(piece.payload).fields
    record = {
        "refund": held.key,
        "at": int(ctx.now),
        "ascending": fields.get("ascending_mills", 0),
        "postage": int(piece.value),
        "pieces": fields.get("piece_count"),
    }
    ctx.tx.put("repaid", piece.key, record, owner=piece.device, expected=0)


def _conclude(
    ctx: Context,
    held: Record,
    final: tuple[Annotation, ...],
    *,
    total: Mills,
    amount: Mills,
    pieces: int,
    reason: str,
    governed: Mapping[str, Any],
) -> Record:
    outcome = GRANTED if amount > ZERO else REFUSED
    body = {
        **held.body,
        "state": outcome,
        "total": int(total),
        "amount": int(amount),
        "annotations": [one.to_list() for one in final],
        "decided_by": ctx.actor,
        "decided_at": int(ctx.now),
        "reason": reason,
    }
    kept = ctx.tx.put("refund", held.key, body, owner=held.owner, expected=held.version)
    named = ("provider", "licensee", "device", "share", "total", "amount")
    note = {name: body[name] for name in named}
    ctx.note("refund.decided", held.key, clauses=("502.27(a)(6)",), outcome=outcome, pieces=pieces, **note, **governed)
    answer = RefundDecided(
        refund=held.key,
        outcome=outcome,  # type: ignore[arg-type]  # one of the two words
        annotations=final,
        total=total,
        amount=amount,
        decided_by=ctx.actor,
        at=ctx.now,
    )
    ctx.send(held.owner, answer, key=f"refund {held.key}")
    return kept


@cites("502.27a/9")
def sample(ctx: Context, *, refund: str, numbers: tuple[int, ...], count: int, rules: RuleSet) -> Steps:
    """Ask for kept envelopes of a refund within the time they are kept: those named, or some chosen by chance.

    Gives the record of the sample; `on_shown` ends it. Raises `Refused` (refund.sample-too-late), `BadInput`
    (refund.no-such-piece).
    """
    check_office(ctx, ctx.actor, "refund sample")
    held = held_refund(ctx.tx, refund)
    until = kept_until(rules, Instant(held.body["sent_at"]))
    if ctx.now > until:
        raise Refused("refund.sample-too-late", refund=refund, until=until.date_in(HEADQUARTERS))
    pieces = {piece.number: piece for piece in pieces_of(ctx.tx, refund)}
    struck = {one.piece for one in annotations_of(held.body)}
    open_to = [number for number in pieces if number not in struck] or list(pieces)
    asked = numbers or _chosen(ctx, open_to, count)
    for number in asked:
        if number not in pieces:
            raise BadInput("refund.no-such-piece", refund=refund, piece=number)
    sample = RequestId.new(ctx.randomness)
    query = RefundSample(refund=refund, sample=sample, pieces=tuple(asked), asked_by=ctx.actor)
    yield Ask(held.owner, query, f"sample {sample}")
    record = {"refund": refund, "pieces": list(asked), "asked_by": ctx.actor, "asked_at": int(ctx.now)}
    kept = ctx.tx.put("refund-sample", sample, {**record, "outcome": "", "wrong": []}, owner=held.owner, expected=0)
    told: dict[str, Any] = {"provider": held.owner, "pieces": list(asked), "sample": sample}
    ctx.note("refund.sample-asked", refund, clauses=("502.27(a)(7)",), **told)
    return kept


@cites("502.27a/9")
def on_shown(ctx: Context, opened: Opened) -> Acknowledged:
    """Compare the envelopes that a Provider shows with the pieces that were sent in; what is not shown is wrong.

    Raises `Refused` (refund.no-sample).
    """
    body = opened.body
    assert isinstance(body, RefundSampleShown)
    row = ctx.tx.get("refund-sample", body.sample)
    if row is None or row.owner != opened.envelope.sender or row.body["refund"] != body.refund or row.body["outcome"]:
        raise Refused("refund.no-sample", refund=body.refund)
    pieces = {piece.number: piece.payload for piece in pieces_of(ctx.tx, body.refund)}
    shown = {one.piece: one.payload for one in body.pieces}
    asked = row.body["pieces"]
    wrong = [number for number in asked if shown.get(number) != pieces[number]]
    told: dict[str, Any] = {"outcome": "irregular" if wrong else "regular", "wrong": wrong, "shown_by": body.shown_by}
    ctx.tx.put("refund-sample", row.key, {**row.body, **told}, owner=row.owner, expected=row.version)
    told |= {"provider": row.owner, "pieces": asked, "sample": row.key}
    ctx.note("refund.sampled", body.refund, clauses=("502.27(a)(7)",), **told)
    return Acknowledged(note=f"sample {row.key}: {told['outcome']}")


def _chosen(ctx: Context, numbers: list[int], count: int) -> tuple[int, ...]:
    left = list(numbers)
    return tuple(sorted(left.pop(below(ctx.randomness, len(left))) for _ in range(min(count, len(numbers)))))


def held_refund(tx: Transaction, refund: str) -> Record:
    """Give the record of a refund. Raises `Refused` (refund.unknown)."""
    held = tx.get("refund", refund)
    if held is None:
        raise Refused("refund.unknown", refund=refund[:40])
    return held


def pieces_of(tx: Transaction, refund: str) -> tuple[Unused, ...]:
    """Give the pieces of a refund as the licensee sent them in."""
    held = tx.get("refund-pieces", refund)
    assert held is not None
    return unused(bytes.fromhex(piece) for piece in held.body["pieces"])


def annotations_of(body: Mapping[str, Any]) -> tuple[Annotation, ...]:
    """Read the annotations of a record."""
    return tuple(Annotation.from_list(row) for row in body["annotations"])
