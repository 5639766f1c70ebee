"""What a piece costs, and what is refused rather than guessed."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

import pytest
from tests.mailpiece.sources import sources_of

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import Mills
from towncircle.mailpiece.rates import PriceRequest, describe_category, price, printed_category
from towncircle.mailpiece.tariff import first_class_tables
from towncircle.mailpiece.weights import parse_weight, plain_ounces


def asked(on: str, weight: str = "1oz", **more) -> PriceRequest:
    return PriceRequest(on=date.fromisoformat(on), weight_oz=parse_weight(weight), **more)


@pytest.mark.parametrize(
    ("on", "weight", "shape", "price_type", "cents", "category", "source"),
    [
        ("1998-09-02", "1oz", "letter", "metered", 32, "FCLA", "nwnews_1999"),
        ("1998-09-02", "2oz", "letter", "metered", 55, "FCLA", "nwnews_1999 + order_1186"),
        ("1998-09-02", "3oz", "letter", "metered", 78, "FCLA", "nwnews_1999 + order_1186"),
        ("1998-09-02", "0.2oz", "card", "metered", 20, "FCCA", "order_1186"),
        ("1999-01-10", "1oz", "letter", "stamped", 33, "FCLA", "nwnews_1999"),
        ("2001-01-06", "3oz", "letter", "metered", 77, "FCLA", "nwnews_1999"),
        ("2024-07-14", "1oz", "letter", "metered", 69, "FCLM", "theseus_2024"),
        ("2025-07-12", "13oz", "flat", "metered", 491, "FCFR", "theseus_2024"),
        ("2025-07-13", "3.5oz", "letter", "metered", 161, "FCLM", "news_usps_2025_07_14"),
        ("2026-07-11", "1oz", "letter", "stamped", 78, "FCLS", "news_usps_2025_07_14"),
        ("2026-07-12", "1oz", "letter", "stamped", 82, "FCLS", "n123_2026_planner"),
        ("2026-11-21", "1oz", "letter", "metered", 78, "FCLM", "n123_2026_planner"),
        ("2026-11-21", "1.0001oz", "letter", "metered", 107, "FCLM", "n123_2026_planner"),
        ("2026-11-21", "3.5oz", "letter", "metered", 165, "FCLM", "n123_2026_planner"),
        ("2026-11-21", "4oz", "flat", "retail", 256, "FCFR", "n123_2026_mtg"),
        ("2026-11-21", "0.1oz", "card", "metered", 65, "FCCR", "n123_2026_planner"),
    ],
)  # fmt: skip
def test_a_published_price_is_found_and_names_its_source(on, weight, shape, price_type, cents, category, source):
    found = price(asked(on, weight, shape=shape, price_type=price_type))
    assert found.amount == Mills.dollars(0, cents=cents)
    assert found.category == category
    assert sum((s.amount for s in found.steps if s.amount is not None), Mills(0)) == found.amount
    assert all(s.url for s in found.steps if s.amount is not None)
    assert sources_of(found) == source


def test_a_sum_of_ounces_says_that_it_is_derived():
    found = price(asked("1998-09-02", "2.1oz"))
    assert found.derived
    assert [s.status for s in found.steps if s.amount] == ["found", "derived"]
    assert not price(asked("1998-09-02")).derived


def test_the_surcharge_is_a_step_of_its_own_and_shows_in_the_category():
    found = price(asked("2026-11-21", nonmachinable=True))
    assert (found.amount, sources_of(found)) == (Mills.dollars(1, cents=27), "n123_2026_planner")
    assert found.category == "FNLM"


def test_a_missing_metered_price_is_said():
    assert "No separate metered price" in price(asked("2026-11-21", shape="card")).steps[1].text


def test_the_confidence_is_that_of_the_least_sure_step():
    assert price(asked("2026-11-21", "2oz", shape="flat")).confidence == "medium"
    assert price(asked("2026-11-21", "4oz", shape="flat")).confidence == "high"


def test_a_table_that_says_no_day_of_its_check_is_less_than_sure_until_a_later_one_was_checked():
    *earlier, last = first_class_tables()
    found = price(asked("2026-11-21"), tables=(*earlier, replace(last, checked_on=None)))
    assert (found.confidence, found.steps[-1].text.startswith("When the source of table")) == ("medium", True)
    assert price(asked("2026-07-11")).confidence == "high"  # of a table without a day, and its successor was checked


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("rates.before-tables", asked("1997-07-10")),
        ("rates.no-table", asked("2001-01-07")),
        ("rates.no-table", asked("2024-07-13")),
        ("rates.after-tables", asked("2027-07-11")),
        ("rates.not-found", asked("1998-09-02", shape="flat")),
        ("rates.not-found", asked("1999-06-01", shape="card")),
        ("rates.not-found", asked("1998-09-02", nonmachinable=True)),
        ("rates.not-found", asked("1999-06-01", nonmachinable=True)),
        ("rates.not-found", asked("2026-11-21", "4.01oz", shape="flat")),
        ("rates.too-heavy", asked("2026-11-21", "13.01oz", shape="flat")),
        ("rates.too-heavy", asked("1998-09-02", "3.01oz")),
        ("rates.letter-too-heavy", asked("2026-11-21", "3.51oz")),
        ("rates.card-too-heavy", asked("2026-11-21", "1.01oz", shape="card")),
        ("rates.nonmachinable-letters-only", asked("2026-11-21", shape="flat", nonmachinable=True)),
        ("rates.no-such-type", asked("2026-11-21", price_type="retail")),
        ("rates.no-such-type", asked("2026-11-21", price_type="commercial")),
        ("rates.not-found", asked("2026-11-21", shape="parcel")),
        ("rates.no-such-level", asked("2026-11-21", level="9-digit")),
    ],
)  # fmt: skip
def test_what_no_source_gives_is_refused(code, request_):
    with pytest.raises(Refused) as refusal:
        price(request_)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "more",
    [{"mail_class": "second"}, {"shape": "tube"}, {"price_type": "free"}, {"weight_oz": Fraction(0)}, {"zone": "10"}],
)
def test_nonsense_is_bad_input(more):
    with pytest.raises(BadInput):
        price(PriceRequest(**({"on": date(2026, 11, 21), "weight_oz": Fraction(1)} | more)))


@pytest.mark.parametrize(
    "text", ["", "heavy", "1 stone", "1e3oz", "nan", "1.23456oz", "-1oz", "0", "2", "0oz", "1121oz", "71lb"]
)
def test_a_weight_that_is_none_is_bad_input(text):
    with pytest.raises(BadInput):
        parse_weight(text)


def test_weights_are_exact():
    assert parse_weight("3.5oz") == Fraction(7, 2)
    assert parse_weight("0.5 LB") == 8
    assert parse_weight("2", unit="lb") == 32
    assert [plain_ounces(Fraction(one)) for one in ("2", "16/5", "100001/100000")] == ["2", "3.2", "1.0001"]
    assert parse_weight("28.3495g") < 1 < parse_weight("28.3496g")


def test_tables_do_not_overlap_and_prices_rise_with_weight():
    tables = first_class_tables()
    for earlier, later in pairwise(tables):
        assert earlier.in_force_through < later.in_force_from
    for table in tables:
        for shape in ("letter", "flat"):
            for kind in ("all", "stamped", "metered", "retail"):
                amounts = [line.amount for line in table.pieces(shape) if line.price_type == kind and line.amount]
                assert amounts == sorted(amounts)


def test_categories_are_spelled_out():
    assert describe_category("FCLM") == "First-Class Letter, metered price"
    assert describe_category("FNLS") == "First-Class Letter, stamped price, nonmachinable"
    assert printed_category("FNLS") == "FIRST-CLASS LTR NM"
    assert printed_category("FCCR") == "FIRST-CLASS CARD"
    with pytest.raises(BadInput):
        describe_category("XXXX")
