"""Print jobs: planned, evidenced, printed (journey B).

Here: the job and its three steps, each one transaction, so that a crash in between loses and doubles nothing. A job has
a form: postage, or a correction of pieces of an earlier job (`corrections` plans those; a REDATE is released instead
of evidenced). Not here: pages and files (`envelopes.py` composes, `paper/` draws), registers (the device's).
Kept: every piece is priced and its money reserved before the device is asked; the job's id is the device's client id,
so asking again gives the same indicia; value at least the exact amount due (P050 1.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from fractions import Fraction
from typing import Any

from towncircle.indicium import layout
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Exchange, Steps
from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds, TowncircleError
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.licensee import advertising, books, departments, labels, looks, missing, promises, rates
from towncircle.licensee.funds import held_device
from towncircle.licensee.limits import Limits
from towncircle.licensee.looks import PLAIN, Look
from towncircle.mailpiece import eligibility
from towncircle.mailpiece.address_files import Recipient
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.categories import CLASSES
from towncircle.mailpiece.eligibility import Size
from towncircle.mailpiece.forms import form_of_piece, label_stock, require_form
from towncircle.mailpiece.geometry import INCH, form
from towncircle.mailpiece.rates import Price, PriceRequest, PriceType, Shape, price
from towncircle.mailpiece.tariff import Table
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import Evidence, Evidenced

DEFAULT_WEIGHT_OZ = Fraction(1)
SOFTWARE_ID = b"TC"  # house
_ADDRESS = tuple(field.name for field in fields(Address))
MOST_TAPES = 20  # house: of one piece
POSTAGE, REDATE, CORRECTION = "postage", "redate", "correction"
EVIDENCED, PRINTED, RELEASED = "evidenced", "printed", "released"
CLAIMED = "claimed"  # it was never handed over, and its pieces were sent in for a refund
OPEN = ("planned", EVIDENCED, RELEASED)  # a crash leaves these between their steps
WAITING = "waiting"  # it stands in an open batch, whose reservation pays for it
LOST = "lost"  # the device debited it and cannot give its indicia any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Say the class of mail and the rate claimed (P050 5.1) for the pieces of a job."""

    mail_class: str = "first"
    price_type: PriceType = "metered"
    zone: str = ""
    level: str = ""
    extras: tuple[str, ...] = ()
    nonmachinable: bool = False


