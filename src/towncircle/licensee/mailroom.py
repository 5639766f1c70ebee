"""Print jobs: planned, evidenced, printed (journey B).

Here: the job and its three steps, each one transaction, so that a crash in between loses and doubles nothing.
Not here: pages and files (`envelopes.py` composes, `paper/` draws), registers (the device's).
Kept: every piece is priced and its money reserved before the device is asked; the job's id is the device's client id,
so asking again gives the same indicia; value at least the exact amount due (P050 1.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from towncircle.licensee import books, departments
from towncircle.licensee.funds import held_device
from towncircle.mailpiece.address_files import Recipient
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.rates import Price, PriceRequest, PriceType, Shape, price
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import Evidence, Evidenced

DEFAULT_WEIGHT_OZ = Fraction(1)
SOFTWARE_ID = b"TC"  # house


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Describe a print order: to whom, when it is mailed, at which price type, for which department."""

    device: DeviceId
    layout: str
    recipients: tuple[Recipient, ...]
    mailing_date: date
    price_type: PriceType = "metered"
    weight_oz: Fraction = DEFAULT_WEIGHT_OZ
    shape: Shape = "letter"
    department: str = departments.DEFAULT


@cites("P050-1.4", "P050-1.5", "P050-4.7", "IMI-05")
def plan(ctx: Context, *, order: Order, job: JobId) -> Record:
    """Price every piece, reserve the money and write the job down; give its record."""
    if not order.recipients:
        raise Refused("mailroom.nothing-to-print")
    held_device(ctx, order.device)
    earlier = ctx.tx.get("job", job)
    if earlier is not None:
        return earlier
    pieces = _priced(order)
    total = sum((Mills(piece["amount"]) for piece in pieces), ZERO)
    departments.reserve(ctx, department=order.department, job=job, amount=total)
    body = {
        "device": order.device,
        "layout": order.layout,
        "state": "planned",
        "mailing_date": order.mailing_date.isoformat(),
        "department": order.department,
        "total": int(total),
        "pieces": pieces,
    }
    ctx.note("print.planned", job, clauses=("P050 1.5",), device=order.device, count=len(pieces), total=int(total))
    return ctx.tx.put("job", job, body, owner=order.device, expected=0)


@cites("PRE-04", "502.8b")
def evidence(ctx: Context, *, job: JobId) -> Steps:
    """Have the device evidence a planned job and keep its indicia; give the job's record."""
    row = ctx.tx.get("job", job)
    assert row is not None
    if row.body["state"] != "planned":
        return row
    planned = row.body
    device = DeviceId(planned["device"])
    done: Evidenced
    done, status = yield Exchange(device, lambda client: (_ask(client, job, planned), client.status()))
    row = ctx.tx.get("job", job)
    assert row is not None
    if row.body["state"] != "planned":
        return row
    total = Mills(row.body["total"])
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
    )
    body = {
        **row.body,
        "state": "evidenced",
        "first_piece": done.first_piece,
        "indicia": [indicium.hex() for indicium in done.indicia()],
    }
    return ctx.tx.put("job", job, body, owner=row.owner, expected=row.version)


def price_for(shape: Shape, weight_oz: Fraction, *, day: date, price_type: PriceType = "metered") -> Price:
    """Price one piece as the mail room prints it. Raises what `mailpiece.rates.price` raises.

    The tables have no metered price for flats; retail is what a flat costs with an indicium too.
    """
    kind: PriceType = "retail" if shape == "flat" and price_type == "metered" else price_type
    return price(PriceRequest(on=day, weight_oz=weight_oz, shape=shape, price_type=kind))


def _priced(order: Order) -> list[dict[str, Any]]:
    pieces: list[dict[str, Any]] = []
    grounds: list[TowncircleError] = []
    for recipient in order.recipients:
        shape = recipient.shape or order.shape
        weight = recipient.weight_oz or order.weight_oz
        try:
            found = price_for(shape, weight, day=order.mailing_date, price_type=order.price_type)
        except (Refused, BadInput) as unknown:
            grounds.append(Refused("mailroom.no-price", row=recipient.row, why=unknown.sentence, clause=unknown.clause))
            continue
        pieces.append(
            {
                "address": _fields(recipient.address),
                "shape": shape,
                "weight": str(weight),
                "amount": int(found.amount),
                "category": found.category,
                "table": found.table,
            }
        )
    if grounds:
        raise RefusedOnGrounds("mailroom.prices-unknown", tuple(grounds), count=len(grounds))
    return pieces


def _fields(address: Address) -> dict[str, str]:
    return {field.name: str(getattr(address, field.name)) for field in fields(address)}


def printed(ctx: Context, *, job: JobId, files: Sequence[str]) -> Record:
    """Write down that a job's pages were handed over."""
    row = ctx.tx.get("job", job)
    assert row is not None
    ctx.note("print.handed-over", job, device=row.body["device"], count=len(row.body["pieces"]))
    return ctx.tx.put(
        "job", job, {**row.body, "state": "printed", "files": list(files)}, owner=row.owner, expected=row.version
    )


def give_up(ctx: Context, *, job: JobId) -> None:
    """End a job that the device refused: its reservation is released."""
    row = ctx.tx.get("job", job)
    assert row is not None
    if row.body["state"] == "planned":
        departments.settle(ctx, job=job, spent=ZERO)
        ctx.note("print.given-up", job, device=row.body["device"])
        ctx.tx.put("job", job, {**row.body, "state": "given up"}, owner=row.owner, expected=row.version)


def open_jobs(ctx: Context) -> list[Record]:
    """Give the jobs that a crash left between their steps."""
    return [row for row in ctx.tx.find("job") if row.body["state"] in ("planned", "evidenced")]


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
    return client.evidence(Evidence.of(job, amounts=amounts, date=body["mailing_date"], **columns))
