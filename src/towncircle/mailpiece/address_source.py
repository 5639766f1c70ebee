"""Where address data come from: the table that comes with the program, or a file that the licensee brings.

Here: the port `AddressSource`, its default and its adapter for a file of ZIP+4 ranges, and the age of the data. Not
here: the packaged table of ZIP Codes and cities (`zipcode`), which serves beside each source that has none of its own.
Kept: P050 2.5g, data older than six months on the day of mailing are not used, unless somebody says why. A ZIP+4 or
delivery point is verified only by data that have it, and by whom and of which edition is told; there is no public list
of them, so the default verifies none. Nothing is asked over a network.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece import zipcode
from towncircle.mailpiece.address_places import MILITARY
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.foreign_sqlite import ForeignFile, Unusable
from towncircle.mailpiece.harmless import visible
from towncircle.mailpiece.standard_form import in_standard_form
from towncircle.mailpiece.zipcode import Places
from towncircle.rules import RuleSet

LIMIT = "address-data"  # the time limit of the rule set that bounds the age
LONGEST_REASON = 200  # house
EDITION = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_PLUS4 = re.compile(r"[0-9]{4}", re.ASCII)
_HOUSE = re.compile(r"(?P<number>[0-9]{1,9})\s+(?P<street>\S.*)", re.ASCII)
_MOST_RANGES = 200  # house: rows of one street that are looked at
_NEEDED = {"about": {"name", "edition"}, "ranges": {"zip", "street", "low", "high", "side", "plus4"}}

_PLACES = {"places": {"zip", "city", "state", "use"}}
_MOST_CITIES = 200  # house: names of one ZIP Code that are looked at
ZIP4, PLACES = "zip4", "places"  # the checks that data may serve

Standing = Literal["verified", "found", "contradicted", "not verified"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Say what address data know of an address: its ZIP+4 is right, or this one, or another, or nobody knows."""

    standing: Standing
    plus4: str = ""


class AddressSource(Protocol):
    """Know delivery points. An adapter for other data (AMS, an interface of the Postal Service) has these three.

    It may have two more: `covers`, the checks that it serves (`ZIP4`, `PLACES`; without it `ZIP4` alone), and, where
    those are places too, `place(zip5)`, which gives a `zipcode.Place` or None. It is used instead of the table of ZIP
    Codes that comes with the program then, and its age counts alone.
    """

    @property
    def name(self) -> str:
        """Give what the data are, as their owner calls them."""

    @property
    def edition(self) -> str:
        """Give the year and month of the data, such as `2026-06`."""

    def match(self, given: Address) -> Match:
        """Look an address up."""


NOT_VERIFIED = Match(standing="not verified")


def covers_of(source: AddressSource) -> frozenset[str]:
    """Give the checks that a source serves."""
    return frozenset(getattr(source, "covers", (ZIP4,)))


def places_of(source: AddressSource) -> Places:
    """Give what knows ZIP Codes beside a source: itself, where it covers places, or the packaged table."""
    if PLACES not in covers_of(source) or isinstance(source, ZipTable):
        return zipcode.place_of
    known: Callable[[str], zipcode.Place | None] = source.place  # type: ignore[attr-defined]  # it says that it has it

    def place(zip5: str) -> zipcode.Place:
        found = known(zip5)
        if found is None:
            raise zipcode.no_such_zip(zip5)
        return found

    return place


class ZipTable:
    """Know ZIP Codes and cities only: the table that comes with the program. It verifies no ZIP+4."""

    covers = frozenset({PLACES})

    @property
    def name(self) -> str:
        """Give the package that the table was made from."""
        return zipcode.source()

    @property
    def edition(self) -> str:
        """Give the edition of the table."""
        return zipcode.edition()

    def match(self, given: Address) -> Match:
        """Say that nothing is known of the delivery point."""
        del given
        return NOT_VERIFIED


