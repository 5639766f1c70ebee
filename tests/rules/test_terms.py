"""Terms end where a calendar says they end."""

from datetime import date

import pytest

from towncircle.kernel.instants import Instant
from towncircle.rules import Length, Term

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("1998-11-30T17:00Z", 3, "1999-02-28T17:00Z"),
        ("1999-11-30T17:00Z", 3, "2000-02-29T17:00Z"),
        ("1998-12-31T17:00Z", 2, "1999-02-28T17:00Z"),
        ("1998-09-02T16:00Z", 3, "1998-12-02T17:00Z"),  # noon stays noon though the clocks went back
    ],
)
def test_months_are_calendar_months_that_end_on_the_last_day_of_a_shorter_one(
    start: str, months: int, end: str
) -> None:
    assert Term(months=months).after(Instant.parse(start), NEW_YORK) == Instant.parse(end)


def test_72_hours_are_72_hours_over_a_change_of_clocks() -> None:
    assert Term(hours=72).after(Instant.parse("2026-10-31T16:00Z"), NEW_YORK) == Instant.parse("2026-11-03T16:00Z")


def test_days_are_calendar_days_over_a_change_of_clocks() -> None:
    assert Term(days=3).after(Instant.parse("2026-10-31T16:00Z"), NEW_YORK) == Instant.parse("2026-11-03T17:00Z")


def test_a_window_of_30_days_has_a_last_day() -> None:
    assert Term(days=30).last_day(date(2026, 11, 21)) == date(2026, 12, 21)
    assert Term(months=1).last_day(date(2026, 1, 31)) == date(2026, 2, 28)
    with pytest.raises(ValueError, match="hours"):
        Term(hours=1).last_day(date(2026, 1, 31))


def test_a_term_is_written_as_it_is_read() -> None:
    for text in ("3 months", "1 month", "72 hours", "30 days"):
        assert str(Term.parse(text)) == text


@pytest.mark.parametrize("text", ["", "3", "months", "3 weeks", "-3 days", " 3 days", "3 days\n", "٣ days"])
def test_an_unclear_term_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        Term.parse(text)


@pytest.mark.parametrize("text", ["", "20mm", "1/0 in", "0.25 in", "20 cm"])
def test_an_unclear_length_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        Length.parse(text)
