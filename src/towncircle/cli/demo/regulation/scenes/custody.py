"""Custody (P050 2.5 to 2.9, 502.18, 502.20(a), (e), (f), (i), (j), (l), 502.22(a)): devices on their way and in care.

Mail rooms: 34 a defect, replaced and scrapped; 35 in care, a defect corrected; 36 an element in the Provider's server;
37 a system that the Postal Service purchases and an inspector takes along.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import procedure, scene, shows
from towncircle.cli.demo.regulation.scenes.licenses import withdraw
from towncircle.cli.demo.regulation.town import PROVIDER, refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.provider import defects, handovers, removals, upkeep
from towncircle.world import address_data, custody, test_prints

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town

_TEN = Mills.dollars(10)
_CARRIER, _COURIER = "Armored Express", "Courier"

procedure(
    "A device is inspected, handed over and signed for by both",
    "provider hand-over.signed direction=out",
    "provider device.inspected",
    "licensee device.taken-over",
    clause="502.18, 502.20(l), P050 2.5(a)",
)
procedure(
    "Resets are denied from the notice that a device is not wanted any more",
    "provider device.unwanted",
    "provider custody.checked_out",
    clause="502.20(e), P050 2.9",
)


@shows(
    20,
    "Devices are made, inspected before distribution, and stocked or rejected",
    "provider custody.new",
    "provider custody.scrapped",
    "provider article.told",
    "provider article.corrected",
    clause="502.18, 502.20(l)",
)
def made(town: Town) -> None:
    """Make two devices: one goes into stock for the next lease, the other is rejected."""
    one, other = custody.manufacture(town.world, PROVIDER, 2)
    expect(custody.inspect(town.world, PROVIDER, DeviceId(one.key)).body["custody"] == "stocked", "it is not in stock")
    custody.inspect(town.world, PROVIDER, DeviceId(other.key), reject="Its case is cracked.")
    for number in ("RB 123 456 788 US", "RB 123 456 789 US"):  # the first was misread
        custody.name_article(town.world, PROVIDER, DeviceId(one.key), article=number)


@shows(
    21,
    "Indicia are made in testing, and destroyed on the same day",
    "provider test-indicia.made",
    "provider test-indicia.destroyed",
    clause="502.17",
)
def tested(town: Town) -> None:
    """Print a run of test indicia for a mail room's device, and confirm that they are destroyed."""
    device, out = town.room(35).device, town.out / "tests"
    _, file = test_prints.print_tests(town.world, PROVIDER, device, out, run="test-run-1", pieces=2)
    file.unlink()
    test_prints.destroy_tests(town.world, PROVIDER, run="test-run-1", by="custodian")


@shows(
    45,
    "How long a part of a device lasts is known by a paper",
    "provider part.life-known part=battery",
    clause="502.22(a)",
)
def part_known(town: Town) -> None:
    """Record how long a battery and a clock last."""
    for part in (upkeep.BATTERY, upkeep.CLOCK):
        _know(town, part, date(2029, 6, 30), "maker's sheet 4")


@shows(47, "A part is replaced before its life ends", "provider part.replaced part=battery", clause="502.22(a)")
def part_replaced(town: Town) -> None:
    """Replace the battery."""
    _know(town, upkeep.BATTERY, date(2032, 6, 30), "bench-3")


def _know(town: Town, part: str, until: date, reference: str) -> None:
    device = town.room(35).device
    town.provider(device, partial(upkeep.know, until=until), act="custody part", part=part, reference=reference)


@shows(
    48,
    "The Provider asks for a licensee's transaction records, which answers",
    "provider review.asked",
    "provider review.shown",
    "licensee review.granted",
    "licensee review.requested",
    clause="P050 2.5(b)",
)
def reviewed(town: Town) -> None:
    """Show the records to the Provider that has asked for them, and to nobody who has not."""
    journeys = town.room(35)
    with refused("custody.no-review"):
        custody.review(journeys)
    custody.ask_review(town.world, PROVIDER, journeys.licensee, reference="review-2")
    held, shown = custody.review(journeys)
    expect(held.key == "review-2" and shown, "nothing was shown")


@shows(50, "Address matching data are kept up to date", "licensee address-data.updated", clause="P050 2.5(g)")
def addresses(town: Town) -> None:
    """Install this month's edition."""
    custody.update_address_data(town.room(35), edition=town.world.clock.now().iso()[:7])


