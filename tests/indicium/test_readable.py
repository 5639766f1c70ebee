"""What people read: the town circle, the corrections, words, and the page of layouts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.indicium.samples import content_of

from towncircle.indicium import decode, describe, join, words
from towncircle.indicium.readable import MailedFrom, Office, for_correction, for_postage, for_redate
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills

PORTLAND = Office(city="Portland", state="ME", zip_code="04101")
DEVICE = DeviceId("TC1A0000000017")
DAY = date(2026, 11, 21)


def test_an_indicium_shows_every_element_that_p050_4_5_names() -> None:
    shown = for_postage(PORTLAND, device=DEVICE, day=DAY, category="FIRST-CLASS", postage=Mills(780), first_class=True)
    assert shown.circle == ("PORTLAND ME", "04101", "NOV 21 2026")
    assert (shown.device, shown.category, shown.amount) == ("TC1A0000000017", "FIRST-CLASS", "$0.78")
    assert shown.lines()[0] == "SPECIMEN"
    assert (shown.bears_symbol, shown.bears_fim, shown.on_address_side) == (True, True, True)


def test_the_mailers_zip_may_stand_in_place_of_city_and_state() -> None:
    place = MailedFrom(zip_code="04102")
    shown = for_postage(place, device=DEVICE, day=DAY, category="FCL1", postage=Mills(780), first_class=True)
    assert shown.circle[:2] == ("Mailed From ZIP Code", "04102")


def test_the_day_may_be_left_out_on_standard_mail_only() -> None:
    given = {"device": DEVICE, "day": DAY, "category": "STD", "postage": Mills(300), "month_only": True}
    assert for_postage(PORTLAND, **given, first_class=False).circle[2] == "NOV 2026"
    with pytest.raises(Refused, match=r"indicium\.date-incomplete"):
        for_postage(PORTLAND, **given, first_class=True)


def test_a_redate_shows_the_word_for_the_amount_and_bears_neither_fim_nor_symbol() -> None:
    shown = for_redate(PORTLAND, device=DEVICE, day=DAY, specimen=False)
    assert shown.amount == "REDATE"
    assert (shown.bears_symbol, shown.bears_fim, shown.on_address_side) == (False, False, False)
    assert shown.lines() == ("REDATE", "PORTLAND ME", "04101", "NOV 21 2026", "TC1A0000000017")


def test_a_postage_correction_has_all_elements_but_the_fim() -> None:
    shown = for_correction(PORTLAND, device=DEVICE, day=DAY, category="FCL1", postage=Mills(290))
    assert (shown.bears_symbol, shown.bears_fim, shown.on_address_side, shown.amount) == (True, False, False, "$0.29")


def test_what_cannot_be_printed_is_refused() -> None:
    with pytest.raises(BadInput, match=r"indicium\.readable-unfit"):
        Office(city="Portland", state="Maine", zip_code="04101")
    with pytest.raises(BadInput, match=r"indicium\.readable-unfit"):
        for_correction(PORTLAND, device=DEVICE, day=DAY, category="FCL1", postage=Mills(-1))


def test_every_field_is_said_in_words() -> None:
    lines = {line.field: line.words for line in words.explain(decode(join(content_of("imi-max"), bytes(64))))}
    assert all(lines.values())
    assert lines["postage_mills"] == "$0.78 of postage"
    assert lines["date"] == "date of mailing November 21, 2026"
    assert lines["destination"] == "going to 04101-1234, delivery point 56"
    assert lines["weight"] == "weighs 1.0 oz"
    assert lines["certificate_serial"].endswith("of the test root")


def test_the_committed_page_of_layouts_is_the_generated_one() -> None:
    page = Path(__file__).parent.parent.parent / "docs" / "layouts.md"
    assert page.read_text() == describe.markdown()
    assert "non-disclosure agreement" in describe.markdown()
