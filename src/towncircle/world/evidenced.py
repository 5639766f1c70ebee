"""Whether a device has evidenced a job, asked of the device itself.

Here: the question, also to a device that gives no evidence away any more, what a part came to whose marks are lost
with it, and a person's decision where registers leave that open. Not here: evidencing (`licensee.mailroom`), ending a
batch (`licensee.batches`), the sums (`licensee.doubts`).
Kept: a refusal alone says nothing, because the answer of an earlier attempt may have been lost. A faulted or zeroised
device gives no marks again, but still shows its registers: what they count beyond the host's own records was debited.
A request that the hybrid's notes have at the half was never the first device's, and what a person decided of one
device says nothing of another. A device that is out of service may not be asked any more: what it was set to, and
signed that it gave back, leaves what it evidenced, and the licensee's own books tell whether all of that is written
down. Every half that a device ever had is asked with it, whatever became of it since, unless the hybrid's notes say
that it never got the job, or it was gone before the job was planned; one that nobody can ask and that gave nothing
back is no "never". Where several jobs are open, those that add up to what was counted were debited; a person decides
only what the registers leave open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.ledger import LICENSEE, Books
from towncircle.licensee import batches, doubts, halves, mailroom, missing, promises, returns
from towncircle.psd.client import pays_other
from towncircle.psd.states import FAULTED, ZEROISED
from towncircle.wire.bodies.checkout import EXAMINATION
from towncircle.world import notebook
from towncircle.world.departments import Payer, prove
from towncircle.world.turns import turn

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
        cleared = promises.cleared(view, job)
    folder = journeys.world.shelf.folder_of(device)
    sent = [half for half in known if notebook.was_sent(folder, job.key, other=half)]
    first = [] if notebook.went_elsewhere(folder, job.key, first=device) else [device]
    return [one for one in [*first, *sent] if one not in cleared or not _is_over(journeys, one)]


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
    left = _unwritten(journeys, device)
    if left == ZERO:
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
        if left is not None and answer.code == _NO_MORE:
            return _excluded(journeys, job, device)
        return answer.code == "psd.request-unknown"
    with journeys.world.store(journeys.licensee).reading() as view:
        written = _written_down(view, device)[0]
    return status.registers.pieces == written or _excluded(journeys, job, device)


def _unwritten(journeys: Journeys, device: DeviceId) -> Mills | None:
    """Give what a device evidenced and nobody here wrote down, by the licensee's books; None while it is in service."""
    with journeys.world.store(journeys.licensee).reading() as view:
        case = view.get("check-out", device)
        if case is None or case.body["state"] != returns.DONE or case.body["outcome"] == EXAMINATION:
            return None
        return Books(view, LICENSEE).balance(f"in-device/{journeys.licensee}/{device}")


def _is_over(journeys: Journeys, device: DeviceId) -> bool:
    """Tell whether a device gives no marks any more; one that gives some again tells by itself what it debited."""
    try:
        return journeys.status_of(device).state in _SILENT
    except Refused:
        return True  # it was, when a person decided, and nobody can say otherwise


def _is_out(journeys: Journeys, device: DeviceId) -> bool:
    with journeys.world.store(journeys.licensee).reading() as view:
        case = view.get("check-out", device)
    return case is not None and case.body["state"] == returns.DONE


def is_silent(journeys: Journeys, device: DeviceId) -> bool:
    """Tell whether a device shows its registers and nothing else any more; no, where its half gives new pieces."""
    status = journeys.shown_of(device)
    return not pays_other(status, device) and status.state in _SILENT


def lost_with(journeys: Journeys, job: Record) -> DeviceId | None:
    """Name the device that debited more than is written down and gives no marks away any more; None where none did.

    It is none, either, while another device that the job may have gone to can give it, or does not answer.
    """
    asked = _asked(journeys, job)
    gone = next((one for one in asked if _has_lost(journeys, job, one)), None)
    if any(_may_give(journeys, job, one) for one in asked if one != gone):
        return None
    return gone


