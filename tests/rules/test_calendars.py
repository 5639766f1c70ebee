"""Business days know the federal holidays as they are observed, and days end at midnight of the office."""

from datetime import date, timedelta

import pytest

from towncircle.kernel.instants import Instant
from towncircle.rules.calendars import business_days_after, end_of_day, holidays, is_business_day, start_of_day
from towncircle.rules.terms import Term

# as the Office of Personnel Management published them
OBSERVED = {
    1999: "01-01 01-18 02-15 05-31 07-05 09-06 10-11 11-11 11-25 12-24 12-31",
    2000: "01-17 02-21 05-29 07-04 09-04 10-09 11-10 11-23 12-25",
    2021: "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31",
    2027: "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31",
}


@pytest.mark.parametrize("year", OBSERVED)
def test_the_holidays_of_a_year_are_those_that_were_observed(year: int) -> None:
    assert [day.strftime("%m-%d") for day in sorted(holidays(year))] == OBSERVED[year].split()


def test_a_holiday_is_one_since_its_law() -> None:
    assert date(2020, 6, 19) not in holidays(2020)
    assert date(1985, 1, 21) not in holidays(1985)
    assert date(1986, 1, 20) in holidays(1986)


def test_no_business_day_is_a_weekend_or_a_holiday() -> None:
    for number in range(366 * 3):
        day = date(1999, 1, 1) + timedelta(days=number)
        assert is_business_day(day) == (day.weekday() < 5 and day not in holidays(day.year))


def test_the_day_itself_does_not_count() -> None:
    assert business_days_after(date(1998, 11, 16), 3) == date(1998, 11, 19)
    assert business_days_after(date(1998, 11, 25), 1) == date(1998, 11, 27)
    assert business_days_after(date(1998, 11, 16), 0) == date(1998, 11, 16)


def test_a_day_ends_at_midnight_on_the_wall_however_long_it_was() -> None:
    zone = "America/New_York"
    for day, hours in ((date(1999, 4, 4), 23), (date(1999, 10, 31), 25), (date(1999, 7, 1), 24)):
        assert end_of_day(day, zone) - start_of_day(day, zone) == hours * 3_600_000_000 - 1
    assert end_of_day(date(1999, 7, 1), "Pacific/Honolulu") == Instant.parse("1999-07-02T09:59:59.999999Z")


@pytest.mark.parametrize(
    ("term", "start", "last"),
    [
        ("3 months", "1998-11-30", "1999-02-28"),
        ("3 months", "1999-11-30", "2000-02-29"),
        ("1 year", "2000-02-29", "2001-02-28"),
        ("5 years", "1998-10-01", "2003-10-01"),
        ("45 days", "1999-01-16", "1999-03-02"),
        ("0 days", "1999-01-16", "1999-01-16"),
        ("3 business days", "1999-12-22", "1999-12-28"),
        ("1 business day", "1999-12-30", "2000-01-03"),
    ],
)
def test_a_term_ends_with_its_last_day(term: str, start: str, last: str) -> None:
    assert Term.parse(term).last_day(date.fromisoformat(start)) == date.fromisoformat(last)


def test_a_term_of_hours_is_exact_over_a_change_of_clocks() -> None:
    start = Instant.parse("2027-03-13T09:00:00-05:00")
    assert Term.parse("72 hours").ends(start, "America/New_York") == Instant.parse("2027-03-16T10:00:00-04:00")
    assert Term.parse("3 days").ends(start, "America/New_York") == Instant.parse("2027-03-16T23:59:59.999999-04:00")


@pytest.mark.parametrize("term", ["3 weeks", "business days", "-1 days", "1.5 days", "3 Months", ""])
def test_another_term_is_refused(term: str) -> None:
    with pytest.raises(ValueError, match="not a term"):
        Term.parse(term)


def test_only_a_term_of_days_is_counted_back() -> None:
    assert Term.parse("7 days").day_before(date(2000, 3, 2)) == date(2000, 2, 24)
    for term in ("1 month", "3 hours", "1 business day"):
        with pytest.raises(ValueError, match="only a term of days"):
            Term.parse(term).day_before(date(2000, 3, 2))
