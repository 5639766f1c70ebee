"""Refunds of unused postage at the Provider (P050 3.3, 502.27(a)): scanned, certified, sent, credited, kept.

Here: the licensee's application, the scan of the pieces, the certification by another person, the credit that the
Postal Service arranged, and the envelopes that are kept for its audit. Not here: what was mailed or refunded before
(the Postal Service's), the balance of a device (`checkouts`).
Kept: who scanned the pieces does not certify them. A piece is certified in one refund only, also when two forms are
certified at the same moment. The account is credited once, with what the MATS coordinator decided, and not before.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps, same_person, second_person
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId, RequestId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.persons import check
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.ledger.recipes import unused_refunded
from towncircle.provider.inventory import device_record
from towncircle.provider.readings import file_transaction, frozen_refusal
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.verification import Pack, PriorScan, Reading, Refunded, StatusFacts
from towncircle.verification.refunding import (
    CLAUSE,
    WHOLE,
    Unused,
    annotated,
    groups_of,
    kept_until,
    refund_share,
    share_of,
    total_of,
    unused,
)
from towncircle.wire.bodies import (
    Acknowledged,
    Annotation,
    Form3533,
    RefundApplication,
    RefundDecided,
    RefundInquiry,
    RefundKnown,
    RefundQuery,
    RefundSample,
    RefundSampleShown,
    RefundStatement,
    ShownPiece,
)
from towncircle.wire.bodies.refund import CREDITED, RECEIVED, REFUSED, SCANNED, SENT
from towncircle.wire.message import Opened

_OPEN = (RECEIVED, SCANNED)


@cites("502.27a/2", "P050-3.3b/2")
def on_application(ctx: Context, opened: Opened) -> RefundStatement:
    """Take a licensee's Form 3533: pieces of its own device, grouped by value, with totals that hold."""
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, RefundApplication)
    row = device_record(ctx, body.device)
    if row.owner != licensee:
        raise Refused("provider.unknown-device", device=body.device, provider=ctx.party)
    if row.body["frozen"]:
        raise frozen_refusal(row)
    pieces = unused(body.pieces)
    held = ctx.tx.get("refund", body.refund)
    if held is not None:
        if pieces_of(ctx, body.refund) != pieces or held.owner != licensee:
            raise Refused("refund.conflict", refund=body.refund)
        return statement(ctx, held)
    if not pieces or any(piece.device != body.device for piece in pieces):
        raise Refused("refund.not-its-licensee", refund=body.refund)
    found = groups_of(pieces)
    if (body.groups, body.total) != (found, total_of(found)):
        raise Refused("refund.groups-differ", refund=body.refund, said=body.total, found=total_of(found))
    record = {
        "state": RECEIVED,
        "device": body.device,
        "license": row.body["license"],
        "claimed": int(body.total),
        "claimed_by": body.claimed_by,
        "presented": int(opened.envelope.issued),
        "annotations": [],
        "share": WHOLE,
        "total": 0,
        "amount": 0,
        "scanned_by": "",
        "certified_by": "",
        "at": int(ctx.now),
    }
    kept = ctx.tx.put("refund", body.refund, record, owner=licensee, expected=0)
    papers = {"pieces": [piece.hex() for piece in body.pieces], "application": base64.b64encode(opened.raw).decode()}
    ctx.tx.put("refund-pieces", body.refund, papers, owner=licensee, expected=0)
    note: dict[str, Any] = {"device": body.device, "licensee": licensee, "claimed": int(body.total)}
    ctx.note("form-3533.filed", body.refund, clauses=("502.27(a)(2)",), **note)
    return statement(ctx, kept)


@cites("502.27a/3", "502.27a/4")
def scan(ctx: Context, *, refund: str, seen: tuple[bytes, ...], pack: Pack) -> Steps:
    """Verify the pieces that came in, as the person who asks: each against the pack and all scans and refunds.

    Those that do not qualify, and those that did not come, are annotated. Until the form is certified it may be scanned
    again. Raises `Refused` (refund.certified-before).
    """
    check(ctx, ctx.actor)
    held, pieces = held_refund(ctx, refund), pieces_of(ctx, refund)
    _still_open(held)
    query = RefundInquiry(refund=refund, device=DeviceId(held.body["device"]), pieces=tuple(p.payload for p in pieces))
    answer = yield Ask("postal.usps", query, f"refund {refund} {RequestId.new(ctx.randomness)}")
    known = answer.body
    assert isinstance(known, RefundKnown)
    held = held_refund(ctx, refund)
    _still_open(held)
    notes = annotated(
        pieces,
        pack,
        lambda piece: _facts(known, piece),
        presented=Instant(held.body["presented"]),
        now=ctx.now,
        before={one.piece: one for piece in pieces for one in _not_here(ctx, refund, piece, seen)},
    )
    kept = _write(
        ctx, held, state=SCANNED, scanned_by=ctx.actor, annotations=[one.to_list() for one in notes], at=int(ctx.now)
    )
    told: dict[str, Any] = {"pieces": len(pieces), "annotated": len(notes), "by": ctx.actor}
    ctx.note("refund.scanned", refund, clauses=("502.27(a)(3)",), device=held.body["device"], **told)
    return kept


