"""A piece as it was found: its weight, size, place of deposit, other payment, faint print (P050 1.4 to 5.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from tests.conformance.breaking import answered
from tests.mailpiece.sources import sources_of
from tests.verification.story import NOON, Story, faults

from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.eligibility import Size
from towncircle.mailpiece.rates import PriceRequest, price
from towncircle.mailpiece.tariff import first_class_tables
from towncircle.symbol import reflectance
from towncircle.symbol.reflectance import Reflectance
from towncircle.verification import Observed, Pack, StatusFacts, Verdict, judge, judge_piece
from towncircle.wire.bodies import PublisherRow, RateRow

STORY = Story()
NOTHING = StatusFacts()
LEAST = reflectance.least()
EARLIER, LATER = NOON.plus(days=-9), NOON.plus(days=1)


def judged(facts: StatusFacts | None = NOTHING, *, mark: dict[str, object] | None = None, **seen: object) -> Verdict:
    return judge(STORY.mark(**(mark or {})), STORY.pack(), facts, NOON, replace(Observed(), **seen))


def held(verdict: Verdict, code: str, row: str) -> None:
    assert (verdict.verdict, verdict.disposition, faults(verdict)) == ("VALID", "hold", [code])
    (fault,) = verdict.faults()
    answered(fault, row, code)


def open_ends(verdict: Verdict) -> dict[str, str]:
    return {one.code: one.text for one in verdict.findings if one.ok is None}


@pytest.mark.requirement("P050-1.4/1", "PRE-14/1")
@pytest.mark.parametrize("category", ["NCFM", "NCLS", "NCPR"])
def test_a_mark_that_pays_periodicals_is_held(category: str) -> None:
    verdict = judged(mark={"category": category})
    held(verdict, "piece.class", "P050-1.4")
    assert "may not pay Periodicals" in verdict.faults()[0].text
    assert faults(judged()) == []


@pytest.mark.requirement("P050-1.5/2", well=False)
@pytest.mark.parametrize(("tenths", "well"), [(9, True), (10, True), (11, False)])
def test_a_letter_that_weighs_more_than_it_pays_for_is_shortpaid(tenths: int, well: bool) -> None:
    verdict = judged(mark={"postage_mills": 780}, weight_tenths=tenths)
    if well:
        assert faults(verdict) == []
        assert verdict.finding("value.due").ok is True  # type: ignore[union-attr]  # it is there
    else:
        held(verdict, "value.due", "P050-1.5")
        assert "due $1.07" in verdict.faults()[0].text


def test_what_was_said_to_be_due_comes_before_what_the_weight_says() -> None:
    assert faults(judged(weight_tenths=30, amount_due=Mills(740))) == []


@pytest.mark.parametrize("category", ["PCPC", "FXLM", "????"])
def test_a_price_that_cannot_be_known_is_not_checked_and_never_well(category: str) -> None:
    assert "value.due" in open_ends(judged(mark={"category": category}, weight_tenths=10))


@pytest.mark.requirement("P050-5.1")
def test_a_square_letter_without_the_surcharge_is_held_and_one_that_pays_it_is_not() -> None:
    square = Size.parse("6x6x0.1")
    held(judged(size=square), "piece.limits", "P050-5.1")
    assert faults(judged(mark={"category": "FNLM"}, size=square)) == []
    assert faults(judged(size=Size.parse("11.5x6.125x0.25"))) == []
    held(judged(size=Size.parse("11.51x6.125")), "piece.limits", "P050-5.1")
    held(judged(size=Size.parse("9x4x0.251")), "piece.limits", "P050-5.1")


def test_a_letter_over_its_weight_is_beyond_its_limits() -> None:
    verdict = judged(weight_tenths=36, amount_due=Mills(740))
    held(verdict, "piece.limits", "P050-5.1")
    assert faults(judged(weight_tenths=35, amount_due=Mills(740))) == []


def test_what_was_not_measured_is_said_and_not_well() -> None:
    assert open_ends(judged())["piece.limits"] == "Not checked: weight, size."
    assert open_ends(judged(weight_tenths=10))["piece.limits"] == "Not checked: size."
    assert open_ends(judged(weight_tenths=10, size=Size.parse("9x4")))["piece.limits"] == "Not checked: thickness."
    assert "piece.limits" not in open_ends(judged(weight_tenths=10, size=Size.parse("9x4x0.02")))


# ---- the tables that Providers filed


def row_of(
    more: int, *, first: date, number: int = 1, filed: Instant = EARLIER, accepted: bool = False, through: str = ""
) -> RateRow:
    """Give a specimen of no post's as it was filed: the last table that is known, each price more by some mills."""
    known = first_class_tables()[-1]
    lines = tuple(
        replace(line, amount=line.amount + Mills(more), source="a specimen for tests")
        for line in known.lines
        if line.amount is not None
    )
    file = rate_files.write(replace(known, id="specimen", in_force_from=first, lines=lines))
    return RateRow(
        provider="provider.harbor",
        number=number,
        file=file,
        filed=filed,
        accepted=accepted,
        accepted_through=through,
    )


