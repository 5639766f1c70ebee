"""Rate tables and software as one walks them in a world: publishing, approving, staging, and taking them (IMI-03).

Here: the order of the steps at each desk. Not here: decisions.
Kept: every step can be walked again after a kill and then goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record
from towncircle.licensee import downloads
from towncircle.postal import builds
from towncircle.postal import rates as postal_rates
from towncircle.provider import rates, software
from towncircle.world.config import POSTAL
from towncircle.world.filings import keep_refusals
from towncircle.world.supervising import as_person

if TYPE_CHECKING:
    from towncircle.world.journeys import Journeys
    from towncircle.world.world import World

_OFFICER, RATES_OFFICER = "crypto-officer", "officer"


@cites("IMI-03/2")
def publish_rates(world: World, provider: str, file: bytes, *, late: str = "", person: str = RATES_OFFICER) -> Record:
    """Publish a rate file as a Provider, and file it with the Postal Service; `refused` says where that refused it."""
    job = partial(rates.publish, file=file, rules=world.rules, late=late)
    row = _at(world, provider, job, person=person, act="rates publish")
    return keep_refusals(world, provider).get(row.key, row)


@cites("P050-1.5")
def accept_rates(world: World, provider: str, number: int, *, person: str = "manager-mtm") -> Record:
    """Accept a table that a Provider filed, as the Postal Service."""
    job = partial(postal_rates.accept, provider=provider, number=number)
    return _at(world, POSTAL, job, person=person, act="rates accept")


@cites("P050-1.5")
def withdraw_rates(
    world: World, provider: str, number: int, *, through: date, reasons: str, person: str = "manager-mtm"
) -> Record:
    """Withdraw the acceptance of a table after a mailing date, as the Postal Service; its Provider gets notice."""
    told: dict[str, Any] = {"provider": provider, "number": number, "through": through, "reasons": reasons}
    job = partial(postal_rates.withdraw, **told, rules=world.rules)
    row = _at(world, POSTAL, job, person=person, act="rates withdraw")
    world.publish()
    return row


@cites("IMI-03/1")
def approve_build(world: World, *, version: int, build: str, changes: str, person: str = "manager-mtm") -> Record:
    """Approve a build for the model of this world's Providers, and send them the approval."""
    from towncircle.world.parties import product_of

    product = product_of(world.config.regime, b"")
    chain = tuple(world.cabinet.certificate(name).der for name in (POSTAL, "authority", "root"))
    told: dict[str, Any] = {"version": version, "build": build, "changes": changes, "chain": chain}
    told |= {"model": f"{product.vendor}{product.model}", "regime": product.regime}
    job = partial(builds.approve, **told, providers=world.config.providers)
    return _at(world, POSTAL, job, person=person, act="software approve")


@cites("IMI-03/1")
def stage(
    world: World,
    provider: str,
    *,
    version: int,
    percent: int,
    groups: Iterable[str],
    by: date,
    person: str = _OFFICER,
) -> Record:
    """Choose devices of a Provider for a release."""
    job = partial(software.stage, version=version, percent=percent, groups=tuple(groups), install_by=by)
    return _at(world, provider, job, person=person, act="software stage")


def halt(world: World, provider: str, *, version: int, reason: str, person: str = _OFFICER) -> Record:
    """Stop a release of a Provider."""
    job = partial(software.halt, version=version, reason=reason)
    return _at(world, provider, job, person=person, act="software halt")


@cites("IMI-02/3")
def connect(journeys: Journeys, device: DeviceId) -> str:
    """Take what waits for a device and its host; while a job is open it waits for the next connection.

    Gives the device's words where it took an order.
    """
    try:
        return take(journeys, device)
    except Refused as refusal:
        if refusal.code != "updates.batch-open":
            raise
        return ""


@cites("IMI-02/3", "IMI-03/1", "IMI-03/2")
def take(journeys: Journeys, device: DeviceId) -> str:
    """Take what waits for a device and its host. Raises `Refused` (updates.batch-open) while a job is open."""
    while journeys.do(lambda ctx: downloads.fetch(ctx, device=device)):
        pass
    words = str(journeys.do(lambda ctx: downloads.install(ctx, device=device)))
    journeys.do(lambda ctx: downloads.tell(ctx, device=device))
    return words


def change_log(journeys: Journeys, device: DeviceId) -> list[tuple[int, str, str]]:
    """Give the versions that a device has taken: number, how it stands, what is new; the newest first."""
    status = journeys.status_of(device)
    with journeys.world.store(journeys.licensee).reading() as view:
        row = view.get("downloads", device)
    known = row.body["log"] if row is not None else []
    words = {status.software_version: "in use", status.software_next: "waits for the next start"}
    return [(version, words.get(version, "replaced"), text) for version, text in reversed(known)]


def _at(world: World, party: str, job: Callable[[Context], Any], *, person: str = "", act: str = "") -> Record:
    if party not in world.desks:
        raise Refused("missing.elsewhere", provider=party)
    named, actor = as_person(party, job, by=person, act=act)
    record: Record = world.desk(party).perform(named, actor=actor)
    world.deliver()
    return record
