"""Form 3601-A and Form 3601-B as pages of our own design.

Here: where things stand on the two letter-size pages. Not here: what they say, files.
Kept: not the Postal Service's own print of these forms; every page says so and that it is a SPECIMEN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from towncircle.kernel.instants import Instant
from towncircle.mailpiece.elements import Element, Page
from towncircle.mailpiece.geometry import INCH
from towncircle.mailpiece.typeface import face
from towncircle.paper.sheet import GREY, LEFT, LETTER, RIGHT, lines_of, rule_at, text_at

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
    return _page(
        "Form 3601-A",
        "Application for a License to Lease and Use Postage Meters",
        rows,
        "The applicant states these data under P050 2.1. There is no fee. One license covers all systems of the "
        "applicant at one post office.",
    )


def license_page(
    data: Mapping[str, str],
    *,
    office: str,
    number: str,
    licensee: str,
    state: str,
    revision: int,
    issued: Instant,
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
        ("Since", f"{issued.utc():%Y-%m-%d %H:%M} UTC"),
    ]
    return _page(
        "Form 3601-B",
        "Postage Meter License",
        rows,
        "Mail is deposited at the licensing post office. A change of any data is notified at once (P050 2.5(d)); "
        "another post office needs another license (2.5(e)). Appeals: P050 2.4.",
    )


def _page(form: str, title: str, rows: Sequence[tuple[str, str]], note: str) -> Page:
    top = LETTER.height - INCH
    elements: list[Element] = [
        text_at(form, "bold", 18_000, LEFT, top),
        text_at("SPECIMEN", "bold", 11_000, RIGHT - face("bold").width("SPECIMEN", 11_000), top),
        text_at(title, "sans", 12_000, LEFT, top - 22_000),
    ]
    y = top - 40_000
    elements.append(rule_at(y))
    for label, value in rows:
        y -= 34_000
        size = face("sans").fitting(value, size=12_000, most=RIGHT - LEFT, least=6_000) if value else 12_000
        elements += [
            text_at(label, "sans", 7_500, LEFT, y + 15_000, ink=GREY),
            text_at(value, "sans", size, LEFT, y),
            rule_at(y - 7_000),
        ]
    y -= 30_000
    for line in lines_of(note, 9_000):
        elements.append(text_at(line, "sans", 9_000, LEFT, y))
        y -= 12_500
    foot = "A page of towncircle's own design, not the Postal Service's print of the form."
    elements.append(text_at(foot, "sans", 7_500, LEFT, INCH // 2, ink=GREY))
    return Page(form=LETTER, side="nonaddress", specimen=True, elements=tuple(elements))
