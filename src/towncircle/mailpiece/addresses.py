"""United States addresses: read, checked, printable.

Here: `Address`, its making from fields or free text. Not here: whether city, state and ZIP Code go together
(`address_places`), files of addresses (`address_files`), standard form (`standard_form`), address matching against the
Postal Service's own data (`address_source`).
Kept: an address names somebody, a street, a city, a state and a ZIP Code that go together; all that is wrong is said at
once. ZIP+4 and delivery point are taken by their shape; only a source that the licensee brings can verify them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds, TowncircleError
from towncircle.mailpiece.address_places import HOME, country_faults, parse_zip, place_faults
from towncircle.mailpiece.harmless import visible
from towncircle.mailpiece.zipcode import Places, place_of

LONGEST_LINE = 46  # house: what fits the widest address block of a #10 envelope
MOST_LINES = 5  # house: what fits the address block with the barcode zone free
_LONGEST_READ = 400  # house: what is longer is not looked at
_LAST_LINE = re.compile(
    r"(?P<city>[^0-9,]+?)[,\s]+(?P<state>[A-Za-z]{2})\.?[,\s]+(?P<zip>[0-9][0-9-]*)\Z", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Hold a checked address. Make it by `address()` or `parse_address()`."""

    street: str
    city: str
    state: str
    zip5: str
    name: str = ""
    company: str = ""
    street2: str = ""
    plus4: str = ""
    delivery_point: str = ""
    urbanization: str = ""

    @property
    def zip(self) -> str:
        """Give `20260` or `20260-0004`, as it is printed."""
        return f"{self.zip5}-{self.plus4}" if self.plus4 else self.zip5

    @property
    def routing(self) -> str:
        """Give the routing code of the Intelligent Mail barcode: 5, 9 or 11 digits."""
        return self.zip5 + self.plus4 + self.delivery_point

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Give the lines as they are printed, empty ones left out."""
        last = f"{self.city} {self.state} {self.zip}"
        every = (self.name, self.company, self.urbanization, self.street, self.street2, last)
        return tuple(line for line in every if line)

    @cached_property
    def delivery_lines(self) -> tuple[str, ...]:
        """Give the lines in capitals, as Publication 28 prefers them for machine reading."""
        return tuple(line.upper() for line in self.lines)


def address(  # noqa: PLR0913 the fields of an address
    *,
    street: str,
    city: str,
    state: str,
    zip: str,  # noqa: A002 the word of every form
    name: str = "",
    company: str = "",
    street2: str = "",
    country: str = "",
    urbanization: str = "",
    places: Places = place_of,
) -> Address:
    """Check the fields of an address and make it.

    `zip` is `20260`, `20260-0004` or with a delivery point `20260-0004-75`; `urbanization` is a part of a city in
    Puerto Rico, `places` knows the ZIP Codes. Raises `Refused` (address.foreign) and `RefusedOnGrounds`
    (address.unusable) with every ground at once; each ground's `column` names the field.
    """
    state, given = " ".join(state[:_LONGEST_READ].split()).upper(), zip[:_LONGEST_READ].strip()
    grounds = country_faults(country, state) if country else []
    clean = {
        "name": _clean("name", name, grounds),
        "company": _clean("company", company, grounds),
        "street": _clean("street", street, grounds),
        "street2": _clean("street2", street2, grounds),
        "city": _clean("city", city, grounds),
        "urbanization": _clean("urbanization", urbanization, grounds),
    }
    grounds += _missing(clean)
    match = parse_zip(given)
    grounds += place_faults(city=clean["city"], state=state, given=given, match=match, places=places)
    if urbanization and clean["urbanization"] and state != "PR":
        grounds.append(BadInput("address.urbanization-astray", state=visible(state, most=20), column="urbanization"))
    if sum(map(bool, clean.values())) > MOST_LINES:  # all but the city, and the last line
        grounds.append(BadInput("address.too-many-lines", most=MOST_LINES, column="street2"))
    if grounds:
        raise RefusedOnGrounds("address.unusable", tuple(grounds))
    assert match is not None
    return Address(
        **clean, state=state, zip5=match["five"], plus4=match["four"] or "", delivery_point=match["point"] or ""
    )


def parse_address(text: str) -> Address:
    """Read an address from lines (or parts divided by semicolons): name, [company,] street, [second line,] city ST ZIP.

    Raises `BadInput` (address.unreadable) and what `address()` raises.
    """
    parts = [part.strip(" ,") for part in re.split(r"[\n;]", text) if part.strip(" ,")]
    if parts and parts[-1].upper() in HOME:
        parts.pop()
    if len(parts) == 1:  # one line with commas: put it into parts, keeping "city, ST ZIP" together
        pieces = [piece.strip() for piece in parts[0].split(",") if piece.strip()]
        together = 2 if len(pieces) > 1 and re.fullmatch(r"[A-Za-z]{2}\s+[0-9-]+", pieces[-1]) else 1
        parts = [*pieces[:-together], ", ".join(pieces[-together:])]
    last = _LAST_LINE.match(parts[-1]) if parts else None
    if last is None or not 3 <= len(parts) <= 5:
        if parts and not re.search(r"[0-9]{5}", parts[-1]) and len(parts) > 2:
            raise Refused("address.foreign", country=visible(parts[-1], most=40), column="country")
        raise BadInput("address.unreadable", text=visible(" / ".join(parts), most=80))
    first, *middle = parts[:-1]
    company, street, street2 = _middle(middle)
    return address(
        name=first, company=company, street=street, street2=street2,
        city=last["city"], state=last["state"], zip=last["zip"],
    )  # fmt: skip


def _middle(parts: list[str]) -> tuple[str, str, str]:
    """Tell company, street and second line apart: a street line starts with a number or is a post office box."""
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    if len(parts) == 2:
        if re.match(r"[0-9]|P\.?\s?O\.?\s", parts[0], re.IGNORECASE):
            return "", parts[0], parts[1]
        return parts[0], parts[1], ""
    return "", parts[0], ""


def _clean(field: str, text: str, grounds: list[TowncircleError]) -> str:
    """Give a text with single spaces, and note what is wrong with it; of ten million characters the first few."""
    if not text:
        return ""
    clean = " ".join(text[:_LONGEST_READ].split())
    if len(text) > LONGEST_LINE and (len(clean) > LONGEST_LINE or len(text) > _LONGEST_READ):
        shown = visible(clean, most=30)
        grounds.append(BadInput("address.too-long", field=field, text=shown, most=LONGEST_LINE, column=field))
    if clean.startswith("="):
        grounds.append(BadInput("address.formula", field=field, text=visible(clean, most=30), column=field))
    if not clean.isprintable() or not (clean.isascii() or _printable(clean)):
        grounds.append(BadInput("address.unprintable", field=field, text=visible(clean, most=60), column=field))
    return clean


def _missing(clean: dict[str, str]) -> list[TowncircleError]:
    faults: list[TowncircleError] = []
    if not (clean["name"] or clean["company"]):
        faults.append(BadInput("address.missing", field="name or company", column="name"))
    return faults + [
        BadInput("address.missing", field=field, column=field) for field in ("street", "city") if not clean[field]
    ]


def _printable(text: str) -> bool:
    try:
        text.upper().encode("cp1252")  # the characters of the embedded fonts
    except UnicodeEncodeError:
        return False
    return True
