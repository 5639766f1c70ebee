"""Missing devices (P050 2.8, 502.20(g), 502.20(k), 502.24): stolen, lost, searched for, found.

Mail rooms: 20 stolen and replaced, 21 lost and found, 22 not to be located, 38 found after its license
was revoked.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import procedure, scene, shows
from towncircle.cli.demo.regulation.scenes.licenses import revoke
from towncircle.cli.demo.regulation.town import refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.ids import DeviceId
from towncircle.postal.missing import take_copy
from towncircle.provider import incidents, missing, searching
from towncircle.rules.duties import HEADQUARTERS
from towncircle.verification import INVALID
from towncircle.world.missing import report, return_recovered
from towncircle.world.supervising import by_officer

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town

_REPORT = b"Report of a burglary."
_PAPER = hashlib.sha256(b"certified letter, return receipt").hexdigest()

procedure(
    "The monthly file of lost and stolen devices is sent",
    "provider lost-and-stolen-file.sent",
    "postal lost-and-stolen-file.received",
    clause="502.20(k)",
)


@shows(
    45,
    "A theft reaches Provider and register at once",
    "provider custody.stolen",
    "licensee device.missed",
    "licensee device.incident-reported",
    "provider incident.opened",
    "provider loss.reported",
    "postal missing.told",
    "postal device.stolen",
    clause="P050 2.8, 502.24",
)
def stolen(town: Town) -> None:
    """Report a theft with the police report."""
    journeys = town.room(20)
    town.connect(journeys)
    town.fund(journeys)
    town.connect(journeys)
    town.notes["piece of the thief"] = town.print(journeys).job.body["indicia"][0]
    town.notes["stolen"] = journeys.device
    report(
        journeys,
        journeys.device,
        event="stolen",
        place="mail room 20",
        details="The door was broken open.",
        police_reference="MPD-2027-0117",
        police_report=_REPORT,
    )
    town.rests(journeys)


@shows(
    46,
    "A piece of a stolen device is found at the facility at once",
    "postal scan.recorded verdict=INVALID device=@device.stolen",
    clause="502.24, 502.28",
)
def of_the_thief(town: Town) -> None:
    """Mail what was printed behind the last word of the device."""
    found = town.judge(bytes.fromhex(town.notes["piece of the thief"]))
    expect(found.verdict == INVALID, f"the piece of a stolen device is {found.verdict}")


@shows(
    47,
    "The police report goes to the CPIP specialist, and the incident to the Postal Service",
    "provider incident.reported",
    "provider police.reported",
    "provider cpip.copied",
    "postal cpip.announced",
    "postal cpip.received agrees=yes",
    "provider cpip.receipted",
    "postal incident.filed",
    clause="502.24(b)(1), 502.20(g)",
)
def police(town: Town) -> None:
    """Copy the report and file the incident."""
    device = town.notes["stolen"]
    town.provider(device, missing.police, act="missing police", reference="", document="", cpip="CPIP-2027-0031")
    copy = {"reference": "CPIP-2027-0031", "document": hashlib.sha256(_REPORT).hexdigest()}
    by_officer(town.world, lambda ctx: take_copy(ctx, device=device, **copy), by="cpip", act="missing copy")
    town.provider(device, incidents.file_due, act="missing incident")


@shows(
    48,
    "A replacement for a missing device is supplied after the police report",
    "provider replacement.supplied",
    clause="502.24(b)(2)",
)
def replaced(town: Town) -> None:
    """Lease a replacement."""
    journeys = town.room(20)
    town.equip(journeys)
    town.rests(journeys, until_told=False)


@shows(
    95,
    "A device that was replaced is found, inspected and checked out",
    "provider recovery.reported references=*",
    "licensee device.found-again",
    "provider custody.recovered",
    "postal device.recovered",
    "provider recovered.inspected outcome=regular",
    clause="502.24(c), 502.24(d)",
)
def found(town: Town) -> None:
    """Report the recovery, read the device, inspect it, report again, and take its balance out."""
    journeys, device = town.room(20), DeviceId(town.notes["stolen"])
    report(journeys, device, event="recovered", place="a pawn shop", details="The police brought it back.")
    with refused("missing.reported"):
        journeys.contact_of(device)
    town.provider(device, missing.inspect, act="missing inspect", outcome="regular", reference="bench-7", document="")
    town.provider(device, incidents.file_due, act="missing incident")
    return_recovered(journeys, device)


@shows(50, "A loss is reported", "provider custody.lost", "postal device.lost", clause="P050 2.8, 502.24")
def lost(town: Town) -> None:
    """Report a loss without knowing of any crime."""
    journeys = town.room(21)
    report(journeys, journeys.device, event="lost", place="a move", details="It is in none of the boxes.")
    town.rests(journeys)


@shows(
    62,
    "A lost device is found, inspected and given back",
    "licensee device.back",
    clause="502.24(c)",
)
def given_back(town: Town) -> None:
    """Find it, have it inspected, and use it again."""
    journeys = town.room(21)
    device = journeys.device
    report(journeys, device, event="recovered", place="a move", details="It was in the last box.")
    with refused("missing.reported"):
        journeys.contact()
    town.provider(device, missing.inspect, act="missing inspect", outcome="regular", reference="bench-8", document="")
    town.provider(device, missing.give_back, act="missing give-back", regime=town.world.config.regime)
    town.connect(journeys)
    town.provider(device, incidents.file_due, act="missing incident")
    town.provider(device, incidents.file_due, act="missing incident")
    town.rests(journeys, until_told=False)


@scene(139)
def nobody_home(town: Town) -> None:
    """Close a mail room without a word."""
    town.rests(town.room(22))


@shows(
    140,
    "A device that cannot be located is searched for in the seven steps",
    "provider location-step.taken",
    "postal location.inquired",
    "provider custody.missing",
    "provider licensee.located",
    clause="502.24(a)",
)
def searched(town: Town) -> None:
    """Take the steps; the post office knows a new address, where nobody opens."""
    device = town.room(22).device
    town.provider(device, searching.search, act="missing search", reason="Letters come back.")
    visited = town.world.clock.now().date_in(HEADQUARTERS).isoformat()
    said = {"number-called": "603 555 0100", "office-zip": "03060", "agency": "Elm Street Rentals"}
    said |= {"visited-on": visited, "article": "7000 0000 0000 0000 0001"}
    for number, step in enumerate(searching.STEPS, start=1):
        result = searching.NEW_ADDRESS if step.name == "post-office" else searching.NOTHING
        document = _PAPER if step.document else ""
        town.provider(
            device,
            searching.take_step,
            act="missing step",
            step=step.name,
            result=result,
            reference=f"note-{number}",
            document=document,
            told=said.get(step.tells, ""),
        )


@shows(
    150,
    "A search without a result ends in a determination and its report",
    "provider location-step.taken step=inspection",
    "provider incident.reported",
    clause="502.24(a)(7)",
)
def not_located(town: Town) -> None:
    """Inspect the new address in vain, determine the loss, report it."""
    device = town.room(22).device
    town.provider(
        device,
        searching.take_step,
        act="missing step",
        step=searching.INSPECTION.name,
        result=searching.NOTHING,
        reference="visit-1",
        document=_PAPER,
    )
    town.provider(device, searching.determine, act="missing determine", event="lost")
    town.provider(device, incidents.file_due, act="missing incident")


@scene(47)
def lost_for_good(town: Town) -> None:
    """Report the loss of a device whose license will be revoked."""
    journeys = town.room(38)
    report(journeys, journeys.device, event="lost", place="a fair", details="It was not on the truck.")
    town.rests(journeys)


@scene(54)
def revoked_without_it(town: Town) -> None:
    """Revoke the license: its lease is cancelled, and there is nothing to remove yet."""
    revoke(town, 38, "control", "It was left at a fair.")


@shows(
    60,
    "A device of a revoked license is found, and removed from then on",
    "provider cancelled-device.recovered",
    "provider custody.recovered",
    "provider custody.checked_out",
    clause="502.20(h), 502.24(c)",
)
def found_without_license(town: Town) -> None:
    """Find it, inspect it, and take its balance out."""
    journeys = town.room(38)
    device = journeys.device
    report(journeys, device, event="recovered", place="a fair", details="It was in the hall.")
    with refused("missing.reported"):
        journeys.contact_of(device)
    town.provider(device, missing.inspect, act="missing inspect", outcome="regular", reference="bench-9", document="")
    for _ in range(2):  # the loss, then the recovery
        town.provider(device, incidents.file_due, act="missing incident")
    return_recovered(journeys, device)
