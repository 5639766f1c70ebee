"""Form 3601-A and Form 3601-B as pages of our own design.

Here: the fields of the two forms. Not here: where things stand on a page (`sheet`), files.
"""

from __future__ import annotations

from collections.abc import Mapping

from towncircle.kernel.instants import Instant
from towncircle.mailpiece.elements import Page
from towncircle.paper.sheet import Section, sheets

_LABELS = {
    "name": "Name of the applicant",
    "street": "Street address",
    "city": "City",
    "state": "State",
    "zip": "ZIP Code",
    "telephone": "Telephone",
    "contact": "Contact",
    "device_location": "Location of the product/device",
}


def application_page(data: Mapping[str, str], *, office: str, applicant: str, provider: str) -> Page:
    """Lay out Form 3601-A: the application for a license to lease and use."""
    rows = [(_LABELS[name], data[name]) for name in _LABELS]
    rows += [("Post office of deposit", office), ("Applicant", applicant), ("Transmitted by", provider)]
    note = (
        "The applicant states these data under P050 2.1. There is no fee. One license covers all systems of the "
        "applicant at one post office."
    )
    (page,) = sheets(
        "Form 3601-A",
        "Application for a License to Lease and Use Postage Meters",
        (Section(rows=rows), Section(prose=(note,))),
    )
    return page


def license_page(
    data: Mapping[str, str],
    *,
    office: str,
    number: str,
    licensee: str,
    state: str,
    revision: int,
    issued: Instant,
    zone: str,
) -> Page:
    """Lay out Form 3601-B: the license."""
    rows = [
        ("License", number),
        ("Licensee", licensee),
        ("Name", data["name"]),
        ("Address", f"{data['street']}, {data['city']} {data['state']} {data['zip']}"),
        ("Licensing post office", office),
        ("Location of the product/device", data["device_location"]),
        ("State", state),
        ("Revision", str(revision)),
        ("Since", issued.words_in(zone)),
    ]
    note = (
        "Mail is deposited at the licensing post office. A change of any data is notified at once (P050 2.5(d)); "
        "another post office needs another license (2.5(e)). Appeals: P050 2.4."
    )
    (page,) = sheets("Form 3601-B", "Postage Meter License", (Section(rows=rows), Section(prose=(note,))))
    return page
