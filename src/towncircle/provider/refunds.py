"""Refunds of unused postage at the Provider (P050 3.3, 502.27(a)): sent in, scanned, certified.

Here: the licensee's application, the scan of the pieces, the certification by another person. Not here: how a
refund ends (`refund_endings`), the envelopes that are kept for the Postal Service's audit (`envelopes`), what was
mailed or refunded before (the Postal Service's), the balance of a device (`checkouts`).
Kept: who scanned the pieces does not certify them. A piece is certified in one refund only, also when two forms are
certified at the same moment.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps, same_person, second_person
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, RefundId, RequestId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.provider.inventory import device_record
from towncircle.provider.readings import frozen_refusal
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.offices import check_office
from towncircle.verification import Pack, PriorScan, Reading, Refunded, StatusFacts
from towncircle.verification.refunding import (
    CLAUSE,
    NOT_RECEIVED,
    WHOLE,
    Unused,
    annotated,
    groups_of,
    not_backdated,
    refund_share,
    share_is_known,
    share_of,
    total_of,
    unused,
)
from towncircle.wire.bodies import (
    Annotation,
    Form3533,
    RefundApplication,
    RefundInquiry,
    RefundKnown,
    RefundQuery,
    RefundStatement,
)
from towncircle.wire.bodies.refund import RECEIVED, REFUSED, SCANNED, SENT
from towncircle.wire.message import Opened

OPEN = (RECEIVED, SCANNED)


@cites("502.27a/2", "P050-3.3b/2")
def on_application(ctx: Context, opened: Opened) -> RefundStatement:
    """Take a licensee's Form 3533: pieces of its own device, grouped by value, with totals that hold."""
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, RefundApplication)
    RefundId.parse(body.refund)
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
    not_backdated(body.refund, opened.envelope.issued, received=ctx.now)
    record = {
        "state": RECEIVED,
        "device": body.device,
        "license": row.body["license"],
        "claimed": int(body.total),
        "claimed_by": body.claimed_by,
        "presented": int(opened.envelope.issued),
        "received": int(ctx.now),
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
    check_office(ctx, ctx.actor, "refund scan")
    held, pieces = held_refund(ctx, refund), pieces_of(ctx, refund)
    still_open(held)
    query = RefundInquiry(refund=refund, device=DeviceId(held.body["device"]), pieces=tuple(p.payload for p in pieces))
    answer = yield Ask("postal.usps", query, f"refund {refund} {RequestId.new(ctx.randomness)}")
    known = answer.body
    assert isinstance(known, RefundKnown)
    held = held_refund(ctx, refund)
    still_open(held)
    notes = annotated(
        pieces,
        pack,
        lambda piece: _facts(known, piece),
        presented=Instant(held.body["presented"]),
        now=ctx.now,
        before={one.piece: one for piece in pieces for one in _not_here(ctx, refund, piece, seen)},
    )
    kept = write(
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
    scanned = [one for one in known.pieces if one.scan]
    return StatusFacts(
        scans={one.content: PriorScan(scan_id=one.scan, site=one.site, at=one.at, held=one.held) for one in scanned},
        refunds={one.content: Refunded(case=one.repaid, at=one.at) for one in known.pieces if one.repaid},
        readings={DeviceId(piece.device): readings},
    )


def _not_here(ctx: Context, refund: str, piece: Unused, seen: tuple[bytes, ...]) -> list[Annotation]:
    """Annotate a piece that did not come, or that another refund has certified."""
    if piece.payload not in seen:
        text = "It was not among the pieces that came in."
        return [Annotation(piece=piece.number, code=NOT_RECEIVED, sentence=text, clause="502.27(a)(2)")]
    other = claim_of(ctx, piece)
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
    check_office(ctx, ctx.actor, "refund certify")
    held = held_refund(ctx, refund)
    if held.body["state"] == RECEIVED:
        raise Refused("refund.not-scanned", refund=refund)
    if held.body["state"] != SCANNED:
        if held.body["certified_by"] == ctx.actor:
            return held
        still_open(held)
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
    share, total, amount = qualifying(ctx, held, rules)
    share_is_known(rules, total, presented_on(held))
    if amount == ZERO:
        raise Refused("refund.nothing-qualifies", refund=refund)
    kept = write(
        ctx,
        held,
        state=SENT,
        share=share,
        total=int(total),
        amount=int(amount),
        certified_by=ctx.actor,
        sent_at=int(ctx.now),
        at=int(ctx.now),
    )
    _send(ctx, kept)
    return kept


def qualifying(ctx: Context, held: Record, rules: RuleSet) -> tuple[int, Mills, Mills]:
    """Give the percentage that is refunded, what qualifies in all, and that percentage of it."""
    total = total_of(groups_of(pieces_of(ctx, held.key), annotations_of(held.body)))
    share = refund_share(rules, presented_on(held))
    return share, total, share_of(total, share)


def presented_on(held: Record) -> date:
    """Give the day on which the pieces of a form were presented."""
    return Instant(held.body["presented"]).date_in(HEADQUARTERS)


def form_key(refund: str) -> str:
    """Name the message that carries the form of a refund."""
    return f"form 3533 {refund}"


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
        received=Instant(body["received"]),
        at=ctx.now,
    )
    ctx.send("postal.usps", form, key=form_key(held.key))
    named = ("device", "share", "total", "amount", "scanned_by", "certified_by")
    note = {name: body[name] for name in named}
    ctx.note("form-3533.sent", held.key, clauses=("502.27(a)(4)", "502.27(a)(5)"), licensee=held.owner, **note)


def claim_of(ctx: Context, piece: Unused) -> str:
    """Name the refund that has certified a piece, or give ""."""
    row = ctx.tx.get("refund-claim", piece.key)
    return str(row.body["refund"]) if row is not None else ""


def _take_claim(ctx: Context, refund: str, piece: Unused) -> None:
    other = claim_of(ctx, piece)
    if other not in ("", refund):
        raise Refused("refund.piece-claimed", piece=piece.number, refund=refund, other=other)
    row = ctx.tx.get("refund-claim", piece.key)
    ctx.tx.put("refund-claim", piece.key, {"refund": refund}, owner=piece.device, expected=row.version if row else 0)


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


def still_open(held: Record) -> None:
    """Check that a form is not certified. Raises `Refused` (refund.certified-before, refund.refused-before)."""
    body = held.body
    if body["state"] == REFUSED and "sent_at" not in body:
        raise Refused("refund.refused-before", refund=held.key, by=body["decided_by"], at=Instant(body["at"]))
    if body["state"] not in OPEN:
        told = {"by": body["certified_by"], "at": Instant(body["sent_at"]), "amount": Mills(body["amount"])}
        raise Refused("refund.certified-before", refund=held.key, state=body["state"], **told)


def write(ctx: Context, held: Record, **values: Any) -> Record:
    """Write some values of a refund's record."""
    return ctx.tx.put("refund", held.key, {**held.body, **values}, owner=held.owner, expected=held.version)
