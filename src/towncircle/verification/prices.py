"""The rate tables that a verifier prices by: those that the device's Provider filed, over those of the program.

Here: which tables hold for a device on a day, and who published one. Not here: prices (`mailpiece.rates`), what is due
for a piece (`condition`).
Kept: a piece is priced as at the host that printed it: the Provider's tables lie over the program's, and the mailing
date says which holds. A table that was filed after its first day raises nothing for pieces dated before that. Beside
them stand the tables on nobody's word but the Postal Service's: the program's, and the filed ones that it accepted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from towncircle.kernel.cites import cites
from towncircle.kernel.ids import DeviceId
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.rates import Price
from towncircle.mailpiece.tariff import Table, known_tables, laid_over
from towncircle.wire.bodies import (
    FirstRateRow,
    FourthPublishedPack,
    PublishedPack,
    RateRow,
    SecondRateRow,
    ThirdPublishedPack,
)

PROGRAM = "of this program"
AnyRow = RateRow | SecondRateRow | FirstRateRow
_EARLIEST = "Pacific/Guam"  # where a post office has its day first


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filed:
    """Hold a filed table: on what day it was filed at the latest, and through which day the Postal Service accepted it.

    Of one that it did not accept there is no such day.
    """

    table: Table
    number: int
    day: date
    accepted: date | None

    def stands(self, on: date) -> bool:
        """Tell whether it stands as the Postal Service's own for a mailing date."""
        return self.accepted is not None and on <= self.accepted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Hold tables that lie over each other, each series oldest first, and which of them `publisher` filed."""

    held: tuple[Table, ...]
    publisher: str
    filed: frozenset[tuple[str, date]]

    def named(self, price: Price, on: date) -> str:
        """Name the tables that a price was made of, each with who published it."""
        used = {step.table for step in price.steps if step.table}
        found = [one for one in self.held if one.name in used and one.in_force_from <= on <= one.in_force_through]
        return " and ".join(f"the table {one.name}, {self._from(one)}" for one in found)

    def _from(self, one: Table) -> str:
        filed = (one.series, one.in_force_from) in self.filed
        return f"published by {self.publisher}" if filed else PROGRAM


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Hold what `publisher` filed for the pieces of its devices, in the order of the numbers."""

    publisher: str = ""
    filed: tuple[Filed, ...] = ()

    @cites("P050-1.5", "IMI-03/2")
    def stacks(self, on: date, *, accepted: bool = False) -> Iterator[Stack]:
        """Give the tables by which a device may have printed for a day, those that were filed in time first.

        What was filed on that day or later is laid over them one by one: who printed before it could not know it. With
        `accepted` what the Postal Service did not accept, or no longer accepts, is left out.
        """
        told = [one for one in self.filed if one.table.in_force_from <= on and (one.stands(on) or not accepted)]
        known = [one for one in told if one.day < on]
        yield self._laid(known)
        for one in sorted((one for one in told if one.day >= on), key=lambda one: (one.day, one.number)):
            known.append(one)
            yield self._laid(known)

    def _laid(self, known: list[Filed]) -> Stack:
        return _stack(self.publisher, tuple(sorted(known, key=lambda one: one.number)))


@lru_cache(maxsize=256)
def _stack(publisher: str, known: tuple[Filed, ...]) -> Stack:
    filed = frozenset((one.table.series, one.table.in_force_from) for one in known)
    return Stack(held=laid_over(known_tables(), (one.table for one in known)), publisher=publisher, filed=filed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Hold the filed tables by Provider, and the Provider of each device that has any."""

    providers: Mapping[str, Tables] = field(default_factory=lambda: MappingProxyType({}))
    publisher_of: Mapping[DeviceId, str] = field(default_factory=lambda: MappingProxyType({}))

    @cites("P050-1.5", "IMI-03/2")
    def tables(self, device: DeviceId | None) -> Tables:
        """Give the tables that hold for a device's pieces; the program's where its Provider filed none."""
        publisher = self.publisher_of.get(device, "") if device is not None else ""
        return self.providers.get(publisher) or Tables()


def prices_of(body: PublishedPack | FourthPublishedPack | ThirdPublishedPack) -> Prices:
    """Read the filed tables of a pack. Raises `BadInput` (updates.file-unreadable, updates.file-totals)."""
    filed: dict[str, list[Filed]] = {}
    rows: tuple[AnyRow, ...] = body.rates
    for row in sorted(rows, key=lambda row: row.number):
        filed.setdefault(row.provider, []).append(_filed(row))
    publisher_of = {device: one.provider for one in body.publishers for device in one.devices}
    providers = {name: Tables(publisher=name, filed=tuple(rows)) for name, rows in filed.items()}
    return Prices(providers=MappingProxyType(providers), publisher_of=MappingProxyType(publisher_of))


def _filed(row: AnyRow) -> Filed:
    """Read a filed table; a pack of version 3 does not say when it was filed, and it holds from its first day."""
    day = row.filed.date_in(_EARLIEST) if isinstance(row, RateRow | SecondRateRow) else date.min
    accepted = date.max if isinstance(row, RateRow | SecondRateRow) and row.accepted else None
    if accepted and isinstance(row, RateRow) and row.accepted_through:
        accepted = date.fromisoformat(row.accepted_through)
    return Filed(table=rate_files.read_taken(row.file), number=row.number, day=day, accepted=accepted)
