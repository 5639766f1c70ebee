"""The daily round: each Provider tells its inventory, each licensee's host fetches its notices.

Here: the round of a day, and the findings as the Postal Service keeps them. Not here: the comparison
(`postal.reconciling`), the notices (`world.notices`).
Kept: a day is told once, in the zone of headquarters; what was written down and not told yet goes first, so that no
number is left out; one Provider's refusal keeps no other from its inventory.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from towncircle.kernel.errors import BadInput, Refused
from towncircle.provider import inventories
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import InventoryFinding
from towncircle.world.notices import fetch_all

if TYPE_CHECKING:
    from towncircle.world.desk import Desk
    from towncircle.world.world import World


def reconcile(world: World) -> Iterator[tuple[str, InventoryFinding]]:
    """Have each Provider at home here tell today's inventory; give each finding, the first one where it was told.

    A Provider's refusal is noted and raised after the others were asked.
    """
    day = today(world)
    trouble: list[Refused | BadInput] = []
    for provider in world.config.providers:
        if provider in world.desks:
            try:
                finding = _told(world.desk(provider), provider, day)
            except (Refused, BadInput) as error:
                trouble.append(error)
            else:
                yield provider, finding
    if trouble:
        raise trouble[0]


def _told(desk: Desk, provider: str, day: str) -> InventoryFinding:
    """Have a Provider tell what it wrote down and did not tell yet, in order, up to a day; give that day's finding."""
    desk.perform(lambda ctx: inventories.write_down(ctx, day=day), actor=provider)
    waiting: list[str] = desk.perform(inventories.untold, actor=provider)
    for one in (*waiting, day):
        try:
            finding: InventoryFinding = desk.perform(partial(inventories.tell, day=one), actor=provider)
        except (Refused, BadInput) as error:
            desk.perform(partial(inventories.refused, day=one, code=error.code), actor=provider)
            raise
    return finding


def daily(world: World) -> None:
    """Make the round of today; what cannot be reached now is made up for by the next one."""
    try:
        for _ in reconcile(world):
            continue
    except (Refused, BadInput):  # noted at its Provider
        return
    finally:
        fetch_all(world)


def today(world: World) -> str:
    """Give the day at headquarters."""
    return world.clock.now().date_in(HEADQUARTERS).isoformat()