def pack_of(*rows: RateRow, devices: tuple[str, ...] = (STORY.device,)) -> Pack:
    return STORY.pack(rates=rows, publishers=(PublisherRow(provider="provider.harbor", devices=devices),))


def filed(more: int, *, first: date, devices: tuple[str, ...] = (STORY.device,), accepted: bool = False) -> Pack:
    return pack_of(row_of(more, first=first, accepted=accepted), devices=devices)


@pytest.mark.shows("P050-1.5/2", "IMI-03/2")
@pytest.mark.parametrize(
    ("more", "paid", "accepted", "well"),
    [
        (-80, 700, True, True),
        (-80, 699, True, False),
        (-80, 700, False, None),  # nobody but the Provider says that it is enough
        (-80, 779, False, None),
        (-80, 780, False, True),
        (-80, 699, False, False),
        (-280, 500, False, None),
        (50, 780, False, False),
        (50, 830, False, True),
    ],
)
def test_a_piece_is_priced_by_the_table_that_its_provider_filed(
    more: int, paid: int, accepted: bool, well: bool | None
) -> None:
    pack, seen = filed(more, first=date(2026, 11, 21), accepted=accepted), Observed(weight_tenths=10)
    verdict = judge(STORY.mark(postage_mills=paid), pack, NOTHING, NOON, seen)
    found = verdict.finding("value.due")
    assert found is not None
    assert found.ok is well
    assert "by the table first-class specimen, published by provider.harbor." in found.text
    piece = judge_piece([(STORY.mark(postage_mills=paid), NOTHING)], pack, NOON, seen)
    whole, alone = piece.findings[0], piece.marks[0].finding("value.due")
    assert alone is not None
    assert (whole.ok, alone.ok, "published by provider.harbor" in whole.text) == (well, well, True)
    for one in (found, whole, alone):
        doubt = "the table first-class 2026-07-12, of this program says $0.78, and the Postal Service does not accept"
        assert (doubt in one.text) == (well is None)


@pytest.mark.shows("P050-1.5/2")
@pytest.mark.parametrize(
    ("through", "well"), [("", True), ("2026-11-22", True), ("2026-11-21", True), ("2026-11-20", None)]
)
def test_an_acceptance_that_was_withdrawn_stands_for_mailing_dates_through_its_last_day(
    through: str, well: bool | None
) -> None:
    pack = pack_of(row_of(-80, first=date(2026, 11, 1), accepted=True, through=through))  # the piece is of the 21st
    found = judge(STORY.mark(postage_mills=700), pack, NOTHING, NOON, Observed(weight_tenths=10)).finding("value.due")
    assert found is not None
    assert (found.ok, "does not accept" in found.text) == (well, well is None)


