"""A licensee or a Provider that comes into a world which exists already.

Here: its store, its key and certificate, the world file, and for a Provider its file at the Postal Service and its
staff. Not here: its license or authorization, which it asks for like everybody (`towncircle license`, `products`).
Kept: enrolling can be done again after a crash and then finishes what was begun; a party is enrolled once. The world
file is written last but for the word of the Postal Service that it is done, so that no command meets half a party.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import PartyId
from towncircle.postal import products
from towncircle.rules.offices import appoint
from towncircle.rules.procedures import Subject
from towncircle.storage.sqlite import SqliteStore
from towncircle.world import keys
from towncircle.world.config import POSTAL, WorldConfig
from towncircle.world.parties import assignment
from towncircle.world.world import STORE, World, randomness_of

KIND, BEGUN, DONE = "enrolment", "begun", "done"
ROLES = ("licensee", "provider")
FACT = "party.enrolled"


def enrol(folder: Path, name: str, *, applicant: bool = False) -> PartyId:
    """Bring a licensee or a Provider into the world of a folder; an `applicant` is not authorized yet (502.1).

    An interrupted enrolment is finished. Raises `BadInput` (id.unreadable, world.no-such-role), `Refused`
    (world.enrolled, world.no-applicant).
    """
    party = PartyId.parse(name)
    if party.role not in ROLES:
        raise BadInput("world.no-such-role", party=party)
    if applicant and party.role != "provider":
        raise BadInput("world.no-applicant", party=party)
    settings = WorldConfig.read(folder)
    with_postal(folder, partial(_begin, party=party, known=party in settings.parties, applicant=applicant))
    _equip(folder, settings, party)
    if party not in settings.parties:
        if party.role == "provider":
            replace(settings, providers=(*settings.providers, party)).write(folder)
        else:
            replace(settings, licensees=(*settings.licensees, party)).write(folder)
    world = World.open(folder)
    try:
        if party.role == "provider":
            world.desk(party).perform(appoint, actor=party)
        product = world.product_at(party) if party.role == "provider" else None
        system = assignment(product).subject if product is not None else None
        world.desk(POSTAL).perform(partial(_finish, party=party, system=system), actor=POSTAL)
        world.publish()
    finally:
        world.close()
    return party


def with_postal(folder: Path, job: partial[None]) -> None:
    """Do a job at the desk of the Postal Service of a world as it is now."""
    world = World.open(folder)
    try:
        world.desk(POSTAL).perform(job, actor=POSTAL)
    finally:
        world.close()


def _begin(ctx: Context, *, party: PartyId, known: bool, applicant: bool) -> None:
    held = ctx.tx.get(KIND, party)
    if known and (held is None or held.body["state"] == DONE):
        raise Refused("world.enrolled", party=party)
    if held is None:
        ctx.tx.put(KIND, party, {"state": BEGUN, "applicant": applicant}, owner=party, expected=0)


def _equip(folder: Path, settings: WorldConfig, party: PartyId) -> None:
    """Make what of a party's store, key and certificate is not there yet."""
    if not (folder / party / STORE).exists():
        SqliteStore(folder / party / STORE, create=True).close()
    cabinet = keys.KeyCabinet(folder, repeatable=settings.seed is not None)
    if cabinet.has_certificate(party):
        return
    postal = SqliteStore(folder / POSTAL / STORE)
    try:
        now = World.clock_of(folder).now()
        keys.certify_member(cabinet, party, postal, randomness_of(settings.seed, f"enrol {party}"), now)
    finally:
        postal.close()


def _finish(ctx: Context, *, party: PartyId, system: Subject | None) -> None:
    held = ctx.tx.get(KIND, party)
    assert held is not None
    if held.body["state"] == DONE:
        return
    if system is not None:
        products.enter(ctx, provider=party, authorized=not held.body["applicant"], system=system)
    ctx.note(FACT, party, applicant=held.body["applicant"])
    ctx.tx.put(KIND, party, {**held.body, "state": DONE}, owner=party, expected=held.version)
