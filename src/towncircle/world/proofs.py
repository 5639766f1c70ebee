"""Proof before pay: the pages of a job as they would be printed, without a signature and without a cent.

Here: working a job, a correction or a batch out, drawing its proof into files or handing it to a printer. Not here: its
layout (`licensee.envelopes`), the marks (`mailpiece.proof`).
Kept: nothing is written but the files; nothing is reserved or debited; every lint that the job will meet is met here.
The pages are those of the job but for the symbol and the marks. Of a batch the device is asked what it holds at most,
which says where its files end, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.licensee import corrections, envelopes, looks, mailroom
from towncircle.licensee.corrections import Redate, Shortpaid
from towncircle.licensee.funds import held_device
from towncircle.licensee.limits import Limits
from towncircle.licensee.looks import PLAIN, Look
from towncircle.licensee.pricing import FIRST_METERED, Claim
from towncircle.mailpiece.address_files import Recipient
from towncircle.mailpiece.zipcode import place_of
from towncircle.paper import pdf, png
from towncircle.rules.rulesets import REGISTRY
from towncircle.world import batching, labels, spooling
from towncircle.world.composing import ToWrite, write_part
from towncircle.world.crews import crew
from towncircle.world.journeys import Journeys
from towncircle.world.printing import Progress, silent

STEM = "proofs"
DRAWING = "drawing proofs"
_KEY = JobId("proof")
Draft = Callable[[Context, Limits], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Hold a proof: its PDFs, its pictures, how many pieces it shows, and what they would cost."""

    pdfs: tuple[Path, ...]
    pictures: tuple[Path, ...]
    pieces: int
    total: Mills


def of_new(
    journeys: Journeys,
    recipients: tuple[Recipient, ...],
    *,
    day: date | None = None,
    look: Look = PLAIN,
    claim: Claim = FIRST_METERED,
) -> Record:
    """Work out a new job. Raises what planning it raises."""
    look = labels.loaded(journeys, look)

    def draft(ctx: Context, limits: Limits) -> Mapping[str, Any]:
        held = held_device(ctx, journeys.device)
        order = mailroom.Order(
            device=DeviceId(held.key),
            layout=REGISTRY[journeys.world.config.regime].layout,
            recipients=recipients,
            mailing_date=day or limits.first,
            look=look,
            claim=claim,
        )
        limits.check(day=order.mailing_date)
        return mailroom.draft(ctx, order=order, limits=limits, provider=str(held.body["provider"]))

    return _drafted(journeys, draft)


def of_redate(journeys: Journeys, job: JobId, *, day: date | None, pieces: tuple[int, ...]) -> Record:
    """Work out a date correction. Raises what planning it raises."""
    return _drafted(
        journeys,
        lambda ctx, limits: (
            corrections.draft_redate(
                ctx, order=Redate(job=job, mailing_date=day or limits.first, pieces=pieces), job=_KEY, limits=limits
            ).body
        ),
    )


def of_correction(
    journeys: Journeys, job: JobId, *, day: date | None, pieces: tuple[int, ...], told: Mapping[str, Any]
) -> Record:
    """Work out a postage correction; `told` is what it is for. Raises what planning it raises."""
    labels.refresh(journeys)
    return _drafted(
        journeys,
        lambda ctx, limits: (
            corrections.draft_correction(
                ctx,
                order=Shortpaid(job=job, mailing_date=day or limits.first, pieces=pieces, **told),
                job=_KEY,
                limits=limits,
            ).body
        ),
    )


def write(journeys: Journeys, record: Record, out: Path, *, zones: bool = False) -> Proof:
    """Write the proof of a job that was worked out into `out`: `proofs.pdf` and a folder `proofs/` of pictures.

    Raises `RefusedOnGrounds` (page.lints).
    """
    out.mkdir(parents=True, exist_ok=True)
    body, stationery = record.body, journeys.stationery(record)
    envelopes.prove(body, stationery)
    numbers = numbers_of(journeys, record)
    target = out / f"{STEM}.pdf"
    draft, drawn_for = target.with_suffix(".new"), looks.drawn_for(body)
    count = pdf.write_pdf(
        envelopes.proofs(body, stationery, numbers, zones=zones),
        draft,
        title="Proof - not postage",
        at=journeys.world.clock.now(),
        shift=(drawn_for.shift_x, drawn_for.shift_y),
    )
    draft.replace(target)
    names = [f"{number:06d}" for number in numbers]
    if count != len(names):  # labels on sheets
        names = [f"sheet-{number:03d}" for number in range(1, count + 1)]
    drawn: list[Path] = []
    for place, name in enumerate(names):
        path = out / STEM / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png.render(target, place, dpi=stationery.dpi))
        drawn.append(path)
    return Proof(pdfs=(target,), pictures=tuple(drawn), pieces=len(numbers), total=Mills(body["total"]))


