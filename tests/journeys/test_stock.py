"""Devices before their lease: made, inspected, in stock or rejected, told of in the inventory, taken by a lease."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, mailer, new_world, refused, reopened

from towncircle.auditor import audit
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import MemoryStore
from towncircle.licensee import halves, missing, promises
from towncircle.pki.verifying import read_certificate
from towncircle.postal import unissued
from towncircle.postal.certificates import certificates_of
from towncircle.provider import leasing
from towncircle.provider.handovers import receive
from towncircle.provider.upkeep import scrap
from towncircle.psd.states import ZEROISED
from towncircle.world import leases
from towncircle.world.config import POSTAL
from towncircle.world.custody import inspect, manufacture, send_back, stock_of
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.population import reconcile
from towncircle.world.returning import withdraw
from towncircle.world.trust import load_trust
from towncircle.world.world import World


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
    assert {(row[0], row[1]) for row in rows} == {(two, "leased"), (one, "stocked"), (three, "scrapped"), (four, "new")}
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


def test_the_device_in_use_is_the_one_leased_last_whatever_its_number(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    one, two, three = (DeviceId(row.key) for row in manufacture(world, HARBOR, 3))
    inspect(world, HARBOR, three)
    journeys = mailer(world)
    for earlier, later in ((three, two), (two, one)):
        assert journeys.device == earlier
        inspect(world, HARBOR, later)
        withdraw(journeys, reason="an older one is wanted")
        assert journeys.lease().device == journeys.device == later
    with world.store(MAILROOM).transaction() as tx:  # as the release before wrote them
        for row in tx.find("device"):
            body = {name: value for name, value in row.body.items() if name != promises.LEASED}
            tx.put("device", row.key, body, owner=row.owner, expected=row.version)
        firsts = [*halves.by_lease(tx)]
    assert [row.key for row in firsts] == [one, two, three]  # by number: that release kept no other order
    for _ in range(3):  # asking for the lease again tells which came last
        journeys.lease()
    assert journeys.device == one
    world.close()


def test_the_half_leased_last_is_the_one_that_stands_in() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        for device, number, half in (("7", 1, ""), ("5", 3, "7"), ("6", 2, "7"), ("9", 4, ""), ("8", 5, "")):
            tx.put("device", device, {promises.LEASED: number, promises.HALF_OF: half}, owner="m", expected=0)
            if device in ("5", "6", "8"):
                found = {"event": missing.RECOVERED, "state": missing.TOLD}
                tx.put("missing", device, found, owner="m", expected=0)
        assert halves.ever_of(tx, "7") == ["6", "5"]
        assert halves.found(tx) == ["8"]
        used = halves.main(tx)
    assert used is not None
    assert used.key == "8"


def refused_half_way(*, certified: bool) -> pytest.MonkeyPatch:
    """Have leases refused while their device is prepared: before or after it was certified."""
    patch, prepare = pytest.MonkeyPatch(), leasing._prepare

    def preparing(*told: Any) -> Iterator[Any]:
        if certified:
            yield from prepare(*told)
        raise Refused("provider.no-license", license="L-1", licensee=MAILROOM)

    patch.setattr(leasing, "_prepare", preparing)
    return patch


def stock(world: World) -> dict[str, str]:
    return {row.key: row.body["custody"] for _, row in stock_of(world)}


def test_a_device_whose_lease_was_refused_half_way_is_free_for_the_next_one(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    (only,) = (DeviceId(row.key) for row in manufacture(world, HARBOR, 1))
    inspect(world, HARBOR, only)
    patch = refused_half_way(certified=False)
    with refused("provider.no-license"):
        mailer(world)
    patch.undo()
    assert stock(world) == {only: "stocked"}
    assert mailer(world, ANNEX).device == only
    assert stock(world) == {}
    world.close()


def certified_in_stock(folder: Path) -> tuple[World, DeviceId]:
    """Make a world with a device in stock that was certified for a lease which was refused."""
    world = new_world(folder)
    (only,) = (DeviceId(row.key) for row in manufacture(world, HARBOR, 1))
    inspect(world, HARBOR, only)
    patch = refused_half_way(certified=True)
    with refused("provider.no-license"):
        mailer(world)
    patch.undo()
    return world, only


def test_a_device_that_was_certified_is_free_for_its_license_only(tmp_path: Path) -> None:
    world, one = certified_in_stock(tmp_path / "world")
    assert mailer(world, ANNEX).device != one  # its certificates name another license
    assert Journeys(world).lease().device == one
    world.close()


def test_a_device_that_was_certified_is_scrapped_with_its_keys_and_its_certificates_are_revoked(tmp_path: Path) -> None:
    world, two = certified_in_stock(tmp_path / "world")
    assert found(world) == {two: [("population.not-reported", True)]}
    assert revoked(world, two) == [None]
    assert inspect(world, HARBOR, two, reject="It is obsolete.").body["custody"] == "scrapped"
    with world.desk(HARBOR)._bench.client(two) as client:  # type: ignore[union-attr]  # its bench is here
        assert client.status().state == ZEROISED
    with refused("machine.illegal-move"):
        inspect(world, HARBOR, two, reject="It is obsolete.")
    assert found(world) == {two: [("population.not-reported", True)]}
    first = revoked(world, two)
    assert first == ["withdrawn"]
    lists = load_trust(world.folder, world.cabinet, root=bytes.fromhex(world.config.root), now=world.clock.now())
    with world.store(POSTAL).reading() as view:
        serials = {read_certificate(der).serial for row, der in certificates_of(view) if row.key == two}
    assert {*lists.revocations.entries} == serials
    found(world)
    with world.store(POSTAL).reading() as view:  # told again each day, and revoked once
        assert [fact.subject for fact in view.facts() if fact.type == "certificate.revoked"] == [two]
    export(world, tmp_path / "export")
    world.close()
    assert audit(tmp_path / "export").differences == []


def revoked(world: World, device: str) -> list[str | None]:
    """Give for each certificate of a device in the published pack why it is revoked, or None."""
    world.publish()
    rows = [row for row in world.pack().certificates.values() if row.device == device]
    return [row.revoked_reason if row.revoked_at is not None else None for row in rows]


def test_a_device_that_was_made_for_a_refused_lease_is_in_the_books_and_waits_for_its_inspection(
    tmp_path: Path,
) -> None:
    world = new_world(tmp_path / "world")
    patch = refused_half_way(certified=True)
    with refused("provider.no-license"):
        mailer(world)
    patch.undo()
    ((made, custody),) = stock(world).items()
    assert custody == "new"
    ((code, explained),) = found(world)[made]
    assert (code, explained) == ("population.not-reported", True)
    inspect(world, HARBOR, DeviceId(made))
    assert Journeys(world).lease().device == made
    world.close()


def test_a_device_in_stock_is_rejected_and_taken_by_no_lease(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    (only,) = (DeviceId(row.key) for row in manufacture(world, HARBOR, 1))
    inspect(world, HARBOR, only)
    assert inspect(world, HARBOR, only, reject="It fell.").body["custody"] == "scrapped"
    assert mailer(world).device != only
    world.close()


def found(world: World) -> dict[str, list[tuple[str, bool]]]:
    """Reconcile the next day; give what the Postal Service found of each device of the first Provider."""
    world.clock.go(world.clock.after("1d"))
    told: dict[str, list[tuple[str, bool]]] = {}
    for one in dict(reconcile(world))[HARBOR].differences:
        told.setdefault(one.device, []).append((one.code, one.explained))
    return told


def put(world: World, kind: str, device: str, **changes: Any) -> None:
    """Change a record of the Provider behind the program's back."""
    with world.store(HARBOR).transaction() as tx:
        row = tx.get(kind, device)
        assert row is not None
        tx.put(kind, device, {**row.body, **changes}, owner=row.owner, expected=row.version)


