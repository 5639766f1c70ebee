"""Instants: reading, calendar months, daylight saving time and offices far from Washington."""

from datetime import UTC, date, datetime

import pytest

from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import DAY_US, HOUR_US, Instant, parse_step, zone_named

NEW_YORK, HONOLULU, GUAM = "America/New_York", "Pacific/Honolulu", "Pacific/Guam"


def at(text: str) -> Instant:
    return Instant.parse(text)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-21", "2026-11-21T00:00:00Z"),
        ("2026-11-21T15:04Z", "2026-11-21T15:04:00Z"),
        ("2026-11-21T15:04:05.000007Z", "2026-11-21T15:04:05.000007Z"),
        ("2026-11-21T15:04-05:00", "2026-11-21T20:04:00Z"),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
        ("2024-02-29", "2024-02-29T00:00:00Z"),
    ],
)
def test_an_instant_is_read_and_written_in_utc(text: str, iso: str) -> None:
    assert at(text).iso() == str(at(text)) == iso
    assert at(iso) == at(text)


@pytest.mark.parametrize(
    "text", ["", "now", "tomorrow", "2023-02-29", "2026-13-01", "21.11.2026", "2026-11-21T25:00Z", "9" * 400, "1e309"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        at(text)
    assert caught.value.code == "time.unreadable"


def test_a_naive_moment_is_no_instant() -> None:
    with pytest.raises(TypeError, match="aware"):
        Instant.of(datetime(2026, 11, 21))  # noqa: DTZ001 - this is the mistake
    assert Instant.of(datetime(2026, 11, 21, tzinfo=UTC)) == at("2026-11-21")


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-08-31", 3, "2026-11-30"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -1, "2025-12-15"),
        ("1998-09-02", 3, "1998-12-02"),
    ],
)
def test_calendar_months_end_on_the_same_day_or_the_last_of_the_month(start: str, months: int, end: str) -> None:
    assert at(start).plus_months(months, zone="UTC") == at(end)


def test_months_keep_the_wall_clock_of_the_office_over_both_changes_of_time() -> None:
    winter, summer = at("2026-02-08T09:00-05:00"), at("2026-03-08T09:00-04:00")
    assert winter.plus_months(1, zone=NEW_YORK) == summer  # one hour shorter than the days
    assert at("2026-10-01T09:00-04:00").plus_months(1, zone=NEW_YORK) == at("2026-11-01T09:00-05:00")
    assert winter.plus_months(1, zone=HONOLULU) == winter.plus(days=28)  # no change of time there


def test_a_wall_clock_that_does_not_exist_is_taken_before_the_change() -> None:
    skipped = at("2026-02-08T02:30-05:00").plus_months(1, zone=NEW_YORK)  # 2026-03-08 has no 2:30
    assert skipped == at("2026-03-08T02:30-05:00")


def test_a_wall_clock_that_comes_twice_is_the_first_of_the_two() -> None:
    twice = at("2026-10-01T01:30-04:00").plus_months(1, zone=NEW_YORK)  # 2026-11-01 has 1:30 twice
    assert twice == at("2026-11-01T01:30-04:00")


def test_hours_and_days_are_exact_lengths_whatever_the_clocks_do() -> None:
    before = at("2026-03-07T12:00-05:00")
    assert before.plus(hours=24) == before.plus(days=1) == at("2026-03-08T13:00-04:00")
    assert before.plus(hours=72) - before == 72 * HOUR_US
    assert before.plus(microseconds=-1) < before


def test_the_mailing_date_is_the_date_at_the_licensing_office() -> None:
    moment = at("2026-11-21T03:00Z")
    assert moment.date_in(NEW_YORK) == moment.date_in(HONOLULU) == date(2026, 11, 20)
    assert moment.date_in(GUAM) == date(2026, 11, 21)
    assert at("2026-11-21T09:59Z").date_in(HONOLULU) == date(2026, 11, 20)
    assert at("2026-11-21T10:00Z").date_in(HONOLULU) == date(2026, 11, 21)
    assert at("2026-11-21T13:59Z").date_in(GUAM) == date(2026, 11, 21)
    assert at("2026-11-21T14:00Z").date_in(GUAM) == date(2026, 11, 22)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "America", "america", "A" * 300])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        zone_named(name)
    assert caught.value.code == "time.no-such-zone"


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("90s", (0, 90_000_000)),
        ("15m", (0, 15 * 60_000_000)),
        ("73h", (0, 73 * HOUR_US)),
        ("2d", (0, 2 * DAY_US)),
        ("1w", (0, 7 * DAY_US)),
        ("3mo", (3, 0)),
        ("0h", (0, 0)),
    ],
)
def test_a_step_is_months_or_an_exact_length(text: str, step: tuple[int, int]) -> None:
    assert parse_step(text) == step


@pytest.mark.parametrize(
    "text", ["", "h", "73", "-1h", "+1h", "1.5h", "1 h", "1y", "1H", "1234567890123h", "\uff11h", "1h\n"]
)
def test_what_is_no_step_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_step(text)
    assert caught.value.code == "time.step-unreadable"


def test_an_instant_shows_itself_as_a_time_to_a_developer() -> None:
    assert repr(at("2026-11-21")) == "Instant(2026-11-21T00:00:00Z)"


def test_time_has_a_beginning_and_an_end() -> None:
    assert at("1900-01-01").iso() == "1900-01-01T00:00:00Z"
    last = at("2999-12-31T23:59:59.999999Z")
    outside = [
        lambda: at("1899-12-31T23:59:59Z"),
        lambda: at("9999-12-31T23:59:59-23:59"),
        lambda: at("0001-01-01T00:00+23:59"),
        lambda: last.plus(microseconds=1),
        lambda: last.plus(days=10**9),
        lambda: last.plus_months(1, zone=NEW_YORK),
        lambda: last.plus_months(999_999, zone=NEW_YORK),
    ]
    for step in outside:
        with pytest.raises(BadInput) as caught:
            step()
        assert caught.value.code == "time.out-of-range"
