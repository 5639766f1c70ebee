"""Print jobs: planned, evidenced, printed (journey B).

Here: the job and its three steps, each one transaction, so that a crash in between loses and doubles nothing. A job has
a form: postage, or a correction of pieces of an earlier job (`corrections` plans those; a REDATE is released instead
of evidenced). Not here: pages and files (`envelopes.py` composes, `paper/` draws), registers (the device's).
Kept: every piece is priced and its money reserved before the device is asked; the job's id is the device's client id,
so asking again gives the same indicia; value at least the exact amount due (P050 1.5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from towncircle.indicium import layout
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Exchange, Steps
from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds, TowncircleError
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import (
    address_data,
    advertising,
    beside,
    books,
    departments,
    halves,
    labels,
    looks,
    missing,
    promises,
    rates,
    zoning,
)
from towncircle.licensee.funds import held_device
from towncircle.licensee.limits import Limits
from towncircle.licensee.looks import PLAIN, Look
from towncircle.licensee.pricing import DEFAULT_WEIGHT_OZ, FIRST_METERED, Claim, Pricer, Terms, changed, doubts_of_job
from towncircle.licensee.tapes import on_tapes
from towncircle.mailpiece.address_files import Recipient
from towncircle.mailpiece.forms import form_of_piece, require_form
from towncircle.mailpiece.rates import Shape
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import Evidence, Evidenced, StatusReport

SOFTWARE_ID = b"TC"  # house
POSTAGE, REDATE, CORRECTION = "postage", promises.REDATE, "correction"
EVIDENCED, PRINTED, RELEASED = "evidenced", "printed", "released"
WAITING = promises.WAITING
CLAIMED = "claimed"  # it was never handed over, and its pieces were sent in for a refund
OPEN = ("planned", EVIDENCED, RELEASED)  # a crash leaves these between their steps
_PLACE = "print-place"
LOST = "lost"  # the device debited it and cannot give its indicia any more


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
    told: dict[str, Any] = {"department": order.department, "person": order.person, **doubts_of_job(pieces)}
    ctx.note(
        "print.planned", job, clauses=("P050 1.5",), device=order.device, count=len(pieces), total=int(total), **told
    )
    return ctx.tx.put("job", job, body, owner=order.device, expected=0)


def draft(ctx: Context, *, order: Order, limits: Limits, provider: str) -> dict[str, Any]:
    """Give a job as it would be planned; nothing is written and no money is touched."""
    look = order.look
    pieces = on_form(_priced(order, terms_of(ctx, order, provider=provider)), look.form)
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
        "address_data": address_data.in_use(ctx.tx),
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
    grounds = _changed(ctx, planned)
    if grounds and not (yield Exchange(device, lambda client: _has_made(client, job))):
        raise RefusedOnGrounds("mailroom.prices-changed", grounds, count=len(grounds))
    if planned["state"] == "planned":
        yield from beside.check(ctx, device=device, job=job, total=Mills(planned["total"]))
    done: Evidenced
    done = yield Exchange(device, lambda client: _ask(client, job, planned))
    device = halves.maker(ctx, done, asked=device)  # of a hybrid it may be the other one
    status = yield Exchange(device, lambda client: client.status())
    row = ctx.tx.get("job", job)
    assert row is not None
    if row.body["state"] not in ("planned", WAITING):
        return row
    _book(ctx, row, done, status, device=device)
    if form_of(row.body) == CORRECTION:
        _note_correction(ctx, row)
    return _keep_made(ctx, row, done, device=device)


def _keep_made(ctx: Context, row: Record, done: Evidenced, *, device: DeviceId) -> Record:
    body = {
        **row.body,
        "device": device,
        "state": EVIDENCED,
        "first_piece": done.first_piece,
        "evidenced_at": int(done.at),
        "indicia": [indicium.hex() for indicium in done.indicia()],
    }
    owner = device if row.owner == row.body["device"] else row.owner
    return ctx.tx.put("job", row.key, body, owner=owner, expected=row.version)


def _book(ctx: Context, row: Record, done: Evidenced, status: StatusReport, *, device: DeviceId) -> None:
    """Spend what a job reserved, book it with the device that evidenced it, and note it."""
    total = Mills(row.body["total"])
    if row.body["state"] == WAITING:
        departments.spend(ctx, job=row.body["batch"], amount=total)
    else:
        departments.settle(ctx, job=JobId(row.key), spent=total)
    books.follow(ctx, device=device, resets_total=status.resets_total, last_applied=status.last_applied)
    books.book_postage(ctx, job=JobId(row.key), device=device, department=row.body["department"], amount=total)
    ctx.note(
        "evidence.made",
        row.key,
        clauses=("502.8(b)",),
        occurred_at=done.at,
        device=device,
        first_piece=done.first_piece,
        count=done.count,
        total=int(total),
        ascending_after=int(done.registers.ascending),
        descending_after=int(done.registers.descending),
        mailing_date=row.body["mailing_date"],
    )


def terms_of(ctx: Context, order: Order, *, provider: str) -> Terms:
    """Gather what the pieces of an order are priced by."""
    mailed_from = order.look.place == "zip"
    origin = zoning.origin_of(ctx.tx, held_device(ctx, order.device), mailed_from=mailed_from)
    return Terms(
        day=order.mailing_date,
        tables=rates.tables(ctx.tx, provider),
        zones=zoning.zones_from(ctx.tx, origin),
        claim=order.claim,
        weight_oz=order.weight_oz,
        shape=order.shape,
        form=order.look.form,
    )


def _priced(order: Order, terms: Terms) -> list[dict[str, Any]]:
    pieces: list[dict[str, Any]] = []
    grounds: list[TowncircleError] = []
    pricer = Pricer(terms)
    for recipient in order.recipients:
        try:
            pieces.append(pricer.piece(recipient))
        except (Refused, BadInput) as unknown:
            told = {"why": unknown.sentence, "clause": unknown.clause, "next": unknown.next_step}
            grounds.append(Refused("mailroom.no-price", row=recipient.row, **told))
    if grounds:
        raise RefusedOnGrounds("mailroom.prices-unknown", tuple(grounds), count=len(grounds))
    return pieces


@cites("P050-5.1")
def on_form(pieces: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Put pieces on a form, or leave them on the usual one of their shape.

    Raises `BadInput` (page.unknown-form) and `Refused` (page.form-unsuited).
    """
    for piece in pieces if key else ():
        piece["on"] = require_form(key, piece["shape"]).key
    return pieces


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


