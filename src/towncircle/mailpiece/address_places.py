"""Whether city, state, ZIP Code and country of an address go together.

Here: states, territories, military mail, cities that a ZIP Code accepts, and what is foreign. Not here: the table of
ZIP Codes (`zipcode`), the lines of an address (`addresses`).
Kept: a ZIP Code exists, is in use and lies in the state; its city is one that mail for it may name, and a refusal names
those. Military mail names APO, FPO or DPO and no country. Foreign mail is refused: its prices, its customs forms and
its routing are not known here.
"""

from __future__ import annotations

import re

from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.mailpiece.harmless import visible
from towncircle.mailpiece.zipcode import Place, Places, city_accepted, city_refused, place_of, states

ZIP = re.compile(r"(?P<five>[0-9]{5})(?:[- ]?(?P<four>[0-9]{4})(?:[- ]?(?P<point>[0-9]{2}))?)?\Z", re.ASCII)
HOME = frozenset({"US", "USA", "U.S.", "U.S.A.", "UNITED STATES", "UNITED STATES OF AMERICA"})
MILITARY = frozenset({"AA", "AE", "AP"})
TERRITORIES = {  # what the post calls a state and others a country
    "PUERTO RICO": "PR", "GUAM": "GU", "AMERICAN SAMOA": "AS", "NORTHERN MARIANA ISLANDS": "MP",
    "VIRGIN ISLANDS": "VI", "US VIRGIN ISLANDS": "VI", "U.S. VIRGIN ISLANDS": "VI",
    "PALAU": "PW", "MARSHALL ISLANDS": "MH", "MICRONESIA": "FM", "FEDERATED STATES OF MICRONESIA": "FM",
    **{code: code for code in ("PR", "GU", "AS", "MP", "VI", "PW", "MH", "FM")},
}  # fmt: skip
_PROVINCES = frozenset({"AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"})
_CANADIAN = re.compile(r"[A-Z][0-9][A-Z][ -]?[0-9][A-Z][0-9]\Z", re.ASCII | re.IGNORECASE)
_DASHES = dict.fromkeys((*range(0x2010, 0x2015), 0x2212), "-")  # what word processors make of a hyphen


def country_faults(country: str, state: str) -> list[TowncircleError]:
    """Say what is wrong with a country beside a state. Raises `Refused` (address.foreign)."""
    said = " ".join(country.split()).upper()
    if not said or said in HOME:
        return []
    shown = visible(country.strip(), most=40)
    if state in MILITARY:
        return [BadInput("address.military-country", country=shown, state=state, column="country")]
    if said not in TERRITORIES:
        raise Refused("address.foreign", country=shown, column="country")
    if TERRITORIES[said] != state:
        return [BadInput("address.country-elsewhere", country=shown, state=visible(state, most=20), column="country")]
    return []


def parse_zip(text: str) -> re.Match[str] | None:
    """Read a ZIP Code, ZIP+4 or delivery point: the groups five, four and point, or None."""
    return ZIP.match(text if text.isascii() else text.translate(_DASHES))


def place_faults(
    *, city: str, state: str, given: str, match: re.Match[str] | None, places: Places = place_of
) -> list[TowncircleError]:
    """Say everything that is wrong with city, state (in capitals) and ZIP Code as they stand together.

    `places` knows the ZIP Codes; without it the table that comes with the program. The codes of states are its own.
    Raises `Refused` (address.foreign) for an address in Canada.
    """
    if match is None and state in _PROVINCES and _CANADIAN.match(given):
        raise Refused("address.foreign", country="Canada", column="zip")
    faults: list[TowncircleError] = []
    if not state:
        faults.append(BadInput("address.missing", field="state", column="state"))
    elif state not in states():
        faults.append(BadInput("address.no-such-state", state=visible(state, most=20), column="state"))
    if not given:
        return [*faults, BadInput("address.missing", field="ZIP Code", column="zip")]
    if match is None:
        return [*faults, _unreadable(given, state, places)]
    try:
        place = places(match["five"])
    except BadInput as error:
        return [*faults, error]
    if faults:
        return faults
    return _together(place, match["five"], city=city, state=state)


def _together(place: Place, zip5: str, *, city: str, state: str) -> list[TowncircleError]:
    if place.state != state:
        there = place.city.upper() if place.state in MILITARY else place.city
        return [BadInput("address.zip-elsewhere", zip=zip5, city=there, there=place.state, state=state, column="zip")]
    if not place.in_use:
        return [BadInput("address.zip-out-of-use", zip=zip5, city=place.city, state=state, column="zip")]
    if not city or city_accepted(place, city):
        return []
    told = {"city": visible(city, most=40), "zip": zip5, "state": state, "column": "city"}
    if state in MILITARY:
        return [BadInput("address.military-city", accepted=place.city.upper(), **told)]
    accepted = " or ".join(place.cities[:6])
    if city_refused(place, city):
        return [BadInput("address.city-refused", accepted=accepted, **told)]
    return [BadInput("address.city-elsewhere", accepted=accepted, **told)]


def _unreadable(given: str, state: str, places: Places) -> TowncircleError:
    """Name the ZIP Code whose leading zeros a spreadsheet may have dropped, where there is one in that state."""
    padded = given.zfill(5)
    if given.isascii() and given.isdigit() and 3 <= len(given) < 5:
        try:
            place: Place | None = places(padded)
        except BadInput:
            place = None
        if place is not None and place.state == state:
            return BadInput("address.zip-short", zip=given, padded=padded, city=place.city, state=state, column="zip")
    return BadInput("address.zip-unreadable", zip=visible(given, most=20), column="zip")
