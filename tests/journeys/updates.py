"""What the stories of updates share: a specimen table, builds that are none of this installation's, facts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from tests.journeys.stories import HARBOR

from towncircle.kernel.money import Mills
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.tariff import Table, first_class_tables
from towncircle.postal import products
from towncircle.psd import integrity
from towncircle.world import updates
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.world import World

FIRST = date(2026, 12, 1)
BY = date(2026, 12, 20)
DEARER = Mills(100)
OTHER, THIRD = "0b" * 32, "0c" * 32


def specimen(first: date = FIRST, *, dearer: Mills = DEARER, id: str = "specimen") -> Table:  # noqa: A002 - a table's id
    """Give a table of no post's: the last one that is known, each line dearer by an amount."""
    last = first_class_tables()[-1]
    lines = tuple(
        replace(
            line, amount=line.amount + dearer, source="a specimen for tests, no published price", confidence="medium"
        )
        for line in last.lines
        if line.amount is not None
    )
    return replace(last, id=id, in_force_from=first, dates_from="a specimen for tests", checked_on=None, lines=lines)


def published(world: World, table: Table | None = None, *, late: str = "") -> int:
    """Publish a specimen and give its number."""
    row = updates.publish_rates(world, HARBOR, rate_files.write(table or specimen()), late=late)
    return int(row.body["number"])


def change_approved(world: World, build: str, *, provider: str = HARBOR, system: str = "TC1A") -> None:
    """Hand a build of an approved system over, have it tested, and authorize it in writing."""
    told = {"provider": provider, "system": system, "build": build, "reference": "FILE-1", "document": "ab" * 32}
    desk = world.desk(POSTAL)
    for step in products.TESTED:
        desk.perform(partial(products.submit, step=step.name, category="stand-alone", **told), actor=POSTAL)
    desk.perform(partial(products.change, **told), actor=POSTAL)


def released(world: World, version: int, build: str = "", *, groups: tuple[str, ...] = (), percent: int = 100) -> None:
    """Approve a build, this installation's by default, and stage it; another one is tested first."""
    if build:
        change_approved(world, build)
    updates.approve_build(
        world, version=version, build=build or integrity.module_digest(), changes=f"version {version}"
    )
    updates.stage(world, HARBOR, version=version, percent=percent, groups=groups, by=BY)


@contextmanager
def installed(build: str) -> Iterator[None]:
    """Let another build run in this process, as after its package was installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(integrity, "running", lambda: bytes.fromhex(build))
        yield


def told(world: World, party: str, *words: str) -> list[str]:
    """Give the kinds of facts that begin with some words, in order."""
    with world.store(party).reading() as view:
        return [fact.type for fact in view.facts() if fact.type.startswith(words)]


def restarted(journeys: Journeys) -> None:
    """Start the licensee's devices again."""
    journeys.world.shelf.close()
