"""What the host checks before it asks the device: mailing dates and keyed-in amounts.

Here: the limits of a day, and their checks. Not here: the device's own, which it makes again from its signed parameters
(`psd.evidencing`).
Kept: the date is that of deposit, or of the next scheduled collection, in the licensing office's zone (P050 4.6, 4.7);
no piece pays more than the keyed-in postage limit, and none pays nothing (P050 1.5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.rules import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hold the first and the last mailing date, and the most that one piece may pay."""

    first: date
    last: date
    most: Mills
    zone: str

    @classmethod
    def of(cls, rules: RuleSet, today: date, *, zone: str) -> Limits:
        """Take the limits out of a rule set; `today` is a day in the licensing office's zone."""
        ahead = timedelta(days=rules.term("next_collection", today).days)
        return cls(first=today, last=today + ahead, most=rules.mills("keyed_postage_limit", today), zone=zone)

    @cites("P050-4.6", "P050-4.7", "P050-1.5")
    def check(self, *, day: date, amounts: Iterable[Mills] = ()) -> None:
        """Check a mailing date and the amounts of pieces.

        Raises `Refused` (mailroom.date-refused) and `BadInput` (mailroom.amount-zero, mailroom.amount-over-limit).
        """
        if not self.first <= day <= self.last:
            raise Refused("mailroom.date-refused", date=day, first=self.first, last=self.last, zone=self.zone)
        for amount in amounts:
            if amount <= ZERO:
                raise BadInput("mailroom.amount-zero", amount=amount)
            if amount > self.most:
                raise BadInput("mailroom.amount-over-limit", amount=amount, limit=self.most)
