"""Licenses (P050 2.0): asked for, refused, issued, changed, moved, revoked, appealed.

Mail rooms: 1 refused and mended, 2 refused and appealed, 3 a meter license, 4 under a caution, 5 and 6 changed data,
7 another post office, 8 revoked and upheld, 9 revoked and reversed, 10 revoked and late.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import procedure, scene, shows
from towncircle.cli.demo.regulation.town import EARLIER, LATER, PROVIDER, name_of, refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.money import Mills
from towncircle.postal.revocations import GROUNDS
from towncircle.rules.duties import HEADQUARTERS
from towncircle.verification import ACCEPTED, Observed
from towncircle.world import licensing, returning
from towncircle.world.config import POSTAL

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town

OWN_APPLICATIONS = (1, 2, 3, 4, EARLIER, LATER)
_OPENING_DAYS = 8
_TELEPHONE = {"telephone": "202-555-0199"}


def _opens(day: int) -> None:
    @scene(day)
    def open_rooms(town: Town) -> None:
        """License the mail rooms of this day, and lease and set their devices."""
        for number in range(1, town.pace.licensees + 1):
            if number % _OPENING_DAYS == day and number not in OWN_APPLICATIONS:
                town.open(number)


for _day in range(_OPENING_DAYS):
    _opens(_day)


@scene(0)
def staff(town: Town) -> None:
    """Put the staff on their lists."""
    town.staff()


@shows(
    2,
    "An application is refused with every ground",
    "postal license.refused grounds=*",
    "provider license.notified outcome=refused",
    clause="P050 2.2",
)
def refused_and_mended(town: Town) -> None:
    """Apply with two faults, hear of both, and apply again."""
    faulty = replace(town.applicant(1), telephone="none", state="NY")
    with refused("postal.license-refused"):
        town.room(1).apply(faulty, provider=PROVIDER)
    told = town.facts(POSTAL, "license.refused")[-1].body["grounds"]
    expect(len(told) == 2, f"two grounds were expected, {told} came")
    town.open(1)


@scene(3)
def refused_for_good(town: Town) -> None:
    """Have an application refused, and take the refusal to appeal."""
    journeys = town.room(2)
    with refused("postal.license-refused"):
        journeys.apply(replace(town.applicant(2), telephone="none"), provider=PROVIDER)
    about = town.facts(POSTAL, "license.refused")[-1].subject
    docketed = licensing.appeal(journeys, about=about, reasons="The telephone is being installed.")
    town.notes["refused"], town.notes["docket of 2"] = about, docketed.docket


@shows(
    12,
    "A refusal is appealed and reversed",
    "postal license.appeal-decided outcome=reversed",
    "postal license.appealed",
    "licensee appeal.filed",
    "provider license.appeal-told outcome=reversed",
    "licensee license.received",
    clause="P050 2.4",
)
def refusal_reversed(town: Town) -> None:
    """Reverse the refusal; the license is issued and its device leased."""
    licensing.decide(town.world, town.notes["docket of 2"], reverse=True, reasons="It is in the directory.", by="mtm")
    town.world.deliver()
    journeys = town.room(2)
    licensing.ask_standing(journeys, town.notes["refused"])
    town.equip(journeys)


@shows(
    4,
    "A meter license on file serves, and no second one is issued",
    "postal license.filed",
    "postal license.existing",
    "postal license.updated",
    clause="PRE-09, P050 2.1",
)
def meter_license(town: Town) -> None:
    """Enter a meter license; its holder applies and is given that one."""
    applicant = town.applicant(3)
    licensing.file_meter(town.world, name_of(3), applicant.office_zip, by="postmaster")
    town.open(3)


@shows(
    5,
    "A caution is recorded, refuses an application, and is lifted",
    "postal license.caution-lifted",
    "postal license.caution-recorded",
    clause="P050 2.2",
)
def cautioned(town: Town) -> None:
    """Refuse an applicant that is believed to be in violation; license it when the caution is lifted."""
    licensing.caution(town.world, name_of(4), by="inspector")
    with refused("postal.license-refused"):
        town.room(4).apply(town.applicant(4), provider=PROVIDER)
    licensing.caution(town.world, name_of(4), by="inspector", lift=True)
    town.open(4)


@scene(40)
def changed_and_not_told(town: Town) -> None:
    """Write down changed data, and forget to tell the Provider."""
    licensing.change(town.room(5), _TELEPHONE)


@shows(
    47,
    "License data are changed, notified and revised",
    "postal license.revised",
    "licensee license-data.changed",
    "licensee license-data.notified",
    "provider license.data-updated",
    clause="P050 2.5(d), 2.5(e)",
)
def changed_data(town: Town) -> None:
    """Notify the Provider late of one change, and at once of another."""
    licensing.revise(town.room(5), _TELEPHONE)
    licensing.revise(town.room(6), {"contact": "The new manager"})


@shows(
    330,
    "License data are verified periodically",
    "postal license.verified",
    "licensee license-data.verified",
    clause="P050 2.5(e)",
)
def verified(town: Town) -> None:
    """Verify the license data of a mail room before the year is over."""
    licensing.verify(town.room(6))


@shows(
    60,
    "A licensee moves to another post office",
    "postal license.given-up",
    "provider license.given-up",
    "licensee license.given-up",
    clause="P050 2.5(e)",
)
def moved(town: Town) -> None:
    """Check the device out, license the new office, give the old license up, and lease anew."""
    journeys = town.room(7)
    town.connect(journeys)
    licensing.move(journeys, office_zip="20260")
    town.equip(journeys)


def revoke(town: Town, number: int, ground: str, text: str) -> str:
    """Revoke the license of a mail room; give its number. The mail room rests from now on."""
    journeys = town.room(number)
    license_number = licensing.held(journeys).key
    licensing.revoke(town.world, license_number, {ground: text}, by="postmaster")
    town.world.deliver()
    town.rests(journeys)
    return license_number


def withdraw(town: Town, number: int, reason: str) -> None:
    """Give a mail room's device back."""
    returning.withdraw(town.room(number), reason=reason)