FIRST_METERED = Claim()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Describe a print order: to whom, when it is mailed, at which rate, for which department, by whom."""

    device: DeviceId
    layout: str
    recipients: tuple[Recipient, ...]
    mailing_date: date
    claim: Claim = FIRST_METERED
    weight_oz: Fraction = DEFAULT_WEIGHT_OZ
    shape: Shape | None = None
    department: str = departments.DEFAULT
    person: str = ""
    look: Look = PLAIN


@cites("P050-1.4", "P050-1.5", "P050-4.7", "IMI-05")
def plan(ctx: Context, *, order: Order, job: JobId, limits: Limits) -> Record:
    """Price every piece, reserve the money and write the job down; give its record."""
    if not order.recipients:
        raise Refused("mailroom.nothing-to-print")
    limits.check(day=order.mailing_date)
    provider = str(held_device(ctx, order.device).body["provider"])
    earlier = ctx.tx.get("job", job)
    if earlier is not None:
        return earlier
    body = draft(ctx, order=order, limits=limits, provider=provider)
    total = Mills(body["total"])
    departments.check_person(ctx, department=order.department, person=order.person, job=job)
    departments.reserve(ctx, department=order.department, job=job, amount=total)
    pieces = body["pieces"]
    told: dict[str, Any] = {"department": order.department, "person": order.person}
    ctx.note(
        "print.planned", job, clauses=("P050 1.5",), device=order.device, count=len(pieces), total=int(total), **told
    )
    return ctx.tx.put("job", job, body, owner=order.device, expected=0)


def draft(ctx: Context, *, order: Order, limits: Limits, provider: str) -> dict[str, Any]:
    """Give a job as it would be planned; nothing is written and no money is touched."""
    look = order.look
    pieces = on_form(_priced(order, rates.tables(ctx.tx, provider)), look.form)
    if look.each is not None:
        pieces = on_tapes(pieces, look.each)
    for piece in pieces:
        key = form_of_piece(piece).key
        labels.require(ctx.tx, form_key=key, stock=look.stock, on=order.mailing_date, zone=limits.zone)
    amounts = [Mills(piece["amount"]) for piece in pieces]
    limits.check(day=order.mailing_date, amounts=amounts)
    categories = [str(piece["category"]) for piece in pieces]
    return {
        "device": order.device,
        "layout": order.layout,
        "state": "planned",
        "form": POSTAGE,
        "mailing_date": order.mailing_date.isoformat(),
        "department": order.department,
        "person": order.person,
        "total": int(sum(amounts, ZERO)),
        "pieces": pieces,
        **advertising.of_job(ctx),
        **looks.of_job(ctx, order.look, device=order.device, categories=categories),
    }


@cites("PRE-04", "502.8b")
def evidence(ctx: Context, *, job: JobId) -> Steps:
    """Have the device evidence a planned job and keep its indicia; give the job's record."""
    row = ctx.tx.get("job", job)
    assert row is not None
    if row.body["state"] not in ("planned", WAITING):
        return row
    planned = row.body
    advertising.check_job(ctx, planned)
    device = DeviceId(planned["device"])
    missing.in_hand(ctx, device=device)
    kept = promises.promised(ctx, device=device) if planned["state"] == "planned" else None
    done: Evidenced
    done, status = yield Exchange(device, lambda client: (_ask(client, job, planned, kept), client.status()))
    row = ctx.tx.get("job", job)
    assert row is not None
    if row.body["state"] not in ("planned", WAITING):
        return row
    total = Mills(row.body["total"])
    if row.body["state"] == WAITING:
        departments.spend(ctx, job=row.body["batch"], amount=total)
    else:
        departments.settle(ctx, job=job, spent=total)
    books.follow(ctx, device=device, resets_total=status.resets_total, last_applied=status.last_applied)
    books.book_postage(ctx, job=job, device=device, department=row.body["department"], amount=total)
    ctx.note(
        "evidence.made",
        job,
        clauses=("502.8(b)",),
        occurred_at=done.at,
        device=row.body["device"],
        first_piece=done.first_piece,
        count=done.count,
        total=int(total),
        ascending_after=int(done.registers.ascending),
        descending_after=int(done.registers.descending),
        mailing_date=row.body["mailing_date"],
    )
    if form_of(row.body) == CORRECTION:
        _note_correction(ctx, row)
    body = {
        **row.body,
        "state": EVIDENCED,
        "first_piece": done.first_piece,
        "evidenced_at": int(done.at),
        "indicia": [indicium.hex() for indicium in done.indicia()],
    }
    return ctx.tx.put("job", job, body, owner=row.owner, expected=row.version)


def price_for(
    shape: Shape,
    weight_oz: Fraction,
    *,
    day: date,
    claim: Claim = FIRST_METERED,
    tables: tuple[Table, ...] | None = None,
    size: Size | None = None,
) -> Price:
    """Price one piece as the mail room prints it: one that an indicium may pay (P050 1.4).

    Raises what `mailpiece.rates.price` raises, and the first ground of `eligibility.unpayable`.

    The tables have no metered price for flats; retail is what a flat costs with an indicium too.
    """
    first = claim.mail_class == "first"
    kind: PriceType = "retail" if first and shape == "flat" and claim.price_type == "metered" else claim.price_type
    request = PriceRequest(
        on=day,
        weight_oz=weight_oz,
        shape=shape,
        price_type=kind,
        mail_class=claim.mail_class,
        zone=claim.zone,
        level=claim.level,
        extras=claim.extras,
        nonmachinable=claim.nonmachinable,
        size=size,
    )
    found = price(request, tables=tables)
    for ground in eligibility.unpayable(request.piece()):
        raise ground
    return found


