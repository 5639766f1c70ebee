"""ZIP Codes: whether one exists, where it is, and which cities its mail may name.

Here: the look-up in the table that comes with the program. Not here: addresses; ZIP+4 and delivery points, of which
there is no public list (`address_source`).
Kept: the table is read once a process, on first use and in about a fiftieth of a second; its edition is told with it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.harmless import visible

_FOLDED = str.maketrans({".": "", "'": "", "\u2019": "", "-": " ", "/": " "})
_SHORT = {  # house: words that city names are written with and without
    "SAINT": "ST", "SAINTE": "STE", "FORT": "FT", "MOUNT": "MT", "MOUNTAIN": "MTN", "POINT": "PT", "HEIGHTS": "HTS",
    "NORTH": "N", "SOUTH": "S", "EAST": "E", "WEST": "W",
}  # fmt: skip


class Place(NamedTuple):
    """Hold what is known of a ZIP Code: its city and state, its IANA zone ('' where military mail has none), its kind.

    `kind` is S standard, P post office boxes, U one customer, M military, a small letter where it is out of use.
    `accepted` are other city names that may be used, `refused` those that may not.
    """

    city: str
    state: str
    zone: str
    kind: str = "S"
    accepted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def in_use(self) -> bool:
        """Tell whether mail is delivered under the ZIP Code."""
        return self.kind.isupper()

    @property
    def cities(self) -> tuple[str, ...]:
        """Give the city names that mail for the ZIP Code may bear, the usual one first."""
        return (self.city, *self.accepted)


Places = Callable[[str], Place]  # what is known of a ZIP Code; raises `BadInput` (address.no-such-zip)


class _Table(NamedTuple):
    edition: str
    source: str
    zones: tuple[str, ...]
    lines: dict[str, str]


@cache
def _table() -> _Table:
    text = (files("towncircle.mailpiece") / "data" / "zip_codes.txt").read_text(encoding="utf-8")
    edition, source, zones, *lines = text.splitlines()
    return _Table(
        edition=edition.split()[1],
        source=source.partition(" ")[2],
        zones=tuple(zones.split()[1:]),
        lines={line[:5]: line for line in lines},
    )


@cache
def states() -> frozenset[str]:
    """Give the two-letter codes of all states, territories and military regions that have a ZIP Code."""
    return frozenset(line[8:10] for line in _table().lines.values())


def edition() -> str:
    """Give the year and month of the table, such as `2026-06`."""
    return _table().edition


def source() -> str:
    """Give the package and version that the table was made from."""
    return _table().source


def known_zip(zip5: str) -> bool:
    """Tell whether the table has a five digit ZIP Code."""
    return zip5 in _table().lines


def no_such_zip(zip5: str) -> BadInput:
    """Give what is said of a ZIP Code that does not exist."""
    return BadInput("address.no-such-zip", zip=visible(zip5, most=20), column="zip")


@lru_cache(maxsize=1 << 16)
def place_of(zip5: str) -> Place:
    """Look up a five digit ZIP Code. Raises `BadInput` (address.no-such-zip)."""
    table = _table()
    line = table.lines.get(zip5)
    if line is None:
        raise no_such_zip(zip5)
    _, kind, state, zone, city, accepted, refused = line.split("|")
    return Place(
        city=city,
        state=state,
        zone=table.zones[int(zone)] if zone else "",
        kind=kind,
        accepted=tuple(accepted.split(";")) if accepted else (),
        refused=tuple(refused.split(";")) if refused else (),
    )


@lru_cache(maxsize=1 << 16)
def city_accepted(place: Place, city: str) -> bool:
    """Tell whether mail for a place may name a city, however it is written: St or Saint, Cañon or Canon."""
    key = _key(city)
    return any(_key(name) == key for name in place.cities)


def city_refused(place: Place, city: str) -> bool:
    """Tell whether a city is one of the names that are listed as not acceptable for a place."""
    key = _key(city)
    return any(_key(name) == key for name in place.refused)


def _key(city: str) -> str:
    plain = city if city.isascii() else unicodedata.normalize("NFKD", city).encode("ascii", "ignore").decode()
    return " ".join(_SHORT.get(word, word) for word in plain.upper().translate(_FOLDED).split())
