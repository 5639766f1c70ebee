"""Each lint with good pages and bad ones: a bad page is a good one with one thing moved, changed or missing."""

from dataclasses import replace

import pytest
from tests.mailpiece.pages import (
    BARS,
    IBI,
    IMI,
    LICENSED,
    MARKING,
    ON,
    ON_1998,
    POSTNET,
    correction,
    correction_1998,
    label,
    piece,
    piece_1998,
    redate,
)

from towncircle.indicium.readable import Branch, MailedFrom
from towncircle.kernel.errors import RefusedOnGrounds
from towncircle.mailpiece.art import Art
from towncircle.mailpiece.elements import Element, Layer, Page, Path, circle
from towncircle.mailpiece.geometry import DOT_300, INCH, form
from towncircle.mailpiece.lints import LINTS, lint, require
from towncircle.symbol.bars import fim, postnet


def changed(page: Page, role: str, change) -> Page:
    """Give the page with every element of a role changed, or taken away where `change` gives None."""

    def all_of(elements):
        made = [change(element) if element.role == role else element for element in elements]
        return tuple(element for element in made if element is not None)

    layers = tuple(Layer(all_of(layer.elements)) for layer in page.layers)
    return replace(page, layers=layers, elements=all_of(page.elements))


def without(role: str, page: Page | None = None) -> Page:
    return changed(page or piece(), role, lambda _: None)


def moved(role: str, *, x: int = 0, y: int = 0, page: Page | None = None) -> Page:
    return changed(page or piece(), role, lambda e: replace(e, x=e.x + x, y=e.y + y))


def with_ink(x: int, y: int, page: Page | None = None, role: str = "sender") -> Page:
    page = page or piece()
    blot = Path(role=role, ops=circle(x, y, 500), fill=0)
    return replace(page, elements=(*page.elements, blot))


def having(role: str, page: Page | None = None, **values) -> Page:
    return changed(page or piece(), role, lambda e: replace(e, **values))


def worded(role: str, old: str, new: str, page: Page | None = None) -> Page:
    """Give the page with one word of a role written otherwise."""
    return changed(page or piece(), role, lambda e: replace(e, text=new) if e.text == old else e)


MAILED_FROM = MailedFrom(zip_code="20024")
BRANCH = Branch(name="Capitol Heights", state="MD", zip_code="20260")


def codes(page: Page, rules=IMI, on=ON) -> set[str]:
    return {finding.code for finding in lint(page, rules, on)}


