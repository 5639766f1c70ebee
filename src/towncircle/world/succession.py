"""An installation goes over to a later rule set: what is decided from then on goes by it, what is in use goes on.

Here: the step, and the Postal Service's record of it. Not here: what the later rule set ends, and when
(`postal.decertification`).
Kept: only a rule set that is laid over the present one succeeds it, so nothing that is known is lost; there is no way
back. Devices keep the regime they were leased under until their last day; new leases are of the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.postal import products
from towncircle.rules.procedures import Subject
from towncircle.rules.rulesets import begun, chain
from towncircle.world.config import POSTAL, WorldConfig
from towncircle.world.parties import assignment
from towncircle.world.supervising import at_postal
from towncircle.world.world import World

ADOPTED = "regime.adopted"


def succeed(folder: Path, regime: str) -> str:
    """Have the world of a folder go by a later rule set from now on; give the one it went by.

    A step that was interrupted is finished. Raises `BadInput` (rules.no-such-set), `Refused` (world.no-successor).
    """
    settings = WorldConfig.read(folder)
    before = settings.regime
    if regime != before:
        if before not in chain(begun(regime).name):
            raise Refused("world.no-successor", regime=before, wanted=regime)
        replace(settings, regime=regime).write(folder)
    world = World.open(folder)
    try:
        systems = {str(name): assignment(world.product_at(name)).subject for name in world.config.providers}
        return str(at_postal(world, lambda ctx: _noted(ctx, before, regime, systems)))
    finally:
        world.close()


def _noted(ctx: Context, before: str, regime: str, systems: Mapping[str, Subject]) -> str:
    """Note once that a rule set was adopted; give the one before it."""
    held = ctx.tx.get("regime", regime)
    if held is not None:
        return str(held.body["before"])
    if before == regime:
        raise Refused("world.regime-held", regime=regime)
    ctx.tx.put("regime", regime, {"before": before, "at": int(ctx.now)}, owner=POSTAL, expected=0)
    ctx.note(ADOPTED, regime, before=before)
    for provider, system in systems.items():  # the sandbox's own system of that regime (house)
        products.begin_with(ctx, provider=provider, system=system)
    return before