def hand_over(journeys: Journeys, record: Record, printer: str, *, zones: bool = False) -> str:
    """Hand the proof of a job that was worked out to a printer; give its reference. Raises as `spooling.proof_on`."""
    return spooling.proof_on(journeys, record, numbers_of(journeys, record), printer, zones=zones)


def proof_job(
    journeys: Journeys,
    recipients: tuple[Recipient, ...],
    out: Path,
    *,
    day: date | None = None,
    look: Look = PLAIN,
    claim: Claim = FIRST_METERED,
    zones: bool = False,
) -> tuple[Path, tuple[Path, ...], Mills]:
    """Write the proof of a new job into `out`; give its files and what it would cost. Raises as the two."""
    done = write(journeys, of_new(journeys, recipients, day=day, look=look, claim=claim), out, zones=zones)
    return done.pdfs[0], done.pictures, done.total


def proof_batch(
    journeys: Journeys, wish: batching.Wish, out: Path, *, zones: bool = False, progress: Progress = silent
) -> Proof:
    """Write the proof of a batch into `out`, a file `proofs-0001.pdf` and so on for each file of the batch.

    Raises as checking the list does; faulty rows are in `errors.csv`. Nothing is reserved.
    """
    out.mkdir(parents=True, exist_ok=True)
    if (out / f"{STEM}-0001.pdf").exists():
        raise Refused("mailroom.out-taken", out=out)
    pdfs: list[Path] = []
    pictures: list[Path] = []
    with (
        crew(beside=batching.is_long(wish)) as hands,
        batching.checked_list(journeys, wish, out, hands, progress) as (checked, terms),
    ):
        count, total = sum(part.pieces for part in checked.parts), Mills(sum(part.total for part in checked.parts))

        def tasks() -> Iterator[ToWrite]:
            first = _next_number(journeys, journeys.device)
            for number, (part, pieces) in enumerate(zip(checked.parts, checked.pieces(), strict=True), start=1):
                body = {
                    "device": journeys.device,
                    "layout": terms.layout,
                    "form": mailroom.POSTAGE,
                    "mailing_date": terms.day.isoformat(),
                    "pieces": pieces,
                    "first_piece": first,
                    "evidenced_at": int(journeys.world.clock.now()),
                    **terms.design,
                    **part.where(),
                }
                first += part.pieces
                stem, formats = f"{STEM}-{number:04d}", wish.template.formats
                yield ToWrite(
                    job=body, shared=terms.shared, out=out, stem=stem, formats=formats, proof=True, zones=zones
                )

        done = 0
        progress(DRAWING, 0, count)
        for part, written in zip(checked.parts, hands.map(write_part, tasks()), strict=True):
            pdfs.append(out / written.file)
            pictures += [out / name for name in written.pictures]
            done += part.pieces
            progress(DRAWING, done, count)
    return Proof(pdfs=tuple(pdfs), pictures=tuple(pictures), pieces=count, total=total)


def _drafted(journeys: Journeys, draft: Draft) -> Record:
    """Work a job out as it is today at the licensing office."""

    def job(ctx: Context) -> dict[str, Any]:
        license_row = ctx.tx.get("license", held_device(ctx, journeys.device).body["license"])
        assert license_row is not None, "a device is leased under a license"
        zone = place_of(license_row.body["office_zip"]).zone
        limits = Limits.of(journeys.world.rules, ctx.now.date_in(zone), zone=zone)
        return dict(draft(ctx, limits))

    body: dict[str, Any] = journeys.do(job)
    return Record(kind="job", key=_KEY, owner=body["device"], version=0, body=body)


def numbers_of(journeys: Journeys, record: Record) -> list[int]:
    """Give the counts that the pieces will have; those of a correction are of the pieces that it is for."""
    body = record.body
    if "numbers" in body:
        return mailroom.numbers_of(body)
    first = _next_number(journeys, body["device"])
    return list(range(first, first + len(body["pieces"])))


def _next_number(journeys: Journeys, device: str) -> int:
    """Give the count that the next piece of a device will have, as far as its host has seen."""
    with journeys.world.store(journeys.licensee).reading() as view:
        jobs = [row.body for row in view.find("job") if row.body["device"] == device and "first_piece" in row.body]
    return max((body["first_piece"] + len(body["pieces"]) for body in jobs), default=1)