@scene(51)
def own_addresses(town: Town) -> None:
    """Install data of its own, of this month."""
    journeys, edition = town.room(35), town.world.clock.now().iso()[:7]
    file = town.out / "mail" / "ranges.sqlite"
    with closing(sqlite3.connect(file)) as data:
        data.execute("CREATE TABLE about (name TEXT, edition TEXT)")
        data.execute("INSERT INTO about VALUES ('our ranges', ?)", (edition,))
        data.execute("CREATE TABLE ranges (zip TEXT, street TEXT, low INT, high INT, side TEXT, plus4 TEXT)")
        data.execute("INSERT INTO ranges VALUES ('03060', 'MAIN ST', 100, 198, 'E', '1234')")
        data.commit()
    address_data.install(journeys, file)
    file.unlink()


@shows(
    240,
    "Mail is prepared by older address data for a reason, which is kept",
    "licensee address-data.old-used reason=*",
    clause="P050 2.5(g)",
)
def old_addresses(town: Town) -> None:
    """Prepare mail when its own data are past their six months: refused, and then for a reason."""
    journeys = town.room(35)
    day = journeys.today()
    with refused("addresses.data-old"):
        address_data.use(journeys, day=day, reason="")
    address_data.use(journeys, day=day, reason="The next edition has not come.")


@shows(241, "Address data of a mail room's own are set aside", "licensee address-data.set-aside", clause="P050 2.5(g)")
def set_aside(town: Town) -> None:
    """Use the table of the program alone again."""
    address_data.set_aside(town.room(35))


@scene(52)
def plug(town: Town) -> None:
    """Report a device that does not start: it is not set while it is defective."""
    journeys = town.room(35)
    town.connect(journeys)
    custody.report_defect(journeys, journeys.device, kind="faulty", details="It does not start.")
    with refused("custody.defective"):
        journeys.reset(_TEN)


@shows(
    54,
    "A defect is corrected where the device stands",
    "provider defect.examined remedy=corrected",
    "provider malfunction.reported stage=report remedy=corrected",
    "licensee defect.corrected",
    clause="502.20(f), 502.22(a), P050 2.7",
)
def corrected(town: Town) -> None:
    """Examine it at the licensee's, and use it again."""
    journeys = town.room(35)
    device = journeys.device
    town.provider(
        device,
        defects.examine,
        act="custody examine",
        fault="A loose plug.",
        remedy=defects.CORRECTED,
        reference="visit-3",
    )
    custody.report_defect(journeys, device, kind="faulty", details="It does not start.")
    town.connect(journeys)
    journeys.reset(_TEN)


@shows(58, "An element resides in the Provider's server", "provider element.hosted", clause="502.20(e)")
def hosted(town: Town) -> None:
    """Take an element into the server."""
    town.provider(town.room(36).device, removals.host, act="custody host")


@shows(
    60,
    "An element in the Provider's server is disabled at once on the Postal Service's order",
    "provider element.disabled",
    "postal removal.ordered",
    "provider removal.ordered",
    "provider element.unwanted",
    clause="502.20(e), 502.20(i)",
)
def disabled(town: Town) -> None:
    """Order its removal; the licensee finds it withdrawn."""
    journeys = town.room(36)
    town.connect(journeys)
    custody.order_removal(town.world, journeys.device, reason="It is of a weak class.", by="mtm")
    journeys.settle()
    expect(journeys.status().state == "withdrawn", f"the device is {journeys.status().state}")


@shows(
    58,
    "The Postal Service purchases a system, and its title passes",
    "postal system.purchased",
    "provider title.passed",
    clause="502.20(a), PRE-10",
)
def purchased(town: Town) -> None:
    """Purchase a system with its deed."""
    custody.purchase(town.world, town.room(37).device, reference="purchase-4", document=b"deed")


@shows(
    62,
    "An inspector takes a device along against a receipt",
    "postal removal.ordered taken=True",
    "provider removal.ordered receipt=*",
    "licensee receipt.kept",
    clause="P050 2.6, 502.20(i)",
)
def taken_along(town: Town) -> None:
    """Take a device along; its licensee keeps the receipt; it goes out of service, and is nobody's to scrap."""
    journeys = town.room(37)
    town.connect(journeys)
    device = journeys.device
    custody.order_removal(
        town.world, device, reason="A suspect mark.", condition="sealed, two scratches", by="inspector"
    )
    custody.fetch_receipt(journeys, device, inspector=True)
    withdraw(town, 37, "removal was ordered")
    with refused("custody.not-owned"):
        town.provider(device, upkeep.scrap, act="custody scrap")


procedure(
    "The value of a device that was taken along or had to be removed is credited",
    "provider balance.withdrawn device=@removal.ordered",
    clause="P050 2.6, 502.20(i), 502.27(b)",
)


