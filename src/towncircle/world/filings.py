"""Filing rate tables as it goes on in a world: what waits is filed, and what was refused is told to its Provider.

Here: the daily step. Not here: the decisions (`provider.rates`, `postal.rates`), publishing (`updates`).
Kept: hosts price by a published table also where the Postal Service refused to file it, so a refusal is a fact of the
Provider with its sentence, and no table is taken for filed on the Provider's own word alone.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.kernel.store import Record
from towncircle.provider import rates
from towncircle.provider.downloads import RATES

if TYPE_CHECKING:
    from towncircle.world.world import World


def file_rates(world: World) -> None:
    """Have each Provider at home here file the rate tables that it published before tables were filed."""
    for provider in world.config.providers:
        if provider in world.desks:
            with world.store(provider).reading() as view:
                waiting = rates.unfiled(view)
            if waiting:
                world.desk(provider).perform(rates.file_earlier, actor=provider)
            keep_refusals(world, provider)


@cites("IMI-03/2", "P050-1.5")
def keep_refusals(world: World, provider: str) -> dict[str, Record]:
    """Keep at a Provider which of its tables the Postal Service refused to file; give these by their keys."""
    desk, found = world.desk(provider), dict[str, Record]()
    with world.store(provider).reading() as view:
        rows = [row for row in view.find(RATES) if not row.body.get("refused")]
        said = [(row, desk.outbox.refused(view, rates.filing_of(row.body["number"]))) for row in rows]
    for row, word in said:
        if word is not None:
            job = partial(rates.keep_refused, number=row.body["number"], code=word.code, sentence=word.sentence)
            found[row.key] = desk.perform(job, actor=provider)
    return found
