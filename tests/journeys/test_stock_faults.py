"""Devices in stock that nobody can lease: half prepared, damaged, rejected while a lease has them, of an old world."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, mailer, new_world, refused, reopened
from tests.journeys.test_stock import found, put, refused_half_way

from towncircle.kernel.context import Ask, Outside, Reserve
from towncircle.kernel.errors import BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.postal import certificates
from towncircle.provider import leasing, stock
from towncircle.psd.device import Device
from towncircle.testing.rehearsal_world import in_process
from towncircle.world import leases
from towncircle.world.config import STARTS
from towncircle.world.custody import inspect, manufacture, stock_of
from towncircle.world.journeys import Journeys
from towncircle.world.world import Wiring, World


def stocked(world: World, count: int) -> list[DeviceId]:
    """Have devices made and inspected."""
    made = [DeviceId(row.key) for row in manufacture(world, HARBOR, count)]
    for device in made:
        inspect(world, HARBOR, device)
    return made


def at_the_bench(world: World, device: DeviceId, *, reject: str = "") -> None:
    """Inspect or reject a device while a lease goes on: nothing else is delivered meanwhile."""
    world.desk(HARBOR).perform(partial(stock.inspect, device=device, reject=reject), actor=HARBOR)


def faults(world: World) -> dict[str, str]:
    return {row.key: str(row.body.get("fault", "")) for _, row in stock_of(world)}


@contextmanager
def uncertified() -> Iterator[None]:
    """Have the Postal Service refuse the certificates of every device."""

    def no(_ctx: object, provider: str, system: Any) -> None:
        raise Refused("product.build-not-approved", system=system.system, provider=provider, build="x")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "check_system", no)
        yield


def rejected(world: World, device: DeviceId) -> str:
    """Reject a device; give how its keys went where it did not destroy them by command."""
    assert inspect(world, HARBOR, device, reject="It is damaged.").body["custody"] == "scrapped"
    with world.store(HARBOR).reading() as view:
        fact = [one for one in view.facts() if one.subject == device][-1]
    assert fact.type in ("custody.scrapped", "custody.rejected")
    return str(fact.body.get("keys", ""))


def test_a_device_whose_key_report_has_run_out_holds_up_nobody(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    one, two, three = stocked(world, 3)
    with uncertified(), refused("product.build-not-approved"):
        mailer(world)
    world.clock.go(world.clock.after("1h"))
    assert mailer(world, ANNEX).device == one  # its key report is still good
    world.clock.go(world.clock.after("1s"))
    with uncertified(), refused("product.build-not-approved"):
        Journeys(world).lease()
    world.clock.go(world.clock.after("2d"))
    assert Journeys(world).lease().device == three
    assert faults(world) == {two: "custody.inspection-failed"}
    assert rejected(world, two) == ""
    world.close()


def test_a_damaged_device_holds_up_nobody_and_can_be_rejected(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    one, two = stocked(world, 2)
    world.close()
    (tmp_path / "world" / "devices" / one / "device.sqlite").write_bytes(b"garbage" * 1000)
    world = reopened(tmp_path / "world")
    with pytest.raises(TowncircleError) as caught:
        mailer(world)
    assert caught.value.code == "psd.store-damaged"
    assert faults(world) == {one: "psd.store-damaged", two: ""}
    assert Journeys(world).lease().device == two
    with pytest.raises(BrokenInvariant):
        inspect(world, HARBOR, one)
    assert rejected(world, one) == stock.WITH_IT
    world.close()


def test_a_device_that_refused_is_leased_after_another_inspection(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    (one,) = stocked(world, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leasing, "_prepare", failed)
        with refused("psd.store-failed"):
            mailer(world)
    assert faults(world) == {one: "psd.store-failed"}
    assert inspect(world, HARBOR, one).body["custody"] == "stocked"
    assert Journeys(world).lease().device == one
    world.close()


def failed(_ctx: object, _device: DeviceId, *_: object) -> Iterator[Any]:
    raise Refused("psd.store-failed", what="it cannot be written")
    yield


class Outage:
    """Reach the devices of a world in this process, but for those that are `away`."""

    def __init__(self, folder: Path) -> None:
        World.create(folder, regime="imi-2024", seed=3, start=Instant.parse(STARTS["imi-2024"])).close()
        self._make, self.away, self.code = in_process(folder), set[str](), "transport.unreachable"
        self.world = World.open(folder, Wiring(make_port=self.open))

    def open(self, place: Path) -> Device:
        if place.name in self.away:
            told = {"audience": "the host", "what": "ConnectionRefusedError", "path": place, "seconds": 1}
            raise Refused(self.code, **told)
        return self._make(place)

    def begin(self, *devices: str) -> None:
        """Have just these be away from now on."""
        self.away = set(devices)
        self.world.shelf.close()


@pytest.mark.parametrize("code", sorted(stock.NOT_REACHED))
def test_a_device_in_stock_whose_host_is_away_is_passed_over_and_is_no_faulty_one(tmp_path: Path, code: str) -> None:
    outage = Outage(tmp_path / "world")
    outage.code, world = code, outage.world
    one, two, three = stocked(world, 3)
    outage.begin(one)
    assert mailer(world).device == two
    assert faults(world) == {one: "", three: ""}
    assert {row.key: row.body["unreached"] for _, row in stock_of(world)} == {one: code, three: ""}
    with world.store(HARBOR).reading() as view:
        told = [(fact.subject, fact.body["code"]) for fact in view.facts() if fact.type == "device.not-reached"]
    assert told == [(one, code)]
    outage.begin(one, three)
    with refused(code):  # nobody in stock answers, and the one that is made for it does not either
        outage.away |= {f"{one[:4]}{4:010d}"}
        mailer(world, ANNEX)
    outage.begin()
    journeys = Journeys(world, ANNEX)
    leased = journeys.lease().device
    assert set(faults(world).values()) == {""}
    assert {one, three} - {leased} <= set(faults(world))
    assert {name: rows for name, rows in found(world).items() if rows != [("population.not-reported", True)]} == {}
    world.close()


@pytest.mark.parametrize("code", sorted(stock.AT_WORK))
def test_a_device_in_stock_that_somebody_is_at_is_not_passed_over_and_its_lease_comes_again(
    tmp_path: Path, code: str
) -> None:
    outage = Outage(tmp_path / "world")
    outage.code, world = code, outage.world
    one, two = stocked(world, 2)
    outage.begin(one)
    for _ in range(2):
        with refused("desk.device-busy"):
            leasing_again(world)
        assert unreached(world) == {one: "", two: ""}
    assert mailer(world, ANNEX).device == two  # it waits for its own, and takes no other one's
    outage.begin()
    world.deliver()  # the message that waits
    assert Journeys(world).lease().device == one
    assert stock_of(world) == []
    world.close()


def test_a_lease_that_has_begun_with_a_device_keeps_it_whatever_a_second_walk_of_it_meets(tmp_path: Path) -> None:
    outage = Outage(tmp_path / "world")
    world = outage.world
    one, two = stocked(world, 2)
    patch = stopped_after(Ask)
    with refused("transport.unreachable"):
        mailer(world)
    patch.undo()
    assert {*stock.NOT_REACHED} < stock.AWAY
    for code in sorted(stock.AWAY):
        outage.code = code
        outage.begin(one)
        with refused("desk.device-busy"):
            Journeys(world).lease()
        assert unreached(world) == {one: "", two: ""}
    outage.begin()
    assert Journeys(world).lease().device == one
    assert mailer(world, ANNEX).device == two
    world.close()


def test_a_device_that_a_lease_began_with_and_that_stays_away_is_passed_over_in_the_end(tmp_path: Path) -> None:
    outage = Outage(tmp_path / "world")
    world = outage.world
    one, two = stocked(world, 2)
    patch = stopped_after(Ask)
    with refused("transport.unreachable"):
        mailer(world)
    patch.undo()
    outage.begin(one)
    with refused("desk.device-busy"):
        Journeys(world).lease()
    world.clock.go(world.clock.after("11m"))
    assert Journeys(world).lease().device == two
    assert unreached(world) == {one: "transport.unreachable"}
    world.close()


def test_what_the_slower_of_two_walks_of_a_lease_has_taken_besides_is_free_for_another(tmp_path: Path) -> None:
    outage = Outage(tmp_path / "world")
    world = outage.world
    one, two = stocked(world, 2)
    prepare, taken, answered = leasing._prepare, Event(), Event()
    answers: list[bytes] = []

    def second() -> None:
        with world.store(MAILROOM).reading() as view:
            (row,) = [row for row in view.find("outgoing", owner="waiting") if row.key.startswith("lease ")]
        answers.append(world.desk(HARBOR).receive(base64.b64decode(row.body["raw"])))

    walk = Thread(target=second)

    def meanwhile() -> None:
        outage.begin(one)
        walk.start()
        assert taken.wait(20)
        outage.begin()

    def preparing(*told: Any) -> Iterator[Any]:
        if told[1] == one:
            yield Outside(meanwhile)
        else:
            taken.set()
            yield Outside(lambda: answered.wait(20))
        return (yield from prepare(*told))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leasing, "_prepare", preparing)
        assert mailer(world).device == one
        answered.set()
        walk.join(20)
    world.shelf.close()
    with world.store(MAILROOM).reading() as view:
        (row,) = [row for row in view.find("outgoing", owner="answered") if row.key.startswith("lease ")]
    assert answers == [base64.b64decode(row.body["reply"])]
    assert mailer(world, ANNEX).device == two
    world.close()


def leasing_again(world: World) -> None:
    """Lease as the same mailer does who asks a second time."""
    with world.store(MAILROOM).reading() as view:
        known = view.find("license")
    (Journeys(world).lease if known else partial(mailer, world))()


def unreached(world: World) -> dict[str, str]:
    return {row.key: str(row.body["unreached"]) for _, row in stock_of(world)}


def stopped_after(kind: type) -> pytest.MonkeyPatch:
    """Have the way to the parties end once a device's certificates were asked for, or after that answer."""
    patch, prepare = pytest.MonkeyPatch(), leasing._prepare

    def preparing(*told: Any) -> Iterator[Any]:
        steps, answer, asked = prepare(*told), None, False
        while True:
            question = steps.send(answer)
            if asked or (kind is Ask and isinstance(question, Ask)):
                raise Refused("transport.unreachable", party="postal.usps", why="the line is down")
            asked = isinstance(question, Ask)
            answer = yield question

    patch.setattr(leasing, "_prepare", preparing)
    return patch


