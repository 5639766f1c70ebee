"""Terms and lengths as the rule writes them.

Here: `3 months`, `5 years`, `72 hours`, `30 days`, `3 business days`, `1/4 in` and `20 mm`, and their arithmetic. Not
here: what they govern.
Kept: "3 months" is calendar months, not 90 days; "72 h" is hours; days are calendar days unless the rule says business
days (house.md 6). The day on which a term begins does not count, and a term of days or months ends with its last day in
the office's zone (house, readings.md); a term of hours ends at its instant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

from towncircle.kernel.instants import Instant, zone_named
from towncircle.rules.calendars import business_days_after, end_of_day

_TERM = re.compile(r"(?P<count>[0-9]{1,4}) (?P<unit>year|month|hour|business day|day)s?", re.ASCII)
_LENGTH = re.compile(r"(?P<over>[0-9]{1,5})(?:/(?P<under>[1-9][0-9]{0,3}))? (?P<unit>in|mm)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Term:
    """Hold a length of time in the rule's own unit: calendar months, calendar or business days, or exact hours."""

    months: int = 0
    hours: int = 0
    days: int = 0
    business_days: int = 0

    @classmethod
    def parse(cls, text: str) -> Term:
        """Read `3 months`, `5 years`, `72 hours`, `30 days` or `3 business days`. Raises `ValueError`."""
        match = _TERM.fullmatch(text)
        if match is None:
            raise ValueError(f"not a term: {text}")
        count, unit = int(match["count"]), match["unit"].replace(" ", "_")
        if unit == "year":
            return cls(months=12 * count)
        return cls(**{f"{unit}s": count})

    def after(self, start: Instant, zone: str) -> Instant:
        """Give the instant at which the term ends that began at `start`.

        Months and days keep the wall time in `zone`; a month too short ends on its last day (31 January and one month
        is the last of February). Hours are exact, whatever clocks are changed meanwhile.
        """
        end = start.plus_months(self.months, zone=zone) if self.months else start
        if self.days or self.business_days:
            local = end.utc().astimezone(zone_named(zone))
            counted = business_days_after(local.date(), self.business_days) - local.date()
            end = Instant.of(local + counted + timedelta(days=self.days))
        return end.plus(hours=self.hours)

    def before(self, end: Instant, zone: str) -> Instant:
        """Give the instant that lies the term before `end`, counted back as `after` counts forward."""
        return Term(months=-self.months, days=-self.days, hours=-self.hours).after(end, zone)

    def ends(self, start: Instant, zone: str) -> Instant:
        """Give the last instant within a term that began at `start`: of its last day, or of its last hour."""
        if self.hours:
            return self.after(start, zone)
        return end_of_day(self.last_day(start.date_in(zone)), zone)

    def last_day(self, start: date) -> date:
        """Give the last calendar day of a term of months or days that began on the day `start`."""
        if self.hours:
            raise ValueError("a term of hours ends at an instant, not on a day")
        return _last_day(self, start)

    def day_before(self, last: date) -> date:
        """Give the day that lies a term of days before another day."""
        if self.hours or self.months or self.business_days:
            raise ValueError("only a term of days is counted back")
        return last - timedelta(days=self.days)

    def __str__(self) -> str:
        parts = ((self.months, "month"), (self.business_days, "business day"), (self.days, "day"), (self.hours, "hour"))
        return " ".join(f"{count} {unit}{'s' if count != 1 else ''}" for count, unit in parts if count) or "0 days"

    def __repr__(self) -> str:
        return f"Term({self})"


@lru_cache(maxsize=4096)
def _last_day(term: Term, start: date) -> date:
    return term.after(Instant.parse(start.isoformat()), "UTC").date_in("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """Hold a length on paper, exactly: `text` as the rule writes it, `points` (1/72 inch) as a fraction."""

    POINTS: ClassVar[dict[str, Fraction]] = {"in": Fraction(72), "mm": Fraction(720, 254)}

    text: str
    points: Fraction

    @classmethod
    @lru_cache(maxsize=256)  # a page asks for its lengths again and again
    def parse(cls, text: str) -> Length:
        """Read `1/4 in` or `20 mm`. Raises `ValueError`."""
        match = _LENGTH.fullmatch(text)
        if match is None:
            raise ValueError(f"not a length: {text}")
        return cls(text=text, points=Fraction(int(match["over"]), int(match["under"] or 1)) * cls.POINTS[match["unit"]])

    def __str__(self) -> str:
        return self.text
