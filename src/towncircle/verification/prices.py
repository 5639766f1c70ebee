"""The rate tables that a verifier prices by: those that the device's Provider filed, over those of the program.

Here: which tables hold for a device, and who published one. Not here: prices (`mailpiece.rates`), what is due for a
piece (`condition`).
Kept: a piece is priced as at the host that printed it: the Provider's tables lie over the program's, and the mailing
date says which holds. A pack of before tables were filed has none, and then the program's hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from towncircle.kernel.cites import cites
from towncircle.kernel.ids import DeviceId
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.rates import Price
from towncircle.mailpiece.tariff import Table, known_tables, laid_over
from towncircle.wire.bodies import PublishedPack, RateRow

PROGRAM = "of this program"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Hold the tables for the pieces of a device, each series oldest first, and which of them `publisher` filed."""

    held: tuple[Table, ...]
    publisher: str = ""
    filed: frozenset[tuple[str, date]] = frozenset()

    def named(self, price: Price, on: date) -> str:
        """Name the tables that a price was made of, each with who published it."""
        used = {step.table for step in price.steps if step.table}
        found = [one for one in self.held if one.name in used and one.in_force_from <= on <= one.in_force_through]
        return " and ".join(f"the table {one.name}, {self._from(one)}" for one in found)

    def _from(self, one: Table) -> str:
        filed = (one.series, one.in_force_from) in self.filed
        return f"published by {self.publisher}" if filed else PROGRAM


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Hold the filed tables by Provider, and the Provider of each device that has any."""

    providers: Mapping[str, Tables] = field(default_factory=lambda: MappingProxyType({}))
    publisher_of: Mapping[DeviceId, str] = field(default_factory=lambda: MappingProxyType({}))

    @cites("P050-1.5", "IMI-03/2")
    def tables(self, device: DeviceId | None) -> Tables:
        """Give the tables that hold for a device's pieces; the program's where its Provider filed none."""
        publisher = self.publisher_of.get(device, "") if device is not None else ""
        return self.providers.get(publisher) or Tables(held=known_tables())


def prices_of(body: PublishedPack) -> Prices:
    """Read the filed tables of a pack. Raises `BadInput` (updates.file-unreadable, updates.file-totals)."""
    filed: dict[str, list[RateRow]] = {}
    for row in sorted(body.rates, key=lambda row: row.number):
        filed.setdefault(row.provider, []).append(row)
    publisher_of = {device: one.provider for one in body.publishers for device in one.devices}
    providers = {name: _laid(name, rows) for name, rows in filed.items()}
    return Prices(providers=MappingProxyType(providers), publisher_of=MappingProxyType(publisher_of))


def _laid(provider: str, rows: list[RateRow]) -> Tables:
    newer = [rate_files.read_taken(row.file) for row in rows]
    filed = frozenset((one.series, one.in_force_from) for one in newer)
    return Tables(held=laid_over(known_tables(), newer), publisher=provider, filed=filed)