@pytest.mark.shows("502.8/4", "PRE-07/3")
def test_a_device_is_told_from_the_day_it_is_made_also_in_the_mail(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    one, two = (DeviceId(row.key) for row in manufacture(world, HARBOR, 2))
    inspect(world, HARBOR, one)
    assert found(world) == {}
    assert register(world) == {one: "stocked", two: "new"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leases, "sign_for", lambda _: None)  # the carrier has it
        assert mailer(world).device == one
    assert found(world) == {one: [("population.not-reported", True)]}
    assert register(world) == {one: "shipped", two: "new"}
    inspect(world, HARBOR, two, reject="It fell.")
    Journeys(world).lease()  # signs for it
    assert found(world).get(two) is None
    assert register(world) == {two: "scrapped"}
    world.close()


@pytest.mark.shows("502.8/4", "PRE-07/3")
def test_a_device_that_came_back_from_the_mail_goes_out_of_service_in_every_book(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leases, "sign_for", lambda _: None)  # nobody signs for the parcel
        journeys = mailer(world)
    device = journeys.device
    assert found(world) == {device: [("population.not-reported", True)]}
    told = withdraw(journeys, reason="the parcel came back")
    assert (told.outcome, told.amount) == ("empty", Mills(0))
    assert found(world) == {}
    assert revoked(world, device) == ["withdrawn"]
    with world.store(POSTAL).reading() as view:
        row = view.get("device", device)
    assert row is not None
    assert (row.body["status"], row.body["licensee"], row.body["pieces"]) == ("withdrawn", MAILROOM, 0)
    assert register(world) == {}
    assert Journeys(world).lease().device != device
    send_back(journeys, device, article="RB-1")
    for job in (partial(receive, device=device, condition="unopened"), partial(scrap, device=device)):
        world.desk(HARBOR).perform(job, actor=HARBOR)
    assert found(world) == {}
    export(world, tmp_path / "export")
    world.close()
    assert audit(tmp_path / "export").differences == []


@pytest.mark.shows("502.8/4", "PRE-07/3")
def test_a_device_that_vanishes_or_is_told_otherwise_than_it_was_certified_is_found(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    one, two, three = (DeviceId(row.key) for row in manufacture(world, HARBOR, 3))
    inspect(world, HARBOR, one)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leases, "sign_for", lambda _: None)
        mailer(world)
    assert not [device for device, rows in found(world).items() for _, explained in rows if not explained]
    license_number = license_of(world, one)
    put(world, "stock", two, custody="taken")  # nobody has leased it
    put(world, "stock", three, custody="scrapped")
    put(world, "device", one, license="20260-999999")
    assert found(world) == {one: [("population.license", False)], two: [("population.not-in-inventory", False)]}
    put(world, "device", one, license=license_number, pieces=3)
    put(world, "stock", three, custody="new")
    assert found(world) == {
        one: [("population.registers", False)],
        two: [("population.not-in-inventory", False)],
        three: [("population.status", False)],
    }
    put(world, "device", one, custody="stocked")  # certified, and told by nobody
    assert found(world)[one] == [("population.not-in-inventory", False)]
    world.close()


def license_of(world: World, device: str) -> str:
    with world.store(HARBOR).reading() as view:
        row = view.get("device", device)
    assert row is not None
    return str(row.body["license"])


def register(world: World) -> dict[str, str]:
    with world.store(POSTAL).reading() as view:
        return {row.key: row.body["custody"] for row in unissued.register(view)}
