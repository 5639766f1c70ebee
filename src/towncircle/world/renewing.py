"""A device's key as one renews it in a world, lets it be renewed early, or revokes it because somebody else has it.

Here: the order of the steps, and whose desk they are at. Not here: when a key is due (`licensee.funds`), what the
permission does (`provider.renewing`), what a revocation does (`postal.certificates`).
Kept: a contact renews what is due by itself, so nobody has to heed a warning; where that is refused the contact stands.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.licensee import funds
from towncircle.postal import certificates
from towncircle.provider import renewing
from towncircle.world.supervising import as_person, by_officer

if TYPE_CHECKING:
    from towncircle.world.journeys import Journeys
    from towncircle.world.world import World


@cites("502.28")
def renew(journeys: Journeys, device: DeviceId) -> str:
    """Give a device its next key and certificate; pieces of the old one stay valid. Gives the device's words."""
    words = str(journeys.do(lambda ctx: funds.renew_key(ctx, device=device)).sentence)
    journeys.world.publish()
    return words


@cites("502.28")
def in_time(journeys: Journeys, device: DeviceId) -> list[str]:
    """Renew a device's key where that is due; give the words for it, or why it was refused."""
    if not journeys.do(lambda ctx: funds.renewal_due(ctx, device=device)):
        return []
    try:
        return [f"The key was renewed before its certificate ends. {renew(journeys, device)}"]
    except Refused as refusal:
        if refusal.code == "provider.renewal-too-soon":  # the next contact asks again
            return []
        return [f"The key is to be renewed, which was refused: {refusal.sentence} {refusal.next_step}"]


@cites("502.28", "502.14b")
def revoke_compromised(world: World, device: DeviceId, *, by: str) -> None:
    """Revoke every certificate of a device whose key somebody else may have, and publish it at once.

    Raises `Refused` (postal.not-certified).
    """
    job = partial(certificates.revoke, device=device, reason="key-compromise")
    by_officer(world, job, by=by, act="device compromised")
    world.publish()


def permit(world: World, device: DeviceId, reason: str, *, by: str = "crypto-officer") -> str:
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
        job = partial(renewing.permit_early, device=device, reason=reason)
        named, actor = as_person(provider, job, by=by, act="device permit-renewal")
        world.desk(provider).perform(named, actor=actor)
        return provider
    raise Refused("provider.unknown-device", device=device, provider="a Provider of this world")
