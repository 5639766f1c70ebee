"""Duties are derived from facts alone: a date is a replay, the order of recording does not matter, and it is quick."""

import random
import time
from dataclasses import replace

import pytest

from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.rules import derive, ruleset
from towncircle.rules.duties import Duty

RULES = ruleset("imi-2024")
HARBOR = "provider.harbor"
START = Instant.parse("2026-01-05T15:00Z")


def year_of(licensees: int, days: int) -> list[Fact]:
    """Tell a year of a Provider: audits every other day, a reset every fourth, some silence."""
    dice = random.Random(7)
    told: list[tuple[Instant, str, str, dict[str, str]]] = []
    for number in range(licensees):
        device, about = f"TC{number}", {"licensee": f"licensee.{number}"}
        ground = {**about, "zone": dice.choice(("America/Chicago", "America/New_York")), "regime": "imi-2024"}
        told.append((START.plus(microseconds=number), "custody.leased", device, ground))
        silent = dice.randrange(days)
        for day in range(0, days, 2):
            at = START.plus(days=day, hours=1 + dice.randrange(5))
            if not silent < day < silent + 120:
                told.append((at, "audit.taken", device, about))
            if day % 4 == 0:
                request = f"REQ-{number}-{day}"
                kinds = ("reset.reserved", "reset.posted", "transaction.filed", "statement.given")
                body = {**about, "device": device}
                told += [(at.plus(microseconds=place), kind, request, body) for place, kind in enumerate(kinds, 1)]
    told.sort(key=lambda row: row[0])  # facts of one instant count in the order of the journal
    return [
        Fact(id=f"F{place}", type=kind, subject=subject, actor=HARBOR, occurred_at=at, recorded_at=at, body=body)
        for place, (at, kind, subject, body) in enumerate(told)
    ]


def told(duties: list[Duty]) -> list[tuple[object, ...]]:
    return [(duty.key, duty.thread, duty.until, duty.state, duty.closed and duty.closed.id) for duty in duties]


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    return year_of(50, 365)


def test_fifty_licensees_and_a_year_of_facts_take_well_under_a_second(facts: list[Fact]) -> None:
    assert len(facts) > 24_000
    derive(RULES, facts[:100], party=HARBOR, as_of=START)  # the rules are read
    times = []
    for _ in range(3):
        begun = time.process_time()
        duties = derive(RULES, facts, party=HARBOR, as_of=START.plus(days=366))
        times.append(time.process_time() - begun)
    assert len(duties) > 15_000
    assert min(times) < 0.9


def test_another_date_is_a_replay(facts: list[Fact]) -> None:
    journal = facts[:6000]
    for day in (0, 10, 45, 90):
        as_of = START.plus(days=day, hours=3)
        known = [fact for fact in journal if fact.recorded_at <= as_of]
        assert told(derive(RULES, journal, party=HARBOR, as_of=as_of)) == told(
            derive(RULES, known, party=HARBOR, as_of=as_of)
        )


def test_the_order_in_which_facts_were_recorded_changes_no_duty(facts: list[Fact]) -> None:
    journal, as_of = facts[:3000], START.plus(days=400)
    late = [replace(fact, recorded_at=as_of) for fact in journal]
    random.Random(3).shuffle(late)
    assert told(derive(RULES, late, party=HARBOR, as_of=as_of)) == told(
        derive(RULES, journal, party=HARBOR, as_of=as_of)
    )


def test_before_a_limit_was_in_force_nothing_is_due() -> None:
    def leased(on: str) -> list[Duty]:
        at = Instant.parse(on)
        fact = replace(year_of(1, 1)[0], occurred_at=at, recorded_at=at)
        return [duty for duty in derive(RULES, [fact], party=HARBOR, as_of=at) if duty.limit.id == "connection"]

    assert leased("2020-12-03T15:00Z") == []
    assert len(leased("2020-12-04T15:00Z")) == 1


def test_facts_of_another_party_make_no_duty(facts: list[Fact]) -> None:
    assert derive(RULES, facts[:100], party="bank.lockbox", as_of=START.plus(days=400)) == []
