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


def _plays(act: Act, day: int) -> None:
    procedure(act.does.rstrip("."), f"{act.by} act.recorded act={act.name}", clause=act.clause)

    @scene(day)
    def play(town: Town) -> None:
        """Record the act."""
        paper = f"{act.name}, signed".encode() if act.document else None
        by = POSTAL if act.by == "postal" else PROVIDER
        record(town.world, act.name, by=by, reference=f"{act.name}-1", document=paper)


for _number, _act in enumerate(acts().values()):
    _plays(_act, _FIRST + _EVERY * _number)