@pytest.mark.parametrize("certified", [True, False])
def test_a_lease_that_waits_longer_than_a_day_costs_no_device(tmp_path: Path, *, certified: bool) -> None:
    world = new_world(tmp_path / "world")
    one, two = stocked(world, 2)
    patch = stopped_after(object if certified else Ask)
    with pytest.raises(TowncircleError):
        mailer(world)
    patch.undo()
    world.clock.go(world.clock.after("30h"))
    journeys = Journeys(world)
    journeys.settle()
    journeys.lease()
    # one that was never certified has a key report that nobody takes any more: it is passed over, and told of
    assert journeys.device == (one if certified else two)
    assert faults(world) == ({two: ""} if certified else {one: "custody.inspection-failed"})
    world.close()


def test_a_device_that_is_being_rejected_is_taken_by_no_lease(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    one, two = stocked(world, 2)
    patch = refused_half_way(certified=False)
    with refused("provider.no-license"):
        mailer(world)
    patch.undo()
    leased, destroy = [], stock._destroy

    def meanwhile(client: Any) -> bool:
        leased.append(mailer(world, ANNEX).device)  # one would be the next
        return destroy(client)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stock, "_destroy", meanwhile)
        assert rejected(world, one) == ""
    assert leased == [two]
    world.close()


