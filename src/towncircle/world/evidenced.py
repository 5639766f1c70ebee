"""Whether a device has evidenced a job, asked of the device itself.

Here: the question, also to a device that gives no evidence away any more, and what a part came to whose marks are lost
with it. Not here: evidencing (`licensee.mailroom`), ending a batch (`licensee.batches`).
Kept: a refusal alone says nothing, because the answer of an earlier attempt may have been lost. A faulted or zeroised
device gives no marks again, but still shows its registers: what they count beyond the host's own records was debited.
A device that is out of service may not be asked any more: what it was set to, and signed that it gave back, leaves what
it evidenced, and the licensee's own books tell whether all of that is written down. Every half that a device ever had
is asked with it, whatever became of it since, unless the hybrid's notes say that it never got the job, or it was gone
before the job was planned; one that nobody can ask and that gave nothing back is no "never".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.ledger import LICENSEE, Books
from towncircle.licensee import batches, halves, mailroom, missing, promises, returns
from towncircle.psd.commands import StatusReport
from towncircle.psd.states import FAULTED, ZEROISED
from towncircle.wire.bodies.checkout import EXAMINATION
from towncircle.world import notebook

if TYPE_CHECKING:
    from towncircle.world.journeys import Journeys

_SILENT = (FAULTED, ZEROISED)
_NO_MORE = "world.station-refused"  # a host to a licensee whose device is gone


def never(journeys: Journeys, job: Record) -> bool:
    """Tell whether the device, and every half that it had, is sure that it never evidenced a job."""
    if mailroom.form_of(job.body) == mailroom.REDATE:
        return True
    return all(_never(journeys, job, one) for one in _asked(journeys, job))


def _asked(journeys: Journeys, job: Record) -> list[DeviceId]:
    device = DeviceId(job.body["device"])
    with journeys.world.store(journeys.licensee).reading() as view:
        known = [half for half in halves.ever_of(view, device) if not _gone_before(view, half, job)]
    folder = journeys.world.shelf.folder_of(device)
    return [device, *(half for half in known if notebook.was_sent(folder, job.key, other=half))]


def _gone_before(view: Transaction, half: DeviceId, job: Record) -> bool:
    """Tell whether a half was out of service, or struck by its Provider as lost or stolen, before a job was planned."""
    case, missed = view.get("check-out", half), view.get("missing", half)
    out = case is not None and case.body["state"] == returns.DONE
    lost = missed is not None and missed.body["state"] == missing.TOLD and missed.body["event"] != missing.RECOVERED
    if not (out or lost):
        return False
    planned = {job.key, job.body.get("batch", job.key)}
    for fact in reversed(view.facts()):
        if fact.subject in planned and fact.type in ("print.planned", "batch.reserved"):
            return True
        if fact.subject == half and fact.type in ("check-out.done", "device.incident-reported"):
            return False
    return False


def _never(journeys: Journeys, job: Record, device: DeviceId) -> bool:
    if _unwritten(journeys, device) == ZERO:
        return True
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


def _unwritten(journeys: Journeys, device: DeviceId) -> Mills | None:
    """Give what a device evidenced and nobody here wrote down, by the licensee's books; None while it is in service."""
    with journeys.world.store(journeys.licensee).reading() as view:
        case = view.get("check-out", device)
        if case is None or case.body["state"] != returns.DONE or case.body["outcome"] == EXAMINATION:
            return None
        return Books(view, LICENSEE).balance(f"in-device/{journeys.licensee}/{device}")


def is_silent(journeys: Journeys, device: DeviceId) -> bool:
    """Tell whether a device shows its registers and nothing else any more; no, where its half answers for it."""
    status = journeys.shown_of(device)
    return status.device == device and status.state in _SILENT


def lost_with(journeys: Journeys, job: Record) -> DeviceId | None:
    """Name the device that debited more than is written down and gives no marks away any more; None where none did."""
    return next((one for one in _asked(journeys, job) if _has_lost(journeys, job, one)), None)


