"""What the pieces of a job share, from the licensee's own records.

Here: the stationery of a job, with what the license and the approvals allow it to name. Not here: drawing
(`envelopes`), asking for approvals (`branches`, `labels`).
Kept: what a page names and what it may name come from different records, so that a lint can compare them.
"""

from __future__ import annotations

from datetime import date

from towncircle.indicium.readable import Office
from towncircle.kernel.cites import cites
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import labels
from towncircle.licensee.envelopes import Stationery
from towncircle.licensee.looks import drawn_for, place_of_job
from towncircle.mailpiece.addresses import address
from towncircle.mailpiece.elements import Licensed
from towncircle.mailpiece.zipcode import place_of
from towncircle.rules import RuleSet


def of_job(view: Transaction, job: Record, *, rules: RuleSet) -> Stationery:
    """Gather what a job's pages share; the licensee holds the job's device and its license."""
    device, profile = view.get("device", job.body["device"]), view.get("profile", "own")
    assert device is not None
    assert profile is not None
    license_row = view.get("license", device.body["license"])
    assert license_row is not None
    day, own = date.fromisoformat(job.body["mailing_date"]), profile.body
    office = Office(
        city=license_row.body["office_city"],
        state=license_row.body["office_state"],
        zip_code=license_row.body["office_zip"],
    )
    look = {name: bool(job.body.get("look", {}).get(name)) for name in ("month_only", "reply", "marking")}
    return Stationery(
        device=DeviceId(job.body["device"]),
        office=place_of_job(job.body, office),
        sender=address(**{name: own[name] for name in ("name", "street", "city", "state", "zip")}),
        layout=job.body["layout"],
        day=day,
        rules=rules,
        dpi=drawn_for(job.body).dpi,
        licensed=_licensed(view, license_row, mailer_zip=own["zip"][:5], office=office, on=day),
        **look,
    )


@cites("P050-4.3", "P050-4.5b", "P050-4.5c")
def _licensed(view: Transaction, license_row: Record, *, mailer_zip: str, office: Office, on: date) -> Licensed:
    branches = [row.body for row in view.find("branch") if row.body["license"] == license_row.key]
    return Licensed(
        office=office.circle()[0],
        office_zip=office.zip_code,
        mailer_zip=mailer_zip,
        branches=frozenset(f"{row['branch']} {row['state']}" for row in branches if row["outcome"] == "approved"),
        label_forms=labels.approved_forms(view, on=on, zone=place_of(office.zip_code).zone),
    )
