"""A Provider's officer permits a device its next key before its time.

Here: finding the Provider that has the device. Not here: what the permission does (`provider.renewing`).
"""

from __future__ import annotations

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.provider import renewing
from towncircle.world.world import World


def permit(world: World, device: DeviceId, reason: str) -> str:
    """Permit one early renewal of a device's key at its Provider; give the Provider.

    Raises `BadInput` (provider.no-reason), `Refused` (provider.unknown-device, provider.frozen, provider.not-leased).
    """
    if not reason.strip():
        raise BadInput("provider.no-reason", device=device)
    for provider in world.config.providers:
        if provider not in world.desks:
            continue
        with world.store(provider).reading() as view:
            if view.get("device", device) is None:
                continue
        world.desk(provider).perform(
            lambda ctx: renewing.permit_early(ctx, device=device, reason=reason), actor=f"{provider}/officer"
        )
        return provider
    raise Refused("provider.unknown-device", device=device, provider="a Provider of this world")
