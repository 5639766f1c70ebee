"""The daily financial file of a Provider (502.20(m)): its layout, its writer, and the reader that checks it.

Here: bytes to events, accounts and devices, and back. Not here: what the Postal Service finds in it (`postal.daily`).
The layout is documented in docs/daily-financial-file.md.
Kept: a file that was read whole agrees with its own control totals, and each of its accounts adds up.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from towncircle.kernel.cites import cites
from towncircle.kernel.instants import Instant
from towncircle.wire.lines import Line, broken, instant_of, number_of, read_lines, same_totals, write_lines

NAME, VERSION, SEPARATOR = "DAILY-FINANCIAL", "1", "|"
_PARTS = {"H": 7, "E": 7, "A": 7, "D": 6, "T": 7}
_NAME = re.compile(r"[!-~]{1,64}", re.ASCII)
_LICENSEE = re.compile(r"licensee\.[a-zA-Z0-9][a-zA-Z0-9-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Hold one entry of the books: what it was, whose, its size, and by how many mills it moved the account."""

    at: Instant
    kind: str
    reference: str
    licensee: str
    device: str
    size: int
    mills: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Hold one account at the end of the file, in mills: before the events of the file, and after them."""

    licensee: str
    opening: int
    moved: int
    closing: int
    in_transit: int
    advances: int
    malfunction: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Hold what the books say of one device, in mills, with the counter of its last signed message."""

    device: str
    licensee: str
    ascending: int
    descending: int
    pieces: int
    counter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyFile:
    """Hold a file: whose, of which day, its number, when it was made, and through which entry of the books."""

    provider: str
    day: str
    number: int
    made_at: Instant
    through: int
    events: tuple[Event, ...]
    accounts: tuple[Account, ...]
    devices: tuple[Held, ...]


@cites("502.20m")
def write(file: DailyFile) -> bytes:
    """Write a file with its control totals."""
    return write_lines(_rows(file), _totals(file), separator=SEPARATOR)


def _rows(file: DailyFile) -> Iterator[tuple[object, ...]]:
    yield "H", NAME, VERSION, file.provider, file.day, file.number, file.made_at.iso(), file.through
    for one in file.events:
        yield "E", one.at.iso(), one.kind, one.reference, one.licensee, one.device, one.size, one.mills
    for row in file.accounts:
        beside = (row.in_transit, row.advances, row.malfunction)
        yield "A", row.licensee, row.opening, row.moved, row.closing, *beside
    for held in file.devices:
        yield "D", held.device, held.licensee, held.ascending, held.descending, held.pieces, held.counter


def _totals(file: DailyFile) -> tuple[int, ...]:
    return (
        len(file.events),
        len(file.accounts),
        len(file.devices),
        sum(one.size for one in file.events),
        sum(one.mills for one in file.events),
        sum(row.closing for row in file.accounts),
    )


@cites("502.20m")
def read(data: bytes) -> DailyFile:
    """Read a file and check it. Raises `Refused` (lines.broken)."""
    rows = read_lines(data, _PARTS, separator=SEPARATOR)
    head = rows[0]
    if head[1:3] != [NAME, VERSION]:
        raise broken(1, f"it does not begin as {NAME} {VERSION}")
    numbered = list(enumerate(rows, start=1))
    _check_names(numbered)
    file = DailyFile(
        provider=head[3],
        day=head[4],
        number=number_of(1, head[5]),
        made_at=instant_of(1, head[6]),
        through=number_of(1, head[7]),
        events=tuple(_event(line, row) for line, row in numbered if row[0] == "E"),
        accounts=tuple(_account(line, row) for line, row in numbered if row[0] == "A"),
        devices=tuple(_held(line, row) for line, row in numbered if row[0] == "D"),
    )
    _add_up(file, numbered)
    same_totals(rows, _totals(file))
    return file


def _check_names(numbered: list[tuple[int, Line]]) -> None:
    """Check that each name can be one: whose a line is, what an event is called, of which day the file is."""
    for line, row in numbered:
        named = {"H": row[3:4], "E": row[2:4], "D": row[1:2]}.get(row[0], [])
        whose = {"E": row[4:5], "A": row[1:2], "D": row[2:3]}.get(row[0], [])
        for text in named:
            if not _NAME.fullmatch(text):
                raise broken(line, f"'{text[:20]}' is no name")
        for text in whose:
            if not _LICENSEE.fullmatch(text):
                raise broken(line, f"'{text[:20]}' is no licensee")
    day = numbered[0][1][4]
    try:
        known = date.fromisoformat(day).isoformat() == day
    except ValueError:
        known = False
    if not known:
        raise broken(1, f"'{day[:20]}' is no day")


def _event(line: int, row: Line) -> Event:
    return Event(
        at=instant_of(line, row[1]),
        kind=row[2],
        reference=row[3],
        licensee=row[4],
        device=row[5],
        size=number_of(line, row[6]),
        mills=number_of(line, row[7]),
    )


def _account(line: int, row: Line) -> Account:
    opening, moved, closing, transit, advances, malfunction = (number_of(line, text) for text in row[2:])
    if opening + moved != closing:
        raise broken(line, f"{opening} and {moved} do not make {closing}")
    return Account(
        licensee=row[1],
        opening=opening,
        moved=moved,
        closing=closing,
        in_transit=transit,
        advances=advances,
        malfunction=malfunction,
    )


def _held(line: int, row: Line) -> Held:
    ascending, descending, pieces, counter = (number_of(line, text) for text in row[3:])
    return Held(
        device=row[1], licensee=row[2], ascending=ascending, descending=descending, pieces=pieces, counter=counter
    )


def _add_up(file: DailyFile, numbered: list[tuple[int, Line]]) -> None:
    """Check that the events of each account make what it moved by, and that nothing stands in the file twice."""
    seen: set[tuple[str, str]] = set()
    sums: dict[str, int] = defaultdict(int)
    for one in file.events:
        sums[one.licensee] += one.mills
    for line, row in numbered:
        if row[0] in "AD":
            if (row[0], row[1]) in seen:
                raise broken(line, f"{row[1]} stands in it twice")
            seen.add((row[0], row[1]))
        if row[0] == "A" and str(sums[row[1]]) != row[3]:
            raise broken(line, f"the events of {row[1]} make {sums[row[1]]}, not {row[3]}")
    for line, row in numbered:
        if row[0] == "E" and ("A", row[4]) not in seen:
            raise broken(line, f"there is no account of {row[4]}")
