"""Which open jobs a device debited that cannot give their marks any more, as far as its registers tell.

Here: what was counted and nobody wrote down, and the ways in which open jobs add up to it. Not here: asking the device,
writing a loss or a decision down (`towncircle.world.evidenced`).
Kept: registers decide first. Where every way charges the same departments with the same amounts, it does not matter
which job it was; where they differ, nobody is charged before a person has decided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import promises

MOST = 12  # house: of more open jobs than these nobody looks for the ways in which they add up
Way = tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Hold what a device debited beyond the host's records; `pieces` is None where nobody can ask it any more.

    `before` are the pieces and the mills that are written down, `descending` is what was left at the end. Where it is
    not `exact`, nobody knows more than that it was no more.
    """

    pieces: int | None
    mills: int
    before: tuple[int, int]
    descending: int
    exact: bool = True

    def __str__(self) -> str:
        return "an unknown number of" if self.pieces is None else str(self.pieces)

    @property
    def amount(self) -> str:
        """Give what was counted for people."""
        return f"{'' if self.exact else 'at most '}{Mills(self.mills)}"

    def holds(self, rows: Sequence[Record]) -> bool:
        """Tell whether jobs are no more than was counted."""
        within = self.pieces is None or sum(len(row.body["pieces"]) for row in rows) <= self.pieces
        return within and sum(int(row.body["total"]) for row in rows) <= self.mills

    def is_just(self, rows: Sequence[Record]) -> bool:
        """Tell whether jobs are just what was counted."""
        if not self.exact:
            return False
        just = self.pieces is None or sum(len(row.body["pieces"]) for row in rows) == self.pieces
        return just and sum(int(row.body["total"]) for row in rows) == self.mills

    def after(self, job: Record) -> tuple[Mills, Mills]:
        """Give the registers after a job of them, as if it was the first."""
        total = int(job.body["total"])
        return Mills(self.before[1] + total), Mills(self.descending + self.mills - total)


def candidates(view: Transaction, was_asked: Callable[[Record], bool]) -> list[Record]:
    """Give the open jobs that a device may have been asked for: single ones, and of each open batch the next part."""
    return [row for row in promises.maybe_debited(view) if was_asked(row)]


def ways(rows: Sequence[Record], counted: Counted) -> list[Way]:
    """Give the sets of open jobs that are just what was counted; none where too many are open to look."""
    if len(rows) > MOST:
        return []
    every = (way for size in range(1, len(rows) + 1) for way in combinations(rows, size))
    return [way for way in every if counted.is_just(way)]


def agree(found: Sequence[Way]) -> bool:
    """Tell whether all ways charge the same departments with the same amounts; no, where there is none."""
    charges = {tuple(sorted((row.body["department"], int(row.body["total"])) for row in way)) for way in found}
    return len(charges) == 1


def within(way: Way, job: Record) -> bool:
    """Tell whether a job is one of a way."""
    return job.key in {row.key for row in way}