GOOD = {
    "letter": piece(),
    "letter without art": piece(art=None),
    "letter without sender": piece(sender=None),
    "letter with a marking": piece(art=MARKING),
    "real postage": piece(specimen=False, art=None),
    "a large amount": piece(cents=123456),
    "flat": piece("flat9x12"),
    "postcard": piece("postcard"),
    "redate": redate(),
    "redate on a card": redate("postcard"),
    "correction": correction(),
    "correction on a flat": correction("flat9x12"),
    "correction on a card": correction("postcard"),
    "redate on a flat": redate("flat9x12"),
    "an approved branch": piece(office=BRANCH),
    "the mailer's ZIP Code": piece(office=MAILED_FROM),
    "an approved label": label(),
    "month and year": piece(category="STANDARD LTR", month_only=True),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_page_has_no_findings(name):
    assert lint(GOOD[name], IMI, ON) == ()
    require(GOOD[name], IMI, ON)


@pytest.mark.parametrize(
    "page",
    [
        piece_1998(), piece_1998(art=None), piece_1998("flat9x12"),
        *(correction_1998(key) for key in ("no10", "flat9x12", "postcard")),
        *(redate(key, day=ON_1998) for key in ("no10", "flat9x12", "postcard")),
    ],
)  # fmt: skip
def test_a_good_page_of_1998_has_no_findings(page):
    assert lint(page, IBI, ON_1998) == ()


def mailed_from_words() -> tuple[Element, ...]:
    return tuple(e for e, _ in piece(office=MAILED_FROM).having("place"))


def with_old_bars() -> Page:
    """Give a letter of today with the POSTNET of 1998 in its place."""
    ((old, _),) = piece_1998().having("postnet")
    page = without("imb")
    return replace(page, elements=(*page.elements, old))


def with_attribution(page: Page) -> Page:
    """Give a page with the words of art at a place where nothing stands."""
    ((words, _),) = piece().having("attribution")
    return replace(page, elements=(*page.elements, replace(words, x=160_000, y=250_000)))


POSTNETS = (
    {"letters": POSTNET[:-1]}, {"letters": POSTNET[:6] + "0" + POSTNET[7:]}, {"letters": "0" + POSTNET[1:]},
    {"letters": postnet("20260")[:26] + postnet("20261")[26:]}, {"pitch": 4_000}, {"bar": 2_000}, {"third": 3_600},
    {"short": 1_000},
)  # fmt: skip
W, H = form("no10").width, form("no10").height
SYMBOL = piece().having("symbol")[0][1]
BAD = [
    ("margin-right", moved("symbol", x=5 * DOT_300)),
    ("margin-right", having("amount", x=W - 10_000)),
    ("margin-top", moved("symbol", y=5 * DOT_300)),
    ("margin-top", moved("postage-words", y=60_000)),
    ("upper-right", moved("amount", x=-400_000)),
    ("upper-right", moved("amount", y=-150_000)),
    ("horizontal", having("symbol", turned=90)),
    ("horizontal", having("symbol", turned=270)),
    ("fim-zone", with_ink(W - 2 * INCH, H - 20_000)),
    ("fim-zone", moved("symbol", x=-60_000)),
    ("fim-zone", with_ink(W - 200_000, H - 30_000, role="decoration")),
    ("ocr-area", moved("amount", y=-40_000)),
    ("ocr-area", with_ink(W // 4, H // 2)),
    ("barcode-zone", with_ink(W - 20_000, 20_000)),
    ("barcode-zone", moved("recipient", y=-80_000)),
    ("address-area", moved("recipient", x=320_000)),
    ("address-area", moved("recipient", y=80_000)),
    ("address-area", without("recipient")),
    ("clear-space", moved("sender", x=300_000)),
    ("clear-space", with_ink(form("flat9x12").width - 60_000, form("flat9x12").height - 130_000, piece("flat9x12"))),
    ("overlap", moved("category", y=3_000)),
    ("overlap", moved("amount", x=20_000)),
    ("overlap", moved("specimen", y=40_000)),
    ("inside", moved("sender", x=-30_000)),
    ("inside", moved("recipient", x=W)),
    ("correction-bottom", moved("symbol", y=-60_000, page=correction())),
    ("correction-bottom", moved("redate", y=-90_000, page=redate())),
    ("correction-flap", moved("symbol", y=60_000, page=correction())),
    ("correction-flap", moved("redate", y=100_000, page=redate())),
    ("fim", without("fim")),
    ("fim", piece_1998("flat9x12")),
    ("fim", having("fim", piece(reply=True), pattern=fim("D"))),
    ("fim", piece(reply=True, bars="")),
    ("fim", without("fim", piece("postcard"))),
    ("fim", having("fim", pattern=fim("C"))),
    ("fim", replace(correction(), layers=(*correction().layers, piece().layers[0]))),
    ("fim-place", moved("fim", x=10_000)),
    ("fim-place", moved("fim", x=-10_000)),
    ("fim-place", moved("fim", y=-5_000)),
    ("fim-place", having("fim", height=30_000)),
    ("fim-place", having("fim", bar=3_000)),
    ("fim-place", having("fim", pitch=5_000)),
    ("imb-figures", having("imb", letters=BARS[:-1])),
    ("imb-figures", having("imb", letters=BARS[:-1] + "X")),
    ("imb-figures", having("imb", pitch=4_000)),
    ("imb-figures", having("imb", bar=2_000)),
    ("imb-figures", having("imb", third=6_000)),
    ("delivery-barcode", with_old_bars()),
    ("delivery-barcode", replace(piece(), elements=(*piece().elements, piece().having("imb")[0][0]))),
    *(("postnet-figures", having("postnet", piece_1998(), **bad)) for bad in POSTNETS),
    ("imb-place", moved("imb", x=-40_000)),
    ("imb-place", moved("imb", x=60_000)),
    ("imb-place", moved("imb", y=30_000)),
    ("imb-place", moved("imb", y=-18_000)),
    ("imb-clear", with_ink(W - 31 * INCH // 8 - 3_000, 20_000)),
    ("imb-clear", moved("imb", y=-12_500, page=piece("flat9x12"))),
    ("quiet-zone", with_ink(SYMBOL.left - 1_400, SYMBOL.bottom + 9_000, role="decoration")),
    ("quiet-zone", moved("postage-words", y=6_000)),
    ("whole-dots", moved("symbol", x=-100)),
    ("whole-dots", moved("symbol", y=-120)),
    ("whole-dots", having("symbol", module=1_000)),
    ("symbol", without("symbol")),
    ("symbol", without("symbol", correction())),
    ("symbol", replace(redate(), elements=correction().elements)),
    ("readable", without("place")),
    ("readable", without("device")),
    ("readable", without("date")),
    ("readable", without("category")),
    ("readable", without("amount")),
    ("readable", having("device", text="TC1A")),
    ("readable", having("amount", text="78 cents")),
    ("readable", worded("place", "WASHINGTON DC", "WASHINGTON")),
    ("readable", worded("place", "WASHINGTON DC", "WASHINGTON XX")),
    ("readable", worded("date", "2026", "")),
    ("readable", worded("date", "2026", "26")),
    ("design", having("device", font="sans")),
    ("design", having("amount", font="mono")),
    ("design", having("category", size=6_000)),
    ("design", having("place", font="sans", page=redate())),
    ("design", having("symbol", module=1_500)),
    ("design", having("symbol", module=400, page=correction())),
    ("label-stock", replace(label(), licensed=replace(LICENSED, label_forms=frozenset({"tape"})))),
    ("label-stock", replace(label(), licensed=replace(LICENSED, label_forms=frozenset()))),
    ("place", replace(piece(office=BRANCH), licensed=replace(LICENSED, branches=frozenset()))),
    ("place", worded("place", "WASHINGTON DC", "BETHESDA MD")),
    ("place", worded("place", "20260", "20024")),
    ("place", worded("place", "20260", "20024", redate())),
    ("mailed-from", worded("place", "20024", "20260", piece(office=MAILED_FROM))),
    ("mailed-from", worded("place", "20024", "MAILED FROM ZIP CODE", piece(office=MAILED_FROM))),
    ("mailed-from", replace(piece(), layers=(*piece().layers, Layer(mailed_from_words())))),
    ("true-date", worded("date", "NOV 21", "NOV 22")),
    ("true-date", worded("date", "2026", "2025")),
    ("true-date", worded("date", "NOV", "DEC", piece(category="STANDARD LTR", month_only=True))),
    ("true-date", worded("date", "NOV 21", "NOV 20", correction())),
    ("complete-date", having("category", piece(category="STANDARD LTR", month_only=True), text="FIRST-CLASS")),
    ("complete-date", having("date", text="NOV")),
    ("complete-date", having("date", text="2026")),
    ("type-size", having("device", size=3_000)),
    ("type-size", having("sender", size=4_400)),
    ("redate", having("redate", redate(), text="REDAT")),
    ("redate", having("redate", redate(), text="REDATED")),
    ("redate", replace(redate(), layers=(*redate().layers, Layer(tuple(e for e, _ in piece().having("amount")))))),
    ("redate", replace(redate(), side="address")),
    ("correction-amount", having("amount", correction(), text="$0.00")),
    ("correction-amount", having("amount", correction("flat9x12"), text="$0.000")),
    ("correction-alone", replace(correction(), elements=(*correction().elements, piece().having("imb")[0][0]))),
    ("correction-alone", replace(redate(), elements=tuple(e for e, _ in piece().having("recipient")))),
    ("correction-alone", replace(redate(), elements=tuple(e for e, _ in piece().having("art", "attribution")))),
    ("readable", without("redate", redate())),
    ("readable", without("device", redate())),
    ("readable", without("place", correction())),
    ("readable", without("category", correction())),
    ("readable", without("amount", correction())),
    ("house-art", piece(specimen=False)),
    ("attribution", without("attribution")),
    ("attribution", having("attribution", text="Buy now")),
    ("marking-alone", with_attribution(piece(art=MARKING))),
    ("marking-alone", replace(piece(art=MARKING), layers=(*piece(art=MARKING).layers, piece().layers[-1]))),
    ("marking-type", having("marking", piece(art=MARKING), size=18_000)),
    ("marking-type", having("marking", piece(art=MARKING), font="sans")),
    ("marking-type", having("marking", piece(art=MARKING), text="Presorted")),
    ("marking-fill", having("marking", piece(art=MARKING), size=20_000)),
    ("marking-fill", moved("marking", x=-20_000, page=piece(art=MARKING))),
    ("marking-fill", replace(piece(art=MARKING), art_area=None)),
    ("marking-legible", having("marking", piece(art=MARKING), size=12_000)),
    ("marking-legible", having("marking", piece(art=MARKING), ink=500)),
    ("class-marking", having("category", text="LTR")),
    ("class-marking", having("marking", piece(art=MARKING), text="PRIORITY")),
    ("specimen", without("specimen")),
    ("specimen", replace(piece(), specimen=False)),
    ("amount", having("amount", piece(specimen=False, art=None), text="$0.00")),
    ("amount", replace(piece(), elements=(*piece().elements, piece().having("amount")[0][0]))),
]  # fmt: skip


@pytest.mark.parametrize(("code", "page"), BAD, ids=[f"{at}-{code}" for at, (code, _) in enumerate(BAD)])
def test_a_bad_page_is_found(code, page):
    found = [finding for finding in lint(page, IMI, ON) if finding.code == code]
    assert found
    assert all(finding.measured and finding.allowed and finding.clause for finding in found)


def test_every_lint_has_a_bad_specimen_and_words():
    assert {rule.code for rule in LINTS} == {code for code, _ in BAD}
    assert len({rule.code for rule in LINTS}) == len(LINTS)
    assert all(rule.says.endswith(".") for rule in LINTS)


def test_every_lint_has_a_bad_specimen_that_is_bad_for_nothing_else():
    def found(code: str, page: Page) -> set[str]:
        return codes(page, IBI, ON_1998) if code == "postnet-figures" else codes(page)

    assert {code for code, page in BAD if found(code, page) == {code}} == {rule.code for rule in LINTS}


def test_a_later_rule_does_not_bind_an_earlier_piece():
    crowded = with_ink(W - 140_000, H - 70_000, piece(art=None))
    assert "clear-space" in codes(crowded)
    assert "clear-space" not in codes(crowded, IBI, ON_1998)


def test_the_margin_is_the_rule_set_s_and_not_ours():
    strict = IMI.with_value("indicium_margin_right", "1/2 in")
    assert "margin-right" in {finding.code for finding in lint(piece(), strict, ON)}


def test_art_with_the_mailer_s_name_needs_no_attribution():
    named = piece(art=Art(words=("Harbor Light Books", "since 1931"), attribution=""))
    assert codes(named) == set()


def test_a_page_with_findings_is_refused_with_all_of_them():
    bad = having("fim", without("device"), pattern=fim("C"))
    with pytest.raises(RefusedOnGrounds) as refusal:
        require(bad, IMI, ON)
    assert {ground.clause for ground in refusal.value.grounds} == {"P050 4.5, PRE-01", "P050 4.12, PRE-21"}