def _has_lost(journeys: Journeys, job: Record, device: DeviceId) -> bool:
    left = _unwritten(journeys, device)
    if left == ZERO:
        return False
    try:
        with journeys.world.shelf.client(device) as client:
            status = client.status()
            if left is not None and status.state not in _SILENT:
                client.recover(job.key)
                return False
    except Refused as answer:  # any other says nothing of what it could give
        return left is not None and answer.code == _NO_MORE
    with journeys.world.store(journeys.licensee).reading() as view:
        return status.state in _SILENT and status.registers.pieces != _written_down(view, device)[0]


def check_made(journeys: Journeys, job: Record) -> None:
    """Check that a job was evidenced, so that asking for it again debits nothing.

    Raises `Refused` (mailroom.half-silent) where its device was not the one, and what the device answers.
    """
    device = DeviceId(job.body["device"])
    try:
        with journeys.world.shelf.client(device) as client:
            client.recover(job.key)
    except Refused as answer:
        if answer.code != "psd.request-unknown":
            raise
        others = ", ".join(_asked(journeys, job)[1:])
        raise Refused("mailroom.half-silent", job=job.key, device=device, half=others) from answer


def end(journeys: Journeys, job: Record) -> None:
    """End a single job that was refused, where that is sure: it was never evidenced, or its marks are lost.

    Raises `Refused` (mailroom.marks-lost) where they are: its money is spent. Any other one stays open.
    """
    if journeys.never_evidenced(job):
        journeys.do(lambda ctx: mailroom.give_up(ctx, job=JobId(job.key)))
        return
    gone = lost_with(journeys, job) if job.body["state"] == promises.PLANNED else None
    if gone is not None:
        try:
            lose(journeys, job, gone)
        except Refused:  # several jobs may be open there, and nobody knows which of them it was
            return
        raise Refused("mailroom.marks-lost", job=job.key, device=gone, amount=Mills(job.body["total"]))


def lose(journeys: Journeys, job: Record, device: DeviceId) -> Record:
    """Write down that the marks of a job are lost with a device. Raises `Refused` (batch.in-doubt)."""
    with journeys.world.store(journeys.licensee).reading() as view:
        pieces, mills = _written_down(view, device)
        case = view.get("check-out", device)
    left, total = _unwritten(journeys, device), int(job.body["total"])
    if left is not None:
        assert case is not None
        counted, exact = "an unknown number of", left == total
        after = Mills(mills + total), Mills(case.body["amount"])
    else:
        status = journeys.status_of(device)
        counted, exact = str(status.registers.pieces - pieces), _accounts_for(job, status, pieces=pieces, mills=mills)
        after = status.registers.ascending, status.registers.descending
    if not exact or _may_be_another(journeys, job):
        raise Refused("batch.in-doubt", batch=job.body.get("batch", job.key), device=device, counted=counted)
    after_it = {"ascending_after": after[0], "descending_after": after[1]}
    row: Record = journeys.do(
        lambda ctx: batches.lose(ctx, job=JobId(job.key), device=device, first_piece=pieces + 1, **after_it)
    )
    return row


def _may_be_another(journeys: Journeys, job: Record) -> bool:
    """Tell whether another open job comes to the same, and another department would pay for it."""
    with journeys.world.store(journeys.licensee).reading() as view:
        others = [row.body for row in view.find("job", states=(promises.PLANNED, mailroom.WAITING))]
    mine = job.body
    return any(
        (body["device"], body["total"], len(body["pieces"])) == (mine["device"], mine["total"], len(mine["pieces"]))
        and body["department"] != mine["department"]
        for body in others
    )


def _accounts_for(job: Record, status: StatusReport, *, pieces: int, mills: int) -> bool:
    held = status.registers
    return (held.pieces - pieces, int(held.ascending) - mills) == (len(job.body["pieces"]), job.body["total"])


def _written_down(view: Transaction, device: DeviceId) -> tuple[int, int]:
    """Give the pieces and the mills that a device has evidenced by the host's own records."""
    rows = [row.body for row in view.find("job", owner=device) if row.body.get("first_piece")]
    last = max((body["first_piece"] + len(body["pieces"]) - 1 for body in rows), default=0)
    return last, sum(body["total"] for body in rows)
