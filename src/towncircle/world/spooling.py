"""Jobs to printers: pages in the printer's language, queued in the spool and handed over.

Here: the file of an entry, the order of the steps, and what an interrupted one is when it is found again. Not here: the
states (`licensee.spool`), the ways (`transport.printers`), files in a folder of one's own (`world.printing`).
Kept, so that SIGKILL anywhere prints nothing twice without being told:
1. the file is whole in the licensee's spool before its job is closed; job and entry are written in one transaction;
2. what may fail without a trace is done before `sending` is written down, and the first byte leaves after it;
3. one process sends at a time. An entry found `sending` is of a process that died: a spool folder knows whether it has
   the file, of every other printer the entry is `unknown`, and a person says what came out. Where that cannot be asked
   or written down it stays `sending`; only a refusal that proves that nothing left makes it `queued` again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path as FilePath

from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import JobId
from towncircle.kernel.store import Record
from towncircle.licensee import corrections, envelopes, mailroom, printers, refunds, spool
from towncircle.licensee.looks import DPI
from towncircle.licensee.printers import Printer, uncalibrated
from towncircle.mailpiece.calibration import calibration_page
from towncircle.mailpiece.elements import Element, Page, Path, Text, polygon, polyline
from towncircle.mailpiece.forms import form_of_piece
from towncircle.mailpiece.geometry import INCH, form
from towncircle.mailpiece.typeface import FontKey
from towncircle.transport.printers import FolderWay, LpWay, RawWay, Way, has_mark, lay_mark
from towncircle.world.composing import draw
from towncircle.world.journeys import Journeys
from towncircle.world.turns import taken, turn

_CM = round(INCH / 2.54)
_LP_PDF = ("print-scaling=none",)  # a page that is fitted to the paper has no module on its dots
_NOTHING_LEFT = ("printer.unreachable", "printer.lp-refused")  # of `hand_over`: proof that no byte is with a printer
_DOUBT = ("printer.doubt", "printer.interrupted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """Hold what became of an entry: its record, and the trouble that kept it from being handed over."""

    entry: Record
    trouble: Refused | None = None


def print_new(journeys: Journeys, plan: Callable[[Journeys], JobId], printer: str) -> Handed:
    """Plan a job and print it; one that the printer has no form for is given up.

    Raises what planning raises, and as `print_on`.
    """
    profile = _printer(journeys, printer)  # before anything is priced
    with turn(journeys.world.folder, journeys.licensee):
        job = plan(journeys)
        planned = _job(journeys, job)
        try:
            check_form(profile, planned)
        except Refused:
            if journeys.never_evidenced(planned):
                journeys.do(lambda ctx: mailroom.give_up(ctx, job=job))
            raise
        number = _queued(journeys, job, printer)
    return send(journeys, number)


def print_on(journeys: Journeys, job: JobId, printer: str) -> Handed:
    """Have a planned or an interrupted job evidenced, queue it for a printer and hand it over.

    Raises what evidencing raises, and `Refused` (printer.unknown, printer.other-form) before anything is debited, which
    leaves the job as it is; trouble on the way to the printer is in the answer.
    """
    with turn(journeys.world.folder, journeys.licensee):
        number = _queued(journeys, job, printer)
    return send(journeys, number)


def _queued(journeys: Journeys, job: JobId, printer: str) -> int:
    profile, planned = _printer(journeys, printer), _job(journeys, job)
    check_form(profile, planned)
    if planned.body["state"] == "planned" and profile.dpi != DPI:
        envelopes.prove(planned.body, _stationery(journeys, planned, profile))  # on its dots, before the debit
    record = journeys.resume(job)
    with journeys.world.store(journeys.licensee).reading() as view:
        if held := view.find("spool", owner=job):  # its file is drawn for the printer that it waits for
            return int(held[0].body["number"])
    file, digest = _write(journeys, record, profile, job)

    def queued(ctx: Context) -> Record:
        held = ctx.tx.find("spool", owner=job)
        if held:
            return held[0]
        mailroom.printed(ctx, job=job, files=[file.name])
        every = range(1, len(record.body["pieces"]) + 1)
        return spool.queue(ctx, job=record, pieces=every, printer=printer, file=file.name, digest=digest)

    row: Record = journeys.do(queued)
    return int(row.body["number"])


def reprint_on(journeys: Journeys, job: JobId, pieces: tuple[int, ...], printer: str) -> Handed:
    """Have the device count a reprint of pieces of a job, and hand them to a printer.

    Raises `Refused` (spool.not-spoiled) where one of them stands with a printer, before the device is asked.
    """
    profile, held = _printer(journeys, printer), _job(journeys, job)
    check_form(profile, held)
    chosen = [at + 1 for at in corrections.places(held, pieces)]
    record = journeys.reprint(job, pieces)
    file, digest = _write(journeys, record, profile, f"{job}-again-{record.body['device_reprints']}")

    def queued(ctx: Context) -> Record:
        refunds.not_claimed(ctx.tx, job=job, pieces=chosen)  # it may have been sent in meanwhile
        return spool.queue(ctx, job=record, pieces=chosen, printer=printer, file=file.name, digest=digest, again=True)

    row: Record = journeys.do(queued)
    return send(journeys, row.body["number"])


def check_form(printer: Printer, job: Record) -> None:
    """Check that the printer holds the form of the pieces. Raises `Refused` (printer.other-form)."""
    if not printer.form:
        return
    loaded = form(printer.form)
    for wanted in map(form_of_piece, job.body["pieces"]):
        if wanted.key != loaded.key:
            raise Refused("printer.other-form", name=printer.name, loaded=loaded.name, wanted=wanted.name)


def waiting(journeys: Journeys) -> list[int]:
    """Give the numbers of the entries that are queued, or were under way when their process died."""
    with journeys.world.store(journeys.licensee).reading() as view:
        rows = view.find("spool")
    return [row.body["number"] for row in rows if row.body["state"] in (spool.QUEUED, spool.SENDING)]


def send(journeys: Journeys, number: int, *, wait_s: float = 0) -> Handed:
    """Hand a queued entry over, or find out about one whose process died; trouble is in the answer.

    Raises `Refused` (spool.under-way) where another process sends still after a while (`wait_s`).
    """
    with _alone(journeys, wait_s=wait_s):
        with journeys.world.store(journeys.licensee).reading() as view:
            row = spool.entry(view, number)
            profile = printers.printer_of(view, row.body["printer"])
        file = folder_of(journeys) / row.body["file"]
        name = f"{row.body['job']}-{number:06d}.{profile.language}"
        with closing(_way(profile, name, file)) as way:
            try:
                return Handed(entry=_sent(journeys, row, file, way))
            except Refused as trouble:
                found = row.body["state"] == spool.SENDING
                return Handed(entry=_troubled(journeys, number, trouble, found=found), trouble=trouble)


def _sent(journeys: Journeys, row: Record, file: FilePath, way: Way) -> Record:
    number = row.body["number"]
    if row.body["state"] == spool.SENDING:
        if not way.after_crash():
            raise Refused("printer.interrupted", entry=number)
        reference = ""
    else:
        spool.SPOOL.move(row.body["state"], "send")
        _check(row, file)
        way.ready()
        journeys.do(lambda ctx: spool.begin(ctx, number=number))
        reference = way.hand_over()
    done: Record = journeys.do(lambda ctx: spool.ended(ctx, number=number, event="arrive", reference=reference))
    way.written_down()
    with suppress(OSError):
        file.unlink()  # the job keeps what is needed to make it again
    return done


def _troubled(journeys: Journeys, number: int, trouble: Refused, *, found: bool) -> Record:
    """Write down how the trouble left the entry; one that was found under way (`found`) is never queued again."""

    def told(ctx: Context) -> Record:
        row = spool.entry(ctx.tx, number)
        if row.body["state"] != spool.SENDING:
            return row
        if trouble.code in _DOUBT:
            return spool.ended(ctx, number=number, event="get lost", why=trouble.sentence)
        if trouble.code in _NOTHING_LEFT and not found:
            return spool.ended(ctx, number=number, event="not leave", why=trouble.sentence)
        return row

    row: Record = journeys.do(told)
    return row


def _check(row: Record, file: FilePath) -> None:
    if not file.is_file() or _digest(file) != row.body["sha256"]:
        raise Refused("spool.file-changed", entry=row.body["number"], path=file)


def _way(printer: Printer, name: str, file: FilePath) -> Way:
    if printer.kind == "folder":
        return FolderWay(FilePath(printer.address), name, file, printer.mark)
    if printer.kind == "raw":
        return RawWay(*printer.host_port(), file)
    return LpWay(printer.address, name, file, ("raw",) if printer.language == "zpl" else _LP_PDF + printer.options)


def _stationery(journeys: Journeys, job: Record, printer: Printer) -> envelopes.Stationery:
    """Give what a job's pieces share, on the dots of a printer."""
    return replace(journeys.stationery(job), dpi=printer.dpi)


