"""ZIP Codes: whether one exists and where it is.

Here: one look-up table a process, filled on first use from the `zipcodes` package (about a second, then a dict).
Not here: addresses, delivery points (there is no public list of them).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from towncircle.kernel.errors import BadInput


class Place(NamedTuple):
    """Hold what is known of a ZIP Code: its city, state and IANA zone ('' where military mail has none)."""

    city: str
    state: str
    zone: str


@cache
def _places() -> dict[str, Place]:
    import zipcodes

    rows: list[dict[str, str]] = zipcodes.list_all()  # type: ignore[no-untyped-call]  # the package has no types
    return {row["zip_code"]: Place(row["city"], row["state"], row["timezone"]) for row in rows}


@cache
def states() -> frozenset[str]:
    """Give the two-letter codes of all states and territories that have a ZIP Code."""
    return frozenset(place.state for place in _places().values())


def place_of(zip5: str) -> Place:
    """Look up a five digit ZIP Code. Raises `BadInput` (address.no-such-zip)."""
    place = _places().get(zip5)
    if place is None:
        raise BadInput("address.no-such-zip", zip=zip5[:20])
    return place
