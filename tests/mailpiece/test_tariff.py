"""Every price that the program carries, and what lies between, over and outside them."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise, product

import pytest
from tests.mailpiece import pages
from tests.mailpiece.sources import sources_of

from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.categories import (
    CLASSES,
    SHAPES,
    category_code,
    describe_category,
    printed_category,
    read_category,
)
from towncircle.mailpiece.eligibility import Piece, Size, faults, unchecked, unpayable
from towncircle.mailpiece.geometry import form_for
from towncircle.mailpiece.lints import lint
from towncircle.mailpiece.page import EnvelopeSpec, envelope
from towncircle.mailpiece.rates import PriceRequest, extras_of, price
from towncircle.mailpiece.tariff import (
    ADDITION,
    EXTRA,
    EXTRA_SERVICES,
    NONMACHINABLE,
    OUNCE,
    PIECE,
    TEMPORARY,
    Line,
    Table,
    known_tables,
    laid_over,
    zones_of,
)
from towncircle.mailpiece.weights import parse_weight
from towncircle.symbol import data_matrix

TODAY = date(2026, 11, 23)


def parcel(mail_class: str, weight: str, zone: str = "", on: date = TODAY, **more) -> PriceRequest:
    asked = {"shape": CLASSES[mail_class].shape, "price_type": "commercial", **more}
    return PriceRequest(mail_class=mail_class, weight_oz=parse_weight(weight), zone=zone, on=on, **asked)


def class_of(table: Table) -> str:
    base = table.series.removesuffix(TEMPORARY)
    return "first" if base in ("first-class", EXTRA_SERVICES) else base.partition("-")[0]


def requests_for(table: Table, line: Line):
    """Ask for exactly what a line prices: each zone of it, at its weight."""
    mail_class, kinds = class_of(table), {"all": "metered" if class_of(table) == "first" else "retail", "": "metered"}
    base = {
        "on": table.in_force_from,
        "mail_class": line.for_class or mail_class,
        "shape": line.shape or CLASSES[line.for_class or mail_class].shape,
        "price_type": kinds.get(line.price_type, line.price_type),
        # the additions reach further than some of the prices that they lie on
        "weight_oz": min(line.not_over_oz or Fraction(1), parse_weight("20lb" if line.kind == ADDITION else "70lb")),
        "level": line.level if line.kind == PIECE else "",
    }
    if line.level and line.kind == PIECE:
        base["mailing_pieces"] = 1_000
    if line.kind == EXTRA:
        if line.level == "signature-confirmation-electronic" and not line.for_class:  # goes with parcels alone
            base |= {"mail_class": "ground", "shape": "parcel", "on": max(table.in_force_from, date(2025, 10, 5))}
        more = {"extras": (line.level,), "declared_value": line.not_over_value, "weight_oz": Fraction(8), "zone": "1"}
        first = base["mail_class"] == "first"
        kind = {"price_type": "metered" if first else "retail"}
        weight = {"weight_oz": Fraction(1)} if first else {}
        yield PriceRequest(**(base | more | kind | weight))
        return
    for zone in zones_of(line.zone):
        yield PriceRequest(**base, zone=zone, nonmachinable=line.kind == NONMACHINABLE)


def test_every_line_that_is_carried_is_what_the_price_says():
    asked = {PIECE: 0, "addition": 0, EXTRA: 0, NONMACHINABLE: 0}
    for table in known_tables():
        for line in table.lines:
            if line.kind == OUNCE or line.amount is None:
                continue
            if line.level == "adult-signature":  # its price is known, and which class it goes with is not
                continue
            for request in requests_for(table, line):
                found = price(request)
                step = next(step for step in found.steps if step.source == line.source and step.amount == line.amount)
                assert (step.confidence, step.url, step.note) == (line.confidence, line.url, line.note)
                assert table.name in (step.table, found.table)
                assert sum((one.amount for one in found.steps if one.amount is not None), ZERO) == found.amount
                if line.kind == PIECE and len([one for one in found.steps if one.amount is not None]) == 1:
                    assert found.amount == line.amount
                asked[line.kind] += 1
    assert asked[PIECE] > 3_100
    assert (asked["addition"], asked[EXTRA], asked[NONMACHINABLE]) == (81, 9, 3)


def test_every_line_that_was_not_found_is_refused():
    missing = 0
    for table in known_tables():
        for line in table.lines:
            if line.amount is None:
                missing += 1
                for request in requests_for(table, line):
                    with pytest.raises((Refused, BadInput)):
                        price(request)
    assert missing > 25


@pytest.mark.parametrize(
    ("asked", "dollars", "source"),
    [
        (parcel("ground", "1lb", "1", date(2026, 7, 12)), "7.61", "n123_2026_mill"),
        (parcel("ground", "15.999oz", "1", date(2026, 10, 3)), "6.93", "n123_2026_pins"),
        (parcel("ground", "1.01oz", "1", date(2026, 10, 3)), "6.93", "n123_2026_pins"),
        (parcel("ground", "16.01oz", "1", date(2026, 10, 3)), "7.99", "n123_2026_mill"),
        (parcel("ground", "2lb", "5", date(2026, 10, 3)), "9.95", "n123_2026_mill"),
        (parcel("ground", "2lb", "5", date(2026, 10, 4)), "10.50", "n123_2026_mill + n123_2026_pins"),
        (parcel("ground", "2lb", "5", date(2027, 1, 17)), "10.50", "n123_2026_mill + n123_2026_pins"),
        (parcel("ground", "2lb", "5", price_type="retail"), "14.85", "n123_2026_pins"),
        (parcel("ground", "8oz", "1", date(2026, 4, 26), price_type="retail"), "7.90", "n123_2026_pins"),
        (parcel("priority", "1lb", "1", date(2026, 7, 12)), "9.04", "n123_2026_pins"),
        (parcel("priority", "20lb", "9", date(2026, 10, 3), shape="parcel"), "145.25", "n123_2026_pins"),
        (parcel("priority", "3lb", "8"), "21.42", "n123_2026_pins"),
        (parcel("priority", "1lb", on=date(2026, 10, 3), shape="padded-envelope"), "11.99", "n123_2026_mill"),
        (parcel("priority", "70lb", on=date(2026, 10, 3), shape="large-box"), "31.00", "n123_2026_mill"),
        (parcel("media", "1lb", price_type="retail"), "4.39", "n123_media_marcmy"),
        (parcel("media", "1.01oz", price_type="metered"), "4.39", "n123_media_marcmy"),
        (parcel("media", "16.01oz", price_type="retail"), "5.13", "n123_media_marcmy"),
        (parcel("express", "0.1oz", "1", date(2025, 10, 5), price_type="retail"), "32.50", "n123_oct2025_3d"),
        (parcel("priority", "4oz", "1", date(2026, 1, 17), price_type="retail"), "10.45", "n123_oct2025_3d"),
        (parcel("priority", "2lb", on=date(1999, 1, 9), price_type="retail"), "3.00", "nwnews_1999"),
        (parcel("priority", "2lb", on=date(1999, 1, 10), price_type="retail"), "3.20", "nwnews_1999"),
        (parcel("express", "8oz", on=date(1999, 1, 9), price_type="retail"), "10.75", "nwnews_1999"),
        (parcel("express", "8oz", on=date(1999, 1, 10), price_type="retail"), "11.75", "nwnews_1999"),
        (parcel("standard", "1oz", level="5-digit", mailing_pieces=200), "0.395", "n123_2026_planner"),
        (parcel("standard", "4oz", shape="flat", level="eddm-ddu", mailing_pieces=200), "0.259", "n123_2026_planner"),
        (parcel("first", "1oz", level="5-digit", mailing_pieces=500), "0.621", "n123_2026_planner"),
    ],
)
def test_a_published_price_of_each_class_is_found_and_names_its_source(asked, dollars, source):
    found = price(asked)
    assert (found.amount, sources_of(found)) == (Mills.parse(dollars), source)


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("rates.zone-needed", parcel("ground", "1lb")),
        ("rates.not-found", parcel("ground", "26lb", "1")),  # its temporary addition was not found
        ("rates.not-found", parcel("priority", "1lb", shape="medium-box")),  # the same
        ("rates.too-heavy", parcel("priority", "21lb", "1", date(2026, 10, 3))),
        ("rates.too-heavy", parcel("ground", "21lb", "1", date(2026, 10, 3), price_type="retail")),
        ("rates.not-found", parcel("priority", "1lb", "1", date(2026, 10, 3), price_type="retail")),
        ("rates.no-table", parcel("priority", "1lb", "1", date(2026, 1, 18), price_type="retail")),
        ("rates.after-tables", parcel("ground", "1lb", "1", date(2027, 1, 18))),
        ("rates.before-tables", parcel("ground", "1lb", "1", date(2026, 7, 11))),
        ("rates.not-found", parcel("express", "1lb", "1", price_type="retail")),
        ("rates.no-series", parcel("express", "1lb", "1")),
        ("rates.not-found", parcel("priority", "2.01lb", on=date(1999, 2, 1), price_type="retail")),
        ("rates.not-found", parcel("standard", "1oz", on=date(1999, 2, 1), price_type="retail")),
        ("rates.no-such-level", parcel("standard", "1oz")),
        ("rates.too-heavy", parcel("standard", "1.01oz", level="5-digit")),
        ("rates.no-such-type", parcel("media", "1lb")),
        ("rates.not-found", parcel("first", "1oz", price_type="metered", extras=("return-receipt",))),
        ("eligibility.service", parcel("first", "1oz", price_type="metered", extras=("signature-confirmation",))),
        ("eligibility.service", parcel("ground", "1lb", "1", extras=("certified",))),
        ("eligibility.shape", parcel("media", "1lb", shape="letter", price_type="retail")),
        ("eligibility.surcharged", parcel("ground", "1lb", "1", size=Size.parse("23x4x4"))),
        ("rates.nonmachinable-letters-only", parcel("ground", "1lb", "1", nonmachinable=True)),
        (
            "rates.value-too-high",
            parcel("first", "1oz", price_type="metered", extras=("insurance",), declared_value=Mills.dollars(301)),
        ),
    ],
)
def test_what_no_source_gives_is_refused(code, asked):
    with pytest.raises(Refused) as refusal:
        price(asked)
    assert refusal.value.code == code


def test_services_are_steps_of_their_own_and_insurance_goes_by_the_value():
    letter = parcel(
        "first", "1oz", price_type="metered", extras=("certified", "insurance"), declared_value=Mills.dollars(50)
    )
    for value, dollars in ((50, "2.80"), (51, "3.50"), (100, "3.50"), (300, "4.55")):
        found = price(replace(letter, declared_value=Mills.dollars(value)))
        assert found.amount == Mills.parse("0.78") + Mills.parse("5.55") + Mills.parse(dollars)
        assert sources_of(found) == "n123_2026_planner + certified_single + n123_2026_mtg"
    assert (found.category, found.confidence) == ("FXLM", "low")
    for changes, code in (
        ({"declared_value": None}, "rates.value-needed"),
        ({"declared_value": ZERO}, "rates.value-astray"),
        ({"extras": ("certified",)}, "rates.value-astray"),
        ({"extras": ("confetti",)}, "rates.unknown-extra"),
        ({"extras": ("certified", "insurance", "certified")}, "rates.extra-twice"),
    ):
        with pytest.raises(BadInput) as refusal:
            price(replace(letter, **changes))
        assert refusal.value.code == code


def test_a_price_holds_while_all_its_tables_do():
    before, during = (price(parcel("ground", "2lb", "5", day)) for day in (date(2026, 9, 1), TODAY))
    assert (before.in_force_from, before.in_force_through) == (date(2026, 7, 12), date(2026, 10, 3))
    assert (during.in_force_from, during.in_force_through) == (date(2026, 10, 4), date(2027, 1, 17))


def test_tables_of_a_series_do_not_overlap_and_prices_rise_with_weight():
    for earlier, later in pairwise(known_tables()):
        if earlier.series == later.series:
            assert earlier.in_force_through < later.in_force_from
    for table in known_tables():
        for shelf in table.shelf.values():
            for lines in shelf.values():
                amounts = [line.amount for line in lines if line.amount is not None]
                assert amounts == sorted(amounts)
                weights = [line.not_over_oz for line in lines]
                assert len(set(weights)) == len(weights)


def test_every_table_fits_a_message_and_reads_back_as_it_was():
    for table in known_tables():
        file = rate_files.write(table)
        assert rate_files.read(file) == table
        assert len(file) <= 60_000


@pytest.mark.parametrize(
    "change",
    [
        ("6.93 6.94", "6.93"),
        ("6.93 6.94", "6.94 6.94"),
        ('zones = "1 2', 'zones = "1 x'),
        ('zones = "1 2', 'zones = "0 2'),
        ("15.999 6.93", "1e99999999 6.93"),
        ("15.999 6.93", "1/0 6.93"),
        ("6.93 6.94", "- 6.94"),
        ('shape = "parcel"', 'shap = "parcel"'),
    ],
)
def test_a_grid_that_is_not_whole_is_refused(change):
    table = next(one for one in known_tables() if one.series == "ground-commercial")
    text = rate_files.write(table).decode()
    assert change[0] in text
    with pytest.raises((BadInput, RefusedOnGrounds)):
        rate_files.read(text.replace(*change, 1).encode())


def test_a_newer_table_holds_alone_in_its_own_series():
    (old,) = (one for one in known_tables() if one.series == "media")
    dearer = tuple(replace(line, amount=line.amount + Mills(100)) for line in old.lines)
    new = replace(old, id="new", in_force_from=TODAY, lines=dearer)
    tables = laid_over(known_tables(), [new])
    asked = parcel("media", "1lb", price_type="retail")
    assert price(asked, tables=tables).amount == price(asked).amount + Mills(100)
    assert price(replace(asked, on=TODAY - timedelta(days=1)), tables=tables) == replace(
        price(replace(asked, on=TODAY - timedelta(days=1))), in_force_through=TODAY - timedelta(days=1)
    )
    letter = parcel("first", "1oz", price_type="metered")
    assert price(letter, tables=tables) == price(letter)


@pytest.mark.parametrize("turned", [False, True])
def test_the_first_day_says_which_table_holds_whichever_was_published_first(turned):
    (old,) = (one for one in known_tables() if one.series == "media")

    def dearer(by: int, first: date, **more: object) -> Table:
        lines = tuple(replace(line, amount=line.amount + Mills(by)) for line in old.lines)
        return replace(old, id=f"by {by}", in_force_from=first, lines=lines, **more)

    january, march = dearer(100, date(2027, 1, 4)), dearer(200, date(2027, 3, 1))
    tables = laid_over(known_tables(), [march, january] if turned else [january, march])

    def more_on(day: date, held: tuple[Table, ...] = tables) -> Mills:
        asked = parcel("media", "1lb", price_type="retail", on=day)
        return price(asked, tables=held).amount - price(parcel("media", "1lb", price_type="retail")).amount

    days = (date(2027, 1, 3), date(2027, 1, 4), date(2027, 2, 28), date(2027, 3, 1))
    assert [int(more_on(day)) for day in days] == [0, 100, 100, 200]
    assert int(more_on(date(2027, 3, 1), laid_over(tables, [dearer(300, date(2027, 3, 1))]))) == 300
    assert int(more_on(date(2027, 2, 28), laid_over(tables, [dearer(300, date(2027, 3, 1))]))) == 100
    ends = laid_over(known_tables(), [dearer(100, date(2027, 1, 4), in_force_through=date(2027, 1, 31))])
    with pytest.raises(Refused):  # what was replaced does not come back unsaid
        more_on(date(2027, 2, 1), ends)
    assert {one.series for one in tables} == {one.series for one in known_tables()}


def test_a_category_says_its_class_and_the_old_codes_keep_their_meaning():
    for code, words in (
        ("FCLM", "First-Class Letter, metered price"),
        ("FNLS", "First-Class Letter, stamped price, nonmachinable"),
        ("FCCA", "First-Class Card"),
        ("GXPC", "USPS Ground Advantage Parcel, commercial price, extra services"),
        ("PCBC", "Priority Mail Medium Flat Rate Box, commercial price"),
    ):
        assert describe_category(code) == words
    assert [printed_category(code) for code in ("FCLM", "ECPR", "SCLC", "MCPR")] == [
        "FIRST-CLASS LTR", "EXPRESS PCL", "STANDARD LTR", "MEDIA MAIL",
    ]  # fmt: skip
    assert printed_category("FNLM") == "FIRST-CLASS LTR NM"
    said = read_category("FYLM")
    assert (said.nonmachinable, said.extra_services) == (True, True)
    assert len(extras_of(known_tables())) == 12


@pytest.mark.parametrize("mail_class", CLASSES)
def test_every_category_that_may_be_printed_has_its_place_in_the_indicium(mail_class):
    symbol = data_matrix(pages.PAYLOAD)
    for shape, more, rare in product(SHAPES, (False, True), (False, True)):
        if faults(piece(shape, mail_class)) or (rare and (mail_class, shape) != ("first", "letter")):
            continue
        if (mail_class, shape) == ("first", "parcel"):
            continue  # no source has a price for one
        code = category_code(mail_class, shape, "retail", nonmachinable=rare, extra_services=more)
        on, words = form_for(shape), pages.readable(category=printed_category(code))
        page = envelope(
            EnvelopeSpec(
                form=on, rules=pages.IMI, on=pages.ON, readable=words, symbol=symbol, recipient=pages.TO,
                imb=pages.BARS, piece_shape=shape if on.shape == "label" else "",
            )
        )  # fmt: skip
        assert list(lint(page, pages.IMI, pages.ON)) == [], code


def piece(shape: str = "letter", mail_class: str = "first", **more) -> Piece:
    return Piece(on=TODAY, shape=shape, mail_class=mail_class, **more)


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        (piece(weight_oz=Fraction(7, 2), size=Size.parse("11.5x6.125x0.25")), []),
        (piece(weight_oz=Fraction(351, 100)), ["rates.letter-too-heavy"]),
        (piece(size=Size.parse("5x3.5x0.007")), []),
        (piece(size=Size.parse("4.99x3.5")), ["eligibility.small"]),
        (piece(size=Size.parse("11.51x6.125")), ["eligibility.large"]),
        (piece(size=Size.parse("9x4x0.26")), ["eligibility.large"]),
        (piece(size=Size.parse("9x4x0.006")), ["eligibility.small"]),
        (piece(size=Size.parse("6.5x5")), []),  # 1.3
        (piece(size=Size.parse("6.4x5")), ["eligibility.aspect"]),
        (piece(size=Size.parse("10x4")), []),  # 2.5
        (piece(size=Size.parse("10.1x4")), ["eligibility.aspect"]),
        (piece(size=Size.parse("5x5"), nonmachinable=True), []),
        (piece("card", size=Size.parse("6x4.25x0.016"), weight_oz=Fraction(1)), []),
        (piece("card", size=Size.parse("6.01x4.25")), ["eligibility.large"]),
        (piece("card", weight_oz=Fraction(101, 100)), ["rates.card-too-heavy"]),
        (piece("flat", size=Size.parse("15x12x0.75")), []),
        (piece("flat", size=Size.parse("15.1x12.1x0.76")), ["eligibility.large"] * 3),
        (piece("parcel", "priority", size=Size.parse("22x9x8"), weight_oz=Fraction(1120)), []),
        (piece("parcel", "priority", size=Size.parse("36x18x18.1")), ["eligibility.girth", "eligibility.surcharged"]),
        (piece("parcel", "media", size=Size.parse("36x18x18")), []),
        (piece("parcel", "ground", weight_oz=Fraction(1121)), ["eligibility.weight"]),
        (piece("letter", "media"), ["eligibility.shape"]),
        (piece("flat", "periodicals"), ["eligibility.class"]),
        (piece("card", "periodicals", weight_oz=Fraction(5)), ["eligibility.class"]),
    ],
)  # fmt: skip
def test_limits_are_kept_at_their_edges(asked, codes):
    assert [fault.code for fault in faults(asked)] == codes


def test_a_limit_holds_from_the_day_of_its_source_and_what_was_not_measured_is_named():
    assert faults(replace(piece(weight_oz=Fraction(4)), on=date(1998, 9, 2))) == []
    assert unchecked(piece()) == ("weight", "size")
    assert unchecked(piece(weight_oz=Fraction(1), size=Size.parse("9x4"))) == ("thickness",)
    assert [fault.code for fault in unpayable(replace(piece(), level="5-digit"))] == ["eligibility.single-piece"]


@pytest.mark.parametrize("text", ["", "9", "9x", "9x4x1x1", "-9x4", "9x0", "1e9x4", "9" * 40 + "x4", "\u0669x4", "axb"])
def test_a_size_that_is_none_is_bad_input(text):
    with pytest.raises(BadInput):
        Size.parse(text)
