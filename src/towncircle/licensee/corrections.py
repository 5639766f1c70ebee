"""Corrections of pieces that were evidenced: the date (REDATE) and the postage (P050 1.6, 4.8, 4.9).

Here: which pieces may be corrected and by how much, the corrections' jobs, and their tie to the job of the piece.
Not here: pages (`envelopes`), evidence of a postage correction (`mailroom`, as of any job), reprints (`reprints`).
Kept: a REDATE debits nothing and asks no device. A postage correction pays exactly what the piece lacks, more only for
a reason. The job of a piece lists what was added to it, also while that is under way: no two corrections pay it twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds, TowncircleError
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.licensee import departments, labels, rates
from towncircle.licensee.funds import held_device
from towncircle.licensee.limits import Limits
from towncircle.licensee.mailroom import (
    CORRECTION,
    EVIDENCED,
    POSTAGE,
    PRINTED,
    REDATE,
    RELEASED,
    form_of,
)
from towncircle.licensee.pricing import claim_of, price_for, size_of
from towncircle.licensee.tapes import places_of_pieces, whole_pieces
from towncircle.mailpiece.eligibility import Size
from towncircle.mailpiece.forms import form_of_piece
from towncircle.mailpiece.rates import Shape
from towncircle.mailpiece.tariff import Table

MAX_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Redate:
    """Ask for a date correction: the job of the pieces, their numbers in it (none: all), the actual date."""

    job: JobId
    mailing_date: date
    pieces: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortpaid:
    """Ask for a postage correction of shortpaid pieces.

    What is due follows from the weight and shape found (None: as the piece was priced), or is `due` as somebody told.
    `amount` is a keyed-in correction, which must be the difference; more than it needs a `reason`. The job's
    department pays; `person` is who asks for it. `stock` names an approved label stock to print the correction on.
    `accept_low`: a price of low confidence is taken.
    """

    job: JobId
    mailing_date: date
    pieces: tuple[int, ...] = ()
    weight_oz: Fraction | None = None
    shape: Shape | None = None
    due: Mills | None = None
    amount: Mills | None = None
    reason: str = ""
    person: str = ""
    stock: str = ""
    accept_low: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """Hold a correction before it is planned: the job of its pieces, its own body, what ties it to that job."""

    of: Record
    body: Mapping[str, Any]
    tied: Mapping[str, Any]


@cites("P050-4.8", "P050-4.7", "PRE-21")
def plan_redate(ctx: Context, *, order: Redate, job: JobId, limits: Limits) -> Record:
    """Write a date correction down; give its record. Raises what is wrong with every piece (mailroom.not-redatable)."""
    earlier = ctx.tx.get("job", job)
    if earlier is not None:
        return earlier
    drafted = draft_redate(ctx, order=order, job=job, limits=limits)
    of = drafted.of
    ctx.tx.put("job", of.key, {**of.body, **drafted.tied}, owner=of.owner, expected=of.version)
    return _planned(ctx, drafted, job=job)


def draft_redate(ctx: Context, *, order: Redate, job: JobId, limits: Limits) -> Drafted:
    """Give a date correction as it would be planned; nothing is written. Raises as `plan_redate`."""
    limits.check(day=order.mailing_date)
    row = original(ctx, order.job)
    chosen = places_of(row, order.pieces)
    printed, day = row.body["mailing_date"], order.mailing_date.isoformat()
    grounds: list[TowncircleError] = []
    redates: dict[str, list[list[Any]]] = dict(row.body.get("redates", {}))
    for place in chosen:
        held = redates.get(str(place), [])
        others = [other for _, other in held if other != day]
        if day <= printed:
            grounds.append(Refused("mailroom.redate-not-later", piece=number_of(row, place), printed=printed, date=day))
        elif others:
            grounds.append(Refused("mailroom.redated-already", piece=number_of(row, place), redated=others[0]))
        redates[str(place)] = [*held, [job, day]]
    if grounds:
        raise RefusedOnGrounds("mailroom.not-redatable", tuple(grounds), count=len(grounds))
    held_pieces = _whole(row)
    pieces = [dict(held_pieces[place]) for place in chosen]
    body = _body(row, chosen, form=REDATE, day=order.mailing_date, pieces=pieces, total=ZERO)
    return Drafted(of=row, body=body, tied={"redates": redates})


@cites("P050-4.8")
def release(ctx: Context, *, job: JobId, limits: Limits) -> Record:
    """Record a date correction whose pages are about to leave: from now on it counts.

    Raises `Refused` (mailroom.date-refused) where its day has passed since it was planned.
    """
    row = ctx.tx.get("job", job)
    assert row is not None
    if row.body["state"] != "planned":
        return row
    limits.check(day=date.fromisoformat(row.body["mailing_date"]))
    of = ctx.tx.get("job", row.body["corrects"])
    assert of is not None
    departments.settle(ctx, job=job, spent=ZERO)
    ctx.note(
        "date.corrected",
        job,
        clauses=("P050 4.8",),
        device=row.body["device"],
        of=of.key,
        count=len(row.body["pieces"]),
        printed_date=of.body["mailing_date"],
        mailing_date=row.body["mailing_date"],
    )
    return ctx.tx.put("job", job, {**row.body, "state": RELEASED}, owner=row.owner, expected=row.version)


@cites("P050-1.5", "P050-1.6", "P050-4.9", "P050-4.9/5", "PRE-21")
def plan_correction(ctx: Context, *, order: Shortpaid, job: JobId, limits: Limits) -> Record:
    """Work out what each piece lacks, reserve it and write the correction down; give its record.

    Raises what is wrong with every piece (mailroom.not-correctable), and what `Limits.check` raises.
    """
    earlier = ctx.tx.get("job", job)
    if earlier is not None:
        return earlier
    drafted = draft_correction(ctx, order=order, job=job, limits=limits)
    of = drafted.of
    departments.check_person(ctx, department=of.body["department"], person=order.person, job=job)
    ctx.tx.put("job", of.key, {**of.body, **drafted.tied}, owner=of.owner, expected=of.version)
    return _planned(ctx, drafted, job=job)


def draft_correction(ctx: Context, *, order: Shortpaid, job: JobId, limits: Limits) -> Drafted:
    """Give a postage correction as it would be planned; nothing is written and no money touched.

    Raises as `plan_correction`.
    """
    check_reason(order.reason)
    keyed = [amount for amount in (order.due, order.amount) if amount is not None]
    limits.check(day=order.mailing_date, amounts=keyed)
    row = original(ctx, order.job)
    chosen = places_of(row, order.pieces)
    grounds: list[TowncircleError] = []
    pieces: list[dict[str, Any]] = []
    additions: dict[str, list[list[Any]]] = dict(row.body.get("additions", {}))
    whole = _whole(row)
    known = rates.tables(ctx.tx, str(held_device(ctx, row.body["device"]).body["provider"]))
    for place in chosen:
        held = additions.get(str(place), [])
        paid = Mills(whole[place]["amount"]) + sum((Mills(mills) for _, mills in held), ZERO)
        piece = _due(whole[place], order, known)
        lacks = Mills(piece["due"]) - paid
        amount = order.amount if order.amount is not None else lacks
        ground = _ground(
            number_of(row, place), amount, lacks=lacks, paid=paid, due=Mills(piece["due"]), reason=order.reason
        )
        if ground is not None:
            grounds.append(ground)
            continue
        pieces.append({**piece, "amount": int(amount), "paid": int(paid), "reason": order.reason})
        additions[str(place)] = [*held, [job, int(amount)]]
    if grounds:
        raise RefusedOnGrounds("mailroom.not-correctable", tuple(grounds), count=len(grounds))
    amounts = [Mills(piece["amount"]) for piece in pieces]
    limits.check(day=order.mailing_date, amounts=amounts)
    total = sum(amounts, ZERO)
    when: dict[str, Any] = {"stock": order.stock, "on": order.mailing_date, "zone": limits.zone}
    for piece in pieces:
        if order.stock:
            piece["on"] = labels.approved_form(ctx.tx, **when)
        labels.require(ctx.tx, form_key=form_of_piece(piece).key, **when)
    body = _body(row, chosen, form=CORRECTION, day=order.mailing_date, pieces=pieces, total=total)
    return Drafted(of=row, body=body, tied={"additions": additions})


def original(ctx: Context, job: JobId) -> Record:
    """Give the job that evidenced the pieces.

    Raises `Refused`: mailroom.no-such-job, mailroom.not-the-piece, mailroom.no-indicium.
    """
    row = ctx.tx.get("job", job)
    if row is None:
        raise Refused("mailroom.no-such-job", job=job[:40])
    if form_of(row.body) != POSTAGE:
        raise Refused("mailroom.not-the-piece", job=job, of=row.body["corrects"])
    if row.body["state"] not in (EVIDENCED, PRINTED):
        raise Refused("mailroom.no-indicium", job=job, state=row.body["state"])
    return row


def places(row: Record, pieces: Iterable[int]) -> list[int]:
    """Turn numbers of impressions (from 1; none: all) into places in their job: each tape of a piece is one.

    Raises `BadInput` (mailroom.no-such-piece).
    """
    return _among(row, list(range(len(row.body["pieces"]))), pieces)


def places_of(row: Record, pieces: Iterable[int]) -> list[int]:
    """Turn numbers of pieces (from 1; none: all) into places in their job: of a piece on tapes that of its first.

    Raises `BadInput` (mailroom.no-such-piece).
    """
    return _among(row, [held[0] for held in places_of_pieces(row.body["pieces"])], pieces)


def _among(row: Record, known: list[int], pieces: Iterable[int]) -> list[int]:
    count, chosen = len(known), list(pieces)
    if len(set(chosen)) != len(chosen) or not all(1 <= piece <= count for piece in chosen):
        raise BadInput("mailroom.no-such-piece", text=", ".join(map(str, chosen))[:40], job=row.key, count=count)
    return [known[piece - 1] for piece in chosen] or known


def number_of(row: Record, place: int) -> int:
    """Give the number in its job (from 1) of the piece that stands at a place."""
    return [held[0] for held in places_of_pieces(row.body["pieces"])].index(place) + 1


def _whole(row: Record) -> dict[int, Mapping[str, Any]]:
    """Give each piece of a job with all that it pays, by its place: that of its first tape."""
    pieces = row.body["pieces"]
    return dict(zip([held[0] for held in places_of_pieces(pieces)], whole_pieces(pieces), strict=True))


def _planned(ctx: Context, drafted: Drafted, *, job: JobId) -> Record:
    body, of = drafted.body, drafted.of
    departments.reserve(ctx, department=of.body["department"], job=job, amount=Mills(body["total"]))
    told: dict[str, Any] = {"count": len(body["pieces"]), "total": body["total"], "form": body["form"]}
    ctx.note("print.planned", job, device=of.body["device"], **told)
    return ctx.tx.put("job", job, dict(body), owner=of.owner, expected=0)


def _body(
    of: Record, chosen: list[int], *, form: str, day: date, pieces: list[dict[str, Any]], total: Mills
) -> dict[str, Any]:
    return {
        "device": of.body["device"],
        "layout": of.body["layout"],
        "state": "planned",
        "form": form,
        "corrects": of.key,
        "numbers": [of.body["first_piece"] + place for place in chosen],
        "mailing_date": day.isoformat(),
        "department": of.body["department"],
        "total": int(total),
        "pieces": pieces,
        "indicia": [],
        **({"look": {"place": place}} if (place := of.body.get("look", {}).get("place")) else {}),
    }


def _due(piece: Mapping[str, Any], order: Shortpaid, tables: tuple[Table, ...]) -> dict[str, Any]:
    """Give the piece as it was found, with what is due for it on the day it is mailed."""
    shape = order.shape or piece["shape"]
    weight = order.weight_oz or Fraction(piece["weight"])
    found = {**piece, "shape": shape, "weight": str(weight)}
    if order.due is not None:
        return {**found, "due": int(order.due), "due_told": True}
    claim = replace(claim_of(piece), accept_low=order.accept_low or claim_of(piece).accept_low)
    size = size_of(piece.get("on", "")) if "size" not in piece else Size.parse(piece["size"])
    price = price_for(shape, weight, day=order.mailing_date, claim=claim, tables=tables, size=size)
    told = {"category": price.category, "table": price.table, "confidence": price.confidence}
    return {**found, "due": int(price.amount), **told, **({"derived": True} if price.derived else {})}


def _ground(piece: int, amount: Mills, *, lacks: Mills, paid: Mills, due: Mills, reason: str) -> Refused | None:
    if lacks <= ZERO:
        return Refused("mailroom.not-shortpaid", piece=piece, paid=paid, due=due)
    said = {"piece": piece, "difference": lacks, "due": due, "paid": paid, "amount": amount}
    if amount < lacks:
        return Refused("mailroom.correction-short", **said)
    if amount > lacks and not reason:
        return Refused("mailroom.correction-over", **said)
    return None


def check_reason(reason: str) -> None:
    """Check that a reason, where there is one, is a line of plain text. Raises `BadInput` (mailroom.reason-unfit)."""
    if reason and (len(reason) > MAX_REASON or not reason.strip() or not reason.isprintable()):
        raise BadInput("mailroom.reason-unfit", limit=MAX_REASON)
