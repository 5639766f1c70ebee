"""Form 3601-A and Form 3601-B as pages of our own design.

Here: where things stand on the two letter-size pages. Not here: what they say, files.
Kept: not the Postal Service's own print of these forms; every page says so and that it is a SPECIMEN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from towncircle.kernel.instants import Instant
from towncircle.mailpiece.elements import Element, Page, Path, Text
from towncircle.mailpiece.geometry import INCH, Form
from towncircle.mailpiece.typeface import FontKey, face

_LETTER = Form(key="letter", name="letter sheet", shape="form", width=8 * INCH + INCH // 2, height=11 * INCH, flap=0)
_LEFT, _RIGHT = INCH, _LETTER.width - INCH
_GREY, _LINE = 420, 700
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
    top = _LETTER.height - INCH
    elements: list[Element] = [
        _text(form, "bold", 18_000, _LEFT, top),
        _text("SPECIMEN", "bold", 11_000, _RIGHT - face("bold").width("SPECIMEN", 11_000), top),
        _text(title, "sans", 12_000, _LEFT, top - 22_000),
    ]
    y = top - 40_000
    elements.append(_rule(y))
    for label, value in rows:
        y -= 34_000
        size = face("sans").fitting(value, size=12_000, most=_RIGHT - _LEFT, least=6_000) if value else 12_000
        elements += [
            _text(label, "sans", 7_500, _LEFT, y + 15_000, ink=_GREY),
            _text(value, "sans", size, _LEFT, y),
            _rule(y - 7_000),
        ]
    y -= 30_000
    for line in _lines(note, 9_000):
        elements.append(_text(line, "sans", 9_000, _LEFT, y))
        y -= 12_500
    foot = "A page of towncircle's own design, not the Postal Service's print of the form."
    elements.append(_text(foot, "sans", 7_500, _LEFT, INCH // 2, ink=_GREY))
    return Page(form=_LETTER, side="nonaddress", specimen=True, elements=tuple(elements))


def _lines(text: str, size: int) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if face("sans").width(longer, size) > _RIGHT - _LEFT:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _text(text: str, font: FontKey, size: int, x: int, y: int, *, ink: int = 0) -> Text:
    return Text(role="decoration", text=text, font=font, size=size, x=x, y=y, ink=ink)


def _rule(y: int) -> Path:
    return Path(role="decoration", ops=(("M", (_LEFT, y)), ("L", (_RIGHT, y))), stroke=_LINE, width=500)
