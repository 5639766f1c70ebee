"""The licensee's licenses after they were issued (P050 2.3 to 2.5): standing, appeal, stated data, giving up.

Here: the licensee's side. Not here: the application (`setup`), decisions.
Kept: a change of the Form 3601-A data is a fact before anything leaves, and notified by the same statement however
often it is asked for; the licensee reads the Postal Service's own signed word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import ApplicationId, MessageId
from towncircle.kernel.store import Record
from towncircle.mailpiece.zipcode import place_of
from towncircle.wire.bodies import (
    AppealDocketed,
    LicenseAppeal,
    LicenseDataStated,
    LicenseStanding,
    LicenseStandingQuery,
    RevisedLicense,
    RevisedLicenseNotice,
)

POSTAL = "postal.usps"
FORM = ("name", "street", "city", "state", "zip", "telephone", "contact", "device_location")
_PROFILE = ("name", "street", "city", "state", "zip")
CHANGE, VERIFICATION, GIVE_UP = "change", "verification", "give-up"


def keep_form(ctx: Context, number: str, data: Mapping[str, str]) -> None:
    """Keep the Form 3601-A data of a license; name and address become the sender's on what is printed."""
    for kind, key, kept in (
        ("form-3601-a", number, {name: data[name] for name in FORM}),
        ("profile", "own", {name: data[name] for name in _PROFILE}),
    ):
        held = ctx.tx.get(kind, key)
        ctx.tx.put(kind, key, kept, owner=ctx.party, expected=held.version if held else 0)


def keep_refused(ctx: Context, application: str, data: Mapping[str, str]) -> None:
    """Keep the data of a refused application: an appeal may bring the license all the same."""
    if ctx.tx.get("form-3601-a", application) is None:
        ctx.tx.put("form-3601-a", application, {name: data[name] for name in FORM}, owner=ctx.party, expected=0)


def license_held(ctx: Context, number: str = "") -> Record:
    """Give a license of this licensee: the one named, or the one that it received last.

    Raises `Refused` (license.unknown).
    """
    rows = ctx.tx.find("license")
    if number:
        rows = [row for row in rows if row.key == number]
    if not rows:
        raise Refused("license.unknown", about=number[:64] or "yet")
    valid = [row for row in rows if row.body.get("state", "valid") == "valid"]
    return max(valid or rows, key=lambda row: row.body.get("received_at", 0))


def form_of(ctx: Context, number: str) -> dict[str, str]:
    """Give the Form 3601-A data that stand for a license; what an old record lacks is empty."""
    held = ctx.tx.get("form-3601-a", number)
    profile = ctx.tx.get("profile", "own")
    known = {**(profile.body if profile else {}), **(held.body if held else {})}
    return {name: str(known.get(name, "")) for name in FORM}


@cites("P050-2.3g/1")
def ask_standing(ctx: Context, *, about: str) -> Steps:
    """Ask the Postal Service how a license or an application stands, and take its written notice."""
    answer = yield Ask(POSTAL, LicenseStandingQuery(about=about), f"standing {about} {MessageId.new(ctx.randomness)}")
    told = answer.body
    assert isinstance(told, LicenseStanding)
    if told.license:
        take_standing(ctx, told)
    return told


def take_standing(ctx: Context, told: LicenseStanding) -> None:
    """Keep how a license stands, as the Postal Service says it; one that an appeal brought is received."""
    row = ctx.tx.get("license", told.license)
    if row is None:
        office = {name: getattr(told, name) for name in ("office_zip", "office_city", "office_state", "provider")}
        record = {**office, "received_at": int(ctx.now), "state": told.state}
        ctx.tx.put("license", told.license, record, owner=ctx.party, expected=0)
        applied = ctx.tx.get("form-3601-a", told.about)
        if applied is not None:
            keep_form(ctx, told.license, applied.body)
        zone = place_of(told.office_zip).zone
        ctx.note("license.received", told.license, clauses=("P050 2.4",), provider=told.provider, zone=zone)
    elif row.body.get("state", "valid") != told.state and row.body.get("state") != "given up":
        ctx.tx.put("license", row.key, {**row.body, "state": told.state}, owner=ctx.party, expected=row.version)
        ctx.note("license.standing", row.key, clauses=("P050 2.3",), state=told.state, decision=told.decision)


@cites("P050-2.4")
def appeal(ctx: Context, *, about: str, decision: str, reasons: str, evidence: str) -> Steps:
    """Appeal in writing against a refusal or a revocation, by the name of its decision; give the docket."""
    body = LicenseAppeal(about=about, decision=decision, reasons=reasons, evidence=evidence)
    said = hashlib.sha256(f"{decision}\0{reasons}\0{evidence}".encode()).hexdigest()
    answer = yield Ask(POSTAL, body, f"appeal {about} {said}")
    told = answer.body
    assert isinstance(told, AppealDocketed)
    if ctx.tx.get("appeal", told.docket) is None:
        record = {"about": about, "filed_at": int(told.filed_at)}
        ctx.tx.put("appeal", told.docket, record, owner=ctx.party, expected=0)
        ctx.note("appeal.filed", told.docket, clauses=("P050 2.4",), about=about)
    return told


