"""The page: what it holds, what it shares, what it refuses, and that nothing drifts."""

from dataclasses import replace
from fractions import Fraction

import pytest
from tests.mailpiece.pages import (
    BARS,
    DEVICE,
    IMI,
    OFFICE,
    ON,
    PAYLOAD,
    SENDER,
    TO,
    correction,
    piece,
    piece_1998,
    readable,
    redate,
)  # fmt: skip

from towncircle.indicium.readable import MailedFrom, Office, for_correction, for_redate
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import Mills
from towncircle.mailpiece.art import DEFAULT_ART
from towncircle.mailpiece.geometry import DOT_300, DOT_600, INCH, Box, barcode_zone, fim_zone, form, form_for, ocr_area
from towncircle.mailpiece.imprint import corner, module_size
from towncircle.mailpiece.page import EnvelopeSpec, envelope, nonaddress_side
from towncircle.mailpiece.rates import printed_category
from towncircle.symbol import data_matrix, pdf417


def test_sizes_are_exact():
    assert (form("no10").width, form("no10").height) == (684_000, 297_000)
    assert (form("flat9x12").width, form("flat9x12").height) == (864_000, 648_000)
    assert (form("postcard").width, form("postcard").height) == (432_000, 306_000)
    assert (INCH % 600, DOT_300, DOT_600) == (0, 240, 120)
    assert [form_for(shape).key for shape in ("letter", "flat", "card")] == ["no10", "flat9x12", "postcard"]
    with pytest.raises(BadInput):
        form("parcel")


def test_zones_are_where_the_manual_puts_them():
    piece_ = form("no10")
    assert ocr_area(piece_) == Box(36_000, 45_000, 648_000, 198_000)
    assert barcode_zone(piece_) == Box(342_000, 0, 684_000, 45_000)
    assert fim_zone(piece_) == Box(468_000, 252_000, 558_000, 297_000)
    assert ocr_area(form("flat9x12")) is None
    assert barcode_zone(form("flat9x12")) is None


def test_boxes_touch_without_overlapping():
    box = Box(0, 0, 10, 10)
    assert not box.overlaps(Box(10, 0, 20, 10))
    assert box.overlaps(Box(9, 9, 20, 20))
    assert box.contains(box)
    assert Box.around([box, Box(5, -5, 20, 3)]) == Box(0, -5, 20, 10)


@pytest.mark.parametrize("page", [piece(), piece_1998(), piece("flat9x12"), piece("postcard"), redate(), correction()])
def test_every_length_is_a_whole_number_of_units(page):
    for _, box in page.boxed:
        assert all(type(edge) is int for edge in (box.left, box.bottom, box.right, box.top))


def test_pages_of_one_sender_share_their_layers():
    other = replace(TO, company="Library of Congress", street="101 Independence Ave SE", zip5="20540")
    assert all(one is two for one, two in zip(piece().layers, piece(to=other).layers, strict=True))


def test_a_module_is_the_largest_whole_number_of_dots_that_fits():
    assert module_size(data_matrix(PAYLOAD), most_width=52_800, most_height=52_800) == 5 * DOT_300
    assert module_size(data_matrix(b"x"), most_width=52_800, most_height=52_800) == 6 * DOT_300
    with pytest.raises(Refused):
        module_size(data_matrix(PAYLOAD, size=144), most_width=52_800, most_height=52_800)


def test_the_symbol_of_1998_stands_left_of_the_fim_and_that_of_today_right_of_it():
    zone = fim_zone(form("no10"))
    assert piece_1998().having("symbol")[0][1].right <= zone.left
    assert piece().having("symbol")[0][1].left >= zone.right


def test_a_correction_belongs_on_the_other_side_and_keeps_its_elements():
    words = for_correction(OFFICE, device=DEVICE, day=ON, category="FIRST-CLASS MAIL", postage=Mills(290))
    symbol = data_matrix(PAYLOAD)
    with pytest.raises(Refused) as wrong:
        envelope(EnvelopeSpec(form=form("no10"), rules=IMI, on=ON, readable=words, symbol=symbol, recipient=TO))
    assert wrong.value.code == "page.wrong-side"
    for given, mark, code in (
        (readable(), symbol, "page.wrong-side"),
        (words, None, "page.symbol-missing"),
        (for_redate(OFFICE, device=DEVICE, day=ON), symbol, "page.symbol-forbidden"),
    ):
        with pytest.raises(Refused) as refusal:
            nonaddress_side(form=form("no10"), rules=IMI, on=ON, readable=given, symbol=mark)
        assert refusal.value.code == code


def test_a_correction_of_1998_has_its_pdf417_on_the_back():
    words = for_correction(OFFICE, device=DEVICE, day=ON, category="FIRST-CLASS MAIL", postage=Mills(290))
    page = nonaddress_side(form=form("no10"), rules=IMI, on=ON, readable=words, symbol=pdf417(bytes(89)))
    assert page.having("symbol")[0][1].bottom * Fraction(254, INCH * 10) >= 20


def test_a_town_too_long_for_its_circle_is_bad_input_and_the_zip_code_helps():
    office = Office(city="W" * 27, state="DC", zip_code="20260")
    spec = EnvelopeSpec(
        form=form("no10"), rules=IMI, on=ON, readable=readable(office=office),
        symbol=data_matrix(PAYLOAD), recipient=TO, sender=SENDER, imb=BARS, art=DEFAULT_ART,
    )  # fmt: skip
    with pytest.raises(BadInput) as fault:
        envelope(spec)
    assert fault.value.code == "page.does-not-fit"
    page = envelope(replace(spec, readable=readable(office=MailedFrom(zip_code="20024"))))
    assert {getattr(element, "text", "") for element, _ in page.having("place")} == {"MAILED FROM ZIP CODE", "20024"}


def test_a_return_address_too_long_is_bad_input():
    wide = replace(SENDER, name="W" * 46)
    with pytest.raises(BadInput):
        piece("postcard", sender=wide)


@pytest.mark.parametrize("code", ["FCLM", "FNLM", "FCFR", "FCCR"])
def test_every_category_fits_beside_the_amount(code):
    words = printed_category(code)
    assert piece(category=words).having("category")[0][0].text == words
    on_1998 = corner(readable(category=words), "apart", 0, 0)
    assert words in {getattr(element, "text", "") for element in on_1998.elements}
