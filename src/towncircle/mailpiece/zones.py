"""Which postal zone a piece goes to: by an official zone chart, or by an estimate that says it is one.

Here: reading a chart as the Postal Service's own page gives it (docs/rate-tables.md), asking it, and the estimate from
the middle of three-digit ZIP Code areas. Not here: prices (`rates`), the zones of a page (`geometry`).
Kept: a chart is official for its origin alone; a malformed one is refused whole. An estimate is never called a zone
without the word, is of low confidence, and is refused for territories and military mail.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece.zipcode import place_of

MOST_BYTES = 1_000_000
_COLUMNS = ("Column0", "Column1", "Column2", "Column3")
_RANGE = {digits: re.compile(rf"([0-9]{{{digits}}})(?:---([0-9]{{{digits}}}))?\Z", re.ASCII) for digits in (3, 5)}
_ZONE = re.compile(r"([1-9])([*+]{0,2})\Z", re.ASCII)  # * within one distribution centre, + has five-digit exceptions
_SERVICES = {"": "", "Priority Mail": "priority"}
_ORIGIN = re.compile(r"[0-9]{3}(?:[0-9]{2})?\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Hold a zone and how it was found; `estimated` where no official chart said it.

    `declared` where no chart but a person said it, `instead` the other zone that an estimate then gives, if it does.
    """

    zone: str
    note: str
    estimated: bool
    declared: bool = False
    instead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Hold the official zones from one three-digit origin.

    `three` is by destination (`011`) and class ('' for all), `five` lists the exceptions of five digits, each with its
    first and last ZIP Code, class and zone.
    """

    origin: str
    effective: date
    three: Mapping[tuple[str, str], str]
    five: tuple[tuple[str, str, str, str], ...]

    def zone_of(self, destination: str, *, mail_class: str) -> Zone:
        """Look a five-digit destination up. Raises `Refused` (zones.not-in-chart)."""
        note = f"official zone chart of origin {self.origin}, effective {self.effective.isoformat()}"
        for asked in (mail_class, ""):
            for first, last, held, zone in self.five:
                if held == asked and first <= destination <= last:
                    return Zone(zone=zone, note=f"{note}, exception of {first} to {last}", estimated=False)
            if (found := self.three.get((destination[:3], asked))) is not None:
                return Zone(zone=found, note=note, estimated=False)
        raise Refused("zones.not-in-chart", destination=destination[:5], origin=self.origin)


def read_chart(data: bytes, *, origin: str) -> Chart:
    """Read a zone chart as the Postal Service's page answers for one origin ZIP Code (JSON).

    Raises `BadInput`: zones.origin-unfit, zones.chart-unreadable.
    """
    if not _ORIGIN.match(origin):
        raise BadInput("zones.origin-unfit", text=origin[:10])
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has {len(data):,} bytes, and none is longer than {MOST_BYTES:,}")
        return _chart(json.loads(data.decode("utf-8-sig")), origin[:3])
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise BadInput("zones.chart-unreadable", what=what) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """Give the zones from one five-digit ZIP Code: by its official charts, oldest first, else by an estimate."""

    origin: str
    charts: tuple[Chart, ...] = ()

    def find(self, destination: str, *, mail_class: str, on: date) -> Zone:
        """Find the zone of a five-digit destination for a piece mailed on a day.

        The chart that is effective then decides; where there is none the zone is an estimate and says so. Raises
        `Refused` (zones.not-in-chart, zones.not-estimated) and `BadInput` (address.no-such-zip).
        """
        chart = next((one for one in reversed(self.charts) if one.effective <= on), None)
        if chart is not None:
            return chart.zone_of(destination, mail_class=mail_class)
        return _estimated(self.origin, destination)


def estimate(origin: str, destination: str) -> Zone:
    """Estimate the zone between two five-digit ZIP Codes by the distance of their three-digit areas.

    Raises `BadInput` (address.no-such-zip) and `Refused` (zones.not-estimated).
    """
    for zip5 in (origin, destination):
        state = place_of(zip5).state
        if state in _data()["not_estimated"] or zip5[:3] not in _centroids():
            raise Refused("zones.not-estimated", zip=zip5, state=state)
    miles = _miles(_centroids()[origin[:3]], _centroids()[destination[:3]])
    reach = {zone: int(most) for zone, most in _data()["miles_through"].items()}

    def at(distance: float) -> str:
        return next((zone for zone, most in reach.items() if distance <= most), str(_data()["beyond"]))

    zone, near = at(miles), int(_data()["near_miles"])
    others = [f"zone {other} is near" for other in (at(miles - near), at(miles + near)) if other != zone]
    words = [f"about {round(miles):,} miles between the middles of {origin[:3]} and {destination[:3]}", *others]
    note = f"{', '.join(words)}; the official zone chart decides and may say another zone"
    return Zone(zone=zone, note=note, estimated=True)


@lru_cache(maxsize=1 << 12)
def _estimated(origin: str, destination: str) -> Zone:
    return estimate(origin, destination)


def _chart(sheet: dict[str, Any], origin: str) -> Chart:
    for name in ("ZIPCodeError", "PageError"):
        if sheet[name]:
            raise ValueError(f"the page answered: {str(sheet[name])[:80]}")
    three: dict[tuple[str, str], str] = {}
    for column in _COLUMNS:
        for cell in sheet[column]:
            first, last, service, zone = _cell(cell, 3)
            for number in range(int(first), int(last) + 1):
                key = (f"{number:03d}", service)
                if three.setdefault(key, zone) != zone:
                    raise ValueError(f"{key[0]} stands in two zones")
    if not three:
        raise ValueError("it has no destination")
    five = tuple(_cell(cell, 5) for cell in sheet.get("Zip5Digit") or ())
    effective = datetime.strptime(str(sheet["EffectiveDate"]), "%B %d, %Y").date()  # noqa: DTZ007 - a date alone
    return Chart(origin=origin, effective=effective, three=MappingProxyType(three), five=five)


def _cell(cell: dict[str, Any], digits: int) -> tuple[str, str, str, str]:
    span, zone = _RANGE[digits].match(str(cell["ZipCodes"]).strip()), _ZONE.match(str(cell["Zone"]).strip())
    service = str(cell.get("MailService") or "").strip()
    if span is None or zone is None or service not in _SERVICES:
        told = ", ".join(str(cell.get(name, "")) for name in ("ZipCodes", "Zone", "MailService"))
        raise ValueError(f"a destination is not readable: {told[:80]}")
    first, last = span[1], span[2] or span[1]
    if last < first:
        raise ValueError(f"{first} to {last} goes backwards")
    return first, last, _SERVICES[service], zone[1]


@cache
def _data() -> dict[str, Any]:
    text = (files("towncircle.mailpiece") / "data" / "postal_zones.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _centroids() -> dict[str, tuple[float, float]]:
    """Give the middle (latitude, longitude) of every three-digit area: the mean of its ZIP Codes that have a place."""
    import zipcodes

    held: dict[str, list[tuple[float, float]]] = {}
    rows: list[dict[str, str]] = zipcodes.list_all()  # type: ignore[no-untyped-call]  # the package has no types
    for row in rows:
        place = (float(row["lat"] or 0), float(row["long"] or 0))
        if place != (0, 0):
            held.setdefault(row["zip_code"][:3], []).append(place)
    return {
        zip3: (sum(lat for lat, _ in all_) / len(all_), sum(long for _, long in all_) / len(all_))
        for zip3, all_ in held.items()
    }


def _miles(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Give the great circle distance (haversine) of two places in degrees, in statute miles."""
    (north_a, east_a), (north_b, east_b) = (tuple(map(math.radians, place)) for place in (a, b))
    half = math.sin((north_b - north_a) / 2) ** 2
    half += math.cos(north_a) * math.cos(north_b) * math.sin((east_b - east_a) / 2) ** 2
    return 2 * int(_data()["earth_radius_miles"]) * math.asin(math.sqrt(half))
