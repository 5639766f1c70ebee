"""Batches: many pieces under one reservation, cut into jobs that the device takes whole.

Here: reserving a batch with all its pieces, its jobs in their order, ending it. Not here: reading a list and writing
files (`towncircle.world.batching`), one job's evidence (`mailroom`).
Kept: a batch is written down whole, pieces and money, in one transaction, before the device is asked for anything; so
what was planned depends on no file any more. Each of its jobs is one command of the device under an id that follows
from the batch's, so asking again gives the same indicia. What a batch has not spent stays reserved until it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import BatchId, DeviceId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import books, departments
from towncircle.licensee.limits import Limits
from towncircle.licensee.mailroom import CLAIMED, EVIDENCED, LOST, POSTAGE, PRINTED
from towncircle.licensee.promises import (
    DECIDED,
    PAID_FROM,
    PLANNED,
    RESERVED,
    WAITING,
    job_of,
    none_begun,
    of_balance,
    open_batches,
)
from towncircle.mailpiece.sheets import stock, used

GIVEN_UP = "given up"
Piece = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Hold what one job of a batch comes to, without its pieces; `categories` gives pieces and mills of each.

    `start` is the label of its sheet at which it begins, 0 where it is on no label stock. Of a piece on several tapes
    each tape counts, as on the device.
    """

    pieces: int
    total: Mills
    categories: Mapping[str, tuple[int, int]]
    start: int = 0

    @classmethod
    def of(cls, pieces: Sequence[Piece], *, start: int = 0) -> Part:
        """Add pieces up."""
        found: dict[str, tuple[int, int]] = {}
        for piece in pieces:
            count, mills = found.get(piece["category"], (0, 0))
            found[piece["category"]] = (count + 1, mills + piece["amount"])
        total = Mills(sum(mills for _, mills in found.values()))
        return cls(pieces=len(pieces), total=total, categories=found, start=start)

    def as_dict(self) -> dict[str, Any]:
        """Give the part as a JSON record."""
        kinds = {category: list(held) for category, held in self.categories.items()}
        return {"pieces": self.pieces, "total": int(self.total), "categories": kinds, **self.where()}

    def where(self) -> dict[str, int]:
        """Give what its job says of the sheet that it begins on."""
        return {"start": self.start} if self.start else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Describe a batch: whose device, which layout, mailed when, paid and printed by whom, out of what and where to.

    `design` is what each job's body has besides (art, what is left out), `told` what the record keeps for people:
    template, source, formats, rows left out. `parts` are its jobs in their order. `beside`: another batch may be open.
    """

    batch: BatchId
    device: DeviceId
    layout: str
    day: date
    department: str
    person: str
    out: str
    parts: tuple[Part, ...]
    design: Mapping[str, Any]
    told: Mapping[str, Any]
    beside: bool = False

    @property
    def total(self) -> Mills:
        """Give what all its pieces cost."""
        return sum((part.total for part in self.parts), ZERO)

    @property
    def pieces(self) -> int:
        """Give the number of its pieces."""
        return sum(part.pieces for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """Hold what a batch may draw on: the device's balance and cap, and, where it is refilled on the way, the account.

    `account` is what lies with the Provider by the licensee's own books, None where nothing may be drawn from it.
    `promised` of the balance, before that was read: another batch may have debited a part of it since. `payer` is the
    half of a hybrid whose balance it is, while that stands in for its device.
    """

    balance: Mills
    cap: Mills
    account: Mills | None = None
    promised: Mills = ZERO
    payer: str = ""

    @cites("P050-3.6")
    def check(self, total: Mills) -> None:
        """Check that a total can be paid.

        Raises `Refused` (batch.balance-short, batch.over-cap, batch.account-short).
        """
        lacking = total - self.balance
        if lacking <= ZERO:
            return
        held: dict[str, Any] = {"total": total, "balance": self.balance, "lacking": lacking}
        if self.account is None and total > self.cap:
            raise Refused("batch.over-cap", cap=self.cap, **held)
        if self.account is None:
            raise Refused("batch.balance-short", **held)
        if lacking > self.account:
            raise Refused("batch.account-short", account=self.account, more=lacking - self.account, **held)


def jobs_of(record: Record) -> list[JobId]:
    """Name the jobs of a batch in their order."""
    return [job_of(record.key, number) for number in range(1, len(record.body["parts"]) + 1)]


@cites("P050-1.4", "P050-1.5", "P050-4.7", "IMI-05")
def reserve(ctx: Context, *, order: Order, pieces: Iterable[Sequence[Piece]], limits: Limits, funds: Funds) -> Record:
    """Write a batch down with all its jobs and reserve its money; give its record.

    `pieces` are those of each part in turn, read while they are written. Raises what `Limits.check`, `Funds.check` and
    `departments` raise, and `Refused` (batch.begun-here, mailroom.job-open) where a batch is open.
    """
    earlier = ctx.tx.get("batch", order.batch)
    if earlier is not None:
        return earlier
    _check(ctx, order, limits, funds)
    departments.reserve(ctx, department=order.department, job=order.batch, amount=order.total)
    shared = {
        "device": order.device,
        "layout": order.layout,
        "state": WAITING,
        "form": POSTAGE,
        "mailing_date": order.day.isoformat(),
        "department": order.department,
        "person": order.person,
        "batch": order.batch,
        **order.design,
    }
    for number, (part, held) in enumerate(zip(order.parts, pieces, strict=True), start=1):
        body = {**shared, "part": number, "total": int(part.total), "pieces": list(held), **part.where()}
        ctx.tx.put("job", job_of(order.batch, number), body, owner=order.device, expected=0)
    body = {
        "state": RESERVED,
        "device": order.device,
        "mailing_date": order.day.isoformat(),
        "department": order.department,
        "person": order.person,
        "out": order.out,
        "count": order.pieces,
        "total": int(order.total),
        "parts": [part.as_dict() for part in order.parts],
        **order.told,
        **({PAID_FROM: funds.payer} if funds.payer else {}),
    }
    told: dict[str, Any] = {"department": order.department, "person": order.person, "jobs": len(order.parts)}
    told |= {"device": order.device, "count": order.pieces, "total": int(order.total)}
    ctx.note("batch.reserved", order.batch, clauses=("P050 1.5",), **told)
    return ctx.tx.put("batch", order.batch, body, owner=order.device, expected=0)


def _check(ctx: Context, order: Order, limits: Limits, funds: Funds) -> None:
    none_begun(ctx.tx, order.out)
    opened = open_batches(ctx.tx)
    if opened and not order.beside:
        raise Refused("mailroom.job-open", jobs=", ".join(row.key for row in opened))
    limits.check(day=order.day)
    departments.check_person(ctx, department=order.department, person=order.person, job=order.batch)
    funds.check(order.total + max(funds.promised, of_balance(ctx.tx, order.device)))


def jobs(view: Transaction, record: Record) -> Iterator[Record]:
    """Give the jobs of a batch in their order, each read when its turn comes."""
    for job in jobs_of(record):
        row = view.get("job", job)
        assert row is not None
        yield row


def lose(
    ctx: Context, *, job: JobId, device: DeviceId, first_piece: int, ascending_after: Mills, descending_after: Mills
) -> Record:
    """Write down that a device debited a part or a single job and gives its marks no more; its money is spent.

    `first_piece` and the registers are as the device counts. It was evidenced, at an instant that nobody knows. Of a
    hybrid, `device` may be the half.
    """
    row = ctx.tx.get("job", job)
    assert row is not None
    if row.body["state"] not in (PLANNED, WAITING):
        return row
    total = Mills(row.body["total"])
    if row.body["state"] == WAITING:
        departments.spend(ctx, job=row.body["batch"], amount=total)
    else:
        departments.settle(ctx, job=job, spent=total)
    books.book_postage(ctx, job=job, device=device, department=row.body["department"], amount=total)
    told: dict[str, Any] = {"first_piece": first_piece, "count": len(row.body["pieces"]), "total": int(total)}
    told |= {"ascending_after": int(ascending_after), "descending_after": int(descending_after)}
    day = row.body["mailing_date"]
    ctx.note("evidence.made", job, clauses=("502.8(b)",), device=device, mailing_date=day, **told)
    body = {**row.body, "device": device, "state": LOST, "first_piece": first_piece}
    owner = device if row.owner == row.body["device"] else row.owner
    return ctx.tx.put("job", job, body, owner=owner, expected=row.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Hold a decision whether a device debited a job; `departments` are those of the jobs that it may have been."""

    job: JobId
    device: DeviceId
    debited: bool
    departments: Iterable[str]


