"""The columns of an address file: which of ours each heading means.

Here: the words that are understood by themselves, `--map`, and the choice of columns for a header. Not here: reading a
file (`address_files`) or an address (`addresses`).
Kept: a heading is never guessed. Two that mean the same are refused until `--map` says which; what no word knows is
carried along unread.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.harmless import visible

MOST_COLUMNS = 256  # house: more are no list of addresses
LONGEST_HEADING = 80  # house

# a heading of weights that names their unit; under one that does not, each cell names its own
UNITS = {
    **dict.fromkeys(("weightoz", "weightounces", "ounces", "oz"), "oz"),
    **dict.fromkeys(("weightlb", "weightlbs", "weightpounds", "pounds", "lb", "lbs"), "lb"),
    **dict.fromkeys(("weightg", "weightgrams", "grams"), "g"),
}
# our column: the headings that mean it, as small letters and digits only
WORDS: dict[str, tuple[str, ...]] = {
    "name": ("name", "fullname", "recipient", "recipientname", "contact", "contactname", "addressee", "attention"),
    "first_name": ("firstname", "givenname", "forename"),
    "last_name": ("lastname", "surname", "familyname"),
    "company": ("company", "companyname", "organization", "organisation", "firm", "business", "businessname"),
    "urbanization": ("urbanization", "urb", "urbanisation"),
    "street": (
        "street", "streetaddress", "street1", "address", "address1", "addressline1", "addr1", "line1",
        "deliveryaddress",
    ),
    "street2": (
        "street2", "address2", "addressline2", "addr2", "line2", "secondaryaddress", "suite", "apartment", "unit",
        "apt",
    ),
    "city": ("city", "town", "cityname", "municipality"),
    "state": ("state", "st", "statecode", "stateabbreviation", "province", "region", "stateprovince"),
    "zip": ("zip", "zipcode", "zip5", "postalcode", "postcode", "zipcode5"),
    "plus4": ("plus4", "zip4", "zipplus4", "zip4code"),
    "delivery_point": ("deliverypoint", "dpc", "deliverypointcode", "dpbc"),
    "country": ("country", "countryname", "countrycode", "nation"),
    "weight_oz": ("weight", *UNITS),
    "shape": ("shape",),
    "mail_class": ("mailclass", "classofmail"),
    "price_type": ("pricetype",),
    "zone": ("zone", "postalzone"),
    "extras": ("extras", "extraservices"),
    "declared_value": ("declaredvalue", "insuredvalue"),
    "nonmachinable": ("nonmachinable",),
    "length": ("length", "lengthin", "lengthinches"),
    "height": ("height", "heightin", "heightinches"),
    "thickness": ("thickness", "thicknessin", "thicknessinches"),
}  # fmt: skip
NEEDED = ("street", "city", "state", "zip")
_MEANS = {word: ours for ours, words in WORDS.items() for word in words}

Chosen = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Say where each of our columns stands in a row: its places, joined where there are several; and what is left.

    `titles` gives the headings of a field as the file writes them, for errors and reports; `unit` is that of weights
    whose cells are bare numbers, '' where nothing says it.
    """

    places: Mapping[str, tuple[int, ...]]
    titles: Mapping[str, str]
    extra: tuple[tuple[str, int], ...]
    header: tuple[str, ...]
    unit: str = ""

    @property
    def width(self) -> int:
        """Give how many columns the header has."""
        return len(self.header)

    def heading(self, place: int) -> str:
        """Give the heading of a place in a row, '' outside the header."""
        return visible(self.header[place], most=40) if place < len(self.header) else ""


def parse_map(texts: Sequence[str]) -> Chosen:
    """Read `name=Full Name,zip=PLZ` (or `name=First+Last`) into our column and its headings.

    A heading with a comma stands in quotation marks: `"name=Last, First"`. Raises `BadInput` (addresses.map-unreadable,
    addresses.map-unknown).
    """
    chosen: dict[str, tuple[str, ...]] = {}
    for text in texts:
        try:
            (parts,) = csv.reader([text], skipinitialspace=True, strict=True)
        except (csv.Error, ValueError) as error:
            raise BadInput("addresses.map-unreadable", text=visible(text, most=80)) from error
        for part in parts:
            ours, equals, heading = part.partition("=")
            ours, heading = ours.strip().lower(), heading.strip().strip('"')
            if not equals or not heading or ours in chosen:
                raise BadInput("addresses.map-unreadable", text=visible(part, most=80))
            if ours not in WORDS:
                raise BadInput("addresses.map-unknown", text=visible(ours, most=40), known=", ".join(WORDS))
            chosen[ours] = (heading,)
    return chosen