class RangeFile:
    """Know ZIP+4 ranges: an SQLite file that the licensee made of data that are licensed to him.

    Its table `about` has one row: `name`, `edition` (`2026-10`). Its table `ranges` has `zip` (five digits), `street`
    (in standard form, in capitals, without the house number), `low`, `high` (whole numbers), `side` (O odd, E even, B
    both sides) and `plus4`; a large file needs an index on `zip, street`, because each look-up is bounded. The file is
    opened for reading only and has plain tables alone (`foreign_sqlite`). Where it has a table `places` too, with
    `zip`, `city`, `state` and `use` (`usual` for one city of a ZIP Code, `accepted` or `refused` for others), it is
    asked instead of the packaged table: what is not in it is no ZIP Code that is in use.
    """

    def __init__(self, path: Path, *, label: str = "") -> None:
        """Open a file; errors call it by its label, or its name. Raises `BadInput` (addresses.source-unreadable)."""
        self._label = visible(label or path.name, most=80)
        try:
            self._held = ForeignFile(path, needed=_NEEDED, optional=_PLACES)
        except Unusable as error:
            raise self._unusable(str(error)) from error
        about = self._asked("SELECT name, edition FROM about LIMIT 2")
        if len(about) != 1 or not EDITION.fullmatch(str(about[0][1])):
            self._held.close()
            raise self._unusable("its table about is not one row with a name and an edition such as 2026-10")
        self.name, self.edition = visible(str(about[0][0]), most=80), str(about[0][1])
        self.covers = frozenset({ZIP4, PLACES} if self._held.columns["places"] else {ZIP4})

    def close(self) -> None:
        """Close the file."""
        self._held.close()

    def match(self, given: Address) -> Match:
        """Look the house number up in the ranges of its street."""
        form, _ = in_standard_form(
            {"street": given.street, "street2": "", "city": given.city, "state": given.state, "zip": given.zip5}
        )
        house = _HOUSE.fullmatch(form["street"].upper())
        if house is None:
            return NOT_VERIFIED
        number = int(house["number"])
        question = (
            "SELECT DISTINCT plus4 FROM ranges WHERE zip = ? AND street = ? AND low <= ? AND high >= ?"
            " AND side IN (?, 'B') LIMIT ?"
        )
        asked = (given.zip5, house["street"], number, number, "O" if number % 2 else "E", _MOST_RANGES)
        known = [plus4 for plus4 in (str(row[0]) for row in self._asked(question, asked)) if _PLUS4.fullmatch(plus4)]
        if given.plus4 and known:
            return Match(standing="verified" if given.plus4 in known else "contradicted", plus4=" or ".join(known[:3]))
        return Match(standing="found", plus4=known[0]) if len(known) == 1 else NOT_VERIFIED

    def place(self, zip5: str) -> zipcode.Place | None:
        """Give what the table `places` says of a ZIP Code; None where it has none."""
        rows = self._asked("SELECT use, city, state FROM places WHERE zip = ? LIMIT ?", (zip5, _MOST_CITIES))
        named: dict[str, list[str]] = {"usual": [], "accepted": [], "refused": []}
        for use, city, _ in rows:
            named.setdefault(str(use), []).append(visible(str(city), most=60))
        if len(named["usual"]) != 1:
            return None
        state = next(str(row[2]) for row in rows if row[0] == "usual").upper()
        return zipcode.Place(
            city=named["usual"][0], state=visible(state, most=20), zone="", kind="M" if state in MILITARY else "S",
            accepted=tuple(named["accepted"]), refused=tuple(named["refused"]),
        )  # fmt: skip

    def _asked(self, question: str, values: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._held.ask(question, values)
        except Unusable as error:
            raise self._unusable(str(error)) from error

    def _unusable(self, why: str) -> BadInput:
        return BadInput("addresses.source-unreadable", path=self._label, why=visible(why, most=120))


@cites("P050-2.5g")
def check_age(edition: str, rules: RuleSet, *, on: date, name: str, reason: str = "") -> date:
    """Give the last day on which data of an edition may be used for mailing.

    Raises `Refused` (addresses.data-old) where they are older on the day of mailing and no reason is given, and
    `BadInput` (addresses.reason) for a reason that cannot be kept.
    """
    if reason and (len(reason) > LONGEST_REASON or not reason.strip() or not reason.isprintable()):
        raise BadInput("addresses.reason", most=LONGEST_REASON)
    term = rules.length_of(LIMIT, on)
    last = term.last_day(date.fromisoformat(f"{edition}-01"))
    if on > last and not reason:
        raise Refused(
            "addresses.data-old", name=name, edition=edition, term=str(term), on=on.isoformat(), last=last.isoformat()
        )
    return last
