"""A specimen of a form: the page that a mail room would print on it, with a symbol that says it is none.

Here: `specimen()`, with a public address and a made-up sender. Not here: postage.
"""

from __future__ import annotations

from datetime import date

from towncircle.indicium.readable import Office, for_postage
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.art import DEFAULT_ART
from towncircle.mailpiece.elements import MAIL_BARCODES, Page
from towncircle.mailpiece.geometry import Form
from towncircle.mailpiece.page import EnvelopeSpec, envelope
from towncircle.rules import RuleSet
from towncircle.symbol import data_matrix, imb, pdf417, postnet

_WORDS = b"SPECIMEN - NOT VALID AS POSTAGE - a picture of a form made by towncircle"
_DATA_MATRIX, _PDF417 = 112, 89  # bytes, as the largest mark of either kind has
_TRACKING = "00" + "0" * 18
_WHERE = {"street": "475 L'Enfant Plaza SW", "city": "Washington", "state": "DC", "zip5": "20260"}


def specimen(form: Form, rules: RuleSet, on: date, *, stacked: bool = False, dpi: int = 300) -> Page:
    """Lay out a specimen of a form, with a PDF417 symbol where `stacked`. Raises what `envelope` raises."""
    words = for_postage(
        Office(city="Washington", state="DC", zip_code="20260"),
        device=DeviceId.parse("TC1A0000000017"),
        day=on,
        category="FIRST-CLASS LTR",
        postage=Mills(780),
        first_class=True,
    )
    symbol = data_matrix(_WORDS.ljust(_DATA_MATRIX, b"."))
    if stacked:
        symbol = pdf417(_WORDS.ljust(_PDF417, b"."), columns=form.pdf417_columns)
    by_post = rules.text("delivery_barcode", on) == MAIL_BARCODES["postnet"]
    return envelope(
        EnvelopeSpec(
            form=form, rules=rules, on=on, readable=words, symbol=symbol, dpi=dpi,
            recipient=Address(company="United States Postal Service", **_WHERE),
            sender=Address(company="A Sender of Letters", **_WHERE),
            imb="" if by_post else imb.encode(_TRACKING, "20260"),
            postnet=postnet("20260") if by_post else "",
            art=DEFAULT_ART if form.shape == "letter" else None,
            piece_shape=form.goes_on[0] if form.shape == "label" else "",
        )
    )  # fmt: skip