@pytest.mark.parametrize("code", ["custody.inspection-failed", "custody.not-in-stock"])
def test_a_lease_whose_device_is_rejected_meanwhile_ends_and_the_next_takes_another(tmp_path: Path, code: str) -> None:
    world = new_world(tmp_path / "world")
    one, two = stocked(world, 2)
    prepare = leasing._prepare

    def preparing(*told: Any) -> Iterator[Any]:
        issued = yield from prepare(*told)
        if code == "custody.not-in-stock":  # the keys are still there: that rejection stopped half-way
            yield Reserve(stock._claim(one), stock._claim(one))
        elif told[1] == one:
            yield Outside(lambda: at_the_bench(world, one, reject="It fell."))
        return issued

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leasing, "_prepare", preparing)
        with refused(code):
            mailer(world)
    assert Journeys(world).lease().device == two
    if code == "custody.not-in-stock":
        assert [row.key for _, row in stock_of(world)] == [one]
        assert rejected(world, one) == ""
    assert stock_of(world) == []
    world.close()


def test_a_device_that_was_inspected_while_its_lease_went_on_is_no_other_licenses(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    made: list[str] = []
    prepare = leasing._prepare

    def preparing(*told: Any) -> Iterator[Any]:
        made.append(told[1])
        if len(made) == 1:
            yield Outside(lambda: at_the_bench(world, told[1]))
        yield from prepare(*told)
        raise Refused("provider.no-license", license="L-1", licensee=MAILROOM)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leasing, "_prepare", preparing)
        with refused("provider.no-license"):
            mailer(world)
    assert mailer(world, ANNEX).device != made[0]
    assert Journeys(world).lease().device == made[0]
    world.close()


