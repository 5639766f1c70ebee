"""What a REDATE and a postage correction must not bear, looked for in the drawn page of every form, in both years.

P050 4.8: no FIM, no two-dimensional barcode, REDATE instead of the amount. P050 4.9: all elements but the FIM. Nothing
here asks the layout what it put there: bars and symbols are sought in the pixels, words in the text of the PDF.
"""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pypdfium2
import pytest
from tests.mailpiece.pages import DEVICE, IBI, IMI, OFFICE, ON, ON_1998, PAYLOAD, PAYLOAD_1998
from tests.mailpiece.test_forms import correction_on, page_on

from towncircle.indicium.readable import for_redate
from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.forms import catalogue
from towncircle.mailpiece.geometry import form
from towncircle.mailpiece.page import nonaddress_side
from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import raster
from towncircle.symbol import fim_from_image, read

DPI = 200
FORMS = [one.key for one in catalogue()]
WITH_FIM = [key for key in FORMS if form(key).shape in ("letter", "card") and key != "card-least"]
YEARS = pytest.mark.parametrize("ibi", [False, True], ids=["imi", "ibi"])


def redate_on(key: str, *, ibi: bool) -> Page:
    day, rules = (ON_1998, IBI) if ibi else (ON, IMI)
    return nonaddress_side(form=form(key), rules=rules, on=day, readable=for_redate(OFFICE, device=DEVICE, day=day))


def words_of(pdf: bytes) -> str:
    with (
        closing(pypdfium2.PdfDocument(pdf)) as document,
        closing(document[0]) as page,
        closing(page.get_textpage()) as text,
    ):
        return str(text.get_text_bounded())


def bottom_in_mm(image: np.ndarray) -> float:
    rows = np.flatnonzero((image < 128).any(axis=1))
    return float(image.shape[0] - 1 - rows[-1]) / DPI * 25.4


@YEARS
@pytest.mark.parametrize("key", FORMS)
def test_a_redate_lacks_fim_symbol_and_amount_in_its_drawing(key: str, ibi: bool) -> None:
    pdf = to_pdf([redate_on(key, ibi=ibi)])
    image, words = raster(pdf, dpi=DPI), words_of(pdf)
    assert fim_from_image(image, dpi=DPI) is None
    assert read(image, fast_only=True) == []
    assert "REDATE" in words
    assert str(DEVICE) in words
    assert "$" not in words
    assert "FIRST-CLASS" not in words
    assert form(key).shape == "label" or bottom_in_mm(image) >= 20 - 25.4 / DPI


@YEARS
@pytest.mark.parametrize("key", FORMS)
def test_a_correction_lacks_the_fim_alone_in_its_drawing(key: str, ibi: bool) -> None:
    pdf = to_pdf([correction_on(key, ibi=ibi)])
    image, words = raster(pdf, dpi=DPI), words_of(pdf)
    assert fim_from_image(image, dpi=DPI) is None
    assert [one.payload for one in read(image)] == [PAYLOAD_1998 if ibi else PAYLOAD]
    assert "REDATE" not in words
    for shown in ("$0.29", "FIRST-CLASS LTR", str(DEVICE), "20260"):
        assert shown in words
    assert form(key).shape == "label" or bottom_in_mm(image) >= 20 - 25.4 / DPI


@YEARS
@pytest.mark.parametrize("key", WITH_FIM)
def test_the_same_look_finds_the_fim_of_the_address_side(key: str, ibi: bool) -> None:
    found = fim_from_image(raster(to_pdf([page_on(key, ibi=ibi)]), dpi=DPI), dpi=DPI)
    assert found is not None
    assert found.letter == "D"
