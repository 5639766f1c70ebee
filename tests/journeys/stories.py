"""The setting of the journeys: a world in a folder, its devices in this process, a mailer as far as one likes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.mailpiece.address_files import public_addresses
from towncircle.rules.offices import grant, offices_of
from towncircle.testing.rehearsal_world import in_process
from towncircle.transport import Transport
from towncircle.world.config import POSTAL, STARTS
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import Wiring, World

HARBOR, SUMMIT = "provider.harbor", "provider.summit"
MAILROOM, ANNEX = "licensee.mailroom", "licensee.annex"
REGIMES = ("imi-2024", "ibi-1998")
LAPSE = {"imi-2024": ("72h", "1s"), "ibi-1998": ("3mo", "1s")}  # at the limit, and just past it
PEOPLE = public_addresses()[:2]


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[Refused]]:
    """Expect a refusal by its code."""
    with pytest.raises(Refused) as caught:
        yield caught
    assert caught.value.code == code


def new_world(folder: Path, regime: str = "imi-2024", *, transport: type[Transport] | None = None) -> World:
    """Make and open a world that begins on its regime's day."""
    World.create(folder, regime=regime, seed=3, start=Instant.parse(STARTS[regime])).close()
    return reopened(folder, transport=transport)


def reopened(folder: Path, *, transport: type[Transport] | None = None) -> World:
    """Open a world as the next command does; `transport` may wrap the way between its parties."""
    return World.open(folder, Wiring(make_port=in_process(folder), transport=transport or (lambda inner: inner)))


def officers(world: World, *names: str) -> None:
    """Authorise persons to act for the Postal Service, each in every office."""
    hold_all(world, POSTAL, *names)


def hold_all(world: World, party: str, *names: str) -> None:
    """Authorise persons of a party who hold every office of it."""
    for name in names:
        world.desk(party).perform(partial(grant, name=name, named=offices_of(party)), actor=party)


def mailer(world: World, name: str = MAILROOM, *, provider: str = HARBOR, deposit: int = 0, reset: int = 0) -> Journeys:
    """License a mailer and lease it a device; deposit and reset where amounts (dollars) are given."""
    journeys = Journeys(world, name)
    journeys.apply(Applicant(), provider=provider)
    journeys.lease()
    if deposit:
        journeys.deposit(Mills.dollars(deposit))
    if reset:
        journeys.reset(Mills.dollars(reset))
    return journeys
