"""Instants, dates in an office's zone, and the clock port.

Here: UTC integer microseconds and how they are read and written. Not here: anything that reads a clock.
Kept: time is an argument; only a shell owns a `Clock` and reads it once per command (style.md).
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from towncircle.kernel.errors import BadInput

SECOND_US = 1_000_000
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _END_YEAR = 1900, 3000
_FIRST_US, _END_US = (
    (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1) for year in (_FIRST_YEAR, _END_YEAR)
)
_DAYS: dict[str, tuple[int, int, date]] = {}  # zone to a day's beginning, its end and the day
_DURATION = re.compile(r"(?P<n>[0-9]{1,12})(?P<unit>s|m|h|d|w|mo)\Z", re.ASCII)
_UNIT_US = {"s": 1_000_000, "m": 60_000_000, "h": HOUR_US, "d": DAY_US, "w": 7 * DAY_US}


class Instant(int):
    """Hold a point in time as UTC microseconds since 1970-01-01T00:00:00Z."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Instant:
        """Read ISO 8601: `2026-11-21`, `2026-11-21T15:04Z` or with an offset. Raises `BadInput` (time...)."""
        try:
            value = datetime.fromisoformat(text)
        except ValueError as error:
            raise BadInput("time.unreadable", text=text[:40]) from error
        if value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
        return cls._bounded((value - _EPOCH) // timedelta(microseconds=1))

    @classmethod
    def _bounded(cls, microseconds: int) -> Instant:
        if not _FIRST_US <= microseconds < _END_US:
            raise BadInput("time.out-of-range")
        return cls(microseconds)

    def utc(self) -> datetime:
        """Give the same point as an aware `datetime` in UTC."""
        return _EPOCH + timedelta(microseconds=int(self))

    def date_in(self, zone: str) -> date:
        """Give the calendar date at this instant in an IANA zone such as `America/New_York`.

        The last day that was asked for in each zone is remembered with its two midnights.
        """
        held = _DAYS.get(zone)
        if held is not None and held[0] <= self < held[1]:
            return held[2]
        place = zone_named(zone)
        day = self.utc().astimezone(place).date()
        start = datetime(day.year, day.month, day.day, tzinfo=place)
        end = start + timedelta(days=1)
        if start.utcoffset() == end.utcoffset():  # a day on which the zone's clock changes may come in two pieces
            _DAYS[zone] = (Instant.of(start), Instant.of(end), day)
        return day

    def words_in(self, zone: str) -> str:
        """Write `2026-11-21 10:04 EST`: date and time of day in an IANA zone, as papers say them."""
        return f"{self.utc().astimezone(zone_named(zone)):%Y-%m-%d %H:%M %Z}"

    def plus(self, *, hours: int = 0, days: int = 0, microseconds: int = 0) -> Instant:
        """Give a later (or earlier) instant by exact lengths of time. Raises `BadInput` (time.out-of-range)."""
        return Instant._bounded(int(self) + hours * HOUR_US + days * DAY_US + microseconds)

    def plus_months(self, months: int, *, zone: str) -> Instant:
        """Give the same wall time `months` calendar months later in `zone`; the last day where the month is shorter.

        Raises `BadInput` (time.no-such-zone, time.out-of-range).
        """
        local = self.utc().astimezone(zone_named(zone))
        year, month0 = divmod(local.year * 12 + local.month - 1 + months, 12)
        if not _FIRST_YEAR <= year < _END_YEAR:
            raise BadInput("time.out-of-range")
        day = min(local.day, monthrange(year, month0 + 1)[1])
        return Instant.of(local.replace(year=year, month=month0 + 1, day=day))

    @classmethod
    def of(cls, moment: datetime) -> Instant:
        """Make an instant from an aware `datetime`."""
        if moment.tzinfo is None:
            raise TypeError("an instant needs an aware datetime")
        return cls((moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1))

    def iso(self) -> str:
        """Write `2026-11-21T15:04:05Z`, with microseconds where there are any."""
        text = self.utc().isoformat()
        return text.replace("+00:00", "Z")

    def __str__(self) -> str:
        return self.iso()

    def __repr__(self) -> str:
        return f"Instant({self.iso()})"


def zone_named(name: str) -> ZoneInfo:
    """Look up an IANA time zone. Raises `BadInput` (time.no-such-zone)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder, or a name that is too long
        raise BadInput("time.no-such-zone", zone=name[:40]) from error


def parse_step(text: str) -> tuple[int, int]:
    """Read a step of time such as `73h`, `2d` or `3mo` into (calendar months, microseconds). Raises `BadInput`."""
    match = _DURATION.match(text)
    if match is None:
        raise BadInput("time.step-unreadable", text=text[:40])
    count = int(match["n"])
    if match["unit"] == "mo":
        return count, 0
    return 0, count * _UNIT_US[match["unit"]]


class Clock(Protocol):
    """Tell the time. Held by shells only."""

    def now(self) -> Instant:
        """Give the present instant."""
        ...
