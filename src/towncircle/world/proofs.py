"""Proof before pay: the pages of a job as they would be printed, without the device and without a cent.

Here: working a job out, drawing its proof. Not here: its layout (`licensee.envelopes`), the marks (`mailpiece.proof`).
Kept: nothing is written but the files; no device is called, nothing is reserved or debited; every lint that the job
will meet is met here. The pages are those of the job but for the symbol and the marks.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.licensee import envelopes, mailroom
from towncircle.licensee.funds import held_device
from towncircle.licensee.limits import Limits
from towncircle.licensee.looks import PLAIN, Look
from towncircle.licensee.pricing import FIRST_METERED, Claim
from towncircle.mailpiece.address_files import Recipient
from towncircle.mailpiece.overlay import overlay, zones_of
from towncircle.mailpiece.proof import marked
from towncircle.mailpiece.zipcode import place_of
from towncircle.paper import pdf, png
from towncircle.rules.rulesets import REGISTRY
from towncircle.world.journeys import Journeys

STEM = "proofs"


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
    """Write the proof of a job into `out`: `proofs.pdf` and a folder `proofs/`; give the files and what it would cost.

    `zones` shows what the rule and the reading machines reserve under what is printed; a proof alone may bear it.
    Raises what planning the job raises, and `RefusedOnGrounds` (page.lints).
    """
    out.mkdir(parents=True, exist_ok=True)
    body: dict[str, Any] = journeys.do(lambda ctx: _draft(ctx, journeys, recipients, day, look, claim))
    record = Record(kind="job", key="proof", owner=body["device"], version=0, body=body)
    stationery = journeys.stationery(record)
    envelopes.prove(body, stationery)
    first = _next_number(journeys, body["device"])
    numbers = range(first, first + len(body["pieces"]))
    target = out / f"{STEM}.pdf"
    draft = target.with_suffix(".new")
    pages = (marked(page) for page in envelopes.stand_ins(body, stationery, numbers))
    if zones:
        pages = (overlay(page, zones_of(page, stationery.rules, stationery.day)) for page in pages)
    pdf.write_pdf(
        pages,
        draft,
        title="Proof - not postage",
        at=journeys.world.clock.now(),
        shift=(look.drawn.shift_x, look.drawn.shift_y),
    )
    draft.replace(target)
    drawn: list[Path] = []
    for place, number in enumerate(numbers):
        path = out / STEM / f"{number:06d}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png.render(target, place, dpi=stationery.dpi))
        drawn.append(path)
    return target, tuple(drawn), Mills(body["total"])


def _draft(
    ctx: Context,
    journeys: Journeys,
    recipients: tuple[Recipient, ...],
    day: date | None,
    look: Look,
    claim: Claim,
) -> dict[str, Any]:
    held = held_device(ctx, journeys.device)
    license_row = ctx.tx.get("license", held.body["license"])
    assert license_row is not None, "a device is leased under a license"
    zone = place_of(license_row.body["office_zip"]).zone
    limits = Limits.of(journeys.world.rules, ctx.now.date_in(zone), zone=zone)
    mailing = day or limits.first
    limits.check(day=mailing)
    order = mailroom.Order(
        device=DeviceId(held.key),
        layout=REGISTRY[journeys.world.config.regime].layout,
        recipients=recipients,
        mailing_date=mailing,
        look=look,
        claim=claim,
    )
    return mailroom.draft(ctx, order=order, limits=limits, provider=str(held.body["provider"]))


def _next_number(journeys: Journeys, device: str) -> int:
    """Give the count that the next piece of a device will have, as far as its host has seen."""
    with journeys.world.store(journeys.licensee).reading() as view:
        jobs = [row.body for row in view.find("job") if row.body["device"] == device and "first_piece" in row.body]
    return max((body["first_piece"] + len(body["pieces"]) for body in jobs), default=1)
