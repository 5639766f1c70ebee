"""The human-readable part: the town circle and the lines beside the symbol.

Here: pure values that say which words are printed; the page room draws them. Not here: fonts and places on the piece.
Kept: P050 4.5 (city, state and 5-digit ZIP Code of the licensing post office, its classified branch, or "Mailed From
ZIP Code" and the mailer's ZIP Code; device ID, date of mailing, rate category, amount), 4.6 (complete date), 4.8
(REDATE), 4.9 (postage correction).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import ZERO, Mills

Kind = Literal["postage", "redate", "correction"]
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_STATE = re.compile(r"[A-Z]{2}\Z", re.ASCII)
_ZIP = re.compile(r"[0-9]{5}\Z", re.ASCII)
_PLAIN = re.compile(r"[\x20-\x7e]+\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Name the licensing post office: city, two-letter state and 5-digit ZIP Code."""

    city: str
    state: str
    zip_code: str

    def __post_init__(self) -> None:
        _need(_PLAIN, self.city[:28], "a city", "the city's name in ASCII")
        _need(_STATE, self.state, "a state", "the two-letter abbreviation")
        _need(_ZIP, self.zip_code, "a ZIP Code", "5 digits")

    def circle(self) -> tuple[str, ...]:
        """Give the two lines of the town circle that name the place."""
        return (f"{self.city.upper()} {self.state}", self.zip_code)


@cites("P050-4.5b", "P050-4.5b/1")
@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Name the local classified branch of the licensing post office, with its state (P050 4.5, on approval).

    The ZIP Code is that of the licensing post office. Names are written in capitals, with one space between words.
    """

    name: str
    state: str
    zip_code: str

    def __post_init__(self) -> None:
        _need(_PLAIN, self.name[:29], "a branch", "its name in ASCII, at most 28 characters")
        if len(self.name) > 28 or not self.name.strip():
            raise BadInput(
                "indicium.readable-unfit", value=self.name[:40], what="a branch", expected="1 to 28 characters"
            )
        _need(_STATE, self.state, "a state", "the two-letter abbreviation")
        _need(_ZIP, self.zip_code, "a ZIP Code", "5 digits")
        object.__setattr__(self, "name", " ".join(self.name.upper().split()))

    def circle(self) -> tuple[str, ...]:
        """Give the two lines of the town circle that name the place."""
        return (f"{self.name} {self.state}", self.zip_code)


@cites("P050-4.5c")
@dataclass(frozen=True, slots=True, kw_only=True)
class MailedFrom:
    """Name the place by the mailer's delivery address ZIP Code instead (P050 4.5, the alternative)."""

    zip_code: str

    def __post_init__(self) -> None:
        _need(_ZIP, self.zip_code, "a ZIP Code", "5 digits")

    def circle(self) -> tuple[str, ...]:
        """Give the two lines of the town circle that name the place."""
        return ("Mailed From ZIP Code", self.zip_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """Hold the human-readable part of one impression, and what may stand with it.

    `circle` are the lines of the town circle (place, ZIP Code, date); `amount` is the postage, or the word REDATE. The
    flags say whether the impression bears the two-dimensional symbol and the FIM, and on which side of the piece it
    stands; how far from the edge is a number of the rule that the page room asks for.
    """

    kind: Kind
    circle: tuple[str, ...]
    device: str
    category: str
    amount: str
    bears_symbol: bool
    bears_fim: bool
    on_address_side: bool
    specimen: bool

    def lines(self) -> tuple[str, ...]:
        """Give all lines in reading order, SPECIMEN first where it is one."""
        head = ("SPECIMEN",) if self.specimen else ()
        return tuple(line for line in (*head, self.amount, self.category, *self.circle, self.device) if line)


@cites("P050-4.6", "P050-4.6/1", "P050-4.6/2")
def printed_date(day: date, *, month_only: bool, first_class: bool) -> str:
    """Write the date of mailing: `NOV 21 2026`, or `NOV 2026`.

    Raises `Refused` (indicium.date-incomplete) for First-Class Mail without the day.
    """
    if month_only and first_class:
        raise Refused("indicium.date-incomplete")
    month = _MONTHS[day.month - 1]
    return f"{month} {day.year}" if month_only else f"{month} {day.day} {day.year}"


@cites("P050-4.5")
def for_postage(
    place: Office | MailedFrom | Branch,
    *,
    device: DeviceId,
    day: date,
    category: str,
    postage: Mills,
    first_class: bool,
    month_only: bool = False,
    specimen: bool = True,
) -> Readable:
    """Say what stands beside the symbol of an ordinary indicium.

    Raises `BadInput` (indicium.readable-unfit) and `Refused` (indicium.date-incomplete).
    """
    return Readable(
        kind="postage",
        circle=(*place.circle(), printed_date(day, month_only=month_only, first_class=first_class)),
        device=str(device),
        category=_category(category),
        amount=str(_amount(postage)),
        bears_symbol=True,
        bears_fim=True,
        on_address_side=True,
        specimen=specimen,
    )


@cites("P050-4.8")
def for_redate(place: Office | MailedFrom | Branch, *, device: DeviceId, day: date, specimen: bool = True) -> Readable:
    """Say what a date correction shows: the actual date and REDATE for the amount; no FIM and no symbol."""
    return Readable(
        kind="redate",
        circle=(*place.circle(), printed_date(day, month_only=False, first_class=True)),
        device=str(device),
        category="",
        amount="REDATE",
        bears_symbol=False,
        bears_fim=False,
        on_address_side=False,
        specimen=specimen,
    )


@cites("P050-4.9")
def for_correction(
    place: Office | MailedFrom | Branch,
    *,
    device: DeviceId,
    day: date,
    category: str,
    postage: Mills,
    specimen: bool = True,
) -> Readable:
    """Say what a postage correction shows: all elements of an indicium except the FIM, on the nonaddress side."""
    return Readable(
        kind="correction",
        circle=(*place.circle(), printed_date(day, month_only=False, first_class=True)),
        device=str(device),
        category=_category(category),
        amount=str(_amount(postage)),
        bears_symbol=True,
        bears_fim=False,
        on_address_side=False,
        specimen=specimen,
    )


def _amount(postage: Mills) -> Mills:
    if postage < ZERO:
        raise BadInput("indicium.readable-unfit", value=str(postage), what="postage", expected="an amount of 0 or more")
    return postage


def _category(text: str) -> str:
    _need(_PLAIN, text[:40], "a rate category", "printable ASCII characters")
    return text


def _need(pattern: re.Pattern[str], text: str, what: str, expected: str) -> None:
    if not pattern.match(text):
        raise BadInput("indicium.readable-unfit", value=text[:40], what=what, expected=expected)
