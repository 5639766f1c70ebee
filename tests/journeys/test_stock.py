"""Devices before their lease: made, inspected, in stock or rejected, told of in the inventory, taken by a lease."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journeys.stories import ANNEX, HARBOR, mailer, new_world, refused, reopened

from towncircle.auditor import audit
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId
from towncircle.provider import leasing
from towncircle.world.config import POSTAL
from towncircle.world.custody import inspect, manufacture, stock_of
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys


def test_a_lease_takes_the_device_that_is_longest_in_stock_and_the_inventory_knows_the_others(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    one, two, three, four = (DeviceId(row.key) for row in manufacture(world, HARBOR, 4))
    assert inspect(world, HARBOR, two).body["custody"] == "stocked"
    assert inspect(world, HARBOR, one).body["custody"] == "stocked"
    assert inspect(world, HARBOR, three, reject="Its case is cracked.").body["custody"] == "scrapped"
    with refused("machine.illegal-move"):
        inspect(world, HARBOR, three)
    assert [(row.key, row.body["custody"]) for _, row in stock_of(world)] == [
        (one, "stocked"),
        (two, "stocked"),
        (four, "new"),
    ]
    first = mailer(world, deposit=300, reset=100)
    assert first.device == two
    world.advance("2d")
    with world.store(HARBOR).reading() as view:
        rows = view.find("inventory")[-1].body["rows"]
        found = [fact for fact in view.facts() if fact.type == "inventory.reconciled"]
    assert {(row[0], row[1]) for row in rows} == {(two, "leased"), (one, "stocked"), (four, "new")}
    assert {fact.body["unexplained"] for fact in found} == {0}
    with world.store(POSTAL).reading() as view:
        differing = [row.body["differences"] for row in view.find("inventory", owner=HARBOR)][-1]
    assert {str(one[0]) for one in differing} <= {two}  # of those in stock nothing is missed
    assert mailer(world, ANNEX).device == one
    world.clock.go(world.clock.after("1s"))
    with refused("custody.not-in-stock"):
        inspect(world, HARBOR, one)
    with pytest.raises(BadInput):
        manufacture(world, HARBOR, 0)
    export(world, tmp_path / "export")
    world.close()
    assert audit(tmp_path / "export").differences == []


def test_without_a_stock_a_lease_has_its_device_made(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    (made,) = manufacture(world, HARBOR, 1)  # not inspected yet
    leased = mailer(world).device
    assert leased != made.key
    inspect(world, HARBOR, DeviceId(made.key))
    assert mailer(world, ANNEX).device == made.key
    world.close()


def test_a_lease_that_is_walked_again_takes_the_last_device_in_stock_again(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    (only,) = (DeviceId(row.key) for row in manufacture(world, HARBOR, 1))
    inspect(world, HARBOR, only)

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leasing, "_prepare", stopped)  # between the choice and the lease
        with pytest.raises(KeyboardInterrupt):
            mailer(world)
    world.close()
    world = reopened(tmp_path / "world")
    journeys = Journeys(world)
    journeys.settle()
    assert journeys.lease().device == only
    assert [row.key for _, row in stock_of(world)] == []
    world.close()
