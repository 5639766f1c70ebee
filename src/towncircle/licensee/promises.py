"""What is promised of a device's balance.

Here: the money that open batches still want, and the jobs that wait for the device. Not here: the check before a single
piece is evidenced (`beside`), reserving a batch (`batches`), budgets (`departments`).
Kept: what an open batch has reserved of a device is spent by that batch alone, until it ends or is given up.
"""

from __future__ import annotations

from collections.abc import Iterable

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.ledger import LICENSEE, Books

RESERVED, PLANNED = "reserved", "planned"
WAITING = "waiting"  # a job that stands in an open batch, whose reservation pays for it
REDATE = "redate"  # the form of a job that debits nothing
DECIDED = "decided_by"  # a field of a job that a device did not debit, as a person decided
HALF_OF = "half_of"  # a field of the licensee's record of a device: it is the hosted half of that one
LEASED = "leased"  # another one: the how-manieth lease it came by
PAID_FROM = "paid_from"  # a field of a batch: the half that stood in for its device, whose balance it was reserved of


def open_batches(view: Transaction) -> list[Record]:
    """Give the batches that are neither printed nor given up."""
    return view.find("batch", states=(RESERVED,))


def none_begun(view: Transaction, out: str) -> None:
    """Refuse to begin a batch where an open one was begun. Raises `Refused` (batch.begun-here)."""
    for row in open_batches(view):
        if row.body["out"] == out:
            raise Refused("batch.begun-here", batch=row.key, out=out)


def bound(view: Transaction, device: str, *, refilled: bool | None = None) -> Mills:
    """Give what open batches still want of a device: all of them, or those that are refilled on the way, or not."""
    rows = [row for row in open_batches(view) if row.owner == device and refilled in (None, row.body["refill"])]
    return wanted(view, rows)


def wanted(view: Transaction, rows: Iterable[Record]) -> Mills:
    """Give what open batches still want."""
    held = [(row.body["total"], view.get("reservation", row.key)) for row in rows]
    return Mills(sum(total - (of.body.get("spent", 0) if of is not None else 0) for total, of in held))


def waiting(view: Transaction, device: str) -> Mills:
    """Give what single jobs cost that were planned for a device and not evidenced yet."""
    rows = [row for row in view.find("job", states=(PLANNED,)) if row.owner == device]
    return Mills(sum(row.body["total"] for row in rows))


def of_balance(view: Transaction, device: str) -> Mills:
    """Give what is promised of a device's balance: to open batches, and to single jobs that wait."""
    return bound(view, device) + waiting(view, device)


def on_account(view: Transaction, *, licensee: str, device: str) -> Mills:
    """Give what a device may draw from the account with its Provider, by the licensee's own books.

    What open batches of other devices are refilled with on the way is theirs.
    """
    row = view.get("device", device)
    assert row is not None
    provider, books = row.body["provider"], Books(view, LICENSEE)
    elsewhere = ZERO
    for other in sorted({batch.owner for batch in open_batches(view) if batch.body["refill"]} - {device}):
        held = view.get("device", other)
        if held is not None and held.body["provider"] == provider:
            lacking = max(ZERO, bound(view, other) - books.balance(f"in-device/{licensee}/{other}"))
            elsewhere += min(lacking, bound(view, other, refilled=True))
    return books.balance(f"on-deposit/{provider}/{licensee}") - elsewhere


def maybe_debited(view: Transaction) -> list[Record]:
    """Give the open jobs whose answer may be lost: single ones, and of each open batch the next part."""
    rows = [row for row in view.find("job", states=(PLANNED,)) if row.body.get("form") != REDATE]
    for batch in open_batches(view):
        parts = (view.get("job", job_of(batch.key, at)) for at in range(1, len(batch.body["parts"]) + 1))
        rows += [row for row in parts if row is not None and row.body["state"] == WAITING][:1]
    return rows


def cleared(view: Transaction, row: Record) -> set[DeviceId]:
    """Give the devices of which a person decided that they did not debit a job; of any other one that says nothing."""
    if DECIDED not in row.body:
        return set()
    told = (fact for fact in view.facts() if fact.type == "evidence.decided" and fact.subject == row.key)
    return {DeviceId(fact.body["device"]) for fact in told if not fact.body["debited"]}


def job_of(batch: str, number: int) -> JobId:
    """Name a job of a batch; they are counted from 1."""
    return JobId.derived(batch, str(number))
