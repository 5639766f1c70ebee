"""The limits are data that cite the rule word for word, and data that lack something do not load."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.rules.test_rulesets import TEXTS

from towncircle.kernel.errors import BadInput
from towncircle.rules import RULESETS, Limit, ruleset
from towncircle.rules.limits import SHAPES, read_limit

ALL = [pytest.param(limit, id=f"{name}-{limit.id}") for name in RULESETS for limit in ruleset(name).limits.values()]
OLD, NEW = ruleset("ibi-1998"), ruleset("imi-2024")
GOOD: dict[str, Any] = {
    "title": "do it",
    "clause": "502.1",
    "cites": ["502.1"],
    "quote": "must do it",
    "shape": "obligation",
    "journal": "provider",
    "party": "provider",
    "actor": "the Provider",
    "about": "device",
    "starts": ["it.begins"],
    "values": [{"from": date(1998, 9, 2), "value": "3 days"}],
    "consequence": {"says": "It is late."},
}


@pytest.mark.parametrize("limit", ALL)
def test_every_quote_stands_word_for_word_in_its_source(limit: Limit) -> None:
    if limit.retold:
        assert (limit.quote, limit.quality) == ("", "secondary")
        return
    assert limit.quote in TEXTS[limit.source[:11]]


@pytest.mark.parametrize("limit", ALL)
def test_the_length_is_in_the_quote_or_marked_as_ours(limit: Limit) -> None:
    """A number that is not in the rule's own words is a house figure."""
    if limit.quality == "house" or limit.term_of or limit.values == () or limit.shape == "set limit":
        return
    spelled = {"one": "1", "third": "3", "first": "1", "daily": "0"}
    words = {spelled.get(word, word) for word in re.findall(r"[a-z0-9]+", (limit.quote or limit.retold).lower())}
    value = limit.values[-1].value
    number = str(value.day) if isinstance(value, date) else str(value).split()[0]
    assert number in words, limit.quote or limit.retold


@pytest.mark.parametrize("limit", ALL)
def test_a_word_without_a_number_is_a_gate_and_a_figure_of_ours(limit: Limit) -> None:
    word = re.search(r"immediately|promptly", limit.quote, re.IGNORECASE)
    if word and limit.quality == "house":
        assert limit.gate
        assert "ours" in limit.note
    assert not word or limit.quality == "house" or re.search(r"[0-9]+ calendar days", limit.quote)


@pytest.mark.parametrize("limit", ALL)
def test_what_denies_resets_is_about_a_device(limit: Limit) -> None:
    assert limit.consequence.denies in ("", "resets")
    assert set(limit.consequence.notify) <= {"licensee", "provider", "postal"}
    if limit.consequence.denies:
        assert (limit.journal, limit.about) == ("provider", "device")


NOT_REMINDED = {
    "form-3601-c-kept": "a retention: nothing is to be done at its end",
    "refunded-envelopes": "a retention: nothing is to be done at its end",
    "license-look-back": "the Postal Service loses a ground, nobody has to act",
}


@pytest.mark.parametrize("limit", ALL)
def test_a_reminder_comes_before_each_limit_by_which_somebody_must_act(limit: Limit) -> None:
    assert bool(limit.reminder) == (limit.id not in NOT_REMINDED)


def test_all_six_shapes_are_there() -> None:
    assert {limit.shape for limit in OLD.limits.values()} == set(SHAPES)


def test_every_number_of_days_months_and_years_in_part_502_and_p050_is_a_limit_or_a_known_other_thing() -> None:
    """Read the whole text for lengths of time; each stands in a quote of a limit or parameter, or is explained here."""
    text = TEXTS["63 FR 46719"]
    body = text[text.index("P050 Information-Based Indicia") :]
    quotes = [limit.quote for limit in OLD.limits.values()] + [p.quote for p in OLD.parameters.values()]
    known = (
        "the decision to suspend or revoke",
        "At the end of the 90-day suspension",  # authorization-suspension and approval-suspension
        "before the end of the 90-day period",
        "if a written defense is not presented within 30 calendar days",  # the defense of 502.15(c) and 502.21(d)
        "it may, within 30 calendar days of receiving written notice, appeal",  # 502.15(e)
        "remote-set security devices at least once every 3 months",  # P050 2.5(c), read with 3.4: contact
        "refunds will only be granted for mailpieces that are 30 days old or less",  # 502.27(a)(1) again
        "must retrieve any defective PSD within 3 business days",  # 502.20(f) again
        "the Provider must notify the Postal Service within 30 days by submitting",  # 502.20(g) again
    )
    lengths = r"[0-9]+[- ](?:calendar |business )?(?:days?|months?|years?|hours?)\b"
    strays = []
    for match in re.finditer(lengths, body):
        near = body[max(0, match.start() - 120) : match.end() + 120]
        if not any(match[0] in quote and _meets(quote, body, match) for quote in quotes):
            strays += [] if any(word in near for word in known) else [near]
    assert strays == []


