"""Addresses in the standard form of Publication 28: STREET is ST, SUITE is STE, the city is one that is accepted.

Here: putting the fields of an address into that form when the caller asks for it, and what was changed. Not here:
whether the address is right (`addresses`); what a library cannot take apart stays as it was written.
Kept: the original is never lost: every change is told with what stood there before. A form is taken only where it says
the same word for word, each word the same or shortened: the library also moves and invents words. Puerto Rico, where
streets are named in another order, and military mail are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.address_places import MILITARY, parse_zip
from towncircle.mailpiece.zipcode import Places, city_refused, place_of

LONGEST = 100  # house, characters of a field that is looked at
_LEFT_ALONE = MILITARY | {"PR"}
_WORD = re.compile(r"[A-Z0-9]+", re.ASCII)
_SHORTENED_WITH_X = frozenset({"XING", "XRD", "XRDS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Hold one change: the field, what stood there and what stands there now."""

    field: str
    before: str
    after: str


def in_standard_form(fields: Mapping[str, str], places: Places = place_of) -> tuple[dict[str, str], tuple[Change, ...]]:
    """Give the fields of an address in standard form, and what was changed; what is not understood stays."""
    clean = {name: " ".join(fields.get(name, "")[:LONGEST].split()) for name in ("street", "street2", "city", "state")}
    match = parse_zip(fields.get("zip", "")[:LONGEST].strip())
    changed: dict[str, str] = {}
    if match is not None and clean["state"].upper() not in _LEFT_ALONE:
        zip5 = match["five"]
        with suppress(BadInput):  # there is no such ZIP Code
            place = places(zip5)
            if place.state == clean["state"].upper() and city_refused(place, clean["city"]):
                changed["city"] = place.city
        changed |= _streets(clean, changed.get("city", clean["city"]), zip5)
    changes = tuple(
        Change(field=name, before=clean[name], after=text)
        for name, text in changed.items()
        if text != clean[name].upper()
    )
    return {**fields, **{change.field: change.after for change in changes}}, changes


def _streets(clean: Mapping[str, str], city: str, zip5: str) -> dict[str, str]:
    """Give both street lines in standard form, or nothing where the library does not say the same."""
    from scourgify import normalize_address_record
    from scourgify.exceptions import AddressNormalizationError, AddressValidationError

    lines = {"address_line_1": clean["street"], "address_line_2": clean["street2"] or None}
    if not clean["street"].isascii() or not clean["street2"].isascii():
        return {}  # the library would drop what it cannot write
    try:
        made = normalize_address_record({**lines, "city": city, "state": clean["state"], "postal_code": zip5})
    except (AddressNormalizationError, AddressValidationError):
        return {}
    street, street2 = made["address_line_1"] or "", made["address_line_2"] or ""
    if not _same(f"{clean['street']} {clean['street2']}", f"{street} {street2}"):
        return {}
    return {"street": street, "street2": street2.replace("# ", "#")}


def _same(before: str, after: str) -> bool:
    """Tell whether two texts say the same word for word, each the same or shortened."""
    old, new = (_WORD.findall(text.upper().replace("'", "").replace(".", "")) for text in (before, after))
    return len(old) == len(new) and all(_short_of(one, other) for one, other in zip(old, new, strict=True))


def _short_of(long: str, short: str) -> bool:
    if long == short or (short in _SHORTENED_WITH_X and long.startswith("CROSS")):
        return True
    if not (long.isalpha() and short.isalpha()) or len(short) > len(long) or long[0] != short[0]:
        return False
    rest = iter(long)
    return all(letter in rest for letter in short)  # its letters stand in the long word in their order