def columns_of(header: Sequence[str], chosen: Chosen, *, label: str) -> Columns:
    """Choose the columns of a header, those named by `chosen` first.

    Raises `BadInput`: addresses.columns-many, .columns-twice, .columns-unclear, .columns-missing, .map-not-there.
    """
    if len(header) > MOST_COLUMNS:
        raise BadInput("addresses.columns-many", path=label, count=len(header), most=MOST_COLUMNS)
    titles = [" ".join(title.split()) for title in header]
    for number, title in enumerate(titles):
        if len(title) > LONGEST_HEADING or (title and title in titles[:number]):
            raise BadInput("addresses.columns-twice", path=label, heading=visible(title, most=40))
    found = {ours: _named(titles, headings, ours=ours, label=label) for ours, headings in chosen.items()}
    taken = {place for places in found.values() for place in places}
    found |= _understood(titles, frozenset(found), taken, label=label)
    places = _joined(found)
    missing = [ours for ours in NEEDED if ours not in places]
    if "name" not in places and "company" not in places:
        missing.insert(0, "name")
    if missing:
        seen = ", ".join(visible(title, most=30) for title in titles[:12] if title) or "nothing"
        raise BadInput("addresses.columns-missing", path=label, columns=", ".join(missing), seen=seen)
    used = {place for held in places.values() for place in held}
    return Columns(
        places=places,
        titles={ours: "+".join(visible(titles[place], most=40) for place in held) for ours, held in places.items()},
        extra=tuple((title, place) for place, title in enumerate(titles) if title and place not in used),
        header=tuple(titles),
        unit=_unit(titles, places.get("weight_oz", ()), mapped="weight_oz" in chosen),
    )


def _unit(titles: Sequence[str], places: tuple[int, ...], *, mapped: bool) -> str:
    """Give the unit of bare weights: what the heading says, or ounces where `--map weight_oz=` names it."""
    said = {UNITS.get(_plain(titles[place]), "oz" if mapped else "") for place in places}
    return said.pop() if len(said) == 1 else ""


def known_headings(header: Sequence[str]) -> int:
    """Count the headings that are understood by themselves: how the divider of a file is told."""
    return sum(_plain(title) in _MEANS for title in header)


def _named(titles: Sequence[str], headings: tuple[str, ...], *, ours: str, label: str) -> tuple[int, ...]:
    """Find the headings that `--map` names, each whole or as parts joined by `+`; case does not matter."""
    folded = [title.casefold() for title in titles]
    places: list[int] = []
    for heading in headings:
        wanted = [heading] if heading.casefold() in folded else [part.strip() for part in heading.split("+")]
        for part in wanted:
            if part.casefold() not in folded:
                raise BadInput(
                    "addresses.map-not-there", path=label, heading=visible(part, most=40), column=ours,
                    seen=", ".join(visible(title, most=30) for title in titles[:12] if title) or "nothing",
                )  # fmt: skip
            places.append(folded.index(part.casefold()))
    return tuple(places)


def _understood(
    titles: Sequence[str], settled: frozenset[str], taken: set[int], *, label: str
) -> dict[str, tuple[int, ...]]:
    """Find the headings that are understood by themselves; our own word wins over another that means the same."""
    means: dict[str, list[int]] = {}
    for place, title in enumerate(titles):
        ours = _MEANS.get(_plain(title))
        if ours is not None and place not in taken and ours not in settled:
            means.setdefault(ours, []).append(place)
    found: dict[str, tuple[int, ...]] = {}
    for ours, places in means.items():
        own = [place for place in places if titles[place].casefold() == ours]
        if len(places) > 1 and len(own) != 1:
            both = ", ".join(visible(titles[place], most=30) for place in places)
            raise BadInput("addresses.columns-unclear", path=label, headings=both, column=ours)
        found[ours] = tuple(own or places)
    return found


def _joined(found: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Join first and last name into the name, and the digits of a ZIP Code that stand in columns of their own."""
    joined = dict(found)
    parts = {part: joined.pop(part, ()) for part in ("first_name", "last_name", "plus4", "delivery_point")}
    if "name" not in joined and parts["last_name"]:
        joined["name"] = parts["first_name"] + parts["last_name"]
    if "zip" in joined:
        joined["zip"] += parts["plus4"] + parts["delivery_point"]
    return joined


def _plain(title: str) -> str:
    return "".join(one for one in title.casefold() if one.isalnum())
