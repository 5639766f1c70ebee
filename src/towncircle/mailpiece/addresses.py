"""United States addresses: read, checked, printable.

Here: `Address`, its making from fields or free text. Not here: files of addresses (`address_files`), address matching
against the Postal Service's own data (the licensee's duty of P050 2.5g), which no open data set can do.
Kept: an address names somebody, a street, a city, a state and a ZIP Code that exists and lies in that state; all
that is wrong is said at once. Foreign addresses are refused: the rates and the routing code are domestic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds, TowncircleError
from towncircle.mailpiece.zipcode import place_of, states

LONGEST_LINE = 46  # house: what fits the widest address block of a #10 envelope
_ZIP = re.compile(r"(?P<five>[0-9]{5})(?:-?(?P<four>[0-9]{4})(?:-?(?P<point>[0-9]{2}))?)?\Z", re.ASCII)
_LAST_LINE = re.compile(
    r"(?P<city>[^0-9,]+?)[,\s]+(?P<state>[A-Za-z]{2})\.?[,\s]+(?P<zip>[0-9][0-9-]*)\Z", re.ASCII | re.IGNORECASE
)
_HOME = frozenset({"US", "USA", "U.S.", "U.S.A.", "UNITED STATES", "UNITED STATES OF AMERICA"})


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
        return tuple(line for line in (self.name, self.company, self.street, self.street2, last) if line)

    @cached_property
    def delivery_lines(self) -> tuple[str, ...]:
        """Give the lines in capitals, as Publication 28 prefers them for machine reading."""
        return tuple(line.upper() for line in self.lines)


def address(
    *,
    street: str,
    city: str,
    state: str,
    zip: str,  # noqa: A002 the word of every form
    name: str = "",
    company: str = "",
    street2: str = "",
    country: str = "",
) -> Address:
    """Check the fields of an address and make it.

    `zip` is `20260`, `20260-0004` or with a delivery point `20260-0004-75`. Raises `Refused` (address.foreign) and
    `RefusedOnGrounds` (address.unusable) with every ground at once.
    """
    if country.strip() and country.strip().upper() not in _HOME:
        raise Refused("address.foreign", country=country.strip()[:40])
    texts = {"name": name, "company": company, "street": street, "street2": street2, "city": city}
    clean = {field: " ".join(text.split()) for field, text in texts.items()}
    grounds: list[TowncircleError] = []
    for field, text in clean.items():
        grounds += _text_faults(field, text)
    if not (clean["name"] or clean["company"]):
        grounds.append(BadInput("address.missing", field="name or company"))
    grounds += [BadInput("address.missing", field=field) for field in ("street", "city") if not clean[field]]
    state, match = state.strip().upper(), _ZIP.match(zip.strip())
    grounds += _place_faults(state, zip.strip(), match)
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
    if parts and parts[-1].upper() in _HOME:
        parts.pop()
    if len(parts) == 1:  # one line with commas: put it into parts, keeping "city, ST ZIP" together
        pieces = [piece.strip() for piece in parts[0].split(",") if piece.strip()]
        together = 2 if len(pieces) > 1 and re.fullmatch(r"[A-Za-z]{2}\s+[0-9-]+", pieces[-1]) else 1
        parts = [*pieces[:-together], ", ".join(pieces[-together:])]
    last = _LAST_LINE.match(parts[-1]) if parts else None
    if last is None or not 3 <= len(parts) <= 5:
        if parts and not re.search(r"[0-9]{5}", parts[-1]) and len(parts) > 2:
            raise Refused("address.foreign", country=parts[-1][:40])
        raise BadInput("address.unreadable", text=" / ".join(parts)[:80])
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


def _text_faults(field: str, text: str) -> list[TowncircleError]:
    faults: list[TowncircleError] = []
    if len(text) > LONGEST_LINE:
        faults.append(BadInput("address.too-long", field=field, text=text[:60], most=LONGEST_LINE))
    if not text.isprintable() or not _printable(text):
        faults.append(BadInput("address.unprintable", field=field, text=text[:60]))
    return faults


def _printable(text: str) -> bool:
    try:
        text.upper().encode("cp1252")  # the characters of the embedded fonts
    except UnicodeEncodeError:
        return False
    return True


def _place_faults(state: str, given: str, match: re.Match[str] | None) -> list[TowncircleError]:
    faults: list[TowncircleError] = []
    if not state:
        faults.append(BadInput("address.missing", field="state"))
    elif state not in states():
        faults.append(BadInput("address.no-such-state", state=state[:20]))
    if not given:
        faults.append(BadInput("address.missing", field="zip"))
    elif match is None:
        faults.append(BadInput("address.zip-unreadable", zip=given[:20]))
    else:
        try:
            place = place_of(match["five"])
        except BadInput as error:
            return [*faults, error]
        if not faults and place.state != state:
            faults.append(
                BadInput("address.zip-elsewhere", zip=match["five"], city=place.city, there=place.state, state=state)
            )
    return faults