@cites("IMI-05/3")
def check_decider(ctx: Context, decision: Decision) -> None:
    """Check that a job is open, and that who decides on it may print for every department that it may charge.

    Raises `Refused`: mailroom.not-in-doubt, and as `departments.check_person`.
    """
    row = ctx.tx.get("job", decision.job)
    assert row is not None
    if row.body["state"] not in (PLANNED, WAITING):
        raise Refused("mailroom.not-in-doubt", job=row.key, state=row.body["state"])
    for department in sorted({row.body["department"], *decision.departments}):
        departments.check_person(ctx, department=department, person=ctx.actor, job=decision.job)


def decide(ctx: Context, decision: Decision, *, told: Mapping[str, Any]) -> None:
    """Write down a person's decision whether a device debited a job that it can say nothing of any more.

    `told` is what it rests on: what was counted, among which jobs, and the reason. One that was debited is then lost
    (`lose`); any other one counts as never evidenced by that device.
    """
    row = ctx.tx.get("job", decision.job)
    assert row is not None
    about: dict[str, Any] = {"device": decision.device, "debited": decision.debited, **told}
    ctx.note("evidence.decided", row.key, clauses=("IMI-05",), **about)
    if not decision.debited:
        ctx.tx.put("job", row.key, {**row.body, DECIDED: ctx.actor}, owner=row.owner, expected=row.version)