def _facts(known: RefundKnown, piece: Unused) -> StatusFacts:
    """Give all that the Postal Service told; `judge` looks up the piece's own content in it."""
    readings = tuple(
        Reading(content_key=one.content, ascending=one.ascending, postage=one.postage, pieces=one.pieces)
        for one in known.readings
    )
    mailed = [one for one in known.pieces if one.mailed]
    return StatusFacts(
        scans={one.content: PriorScan(scan_id=one.mailed, site=one.site, at=one.at) for one in mailed},
        refunds={one.content: Refunded(case=one.repaid, at=one.at) for one in known.pieces if one.repaid},
        readings={DeviceId(piece.device): readings},
    )


def _not_here(ctx: Context, refund: str, piece: Unused, seen: tuple[bytes, ...]) -> list[Annotation]:
    """Annotate a piece that did not come, or that another refund has certified."""
    if piece.payload not in seen:
        text = "It was not among the pieces that came in."
        return [Annotation(piece=piece.number, code="refund.not-received", sentence=text, clause="502.27(a)(2)")]
    other = _claim(ctx, piece)
    if other in ("", refund):
        return []
    text = f"It was certified in the refund {other}."
    return [Annotation(piece=piece.number, code="refund.certified-elsewhere", sentence=text, clause=CLAUSE)]


@cites("502.27a/4", "502.27a/5", "502.27a/6", "502.27a/2")
def certify(ctx: Context, *, refund: str, rules: RuleSet) -> Record:
    """Certify a refund as another person than the one who scanned it, and send the form to the MATS coordinator.

    The same person asking again gets the first answer. Raises `Refused`: person.same-person, refund.not-scanned,
    refund.certified-before, refund.piece-claimed, refund.nothing-qualifies.
    """
    check(ctx, ctx.actor)
    held = held_refund(ctx, refund)
    if held.body["state"] == RECEIVED:
        raise Refused("refund.not-scanned", refund=refund)
    if held.body["state"] != SCANNED:
        if held.body["certified_by"] == ctx.actor:
            return held
        _still_open(held)
    about = {"what": "A refund", "clause": "502.27(a)(4)"}
    second_person(held.body["scanned_by"], (ctx.actor,), **about)
    if same_person(held.body["claimed_by"], ctx.actor):  # the licensee's own word, which may name no person
        raise Refused("person.same-person", actor=ctx.actor, **about)
    row = device_record(ctx, held.body["device"])
    if row.body["frozen"]:
        raise frozen_refusal(row)
    notes = annotations_of(held.body)
    struck = {one.piece for one in notes}
    pieces = pieces_of(ctx, refund)
    for piece in pieces:
        if piece.number not in struck:
            _take_claim(ctx, refund, piece)
    groups = groups_of(pieces, notes)
    share = refund_share(rules, Instant(held.body["presented"]).date_in(HEADQUARTERS))
    amount = share_of(total_of(groups), share)
    if amount == ZERO:
        raise Refused("refund.nothing-qualifies", refund=refund)
    kept = _write(
        ctx,
        held,
        state=SENT,
        share=share,
        total=int(total_of(groups)),
        amount=int(amount),
        certified_by=ctx.actor,
        sent_at=int(ctx.now),
        at=int(ctx.now),
    )
    _send(ctx, kept)
    return kept


def _send(ctx: Context, held: Record) -> None:
    body, papers = held.body, ctx.tx.get("refund-pieces", held.key)
    assert papers is not None
    form = Form3533(
        refund=held.key,
        license=body["license"],
        application=base64.b64decode(papers.body["application"]),
        annotations=annotations_of(body),
        groups=groups_of(pieces_of(ctx, held.key), annotations_of(body)),
        total=Mills(body["total"]),
        share=body["share"],
        amount=Mills(body["amount"]),
        scanned_by=body["scanned_by"],
        certified_by=body["certified_by"],
        at=ctx.now,
    )
    ctx.send("postal.usps", form, key=f"form 3533 {held.key}")
    named = ("device", "share", "total", "amount", "scanned_by", "certified_by")
    note = {name: body[name] for name in named}
    ctx.note("form-3533.sent", held.key, clauses=("502.27(a)(4)", "502.27(a)(5)"), licensee=held.owner, **note)


def _claim(ctx: Context, piece: Unused) -> str:
    row = ctx.tx.get("refund-claim", piece.key)
    return str(row.body["refund"]) if row is not None else ""


