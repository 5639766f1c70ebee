"""The duties of P050 4.0: a page with one thing moved, changed or missing is refused under the clause it breaks."""

from dataclasses import replace
from datetime import date

import pytest
from tests.conformance.breaking import answered, names, refused
from tests.mailpiece.pages import (
    DEVICE,
    IBI,
    IMI,
    MARKING,
    OFFICE,
    ON,
    ON_1998,
    PAYLOAD,
    SENDER,
    TO,
    correction,
    piece,
    piece_1998,
    readable,
    redate,
)
from tests.mailpiece.test_lints import SYMBOL, H, W, having, moved, with_ink, without

from towncircle.indicium.readable import MailedFrom, for_correction, for_postage, for_redate, printed_date
from towncircle.kernel.money import Mills
from towncircle.mailpiece.art import Art
from towncircle.mailpiece.elements import Layer, Page
from towncircle.mailpiece.geometry import DOT_300, INCH, Box, form
from towncircle.mailpiece.lints import lint, require
from towncircle.mailpiece.markings import marking_of
from towncircle.mailpiece.page import EnvelopeSpec, envelope, nonaddress_side
from towncircle.rules import RuleSet
from towncircle.symbol import data_matrix
from towncircle.symbol.bars import fim


def with_layer_of(page: Page, other: Page) -> Page:
    return replace(page, layers=(*page.layers, other.layers[0]))


WITH_FIM = {"redate": with_layer_of(redate(), piece()), "correction": with_layer_of(correction(), piece())}


def breaks(page: Page, code: str, row: str) -> None:
    """Expect that a page is refused under a requirement, and that this very lint says so."""
    assert [finding.clause for finding in lint(page, IMI, ON) if finding.code == code and names(finding.clause, row)]
    with refused(row):
        require(page, IMI, ON)


