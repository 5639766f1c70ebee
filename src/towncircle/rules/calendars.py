"""Calendars: the federal holidays, business days, and where a day ends in an office's zone.

Here: 5 U.S.C. 6103 with its observed days, counting in business days, the last instant of a day. Not here: terms.
Kept: a business day is a Monday to Friday that is no federal holiday as observed (house: the rule says "business days"
and does not define them). A day ends at midnight on the wall clock of the office, whatever clocks do that night.
"""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from towncircle.kernel.instants import Instant, zone_named

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SATURDAY, _SUNDAY = 5, 6
WASHINGTON = "America/New_York"  # the zone of the Postal Service's own day
_COMMON_YEAR = 2023  # without a leap day
_DAY = timedelta(days=1)


@cache
def yearly(text: str) -> tuple[int, int] | None:
    """Read a day of each year ("15 August") as month and day, or give None for what is none that every year has."""
    day, _, month = text.partition(" ")
    if month not in _MONTHS or not (day.isascii() and day.isdigit() and day == day.lstrip("0")):
        return None
    number = _MONTHS.index(month) + 1
    return (number, int(day)) if 1 <= int(day) <= monthrange(_COMMON_YEAR, number)[1] else None


@cache
def holidays(year: int) -> Mapping[date, str]:
    """Give the days of a year on which a federal holiday is observed, with its name."""
    found = {day: name for near in (year, year + 1) for day, name in _observed(near) if day.year == year}
    return MappingProxyType(found)


def is_business_day(day: date) -> bool:
    """Tell whether a day is a Monday to Friday on which no federal holiday is observed."""
    return day.weekday() < _SATURDAY and day not in holidays(day.year)


def business_days_after(start: date, count: int) -> date:
    """Give the last of `count` business days after a day, which itself does not count."""
    day = start
    for _ in range(count):
        day += _DAY
        while not is_business_day(day):
            day += _DAY
    return day


@lru_cache(maxsize=4096)
def end_of_day(day: date, zone: str) -> Instant:
    """Give the last instant of a day in a zone: a microsecond before its midnight."""
    midnight = datetime.combine(day + _DAY, time.min, tzinfo=zone_named(zone))
    return Instant.of(midnight).plus(microseconds=-1)


@lru_cache(maxsize=4096)
def start_of_day(day: date, zone: str) -> Instant:
    """Give the first instant of a day in a zone."""
    return Instant.of(datetime.combine(day, time.min, tzinfo=zone_named(zone)))


def _observed(year: int) -> Iterator[tuple[date, str]]:
    for holiday in _sheet():
        if year < holiday.get("from", year):
            continue
        day = _falls_on(holiday, year)
        if day.weekday() == _SATURDAY:
            day -= _DAY
        elif day.weekday() == _SUNDAY:
            day += _DAY
        yield day, holiday["name"]


def _falls_on(holiday: Mapping[str, Any], year: int) -> date:
    month = holiday["month"]
    if "day" in holiday:
        return date(year, month, holiday["day"])
    weekday, which = _WEEKDAYS.index(holiday["weekday"]), holiday["which"]
    if which > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))
    last = date(year, month, monthrange(year, month)[1])
    return last - timedelta(days=(last.weekday() - weekday) % 7)


@cache
def _sheet() -> tuple[Mapping[str, Any], ...]:
    sheet = tomllib.loads(files("towncircle.rules").joinpath("federal_holidays.toml").read_text("utf-8"))
    return tuple(table for table in sheet.values() if isinstance(table, dict))
