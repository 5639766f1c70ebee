"""What a row of an address list says of its piece besides the address: class, services, value, zone and size.

Here: those cells of a row. Not here: weight and shape, and everything else of a row (`address_files`), what a batch
allows its rows (`templates`), what it costs (`rates`).
Kept: a cell is read whole or is a fault of its column; a row that says nothing leaves all to the job.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from towncircle.kernel.errors import BadInput, TowncircleError
from towncircle.kernel.money import Mills
from towncircle.mailpiece.categories import CLASSES, PRICE_TYPES, PriceType
from towncircle.mailpiece.harmless import visible
from towncircle.mailpiece.rate_requests import ZONES, extras_of
from towncircle.mailpiece.tariff import known_tables

COLUMNS = (
    "mail_class",
    "price_type",
    "zone",
    "extras",
    "declared_value",
    "nonmachinable",
    "length",
    "height",
    "thickness",
)
SIDES = ("length", "height", "thickness")
NO_EXTRAS = ("none", "-")
_YES, _NO = ("yes", "y", "true", "1", "x"), ("no", "n", "false", "0")
_INCHES = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,4})?\s*(?:in|\")?\Z", re.ASCII)
_OTHER_NAMES = {"marketing": "standard"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRate:
    """Hold what a row says of its piece; None, or '' for the zone, where it says nothing. Lengths in inches."""

    mail_class: str | None = None
    price_type: PriceType | None = None
    zone: str = ""
    extras: tuple[str, ...] | None = None
    declared_value: Mills | None = None
    nonmachinable: bool | None = None
    length: Fraction | None = None
    height: Fraction | None = None
    thickness: Fraction | None = None

    @property
    def empty(self) -> bool:
        """Tell whether the row leaves the claim to the job."""
        said = (self.mail_class, self.price_type, self.extras, self.declared_value, self.nonmachinable)
        return all(one is None for one in said)


NOTHING = RowRate()


def row_rate(said: Mapping[str, str]) -> tuple[RowRate, list[tuple[str, TowncircleError]]]:
    """Read the cells that are there, by our columns; give what they say, and each column that cannot be read."""
    readers = {
        "mail_class": _class, "price_type": _price_type, "zone": _zone, "extras": _extras,
        "declared_value": Mills.parse, "nonmachinable": _flag, **dict.fromkeys(SIDES, _inches),
    }  # fmt: skip
    found: dict[str, object] = {}
    faults: list[tuple[str, TowncircleError]] = []
    for name, text in said.items():
        if text.strip():
            try:
                found[name] = readers[name](text.strip())
            except TowncircleError as error:
                faults.append((name, error))
    return RowRate(**found) if found else NOTHING, faults  # type: ignore[arg-type]  # by name


def _class(text: str) -> str:
    plain = text.casefold()
    known = {name: one.key for one in CLASSES.values() for name in (one.key, one.name.casefold())} | _OTHER_NAMES
    if plain not in known:
        raise BadInput("rates.unknown-class", text=visible(text, most=20))
    return known[plain]


def _price_type(text: str) -> PriceType:
    found = next((one for one in PRICE_TYPES if one == text.casefold()), None)
    if found is None:
        raise BadInput("rates.unknown-type", text=visible(text, most=20))
    return found


def _zone(text: str) -> str:
    if text not in ZONES:
        raise BadInput("rates.unknown-zone", text=visible(text, most=20))
    return text


def _extras(text: str) -> tuple[str, ...]:
    if text.casefold() in NO_EXTRAS:
        return ()
    named = tuple("-".join(part.casefold().split()) for part in re.split(r"[;+|]", text))
    known = extras_of(known_tables())
    for extra in named:
        if extra not in known:
            raise BadInput("rates.unknown-extra", text=visible(extra, most=40), known=", ".join(known))
    return named


def _flag(text: str) -> bool:
    plain = text.casefold()
    if plain not in _YES + _NO:
        raise BadInput("addresses.no-flag", text=visible(text, most=20))
    return plain in _YES


def _inches(text: str) -> Fraction:
    found = Fraction(text.rstrip('in" ')) if _INCHES.match(text) else Fraction(0)
    if not found:
        raise BadInput("addresses.no-length", text=visible(text, most=20))
    return found
