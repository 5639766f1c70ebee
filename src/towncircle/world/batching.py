"""Printing a batch: from a list of addresses to files of pages, through any number of interruptions.

Here: the order of the steps. Not here: what a row says (`mailpiece.address_files`), the check of rows (`checking`), the
records and the money (`licensee.batches`), pages (`composing`), the manifest (`manifest`).
Kept: every row is read, priced and linted, and the money of the whole batch is there and reserved, before the first
debit. Then part by part: the device evidences it in one command, its file is written beside and renamed, and it is
written down as handed over; one whose pieces were sent in for a refund meanwhile is taken away instead. Interrupted
anywhere, `resume` goes on with the part that was open, under the same ids, and gives the same bytes; nothing is read
from the list again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds
from towncircle.kernel.ids import BatchId, DeviceId, JobId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.licensee import batches, custody, mailroom, missing, promises, returns
from towncircle.licensee.looks import TRUE, Drawn
from towncircle.mailpiece.templates import Template
from towncircle.psd.client import pays_other
from towncircle.psd.states import AUTHORISED
from towncircle.world import batch_printers, evidenced, manifest
from towncircle.world.address_data import source_of, told
from towncircle.world.batch_prices import funds_of, payer_of, same_prices, terms_of
from towncircle.world.batch_printers import ToPrinter
from towncircle.world.checking import MOST_FAULTS, Checked, Terms, check
from towncircle.world.composing import Shared, ToWrite, Written, take_back, write_part
from towncircle.world.crews import Crew, crew
from towncircle.world.departments import Payer, prove
from towncircle.world.journeys import ANYBODY, Journeys
from towncircle.world.printing import Progress, silent
from towncircle.world.turns import batch_turn, turn

BESIDE_FROM = 2_000  # pieces; fewer are composed sooner than a worker has started
STEM = "envelopes"
PRINTING = "signing and printing"
_BYTES_A_ROW = 60
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Say what is to be printed: a list, a template, a day (none: the template's), who pays, and what is allowed.

    `refill`: the device may be reset on the way, from the account. `skip_bad_rows`: faulty rows may be left out.
    `beside`: another batch may be open. `drawn`: the printer that the files are for. `printer`: the one that prints
    them, and only the papers of the batch go into its folder.
    """

    source: Path
    template: Template
    day: date | None = None
    payer: Payer = field(default=ANYBODY)
    refill: bool = False
    skip_bad_rows: bool = False
    beside: bool = False
    drawn: Drawn = TRUE
    printer: str = ""
    old_data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batched:
    """Hold what came of a batch: its record, its manifest, the list of what was not printed, trouble of its printer."""

    batch: Record
    manifest: Path
    left: Path | None = None
    troubles: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Hold what a batch would come to, and what there is to pay it with; nothing was reserved."""

    order: batches.Order
    funds: batches.Funds


@cites("P050-1.4", "P050-1.5")
def print_batch(
    journeys: Journeys,
    wish: Wish,
    out: Path,
    *,
    progress: Progress = silent,
    reserved: Callable[[Record], None] | None = None,
) -> Batched:
    """Print a batch into `out`: files of pages, `manifest.json`, and `errors.csv` where rows were faulty.

    `reserved` is told of the batch before anything is debited.

    Raises `RefusedOnGrounds` (batch.bad-rows) with what is wrong with the rows, and what `batches.reserve` raises,
    before anything is debited; later only what the device or the disk refuses, and `resume` goes on from there.
    """
    out.mkdir(parents=True, exist_ok=True)
    with journeys.world.store(journeys.licensee).reading() as view:
        promises.none_begun(view, str(out.resolve()))
    if (out / manifest.MANIFEST).exists() or (out / f"{_stem(1)}.pdf").exists():
        raise Refused("mailroom.out-taken", out=out)
    batch = journeys.new(BatchId.new)
    prove(journeys, wish.payer, job=batch)
    with _alone(journeys, out), crew(beside=is_long(wish)) as hands:
        with checked_list(journeys, wish, out, hands, progress) as (checked, terms):
            order = _order(journeys, wish, terms, checked, out, batch)

            def reserve(ctx: Context) -> Record:
                same_prices(ctx, journeys, wish.template, terms)
                return batches.reserve(ctx, order=order, pieces=checked.pieces(), limits=terms.limits, funds=funds)

            with turn(journeys.world.folder, journeys.licensee):  # nobody else plans or evidences a job meanwhile
                funds = funds_of(journeys, refill=wish.refill)  # as it is now: reading a long list took its time
                record: Record = journeys.do(reserve)
        if reserved is not None:
            reserved(record)
        troubles = _Run(journeys, record, progress).print_with(hands)
        return _end(journeys, record, troubles=troubles)


def estimate(journeys: Journeys, wish: Wish, out: Path, *, progress: Progress = silent) -> Estimate:
    """Check a list as `print_batch` does and give what it would come to; nothing is reserved or debited."""
    out.mkdir(parents=True, exist_ok=True)
    batch = journeys.new(BatchId.new)
    with (
        crew(beside=is_long(wish)) as hands,
        checked_list(journeys, wish, out, hands, progress) as (checked, terms),
    ):
        order = _order(journeys, wish, terms, checked, out, batch)
        return Estimate(order=order, funds=funds_of(journeys, refill=wish.refill))


def resume(journeys: Journeys, batch: str, out: Path, *, progress: Progress = silent) -> Batched:
    """Go on with an interrupted batch in the folder that it began in.

    Raises `Refused` (batch.unknown, batch.other-out, batch.other-manifest, batch.day-over, batch.other-device,
    batch.device-silent).
    """
    with _alone(journeys, out):
        record = _held(journeys, batch, out)
        device = DeviceId(record.body["device"])
        if record.body["state"] == promises.RESERVED and evidenced.is_silent(journeys, device):
            raise Refused("batch.device-silent", batch=batch, device=device, state=journeys.status_of(device).state)
        _check_serving(journeys, device)
        shown = journeys.shown_of(device)
        if device == journeys.device == shown.device and shown.open_request:
            journeys.settle()  # a reset on the way was interrupted
        with crew(beside=record.body["count"] > BESIDE_FROM) as hands:
            troubles = _Run(journeys, record, progress).print_with(hands)
        return _end(journeys, record, troubles=troubles)


def give_up(journeys: Journeys, batch: str, out: Path, *, progress: Progress = silent) -> Batched:
    """End a batch with what the device has evidenced: the rest of its money is released, its rows are listed.

    Raises `Refused` (batch.unknown, batch.other-out, batch.other-manifest).
    """
    with _alone(journeys, out):
        record = _held(journeys, batch, out)
        with crew(beside=False) as hands:
            troubles = _Run(journeys, record, progress, begun_only=True).print_with(hands)
        return _end(journeys, record, given_up=True, troubles=troubles)


def _alone(journeys: Journeys, out: Path) -> AbstractContextManager[None]:
    return batch_turn(journeys.world.folder, journeys.licensee, out)


def is_long(wish: Wish) -> bool:
    """Tell whether a list is long enough for workers beside."""
    return wish.source.is_file() and wish.source.stat().st_size > BESIDE_FROM * _BYTES_A_ROW


def _stem(number: int) -> str:
    return f"{STEM}-{number:04d}"


def _held(journeys: Journeys, batch: str, out: Path) -> Record:
    with journeys.world.store(journeys.licensee).reading() as view:
        record = batches.held_batch(view, batch)
    if str(out.resolve()) != record.body["out"]:
        raise Refused("batch.other-out", batch=batch, out=record.body["out"])
    if manifest.names_another(out, batch):
        raise Refused("batch.other-manifest", batch=batch, out=out)
    return record


def _check_serving(journeys: Journeys, device: DeviceId) -> None:
    journeys.do(lambda ctx: missing.in_hand(ctx, device=device))
    journeys.do(lambda ctx: custody.sound(ctx, device=device))
    journeys.do(lambda ctx: returns.not_out(ctx, device=device))


@contextmanager
def checked_list(
    journeys: Journeys, wish: Wish, out: Path, hands: Crew, progress: Progress
) -> Iterator[tuple[Checked, Terms]]:
    """Check every row of a list; give what was found, and by which terms.

    Raises `RefusedOnGrounds` (batch.bad-rows), `Refused` (batch.too-many-faults, mailroom.nothing-to-print).
    """
    _check_serving(journeys, journeys.device)
    status = journeys.status()
    if status.state == AUTHORISED:
        raise Refused("mailroom.no-postage-set", device=journeys.device)
    drawn = batch_printers.drawn_on(journeys, wish.printer, wish.drawn)
    terms = terms_of(journeys, wish.template, day=wish.day, drawn=drawn, status=status, old_data=wish.old_data)
    with source_of(journeys) as data, check(wish.source, terms, hands, progress, data) as checked:
        if checked.faults:
            errors = manifest.write_errors(out, checked.faults)
            if checked.capped:
                raise Refused("batch.too-many-faults", most=MOST_FAULTS, rows=checked.rows, errors=errors)
            if not wish.skip_bad_rows:
                first = checked.faults[:_SHOWN]
                grounds = tuple(BadInput("batch.bad-row", row=one.row, what=one.what) for one in first)
                raise RefusedOnGrounds(
                    "batch.bad-rows", grounds, count=checked.bad_rows, all=checked.rows, errors=errors
                )
        if not checked.parts:
            raise Refused("mailroom.nothing-to-print")
        batch_printers.check(journeys, wish.printer, terms, checked.pieces())
        yield checked, terms


def _order(journeys: Journeys, wish: Wish, terms: Terms, checked: Checked, out: Path, batch: BatchId) -> batches.Order:
    return batches.Order(
        batch=batch,
        device=journeys.device,
        layout=terms.layout,
        day=terms.day,
        department=wish.payer.department,
        person=wish.payer.person,
        out=str(out.resolve()),
        parts=checked.parts,
        design=terms.design,
        beside=wish.beside,
        told={
            "template": wish.template.as_dict(),
            "source": {"file": wish.source.name, "sha256": checked.digest, "rows": checked.rows},
            "rows_left_out": checked.bad_rows,
            "doubts": dict(checked.doubts),
            "address_data": told(journeys, {**terms.design, "mailing_date": terms.day.isoformat()}, checked.routed),
            "refill": wish.refill,
            **({"printer": wish.printer} if wish.printer else {}),
        },
    )


class _Run:
    """Print the parts of a batch that are not printed yet; `begun_only`: those that the device has evidenced."""

    def __init__(self, journeys: Journeys, record: Record, progress: Progress, *, begun_only: bool = False) -> None:
        self._journeys, self._record, self._progress, self._begun_only = journeys, record, progress, begun_only
        name = str(record.body.get("printer", ""))
        self._printer = ToPrinter(journeys, name, patient=begun_only) if name else None
        self._under_way: deque[Record] = deque()
        self._done = self._behind = 0  # pieces that are printed; leading parts that were done before

    def print_with(self, hands: Crew) -> tuple[Refused, ...]:
        """Print them: while one is composed, the device evidences the next. Gives the trouble of a printer."""
        if self._record.body["state"] == promises.RESERVED:
            Path(self._record.body["out"]).mkdir(parents=True, exist_ok=True)
            self._count_behind()
            if self._printer is not None:
                self._printer.send_waiting(self._record)
            self._progress(PRINTING, self._done, self._record.body["count"])
            for written in hands.map(write_part, self._tasks()):
                self._hand_over(self._under_way.popleft(), written)
        return () if self._printer is None else self._printer.troubles_of(self._record)

    def _count_behind(self) -> None:
        """Count what an earlier run has done, which says nothing of how fast this one is."""
        with self._journeys.world.store(self._journeys.licensee).reading() as view:
            for job in batches.jobs(view, self._record):
                if job.body["state"] not in (mailroom.PRINTED, mailroom.CLAIMED, mailroom.LOST):
                    return
                self._done += len(job.body["pieces"])
                self._behind += 1

    def _tasks(self) -> Iterator[ToWrite]:
        shared, formats = None, tuple(self._record.body["template"]["formats"])
        for number, job in enumerate(batches.jobs_of(self._record), start=1):
            row = self._evidenced(job)
            if row is None:
                return
            shared = shared or Shared.of(self._journeys.world.config.regime, self._journeys.stationery(row))
            out = Path(self._record.body["out"])
            if row.body["state"] != mailroom.EVIDENCED:
                if row.body["state"] == mailroom.CLAIMED:
                    self._take_back(row, _stem(number))
                if number > self._behind:
                    self._count(row)
                continue
            self._under_way.append(row)
            task = ToWrite(job=row.body, shared=shared, out=out, stem=_stem(number), formats=formats)
            at = self._printer
            yield task if at is None else replace(task, out=at.folder, stem=row.key, printer=at.profile)

    def _evidenced(self, job: JobId) -> Record | None:
        """Give a job that the device has evidenced; None where it waits and may not begin.

        Raises `Refused` (missing.evidenced-meanwhile) where the device was missed before it was handed over.
        """
        journeys = self._journeys
        with journeys.world.store(journeys.licensee).reading() as view:
            row = view.get("job", job)
        assert row is not None
        if row.body["state"] == mailroom.WAITING:
            if self._begun_only and journeys.never_evidenced(row):
                return None
            gone = evidenced.lost_with(journeys, row) if self._begun_only else None
            if gone is not None:
                return evidenced.lose(journeys, row, gone)
            (evidenced.check_made(journeys, row) if self._begun_only else self._ready(row))
            row = journeys.do(lambda ctx: mailroom.evidence(ctx, job=job))
            assert row is not None
        if row.body["state"] == mailroom.EVIDENCED:
            device = DeviceId(row.body["device"])
            journeys.do(lambda ctx: missing.not_meanwhile(ctx, device=device, job=job))
        return row

    def _ready(self, row: Record) -> None:
        """See that the day is still on and the device can pay a part: where the batch may, it is reset before.

        Where the half of a hybrid stands in for its device, or took its place, it pays; neither of the two is reset.

        Raises `Refused` (batch.day-over, batch.other-device, batch.money-gone) and what a reset raises.
        """
        journeys, body = self._journeys, self._record.body
        device, total = DeviceId(row.body["device"]), Mills(row.body["total"])
        status = journeys.shown_of(device)
        day = date.fromisoformat(body["mailing_date"])
        if day < journeys.world.clock.now().date_in(status.zone) and journeys.never_evidenced(row):
            raise Refused("batch.day-over", batch=self._record.key, day=day)
        payer = payer_of(journeys, device, status)
        balance = payer.registers.descending
        if balance >= total or not journeys.never_evidenced(row):
            return
        with journeys.world.store(journeys.licensee).reading() as view:
            wanted = promises.bound(view, device)
        if not body["refill"] or pays_other(status, device):
            told = {"total": total, "balance": balance, "lacking": wanted - balance, "device": payer.device}
            raise Refused("batch.money-gone", batch=self._record.key, **told)
        if device != journeys.device:
            raise Refused("batch.other-device", batch=self._record.key, device=device, used=journeys.device)
        journeys.reset(min(status.cap - balance, wanted - balance))

    def _hand_over(self, row: Record, written: Written) -> None:
        files = [written.file, *written.pictures]
        about: dict[str, int | str] = {"sha256": written.sha256, "bytes": written.size}
        try:
            if self._printer is not None:
                self._printer.hand_over(row, written)
            else:
                self._journeys.do(lambda ctx: mailroom.printed(ctx, job=JobId(row.key), files=files, **about))
        except Refused as refused:
            if refused.code != "refund.job-claimed":
                raise
            self._take_back(row, Path(written.file).stem)  # sent in while it was composed
        self._count(row)

    def _take_back(self, row: Record, stem: str) -> None:
        if self._printer is not None:
            self._printer.take_back(row.key)
        else:
            take_back(Path(self._record.body["out"]), stem)

    def _count(self, row: Record) -> None:
        self._done += len(row.body["pieces"])
        self._progress(PRINTING, self._done, self._record.body["count"])


def _end(journeys: Journeys, record: Record, *, given_up: bool = False, troubles: tuple[Refused, ...] = ()) -> Batched:
    """Write the papers of a batch, then end it: an interruption in between writes them once more."""
    out, left = Path(record.body["out"]), None
    if record.body["state"] != promises.RESERVED:
        ended_left = out / manifest.LEFT
        return Batched(batch=record, manifest=out / manifest.MANIFEST, left=ended_left if ended_left.exists() else None)
    with journeys.world.store(journeys.licensee).reading() as view:
        come = batches.outcome(view, record, given_up=given_up)
        ended = Record(
            kind=record.kind, key=record.key, owner=record.owner, version=record.version, body={**record.body, **come}
        )
        paper = manifest.write_manifest(out, view, ended, regime=journeys.world.config.regime)
        if ended.body["state"] == batches.GIVEN_UP:
            left = manifest.write_left(out, view, ended)
        else:
            (out / manifest.LEFT).unlink(missing_ok=True)
    kept: Record = journeys.do(lambda ctx: batches.end(ctx, batch=record.key, given_up=given_up))
    return Batched(batch=kept, manifest=paper, left=left, troubles=troubles)
