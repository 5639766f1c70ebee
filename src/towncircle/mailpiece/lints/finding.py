"""What a lint is and what it finds.

Here: `Lint`, `LintFinding`, the context of a run. Not here: the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.geometry import INCH, POINT
from towncircle.rules import RuleSet

PROPOSED = date(1998, 9, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class LintFinding:
    """Hold one thing that is wrong: its code, clause, a sentence, what was measured and what is allowed."""

    code: str
    clause: str
    sentence: str
    measured: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.sentence} (measured {self.measured}, allowed {self.allowed})."


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Hold what a lint may look at."""

    page: Page
    rules: RuleSet
    on: date

    def rule(self, name: str) -> int:
        """Look a length of the rule up, in units, rounded up: at least means at least."""
        return _units(self.rules, name, self.on)

    def word(self, name: str) -> str:
        """Look a word of the rule up."""
        return self.rules.text(name, self.on)


@lru_cache(maxsize=64)
def _units(rules: RuleSet, name: str, on: date) -> int:
    return -int(-rules.length(name, on).points * POINT // 1)


Faults = Iterator[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """Hold one rule: code, clause, first day, and the function that looks for faults."""

    code: str
    clause: str
    holds_from: date
    faults: Callable[[Context], Faults]

    @property
    def says(self) -> str:
        """Give the rule in words: the first line of its function."""
        return (self.faults.__doc__ or "").strip().splitlines()[0]

    def check(self, context: Context) -> Iterator[LintFinding]:
        """Look for faults."""
        for sentence, measured, allowed in self.faults(context):
            yield LintFinding(code=self.code, clause=self.clause, sentence=sentence, measured=measured, allowed=allowed)


def show(units: int) -> str:
    """Write a length in inches with three decimals."""
    return f"{units / INCH:.3f} in"
