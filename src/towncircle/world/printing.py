"""Printing a job: from addresses to PDF, PNG and SVG, in steps that a crash cannot double (journey B).

Here: the order of the steps and the files. Not here: pages (`licensee.envelopes`), drawing (`paper/`).
Kept: files are written beside and renamed when they are whole; a job that was interrupted is finished, with the same
indicia to the byte.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from towncircle.kernel.ids import JobId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.licensee import envelopes
from towncircle.mailpiece.address_files import Recipient
from towncircle.paper import pdf, png, svg
from towncircle.world.journeys import Journeys

DPI = 300
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Hold what a job left: its record, its PDF and its pictures."""

    job: Record
    pdf: Path
    pictures: tuple[Path, ...]

    @property
    def total(self) -> Mills:
        """Give the postage of all pieces."""
        return Mills(self.job.body["total"])


def silent(_what: str, _done: int, _of: int) -> None:
    """Show no progress."""


def print_job(
    journeys: Journeys,
    recipients: tuple[Recipient, ...],
    out: Path,
    *,
    day: date | None = None,
    formats: tuple[str, ...] = ("pdf", "png"),
    progress: Progress = silent,
) -> Printed:
    """Print pieces for recipients into `out`: `envelopes.pdf` and a folder `envelopes/` of pictures."""
    out.mkdir(parents=True, exist_ok=True)  # fails before anything is debited
    progress("pricing and layout", 0, len(recipients))
    job = journeys.plan(recipients, day=day)
    return _finish(journeys, journeys.evidence(job), out, formats, progress)


def finish_job(
    journeys: Journeys, job: JobId, out: Path, *, formats: tuple[str, ...] = ("pdf", "png"), progress: Progress = silent
) -> Printed:
    """Finish an interrupted job: lint and evidence it if that was not done, and write its files."""
    return _finish(journeys, journeys.resume(job), out, formats, progress)


def _finish(journeys: Journeys, record: Record, out: Path, formats: tuple[str, ...], progress: Progress) -> Printed:
    pages = list(envelopes.pages(record.body, journeys.stationery(record)))
    out.mkdir(parents=True, exist_ok=True)
    target = out / "envelopes.pdf"
    draft = target.with_suffix(".new")
    pdf.write_pdf(pages, draft, title="Envelopes - SPECIMEN", at=journeys.world.clock.now())
    draft.replace(target)
    pictures: list[Path] = []
    folder = out / "envelopes"
    for place, page in enumerate(pages):
        name = f"{record.body['first_piece'] + place:06d}"
        if "png" in formats:
            pictures.append(_put(folder / f"{name}.png", png.render(target, place, dpi=DPI)))
        if "svg" in formats:
            pictures.append(_put(folder / f"{name}.svg", svg.render(page).encode()))
        progress("pictures", place + 1, len(pages))
    journeys.hand_over(JobId(record.key), [target, *pictures])
    return Printed(job=record, pdf=target, pictures=tuple(pictures))


def _put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_bytes(data)
    draft.replace(path)
    return path
