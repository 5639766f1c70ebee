"""The daily round: each Provider tells its inventory and its books, each licensee's host fetches its notices.

Here: the round of a day, and the findings as the Postal Service keeps them. Not here: the comparison
(`postal.reconciling`, `postal.daily`), the notices (`world.notices`).
Kept: a day is told once, in the zone of headquarters; who cannot be reached is told at the next round.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from towncircle.kernel.errors import BadInput, Refused
from towncircle.provider import daily as books
from towncircle.provider import inventories
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import DailyFinding, InventoryFinding
from towncircle.world.notices import fetch_all

if TYPE_CHECKING:
    from towncircle.world.world import World


def reconcile(world: World) -> Iterator[tuple[str, InventoryFinding]]:
    """Have each Provider at home here tell today's inventory; give each finding, the first one where it was told."""
    day = today(world)
    for provider in world.config.providers:
        if provider in world.desks:
            desk = world.desk(provider)
            desk.perform(lambda ctx: inventories.write_down(ctx, day=day), actor=provider)
            finding: InventoryFinding = desk.perform(lambda ctx: inventories.tell(ctx, day=day), actor=provider)
            yield provider, finding


def reconcile_books(world: World) -> Iterator[tuple[str, DailyFinding]]:
    """Have each Provider at home here tell its daily financial file; give each finding."""
    day = today(world)
    for provider in world.config.providers:
        if provider in world.desks:
            desk = world.desk(provider)
            desk.perform(lambda ctx: books.write_down(ctx, day=day), actor=provider)
            finding: DailyFinding = desk.perform(lambda ctx: books.tell(ctx, day=day), actor=provider)
            yield provider, finding


def daily(world: World) -> None:
    """Make the round of today; what cannot be reached now is made up for by the next one."""
    try:
        for _ in (*reconcile(world), *reconcile_books(world)):
            continue
    except (Refused, BadInput):
        return
    finally:
        fetch_all(world)


def today(world: World) -> str:
    """Give the day at headquarters."""
    return world.clock.now().date_in(HEADQUARTERS).isoformat()
