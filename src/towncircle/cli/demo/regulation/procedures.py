"""The procedures of the simulated year: what each is called, its clause, its day, the facts that prove it.

Here: the registry that the scenes write themselves into. Not here: the scenes (`scenes/`), the count (`census`).
Kept: a procedure is proved by facts in the parties' own journals, never by its scene having run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town
    from towncircle.kernel.facts import Fact

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

        A blank is written as `_`.
        """
        role, kind, *rest = (part.replace("_", " ") for part in text.split())
        pairs = (part.partition("=") for part in rest)
        return cls(role, kind, tuple((name, value) for name, _, value in pairs))

    def shows(self, fact: Fact) -> bool:
        """Tell whether a fact of the role's journal is such a fact."""
        if fact.type != self.kind:
            return False
        return all(_says(fact, name, value) for name, value in self.where)

    def __str__(self) -> str:
        where = "".join(f", {name} {value}" for name, value in self.where)
        return f"{self.kind} ({self.role}){where}"


def _says(fact: Fact, name: str, value: str) -> bool:
    held = fact.body.get(name)
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
    """Hold a scene and the day of the year (from 0) on which it is played."""

    day: int
    scene: Scene


PROCEDURES: list[Procedure] = []
SCENES: list[Dated] = []


def procedure(name: str, *proofs: str, clause: str, needs: str = "") -> None:
    """Put a procedure into the table; its proofs as `Proof.parse` reads them."""
    assert all(held.name != name for held in PROCEDURES), f"two procedures are called {name}"
    PROCEDURES.append(Procedure(name=name, clause=clause, proofs=tuple(map(Proof.parse, proofs)), needs=needs))


def scene(day: int) -> Callable[[S], S]:
    """Place a scene on a day."""

    def place(play: S) -> S:
        SCENES.append(Dated(day=day, scene=play))
        return play

    return place


def shows(day: int, name: str, *proofs: str, clause: str, needs: str = "") -> Callable[[S], S]:
    """Place a scene on a day and put the procedure that it ends into the table."""
    procedure(name, *proofs, clause=clause, needs=needs)
    return scene(day)
