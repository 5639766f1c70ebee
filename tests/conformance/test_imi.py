"""The duties of Intelligent Mail Indicia at hosts and in fleets: each is broken, and the refusal names its clause."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.conformance.breaking import answered, refused
from tests.journeys.stories import HARBOR, MAILROOM, SUMMIT
from tests.journeys.test_journeys import PEOPLE
from tests.journeys.updates import FIRST, OTHER, installed, published, released, specimen
from tests.parties.hand import Hand

from towncircle.kernel import persons
from towncircle.kernel.context import Context
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import Mills
from towncircle.licensee import departments, funds, pins, rates
from towncircle.mailpiece import rate_files
from towncircle.wire import bodies
from towncircle.wire.message import Opened
from towncircle.world import updates
from towncircle.world.config import POSTAL
from towncircle.world.departments import Payer, prove
from towncircle.world.journeys import Journeys
from towncircle.world.world import World


def allowed(journeys: Journeys, person: str, job: JobId) -> None:
    journeys.do(lambda ctx: departments.check_person(ctx, department="mailroom", person=person, job=job))


@pytest.mark.requirement("IMI-05/3")
def test_without_the_pin_nobody_incurs_expense_for_a_department(journeys: Journeys) -> None:
    job = journeys.new(JobId.new)
    journeys.do(lambda ctx: persons.authorise(ctx, name="ann"))
    journeys.do(lambda ctx: departments.admit(ctx, department="mailroom", name="ann", admitted=True))
    journeys.do(lambda ctx: pins.set_pin(ctx, name="ann", pin="27182"))
    for person, code in (("", "department.pin-needed"), ("ann", "pin.needed")):
        with refused("IMI-05", code):
            allowed(journeys, person, job)
    for _ in range(pins.MOST_TRIES):
        with refused("IMI-05", "pin.wrong"):
            prove(journeys, Payer(person="ann", pin="31415"), job=job)
    with refused("IMI-05", "pin.wait"):
        prove(journeys, Payer(person="ann", pin="27182"), job=job)


# ---- what comes down with a connection


@pytest.mark.requirement("IMI-02/3", "502.22b")
def test_a_host_that_connects_and_downloads_nothing_is_denied_postage(journeys: Journeys) -> None:
    published(journeys.world)
    for _ in range(4):
        journeys.world.advance("60h")
        journeys.do(lambda ctx: funds.contact(ctx, device=journeys.device))
    for row in ("IMI-02", "502.22b"):
        with refused(row, "provider.resets-denied"):
            journeys.reset(Mills.dollars(10))
    with journeys.world.store(journeys.licensee).reading() as view:
        assert "specimen" not in {one.id for one in rates.standing(view, HARBOR, day=FIRST)[0]}
    journeys.contact()
    with journeys.world.store(journeys.licensee).reading() as view:
        assert "specimen" in {one.id for one in rates.standing(view, HARBOR, day=FIRST)[0]}


@pytest.mark.requirement("IMI-03/2")
def test_a_table_that_not_every_host_has_before_its_day_is_not_published(journeys: Journeys) -> None:
    with refused("IMI-03", "updates.too-late"):
        published(journeys.world, specimen(journeys.today()))


def taken(journeys: Journeys, opened: Opened) -> None:
    journeys.do(lambda ctx: rates.take(ctx, opened, provider=HARBOR))


@pytest.mark.requirement("IMI-03/2")
def test_a_host_takes_tables_of_its_own_provider_unchanged_and_outside_of_batches(
    journeys: Journeys, hand: Hand
) -> None:
    published(journeys.world)
    body = bodies.RateTable(number=1, in_force_from=FIRST.isoformat(), file=rate_files.write(specimen()))
    changed = bodies.RateTable(number=1, in_force_from=FIRST.isoformat(), file=rate_files.write(specimen(id="other")))
    for sender, table, code in (
        (SUMMIT, body, "updates.not-the-provider"),
        (HARBOR, bodies.RateTable(number=1, in_force_from="2026-12-02", file=body.file), "updates.other-day"),
        (HARBOR, changed, "updates.changed"),
    ):
        if code == "updates.changed":
            journeys.contact()
        opened = hand.read(hand.seal(sender, "hosts", table))
        with refused("IMI-03", code):
            taken(journeys, opened)
    journeys.deposit(Mills.dollars(100))
    journeys.reset(Mills.dollars(50))
    journeys.plan(PEOPLE)
    with refused("IMI-03", "updates.batch-open"):
        updates.take(journeys, journeys.device)


@pytest.mark.requirement("IMI-03/1")
def test_a_device_takes_no_lower_version_and_none_that_is_not_approved(journeys: Journeys, hand: Hand) -> None:
    world = journeys.world
    released(world, 2)
    journeys.contact()
    with world.store(HARBOR).reading() as view:
        held = view.find("release")[0].body
    approval, build = base64.b64decode(held["approval"]), bytes.fromhex(held["build"])

    def ordered(version: int, build: bytes, approval: bytes) -> None:
        order = bodies.SoftwareUpdate(version=version, build=build, approval=approval)
        sealed = hand.seal(HARBOR, f"device.{journeys.device}", order)
        with world.shelf.client(journeys.device) as client:
            client.update(sealed)

    with refused("IMI-03", "psd.version-lower"):
        ordered(1, build, approval)
    with refused("IMI-03", "psd.version-lower"):
        ordered(2, build, approval)
    with refused("IMI-03", "psd.approval-refused"):
        ordered(3, build, approval)  # approved under another version
    with refused("IMI-03", "psd.approval-refused"):
        ordered(3, bytes(32), approval)
    chain = tuple(world.cabinet.certificate(name).der for name in (HARBOR, "authority", "root"))
    own = bodies.BuildApproval(version=3, build=build, model="TC1A", regime="imi-2024", changes="x", chain=chain)
    with refused("IMI-03", "psd.approval-refused"):
        ordered(3, build, hand.seal(HARBOR, "devices", own))  # the Provider approves nothing
    with refused("IMI-03", "psd.approval-refused"):
        ordered(3, build, b"no message")
    assert journeys.status().software_version == 2


@pytest.mark.requirement("IMI-03/1")
def test_a_device_serves_under_no_other_build_than_the_approved_one(journeys: Journeys) -> None:
    released(journeys.world, 1)
    journeys.contact()
    with installed(OTHER), refused("IMI-03", "psd.build-not-approved"):
        journeys.contact()
    journeys.contact()


# ---- protection at both ends


@pytest.mark.requirement("IMI-04/2")
@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777, 0o701])
def test_a_folder_that_others_can_read_is_not_worked_in(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    with refused("IMI-04", "world.exposed"):
        World.open(folder)
    folder.chmod(0o700)
    World.open(folder).close()


# ---- systems that end


@pytest.mark.requirement("IMI-08/1")
def test_a_decertified_device_does_not_come_into_service(journeys: Journeys, hand: Hand) -> None:
    device = journeys.device
    as_of_1998(journeys.world, device)
    activity = bodies.DeviceActivity(
        device=device,
        license=hand.license_of(journeys.licensee),
        event="installed",
        registers=bodies.Registers(ascending=Mills(0), descending=Mills(0), pieces=0),
        at=journeys.world.clock.now(),
    )
    answered(hand.say(HARBOR, POSTAL, activity), "IMI-08", "postal.decertified")


@pytest.mark.requirement("IMI-08/2")
def test_a_device_that_nobody_withdrew_in_time_gets_no_postage_and_its_marks_do_not_count(journeys: Journeys) -> None:
    world, device = journeys.world, journeys.device
    as_of_1998(world, device)
    world.advance("1d")
    journeys.contact()
    with refused("IMI-08", "provider.resets-denied"):
        journeys.reset(Mills.dollars(10))
    world.publish()
    (row,) = world.pack().statuses[device]
    assert (row.status, row.since.date_in("America/New_York").isoformat()) == ("withdrawn", "2024-12-31")
    with world.store(POSTAL).reading() as view:
        noted = [fact.type for fact in view.facts() if fact.type in ("device.decertified", "device.inactive")]
    assert noted == ["device.decertified", "device.inactive"]


def as_of_1998(world: World, device: str) -> None:
    """Have a device of this world be one of the 1998 rule, at everybody who keeps its regime."""
    with world.store(POSTAL).transaction() as tx:
        held = tx.get("device-certificates", device)
        assert held is not None
        tx.put("device-certificates", device, {**held.body, "regime": "ibi-1998"}, owner=held.owner, expected=1)

    def leased(ctx: Context) -> None:
        ctx.note("custody.leased", device, licensee=MAILROOM, zone="America/New_York", regime="ibi-1998")

    world.desk(HARBOR).perform(leased, actor=HARBOR)
