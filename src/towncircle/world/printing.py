"""Printing a job: from addresses to PDF, PNG and SVG, in steps that a crash cannot double (journey B).

Here: the order of the steps and the files, also of corrections and reprints. Not here: pages (`licensee.envelopes`),
drawing (`paper/`).
Kept: files are written beside and renamed when they are whole; a job that was interrupted is finished, with the same
indicia to the byte. The job knows where its files are going to be before the first is written, so that they are taken
away where its pieces are sent in instead.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.licensee import corrections, envelopes, looks, mailroom
from towncircle.licensee.looks import PLAIN, Look
from towncircle.licensee.pricing import FIRST_METERED, Claim
from towncircle.mailpiece.address_files import Recipient
from towncircle.paper import pdf, png, svg
from towncircle.world import labels
from towncircle.world.departments import Payer
from towncircle.world.journeys import ANYBODY, Journeys
from towncircle.world.turns import turn

STEMS = {mailroom.POSTAGE: "envelopes", mailroom.REDATE: "redates", mailroom.CORRECTION: "corrections"}
REPRINTS, UNUSED = "reprints", "unused"
_SHEET = re.compile(r"sheet-[0-9]{3,}", re.ASCII)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Hold what a job left: its record, its PDF and its pictures; of a reprint, how many the device has counted.

    `entry` is the spool's entry of a reprint: should it spoil, it is said of that.
    """

    job: Record
    pdf: Path
    pictures: tuple[Path, ...]
    reprints: int = 0
    entry: int = 0

    @property
    def total(self) -> Mills:
        """Give the postage that was debited for it: for a date correction or a reprint nothing."""
        return ZERO if self.reprints else Mills(self.job.body["total"])

    @property
    def form(self) -> str:
        """Give what it is: postage, redate, correction or reprint."""
        return "reprint" if self.reprints else mailroom.form_of(self.job.body)


def silent(_what: str, _done: int, _of: int) -> None:
    """Show no progress."""


def print_job(  # noqa: PLR0913 - every one but the first three is said by name
    journeys: Journeys,
    recipients: tuple[Recipient, ...],
    out: Path,
    *,
    day: date | None = None,
    formats: tuple[str, ...] = ("pdf", "png"),
    progress: Progress = silent,
    payer: Payer = ANYBODY,
    look: Look = PLAIN,
    claim: Claim = FIRST_METERED,
) -> Printed:
    """Print pieces for recipients into `out`: `envelopes.pdf` and a folder `envelopes/` of pictures."""
    look = labels.loaded(journeys, look)
    out.mkdir(parents=True, exist_ok=True)  # fails before anything is debited
    progress("pricing and layout", 0, len(recipients))
    with turn(journeys.world.folder, journeys.licensee):
        job = journeys.plan(recipients, day=day, payer=payer, look=look, claim=claim)
        return _finish(journeys, journeys.evidence(job), out, formats, progress)


def finish_job(
    journeys: Journeys, job: JobId, out: Path, *, formats: tuple[str, ...] = ("pdf", "png"), progress: Progress = silent
) -> Printed:
    """Finish an interrupted job: lint and evidence it if that was not done, and write its files.

    Raises `Refused` (mailroom.not-to-hand-over, mailroom.under-way) and writes nothing where somebody else has it.
    """
    with turn(journeys.world.folder, journeys.licensee):
        return _finish(journeys, journeys.resume(job), out, formats, progress)


def redate_job(
    journeys: Journeys,
    order: corrections.Redate,
    out: Path,
    *,
    formats: tuple[str, ...] = ("pdf", "png"),
    progress: Progress = silent,
) -> Printed:
    """Print date corrections into `out`: `redates.pdf` and a folder `redates/` of pictures. Nothing is debited."""
    out.mkdir(parents=True, exist_ok=True)
    progress("layout", 0, len(order.pieces))
    with turn(journeys.world.folder, journeys.licensee):
        return _finish(journeys, journeys.evidence(journeys.plan_redate(order)), out, formats, progress)


def correct_job(
    journeys: Journeys,
    order: corrections.Shortpaid,
    out: Path,
    *,
    formats: tuple[str, ...] = ("pdf", "png"),
    progress: Progress = silent,
    payer: Payer = ANYBODY,
) -> Printed:
    """Print postage corrections into `out`: `corrections.pdf` and a folder `corrections/` of pictures."""
    out.mkdir(parents=True, exist_ok=True)  # fails before anything is debited
    progress("pricing and layout", 0, len(order.pieces))
    labels.refresh(journeys)
    with turn(journeys.world.folder, journeys.licensee):
        planned = journeys.plan_correction(order, payer=payer)
        return _finish(journeys, journeys.evidence(planned), out, formats, progress)


