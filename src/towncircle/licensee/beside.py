"""What a single piece may spend beside open batches, on whichever device of a hybrid pays for it.

Here: the check before a single job is evidenced. Not here: what is promised (`promises`), which device is which
(`halves`).
Kept: what open batches were promised of a balance is spent by them alone. While the half of a hybrid stands in for its
device, that is what batches were reserved of the half's own balance; once the service was moved for good, the half owes
all that they still want.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Exchange, Steps
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import halves, promises
from towncircle.psd.client import DeviceClient, pays_other
from towncircle.psd.commands import StatusReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """Hold what a single job may not spend: `kept` of the device's balance itself, `refilled` of it and the account."""

    batch: str
    out: str
    kept: Mills
    refilled: Mills = ZERO
    account: Mills = ZERO

    def lacking(self, balance: Mills, total: Mills) -> Mills:
        """Give what a device lacks for a single job beside what is promised; nothing, or less, where it has enough."""
        of_balance = total + self.kept - balance
        if self.refilled <= ZERO:
            return of_balance
        return max(of_balance, of_balance + self.refilled - max(ZERO, self.account))

    def refusal(self, told: StatusReport, total: Mills) -> Refused | None:
        """Give the refusal of a job that does not leave what is promised; of more than there is the device says so."""
        balance = told.registers.descending
        lacking = self.lacking(balance, total)
        if lacking <= ZERO or total > balance:
            return None
        held: dict[str, Any] = {"batch": self.batch, "out": self.out, "promised": self.kept + self.refilled}
        return Refused("mailroom.promised", device=told.device, total=total, balance=balance, lacking=lacking, **held)


@cites("P050-1.5")
def check(ctx: Context, *, device: DeviceId, job: JobId, total: Mills) -> Steps:
    """Check that a single job leaves what open batches were promised; one that was evidenced already is paid.

    Raises `Refused` (mailroom.promised).
    """
    first = halves.first_of(ctx.tx, device)
    opened = promises.open_batches(ctx.tx)
    own, of_first = ([row for row in opened if row.owner == whose] for whose in (device, first))
    if not own and not of_first:
        return
    promised = _of(ctx, device, own) if own else None
    told: StatusReport = yield Exchange(device, lambda client: client.shown())
    if of_first and not own:
        shown = yield Exchange(DeviceId(str(first)), lambda client: client.shown(), failing=_none)
        promised = _of_half(ctx.tx, told.device, of_first, moved=shown is None or _moved(shown, str(first)))
    elif told.device != device:
        promised = _of_half(ctx.tx, told.device, own, moved=False)
    elif _moved(told, device):
        half = halves.of(ctx.tx, device)[-1:]
        if not half:  # a hosted device that is not leased as its half: it says itself what it can pay
            return
        told = yield Exchange(half[0], lambda client: client.status())
        promised = _of_half(ctx.tx, told.device, own, moved=True)
    refusal = promised.refusal(told, total) if promised is not None else None
    if refusal is None:
        return
    for one in {device: None, told.device: None}:  # the half too, where it pays
        if (yield Exchange(one, lambda client: _evidenced(client, job))):
            return
    raise refusal


def _moved(told: StatusReport, device: str) -> bool:
    return told.device == device and pays_other(told, device)


def _of(ctx: Context, device: DeviceId, rows: list[Record]) -> Promised:
    return Promised(
        batch=rows[0].key,
        out=rows[0].body["out"],
        kept=promises.bound(ctx.tx, device, refilled=False),
        refilled=promises.bound(ctx.tx, device, refilled=True),
        account=promises.on_account(ctx.tx, licensee=ctx.party, device=device),
    )


def _of_half(view: Transaction, half: str, rows: list[Record], *, moved: bool) -> Promised | None:
    """Give what the half of a hybrid owes batches of its device; it is reset for none of them on the way."""
    owed = rows if moved else [row for row in rows if row.body.get(promises.PAID_FROM) == half]
    if not owed:
        return None
    return Promised(batch=owed[0].key, out=owed[0].body["out"], kept=promises.wanted(view, owed))


def _none(_error: TowncircleError) -> None:
    return None


def _evidenced(client: DeviceClient, job: JobId) -> bool:
    """Tell whether a device may have evidenced a job; no, where it was certainly not reached and another one pays."""
    try:
        client.recover(job)
    except Refused as answer:
        return answer.code not in ("psd.request-unknown", "psd.restarting", "transport.unreachable")
    return True