@pytest.mark.requirement("P050-4.4/1", code="upper-right")
@pytest.mark.requirement("P050-4.4/2", code="margin-right")
@pytest.mark.requirement("P050-4.4/3", code="margin-top")
@pytest.mark.requirement("P050-4.4/4", code="horizontal")
@pytest.mark.requirement("P050-4.4/5", code="fim-zone")
@pytest.mark.requirement("P050-4.4/6", code="barcode-zone")
@pytest.mark.requirement("P050-4.4/7", code="ocr-area")
@pytest.mark.parametrize(
    ("code", "page"),
    [
        ("upper-right", moved("amount", x=-400_000)),
        ("margin-right", moved("symbol", x=5 * DOT_300)),
        ("margin-top", moved("symbol", y=5 * DOT_300)),
        ("horizontal", having("symbol", turned=90)),
        ("fim-zone", with_ink(W - 2 * INCH, H - 20_000)),
        ("barcode-zone", with_ink(W - 20_000, 20_000)),
        ("ocr-area", with_ink(W // 4, H // 2)),
    ],
)
def test_an_indicium_off_its_place_is_refused(code: str, page: Page) -> None:
    breaks(page, code, "P050-4.4")


@pytest.mark.requirement("P050-4.5/2", role="place")
@pytest.mark.requirement("P050-4.5/3", role="device")
@pytest.mark.requirement("P050-4.5/4", role="date")
@pytest.mark.requirement("P050-4.5/5", role="category")
@pytest.mark.requirement("P050-4.5/6", role="amount")
@pytest.mark.requirement("PRE-01/1")
@pytest.mark.parametrize("role", ["place", "device", "date", "category", "amount"])
def test_an_indicium_without_one_of_its_words_is_refused(role: str) -> None:
    for row in ("PRE-01", "P050-4.5"):
        breaks(without(role), "readable", row)


@pytest.mark.requirement("PRE-01/2", "P050-1.1/1", "P050-4.5/1")
def test_an_indicium_without_its_barcode_is_refused() -> None:
    for row in ("PRE-01", "P050-1.1", "P050-4.5"):
        breaks(without("symbol"), "symbol", row)


@pytest.mark.requirement("PRE-01/3")
def test_art_may_be_left_out_and_is_not_half_there() -> None:
    require(piece(art=None), IMI, ON)
    breaks(without("attribution"), "attribution", "P050-4.10")


@pytest.mark.requirement("P050-4.2/2")
def test_ink_in_the_quiet_zone_is_refused() -> None:
    breaks(with_ink(SYMBOL.left - 1_400, SYMBOL.bottom + 9_000, role="decoration"), "quiet-zone", "P050-4.2")


@pytest.mark.requirement("P050-4.2/4", "P050-4.12/3")
@pytest.mark.parametrize("page", [moved("fim", x=10_000), having("fim", bar=3_000), having("fim", height=30_000)])
def test_a_fim_off_its_place_or_figures_is_refused(page: Page) -> None:
    for row in ("P050-4.2", "P050-4.12"):
        breaks(page, "fim-place", row)


@pytest.mark.requirement("P050-4.2/5")
@pytest.mark.parametrize(
    ("code", "page"),
    [
        ("address-area", without("recipient")),
        ("address-area", moved("recipient", x=320_000)),
        ("imb-place", moved("imb", x=60_000)),
        ("imb-figures", having("imb", pitch=4_000)),
    ],
)
def test_an_address_or_a_barcode_off_its_place_is_refused(code: str, page: Page) -> None:
    breaks(page, code, "P050-4.2")


@pytest.mark.requirement("P050-4.12/1")
def test_a_letter_or_flat_without_its_fim_is_refused() -> None:
    for page in (without("fim"), having("fim", pattern=fim("C"))):
        breaks(page, "fim", "P050-4.12")
    bare = without("fim", piece_1998("flat9x12"))
    assert "fim" in {finding.code for finding in lint(bare, IBI, ON_1998)}
    assert "fim" not in {finding.code for finding in lint(bare, IMI, ON)}
    breaks(piece_1998("flat9x12"), "fim", "P050-4.12")  # today a flat bears none


@pytest.mark.requirement("P050-4.12/1")
@pytest.mark.parametrize(("shape", "rules", "on", "marks"), [("parcel", IBI, ON_1998, 0), ("letter", IMI, ON, 1)])
def test_a_label_bears_the_fim_of_its_piece_and_a_parcel_none(shape: str, rules: RuleSet, on: date, marks: int) -> None:
    spec = EnvelopeSpec(
        form=form("label4x6"), rules=rules, on=on, readable=readable(day=on), symbol=data_matrix(PAYLOAD),
        recipient=TO, piece_shape=shape,
    )  # fmt: skip
    page = envelope(spec)
    assert len(page.having("fim")) == marks
    assert "fim" not in {finding.code for finding in lint(page, rules, on)}
    other = replace(page, piece_shape="letter" if shape == "parcel" else "parcel")
    answered(next(one for one in lint(other, rules, on) if one.code == "fim"), "P050-4.12", "fim")


@pytest.mark.requirement("P050-4.12/2")
def test_courtesy_reply_bears_fim_a_with_a_barcode_and_no_other_piece_does() -> None:
    require(piece(reply=True), IMI, ON)
    breaks(having("fim", pattern=fim("A")), "fim", "P050-4.12")
    breaks(having("fim", piece(reply=True), pattern=fim("D")), "fim", "P050-4.12")
    breaks(piece(reply=True, bars=""), "fim", "P050-4.12")


@pytest.mark.requirement("502.17/1")
def test_a_specimen_that_does_not_say_so_is_refused() -> None:
    breaks(without("specimen"), "specimen", "502.17")


@pytest.mark.requirement("P050-4.5c")
def test_the_mailers_zip_code_stands_under_its_words_and_must_be_one() -> None:
    assert readable(office=MailedFrom(zip_code="20024")).circle[:2] == ("Mailed From ZIP Code", "20024")
    with refused("P050-4.5c", "indicium.readable-unfit"):
        MailedFrom(zip_code="2002")


@pytest.mark.requirement("P050-4.6/1")
def test_first_class_mail_without_its_day_is_refused() -> None:
    with refused("P050-4.6", "indicium.date-incomplete"):
        printed_date(date(2026, 11, 21), month_only=True, first_class=True)
    breaks(having("date", text="NOV"), "complete-date", "P050-4.6")


@pytest.mark.requirement("P050-4.6/2")
def test_the_day_is_left_out_on_standard_mail_only() -> None:
    assert printed_date(date(2026, 11, 21), month_only=True, first_class=False) == "NOV 2026"
    with refused("P050-4.6"):
        printed_date(date(2026, 11, 21), month_only=True, first_class=True)


@pytest.mark.requirement("P050-4.8/1")
def test_a_date_correction_that_does_not_say_redate_is_refused() -> None:
    amount = tuple(element for element, _ in piece().having("amount"))
    for page in (
        having("redate", redate(), text="REDATED"),
        replace(redate(), layers=(*redate().layers, Layer(amount))),
    ):
        breaks(page, "redate", "P050-4.8")


@pytest.mark.requirement("P050-4.8/2")
def test_a_date_correction_on_the_address_side_is_refused() -> None:
    breaks(replace(redate(), side="address"), "redate", "P050-4.8")


@pytest.mark.requirement("P050-4.8/3", "P050-4.9/2")
@pytest.mark.parametrize(
    ("row", "page"),
    [
        ("P050-4.8", moved("redate", y=-90_000, page=redate())),
        ("P050-4.9", moved("symbol", y=-60_000, page=correction())),
    ],
)
def test_a_correction_too_near_the_bottom_edge_is_refused(row: str, page: Page) -> None:
    breaks(page, "correction-bottom", row)


@pytest.mark.requirement("P050-4.8/4", "PRE-21/1", page=WITH_FIM["redate"])
@pytest.mark.requirement("P050-4.9/4", "PRE-21/2", page=WITH_FIM["correction"])
@pytest.mark.parametrize("page", WITH_FIM.values(), ids=WITH_FIM)
def test_a_correction_with_a_fim_is_refused(page: Page) -> None:
    for row in ("PRE-21", "P050-4.12"):
        breaks(page, "fim", row)
    assert not for_redate(OFFICE, device=DEVICE, day=ON).bears_fim


@pytest.mark.requirement("P050-4.8/5", "PRE-21/1")
def test_a_date_correction_with_a_barcode_is_refused() -> None:
    with refused("P050-4.8", "page.symbol-forbidden"):
        nonaddress_side(
            form=form("no10"),
            rules=IMI,
            on=ON,
            readable=for_redate(OFFICE, device=DEVICE, day=ON),
            symbol=data_matrix(PAYLOAD),
        )
    breaks(replace(redate(), elements=correction().elements), "symbol", "P050-4.8")


@pytest.mark.requirement("P050-4.9/1")
def test_an_indicium_of_the_address_side_is_no_correction() -> None:
    with refused("P050-4.9", "page.wrong-side"):
        nonaddress_side(form=form("no10"), rules=IMI, on=ON, readable=readable(), symbol=data_matrix(PAYLOAD))


@pytest.mark.requirement("P050-4.9/3")
def test_a_correction_on_the_flap_is_refused() -> None:
    breaks(moved("symbol", y=60_000, page=correction()), "correction-flap", "P050-4.9")


@pytest.mark.requirement("P050-4.9/4", "P050-1.6")
def test_a_correction_without_its_symbol_or_words_is_refused() -> None:
    words = for_correction(OFFICE, device=DEVICE, day=ON, category="FIRST-CLASS MAIL", postage=Mills(290))
    for row in ("P050-1.6", "P050-4.9"):
        with refused(row, "page.symbol-missing"):
            nonaddress_side(form=form("no10"), rules=IMI, on=ON, readable=words)
    breaks(without("amount", correction()), "readable", "P050-4.5")


@pytest.mark.requirement("P050-4.10/1")
def test_art_that_leaves_its_space_is_refused() -> None:
    breaks(with_ink((SYMBOL.left + SYMBOL.right) // 2, SYMBOL.bottom + 9_000, role="art"), "overlap", "P050-4.2")


@pytest.mark.requirement("P050-4.10/3")
def test_art_that_does_not_say_whose_it_is_is_refused() -> None:
    breaks(having("attribution", text="Buy now"), "attribution", "P050-4.10")


@pytest.mark.requirement("P050-4.11/2")
def test_art_beside_a_marking_is_refused() -> None:
    marked = piece(art=MARKING)
    breaks(replace(marked, layers=(*marked.layers, piece().layers[-1])), "marking-alone", "P050-4.11")


@pytest.mark.requirement("P050-4.11/4")
@pytest.mark.parametrize("values", [{"font": "sans"}, {"text": "Presorted"}])
def test_a_marking_that_is_not_in_bold_capitals_is_refused(values: dict[str, str]) -> None:
    breaks(having("marking", piece(art=MARKING), **values), "marking-type", "P050-4.11")


@pytest.mark.requirement("P050-4.11/5")
def test_a_marking_of_18_point_is_too_low_and_refused() -> None:
    breaks(having("marking", piece(art=MARKING), size=18_000), "marking-type", "P050-4.11")


@pytest.mark.requirement("P050-4.11/1")
def test_an_indicium_that_names_no_class_of_mail_or_two_is_refused() -> None:
    breaks(having("category", text="LTR"), "class-marking", "P050-4.11")
    breaks(piece(art=Art(words=("PRIORITY MAIL",), kind="marking")), "class-marking", "P050-4.11")
    with refused("P050-4.11", "page.no-marking"):
        marking_of("LTR")


@pytest.mark.requirement("P050-4.11/3")
def test_a_marking_fills_its_area_and_no_small_area_is_excepted() -> None:
    marked = piece(art=MARKING)
    box, area = Box.around([box for _, box in marked.having("marking")]), marked.art_area
    assert area is not None
    assert area.contains(box)
    assert box.width * 100 >= area.width * 97 or box.height * 100 >= area.height * 97
    breaks(having("marking", marked, size=20_000), "marking-fill", "P050-4.11")
    with refused("P050-4.11", "page.marking-too-small"):
        envelope(
            EnvelopeSpec(
                form=form("postcard"), rules=IMI, on=ON, readable=readable(), symbol=data_matrix(PAYLOAD),
                recipient=TO, sender=SENDER, art=MARKING,
            )
        )  # fmt: skip


@pytest.mark.requirement("P050-4.11/6")
@pytest.mark.parametrize("values", [{"size": 12_000}, {"ink": 500}, {"tracking": -500}])
def test_a_marking_that_two_feet_make_illegible_is_refused(values: dict[str, int]) -> None:
    breaks(having("marking", piece(art=MARKING), **values), "marking-legible", "P050-4.11")


@pytest.mark.requirement("P050-4.6/2")
def test_standard_mail_with_month_and_year_alone_is_a_good_page() -> None:
    words = for_postage(
        OFFICE, device=DEVICE, day=ON, category="STANDARD LTR", postage=Mills(420), first_class=False, month_only=True
    )
    page = envelope(
        EnvelopeSpec(form=form("no10"), rules=IMI, on=ON, readable=words, symbol=data_matrix(PAYLOAD), recipient=TO)
    )
    require(page, IMI, ON)
    assert [getattr(element, "text", "") for element, _ in page.having("date")] == ["NOV", "2026"]
    breaks(having("category", page, text="FIRST-CLASS LTR"), "complete-date", "P050-4.6")
