"""The procedures of the simulated year: what each is called, its clause, its day, the facts that prove it.

Here: the registry that the scenes write themselves into, and the business day on which each is played. Not here: the
scenes (`scenes/`), the count (`census`).
Kept: a procedure is proved by facts in the parties' own journals, never by its scene having run. Nobody acts in a scene
on a weekend or a federal holiday, whenever the year begins, and the scenes of a topic keep the order of their days.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

from towncircle.rules.calendars import business_days_after

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town
    from towncircle.kernel.facts import Fact
    from towncircle.rules import RuleSet
    from towncircle.rules.acts import Act

Scene = Callable[["Town"], object]
S = TypeVar("S", bound=Scene)


@dataclass(frozen=True, slots=True)
class Proof:
    """Hold a kind of fact that a role's journal must show, such as `postal license.revoked licensee=licensee.x`."""

    role: str
    kind: str
    where: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Read a proof: role, kind, and `field=value` for what the fact's body must say (`field=*`: anything).

        A value `@kind` is the subject of a fact of that kind in the same journal. In a kind or a value, `_` is a blank.
        """
        role, kind, *rest = text.split()
        pairs = (part.partition("=") for part in rest)
        where = tuple((name, value.replace("_", " ")) for name, _, value in pairs)
        return cls(role, kind.replace("_", " "), where)

    def shows(self, fact: Fact, subjects: Callable[[str], Collection[str]] = lambda _kind: ()) -> bool:
        """Tell whether a fact is such a fact of the role's journal; `subjects` names those of its facts of a kind."""
        if fact.type != self.kind:
            return False
        return all(_says(fact, name, value, subjects) for name, value in self.where)

    def __str__(self) -> str:
        where = "".join(f", {name} {value}" for name, value in self.where)
        return f"{self.kind} ({self.role}){where}"


def _says(fact: Fact, name: str, value: str, subjects: Callable[[str], Collection[str]]) -> bool:
    held = fact.body.get(name)
    if value.startswith("@"):
        return str(held) in subjects(value[1:])
    return bool(held) if value == "*" else str(held) == value


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """Describe a procedure; the first of its proofs is counted. It `needs` a parameter where not every rule has it."""

    name: str
    clause: str
    proofs: tuple[Proof, ...]
    needs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """Hold a scene and the day of the year (from 0) on which it is due.

    It `waits` as many business days more as a parameter of the rule says.
    """

    day: int
    scene: Scene
    waits: str = ""


PROCEDURES: list[Procedure] = []
SCENES: list[Dated] = []


def procedure(name: str, *proofs: str, clause: str, needs: str = "") -> None:
    """Put a procedure into the table; its proofs as `Proof.parse` reads them."""
    register(Procedure(name=name, clause=clause, proofs=tuple(map(Proof.parse, proofs)), needs=needs))


def register(one: Procedure) -> None:
    """Put a procedure into the table."""
    assert all(held.name != one.name for held in PROCEDURES), f"two procedures are called {one.name}"
    PROCEDURES.append(one)


def of_act(act: Act, title: str = "") -> Procedure:
    """Give the procedure that an act of people is, which is recorded as done."""
    proof = Proof.parse(f"{act.by} act.recorded act={act.name}")
    return Procedure(name=title or act.does.rstrip("."), clause=act.clause, proofs=(proof,))


def scene(day: int, *, waits: str = "") -> Callable[[S], S]:
    """Place a scene on a day; it `waits` as many business days more as a parameter says."""

    def place(play: S) -> S:
        SCENES.append(Dated(day=day, scene=play, waits=waits))
        return play

    return place


def schedule(first: date, rules: RuleSet) -> dict[date, list[Scene]]:
    """Give the scenes of a year that begins on a day by the business days on which they are played.

    A scene is played on its day or the next business day; within a topic a later day stays a later one. What falls
    together is played in the order of the days.
    """
    found: list[tuple[date, int, Scene]] = []
    last: dict[str, tuple[int, date]] = {}  # of each topic: the day that was placed last, and where
    for dated in sorted(SCENES, key=lambda dated: dated.day):
        before, there = last.get(dated.scene.__module__, (-1, first - timedelta(days=1)))
        if before != dated.day:
            due = first + timedelta(days=dated.day - 1)
            there = business_days_after(max(due, there), 1)
            last[dated.scene.__module__] = dated.day, there
        played = business_days_after(there, rules.integer(dated.waits, there)) if dated.waits else there
        found.append((played, dated.day, dated.scene))
    days: dict[date, list[Scene]] = {}
    for played, _, play in sorted(found, key=lambda row: row[:2]):
        days.setdefault(played, []).append(play)
    return days


def shows(day: int, name: str, *proofs: str, clause: str, needs: str = "") -> Callable[[S], S]:
    """Place a scene on a day and put the procedure that it ends into the table."""
    procedure(name, *proofs, clause=clause, needs=needs)
    return scene(day)