@shows(
    70,
    "A carrier is shown to be as safe as Registered Mail, permitted in writing, and used",
    "provider service.chosen",
    "postal carrier.proposed",
    "postal act.recorded act=carrier-permitted",
    "provider service.permitted direction=out",
    "provider hand-over.signed permission=MTM-11",
    clause="502.20(l)",
)
def carrier(town: Town) -> None:
    """Show a carrier, permit it, ship by it from now on."""
    with refused("custody.carrier-not-permitted"):
        custody.use_carrier(town.world, PROVIDER, service=_CARRIER)
    with refused("custody.carrier-not-shown"):
        _permit(town, "out", _CARRIER, "MTM-11")
    custody.show_carrier(town.world, PROVIDER, service=_CARRIER, reference="security-3", document=b"vaults and guards")
    _permit(town, "out", _CARRIER, "MTM-11")
    custody.use_carrier(town.world, PROVIDER, service=_CARRIER)


@shows(
    71,
    "Another service for returns is permitted in writing",
    "postal service.permitted direction=back",
    "provider service.permitted direction=back",
    clause="P050 2.9",
)
def courier(town: Town) -> None:
    """Permit a courier for devices that come back."""
    _permit(town, "back", _COURIER, "MTM-12")


@shows(
    340,
    "A permission for a carrier is withdrawn in writing; devices go by Registered Mail again",
    "postal service.permission-withdrawn",
    "provider service.permission-withdrawn",
    clause="502.20(l)",
)
def carrier_ended(town: Town) -> None:
    """Withdraw the carrier's permission: nothing is shipped by it any more."""
    told = {"provider": PROVIDER, "direction": "out", "service": _CARRIER, "reference": "MTM-13"}
    custody.withdraw_permission(town.world, document=b"the vaults stood open", **told)
    with refused("custody.carrier-not-permitted"):
        custody.use_carrier(town.world, PROVIDER, service=_CARRIER)


def _permit(town: Town, direction: str, service: str, permission: str) -> None:
    paper = f"{permission}: {service}".encode()
    custody.permit(
        town.world, provider=PROVIDER, direction=direction, service=service, permission=permission, document=paper
    )


@shows(
    74,
    "A defect is reported; the Postal Service is told in the same moment",
    "provider defect.notified",
    "licensee defect.found",
    "licensee defect.reported",
    "provider custody.suspect",
    "provider malfunction.reported stage=notice",
    "postal malfunction.told stage=notice",
    clause="502.20(f), P050 2.7",
)
def defective(town: Town) -> None:
    """Find that a device counts a piece twice."""
    journeys = town.room(34)
    town.connect(journeys)
    town.notes["defective"] = journeys.device
    custody.report_defect(journeys, journeys.device, kind="misregistering", details="It counts a piece twice.")


@shows(
    75,
    "A defective device is retrieved in three business days, examined, and replaced",
    "provider defect.examined remedy=replaced",
    "provider defect.retrieved",
    "postal malfunction.told stage=report remedy=replaced",
    clause="502.20(f), 502.20(j), 502.22(a)",
)
def retrieved(town: Town) -> None:
    """Retrieve it, credit its balance by its own word, lease another, report the fault."""
    journeys, device = town.room(34), town.notes["defective"]
    town.provider(device, defects.retrieve, act="custody retrieve", reference="van-1")
    withdraw(town, 34, "it is defective")
    town.equip(journeys)
    told = {"fault": "A worn contact.", "remedy": defects.REPLACED, "reference": "bench-4"}
    town.provider(device, defects.examine, act="custody examine", **told)


@shows(
    80,
    "A device goes back by mail",
    "licensee device.sent-back",
    "provider device.sent-back permission=MTM-12",
    clause="P050 2.9",
)
def sent_back(town: Town) -> None:
    """Send it by the courier that is permitted; another is refused."""
    journeys, device = town.room(34), DeviceId(town.notes["defective"])
    with refused("custody.return-service"):
        custody.send_back(journeys, device, article="1", service="Bicycle")
    custody.send_back(journeys, device, article="9407-1", service=_COURIER)
    with refused("custody.not-arrived"):
        custody.fetch_receipt(journeys, device)


@shows(
    91,
    "A device that came back is signed for",
    "provider device.came-back",
    "provider hand-over.signed direction=back",
    "licensee receipt.kept",
    clause="P050 2.9, 502.20(e), PRE-13",
)
def came_back(town: Town) -> None:
    """Sign for it; the licensee fetches its receipt."""
    device = DeviceId(town.notes["defective"])
    town.provider(device, handovers.receive, act="custody receive", condition="sound")
    custody.fetch_receipt(town.room(34), device)


@shows(
    92,
    "A device is scrapped: its keys are destroyed",
    "provider custody.scrapped",
    clause="PRE-06, 502.8",
)
def scrapped(town: Town) -> None:
    """Scrap what its owner may scrap."""
    device = DeviceId(town.notes["defective"])
    town.provider(device, upkeep.scrap, act="custody scrap")
    expect(town.room(34).status_of(device).state == "zeroised", "its keys are there still")