def test_a_certified_device_of_the_release_before_is_told_of_and_can_be_rejected(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    patch = refused_half_way(certified=True)
    patch.setattr(stock, "give_back", lambda *_, **__: None)  # that release kept no word of it
    with refused("provider.no-license"):
        mailer(world)
    patch.undo()
    with world.store(HARBOR).transaction() as tx:
        (held,) = [row for row in tx.find("reserved") if "about" in row.body]
        tx.put("reserved", held.key, {"number": held.body["number"]}, owner=held.owner, expected=held.version)
    ((_, row),) = stock_of(world)
    device = DeviceId(row.key)
    assert found(world) == {device: [("population.not-reported", True)]}
    with refused("custody.inspection-failed"):
        inspect(world, HARBOR, device)  # nobody knows for whom it was certified
    assert rejected(world, device) == ""
    assert found(world) == {device: [("population.not-reported", True)]}
    world.close()


@pytest.mark.shows("502.8/4", "PRE-07/3")
def test_a_device_that_vanishes_on_its_way_is_explained_by_nothing(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    one, two = stocked(world, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leases, "sign_for", lambda _: None)  # the carrier has it
        mailer(world)
    explained, bad = [("population.not-reported", True)], [("population.status", False)]
    assert found(world) == {one: explained}
    for custody, told in (
        ("returned", explained),
        ("missing", explained),
        ("leased", explained),
        ("leased", bad),  # the installation is told before the inventory
        ("lost", bad),
        ("stolen", bad),
        ("checked out", bad),
        ("scrapped", bad),
        ("shipped", explained),
    ):
        put(world, "device", one, custody=custody)
        assert found(world) == {one: told}, custody
    put(world, "stock", two, custody="new")  # it was in stock
    assert found(world)[two] == bad
    world.clock.go(world.clock.after("28d"))
    world.publish()
    for custody in ("shipped", "missing"):
        put(world, "device", one, custody=custody)
        assert found(world)[one] == [("population.not-reported", False)]
    world.close()
