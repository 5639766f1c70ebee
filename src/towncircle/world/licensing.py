"""Licenses after they were issued, as one walks them in a world (P050 2.3 to 2.5).

Here: the licensee's journeys (standing, appeal, stated data, another post office) and the Postal Service's acts. Not
here: arguments of commands, decisions.
Kept: every step can be run again after a crash and then finishes what was begun; an act of the Postal Service is that
of an authorised person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record
from towncircle.licensee import licenses, missing, returns
from towncircle.postal import appeals, permits, revocations, standing
from towncircle.postal.licenses import file_meter_license
from towncircle.wire.bodies import AppealDocketed, LicenseDecision, LicenseStanding, RevisedLicense
from towncircle.world import returning
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.supervising import as_person
from towncircle.world.world import World


def held(journeys: Journeys, number: str = "") -> Record:
    """Give a license of the licensee: the one named, or the one that it received last."""
    row: Record = journeys.do(lambda ctx: licenses.license_held(ctx, number))
    return row


def form_of(journeys: Journeys, number: str) -> dict[str, str]:
    """Give the Form 3601-A data that stand for a license."""
    data: dict[str, str] = journeys.do(lambda ctx: licenses.form_of(ctx, number))
    return data


def ask_standing(journeys: Journeys, about: str = "") -> LicenseStanding:
    """Ask the Postal Service how a license or an application stands; its answer is the written notice."""
    name = about or held(journeys).key
    told: LicenseStanding = journeys.do(lambda ctx: licenses.ask_standing(ctx, about=name))
    return told


def appeal(journeys: Journeys, *, about: str, reasons: str, evidence: str = "") -> AppealDocketed:
    """Appeal to the Manager, MTM, against the refusal or revocation that stands; its notice is received before."""
    notice = ask_standing(journeys, about)
    told: AppealDocketed = journeys.do(
        lambda ctx: licenses.appeal(
            ctx, about=notice.about, decision=notice.decision, reasons=reasons, evidence=evidence
        )
    )
    return told


def change(journeys: Journeys, changes: Mapping[str, str], *, number: str = "") -> Record:
    """Write down that data of Form 3601-A have changed; `notify` tells the Provider."""
    row: Record = journeys.do(lambda ctx: licenses.change(ctx, number=number, changes=changes))
    return row


def revise(journeys: Journeys, changes: Mapping[str, str], *, number: str = "") -> RevisedLicense:
    """Notify the Provider of changed data, and give the revised license; an interrupted notice is finished."""
    return _state(journeys, change(journeys, changes, number=number))


def verify(journeys: Journeys, *, number: str = "") -> RevisedLicense:
    """Verify the license data: they are stated anew as they stand."""
    row: Record = journeys.do(lambda ctx: licenses.begin(ctx, number=number, purpose=licenses.VERIFICATION))
    return _state(journeys, row)


def move(journeys: Journeys, *, office_zip: str, reason: str = "another post office") -> LicenseDecision:
    """Change the post office of deposit: the devices are checked out, a license is issued there, the old one given up.

    A device that is lost or stolen holds nothing up.

    Raises the refusal of the new license; the old one then still stands, and its device is out of service.
    """
    old = held(journeys)
    moved = [row for row in _rows(journeys, "moving") if _moves(row, office_zip)]
    if moved:
        old = held(journeys, moved[-1].key)
    elif old.body["office_zip"] == office_zip:
        raise BadInput("license.same-office", license=old.key, office_zip=office_zip)
    journeys.do(lambda ctx: licenses.begin_move(ctx, number=old.key, office_zip=office_zip))
    for device in _rows(journeys, "device"):
        if device.body["license"] == old.key:
            _give_back(journeys, DeviceId(device.key), reason)
    form = form_of(journeys, old.key)
    decision = journeys.apply(replace(Applicant(office_zip=office_zip), **form), provider=str(old.body["provider"]))
    row: Record = journeys.do(lambda ctx: licenses.begin(ctx, number=old.key, purpose=licenses.GIVE_UP))
    _state(journeys, row)
    return decision


def _give_back(journeys: Journeys, device: DeviceId, reason: str) -> None:
    case: Record | None = journeys.do(lambda ctx: returns.case(ctx, device=device))
    out = case is not None and case.body["state"] == returns.DONE
    if not out and not journeys.do(lambda ctx: missing.gone(ctx, device=device)):
        returning.withdraw(journeys, reason=reason, device=device)


def _state(journeys: Journeys, row: Record) -> RevisedLicense:
    told: RevisedLicense = journeys.do(lambda ctx: licenses.state(ctx, statement=row.key))
    return told


def _moves(row: Record, office_zip: str) -> bool:
    return (row.body["state"], row.body["office_zip"]) == ("open", office_zip)


def _rows(journeys: Journeys, kind: str) -> list[Record]:
    with journeys.world.store(journeys.licensee).reading() as view:
        return view.find(kind)


def revoke(world: World, number: str, grounds: Mapping[str, str], *, by: str) -> Record:
    """Revoke a license on the grounds given; the notice leaves at once."""
    row: Record = _postal(
        world, by, "revoke", lambda ctx: revocations.revoke(ctx, number=number, grounds=grounds, rules=world.rules)
    )
    return row


def decline(world: World, number: str, reason: str, *, by: str) -> None:
    """Decline to revoke a license whose noncompliance was reported."""
    _postal(world, by, "decline", lambda ctx: revocations.decline(ctx, number=number, reason=reason, rules=world.rules))


def receipt(world: World, about: str, on: date, *, by: str) -> None:
    """Record the return receipt of a paper notice."""
    _postal(world, by, "receipt", lambda ctx: standing.record_receipt(ctx, about=about, on=on))


def decide(world: World, docket: str, *, reverse: bool, reasons: str, by: str) -> Record:
    """Decide an appeal."""
    act = "reverse" if reverse else "uphold"
    row: Record = _postal(
        world, by, act, lambda ctx: appeals.decide(ctx, docket=docket, reverse=reverse, reasons=reasons)
    )
    return row


def caution(world: World, licensee: str, *, by: str, lift: bool = False) -> Record:
    """Record sufficient reason to believe in a use in violation, or lift it."""
    if licensee not in world.config.licensees:
        raise BadInput("license.no-such-person", licensee=licensee[:64])
    act = "lift" if lift else "caution"
    row: Record = _postal(world, by, act, lambda ctx: revocations.caution(ctx, licensee=licensee, lift=lift))
    return row


def permit(world: World, number: str, kind: str, reference: str, until: date, *, by: str) -> Record:
    """Grant a license an authorization up to a day, such as to keep a device abroad."""
    row: Record = _postal(
        world, by, "permit", lambda ctx: permits.grant(ctx, number=number, kind=kind, reference=reference, until=until)
    )
    return row


def end_permit(world: World, number: str, kind: str, *, by: str) -> Record:
    """Withdraw an authorization from now on."""
    row: Record = _postal(world, by, "end-permit", lambda ctx: permits.withdraw(ctx, number=number, kind=kind))
    return row


def file_meter(world: World, licensee: str, office_zip: str, *, by: str) -> str:
    """Enter a postage meter license that is on file; give its number."""
    if licensee not in world.config.licensees:
        raise BadInput("license.no-such-person", licensee=licensee[:64])
    told = {"licensee": licensee, "office_zip": office_zip}
    return str(_postal(world, by, "meter", lambda ctx: file_meter_license(ctx, **told)))


def docket_of(world: World) -> tuple[list[Record], list[Record], dict[str, list[tuple[str, str]]]]:
    """Give every license and every appeal, as the Postal Service has them, and the authorizations in force by license.

    An authorization is its kind and its last day.
    """
    now = world.clock.now()
    with world.store(POSTAL).reading() as view:
        licenses = view.find("license")
        permitted = {
            row.key: [
                (kind, str(held.body["until"]))
                for kind in permits.KINDS
                if (held := permits.in_force(view, number=row.key, kind=kind, at=now)) is not None
            ]
            for row in licenses
        }
        return licenses, view.find("appeal"), permitted


def _postal(world: World, by: str, act: str, job: Callable[[Context], Any]) -> Any:
    """Do an act of an office of the Postal Service. Raises `Refused` (person.unknown, person.other-office)."""
    named, actor = as_person(POSTAL, job, by=by, act=f"licenses {act}")
    return world.desk(POSTAL).perform(named, actor=actor)