def outcome(view: Transaction, record: Record, *, given_up: bool = False) -> dict[str, Any]:
    """Give what a batch comes to at its end: its state, the pieces that were printed, what was spent.

    Pieces that were sent in for a refund are counted as such (`refunded`, `refunded_mills`), and those whose marks were
    lost with their device (`lost`, `lost_mills`); `spent` has both. On label stock `labels` says what it took.

    Raises `Refused` (batch.unfinished) where a job is not printed and the batch is not given up.
    """
    idle = left = 0
    printed: list[bool] = []
    gone = {CLAIMED: [0, 0], LOST: [0, 0]}
    for job in jobs(view, record):
        printed.append(job.body["state"] == PRINTED)
        if job.body["state"] == EVIDENCED or (job.body["state"] == WAITING and not given_up):
            left += 1
        elif job.body["state"] in gone:
            held = gone[job.body["state"]]
            held[:] = held[0] + len(job.body["pieces"]), held[1] + job.body["total"]
        elif job.body["state"] != PRINTED:
            idle += len(job.body["pieces"])
    if left:
        raise Refused("batch.unfinished", batch=record.key, left=left)
    reservation = view.get("reservation", record.key)
    assert reservation is not None
    (refunded, refunded_mills), (lost, lost_mills) = gone[CLAIMED], gone[LOST]
    return {
        "state": GIVEN_UP if idle or lost else PRINTED,
        "printed": record.body["count"] - idle - refunded - lost,
        "refunded": refunded,
        "refunded_mills": refunded_mills,
        "lost": lost,
        "lost_mills": lost_mills,
        "spent": reservation.body.get("spent", 0),
        **labels_of(record.body["template"], record.body["parts"], printed),
    }


def labels_of(
    template: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], printed: Sequence[bool]
) -> dict[str, dict[str, Any]]:
    """Give what the parts of a batch take of its label stock (`labels`); nothing where it is on none."""
    name = template.get("stock")
    if not name:
        return {}
    runs = [(part["pieces"], done) for part, done in zip(parts, printed, strict=True)]
    return {"labels": {"stock": name, "start": template["start"], **used(stock(name), template["start"], runs)}}


def end(ctx: Context, *, batch: str, given_up: bool = False) -> Record:
    """End a batch: what it did not spend is released, and jobs that still wait are given up with it.

    Raises `Refused` (batch.unknown, batch.unfinished).
    """
    row = held_batch(ctx.tx, batch)
    if row.body["state"] != RESERVED:
        return row
    told = outcome(ctx.tx, row, given_up=given_up)
    for job in jobs(ctx.tx, row):
        if job.body["state"] == WAITING:
            ctx.tx.put("job", job.key, {**job.body, "state": GIVEN_UP}, owner=job.owner, expected=job.version)
    departments.settle(ctx, job=batch, spent=ZERO)
    kind = "batch.given-up" if told["state"] == GIVEN_UP else "batch.printed"
    ctx.note(kind, batch, device=row.body["device"], count=told["printed"], total=told["spent"])
    return ctx.tx.put("batch", batch, {**row.body, **told}, owner=row.owner, expected=row.version)


def held_batch(view: Transaction, batch: str) -> Record:
    """Give the record of a batch. Raises `Refused` (batch.unknown)."""
    row = view.get("batch", batch)
    if row is None:
        raise Refused("batch.unknown", batch=batch[:40])
    return row
