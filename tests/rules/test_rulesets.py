"""The rule sets answer by day, and every quote stands in the text it claims."""

import re
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.money import Mills
from towncircle.rules import RULESETS, Parameter, RuleSet, Term, ruleset
from towncircle.rules.parameters import QUALITIES, read_parameter

DATA = Path(__file__).parents[1] / "data" / "rules"
DAY_1998 = date(1998, 9, 2)
DAY_2026 = date(2026, 11, 21)


def plain(text: str) -> str:
    text = re.sub(r"\[\[Page [0-9]+\]\]", " ", text)
    text = re.sub(r"\\([0-9]/[0-9])\\", r"\1", text)
    return " ".join(text.split())


TEXTS = {
    "63 FR 46719": plain((DATA / "fr-1998-23559.txt").read_text()),
    "IMI flyer o": plain((DATA / "imi-flyer-2024.txt").read_text()),
}
ALL = [pytest.param(p, id=f"{name}-{p.name}") for name in RULESETS for p in ruleset(name).parameters.values()]


@pytest.mark.parametrize("parameter", ALL)
def test_every_quote_stands_word_for_word_in_its_source(parameter: Parameter) -> None:
    if parameter.retold:
        assert (parameter.quote, parameter.quality) == ("", "secondary")
        return
    assert parameter.quote in TEXTS[parameter.source[:11]]


@pytest.mark.parametrize("parameter", ALL)
def test_every_parameter_names_its_clause_and_the_quality_of_its_source(parameter: Parameter) -> None:
    assert parameter.clause
    assert parameter.quality in QUALITIES
    assert parameter.values[0].since >= DAY_1998


def test_the_1998_terms_are_calendar_months_and_the_imi_terms_are_hours() -> None:
    assert ruleset("ibi-1998").term("contact_interval", DAY_1998) == Term(months=3)
    assert ruleset("imi-2024").term("contact_interval", DAY_2026) == Term(hours=72)
    assert ruleset("imi-2024").term("refund_window", DAY_2026) == Term(days=30)


def test_the_overlay_inherits_what_it_does_not_replace_and_says_which() -> None:
    old, new = ruleset("ibi-1998"), ruleset("imi-2024")
    assert new.inherited == old.parameters.keys() - {
        "contact_interval",
        "contact_warning",
        "delivery_barcode",
        "fim_shapes",
        "lapse_effect",
    }
    assert new.parameters["descending_cap"] is old.parameters["descending_cap"]
    assert new.mills("descending_cap", DAY_2026) == Mills.dollars(500)
    assert old.inherited == frozenset()


def test_a_reading_of_ours_is_marked_as_ours() -> None:
    assert ruleset("ibi-1998").parameters["lapse_effect"].quality == "house"
    assert ruleset("imi-2024").parameters["lapse_effect"].quality == "secondary"
    assert ruleset("ibi-1998").text("lapse_effect", DAY_1998) == "lock"


def test_lengths_are_exact_points() -> None:
    rules = ruleset("ibi-1998")
    assert rules.length("indicium_margin_right", DAY_1998).points == 18
    assert rules.length("correction_bottom", DAY_1998).points == Fraction(7200, 127)
    assert str(rules.length("correction_bottom", DAY_1998)) == "20 mm"


def test_the_dates_of_decertification_are_days_of_the_imi_rule_set() -> None:
    rules = ruleset("imi-2024")
    assert rules.day("decertified_on") == date(2024, 6, 30)
    assert rules.day("indicia_valid_through") == date(2025, 6, 30)
    assert "June 20, 2025" in rules.parameters["indicia_valid_through"].note


def test_before_the_first_day_of_a_parameter_the_rule_set_refuses_to_answer() -> None:
    with pytest.raises(Refused) as caught:
        ruleset("ibi-1998").mills("descending_cap", date(1998, 9, 1))
    assert caught.value.code == "rules.not-in-force"
    assert "1998-09-02" in caught.value.next_step
    with pytest.raises(Refused):
        ruleset("imi-2024").term("contact_interval", date(2020, 12, 3))
    assert ruleset("imi-2024").term("contact_interval", date(2020, 12, 4)) == Term(hours=72)


def test_asking_in_the_wrong_unit_or_for_an_unknown_name_is_a_defect() -> None:
    for ask in (lambda r: r.integer("descending_cap", DAY_1998), lambda r: r.mills("cap", DAY_1998)):
        with pytest.raises(BrokenInvariant) as caught:
            ask(ruleset("ibi-1998"))
        assert caught.value.code == "rules.no-such-parameter"


def test_an_unknown_rule_set_is_refused_with_the_known_names() -> None:
    with pytest.raises(BadInput) as caught:
        ruleset("ibi-1997")
    assert "ibi-1998, imi-2024" in caught.value.next_step


def test_a_changed_value_is_another_rule_set_with_another_digest() -> None:
    rules = ruleset("imi-2024")
    changed = rules.with_value("descending_cap", 250_000)
    assert changed.mills("descending_cap", DAY_2026) == Mills.dollars(250)
    assert rules.mills("descending_cap", DAY_2026) == Mills.dollars(500)
    assert changed.digest != rules.digest
    assert "descending_cap" not in changed.inherited
    assert rules.with_value("descending_cap", 500_000).digest == rules.digest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("descending_cap", -1),
        ("descending_cap", True),
        ("descending_cap", "500"),
        ("contact_interval", "three months"),
        ("contact_interval", "3"),
        ("marking_height", "6 pt"),
        ("marking_height", "1/0 in"),
        ("decertified_on", "2024-06-30"),
        ("lapse_effect", ""),
    ],
)
def test_a_value_of_the_wrong_form_is_refused(name: str, value: object) -> None:
    with pytest.raises(BadInput) as caught:
        ruleset("imi-2024").with_value(name, value)  # type: ignore[arg-type]  # a wrong form is the point
    assert caught.value.code == "rules.value-unreadable"


def test_the_value_in_force_is_the_latest_that_has_begun() -> None:
    table = {
        "clause": "P050 3.6",
        "quote": "q",
        "unit": "mills",
        "values": [{"from": date(2000, 1, 1), "value": 1}, {"from": date(2001, 1, 1), "value": 2}],
    }
    parameter = read_parameter("cap", table, source="s", quality="primary")
    days = (date(1999, 12, 31), date(2000, 1, 1), date(2000, 12, 31), date(2001, 1, 1))
    assert [parameter.on(day) for day in days] == [None, 1, 1, 2]


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "dollars"},
        {"quality": "hearsay"},
        {"quote": ""},
        {"values": []},
        {"values": [{"from": date(2001, 1, 1), "value": 1}, {"from": date(2000, 1, 1), "value": 2}]},
        {"values": [{"from": date(2001, 1, 1), "value": "x"}]},
        {"colour": "red"},
    ],
)
def test_a_parameter_without_its_grounds_does_not_load(change: dict[str, object]) -> None:
    good = {"clause": "c", "quote": "q", "unit": "mills", "values": [{"from": date(2000, 1, 1), "value": 1}]}
    with pytest.raises(ValueError, match="cap has"):
        read_parameter("cap", {**good, **change}, source="s", quality="primary")


def test_rule_sets_compare_by_digest_across_loads() -> None:
    first = ruleset("ibi-1998")
    again = RuleSet("ibi-1998", first.parameters, frozenset(), first.limits, design=first.design)
    assert again.digest == first.digest
    assert ruleset("ibi-1998") is ruleset("ibi-1998")