def _take_claim(ctx: Context, refund: str, piece: Unused) -> None:
    other = _claim(ctx, piece)
    if other not in ("", refund):
        raise Refused("refund.piece-claimed", piece=piece.number, refund=refund, other=other)
    row = ctx.tx.get("refund-claim", piece.key)
    ctx.tx.put("refund-claim", piece.key, {"refund": refund}, owner=piece.device, expected=row.version if row else 0)


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
    for piece in pieces:
        if piece.number in struck and _claim(ctx, piece) == body.refund:
            row = ctx.tx.get("refund-claim", piece.key)
            assert row is not None
            ctx.tx.put("refund-claim", piece.key, {"refund": ""}, owner=piece.device, expected=row.version)
    kept = _write(
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


@cites("502.27a/9")
def on_sample(ctx: Context, opened: Opened) -> RefundSampleShown:
    """Show kept envelopes to the Postal Service. Raises `Refused` (refund.envelopes-gone, refund.not-decided)."""
    body = opened.body
    assert isinstance(body, RefundSample)
    held = held_refund(ctx, body.refund)
    _not_gone(held)
    if held.body["state"] in _OPEN:
        raise Refused("refund.not-decided", refund=body.refund, state=held.body["state"], needed=SENT)
    pieces = {piece.number: piece.payload for piece in pieces_of(ctx, body.refund)}
    for number in body.pieces:
        if number not in pieces:
            raise BadInput("refund.no-such-piece", refund=body.refund, piece=number)
    ctx.note("refund.sample-shown", body.refund, clauses=("502.27(a)(7)",), pieces=list(body.pieces), by=body.asked_by)
    shown = (ShownPiece(piece=number, payload=pieces[number]) for number in body.pieces)
    return RefundSampleShown(refund=body.refund, pieces=tuple(shown))


@cites("502.27a/8")
def destroy(ctx: Context, *, refund: str, rules: RuleSet) -> Record:
    """Destroy the envelopes of a refund after the time for which they are kept; once.

    Raises `Refused`: refund.envelopes-kept, refund.envelopes-gone, refund.not-decided.
    """
    check(ctx, ctx.actor)
    held = held_refund(ctx, refund)
    _not_gone(held)
    if held.body["state"] not in (CREDITED, REFUSED):
        raise Refused("refund.not-decided", refund=refund, state=held.body["state"], needed="decided")
    until = kept_until(rules, Instant(held.body["sent_at"]))
    if ctx.now <= until:
        raise Refused("refund.envelopes-kept", refund=refund, until=until.date_in(HEADQUARTERS))
    kept = _write(ctx, held, destroyed_at=int(ctx.now))
    ctx.note("refunded-envelopes.destroyed", refund, clauses=("502.27(a)(7)",), kept_until=until.iso())
    return kept


@cites("502.27a")
def on_query(ctx: Context, opened: Opened) -> RefundStatement:
    """Tell a licensee how its refund stands. Raises `Refused` (refund.unknown)."""
    body = opened.body
    assert isinstance(body, RefundQuery)
    held = ctx.tx.get("refund", body.refund)
    if held is None or held.owner != opened.envelope.sender:
        raise Refused("refund.unknown", refund=body.refund)
    return statement(ctx, held)


def statement(ctx: Context, held: Record) -> RefundStatement:
    """State how a refund stands, with the account as it is now."""
    body = held.body
    return RefundStatement(
        refund=held.key,
        state=body["state"],
        claimed=Mills(body["claimed"]),
        total=Mills(body["total"]),
        share=body["share"],
        amount=Mills(body["amount"]),
        annotations=annotations_of(body),
        account_balance=Books(ctx.tx).balance(f"account/{held.owner}"),
        at=Instant(body["at"]),
    )


def held_refund(ctx: Context, refund: str) -> Record:
    """Give the record of a refund. Raises `Refused` (refund.unknown)."""
    held = ctx.tx.get("refund", refund)
    if held is None:
        raise Refused("refund.unknown", refund=refund[:40])
    return held


def pieces_of(ctx: Context, refund: str) -> tuple[Unused, ...]:
    """Give the pieces of a refund as the licensee sent them in."""
    held = ctx.tx.get("refund-pieces", refund)
    assert held is not None
    return unused(bytes.fromhex(piece) for piece in held.body["pieces"])


def annotations_of(body: Mapping[str, Any]) -> tuple[Annotation, ...]:
    """Read the annotations of a record."""
    return tuple(Annotation.from_list(row) for row in body["annotations"])


def _still_open(held: Record) -> None:
    body = held.body
    if body["state"] not in _OPEN:
        told = {"by": body["certified_by"], "at": Instant(body["sent_at"]), "amount": Mills(body["amount"])}
        raise Refused("refund.certified-before", refund=held.key, state=body["state"], **told)


def _not_gone(held: Record) -> None:
    if held.body.get("destroyed_at"):
        raise Refused("refund.envelopes-gone", refund=held.key, at=Instant(held.body["destroyed_at"]))


def _write(ctx: Context, held: Record, **values: Any) -> Record:
    return ctx.tx.put("refund", held.key, {**held.body, **values}, owner=held.owner, expected=held.version)
