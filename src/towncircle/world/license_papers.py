"""The forms of a license as PDF: Form 3601-A as stated, refused or not, Form 3601-B as issued.

Here: what stands on them, gathered from the licensee's records and the Postal Service's word. Not here: their looks
(`paper.license_forms`).
"""

from __future__ import annotations

from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.instants import Instant
from towncircle.mailpiece.zipcode import place_of
from towncircle.paper.license_forms import application_page, license_page
from towncircle.paper.pdf import write_pdf
from towncircle.world.journeys import Journeys
from towncircle.world.licensing import ask_standing, form_of, held


@cites("P050-2.1/9")
def write_forms(journeys: Journeys, out: Path, *, number: str = "", about: str = "") -> list[Path]:
    """Write Form 3601-A and Form 3601-B of a license into a folder; give the files.

    `about` names an application: one that is refused has its Form 3601-A alone. Raises `Refused` (license.unknown).
    """
    told = ask_standing(journeys, about or held(journeys, number).key)
    data = form_of(journeys, told.license or told.about)
    office = f"{told.office_city} {told.office_state} {told.office_zip}"
    out.mkdir(parents=True, exist_ok=True)
    first, second = out / "form-3601-a.pdf", out / "form-3601-b.pdf"
    received, revision, provider = told.at, 1, told.provider
    if told.license:
        row = held(journeys, told.license)
        received, revision = Instant(row.body.get("received_at", int(told.at))), int(row.body.get("revision", 1))
        provider = str(row.body["provider"])
    applicant = journeys.licensee
    write_pdf([application_page(data, office=office, applicant=applicant, provider=provider)], first, at=received)
    if not told.license:
        return [first]
    page = license_page(
        data,
        office=office,
        number=told.license,
        licensee=applicant,
        state=told.state,
        revision=revision,
        issued=told.at,
        zone=place_of(told.office_zip).zone,
    )
    write_pdf([page], second, at=told.at)
    return [first, second]
