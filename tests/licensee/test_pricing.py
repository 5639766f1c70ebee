"""Each piece of a job has its own zone and its own price, and says how sure that price is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.licensee.pricing import Claim, Pricer, Terms, changed, claim_of, doubts_of_job, in_words, price_for
from towncircle.licensee.tapes import places_of_pieces, whole_pieces
from towncircle.mailpiece.address_files import Recipient, open_addresses, public_addresses
from towncircle.mailpiece.rates import PriceRequest, price
from towncircle.mailpiece.row_rates import RowRate
from towncircle.mailpiece.tariff import known_tables
from towncircle.mailpiece.zones import Zones, read_chart

TODAY, ORIGIN = date(2026, 11, 23), "20260"
CHECKED = date(2026, 11, 21)  # the last day that the sources of the prices were checked
SOMEBODY = replace(public_addresses()[0], shape=None, weight_oz=Fraction(32))
PRIORITY = Claim(mail_class="priority", price_type="commercial")
# Notice 123 of 12 July 2026 and the additions of 4 October, two pounds
DOLLARS = {
    zone: price_for("parcel", Fraction(32), day=TODAY, claim=replace(PRIORITY, zone=zone)).amount for zone in "158"
}
CHART = {
    "ZIPCodeError": "", "PageError": "", "EffectiveDate": "October 1, 2026", "Column1": [], "Column2": [],
    "Column3": [],
    "Column0": [{"ZipCodes": zips, "Zone": zone, "MailService": ""} for zips, zone in (("202", "1"), ("606", "5"))],
}  # fmt: skip
OFFICIAL = Zones(origin=ORIGIN, charts=(read_chart(json.dumps(CHART).encode(), origin=ORIGIN),))
ESTIMATES = Zones(origin=ORIGIN)


def to(zip5: str, **rate: object) -> Recipient:
    return replace(SOMEBODY, address=replace(SOMEBODY.address, zip5=zip5), rate=RowRate(**rate))  # type: ignore[arg-type]  # by name


def pricer(zones: Zones = OFFICIAL, **claim: object) -> Pricer:
    terms = Terms(day=TODAY, tables=known_tables(), zones=zones, claim=replace(PRIORITY, **claim))  # type: ignore[arg-type]  # by name
    return Pricer(terms)


def code_of(ask: Pricer, *recipients: Recipient) -> str:
    *before, last = recipients
    for recipient in before:
        ask.piece(recipient)
    with pytest.raises(Refused) as refusal:
        ask.piece(last)
    return refusal.value.code


def test_each_piece_of_a_job_is_priced_by_its_own_zone_of_the_official_chart() -> None:
    ask = pricer()
    near, far = ask.piece(to("20260")), ask.piece(to("60601"))
    assert (near["amount"], far["amount"]) == (DOLLARS["1"], DOLLARS["5"])
    assert (claim_of(near).zone, claim_of(far).zone, claim_of(far).zone_estimated) == ("1", "5", False)
    assert code_of(ask, to("90012")) == "zones.not-in-chart"


def test_without_a_chart_the_zone_is_an_estimate_which_is_said_and_taken_only_when_asked() -> None:
    assert code_of(pricer(ESTIMATES), to("90012")) == "rates.low-confidence"
    piece = pricer(ESTIMATES, accept_low=True).piece(to("90012"))
    assert (piece["amount"], piece["confidence"]) == (DOLLARS["8"], "low")
    assert claim_of(piece).zone_estimated
    assert "official zone chart decides" in piece["zone_note"]
    found = doubts_of_job([piece])
    assert in_words(found) == "1 of low confidence, 1 by an estimated zone"
    assert code_of(pricer(ESTIMATES, accept_low=True), to("00901")) == "zones.not-estimated"


def test_a_chart_of_a_later_day_does_not_decide_yet() -> None:
    assert OFFICIAL.find("60601", mail_class="priority", on=date(2026, 10, 1)).estimated is False
    assert OFFICIAL.find("60601", mail_class="priority", on=date(2026, 9, 30)).estimated is True


def test_one_zone_for_all_is_taken_only_where_it_is_the_zone_of_all() -> None:
    assert code_of(pricer(zone="5"), to("20260")) == "zones.contradicted"
    assert pricer(zone="5").piece(to("60601"))["amount"] == DOLLARS["5"]
    both = pricer(ESTIMATES, zone="8")
    assert both.piece(to("90012"))["confidence"] == "medium"  # the zone is claimed, not estimated
    assert code_of(both, to("20260")) == "zones.not-one-for-all"
    assert code_of(pricer(ESTIMATES, zone="8"), to("00901"), to("96910")) == "zones.not-one-for-all"


def test_a_row_says_its_own_zone_which_an_official_chart_may_contradict() -> None:
    ask = pricer(ESTIMATES)
    pieces = [ask.piece(to(zip5, zone=zone)) for zip5, zone in (("20260", "1"), ("90012", "8"), ("00901", "8"))]
    assert [piece["amount"] for piece in pieces] == [DOLLARS[zone] for zone in "188"]
    assert code_of(pricer(), to("60601", zone="4")) == "zones.contradicted"


@pytest.mark.shows("P050-1.5/1")
def test_a_zone_that_only_a_person_says_is_declared_and_never_sure() -> None:
    ask = pricer(ESTIMATES)
    same, dearer, unknown = (
        ask.piece(to(zip5, zone=zone)) for zip5, zone in (("90012", "8"), ("20260", "5"), ("00901", "8"))
    )
    for piece, note in (
        (same, "as the list says; an estimate says the same"),
        (dearer, "as the list says; an estimate says zone 1"),
        (unknown, "as the list says"),
    ):
        claim = claim_of(piece)
        assert (claim.zone_declared, claim.zone_estimated, piece["confidence"]) == (True, False, "medium")
        assert piece["zone_note"] == note
    assert in_words(doubts_of_job([same])) == "1 of medium confidence, 1 by a zone that no official chart confirms"
    charted = pricer().piece(to("60601", zone="5"))
    assert (claim_of(charted).zone_declared, "zone_note" in charted) == (False, False)
    asked = PriceRequest(on=CHECKED, weight_oz=Fraction(1), zone="5", zone_declared=True)
    assert price(asked).confidence == "high"  # its price has no zone


@pytest.mark.shows("P050-1.5/1")
def test_a_zone_below_the_estimate_is_taken_for_a_reason_alone() -> None:
    assert code_of(pricer(ESTIMATES), to("90012", zone="5")) == "zones.below-estimate"
    assert code_of(pricer(ESTIMATES, zone="5"), to("90012")) == "zones.below-estimate"
    told = pricer(ESTIMATES, zone_reason="the carrier's chart of October")
    piece = told.piece(to("90012", zone="5"))
    assert (piece["amount"], claim_of(piece).zone_reason) == (DOLLARS["5"], "the carrier's chart of October")
    assert piece["zone_note"] == "as the list says: the carrier's chart of October; an estimate says zone 8"
    assert code_of(pricer(zone_reason="we know better"), to("60601", zone="4")) == "zones.contradicted"


@pytest.mark.shows("P050-1.5/1")
def test_a_chart_that_came_before_signing_decides() -> None:
    estimated = pricer(ESTIMATES, accept_low=True).piece(to("60601"))
    declared = pricer(ESTIMATES, zone_reason="a wrong belief").piece(to("60601", zone="1"))
    assert list(changed([estimated, declared], day=TODAY, zones=ESTIMATES)) == []
    assert [claim_of(piece).zone for piece in (estimated, declared)] == ["4", "1"]
    grounds = list(changed([estimated, declared], day=TODAY, zones=OFFICIAL))
    assert [(one.code, one.params["piece"]) for one in grounds] == [
        ("mailroom.price-changed", 1),
        ("mailroom.price-changed", 2),
    ]
    assert {one.params["due"] for one in grounds} == {DOLLARS["5"]}
    nowhere = pricer(ESTIMATES).piece(to("00901", zone="8"))
    assert list(changed([nowhere], day=TODAY, zones=OFFICIAL)) == []  # the chart does not have it


def test_a_letter_needs_no_zone_wherever_it_goes() -> None:
    letter = Pricer(Terms(day=CHECKED, tables=known_tables(), zones=ESTIMATES))
    for zip5 in ("00901", "90012", "20260"):
        piece = letter.piece(replace(to(zip5), weight_oz=Fraction(1)))
        assert (piece["amount"], piece["confidence"], "claim" in piece) == (Mills.parse("0.78"), "high", False)


@pytest.mark.parametrize(
    ("shape", "weight", "told"),
    [("letter", 1, ""), ("flat", 2, "1 of medium confidence, 1 derived"), ("flat", 4, "")],
)
def test_what_is_derived_or_less_than_sure_stays_with_the_piece(shape: str, weight: int, told: str) -> None:
    ask = Pricer(Terms(day=CHECKED, tables=known_tables(), zones=ESTIMATES))
    piece = ask.piece(replace(SOMEBODY, shape=shape, weight_oz=Fraction(weight)))
    assert in_words(doubts_of_job([piece])) == told


def test_a_price_past_the_last_check_of_its_source_is_not_sure() -> None:
    for day, sure in ((CHECKED, "high"), (TODAY, "medium")):
        ask = Pricer(Terms(day=day, tables=known_tables(), zones=ESTIMATES))
        assert ask.piece(replace(SOMEBODY, weight_oz=Fraction(1), shape="letter"))["confidence"] == sure


def test_the_grade_low_of_a_table_is_printed_only_when_asked() -> None:
    certified = Claim(extras=("certified",))  # its source is a constant that nobody sourced
    with pytest.raises(Refused) as refusal:
        price_for("letter", Fraction(1), day=TODAY, claim=certified)
    assert (refusal.value.code, "--accept-low" in refusal.value.next_step) == ("rates.low-confidence", True)
    taken = replace(certified, accept_low=True)
    assert price_for("letter", Fraction(1), day=TODAY, claim=taken).amount == Mills.parse("6.33")


def test_a_row_may_have_its_own_class_services_value_and_size() -> None:
    ask = pricer(accept_low=True)
    media = ask.piece(
        to("90012", mail_class="media", price_type="retail", extras=("insurance",), declared_value=Mills.dollars(100))
    )
    assert media["category"][0] == "M"
    assert claim_of(media).declared_value == Mills.dollars(100)
    assert json.loads(json.dumps(media)) == media
    assert code_of(ask, to("60601", mail_class="ground", extras=("certified",))) == "eligibility.service"
    assert code_of(ask, to("60601", thickness=Fraction(1))) == "eligibility.size-incomplete"
    box = ask.piece(to("60601", length=Fraction(12), height=Fraction(9), thickness=Fraction(4)))
    assert box["size"] == "12x9x4"
    thick = replace(to("60601", mail_class="first", thickness=Fraction(1)), weight_oz=Fraction(1))
    assert code_of(pricer(price_type="metered"), thick) == "eligibility.large"


def test_what_a_list_says_of_its_pieces_is_read_whole_or_is_a_fault_of_its_column(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "name,street,city,state,zip,"
        "Mail Class,price type,zone,extra services,insured value,nonmachinable,thickness in\n"
        "A,475 L'Enfant Plaza SW,Washington,DC,20260,Priority Mail,Commercial,5,certified; insurance,$50,no,0.25\n"
        "B,475 L'Enfant Plaza SW,Washington,DC,20260,,,,none,,,\n"
        "C,475 L'Enfant Plaza SW,Washington,DC,20260,second,free,10,confetti,much,perhaps,thick\n"
        "D,475 L'Enfant Plaza SW,Washington,DC,20260,,,,,,,\n"
    )
    one, two, three, four = open_addresses(path)
    assert one.rate == RowRate(
        mail_class="priority", price_type="commercial", zone="5", extras=("certified", "insurance"),
        declared_value=Mills.dollars(50), nonmachinable=False, thickness=Fraction(1, 4),
    )  # fmt: skip
    assert two.rate == RowRate(extras=())
    assert [fault.column for fault in three.faults] == [
        "Mail Class", "price type", "zone", "extra services", "insured value", "nonmachinable", "thickness in",
    ]  # fmt: skip
    assert four.rate == RowRate()


def test_a_price_is_looked_at_again_by_the_tables_of_the_instant_of_signing() -> None:
    ask = pricer()
    pieces = [ask.piece(to(zip5)) for zip5 in ("20260", "60601")]
    tables = known_tables()
    assert list(changed(pieces, day=TODAY, zones=OFFICIAL, tables=tables)) == []
    dearer = tuple(
        replace(one, lines=tuple(replace(line, amount=line.amount + Mills(10)) for line in one.lines if line.amount))
        if one.series == "priority-commercial"
        else one
        for one in tables
    )
    grounds = list(changed(pieces, day=TODAY, zones=OFFICIAL, tables=dearer))
    assert [(one.code, one.params["piece"]) for one in grounds] == [
        ("mailroom.price-changed", 1),
        ("mailroom.price-changed", 2),
    ]


def test_the_tapes_of_a_piece_are_one_piece() -> None:
    def tape(at: int, of: int, amount: int) -> dict[str, object]:
        return {"amount": amount, "tape": [at, of]}

    job = [tape(1, 2, 500), tape(2, 2, 280), tape(1, 1, 400), tape(1, 3, 500), tape(2, 3, 500), tape(3, 3, 1)]
    assert places_of_pieces(job) == [[0, 1], [2], [3, 4, 5]]
    assert [piece["amount"] for piece in whole_pieces(job)] == [780, 400, 1001]
    assert list(whole_pieces([{"amount": 1}, {"amount": 2}])) == [{"amount": 1}, {"amount": 2}]
