"""The golden pages: one of every form of an indicium and of every kind of paper, each looked at by a person.

`tests/data/golden/NAME.png` is what was looked at, `tests/data/golden-pages.toml` where every element stands, in mm.
`tools/golden.py` draws and measures them anew; a change of either is looked at before it is kept.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.mailpiece import pages as made
from tests.mailpiece.pages import BARS, DEVICE, IMI, LICENSED, OFFICE, ON, PAYLOAD, SENDER, TO, piece
from tests.mailpiece.test_artwork import file_of, ring

from towncircle.indicium.readable import Branch, MailedFrom, for_postage
from towncircle.kernel.money import Mills
from towncircle.mailpiece.art import Art
from towncircle.mailpiece.artwork import picture
from towncircle.mailpiece.bitmap import Bitmap
from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.geometry import form
from towncircle.mailpiece.page import EnvelopeSpec, envelope
from towncircle.mailpiece.sheets import impose, stock
from towncircle.symbol import data_matrix

PICTURES = Path(__file__).parents[1] / "data" / "golden"
PROBES = PICTURES.parent / "golden-pages.toml"
DPI, SHADES = 100, 16


@cache
def drawing() -> Bitmap:
    return picture(file_of(ring()))


def month_year() -> Page:
    words = for_postage(
        OFFICE, device=DEVICE, day=ON, category="STANDARD LTR", postage=Mills(420), first_class=False, month_only=True
    )
    return envelope(
        EnvelopeSpec(
            form=form("no10"), rules=IMI, on=ON, readable=words, symbol=data_matrix(PAYLOAD),
            recipient=TO, sender=SENDER, imb=BARS, licensed=LICENSED,
        )
    )  # fmt: skip


def on_label(key: str, shape: str = "parcel", **more: object) -> Page:
    words = made.readable(category="PRIORITY PCL" if shape == "parcel" else "FIRST-CLASS FLT")
    given = {"recipient": TO, "sender": SENDER, "imb": BARS, **more}
    return envelope(
        EnvelopeSpec(
            form=form(key), rules=IMI, on=ON, readable=words, symbol=data_matrix(PAYLOAD), piece_shape=shape,
            licensed=LICENSED, **given,
        )  # type: ignore[arg-type]  # each is of its field's type
    )  # fmt: skip


def sheet(name: str, *, labels: int, start: int) -> Page:
    held = stock(name)
    (page,) = impose([on_label(held.form.key, "flat", imb="")] * labels, held, start=start)
    return page


MAKERS = {
    "letter": piece,
    "letter-1998": made.piece_1998,
    "flat": lambda: piece("flat9x12"),
    "flat-1998": lambda: made.piece_1998("flat9x12", art=None),
    "card": lambda: piece("postcard"),
    "small-envelope": lambda: piece("no6-3-4", art=None),
    "mailed-from-zip": lambda: piece(office=MailedFrom(zip_code="20024")),
    "branch": lambda: piece(office=Branch(name="Capitol Heights", state="MD", zip_code="20260")),
    "month-year": month_year,
    "courtesy-reply": lambda: piece(reply=True),
    "marking": lambda: piece(art=made.MARKING),
    "picture": lambda: piece(art=Art(words=("Write once",), picture=drawing())),
    "not-a-specimen": lambda: piece(specimen=False, art=None, sender=None),
    "redate": made.redate,
    "correction": made.correction,
    "correction-1998": made.correction_1998,
    "label": lambda: piece("label4x6", art=None),
    "parcel-label": made.label,
    "sheet-2-up": lambda: sheet("avery-5126", labels=2, start=1),
    "sheet-part-used": lambda: sheet("avery-5163", labels=3, start=4),
    "tape": lambda: piece("tape", bars="", art=None, sender=None),
    "tag": lambda: on_label("tag"),
}
FIRST = ("letter", "letter-1998", "flat", "card", "redate", "correction", "label", "tape")


@cache
def page_of(name: str) -> Page:
    """Give a golden page."""
    return MAKERS[name]()
