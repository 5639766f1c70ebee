"""Examinations and cases (P050 2.6, 502.14, 502.20(f), 502.20(i), 502.20(j)).

Mail rooms: 23 examined, and out while an order waits; 24 an older copy, released; 25 an older copy, retired; 26 failed.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import procedure, scene, shows
from towncircle.cli.demo.regulation.scenes.devices import break_down
from towncircle.cli.demo.regulation.scenes.licenses import withdraw
from towncircle.cli.demo.regulation.town import PROVIDER, refused
from towncircle.cli.demo.stage import expect
from towncircle.world import examinations, returning

if TYPE_CHECKING:
    from pathlib import Path

    from towncircle.cli.demo.regulation.town import Town
    from towncircle.world.journeys import Journeys

_STAFF = ("officer-17", "officer-23")

procedure(
    "A case is opened, worked on and closed",
    "provider case.closed",
    "provider case.opened",
    "provider case.step",
    "postal case.opened",
    "postal case.closed",
    clause="502.14, 502.20(i)",
)


@shows(
    160,
    "A device is examined and found regular",
    "postal examination.found outcome=regular",
    "postal examination.ordered",
    "provider examination.passed",
    "licensee examination.answered",
    "provider examination.returned",
    clause="P050 2.6",
)
def examined(town: Town) -> None:
    """Examine a device where it stands."""
    journeys = town.room(23)
    town.connect(journeys)
    examinations.examine(town.world, journeys.device)


@shows(
    162,
    "An order of examination lapses because its device goes out of service",
    "postal examination.lapsed",
    clause="P050 2.6",
)
def lapsed(town: Town) -> None:
    """Order an examination, and have the device given back before its host asks."""
    examinations.order(town.world, town.room(23).device)
    withdraw(town, 23, "no longer wanted")


def _copied(town: Town, number: int) -> Journeys:
    """Copy a device's memory, let it work on, and put the older copy in its place."""
    journeys = town.room(number)
    town.connect(journeys)
    town.fund(journeys)
    town.world.shelf.close()
    shutil.copytree(town.world.shelf.folder_of(journeys.device), _away(town, number))
    town.print(journeys)
    town.connect(journeys)
    _swap(town, number)
    town.rests(journeys)
    return journeys


def _away(town: Town, number: int) -> Path:
    return town.world.folder / f"copy of {number}"


def _swap(town: Town, number: int) -> None:
    folder, away = town.world.shelf.folder_of(town.room(number).device), _away(town, number)
    town.world.shelf.close()
    middle = away.with_suffix(".middle")
    folder.rename(middle)
    away.rename(folder)
    middle.rename(away)


def _case(town: Town, number: int) -> str:
    device = town.room(number).device
    (case,) = [
        one.record.key
        for one in examinations.cases_of(town.world)
        if one.party == PROVIDER and one.record.body["device"] == device
    ]
    return case


@scene(165)
def copy_restored(town: Town) -> None:
    """Restore older copies of two devices, as a bad backup does."""
    _copied(town, 24)
    _copied(town, 25)


@shows(
    166,
    "A device that comes back older is frozen and a case at both ends",
    "provider device.frozen",
    "provider custody.suspect",
    "postal case.opened",
    clause="502.14(b), 502.20(j)",
)
def frozen(town: Town) -> None:
    """Connect the copies: both are frozen."""
    for number in (24, 25):
        with refused("provider.frozen"):
            town.room(number).contact()


@shows(
    167,
    "A transfer from a suspect device is refused",
    "licensee transfer.refused",
    clause="P050 2.6",
)
def transfer_refused(town: Town) -> None:
    """Ask for the balance of a frozen device, by two persons, in vain."""
    journeys = town.room(24)
    town.authorise(journeys.licensee, "dora", "emil")
    returning.request_transfer(journeys, by="dora", reason="it is frozen")
    with refused("provider.frozen"):
        returning.approve_transfer(journeys, by="emil")


@shows(
    168,
    "A frozen device is examined: the copy irregular, the real one regular; it is released by two persons",
    "provider case.closed outcome=released",
    "postal examination.found outcome=irregular",
    clause="P050 2.6, 502.14(b)",
)
def released(town: Town) -> None:
    """Examine the copy, then the real device, and release it."""
    journeys = town.room(24)
    examinations.examine(town.world, journeys.device)
    _swap(town, 24)
    told = examinations.examine(town.world, journeys.device)
    expect(told.record.body["outcome"] == "regular", f"the examination is {told.record.body['outcome']}")
    examinations.close(
        town.world, _case(town, 24), outcome="released", reason="The copy was destroyed.", approved_by=_STAFF
    )
    shutil.rmtree(_away(town, 24))
    town.rests(journeys, until_told=False)
    town.connect(journeys)


@shows(
    170,
    "A suspect device is retired by two persons and goes out of service",
    "provider case.closed outcome=retired",
    "postal device.retired",
    clause="P050 2.6, 502.20(f)",
)
def retired(town: Town) -> None:
    """Retire the other device; it is given back for examination, and another is leased."""
    journeys = town.room(25)
    _swap(town, 25)
    shutil.rmtree(_away(town, 25))
    examinations.close(
        town.world, _case(town, 25), outcome="retired", reason="Nobody can say which is real.", approved_by=_STAFF
    )
    withdraw(town, 25, "retired")
    town.equip(journeys)
    town.rests(journeys, until_told=False)


@shows(
    180,
    "A device that failed answers no examination",
    "postal examination.unanswered",
    clause="P050 2.7, 502.20(f)",
)
def failed(town: Town) -> None:
    """Let a self-test of a device fail, examine it in vain, and retire it."""
    journeys = town.room(26)
    town.connect(journeys)
    device = journeys.device
    break_down(town, device)
    examinations.examine(town.world, device)
    examinations.close(town.world, _case(town, 26), outcome="retired", reason="It signs nothing.", approved_by=_STAFF)
    withdraw(town, 26, "it failed")
    town.equip(journeys)
