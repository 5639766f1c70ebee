"""Dates without their day, and branches in the town circle, as a verifier judges them (P050 4.5, 4.6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import MappingProxyType

import pytest
from tests.conformance.breaking import answered, refused
from tests.verification.story import Story, faults

from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import SeededRandomness
from towncircle.kernel.store import MemoryStore
from towncircle.postal import delays
from towncircle.rules import derive, ruleset
from towncircle.verification import Observed, StatusFacts, Verdict, judge

STANDARD = {"category": "SCLC"}
NOTHING = StatusFacts()
FOUND = StatusFacts(delays=MappingProxyType({"2026-11": date(2026, 12, 3)}), branches=frozenset({"CAPITOL HEIGHTS"}))


def judged(day: str, facts: StatusFacts | None = NOTHING, *, hour: str = "17:00", **more: object) -> Verdict:
    """Judge a Standard Mail mark of 21 November that shows the month alone, presented on a day in New York."""
    fields = {**STANDARD, **{name: more.pop(name) for name in ("category", "date") if name in more}}
    story = Story()
    seen = replace(Observed(), **{"month_only": True, **more})
    now = Instant.parse(f"{day}T{hour}Z")
    pack = story.pack(issued=now, next_update=now.plus(days=7))
    return judge(story.mark(**fields), pack, facts, now, seen)


@pytest.mark.shows("P050-4.6/3")
@pytest.mark.parametrize("day", ["2026-11-01", "2026-11-21", "2026-11-30"])
def test_a_month_and_year_piece_is_accepted_on_every_day_of_its_month(day: str) -> None:
    verdict = judged(day)
    assert (verdict.verdict, faults(verdict)) == ("VALID", [])
    assert verdict.disposition == "accept with notes"
    found = verdict.finding("date.month")
    assert found is not None
    assert found.ok


@pytest.mark.requirement("P050-4.6/3")
def test_after_its_month_it_is_held() -> None:
    late = judged("2026-12-01")
    assert (faults(late), late.disposition) == (["date.month"], "hold")
    answered(late.faults()[0], "P050-4.6", "date.month")


@pytest.mark.requirement("P050-4.6/4")
def test_after_its_month_it_is_held_unless_the_postmaster_found_a_delay() -> None:
    past = judged("2026-12-04", FOUND, hour="05:00")
    answered(past.faults()[0], "P050-4.6", "date.month")
    assert judged("2026-12-01", None).disposition == "hold"
    for day, hour, well in (
        ("2026-12-01", "17:00", True),
        ("2026-12-04", "04:59", True),
        ("2026-12-04", "05:00", False),
    ):
        verdict = judged(day, FOUND, hour=hour)  # midnight in New York is 05:00 UTC
        assert (faults(verdict) == []) is well, day
        assert (verdict.disposition == "accept with notes") is well


@pytest.mark.requirement("P050-4.6/4")
def test_a_delay_of_one_month_excuses_no_other() -> None:
    (fault,) = judged("2026-12-02", FOUND, date="2026-10-30").faults()
    answered(fault, "P050-4.6", "date.month")


@pytest.mark.requirement("P050-4.6/1")
def test_first_class_mail_without_its_day_is_held() -> None:
    first = judged("2026-11-21", category="FCLM")
    assert (faults(first), first.disposition) == (["date.month-only"], "hold")
    answered(first.faults()[0], "P050-4.6", "date.month-only")
    other = judged("2026-11-21", category="ABCD").finding("date.month-only")
    assert other is not None
    assert other.ok is None


def test_a_complete_date_is_judged_as_ever() -> None:
    verdict = judged("2026-12-02", FOUND, month_only=False)
    assert verdict.finding("date.month") is None
    assert faults(verdict) == ["date.stale"]


@pytest.mark.requirement("P050-4.5b/2")
def test_a_branch_that_is_seen_and_was_not_approved_holds_the_piece() -> None:
    named = judged("2026-11-21", FOUND, branch="capitol  heights")
    other = judged("2026-11-21", FOUND, branch="Union Station")
    assert faults(named) == []
    assert (faults(other), other.disposition) == (["origin.branch"], "hold")
    answered(other.faults()[0], "P050-4.5b", "origin.branch")
    unknown = judged("2026-11-21", None, branch="Union Station").finding("origin.branch")
    assert unknown is not None
    assert unknown.ok is None


@pytest.mark.requirement("P050-4.6/4")
@pytest.mark.parametrize("license_row", [{"zone": "America/New_York"}, {"office_zip": "10001"}])  # by 3601-A, by meter
def test_the_postmaster_finds_a_delay_once_and_the_rule_says_until_when(license_row: dict[str, str]) -> None:
    before = Instant.parse("2026-12-01T04:59Z")
    with MemoryStore().transaction() as tx:
        ctx = Context(
            tx=tx, now=before, party="postal.usps", actor="postmaster", randomness=SeededRandomness(1, "delay"),
            rule_digest="", unseal=lambda *_: None,
        )  # fmt: skip
        tx.put("license", "20260-000001", license_row, owner="licensee.mailroom", expected=0)
        tx.put("device", "TC1A0000000017", {"license": "20260-000001"}, owner="provider.harbor", expected=0)
        told = {"device": "TC1A0000000017", "reasons": "A flood.", "rules": ruleset("imi-2024")}
        with refused("P050-4.6", "delay.not-begun"):
            delays.find(ctx, month="2026-12", **told)  # a minute before it begins in New York
        ctx = replace(ctx, now=Instant.parse("2026-12-01T05:00Z"))
        assert delays.find(ctx, month="2026-12", **told).body["through"] == "2027-01-03"
        assert delays.delays_of(tx, "TC1A0000000017") == {"2026-12": date(2027, 1, 3)}
        (open_,) = [duty for duty in derive(ruleset("imi-2024"), tx.facts(), party="postal.usps", as_of=ctx.now)
                    if duty.limit.id == "month-dated-mail"]  # fmt: skip
        assert (open_.state, open_.last_day) == ("open", date(2027, 1, 3))
        with refused("P050-4.6", "delay.found-already"):
            delays.find(ctx, month="2026-12", **told)
        with pytest.raises(Refused, match=r"delay\.no-device"):
            delays.find(ctx, month="2026-12", **{**told, "device": "TC1A0000000018"})
        for month in ("2026-13", "2026", "December"):
            with pytest.raises(BadInput, match=r"delay\.no-month"):
                delays.find(ctx, month=month, **told)


# ---- a REDATE on a piece that shows its month alone


@pytest.mark.shows("P050-4.6/2", "P050-4.8/1")
@pytest.mark.parametrize(
    ("redate", "presented", "found"),
    [
        (None, "2026-12-05", ["date.month"]),
        (date(2026, 12, 4), "2026-12-05", []),
        (date(2026, 11, 1), "2026-11-05", []),
        (date(2026, 10, 31), "2026-11-05", ["date.redate"]),
        (date(2026, 10, 31), "2026-12-05", ["date.redate", "date.month"]),
        (date(2026, 12, 4), "2026-12-20", ["date.stale"]),
    ],
)
def test_a_redate_replaces_the_month_of_a_piece_that_shows_no_day(
    redate: date | None, presented: str, found: list[str]
) -> None:
    verdict = judged(presented, redate=redate)
    assert faults(verdict) == found
    if redate is not None:
        seen = verdict.finding("date.redate")
        assert seen is not None
        assert seen.ok is (False if "date.redate" in found else None)
    assert faults(judged(presented, redate=redate, category="FCLM"))[0] == "date.month-only"
