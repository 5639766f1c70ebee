"""What is promised of a device's balance, and what may be spent beside it.

Here: the money that open batches still want, the jobs that wait for the device, and the check before a single piece is
evidenced. Not here: reserving a batch (`batches`), budgets (`departments`).
Kept: what an open batch has reserved of a device is spent by that batch alone, until it ends or is given up. The half
of a hybrid that stands in for its device, or took its place, has a balance of its own, which is promised to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.ledger import LICENSEE, Books
from towncircle.psd.client import DeviceClient, pays_other

RESERVED, PLANNED = "reserved", "planned"
HALF_OF = "half_of"  # a field of the licensee's record of a device: it is the hosted half of that one


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """Hold what a single job may not spend: `kept` of the device's balance itself, `refilled` of it and the account."""

    batch: str
    out: str
    device: str
    kept: Mills
    refilled: Mills
    account: Mills

    def lacking(self, balance: Mills, total: Mills) -> Mills:
        """Give what a device lacks for a single job beside what is promised; nothing, or less, where it has enough."""
        of_balance = total + self.kept - balance
        if self.refilled <= ZERO:
            return of_balance
        return max(of_balance, of_balance + self.refilled - max(ZERO, self.account))

    def check(self, client: DeviceClient, *, job: JobId, total: Mills) -> None:
        """Check that a job leaves what is promised; one that the device has evidenced already is paid.

        Raises `Refused` (mailroom.promised).
        """
        told = client.shown()
        if pays_other(told, self.device):  # it says itself what it can pay
            return
        balance = told.registers.descending
        lacking = self.lacking(balance, total)
        if lacking <= ZERO or total > balance or _evidenced(client, job):  # more than it holds: the device says so
            return
        held: dict[str, Any] = {"batch": self.batch, "out": self.out, "promised": self.kept + self.refilled}
        raise Refused("mailroom.promised", total=total, balance=balance, lacking=lacking, **held)


def promised(ctx: Context, *, device: DeviceId) -> Promised | None:
    """Give what open batches were promised of a device; None where no batch is open."""
    rows = [row for row in open_batches(ctx.tx) if row.owner == device]
    if not rows:
        return None
    return Promised(
        batch=rows[0].key,
        out=rows[0].body["out"],
        device=device,
        kept=bound(ctx.tx, device, refilled=False),
        refilled=bound(ctx.tx, device, refilled=True),
        account=on_account(ctx.tx, licensee=ctx.party, device=device),
    )


def _evidenced(client: DeviceClient, job: JobId) -> bool:
    try:
        client.recover(job)
    except Refused as answer:
        return answer.code != "psd.request-unknown"
    return True