@pytest.mark.requirement("P050-1.5/2")
@pytest.mark.parametrize(
    ("rows", "paid", "well"),
    [
        ([(120, LATER)], 780, True),  # dearer from a day that is over: who printed on it paid what was due
        ([(120, EARLIER)], 780, False),
        ([(120, NOON)], 780, True),  # of the same day: the piece may have been printed before
        ([(-80, LATER)], 700, None),
        ([(-80, LATER)], 780, True),
        ([(50, EARLIER), (120, LATER)], 830, True),  # of two for one day the later counts from its filing on
        ([(50, EARLIER), (120, LATER)], 829, False),
        ([(50, EARLIER), (120, EARLIER)], 830, False),  # both in time: the higher number holds
        ([(120, EARLIER), (50, EARLIER)], 830, True),
        ([(120, EARLIER), (50, NOON), (200, LATER)], 830, True),
    ],
)
def test_a_table_that_was_filed_late_raises_nothing_for_what_was_printed_before(
    rows: list[tuple[int, Instant]], paid: int, well: bool | None
) -> None:
    first = date(2026, 11, 21)
    pack = pack_of(*(row_of(more, first=first, number=n, filed=at) for n, (more, at) in enumerate(rows, start=1)))
    found = judge(STORY.mark(postage_mills=paid), pack, NOTHING, NOON, Observed(weight_tenths=10)).finding("value.due")
    assert found is not None
    assert found.ok is well, found.text


@pytest.mark.shows("P050-1.5/2")
def test_a_filed_table_prices_its_own_devices_from_its_own_first_day() -> None:
    seen, mark = Observed(weight_tenths=10), STORY.mark(postage_mills=780)
    for pack in (
        STORY.pack(),
        filed(50, first=date(2026, 11, 22)),
        filed(50, first=date(2026, 11, 21), devices=("TC1A0000000099",)),
    ):
        found = judge(mark, pack, NOTHING, NOON, seen).finding("value.due")
        assert found is not None
        assert (found.ok, "by the table first-class 2026-07-12, of this program." in found.text) == (True, True)
    assert faults(judge(mark, filed(50, first=date(2026, 11, 21)), NOTHING, NOON, seen)) == ["value.due"]


# ---- parcels and extra services


@pytest.mark.shows("P050-1.5/2")
def test_a_parcel_is_judged_by_its_weight_and_zone() -> None:
    for due, zone in ((10_800, "4"), (13_820, "5")):
        asked = PriceRequest(
            on=date(2026, 11, 21), weight_oz=Fraction(16), shape="parcel", price_type="commercial",
            mail_class="priority", zone=zone,
        )  # fmt: skip
        assert (price(asked).amount, sources_of(price(asked))) == (Mills(due), "n123_2026_pins")
        for paid, well in ((due, True), (due - 1, False)):
            mark = {"category": "PCPC", "postage_mills": paid}
            found = judged(mark=mark, weight_tenths=160, zone=zone).finding("value.due")
            assert found is not None
            assert (found.ok, f"of 16 oz to zone {zone} by the table" in found.text) == (well, True)
    assert "value.due" in open_ends(judged(mark={"category": "PCPC"}, weight_tenths=160))


@pytest.mark.shows("P050-1.5/2")
@pytest.mark.parametrize(("paid", "well"), [(6_330, True), (6_329, False)])
@pytest.mark.parametrize("category", ["FXLM", "FCLM"])
def test_a_piece_with_services_pays_for_those_on_its_labels(category: str, paid: int, well: bool) -> None:
    mark: dict[str, object] = {"category": category, "postage_mills": paid}
    found = judged(mark=mark, weight_tenths=10, extras=("certified",)).finding("value.due")
    assert found is not None
    assert (found.ok, "with certified by the table" in found.text) == (well, True)
    assert "extra-services" in found.text  # $0.78 (n123_2026_planner) and $5.55 (certified_single)
    insured = judged(mark=mark, weight_tenths=10, extras=("insurance",))
    assert "declared value" in open_ends(insured)["value.due"]


# ---- several marks