def size_of(key: str) -> Size | None:
    """Give the size of the pieces of a form that is named; a label says nothing of what it goes on."""
    piece = form(key) if key else None
    if piece is None or piece.shape == "label":
        return None
    return Size(length=Fraction(piece.width, INCH), height=Fraction(piece.height, INCH))


def claim_of(piece: Mapping[str, Any]) -> Claim:
    """Give the rate that a piece of a job was claimed at; of jobs from before there were others, the metered one."""
    held = dict(piece.get("claim", {}))
    return Claim(**{**held, "extras": tuple(held.get("extras", ()))})


def _claimed(claim: Claim) -> dict[str, Any]:
    """Give what a piece keeps of its claim: what is not as of a First-Class metered letter."""
    told = {one.name: getattr(claim, one.name) for one in fields(claim)}
    kept = {name: value for name, value in told.items() if value != getattr(FIRST_METERED, name)}
    return {"claim": {**kept, **({"extras": list(claim.extras)} if claim.extras else {})}} if kept else {}


def _priced(order: Order, tables: tuple[Table, ...]) -> list[dict[str, Any]]:
    pieces: list[dict[str, Any]] = []
    grounds: list[TowncircleError] = []
    usual, size = CLASSES[order.claim.mail_class].shape, size_of(order.look.form)
    for recipient in order.recipients:
        shape = recipient.shape or order.shape or usual
        weight = recipient.weight_oz or order.weight_oz
        try:
            found = price_for(shape, weight, day=order.mailing_date, claim=order.claim, tables=tables, size=size)
        except (Refused, BadInput) as unknown:
            grounds.append(Refused("mailroom.no-price", row=recipient.row, why=unknown.sentence, clause=unknown.clause))
            continue
        pieces.append(piece_of(recipient, found, shape=shape, weight_oz=weight, claim=order.claim))
    if grounds:
        raise RefusedOnGrounds("mailroom.prices-unknown", tuple(grounds), count=len(grounds))
    return pieces


def piece_of(
    recipient: Recipient, price: Price, *, shape: Shape, weight_oz: Fraction, claim: Claim = FIRST_METERED
) -> dict[str, Any]:
    """Give what a job keeps of a piece: where it goes, what it is, what it costs, by which table and claim."""
    where = recipient.address
    return {
        "address": {name: getattr(where, name) for name in _ADDRESS},
        "shape": shape,
        "weight": str(weight_oz),
        "amount": int(price.amount),
        "category": price.category,
        "table": price.table,
        **_claimed(claim),
    }