def _may_give(journeys: Journeys, job: Record, device: DeviceId) -> bool:
    """Tell whether a device can give the marks of a job, or is only away now."""
    if _unwritten(journeys, device) == ZERO:
        return False
    try:
        with journeys.world.shelf.client(device) as client:
            if client.status().state in _SILENT:
                return False
            client.recover(job.key)
    except Refused as answer:
        return answer.code not in ("psd.request-unknown", _NO_MORE) and not answer.code.startswith("machine.")
    return True


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
        return answer.code == _NO_MORE and (left is not None or _is_out(journeys, device))
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
        others = ", ".join(one for one in _asked(journeys, job) if one != device)
        raise Refused("mailroom.half-silent", job=job.key, device=device, half=others) from answer


def end(journeys: Journeys, job: Record) -> None:
    """End a single job that was refused, where that is sure: it was never evidenced, or its marks are lost.

    Raises `Refused`: mailroom.marks-lost where they are, and its money is spent; batch.in-doubt where somebody is to
    decide. Any other one stays open.
    """
    if journeys.never_evidenced(job):
        journeys.do(lambda ctx: mailroom.give_up(ctx, job=JobId(job.key)))
        return
    gone = lost_with(journeys, job) if job.body["state"] == promises.PLANNED else None
    if gone is not None:
        lose(journeys, job, gone)
        raise Refused("mailroom.marks-lost", job=job.key, device=gone, amount=Mills(job.body["total"]))


def lose(journeys: Journeys, job: Record, device: DeviceId) -> Record:
    """Write down that the marks of a job are lost with a device, where its registers leave no doubt.

    Raises `Refused` (batch.in-doubt).
    """
    counted, rows = _counted(journeys, device), _candidates(journeys, device)
    found = doubts.ways(rows, counted)
    if not (doubts.agree(found) and any(doubts.within(way, job) for way in found)):
        raise _in_doubt(job, device, counted, rows, found)
    return _lost(journeys, job, device, counted)


def _in_doubt(
    job: Record, device: DeviceId, counted: doubts.Counted, rows: list[Record], found: list[doubts.Way]
) -> Refused:
    possible = {row.key for way in found for row in way} or {row.key for row in rows if counted.holds([row])}
    told = {"batch": job.body.get("batch", job.key), "counted": counted, "mills": counted.amount}
    return Refused("batch.in-doubt", device=device, jobs=", ".join(sorted(possible)) or "none of them", **told)


def _lost(journeys: Journeys, job: Record, device: DeviceId, counted: doubts.Counted) -> Record:
    row: Record = journeys.do(lambda ctx: _lose(ctx, job, device, counted))
    return row


def _lose(ctx: Context, job: Record, device: DeviceId, counted: doubts.Counted) -> Record:
    ascending, descending = counted.after(job)
    after_it = {"ascending_after": ascending, "descending_after": descending}
    return batches.lose(ctx, job=JobId(job.key), device=device, first_piece=counted.before[0] + 1, **after_it)


