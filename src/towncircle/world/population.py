"""The daily round: the register notes what ended, Providers tell inventories and books, hosts fetch their notices.

Here: the round of a day, the findings as the Postal Service keeps them, the life of a device. Not here: the
comparisons (`postal.reconciling`, `postal.daily`), the notices (`world.notices`).
The files of lost or stolen devices go on the first of each month, also when a world's time is moved on past it.
Kept: a day is told once, in the zone of headquarters; what was written down and not told yet goes first, so that no
number is left out; one Provider's refusal keeps no other from its inventory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.postal.decertification import decertify
from towncircle.provider import daily as books
from towncircle.provider import inventories
from towncircle.rules.calendars import start_of_day
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import DailyFinding, InventoryFinding
from towncircle.world.config import POSTAL
from towncircle.world.filings import file_rates
from towncircle.world.notices import fetch_all

F = TypeVar("F", InventoryFinding, DailyFinding)

if TYPE_CHECKING:
    from towncircle.world.desk import Desk
    from towncircle.world.world import World


def reconcile(world: World) -> Iterator[tuple[str, InventoryFinding]]:
    """Have each Provider at home here tell today's inventory; give each finding, the first one where it was told.

    A Provider's refusal is noted and raised after the others were asked.
    """
    return _each(world, _told)


def reconcile_books(world: World) -> Iterator[tuple[str, DailyFinding]]:
    """Have each Provider at home here tell its daily financial file; give each finding.

    A Provider's refusal is raised after the others were asked.
    """
    return _each(world, _told_books)


def _each(world: World, told: Callable[[Desk, str, str], F]) -> Iterator[tuple[str, F]]:
    day = today(world)
    trouble: list[Refused | BadInput] = []
    for provider in world.config.providers:
        if provider in world.desks:
            try:
                finding = told(world.desk(provider), provider, day)
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


def _told_books(desk: Desk, provider: str, day: str) -> DailyFinding:
    """Have a Provider tell the files that it wrote down and did not tell yet, and that of a day; give its finding."""
    desk.perform(lambda ctx: books.write_down(ctx, day=day), actor=provider)
    waiting: list[str] = desk.perform(books.untold, actor=provider)
    for one in (*waiting, day):
        finding: DailyFinding = desk.perform(partial(books.tell, day=one), actor=provider)
    return finding


def daily(world: World) -> None:
    """Make the round of today; what cannot be reached now is made up for by the next one."""
    from towncircle.world.labels import renew  # it asks journeys, which make this round

    renew(world)
    try:
        note_decertified(world)
        send_monthly_files(world)
        file_rates(world)
        for told in (reconcile, reconcile_books):
            with suppress(Refused, BadInput):  # noted at its Provider
                for _ in told(world):
                    continue
    finally:
        fetch_all(world)


def note_decertified(world: World) -> None:
    """Have the Postal Service at home here note which devices of its register are decertified or out of time."""
    if POSTAL in world.desks:
        world.desk(POSTAL).perform(lambda ctx: decertify(ctx, world.rules), actor=POSTAL)


@cites("502.20k", "502.24d/2")
def send_monthly_files(world: World) -> None:
    """Have each Provider at home here send the files of lost or stolen devices that are due and were not sent."""
    from towncircle.world.missing import file_months  # it asks journeys, which make this round

    for provider in world.config.providers:
        if provider in world.desks:
            with suppress(Refused, BadInput):  # it is due still, and sent by the next round
                file_months(world, provider)


def firsts_between(now: Instant, then: Instant) -> Iterator[Instant]:
    """Give the beginning of each first of a month between two instants, at headquarters."""
    day = now.date_in(HEADQUARTERS)
    while True:
        day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        first = start_of_day(day, HEADQUARTERS)
        if first >= then:
            return
        yield first


def today(world: World) -> str:
    """Give the day at headquarters."""
    return world.clock.now().date_in(HEADQUARTERS).isoformat()


@cites("502.8/7")
def life_of(world: World, device: str) -> list[dict[str, str]]:
    """Give the life of a device as the Postal Service's journal has it: each fact with its instant and clause.

    Raises `Refused` (postal.unknown-device).
    """
    with world.store(POSTAL).reading() as view:
        facts = [fact for fact in view.facts() if device in (fact.subject, fact.body.get("device"))]
    if not facts:
        raise Refused("postal.unknown-device", device=device[:20], provider="any Provider")
    return [
        {"at": fact.occurred_at.iso(), "what": fact.type, "clause": ", ".join(fact.clauses), "by": fact.actor}
        for fact in facts
    ]
