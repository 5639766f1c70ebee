"""What a month's pieces would have cost under another rate table, before anybody has to pay by it.

Here: `rehearse`. Not here: the table's way to the host (`rates`, `downloads`), prices (`mailpiece.rates`).
Kept: a rehearsal writes nothing. Each piece is priced again as it was claimed, on the first day of the new table; one
that has no price there is named with the reason and stays out of both totals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import rates
from towncircle.licensee.mailroom import EVIDENCED, POSTAGE, PRINTED, form_of
from towncircle.licensee.pricing import claim_of, price_for
from towncircle.licensee.tapes import whole_pieces
from towncircle.mailpiece.tariff import Table, laid_over


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """Hold a piece of a job (`place` from 1): what was paid, and what it would cost, or why that is not known."""

    job: str
    place: int
    category: str
    weight_oz: Fraction
    paid: Mills
    cost: Mills | None
    category_then: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Hold the pieces of a rehearsal and what they come to; the totals are over the pieces that have both prices."""

    on: date
    pieces: tuple[Repriced, ...]

    @property
    def paid(self) -> Mills:
        """Add up what was paid."""
        return sum((one.paid for one in self.pieces if one.cost is not None), ZERO)

    @property
    def cost(self) -> Mills:
        """Add up what the same pieces would cost."""
        return sum((one.cost for one in self.pieces if one.cost is not None), ZERO)

    @property
    def unknown(self) -> tuple[Repriced, ...]:
        """Give the pieces that have no price under the table."""
        return tuple(one for one in self.pieces if one.cost is None)


@cites("PRE-20", "502.22b")
def rehearse(view: Transaction, provider: str, table: Table, *, first: date, last: date) -> Rehearsal:
    """Price the pieces mailed between two days again, as if they were mailed on the first day of a table."""
    tables = laid_over(rates.tables(view, provider), [table])
    jobs = [row for row in view.find("job") if _counts(row, first, last)]
    found = (one for row in jobs for one in _repriced(row, tables, table.in_force_from))
    return Rehearsal(on=table.in_force_from, pieces=tuple(found))


def _counts(row: Record, first: date, last: date) -> bool:
    held = form_of(row.body) == POSTAGE and row.body["state"] in (EVIDENCED, PRINTED)
    return held and first <= date.fromisoformat(row.body["mailing_date"]) <= last


def _repriced(row: Record, tables: tuple[Table, ...], day: date) -> Iterator[Repriced]:
    for place, piece in enumerate(whole_pieces(row.body["pieces"]), start=1):
        weight, cost, category, why = Fraction(piece["weight"]), None, "", ""
        try:
            claim = replace(claim_of(piece), accept_low=True)  # nothing is paid by it
            found = price_for(piece["shape"], weight, day=day, claim=claim, tables=tables)
            cost, category = found.amount, found.category
        except (Refused, BadInput) as unknown:
            why = unknown.sentence
        yield Repriced(
            job=row.key, place=place, category=piece["category"], weight_oz=weight, paid=Mills(piece["amount"]),
            cost=cost, category_then=category, why=why,
        )  # fmt: skip