@cites("P050-5.1")
def on_form(pieces: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Put pieces on a form, or leave them on the usual one of their shape.

    Raises `BadInput` (page.unknown-form) and `Refused` (page.form-unsuited).
    """
    for piece in pieces if key else ():
        piece["on"] = require_form(key, piece["shape"]).key
    return pieces


@cites("P050-4.5/7")
def on_tapes(pieces: list[dict[str, Any]], each: Mills) -> list[dict[str, Any]]:
    """Divide the postage of pieces over as many tapes as it takes, each an indicium with all its words.

    `each` is the most that one tape shows; `tape` says which of how many. Together they pay exactly what is due.
    Raises `Refused` (mailroom.not-on-tape, mailroom.too-many-tapes).
    """
    tapes: list[dict[str, Any]] = []
    for piece in pieces:
        if not label_stock(form_of_piece(piece)):
            raise Refused("mailroom.not-on-tape", form=form_of_piece(piece).name)
        whole, rest = divmod(piece["amount"], int(each)) if each > ZERO else (MOST_TAPES, 1)
        amounts = [int(each)] * whole + ([rest] if rest else [])
        if len(amounts) > MOST_TAPES:
            raise Refused("mailroom.too-many-tapes", amount=Mills(piece["amount"]), each=each, most=MOST_TAPES)
        tapes += [{**piece, "amount": part, "tape": [at, len(amounts)]} for at, part in enumerate(amounts, start=1)]
    return tapes


def printed(ctx: Context, *, job: JobId, files: Sequence[str], **told: int | str) -> Record:
    """Write down that a job's pages were handed over, and what is `told` of their file.

    Raises `Refused` (refund.job-claimed, mailroom.not-to-hand-over) where they are not to be handed over, or were.
    """
    row = ctx.tx.get("job", job)
    assert row is not None
    to_hand_over(row)
    ctx.note("print.handed-over", job, device=row.body["device"], count=len(row.body["pieces"]))
    body = {**row.body, "state": PRINTED, "files": list(files), **told}
    return ctx.tx.put("job", job, body, owner=row.owner, expected=row.version)


def to_hand_over(row: Record) -> None:
    """Check that a job's pages wait to be handed over. Raises as `printed`."""
    if row.body["state"] == CLAIMED:
        raise Refused("refund.job-claimed", job=row.key)
    if row.body["state"] != (RELEASED if form_of(row.body) == REDATE else EVIDENCED):
        raise Refused("mailroom.not-to-hand-over", job=row.key, state=row.body["state"])


def give_up(ctx: Context, *, job: JobId) -> None:
    """End a job that the device refused: its reservation is released."""
    row = ctx.tx.get("job", job)
    assert row is not None
    if row.body["state"] == "planned":
        departments.settle(ctx, job=job, spent=ZERO)
        ctx.note("print.given-up", job, device=row.body["device"])
        _untie(ctx, row)
        ctx.tx.put("job", job, {**row.body, "state": "given up"}, owner=row.owner, expected=row.version)


def form_of(body: Mapping[str, Any]) -> str:
    """Give the form of a job: postage (also of jobs from before there were others), REDATE or correction."""
    return str(body.get("form", POSTAGE))


def numbers_of(body: Mapping[str, Any]) -> list[int]:
    """Give the device's count of each piece; a correction has that of the piece it belongs to."""
    numbers: Iterable[int] = body.get("numbers") or range(
        body["first_piece"], body["first_piece"] + len(body["pieces"])
    )
    return list(numbers)


def _note_correction(ctx: Context, row: Record) -> None:
    over = sum(piece["paid"] + piece["amount"] - piece["due"] for piece in row.body["pieces"])
    ctx.note(
        "postage.corrected",
        row.key,
        clauses=("P050 1.6", "P050 4.9"),
        device=row.body["device"],
        of=row.body["corrects"],
        count=len(row.body["pieces"]),
        total=row.body["total"],
        overpaid=over,
    )


def _untie(ctx: Context, row: Record) -> None:
    """Take a correction that comes to nothing out of the job of its pieces."""
    of = ctx.tx.get("job", row.body["corrects"]) if form_of(row.body) != POSTAGE else None
    if of is None:
        return
    tied = {
        name: {place: [one for one in held if one[0] != row.key] for place, held in of.body.get(name, {}).items()}
        for name in ("redates", "additions")
    }
    ctx.tx.put("job", of.key, {**of.body, **tied}, owner=of.owner, expected=of.version)


def _ask(client: DeviceClient, job: JobId, body: Mapping[str, Any], kept: promises.Promised | None = None) -> Evidenced:
    if kept is not None:
        kept.check(client, job=job, total=Mills(body["total"]))
    pieces = body["pieces"]
    known: dict[str, Any] = {
        "category": [str(piece["category"]) for piece in pieces],
        "mail_service": 0,
        "software_id": SOFTWARE_ID.hex(),
        "product_data": bytes(9).hex(),
        "destination": [str(piece["address"]["zip5"]) for piece in pieces],
    }
    chosen = layout(body["layout"])
    columns = {name: values for name, values in known.items() if chosen.has(name)}
    amounts = [int(piece["amount"]) for piece in pieces]
    return client.evidence(Evidence.of(job, amounts=amounts, date=body["mailing_date"], **columns))
