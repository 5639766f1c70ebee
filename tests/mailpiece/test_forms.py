"""Every form: its size against the limits, a page on it that keeps every lint, and the forms that are refused."""

from dataclasses import replace
from fractions import Fraction

import pytest
from tests.conformance.breaking import refused
from tests.mailpiece.pages import (
    BARS,
    DEVICE,
    IBI,
    IMI,
    OFFICE,
    ON,
    ON_1998,
    PAYLOAD,
    PAYLOAD_1998,
    POSTNET,
    SENDER,
    TO,
    readable,
)

from towncircle.indicium.readable import for_correction, for_redate
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import Mills
from towncircle.mailpiece.art import DEFAULT_ART
from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.forms import catalogue, machinable, require_form, shape_of, shapes_of
from towncircle.mailpiece.geometry import INCH, Form, dot, dots_up, form, form_keys, inches, off_dots
from towncircle.mailpiece.lints import lint
from towncircle.mailpiece.page import EnvelopeSpec, envelope, nonaddress_side
from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import raster
from towncircle.symbol import data_matrix, pdf417, read

TOO_SMALL = "card-least"
USABLE = [key for key in form_keys() if key != TOO_SMALL]


def page_on(key: str, *, ibi: bool = False, dpi: int = 300) -> Page:
    found = form(key)
    symbol = pdf417(PAYLOAD_1998, columns=found.pdf417_columns) if ibi else data_matrix(PAYLOAD)
    return envelope(
        EnvelopeSpec(
            form=found, rules=IBI if ibi else IMI, on=ON_1998 if ibi else ON, symbol=symbol, recipient=TO,
            readable=readable(day=ON_1998 if ibi else ON), sender=SENDER, dpi=dpi,
            imb="" if ibi else BARS, postnet=POSTNET if ibi else "",
            art=DEFAULT_ART if found.shape == "letter" else None,
            piece_shape="" if found.shape != "label" else found.goes_on[0],
        )
    )  # fmt: skip


def correction_on(key: str, *, ibi: bool = False) -> Page:
    day, rules = (ON_1998, IBI) if ibi else (ON, IMI)
    words = for_correction(OFFICE, device=DEVICE, day=day, category="FIRST-CLASS LTR", postage=Mills(290))
    symbol = pdf417(PAYLOAD_1998, columns=form(key).pdf417_columns) if ibi else data_matrix(PAYLOAD)
    return nonaddress_side(form=form(key), rules=rules, on=day, readable=words, symbol=symbol)


def test_what_the_issue_names_is_there() -> None:
    named = "no6-3-4 no7-3-4 no9 no10 no11 no12 no14 env6x9 flat9x12 flat10x13 a2 a6 a7 a8 a10 c4 c5 c6 dl postcard"
    assert set(form_keys()) >= {*named.split(), "label4x6", "label-half", "tape", "tag"}


@pytest.mark.parametrize("found", catalogue(), ids=lambda found: found.key)
def test_a_form_is_what_it_says_and_says_where_its_size_is_from(found: Form) -> None:
    if found.shape == "label":
        assert set(found.goes_on) <= {"letter", "flat", "card", "parcel"}
    else:
        assert shape_of(found) == found.shape
        assert machinable(found)
    assert found.source
    assert found.house == found.source.startswith("house")


def test_the_limits_of_a_shape_hold_at_their_edge_and_not_beyond() -> None:
    at = replace(form("no10"), width=23 * INCH // 2, height=49 * INCH // 8)
    assert shape_of(at) == "letter"
    assert shape_of(replace(at, width=at.width + 10)) == "flat"
    assert shape_of(replace(at, height=at.height + 10)) == "flat"
    assert shape_of(replace(at, width=5 * INCH - 10)) == ""
    assert shape_of(replace(at, width=16 * INCH)) == ""
    assert machinable(replace(at, width=5 * INCH, height=2 * INCH))
    assert not machinable(replace(at, width=5 * INCH + 10, height=2 * INCH))
    assert machinable(form("flat10x13"))


@pytest.mark.parametrize("key", USABLE)
@pytest.mark.parametrize("ibi", [False, True], ids=["imi", "ibi"])
def test_every_form_has_a_legal_place_for_either_symbol(key: str, ibi: bool) -> None:
    page = page_on(key, ibi=ibi)
    assert lint(page, IBI if ibi else IMI, ON_1998 if ibi else ON) == ()
    (found,) = read(raster(to_pdf([page]), dpi=200))
    assert found.payload == (PAYLOAD_1998 if ibi else PAYLOAD)


@pytest.mark.parametrize("key", USABLE)
@pytest.mark.parametrize("dpi", [203, 600])
def test_symbols_stand_on_whole_dots_of_every_printer(key: str, dpi: int) -> None:
    page = page_on(key, dpi=dpi)
    assert lint(page, IMI, ON) == ()
    symbol = page.having("symbol")[0][0]
    assert off_dots(symbol.module, dpi) == off_dots(symbol.x, dpi) == 0


@pytest.mark.parametrize("key", USABLE)
def test_every_form_has_a_legal_place_for_corrections(key: str) -> None:
    assert lint(correction_on(key), IMI, ON) == ()
    assert lint(correction_on(key, ibi=True), IBI, ON_1998) == ()
    words = for_redate(OFFICE, device=DEVICE, day=ON)
    assert lint(nonaddress_side(form=form(key), rules=IMI, on=ON, readable=words), IMI, ON) == ()


@pytest.mark.requirement("P050-4.4/7")
def test_a_card_without_room_above_the_readers_area_is_refused_under_the_rule() -> None:
    with refused("P050-4.4", "page.no-room"):
        page_on(TOO_SMALL)


def test_a_label_without_room_for_the_fim_of_its_piece_is_refused() -> None:
    narrow = replace(form("tape"), width=5 * INCH // 2)
    spec = EnvelopeSpec(
        form=narrow, rules=IMI, on=ON, readable=readable(), symbol=data_matrix(PAYLOAD), piece_shape="letter"
    )
    with pytest.raises(Refused) as refusal:
        envelope(spec)
    assert (refusal.value.code, refusal.value.clause) == ("page.no-fim-room", "P050 4.12")
    assert not envelope(replace(spec, piece_shape="parcel")).having("fim")


@pytest.mark.requirement("P050-5.1")
@pytest.mark.parametrize(
    ("key", "shape"), [("c5", "letter"), ("no10", "card"), ("tag", "letter"), ("label4x6", "card")]
)
def test_a_form_beyond_the_limits_of_what_is_paid_is_refused(key: str, shape: str) -> None:
    with refused("P050-5.1", "page.form-unsuited"):
        require_form(key, shape)


def test_a_small_piece_may_be_paid_as_more_than_it_looks() -> None:
    assert shapes_of(form("postcard")) == ("letter", "flat", "card")
    assert require_form("no10", "flat").key == "no10"
    with pytest.raises(BadInput):
        require_form("no99", "letter")


def test_lengths_are_read_in_inches_and_in_millimetres() -> None:
    assert inches("4 1/8") == Fraction(33, 8) * INCH
    assert inches("254 mm") == 10 * INCH
    assert (dot(300), dot(600), dot(203)) == (240, 120, Fraction(45000, 127))
    assert dots_up(18_000, 203) == 18_071
    assert off_dots(18_071, 203) == 0
    assert off_dots(18_080, 203) > 0
    with pytest.raises(BadInput):
        dot(150)
