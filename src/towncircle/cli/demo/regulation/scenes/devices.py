"""Devices (P050 2.6, 2.9, 3.1, 502.18, 502.20, 502.28): leased, given back, replaced, renewed.

Mail rooms: 16 gives its device back, 17 a balance that moves to a replacement, 18 a new key, 19 a transfer that ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import procedure, scene, shows
from towncircle.cli.demo.regulation.scenes.licenses import revoke, withdraw
from towncircle.cli.demo.regulation.town import refused
from towncircle.kernel import persons
from towncircle.psd.automaton import faulted
from towncircle.psd.memory import Change
from towncircle.psd.process import STORE
from towncircle.psd.sqlite import SqliteMemory
from towncircle.world import renewing, returning

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town
    from towncircle.kernel.ids import DeviceId

procedure(
    "A license is issued",
    "postal license.issued",
    "provider license.notified outcome=issued",
    "licensee license.received",
    clause="P050 2.1",
)
procedure(
    "A device is certified, shipped and leased",
    "provider custody.leased",
    "provider custody.stocked",
    "provider custody.shipped",
    "provider lease.signed",
    "provider form-3601-c.filed",
    "postal certificate.issued",
    "postal device.installed",
    "postal deposit-acknowledgment.filed",
    "licensee lease.confirmed",
    clause="P050 3.1, 502.18",
)


@shows(
    110,
    "A device is given back; its balance is credited by its signed word",
    "provider device.checked-out",
    "licensee check-out.noted",
    "licensee check-out.done",
    "licensee balance.returned",
    "provider custody.returned",
    "provider balance.signed",
    "postal balance-form.received",
    "postal balance.arranged",
    "provider balance.withdrawn",
    "provider custody.checked_out",
    "postal device.withdrawn",
    "postal certificate.revoked",
    clause="P050 2.9, 502.20(e), 502.27(b)",
)
def given_back(town: Town) -> None:
    """Give a device back that is no longer wanted."""
    town.connect(town.room(16))
    withdraw(town, 16, "no longer wanted")


@shows(
    90,
    "A transfer of a balance is asked for and taken back",
    "licensee transfer.cancelled",
    "licensee person.authorised",
    clause="P050 2.6",
)
def taken_back(town: Town) -> None:
    """Ask for a transfer and take it back; ask again."""
    journeys = town.room(17)
    town.authorise(journeys.licensee, "dora", "emil", "finn")
    returning.request_transfer(journeys, by="dora", reason="the display is dark")
    returning.cancel_transfer(journeys, by="dora")
    returning.request_transfer(journeys, by="dora", reason="the display is broken")


@shows(
    91,
    "A balance moves to a replacement by two persons",
    "licensee transfer.done",
    "licensee transfer.requested",
    "licensee transfer.approved",
    clause="P050 2.6",
)
def replaced(town: Town) -> None:
    """Approve the transfer as another person."""
    journeys = town.room(17)
    town.connect(journeys)
    returning.approve_transfer(journeys, by="emil")


@shows(92, "A person is struck off the list", "licensee person.struck", clause="P050 2.6")
def struck(town: Town) -> None:
    """Strike a person who leaves."""
    town.room(17).do(lambda ctx: persons.strike(ctx, name="finn"))


@shows(
    120,
    "A device gets its next key and certificate",
    "provider key.renewed",
    "provider key.renewal-permitted",
    "licensee key.renewed",
    clause="502.28",
)
def renewed(town: Town) -> None:
    """Permit an early renewal because a key is in doubt, and renew it."""
    journeys = town.room(18)
    town.connect(journeys)
    renewing.permit(town.world, journeys.device, "the card was out of sight")
    journeys.renew_key()


@scene(135)
def asked_before_revocation(town: Town) -> None:
    """Ask for a transfer under a license that is revoked before it is approved."""
    journeys = town.room(19)
    town.authorise(journeys.licensee, "dora", "emil")
    returning.request_transfer(journeys, by="dora", reason="the feed tears paper")
    revoke(town, 19, "control", "The device stood unlocked in the lobby.")


@shows(
    136,
    "A transfer that cannot go on is ended by two persons",
    "licensee transfer.ended",
    "licensee transfer.ending",
    clause="P050 2.6",
)
def ended(town: Town) -> None:
    """Approve it: the old device goes out, no replacement comes; two persons end it, the balance stays credited."""
    journeys = town.room(19)
    with refused("license.revoked-here"):
        returning.approve_transfer(journeys, by="emil")
    returning.cancel_transfer(journeys, by="dora")
    returning.cancel_transfer(journeys, by="emil")


def break_down(town: Town, device: DeviceId) -> None:
    """Let a self-test of a device fail."""
    town.world.shelf.close()
    memory = SqliteMemory(town.world.shelf.folder_of(device) / STORE)
    state = memory.load([device])[device]
    after = faulted(state, "a self-test failed", town.world.clock.now())
    memory.commit([Change(device, state.counter, state.epoch, after, ())])
    memory.close()