def reprint_job(
    journeys: Journeys,
    job: JobId,
    pieces: tuple[int, ...],
    out: Path,
    *,
    formats: tuple[str, ...] = ("pdf", "png"),
    progress: Progress = silent,
) -> Printed:
    """Print pieces of a job again, counted by the device, into `out`: `reprints.pdf` and a folder `reprints/`."""
    out.mkdir(parents=True, exist_ok=True)
    record = journeys.reprint(job, pieces, into_files=True)
    target, pictures = _write(journeys, record, out, REPRINTS, formats, progress)
    counted, entry = record.body["device_reprints"], record.body["entry"]
    return Printed(job=record, pdf=target, pictures=pictures, reprints=counted, entry=entry)


def print_unused(journeys: Journeys, job: JobId, out: Path) -> tuple[Path, tuple[bytes, ...]]:
    """Print a job that was never handed over into `out`, only to be sent in for a refund; give the PDF and the marks.

    Raises `Refused` (mailroom.no-such-job, refund.job-handed-over).
    """
    with journeys.world.store(journeys.licensee).reading() as view:
        record = view.get("job", job)
    if record is None:
        raise Refused("mailroom.no-such-job", job=job)
    if record.body["state"] not in (mailroom.EVIDENCED, mailroom.CLAIMED) or not record.body.get("indicia"):
        raise Refused("refund.job-handed-over", job=job, state=record.body["state"])
    target, _ = _write(journeys, record, out, UNUSED, ("pdf",), silent)
    return target, tuple(bytes.fromhex(one) for one in record.body["indicia"])


def take_back(journeys: Journeys, job: str) -> None:
    """Take away what was written of a job that was sent in before it was handed over: nobody mails it.

    Nothing of a job that was handed over: whoever has it sends it in.
    """
    with journeys.world.store(journeys.licensee).reading() as view:
        row, places = view.get("job", job), mailroom.places_of(view, job)
    if row is None or row.body["state"] != mailroom.CLAIMED:
        return
    names = {f"{number:06d}" for number in mailroom.numbers_of(row.body)}
    for place, stem, before in places:
        target, folder = Path(place) / f"{stem}.pdf", Path(place) / stem
        target.with_suffix(".new").unlink(missing_ok=True)
        if _digest(target) in ("", before):
            continue  # none of its files was whole yet: the PDF is the first
        target.unlink()
        for picture in folder.glob("*.*"):
            if picture.suffix in (".png", ".svg", ".new") and (picture.stem in names or _SHEET.fullmatch(picture.stem)):
                picture.unlink()
        with suppress(OSError):
            folder.rmdir()


def _digest(file: Path) -> str:
    """Give the SHA-256 of a file, '' where there is none."""
    if not file.is_file():
        return ""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _finish(journeys: Journeys, record: Record, out: Path, formats: tuple[str, ...], progress: Progress) -> Printed:
    mailroom.to_hand_over(record)  # before a page is written: somebody else may have given it away meanwhile
    stem = STEMS[mailroom.form_of(record.body)]
    at = (str(out.resolve()), stem, _digest(out / f"{stem}.pdf"))
    journeys.do(lambda ctx: mailroom.place(ctx, job=JobId(record.key), at=at))
    target, pictures = _write(journeys, record, out, stem, formats, progress)
    journeys.hand_over(JobId(record.key), [target, *pictures])
    return Printed(job=record, pdf=target, pictures=pictures)


def _write(
    journeys: Journeys, record: Record, out: Path, stem: str, formats: tuple[str, ...], progress: Progress
) -> tuple[Path, tuple[Path, ...]]:
    pages = list(envelopes.pages(record.body, journeys.stationery(record)))
    names = [f"{number:06d}" for number in mailroom.numbers_of(record.body)]
    if len(names) != len(pages):  # labels on sheets
        names = [f"sheet-{number:03d}" for number in range(1, len(pages) + 1)]
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{stem}.pdf"
    draft = target.with_suffix(".new")
    drawn = looks.drawn_for(record.body)
    shift = (drawn.shift_x, drawn.shift_y)
    pdf.write_pdf(pages, draft, title=f"{stem.capitalize()} - SPECIMEN", at=journeys.world.clock.now(), shift=shift)
    draft.replace(target)
    pictures: list[Path] = []
    folder = out / stem
    for place, (page, name) in enumerate(zip(pages, names, strict=True)):
        if "png" in formats:
            pictures.append(_put(folder / f"{name}.png", png.render(target, place, dpi=drawn.dpi)))
        if "svg" in formats:
            pictures.append(_put(folder / f"{name}.svg", svg.render(page).encode()))
        progress("pictures", place + 1, len(pages))
    return target, tuple(pictures)


def _put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_bytes(data)
    draft.replace(path)
    return path
