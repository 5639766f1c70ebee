"""The host's own limits: mailing dates in the licensing office's zone, and keyed-in amounts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.licensee.limits import Limits
from towncircle.rules import ruleset

RULES = ruleset("imi-2024")
NEW_YORK, HONOLULU, GUAM = "America/New_York", "Pacific/Honolulu", "Pacific/Guam"


def limits(moment: str, zone: str = NEW_YORK) -> Limits:
    return Limits.of(RULES, Instant.parse(moment).date_in(zone), zone=zone)


@cites("P050-4.6", "P050-4.7")
@pytest.mark.parametrize(
    ("zone", "moment", "today"),
    [
        (NEW_YORK, "2026-11-22T04:59:59.999999Z", "2026-11-21"),
        (NEW_YORK, "2026-11-22T05:00:00Z", "2026-11-22"),
        (HONOLULU, "2026-11-22T09:59:59.999999Z", "2026-11-21"),
        (HONOLULU, "2026-11-22T10:00:00Z", "2026-11-22"),
        (GUAM, "2026-11-21T13:59:59.999999Z", "2026-11-21"),
        (GUAM, "2026-11-21T14:00:00Z", "2026-11-22"),
        (NEW_YORK, "2026-03-08T06:59:59Z", "2026-03-08"),  # the hour that is left out
        (NEW_YORK, "2026-03-08T07:00:00Z", "2026-03-08"),
        (NEW_YORK, "2026-03-09T03:59:59.999999Z", "2026-03-08"),
        (NEW_YORK, "2026-03-09T04:00:00Z", "2026-03-09"),
        (NEW_YORK, "2026-11-01T05:30:00Z", "2026-11-01"),  # half past one, for the first time
        (NEW_YORK, "2026-11-01T06:30:00Z", "2026-11-01"),  # and for the second
        (NEW_YORK, "2026-11-02T04:59:59.999999Z", "2026-11-01"),
        (NEW_YORK, "2026-11-02T05:00:00Z", "2026-11-02"),
        (HONOLULU, "2026-03-08T10:00:00Z", "2026-03-08"),
        (GUAM, "2026-12-31T14:00:00Z", "2027-01-01"),
        (NEW_YORK, "2028-02-29T05:00:00Z", "2028-02-29"),
    ],
)
def test_a_mailing_date_is_the_day_of_deposit_or_of_the_next_collection(zone: str, moment: str, today: str) -> None:
    held, day = limits(moment, zone), date.fromisoformat(today)
    for ahead, well in ((-1, False), (0, True), (1, True), (3, True), (4, False)):
        if well:
            held.check(day=day + timedelta(days=ahead))
            continue
        with pytest.raises(Refused, match=r"mailroom\.date-refused") as caught:
            held.check(day=day + timedelta(days=ahead))
        assert zone in caught.value.sentence
        assert caught.value.clause == "P050 4.7"


@cites("P050-1.5")
@pytest.mark.parametrize(
    ("mills", "code"),
    [
        (-1, "mailroom.amount-zero"),
        (0, "mailroom.amount-zero"),
        (1, ""),
        (99_999, ""),
        (100_000, ""),
        (100_001, "mailroom.amount-over-limit"),
        (2**40, "mailroom.amount-over-limit"),
    ],
)
def test_an_amount_is_above_zero_and_within_the_keyed_in_limit(mills: int, code: str) -> None:
    held = limits("2026-11-21T15:00:00Z")
    if not code:
        held.check(day=held.first, amounts=[Mills(1), Mills(mills)])
        return
    with pytest.raises(BadInput, match=code.replace(".", r"\.")):
        held.check(day=held.first, amounts=[Mills(1), Mills(mills)])


def test_the_limits_are_those_of_the_rule_set() -> None:
    rules = RULES.with_value("keyed_postage_limit", 5_000).with_value("next_collection", "1 days")
    held = Limits.of(rules, date(2026, 11, 21), zone=NEW_YORK)
    assert (held.most, held.last) == (Mills(5_000), date(2026, 11, 22))
