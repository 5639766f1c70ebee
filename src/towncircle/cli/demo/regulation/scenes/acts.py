"""Acts of people (rules/clauses/acts.toml): what the rule orders and no program can do, recorded as done.

Here: each act once, by the party that owes it, with its paper where one shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import procedure, scene
from towncircle.cli.demo.regulation.town import PROVIDER
from towncircle.rules.acts import Act, acts
from towncircle.world.config import POSTAL
from towncircle.world.recording import record

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town

_FIRST, _EVERY = 200, 3
_TITLES = {"test-indicia-made": "Indicia are made in testing"}  # one duty has two acts


def _plays(act: Act, day: int) -> None:
    procedure(_TITLES.get(act.name, act.does.rstrip(".")), f"{act.by} act.recorded act={act.name}", clause=act.clause)

    @scene(day)
    def play(town: Town) -> None:
        """Record the act."""
        paper = f"{act.name}, signed".encode() if act.document else None
        by = POSTAL if act.by == "postal" else PROVIDER
        about = PROVIDER if act.about else ""
        record(town.world, act.name, by=by, reference=_reference(act), document=paper, about=about)


def _reference(act: Act) -> str:
    """Give the file number of an act: what was made in a test and its destruction have the same."""
    return "test-run-1" if act.name.startswith("test-indicia-") else f"{act.name}-1"


_day = _FIRST
for _act in (act for act in acts().values() if not act.command):  # the others have procedures of their own
    if _act.name != "test-indicia-destroyed":  # on the day on which they were made
        _day += _EVERY
    _plays(_act, _day)