def _write(journeys: Journeys, job: Record, printer: Printer, stem: str) -> tuple[FilePath, str]:
    pages = envelopes.pages(job.body, _stationery(journeys, job, printer))
    return write_file(pages, printer, folder_of(journeys) / f"{stem}.{printer.language}", title=stem)


def write_file(pages: Iterable[Page], printer: Printer, file: FilePath, *, title: str) -> tuple[FilePath, str]:
    """Write pages in a printer's language; give the file and its SHA-256."""
    draft = file.with_suffix(".new")
    with draft.open("wb") as out:
        draw(pages, printer, out, title=title)
    draft.replace(file)
    return file, _digest(file)


def decide(
    journeys: Journeys, number: int, *, pieces: tuple[int, ...] = (), came_out: bool, reason: str = ""
) -> Record:
    """Write down what a person saw of an entry's pieces; the file of one that was never sent goes.

    Raises as `spool.decide`, and `Refused` (spool.under-way) while it is being sent.
    """
    with _alone(journeys):
        row: Record = journeys.do(
            lambda ctx: spool.decide(ctx, number=number, pieces=pieces, came_out=came_out, reason=reason)
        )
        if row.body["file"]:  # of what was printed into files it is with whoever has them
            (folder_of(journeys) / row.body["file"]).unlink(missing_ok=True)
    return row