def _meets(quote: str, body: str, match: re.Match[str]) -> bool:
    return any(found.start() <= match.start() < found.end() for found in re.finditer(re.escape(quote), body))


def test_the_overlay_replaces_contact_and_inherits_the_rest() -> None:
    assert {name for name in NEW.limits if NEW.limits[name] != OLD.limits.get(name)} == {
        "connection",
        "contact",
        "decertified-indicia",
        "rate-filing",
        "rate-table",
        "software-version",
        "withdrawal",
    }
    assert OLD.limits.keys() <= NEW.limits.keys()


def test_another_length_is_another_digest() -> None:
    longer = OLD.with_limit(OLD.limits["license-appeal"].with_value("11 days"))
    assert longer.digest != OLD.digest
    assert longer.with_limit(OLD.limits["license-appeal"]).digest == OLD.digest


@pytest.mark.parametrize("name", sorted(GOOD.keys() - {"values"}))
def test_a_limit_that_lacks_a_word_does_not_load(name: str) -> None:
    assert read_limit("x", GOOD, source="s", quality="house").length() == "3 days"
    with pytest.raises((KeyError, ValueError)):
        read_limit("x", {key: value for key, value in GOOD.items() if key != name}, source="s", quality="house")


@pytest.mark.parametrize(
    "change",
    [
        {"shape": "wish"},
        {"journal": "nobody"},
        {"quality": "good"},
        {"quote": ""},
        {"starts": []},
        {"values": []},
        {"values": [{"from": date(1998, 9, 2), "value": "soon"}]},
        {"values": [{"from": date(1998, 9, 2), "value": 31}]},
        {"values": [{"from": date(1999, 1, 1), "value": 1}, {"from": date(1998, 1, 1), "value": 2}]},
        {"values": [{"from": date(1998, 9, 2), "value": "29 February"}], "shape": "calendar"},
        {"values": [{"from": date(1998, 9, 2), "value": "15 August"}], "shape": "obligation"},
        {
            "values": [
                {"from": date(1998, 9, 2), "value": "15 August"},
                {"from": date(1999, 9, 2), "value": "9 days"},
            ],
            "shape": "calendar",
        },
        {"shape": "set limit"},
        {"reminder": "in time"},
        {"colour": "red"},
        {"consequence": {"says": ""}},
        {"consequence": {"says": "x", "fines": "much"}},
    ],
)
def test_a_limit_that_makes_no_sense_does_not_load(change: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        read_limit("x", {**GOOD, **change}, source="s", quality="house")


def test_a_folder_is_laid_over_a_rule_set(tmp_path: Path) -> None:
    for wrong in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(BadInput) as caught:
            NEW.with_folder(wrong)
        assert caught.value.code == "rules.no-such-folder"
    (tmp_path / "limits").mkdir()
    (tmp_path / "limits" / "mine.toml").write_text('source = "mine"\nquality = "house"\n[x]\ntitle = "y"\n')
    with pytest.raises(BadInput, match="lacks"):
        NEW.with_folder(tmp_path)
    ours = Path(__file__).parents[2] / "src/towncircle/rules/ibi_1998/limits/licenses.toml"
    (tmp_path / "limits" / "mine.toml").write_text(ours.read_text().replace('"10 days"', '"20 days"'))
    laid = NEW.with_folder(tmp_path)
    assert laid.limits["license-appeal"].length() == "20 days"
    held = OLD.limits["license-appeal"]
    assert replace(laid.limits["license-appeal"], values=held.values) == held
