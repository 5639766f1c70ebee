"""Whether a device has evidenced a job, asked of the device itself.

Here: the question, also to a device that gives no evidence away any more, and what a part came to whose marks are lost
with it. Not here: evidencing (`licensee.mailroom`), ending a batch (`licensee.batches`).
Kept: a refusal alone says nothing, because the answer of an earlier attempt may have been lost. A faulted or zeroised
device gives no marks again, but still shows its registers: what they count beyond the host's own records was debited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import batches, halves, mailroom
from towncircle.psd.commands import StatusReport
from towncircle.psd.states import FAULTED, ZEROISED

if TYPE_CHECKING:
    from towncircle.world.journeys import Journeys

_SILENT = (FAULTED, ZEROISED)


def never(journeys: Journeys, job: Record) -> bool:
    """Tell whether the device is sure that it never evidenced a job."""
    if mailroom.form_of(job.body) == mailroom.REDATE:
        return True
    device = DeviceId(job.body["device"])
    with journeys.world.store(journeys.licensee).reading() as view:
        pair = [device, *halves.of(view, device)]
    return all(_never(journeys, job, one) for one in pair)


def _never(journeys: Journeys, job: Record, device: DeviceId) -> bool:
    try:
        with journeys.world.shelf.client(device) as client:
            status = client.status()
            if status.registers.pieces == 0:
                return True
            if status.state not in _SILENT:
                client.recover(job.key)
                return False
    except Refused as answer:
        return answer.code == "psd.request-unknown"
    with journeys.world.store(journeys.licensee).reading() as view:
        return status.registers.pieces == _written_down(view, device)[0]


def is_silent(journeys: Journeys, device: DeviceId) -> bool:
    """Tell whether a device shows its registers and nothing else any more."""
    return journeys.status_of(device).state in _SILENT


def lose(journeys: Journeys, job: Record) -> Record:
    """Write down that the marks of a part are lost with its device. Raises `Refused` (batch.in-doubt)."""
    device = DeviceId(job.body["device"])
    status = journeys.status_of(device)
    with journeys.world.store(journeys.licensee).reading() as view:
        pieces, mills = _written_down(view, device)
    if not _accounts_for(job, status, pieces=pieces, mills=mills):
        counted = status.registers.pieces - pieces
        raise Refused("batch.in-doubt", batch=job.body["batch"], device=device, counted=counted)
    after = {"ascending_after": status.registers.ascending, "descending_after": status.registers.descending}
    row: Record = journeys.do(lambda ctx: batches.lose(ctx, job=JobId(job.key), first_piece=pieces + 1, **after))
    return row


def _accounts_for(job: Record, status: StatusReport, *, pieces: int, mills: int) -> bool:
    held = status.registers
    return (held.pieces - pieces, int(held.ascending) - mills) == (len(job.body["pieces"]), job.body["total"])


def _written_down(view: Transaction, device: DeviceId) -> tuple[int, int]:
    """Give the pieces and the mills that a device has evidenced by the host's own records."""
    rows = [row.body for row in view.find("job", owner=device) if row.body.get("first_piece")]
    last = max((body["first_piece"] + len(body["pieces"]) - 1 for body in rows), default=0)
    return last, sum(body["total"] for body in rows)
