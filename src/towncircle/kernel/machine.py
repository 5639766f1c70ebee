"""Table state machines.

Here: a table of (state, event, next state, clause) and its look-up, after h11's `_state.py`.
Not here: what an event does.
Kept: an illegal move changes nothing and names the legal ones (house.md 10).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from towncircle.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class Move:
    """Hold one row of a state table."""

    state: str
    event: str
    to: str
    clause: str


class StateTable:
    """Hold the moves of one kind of thing.

    `subject` names it in errors (`the device`); `happening` are events that nobody can bring about by asking.
    """

    def __init__(
        self, subject: str, start: str, moves: Iterable[Move], *, happening: frozenset[str] = frozenset()
    ) -> None:
        self.subject = subject
        self.happening = happening
        self.start = start
        self.moves = tuple(moves)
        self._next = {(move.state, move.event): move for move in self.moves}
        assert len(self._next) == len(self.moves), f"two moves for one state and event of {subject}"
        self._legal: dict[str, tuple[str, ...]] = {}
        for row in self.moves:
            self._legal[row.state] = (*self._legal.get(row.state, ()), row.event)
        self.states = tuple(dict.fromkeys([start, *(s for move in self.moves for s in (move.state, move.to))]))

    def legal(self, state: str) -> tuple[str, ...]:
        """Name the events that are possible in a state."""
        return self._legal.get(state, ())

    def offered(self, state: str) -> str:
        """Say in words what can be asked for in a state."""
        return ", ".join(event for event in self.legal(state) if event not in self.happening) or "nothing"

    def move(self, state: str, event: str) -> Move:
        """Give the row for an event in a state. Raises `Refused` (machine.illegal-move), naming the legal events."""
        found = self._next.get((state, event))
        if found is None:
            raise Refused(
                "machine.illegal-move",
                subject=self.subject,
                state=state,
                event=event,
                legal=self.offered(state),
            )
        return found

    def mermaid(self) -> str:
        """Draw the table as a Mermaid state diagram; moves that stay in their state are left out."""
        names = {state: state.replace(" ", "_") for state in self.states}
        lines = ["stateDiagram-v2"]
        lines += [f'    state "{state}" as {name}' for state, name in names.items() if state != name]
        lines += [f"    [*] --> {names[self.start]}"]
        lines += [f"    {names[m.state]} --> {names[m.to]}: {m.event}" for m in self.moves if m.state != m.to]
        return "\n".join(lines)
