"""What a price is asked for with: services of a class, presort mailings, odd sizes, and a zone that plays no part."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import Mills
from towncircle.mailpiece.categories import CLASSES, LEVELS, category_code, describe_category, read_category
from towncircle.mailpiece.eligibility import Piece, Size, faults, nonstandard
from towncircle.mailpiece.rates import PriceRequest, extras_of, needs_zone, price
from towncircle.mailpiece.tariff import NONMACHINABLE, PIECE, known_tables

TODAY, IN_1998 = date(2026, 11, 23), date(1998, 9, 2)
PRESORT = PriceRequest(on=TODAY, weight_oz=Fraction(1), price_type="commercial", level="5-digit")


@pytest.mark.parametrize("mail_class", CLASSES)
def test_a_service_that_no_source_names_for_a_class_is_refused_there(mail_class):
    for extra in extras_of(known_tables()):
        asked = Piece(on=TODAY, mail_class=mail_class, shape=CLASSES[mail_class].shape, extras=(extra,))
        codes = [fault.code for fault in faults(asked)]
        if mail_class == "periodicals":  # no indicium pays it, with or without a service
            assert codes == ["eligibility.class"]
            continue
        named = {"certified": ("first", "priority"), "insurance": ("first", "priority", "media")}.get(extra)
        if named is not None:
            assert codes == ([] if mail_class in named else ["eligibility.service"])
        if extra == "adult-signature":
            assert codes == ["eligibility.service-unknown"]


@pytest.mark.parametrize(
    ("mail_class", "least", "dollars"), [("first", 500, "0.621"), ("standard", 200, "0.395")]
)  # Business Mail 101, quantity; Notice 123 of 12 July 2026
def test_a_presort_price_is_for_a_mailing_that_is_declared_and_large_enough(mail_class, least, dollars):
    asked = replace(PRESORT, mail_class=mail_class)
    for count, code in ((None, "rates.presort-undeclared"), (least - 1, "rates.presort-too-few")):
        with pytest.raises(Refused) as refusal:
            price(replace(asked, mailing_pieces=count))
        assert refusal.value.code == code
    found = price(replace(asked, mailing_pieces=least))
    assert found.amount == Mills.parse(dollars)
    assert read_category(found.category).level == "5-digit"
    assert "presorted 5-digit" in describe_category(found.category)
    assert any(f"mailing of {least} pieces, as declared; at least {least}" in step.text for step in found.steps)


def test_where_no_minimum_is_known_the_price_says_so():
    asked = PriceRequest(
        on=TODAY, weight_oz=Fraction(3), shape="flat", mail_class="standard", price_type="retail", level="eddm-retail",
        mailing_pieces=1,
    )  # fmt: skip
    assert any("how many it takes is not known here" in step.text for step in price(asked).steps)


@pytest.mark.parametrize("changes", [{"level": ""}, {"mailing_pieces": 0}])
def test_a_mailing_without_a_level_or_without_pieces_is_bad_input(changes):
    with pytest.raises(BadInput) as refusal:
        price(replace(PRESORT, **({"mailing_pieces": 500} | changes)))
    assert refusal.value.code == "rates.mailing-astray"


def test_every_level_of_a_table_has_a_code_of_its_own_that_reads_back():
    lines = [line for one in known_tables() for line in one.lines]
    assert {line.level for line in lines if line.kind == PIECE and line.level} <= {*LEVELS}
    codes = [
        category_code("first", "letter", "commercial", nonmachinable=False, extra_services=False, level=level)
        for level in ("", *LEVELS)
    ]
    assert len(set(codes)) == len(codes)
    assert [read_category(code).level for code in codes] == ["", *LEVELS]


@pytest.mark.parametrize(
    ("size", "odd"),
    [
        ("11.5x6.125x0.25", False), ("11.51x6.125x0.25", True), ("11.5x6.126x0.25", True), ("11.5x6.125x0.26", True),
        ("6.5x5x0.01", False), ("6.49x5x0.01", True), ("10x4x0.01", False), ("10.01x4x0.01", True), ("10x4", None),
        ("10.01x4", True), ("", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("on", [date(1998, 9, 2), date(1999, 6, 1)])
def test_a_light_piece_of_odd_size_is_not_priced_without_its_surcharge(size, odd, on):
    measured = Size.parse(size) if size else None
    asked = PriceRequest(on=on, weight_oz=Fraction(1), size=measured)
    assert nonstandard(asked.piece()) is odd
    if odd:
        with pytest.raises(Refused) as refusal:  # of neither year a source gives it
            price(asked)
        assert (refusal.value.code, "nonstandard" in refusal.value.sentence) == ("rates.not-found", True)
    else:
        said = any(step.text.startswith("Not measured") for step in price(asked).steps)
        assert said == (odd is None)
    heavier = replace(asked, weight_oz=Fraction(2))
    assert price(heavier).amount == Mills.parse("0.55")


def test_a_surcharge_that_a_table_gives_is_added_to_a_piece_of_odd_size():
    old = next(one for one in known_tables() if one.name == "first-class 1998")
    line = next(one for one in old.lines if one.kind == PIECE and one.shape == "letter")
    more = replace(old, lines=(*old.lines, replace(line, kind=NONMACHINABLE, amount=Mills(110), not_over_oz=None)))
    found = price(PriceRequest(on=IN_1998, weight_oz=Fraction(1), size=Size.parse("5x5x0.01")), tables=(more,))
    assert found.amount == Mills.parse("0.43")
    assert found.steps[1].text == "Nonstandard surcharge"


@pytest.mark.parametrize("on", [IN_1998, TODAY])
@pytest.mark.parametrize(("size", "fits"), [("5x3.5x0.007", True), ("5x3.5x0.006", False), ("4.99x3.5x0.007", False)])
def test_what_is_too_small_or_too_thin_was_no_mail_in_1998_either(on, size, fits):
    codes = [one.code for one in faults(Piece(on=on, mail_class="first", shape="letter", size=Size.parse(size)))]
    assert ("eligibility.small" in codes) != fits


def test_a_thick_flat_may_be_small():
    flat = Piece(on=TODAY, mail_class="first", shape="flat", size=Size.parse("4x3x0.25"))
    assert {one.code for one in faults(flat)} == {"eligibility.small"}
    assert faults(replace(flat, size=Size.parse("4x3x0.26"))) == []


def test_a_zone_that_the_price_does_not_depend_on_changes_nothing():
    letter = PriceRequest(on=TODAY, weight_oz=Fraction(1))
    box = PriceRequest(
        on=date(2026, 10, 3), weight_oz=Fraction(16), mail_class="priority", shape="large-box", price_type="commercial"
    )
    for asked in (letter, box):
        assert not needs_zone(asked, tables=known_tables())
        assert price(replace(asked, zone="5", zone_estimated=True)) == price(asked)
    assert needs_zone(replace(box, shape="parcel"), tables=known_tables())


def test_a_size_is_written_as_it_is_read():
    for text in ("9.5x4.125", "12x9x0.5"):
        assert str(Size.parse(text)) == text