def test_a_correction_says_what_the_piece_is_paid_as() -> None:
    first = STORY.mark(postage_mills=780, ascending_mills=1_000_000, piece_count=1500)
    surcharge = STORY.mark(postage_mills=490, category="FNLM", ascending_mills=1_000_490, piece_count=1501)
    seen = Observed(weight_tenths=10, size=Size.parse("6x6x0.1"))
    one = judge_piece([(first, NOTHING)], STORY.pack(), NOON, seen)
    assert (one.disposition, faults(one.marks[0])) == ("hold", ["piece.limits"])
    for order in ((first, surcharge), (surcharge, first)):
        both = judge_piece([(payload, NOTHING) for payload in order], STORY.pack(), NOON, seen)
        assert [faults(mark) for mark in both.marks] == [[], []]
        assert (both.verdict, both.paid) == ("VALID", Mills(1270))


def test_two_marks_pay_together_what_the_weight_makes_due() -> None:
    first = STORY.mark(postage_mills=780)
    more = STORY.mark(postage_mills=290, ascending_mills=1_000_290, piece_count=1501)
    seen = Observed(weight_tenths=20)
    assert judge_piece([(first, NOTHING), (more, NOTHING)], STORY.pack(), NOON, seen).findings[0].ok is True
    alone = judge_piece([(first, NOTHING)], STORY.pack(), NOON, seen)
    assert (alone.disposition, alone.findings[0].ok) == ("hold", False)


# ---- the place of deposit, and other payment


@pytest.mark.requirement("P050-5.3/2")
def test_a_handful_of_first_class_mail_may_be_deposited_elsewhere() -> None:
    held(judged(origin="10001"), "origin.deposit", "P050-5.3")
    for category in ("FCLM", "PCPC"):
        assert faults(judged(origin="10001", handful=True, mark={"category": category})) == []
    held(judged(origin="10001", handful=True, mark={"category": "SCLC"}), "origin.deposit", "P050-5.3")
    assert "origin.deposit" in open_ends(judged(origin="10001", handful=True, mark={"category": "????"}))


@pytest.mark.requirement("P050-5.2", well=False)
@pytest.mark.parametrize(("until", "well"), [(None, False), (date(2026, 11, 20), False), (date(2026, 11, 21), True)])
def test_mail_is_combined_with_other_payment_only_under_an_authorization(until: date | None, well: bool) -> None:
    verdict = judged(replace(NOTHING, combined_until=until), other_payment="stamps")
    if well:
        assert faults(verdict) == []
    else:
        held(verdict, "mailing.combined", "P050-5.2")
    assert verdict.finding("mailing.combined").ok is well  # type: ignore[union-attr]  # it is there
    assert judged().finding("mailing.combined") is None
    assert "mailing.combined" in open_ends(judged(None, other_payment="stamps"))


# ---- legibility


@pytest.mark.requirement("P050-4.2/3", well=False)
@pytest.mark.shows("P050-4.2/1")
@pytest.mark.parametrize(
    ("seen", "well"),
    [
        (Reflectance(red=LEAST, green=LEAST), True),
        (Reflectance(red=LEAST - 1, green=90), False),
        (Reflectance(red=90, green=LEAST - 1), False),
        (Reflectance(grey=LEAST - 1), False),
        (Reflectance(grey=LEAST), None),
    ],
)
def test_print_too_faint_in_red_or_green_is_no_postage(seen: Reflectance, well: bool | None) -> None:
    payload = STORY.mark()
    verdict = judge(payload, STORY.pack(), NOTHING, NOON, Observed(prints={payload: seen}))
    found = verdict.finding("mark.reflectance")
    assert found is not None
    assert found.ok is well
    answered(found, "P050-4.2")
    assert (verdict.verdict, verdict.disposition) == (
        ("UNREADABLE", "hold") if well is False else ("VALID", "accept with notes")
    )
    whole = judge_piece([(payload, NOTHING)], STORY.pack(), NOON, Observed(prints={payload: seen}))
    assert whole.paid == (Mills(0) if well is False else Mills(740))


def test_print_that_nobody_measured_is_not_well() -> None:
    assert "mark.reflectance" in open_ends(judged())
    refund = judged(purpose="refund").finding("mark.reflectance")
    assert refund is None
