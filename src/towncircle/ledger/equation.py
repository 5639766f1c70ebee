"""The money equation of a licensee, generated from the chart of accounts.

Here: the equation with its numbers. Not here: entries and balances (`books`).
Kept: deposits + outstanding advances + malfunction credits = account + in transit + sum(descending) + sum(ascending)
- refunded unused + paid out (house.md 5); a new kind of account finds its place by its side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger.chart import PROVIDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Hold one term: its words, its sum, and whether it is taken off."""

    words: str
    amount: Mills
    taken_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """Hold the money equation of one licensee (or, without one, of the whole books) with its numbers."""

    licensee: str
    left: tuple[Term, ...]
    right: tuple[Term, ...]

    @property
    def left_sum(self) -> Mills:
        """Give the sum of the left side."""
        return _total(self.left)

    @property
    def right_sum(self) -> Mills:
        """Give the sum of the right side."""
        return _total(self.right)

    @property
    def difference(self) -> Mills:
        """Give left less right: zero where the books are right."""
        return self.left_sum - self.right_sum

    def words(self) -> str:
        """Write the equation without numbers."""
        left, right = ([(t.words, t.taken_off) for t in side] for side in (self.left, self.right))
        return f"{_join(left)} = {_join(right)}"

    def numbers(self) -> str:
        """Write the equation with its numbers."""
        left, right = ([(str(t.amount), t.taken_off) for t in side] for side in (self.left, self.right))
        return f"{_join(left)} = {_join(right)}"


def equation_of(licensee: str, sums: Mapping[str, Mills]) -> Equation:
    """Put the sums by kind of account into the equation."""
    kinds = PROVIDER.kinds.values()
    return Equation(
        licensee=licensee,
        left=tuple(Term(words=k.words, amount=sums.get(k.name, ZERO)) for k in kinds if k.place == "left"),
        right=tuple(
            Term(words=k.words, amount=sums.get(k.name, ZERO), taken_off=k.place == "right, taken off")
            for k in kinds
            if k.place.startswith("right")
        ),
    )


def _total(terms: tuple[Term, ...]) -> Mills:
    return sum((-term.amount if term.taken_off else term.amount for term in terms), ZERO)


def _join(parts: list[tuple[str, bool]]) -> str:
    text = "".join(f" {'-' if taken_off else '+'} {words}" for words, taken_off in parts)
    return text.removeprefix(" + ")