@cites("P050-2.5d")
def change(ctx: Context, *, number: str, changes: Mapping[str, str]) -> Record:
    """Write a change of the Form 3601-A data down; it must be notified at once (`state`).

    Raises `BadInput` (license.no-change).
    """
    row = license_held(ctx, number)
    old = form_of(ctx, row.key)
    data = {**old, **changes}
    held = _open(ctx, row.key)
    if held is not None and (not changes or held.body["data"] == data):
        return held
    if data == old and held is None:
        raise BadInput("license.no-change", license=row.key)
    statement = str(ApplicationId.new(ctx.randomness))
    about = str(held.body["change"]) if held else statement
    if held is not None:  # it was never notified, or was refused: another statement tells it
        old_one = {**held.body, "state": "replaced"}
        ctx.tx.put("license-statement", held.key, old_one, owner=ctx.party, expected=held.version)
    else:
        names = sorted(name for name in data if data[name] != old[name])
        ctx.note("license-data.changed", about, clauses=("P050 2.5(d)",), license=row.key, fields=names)
    return _begin(ctx, row.key, statement, CHANGE, data, about)


def begin(ctx: Context, *, number: str, purpose: str) -> Record:
    """Begin a verification of the license data, or giving the license up; an interrupted one is taken up again."""
    row = license_held(ctx, number)
    no_open_change(ctx, row.key)
    for held in ctx.tx.find("license-statement"):
        if (held.body["license"], held.body["purpose"], held.body["state"]) == (row.key, purpose, "open"):
            return held
    return _begin(ctx, row.key, str(ApplicationId.new(ctx.randomness)), purpose, form_of(ctx, row.key))


def begin_move(ctx: Context, *, number: str, office_zip: str) -> None:
    """Write down that a license is left for another post office, so that an interruption is taken up again."""
    held = ctx.tx.get("moving", number)
    if held is None or held.body["state"] != "open" or held.body["office_zip"] != office_zip:
        record = {"office_zip": office_zip, "state": "open"}
        ctx.tx.put("moving", number, record, owner=ctx.party, expected=held.version if held else 0)


def _begin(
    ctx: Context, number: str, statement: str, purpose: str, data: Mapping[str, str], change: str = ""
) -> Record:
    record = {"license": number, "purpose": purpose, "data": dict(data), "state": "open", "change": change}
    return ctx.tx.put("license-statement", statement, record, owner=ctx.party, expected=0)


def _open(ctx: Context, number: str) -> Record | None:
    for held in ctx.tx.find("license-statement"):
        if (held.body["license"], held.body["purpose"], held.body["state"]) == (number, CHANGE, "open"):
            return held
    return None


@cites("P050-2.5d")
def no_open_change(ctx: Context, number: str) -> None:
    """Refuse what rests on data that are known to be old. Raises `Refused` (license.data-open)."""
    held = _open(ctx, number)
    if held is not None:
        raise Refused("license.data-open", license=number, statement=held.key)


@cites("P050-2.5d", "P050-2.5e/1", "P050-2.5e/2")
def state(ctx: Context, *, statement: str) -> Steps:
    """State the data of a license to its Provider and take the Postal Service's revised license."""
    held = ctx.tx.get("license-statement", statement)
    assert held is not None
    row = license_held(ctx, held.body["license"])
    purpose, provider = held.body["purpose"], row.body["provider"]
    body = LicenseDataStated(
        statement=statement, license=row.key, licensee=ctx.party, purpose=purpose, **held.body["data"]
    )
    answer = yield Ask(provider, body, f"license data {statement}")
    notice = answer.body
    assert isinstance(notice, RevisedLicenseNotice)
    opened = ctx.unseal(notice.revised, provider, answer.envelope)
    revised = opened.body
    mine = isinstance(revised, RevisedLicense) and revised.statement == statement
    if not mine or opened.envelope.sender != POSTAL:
        raise Refused("licensee.not-a-decision", provider=provider)
    held = ctx.tx.get("license-statement", statement)
    assert held is not None
    if held.body["state"] == "open":
        ctx.tx.put(
            "license-statement", statement, {**held.body, "state": "done"}, owner=ctx.party, expected=held.version
        )
        _taken(ctx, held, revised)
    return revised


def _taken(ctx: Context, held: Record, revised: RevisedLicense) -> None:
    number = revised.license
    row = license_held(ctx, number)
    kept = {**row.body, "revision": revised.revision, "state": revised.state}
    ctx.tx.put("license", number, kept, owner=ctx.party, expected=row.version)
    if held.body["purpose"] == GIVE_UP:
        ctx.note("license.given-up", number, clauses=("P050 2.5(e)",))
        moving = ctx.tx.get("moving", number)
        if moving is not None:
            ctx.tx.put("moving", number, {**moving.body, "state": "done"}, owner=ctx.party, expected=moving.version)
        return
    keep_form(ctx, number, held.body["data"])
    if held.body["purpose"] == CHANGE:
        ctx.note("license-data.notified", held.body["change"], clauses=("P050 2.5(d)",), license=number)
    ctx.note("license-data.verified", number, clauses=("P050 2.5(e)",), revision=revised.revision)