def place(ctx: Context, *, job: JobId, at: tuple[str, str, str]) -> None:
    """Write down where the files of a job are about to be written; a place is of the job that wrote there last.

    `at` is the folder, the name of the PDF, and the SHA-256 of a file that lies there already ('' for none).
    """
    folder, stem, before = at
    key = hashlib.sha256(f"{folder}/{stem}".encode(errors="surrogateescape")).hexdigest()
    held = ctx.tx.get(_PLACE, key)
    if held is None or held.owner != job:
        body = {"folder": folder, "stem": stem, "before": before}
        ctx.tx.put(_PLACE, key, body, owner=job, expected=held.version if held else 0)


def places_of(view: Transaction, job: str) -> list[tuple[str, str, str]]:
    """Give where files of a job were about to be written, and no other job's since, as `place` was told."""
    return [(row.body["folder"], row.body["stem"], row.body["before"]) for row in view.find(_PLACE, owner=job)]


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


@cites("P050-1.5", "502.22b")
def _changed(ctx: Context, planned: Mapping[str, Any]) -> tuple[TowncircleError, ...]:
    """Give what is wrong with the prices of a planned job at the instant of signing: nothing is wrong with most."""
    day = date.fromisoformat(planned["mailing_date"])
    device = held_device(ctx, DeviceId(planned["device"]))
    provider = str(device.body["provider"])
    try:
        zones = zoning.zones_from(ctx.tx, zoning.origin_of(ctx.tx, device, mailed_from=looks.names_own_zip(planned)))
        return tuple(changed(planned["pieces"], day=day, zones=zones, tables=rates.tables(ctx.tx, provider)))
    except (Refused, BadInput) as unknown:
        return (unknown,)


def _has_made(client: DeviceClient, job: JobId) -> bool:
    """Tell whether a device has evidenced a job already: then its indicia are fetched, whatever they would cost now."""
    try:
        client.recover(job)
    except Refused:
        return False
    return True


def _ask(client: DeviceClient, job: JobId, body: Mapping[str, Any]) -> Evidenced:
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
    try:
        return client.evidence(Evidence.of(job, amounts=amounts, date=body["mailing_date"], **columns))
    except Refused as refusal:  # of a host, to whom its device is out of service: what it evidenced can be had
        if refusal.code != "psd.role-refused" or not _has_made(client, job):
            raise
        return client.recover(job)