def add_printer(journeys: Journeys, printer: Printer, *, new_folder: bool = False) -> Printer:
    """Keep a printer; a spool folder that is there gets a mark, by which it is known again.

    A folder that was marked keeps its mark, and one that lost it is marked anew only where it is another one by now
    (`new_folder`). Raises as `printers.keep`, and `Refused` (printer.other-folder, printer.unreachable).
    """
    printer.checked()
    folder = FilePath(printer.address)
    there = printer.kind == "folder" and folder.is_dir()
    if printer.kind == "folder":
        with journeys.world.store(journeys.licensee).reading() as view:
            known = [one for one in printers.all_of(view) if (one.name, one.address) == (printer.name, printer.address)]
        mark = "" if new_folder else "".join(one.mark for one in known)
        if mark and there and not has_mark(folder, mark):
            raise Refused("printer.other-folder", address=folder)
        if there:
            mark = mark or journeys.new(lambda chance: chance.take(8).hex())
        printer = replace(printer, mark=mark)
    journeys.do(lambda ctx: printers.keep(ctx, printer=printer))
    if there:
        lay_mark(folder, printer.mark)
    return printer


def _printer(journeys: Journeys, name: str) -> Printer:
    with journeys.world.store(journeys.licensee).reading() as view:
        return printers.printer_of(view, name)


def _job(journeys: Journeys, job: JobId) -> Record:
    with journeys.world.store(journeys.licensee).reading() as view:
        row = view.get("job", job)
    if row is None:
        raise Refused("mailroom.no-such-job", job=job)
    return row


def folder_of(journeys: Journeys) -> FilePath:
    """Give the folder of a licensee where files wait for their printers."""
    folder = journeys.world.folder / journeys.licensee / "spool"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def take_back(journeys: Journeys, job: str) -> None:
    """Take away a file of a job that was drawn and never queued, because its pieces were sent in instead."""
    with journeys.world.store(journeys.licensee).reading() as view:
        row, queued = view.get("job", job), view.find("spool", owner=job)
    if row is not None and row.body["state"] == mailroom.CLAIMED and not queued:
        for ending in ("pdf", "zpl", "new"):
            (folder_of(journeys) / f"{job}.{ending}").unlink(missing_ok=True)


