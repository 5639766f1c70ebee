"""What comes down with a connection, and departments (IMI-02 to IMI-06): rate tables, software, PINs.

Mail rooms whose own stories are over: 3 takes an order of an update too late, 4 takes a version at once and is not
waited for with the next one, 5 prints for a department. Rate tables reach every mail room.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import scene, shows
from towncircle.cli.demo.regulation.scenes.supervision import PAPER, postal
from towncircle.cli.demo.regulation.town import PROVIDER, refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.money import Mills
from towncircle.licensee import departments, downloads, pins
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.tariff import first_class_tables
from towncircle.postal import products
from towncircle.psd.integrity import module_digest
from towncircle.rules.duties import HEADQUARTERS
from towncircle.world import printing, updates
from towncircle.world.departments import Payer, reset_pin

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town

_LATE, _AT_ONCE, _PINS = 3, 4, 5
_NEXT_BUILD = hashlib.sha256(b"the next build, which is halted").hexdigest()
_PIN, _WRONG, _OTHER = "27182", "31415", "14142"


def _ahead(town: Town, days: int) -> date:
    return town.world.clock.now().plus(days=days).date_in(HEADQUARTERS)


# ---- rate tables (IMI-03)


def _publish(town: Town, name: str, days: int) -> int:
    """Publish the prices of a day ahead once more, as a table from that day on: no price is guessed.

    Gives its number.
    """
    first = _ahead(town, days)
    known = next(one for one in first_class_tables() if one.in_force_from <= first <= one.in_force_through)
    file = rate_files.write(replace(known, id=name, in_force_from=first))
    return int(updates.publish_rates(town.world, PROVIDER, file).body["number"])


@shows(
    150,
    "A rate table is published, and every host takes it with its next connection",
    "provider rates.taken",
    "provider rates.published",
    "postal rates.filed",
    "postal rates.accepted",
    "provider rates.accepted",
    "provider rates.assigned",
    "licensee rates.received",
    clause="IMI-03",
)
def published(town: Town) -> None:
    """Publish a table so early that every device has to connect before its first day; the Postal Service accepts it."""
    updates.accept_rates(town.world, PROVIDER, _publish(town, "autumn", 130))


@shows(
    151,
    "An earlier rate table is published before every host has taken the last one",
    "provider rates.reassigned",
    clause="IMI-03",
)
def published_earlier(town: Town) -> None:
    """Publish a table with an earlier first day: hosts that wait for the last one are to have both by then."""
    _publish(town, "summer", 110)


@shows(
    152,
    "The acceptance of a rate table is withdrawn after a mailing date, with notice",
    "postal rates.acceptance-withdrawn",
    "provider rates.acceptance-withdrawn",
    clause="P050 1.5",
)
def withdrawn(town: Town) -> None:
    """Withdraw the acceptance of the autumn table; too early a day is refused."""
    reasons = "It was accepted until the next general change."
    with refused("updates.withdrawn-too-late"):
        updates.withdraw_rates(town.world, PROVIDER, 1, through=_ahead(town, 0), reasons=reasons)
    updates.withdraw_rates(town.world, PROVIDER, 1, through=_ahead(town, 150), reasons=reasons)


# ---- software (IMI-03, 502.11)


def _stage(town: Town, number: int, version: int) -> None:
    group = (town.room(number).licensee,)
    updates.stage(town.world, PROVIDER, version=version, percent=0, groups=group, by=_ahead(town, 30))


@shows(
    126,
    "A build is approved, released in stages, and taken with a connection",
    "provider software.installed",
    "postal build.approved",
    "provider software.released",
    "provider software.staged",
    "provider software.assigned",
    "licensee software.taken",
    "provider software.reported",
    "postal software.forwarded",
    clause="IMI-03, 502.11",
)
def taken(town: Town) -> None:
    """Approve the build that runs here as the first version; one mail room takes it and says so."""
    updates.approve_build(town.world, version=1, build=module_digest(), changes="The first version that is counted.")
    _stage(town, _AT_ONCE, 1)
    journeys = town.room(_AT_ONCE)
    town.connect(journeys)
    expect(journeys.status().software_version == 1, "the device is not bound to the version")


@scene(127)
def fetched(town: Town) -> None:
    """Choose another mail room; its host fetches the order, and the device is switched off before it has it."""
    _stage(town, _LATE, 1)
    journeys = town.room(_LATE)
    town.rests(journeys)
    journeys.do(lambda ctx: downloads.fetch(ctx, device=journeys.device))


@shows(
    129,
    "A device refuses an order that has expired; the next connection brings another",
    "licensee software.refused",
    clause="IMI-03",
)
def refused_late(town: Town) -> None:
    """Hand the old order in: it is refused. Connect: the device takes a fresh one."""
    journeys = town.room(_LATE)
    journeys.do(lambda ctx: downloads.install(ctx, device=journeys.device))
    town.rests(journeys, until_told=False)
    town.connect(journeys)
    expect(journeys.status().software_version == 1, "the device is not bound to the version")


@shows(
    128,
    "A release is halted: who has not taken it is not waited for",
    "provider software.halted",
    "provider software.recalled",
    clause="IMI-03",
)
def halted(town: Town) -> None:
    """Have the next version tested and authorized, release it, and halt it before anybody has taken it."""
    product = town.world.product_at(PROVIDER)
    told = {"provider": PROVIDER, "system": f"{product.vendor}{product.model}", "build": _NEXT_BUILD}
    told |= {"reference": "UPDATE-2", "document": PAPER}
    with refused("software.not-submitted"):
        updates.approve_build(town.world, version=2, build=_NEXT_BUILD, changes="It warns earlier.")
    for step in products.TESTED:
        postal(town, products.submit, step=step.name, category=product.category, **told)
    postal(town, products.change, **told)
    updates.approve_build(town.world, version=2, build=_NEXT_BUILD, changes="It warns earlier.")
    _stage(town, _AT_ONCE, 2)
    updates.halt(town.world, PROVIDER, version=2, reason="It prints too slowly.")


# ---- departments (IMI-05, IMI-06)


@shows(
    60,
    "A department prints for whom it admits, after the PIN",
    "licensee department.admitted",
    "licensee department.budgeted",
    "licensee pin.set",
    "licensee pin.refused",
    clause="IMI-05",
)
def for_a_department(town: Town) -> None:
    """Open a department with a budget, admit a person, and print for it: a wrong PIN first, then the right one."""
    journeys = town.room(_PINS)
    town.authorise(journeys.licensee, "dora")
    journeys.do(lambda ctx: pins.set_pin(ctx, name="dora", pin=_PIN))
    journeys.do(lambda ctx: departments.keep(ctx, department="claims", budget=Mills.dollars(50)))
    journeys.do(lambda ctx: departments.admit(ctx, department="claims", name="dora", admitted=True))
    town.connect(journeys)
    town.fund(journeys)
    with refused("pin.wrong"):
        _print(town, _WRONG)
    _print(town, _PIN)


def _print(town: Town, pin: str) -> None:
    payer = Payer(department="claims", person="dora", pin=pin)
    folder = town.out / "mail"
    printing.print_job(town.room(_PINS), town.recipients(1), folder, formats=("pdf",), payer=payer)


@shows(
    61,
    "A forgotten PIN is reset by another person, who proves it by the own PIN",
    "licensee pin.set how=reset",
    "licensee pin.set how=first",
    clause="IMI-05",
)
def pin_reset(town: Town) -> None:
    """Reset a PIN: a name alone is no proof, and a wrong PIN neither."""
    journeys = town.room(_PINS)
    town.authorise(journeys.licensee, "emil")
    for code in ("pin.none", "pin.wrong"):
        with refused(code):
            reset_pin(journeys, name="dora", pin=_WRONG, by="emil", proof=_WRONG)
        if code == "pin.none":
            reset_pin(journeys, name="emil", pin=_OTHER, by="dora", proof=_PIN)  # she vouches for his first one
    reset_pin(journeys, name="dora", pin=_WRONG, by="emil", proof=_OTHER)
    town.connect(journeys)
    _print(town, _WRONG)
    reset_pin(journeys, name="dora", pin=_PIN, by="emil", proof=_OTHER)


@shows(62, "A person is admitted to a department no more", "licensee department.dismissed", clause="IMI-05")
def dismissed(town: Town) -> None:
    """Dismiss the person, for whom nothing is printed any more."""
    journeys = town.room(_PINS)
    town.connect(journeys)
    journeys.do(lambda ctx: departments.admit(ctx, department="claims", name="dora", admitted=False))
    with refused("department.not-admitted"):
        _print(town, _PIN)