@shows(
    69,
    "A device may be kept abroad by authorization, which ends",
    "postal permit.granted permit=abroad",
    "postal permit.withdrawn permit=abroad",
    clause="P050 2.3(d)",
)
def abroad(town: Town) -> None:
    """Authorize a licensee; while it lasts its device abroad is no ground; withdraw the authorization."""
    number = licensing.held(town.room(8)).key
    day = town.world.clock.now().plus(days=2).date_in(HEADQUARTERS)
    licensing.permit(town.world, number, "abroad", "ABROAD-1", day, by="postmaster")
    with refused("license.permitted"):
        licensing.revoke(town.world, number, {"abroad": "The device is at a branch."}, by="postmaster")
    licensing.end_permit(town.world, number, "abroad", by="postmaster")


@shows(
    76,
    "Mail may be combined with mail that is paid otherwise by authorization",
    "postal permit.granted permit=combined",
    clause="P050 5.2",
)
def combined(town: Town) -> None:
    """Have a combined piece held at the facility, authorize its licensee, and have another one accepted."""
    journeys = town.room(6)
    town.connect(journeys)
    town.fund(journeys)
    seen = Observed(other_payment="permit imprint")
    before, after = (bytes.fromhex(piece) for piece in town.print(journeys, 2).job.body["indicia"])
    held = town.judge(before, seen).disposition
    expect(held not in ACCEPTED, "a combined piece was accepted without authorization")
    day = town.world.clock.now().plus(days=100).date_in(HEADQUARTERS)
    licensing.permit(town.world, licensing.held(journeys).key, "combined", "COMBINED-1", day, by="postmaster")
    expect(town.judge(after, seen).disposition in ACCEPTED, "a combined piece was not accepted in spite of it")


for _ground in GROUNDS:
    procedure(
        f"A license is revoked, ground: {_ground.replace('-', ' ')}",
        f"postal license.revoked grounds=['{_ground}']",
        clause="P050 2.3",
    )


@shows(
    70,
    "A license is revoked on a found ground; its leases end at once",
    "postal license.revoked",
    "postal license.decision-noticed",
    "provider license.revocation-noticed",
    "provider lease.cancelled",
    "provider reset.refused code=license.lease-cancelled",
    clause="P050 2.3, 502.20(h)",
)
def revoked(town: Town) -> None:
    """Revoke a license; the next reset is refused under the lease that was cancelled."""
    journeys = town.room(8)
    town.connect(journeys)
    revoke(town, 8, "illegal-use", "Postage of another office was found on its mail.")
    with refused("license.lease-cancelled"):
        journeys.reset(Mills.dollars(10))


@scene(74)
def revocation_appealed(town: Town) -> None:
    """Learn of the revocation and appeal."""
    journeys = town.room(8)
    licensing.ask_standing(journeys)
    town.notes["docket of 8"] = licensing.appeal(journeys, about="", reasons="Somebody else did it.").docket


@shows(
    80,
    "A revocation is appealed and upheld",
    "postal license.appeal-decided outcome=upheld",
    "postal license.decision-received",
    "provider license.appeal-told outcome=upheld",
    "licensee license.standing",
    clause="P050 2.4",
)
def revocation_upheld(town: Town) -> None:
    """Uphold the revocation; the device goes out within its fifteen days."""
    licensing.decide(town.world, town.notes["docket of 8"], reverse=False, reasons="It was its own device.", by="mtm")
    licensing.ask_standing(town.room(8))
    withdraw(town, 8, "the license was revoked")


@shows(
    120,
    "An application within five years of a revocation is refused",
    "postal license.refused grounds=['license.revoked-before']",
    clause="P050 2.2",
)
def looked_back(town: Town) -> None:
    """Refuse the new application of a licensee whose license was revoked."""
    with refused("postal.license-refused"):
        town.room(8).apply(town.applicant(8), provider=PROVIDER)


@scene(75)
def revoked_in_error(town: Town) -> None:
    """Revoke a license on a ground that will not stand."""
    revoke(town, 9, "abroad", "The device was seen abroad.")
    journeys = town.room(9)
    licensing.ask_standing(journeys)
    town.notes["docket of 9"] = licensing.appeal(journeys, about="", reasons="It never left the building.").docket
    withdraw(town, 9, "the license was revoked")


@shows(
    92,
    "A revocation is reversed; a lease is signed anew",
    "postal license.revocation-withdrawn",
    clause="P050 2.4",
)
def revocation_reversed(town: Town) -> None:
    """Reverse the revocation; a cancelled lease stays cancelled, so another is signed."""
    licensing.decide(town.world, town.notes["docket of 9"], reverse=True, reasons="It was another device.", by="mtm")
    town.world.deliver()
    journeys = town.room(9)
    licensing.ask_standing(journeys)
    town.equip(journeys)
    town.rests(journeys, until_told=False)


@scene(100)
def revoked_and_late(town: Town) -> None:
    """Revoke a license whose device then stays where it is."""
    revoke(town, 10, "other-office", "Its mail is deposited in another city.")


@shows(
    120,
    "The device of a revoked license is not removed in fifteen days",
    "provider limit.case-opened case=device_not_removed",
    "provider limit.missed limit=revoked-license-device",
    "provider limit.case-closed case=device_not_removed",
    clause="502.20(h)",
)
def removed_late(town: Town) -> None:
    """Give the device back after its time: the case is closed."""
    withdraw(town, 10, "the license was revoked")
