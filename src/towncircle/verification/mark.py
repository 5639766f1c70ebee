"""The mark that the checks look at, with what is known of it.

Here: `Mark`, and what several checks ask of it. Not here: the checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from towncircle.indicium import Decoded
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.verification.facts import Observed, StatusFacts
from towncircle.verification.pack import Pack
from towncircle.verification.prices import Prices, Tables
from towncircle.wire.bodies import CertificateRow, PackTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Hold all that the checks look at."""

    decoded: Decoded
    device: DeviceId | None
    key: str
    row: CertificateRow | None
    pack: Pack | None
    facts: StatusFacts | None
    observed: Observed
    now: Instant

    @property
    def at(self) -> Instant:
        """Give the instant the piece was presented: the deposit where it is known, else the scan."""
        return self.observed.deposited_at if self.observed.deposited_at is not None else self.now

    @property
    def today(self) -> date | None:
        """Give the day of presentation in the licensing office's zone."""
        return self.at.date_in(self.row.zone) if self.row is not None else None

    @property
    def day(self) -> date | None:
        """Give the mailing date of the mark, or None where the layout has none."""
        text = self.number_or_text("date")
        return date.fromisoformat(text) if isinstance(text, str) else None

    @property
    def claimed(self) -> str:
        """Give the category that the piece is paid as: by the mark that says it for the whole piece, or this one."""
        return self.observed.claimed or str(self.number_or_text("category") or "")

    @property
    def tables(self) -> Tables:
        """Give the rate tables that the piece is priced by: those of the device that its certificate names."""
        return tables_for(self.pack, self.row.device if self.row is not None else None)

    @property
    def terms(self) -> PackTerms | None:
        """Give the figures of the device's regime, or None."""
        return self.pack.terms.get(self.row.regime) if self.pack is not None and self.row is not None else None

    def number_or_text(self, name: str) -> int | str | None:
        """Give a decoded field, or None where the layout has none."""
        return self.decoded.fields.get(name)

    def number(self, name: str) -> int | None:
        """Give a decoded integer, or None where the layout has none."""
        value = self.decoded.fields.get(name)
        return int(value) if isinstance(value, int) else None


def tables_for(pack: Pack | None, device: DeviceId | None) -> Tables:
    """Give the rate tables for a device's pieces; without a pack those of the program."""
    return (pack.prices if pack is not None else Prices()).tables(device)