@contextmanager
def _alone(journeys: Journeys, *, wait_s: float = 0) -> Iterator[None]:
    """Be the only one to send. Raises `Refused` (spool.under-way)."""
    with (folder_of(journeys) / ".lock").open("w") as guard:
        if not taken(guard, wait_s=wait_s):
            raise Refused("spool.under-way", licensee=journeys.licensee)
        yield


def _digest(file: FilePath) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def print_test(journeys: Journeys, name: str, *, calibration: bool = False) -> str:
    """Hand a page without postage to a printer, or the page that it is calibrated by; give the printer's reference.

    Raises what its way raises.
    """
    profile = _printer(journeys, name)
    page = test_page(profile)
    if calibration:
        profile = uncalibrated(profile)
        page = calibration_page(form(profile.form or "no10"), name=name, dpi=profile.dpi)

    def counted(ctx: Context) -> int:
        ctx.note("printer.tested", name, way=profile.kind)
        return ctx.tx.next_number("printer-test")

    return _hand_pages(journeys, [page], profile, f"test-{name}-{journeys.do(counted):06d}")


def proof_on(journeys: Journeys, job: Record, numbers: Iterable[int], printer: str, *, zones: bool = False) -> str:
    """Hand the proof of a job to the printer that would print it, on its dots; give the printer's reference.

    Nothing is written down of it: it is no postage. Raises `Refused` (printer.unknown, printer.other-form) and what the
    printer's way raises.
    """
    profile = _printer(journeys, printer)
    check_form(profile, job)
    stationery = _stationery(journeys, job, profile)
    envelopes.prove(job.body, stationery)
    stem = f"proof-{printer}-{journeys.do(lambda ctx: ctx.tx.next_number('printer-test')):06d}"
    return _hand_pages(journeys, envelopes.proofs(job.body, stationery, numbers, zones=zones), profile, stem)


def _hand_pages(journeys: Journeys, pages: Iterable[Page], profile: Printer, stem: str) -> str:
    """Hand pages without postage to a printer."""
    file = folder_of(journeys) / f"{stem}.{profile.language}"
    try:
        write_file(pages, profile, file, title=stem)
        with closing(_way(profile, file.name, file)) as way:
            way.ready()
            reference = way.hand_over()
            way.written_down()
            return reference
    finally:
        file.unlink(missing_ok=True)


def test_page(printer: Printer) -> Page:
    """Lay out a page that shows where a printer's edges are: a frame of a quarter inch, marks of 10 mm, its name."""
    piece = form(printer.form or "no10")
    far, near = INCH // 4, 2 * INCH // 5
    ticks = [
        polyline((far + at, far), (far + at, near - (0 if at % (5 * _CM) else -_CM // 4)))
        for at in range(0, piece.width - 2 * far, _CM)
    ]
    ticks += [
        polyline((far, far + at), (near - (0 if at % (5 * _CM) else -_CM // 4), far + at))
        for at in range(0, piece.height - 2 * far, _CM)
    ]
    right, top = piece.width - far, piece.height - far
    lines: list[tuple[str, FontKey, int]] = [
        (f"Printer {printer.name}", "bold", 16_000),
        (
            f"{piece.name}, {printer.language.upper()}: the frame is 1/4 inch from each edge, a mark is 10 mm",
            "sans",
            9_000,
        ),
        ("No postage: a test page.", "sans", 9_000),
    ]
    words: list[Element] = [
        Text(role="decoration", text=text, font=font, size=size, x=piece.width // 5, y=piece.height // 2 - 16_000 * row)
        for row, (text, font, size) in enumerate(lines)
    ]
    frame = polygon((far, far), (right, far), (right, top), (far, top))
    drawn = [Path(role="decoration", ops=ops, stroke=0, width=500) for ops in (frame, *ticks)]
    return Page(form=piece, side="address", specimen=True, elements=(*drawn, *words))
