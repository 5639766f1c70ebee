"""The pages of one part of a batch: linted before anything is signed, and written when it was.

Here: the two tasks of a crew. Not here: who does them (`crews`), what stands on a page (`licensee.envelopes`).
Kept: a task carries all it needs, so it may be done in another process; the bytes of a part depend on its job alone,
so a part that is written again is the same to the byte. A file is written beside and renamed when it is whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from towncircle.kernel.errors import RefusedOnGrounds, TowncircleError
from towncircle.kernel.instants import Instant
from towncircle.licensee import envelopes, looks, mailroom
from towncircle.licensee.printers import TRUE_SCALE, Printer
from towncircle.mailpiece import sheets
from towncircle.mailpiece.elements import Page
from towncircle.paper import pdf, png, svg, zpl
from towncircle.rules import ruleset


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Hold what all parts of a batch share; a stationery without its rule set, which has a name."""

    regime: str
    stationery: Mapping[str, Any]

    @classmethod
    def of(cls, regime: str, stationery: envelopes.Stationery) -> Shared:
        """Take a stationery apart."""
        names = (name for name in stationery.__dataclass_fields__ if name != "rules")
        return cls(regime=regime, stationery={name: getattr(stationery, name) for name in names})

    def put_together(self) -> envelopes.Stationery:
        """Give the stationery."""
        return envelopes.Stationery(**self.stationery, rules=ruleset(self.regime))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToLint:
    """Hold a part that was not signed yet."""

    job: Mapping[str, Any]
    shared: Shared


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """Tell what is wrong with the page of one piece: its place in the part, from 0, and each fault in words."""

    place: int
    code: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToWrite:
    """Hold a part that was signed, and where it goes: `out`/`stem`.pdf, and a folder of that name for pictures.

    `proof`: it was not signed, and its proof is written; `zones` with what is reserved on its pages. `printer`: it is
    one file in that printer's language, without pictures.
    """

    job: Mapping[str, Any]
    shared: Shared
    out: Path
    stem: str
    formats: tuple[str, ...]
    proof: bool = False
    zones: bool = False
    printer: Printer | None = None

    def pages(self, stationery: envelopes.Stationery) -> Iterator[Page]:
        """Give its pages."""
        if self.proof:
            return envelopes.proofs(self.job, stationery, mailroom.numbers_of(self.job), zones=self.zones)
        return envelopes.pages(self.job, stationery)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Tell what was written: the name of the PDF, its size and SHA-256, and the names of the pictures."""

    file: str
    size: int
    sha256: str
    pictures: tuple[str, ...]


def lint_part(task: ToLint) -> list[Unfit]:
    """Lint the page of every piece of a part with a stand-in for its symbol; give what is wrong."""
    return [_unfit(place, error) for place, error in envelopes.faults(task.job, task.shared.put_together())]


def _unfit(place: int, error: TowncircleError) -> Unfit:
    grounds = error.grounds if isinstance(error, RefusedOnGrounds) else (error,)
    return Unfit(place=place, code=error.code, sentences=tuple(ground.sentence for ground in grounds))


def write_part(task: ToWrite) -> Written:
    """Compose the pages of a part and write them."""
    job, stationery = task.job, task.shared.put_together()
    language = "pdf" if task.printer is None else task.printer.language
    target = task.out / f"{task.stem}.{language}"
    draft = _draft(target)
    title = f"{task.stem.capitalize()} - {'not postage' if task.proof else 'SPECIMEN'}"
    drawn = looks.drawn_for(job)
    shift, at = (drawn.shift_x, drawn.shift_y), Instant(job["evidenced_at"])
    with draft.open("w+b") as stream:
        if task.printer is None:
            pdf.write_pdf(task.pages(stationery), stream, title=title, at=at, shift=shift)
        else:
            draw(task.pages(stationery), task.printer, stream, title=title, at=at)
        stream.flush()
        os.fsync(stream.fileno())  # what is handed over is still there after a power cut
        stream.seek(0)
        digest, size = hashlib.file_digest(stream, "sha256").hexdigest(), stream.tell()
    draft.replace(target)
    _sync_folder(task.out)
    wanted = task.printer is None and set(task.formats) - {"pdf"}
    pictures = tuple(_pictures(task, target, stationery)) if wanted else ()
    return Written(file=target.name, size=size, sha256=digest, pictures=pictures)


def draw(pages: Iterable[Page], printer: Printer, out: BinaryIO, *, title: str, at: Instant | None = None) -> None:
    """Write pages in a printer's language, moved as its profile says. Raises `Refused` (paper.*)."""
    if printer.language == "zpl":
        zpl.write_zpl(pages, out, head_of(printer))
    else:
        pdf.write_pdf(pages, out, title=title, at=at, shift=(printer.shift_x, printer.shift_y))


def head_of(printer: Printer) -> zpl.Head:
    """Give the print head of a label printer as its profile has it."""
    return zpl.Head(
        dpi=printer.dpi,
        shift_x=printer.shift_x,
        shift_y=printer.shift_y,
        scale_x=Fraction(printer.scale_x, TRUE_SCALE),
        scale_y=Fraction(printer.scale_y, TRUE_SCALE),
        native=printer.native,
    )


def take_back(out: Path, stem: str) -> None:
    """Take away what was written of a part before its pieces were sent in for a refund: nobody mails it."""
    for ending in ("pdf", "zpl"):
        (out / f"{stem}.{ending}").unlink(missing_ok=True)
    shutil.rmtree(out / stem, ignore_errors=True)


def _pictures(task: ToWrite, target: Path, stationery: envelopes.Stationery) -> list[str]:
    names = []
    if "zpl" in task.formats:
        names.append(_labels(task, stationery))
    if not set(task.formats) & {"png", "svg"}:
        return names
    folder = task.out / task.stem
    folder.mkdir(exist_ok=True)
    numbers, name = mailroom.numbers_of(task.job), task.job.get("stock")
    on_sheets = bool(name) and sheets.stock(name).places > 1
    for place, page in enumerate(task.pages(stationery)):
        drawn = {}
        if "png" in task.formats:
            drawn["png"] = png.render(target, place, dpi=stationery.dpi)
        if "svg" in task.formats:
            drawn["svg"] = svg.render(page).encode()
        for ending, data in drawn.items():
            path = folder / f"{f'sheet-{place + 1:03d}' if on_sheets else f'{numbers[place]:06d}'}.{ending}"
            draft = _draft(path)
            draft.write_bytes(data)
            draft.replace(path)
            names.append(f"{task.stem}/{path.name}")
    return names


def _labels(task: ToWrite, stationery: envelopes.Stationery) -> str:
    """Write the pages of a part as labels in ZPL, on the dots that they are drawn for."""
    target, drawn = task.out / f"{task.stem}.zpl", looks.drawn_for(task.job)
    head = zpl.Head(dpi=stationery.dpi, shift_x=drawn.shift_x, shift_y=drawn.shift_y)
    draft = _draft(target)
    with draft.open("wb") as out:
        zpl.write_zpl(task.pages(stationery), out, head)
    draft.replace(target)
    return target.name


def _sync_folder(folder: Path) -> None:
    """Make a renamed file's name last, where the system can."""
    if os.name == "posix":
        held = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)


def _draft(path: Path) -> Path:
    """Give the place where a file is written before it is whole; a worker that outlives a kill has one of its own."""
    return path.with_name(f"{path.name}.{os.getpid()}.new")