@cites("IMI-05", "P050-3.3c")
def decide(journeys: Journeys, job: str, *, debited: bool, payer: Payer, reason: str) -> Record:
    """Have a person decide whether an open job is among those that a device debited and cannot give any more.

    It is a person who may print for every department that may have to pay. What the registers decide by themselves is
    done by them. Gives the job as it is then.

    Raises `Refused`: mailroom.no-such-job, mailroom.not-in-doubt, mailroom.registers-say-otherwise,
    department.no-person, department.not-admitted, person.unknown and what the PIN is refused for; `BadInput`
    (licensee.reason).
    """
    returns.check_reason(reason)
    if not payer.person:
        raise Refused("department.no-person", job=job[:40])
    prove(journeys, payer, job=JobId.parse(job))
    with turn(journeys.world.folder, journeys.licensee):
        row = _held(journeys, job)
        device = lost_with(journeys, row) if row.body["state"] in (promises.PLANNED, mailroom.WAITING) else None
        if device is None or journeys.never_evidenced(row):
            raise Refused("mailroom.not-in-doubt", job=job, state=row.body["state"])
        counted, rows = _counted(journeys, device), _candidates(journeys, device)
        found = doubts.ways(rows, counted)
        left = [way for way in found if doubts.within(way, row) == debited]
        if not left if found else (debited and not counted.holds([row])):
            raise Refused("mailroom.registers-say-otherwise", job=job, device=device, counted=counted)
        among = {one.key: one.body["department"] for one in rows}
        told = {"pieces": counted.pieces or 0, "mills": counted.mills, "among": sorted(among), "reason": reason}
        decision = batches.Decision(
            job=JobId(job), device=device, debited=debited, departments={row.body["department"], *among.values()}
        )

        def decided(ctx: Context) -> None:
            batches.check_decider(ctx, decision)
            if not doubts.agree(found):
                batches.decide(ctx, decision, told=told)
            if debited:
                _lose(ctx, row, device, counted)
            else:
                mailroom.give_up(ctx, job=JobId(job))

        journeys.do(decided, actor=payer.person)
        return _held(journeys, job)


def in_doubt(journeys: Journeys) -> list[tuple[Record, DeviceId, doubts.Counted]]:
    """Give the open jobs of which somebody is to decide whether a device debited them, with what it counted."""
    with journeys.world.store(journeys.licensee).reading() as view:
        rows = doubts.candidates(view, lambda _: True)
    found = []
    for row in rows:
        device = None if journeys.never_evidenced(row) else lost_with(journeys, row)
        if device is not None:
            counted = _counted(journeys, device)
            if not doubts.agree(doubts.ways(_candidates(journeys, device), counted)):
                found.append((row, device, counted))
    return found


def _held(journeys: Journeys, job: str) -> Record:
    with journeys.world.store(journeys.licensee).reading() as view:
        row = view.get("job", job)
    if row is None:
        raise Refused("mailroom.no-such-job", job=job[:40])
    return row


def _candidates(journeys: Journeys, device: DeviceId) -> list[Record]:
    with journeys.world.store(journeys.licensee).reading() as view:
        return doubts.candidates(view, lambda row: device in _asked(journeys, row))


def _counted(journeys: Journeys, device: DeviceId) -> doubts.Counted:
    """Give what a device debited and nobody wrote down, by its registers or, when out of service, the books."""
    with journeys.world.store(journeys.licensee).reading() as view:
        before = _written_down(view, device)
        case = view.get("check-out", device)
    left = _unwritten(journeys, device)
    if left is not None:
        assert case is not None
        return doubts.Counted(pieces=None, mills=int(left), before=before, descending=int(case.body["amount"]))
    try:
        held = journeys.status_of(device).registers
    except Refused as refusal:
        if refusal.code != _NO_MORE:
            raise
        with journeys.world.store(journeys.licensee).reading() as view:  # it was examined, and what it held is not told
            most = int(Books(view, LICENSEE).balance(f"in-device/{journeys.licensee}/{device}"))
        return doubts.Counted(pieces=None, mills=most, before=before, descending=0, exact=False)
    pieces, mills = held.pieces - before[0], int(held.ascending) - before[1]
    return doubts.Counted(pieces=pieces, mills=mills, before=before, descending=int(held.descending))


def _excluded(journeys: Journeys, job: Record, device: DeviceId) -> bool:
    """Tell whether open jobs add up to what a device counted, and this one is in no way that they do."""
    found = doubts.ways(_candidates(journeys, device), _counted(journeys, device))
    return bool(found) and not any(doubts.within(way, job) for way in found)


def _written_down(view: Transaction, device: DeviceId) -> tuple[int, int]:
    """Give the pieces and the mills that a device has evidenced by the host's own records."""
    rows = [row.body for row in view.find("job", owner=device) if row.body.get("first_piece")]
    last = max((body["first_piece"] + len(body["pieces"]) - 1 for body in rows), default=0)
    return last, sum(body["total"] for body in rows)
