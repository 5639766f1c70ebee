"""Missing devices as one walks them in a world (P050 2.8, 502.20(g) and (k), 502.24).

Here: the licensee's report, the Provider's steps at its desk, the return of a recovered device, and what everybody
keeps. Not here: arguments of commands, decisions.
Kept: every step can be walked again after a crash and then finishes what was begun.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.errors import RelayedRefusal
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.licensee import missing as own
from towncircle.provider import incidents
from towncircle.wire.bodies import CheckOutStatement
from towncircle.world import supervising
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.returning import return_device
from towncircle.world.supervising import provider_of
from towncircle.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Hold what a world keeps of missing devices: incidents, reports filed, files sent, statuses in the register."""

    incidents: list[Record]
    filed: list[Record]
    files: list[tuple[str, Record]]
    register: dict[str, tuple[str, Instant]]


def report(
    journeys: Journeys,
    device: DeviceId,
    *,
    event: str,
    place: str,
    details: str,
    at: Instant | None = None,
    police_reference: str = "",
    police_report: bytes = b"",
) -> Record:
    """Report a loss, theft or recovery as the licensee; an interrupted report is finished."""
    journeys.do(
        lambda ctx: own.learn(
            ctx,
            device=device,
            event=event,
            at=at or ctx.now,
            place=place,
            details=details,
            police_reference=police_reference,
            police_report=police_report,
        )
    )
    return tell(journeys, device)


def tell(journeys: Journeys, device: DeviceId) -> Record:
    """Tell what was learned; where the Provider refuses the report itself, nothing was learned."""
    try:
        held: Record = journeys.do(lambda ctx: own.tell(ctx, device=device))
    except RelayedRefusal as refusal:
        code = refusal.code
        if code.startswith(("provider.", "missing.", "machine.")):
            journeys.do(lambda ctx: own.withdraw_report(ctx, device=device, code=code))
        raise
    journeys.world.deliver()
    journeys.world.publish()
    return held


def at_provider(world: World, device: str, job: Callable[[Context], Any], *, by: str = "", act: str = "") -> Any:
    """Do a job at the desk of the Provider that has a device, and bring what it says to the Postal Service.

    With an act, as the person `by`. Raises `Refused` (provider.unknown-device, missing.elsewhere, person.unknown,
    person.other-office).
    """
    provider = provider_of(world, device)
    result = supervising.at_provider(world, provider, job, by=by, act=act)
    world.publish()
    return result


def file_months(world: World, provider: str, period: str = "") -> list[Record]:
    """Send the files that are due: that of a month, or of every month since the first lease that has none."""
    now = world.clock.now()
    with world.store(provider).reading() as view:
        leased = [fact.occurred_at for fact in view.facts() if fact.type == "custody.leased"]
        sent = {row.key for row in view.find("lost-and-stolen-file")}
    due = [period] if period else [month for month in _months(leased[0], now) if month not in sent] if leased else []
    return [supervising.at_provider(world, provider, partial(incidents.file_month, period=month)) for month in due]


def _months(first: Instant, now: Instant) -> list[str]:
    month, last, found = incidents.month_of(first), incidents.month_of(now), []
    while month < last:
        found.append(month)
        day = date.fromisoformat(f"{month}-28").toordinal() + 4
        month = date.fromordinal(day).isoformat()[:7]
    return found


def return_recovered(journeys: Journeys, device: DeviceId) -> CheckOutStatement:
    """Check a recovered device out of service: its balance goes to the account."""
    told: CheckOutStatement = return_device(journeys, device, reason="it was recovered")
    return told


def file_of(record: Record) -> bytes:
    """Give the bytes of a monthly file as they are kept."""
    return base64.b64decode(record.body["file"])


def kept(world: World) -> Kept:
    """Gather what every party keeps of missing devices."""
    found: list[Record] = []
    files: list[tuple[str, Record]] = []
    for provider in world.config.providers:
        with world.store(provider).reading() as view:
            found += view.find("incident")
            files += [(provider, row) for row in view.find("lost-and-stolen-file")]
    with world.store(POSTAL).reading() as view:
        filed = view.find("incident-report")
        register = {row.key: (str(row.body["status"]), Instant(row.body["since"])) for row in view.find("device")}
    return Kept(
        incidents=sorted(found, key=lambda row: (row.body["opened_at"], row.key)),
        filed=filed,
        files=files,
        register=register,
    )
