"""The joint table of the two automata: which device state may stand with which custody (house.md 3).

Here: the pairs, each with its clause, and the check of a signed reading against them. Not here: the moves of either
automaton (`psd.states` inside the device, `inventory.CUSTODY` in the Provider's record), which stay apart.
Kept: a pair that is not in the table is an irregularity (502.14(b), 502.20(j)): the device said what cannot be
where it is. The device is frozen until a person has looked; the table never moves a device by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from towncircle.kernel.cites import cites
from towncircle.psd.states import (
    AUTHORISED,
    FAULTED,
    IN_SERVICE,
    INITIALISED,
    LOCKED,
    MANUFACTURED,
    WITHDRAWN,
    ZEROISED,
)

_YOUNG = (MANUFACTURED, INITIALISED, AUTHORISED)
_WORKING = (AUTHORISED, IN_SERVICE, LOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Hold one row: the custody, the device states that may stand with it, the clause, and why."""

    custody: str
    states: tuple[str, ...]
    clause: str
    why: str


JOINT = (
    Pair(custody="new", states=_YOUNG, clause="502.18", why="it is prepared on the Provider's bench"),
    Pair(
        custody="stocked",
        states=(*_YOUNG, ZEROISED),
        clause="502.18",
        why="it was inspected and waits for a licensee, or its keys are destroyed and it waits to be scrapped",
    ),
    Pair(custody="shipped", states=(AUTHORISED,), clause="P050 3.1", why="it is authorised before it leaves"),
    Pair(
        custody="leased",
        states=(*_WORKING, FAULTED),
        clause="502.20(c)",
        why="it serves its licensee, or failed there and is to be returned",
    ),
    Pair(
        custody="suspect",
        states=(*_WORKING, FAULTED, WITHDRAWN),
        clause="P050 2.6",
        why="it is examined where it stands; an inspector may withdraw it at once",
    ),
    Pair(
        custody="missing",
        states=(*_WORKING, FAULTED, WITHDRAWN),
        clause="502.24",
        why="what it last signed counts until it is found; on its way back it may have given its balance back",
    ),
    Pair(
        custody="lost",
        states=(*_WORKING, FAULTED, WITHDRAWN),
        clause="502.24(b)",
        why="what it last signed counts until it is found; on its way back it may have given its balance back",
    ),
    Pair(
        custody="stolen",
        states=(*_WORKING, FAULTED, WITHDRAWN),
        clause="502.24(b)",
        why="what it last signed counts until it is found; on its way back it may have given its balance back",
    ),
    Pair(
        custody="recovered",
        states=(*_WORKING, FAULTED, WITHDRAWN),
        clause="502.24(c)",
        why="it is inspected, adjusted, and checked out where a replacement was supplied",
    ),
    Pair(
        custody="returned",
        states=(*_WORKING, FAULTED, WITHDRAWN),
        clause="P050 2.9",
        why="its balance is given back before it is checked out",
    ),
    Pair(
        custody="checked out",
        states=(WITHDRAWN, FAULTED, ZEROISED),
        clause="502.20(e)",
        why="it is out of service: its balance was given back, or was taken from its last signed reading",
    ),
    Pair(custody="scrapped", states=(ZEROISED,), clause="502.20(e)", why="its keys are destroyed before it is"),
)
_ALLOWED = {(pair.custody, state): pair for pair in JOINT for state in pair.states}


@cites("PRE-13")
def irregular(*, custody: str, state: str) -> str:
    """Say what is wrong with a device of this state in this custody; empty where the pair may stand."""
    if (custody, state) in _ALLOWED:
        return ""
    allowed = next((pair.states for pair in JOINT if pair.custody == custody), ())
    return f"a device that is {custody} reports itself as {state}; it may be {', '.join(allowed) or 'nothing'}"
