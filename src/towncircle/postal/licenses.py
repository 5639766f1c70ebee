"""Licenses after P050 2.0: applications, decisions with every ground, existing licenses.

Here: the Postal Service's decision on a Form 3601-A that a Provider transmits, and meter licenses on file. Not here:
revocation (`revocations`), appeals (`appeals`), changed data (`license_data`).
Kept: one license per applicant and post office (2.1); a holder of a valid license, a meter license too, is not asked to
apply again (2.1, PRE-09); a refusal names every ground (2.2), an earlier revocation for as long as the look-back runs;
the licensee's own signed application is what is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.ids import LicenseNumber
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.mailpiece.zipcode import place_of
from towncircle.postal.standing import VALID, serves
from towncircle.rules import RuleSet
from towncircle.rules.duties import Duty, derive
from towncircle.wire.bodies import LicenseApplication, LicenseDecision, LicenseTransmittal
from towncircle.wire.bodies.common import Ground
from towncircle.wire.message import Envelope, Opened

Outcome = Literal["issued", "refused", "existing"]
LOOK_BACK = "license-look-back"
REVOKED_BEFORE = "license.revoked-before"  # the ground that a look back gives
REQUIRED = ("applicant", "name", "street", "city", "state", "zip", "telephone", "contact", "device_location")
DATA = ("name", "street", "city", "state", "zip", "telephone", "contact", "device_location")
_TELEPHONE = re.compile(r"[0-9() +.-]{7,20}\Z", re.ASCII)


@cites("P050-2.1", "P050-2.2", "PRE-09", "P050-2.1/6", "P050-2.1/8", "PRE-07/1", "PRE-09/2", "P050-2.2/4")
def on_transmittal(ctx: Context, opened: Opened, *, rules: RuleSet) -> LicenseDecision:
    """Decide on an application that a Provider transmits: issued, existing or refused with every ground."""
    body = opened.body
    assert isinstance(body, LicenseTransmittal)
    application, submitted = _enclosed(ctx, body, opened.envelope)
    earlier = ctx.tx.get("application", application.application_id)
    if earlier is not None and earlier.owner != application.applicant:
        raise Refused("postal.application-of-another", application=application.application_id)
    if earlier is not None:
        _same(earlier, application)
        return _decision(application, earlier.body["outcome"], earlier.body["license"], earlier.body["grounds"])
    held = valid_at(ctx, application.applicant, application.office_zip)
    found = list(_grounds(application))
    if held is None:  # what is known of an applicant is a ground against another license, not against one that is held
        found += _earlier(ctx, application.applicant, submitted, rules)
    grounds = [[error.code, error.sentence, error.clause] for error in found]
    named: dict[str, Any] = {
        "provider": body.provider,
        "office_zip": application.office_zip,
        "office_city": application.office_city,
        "office_state": application.office_state,
        "zone": _zone(application.office_zip),
    }
    data = data_of(application)
    outcome: Outcome
    if grounds:
        outcome, number = "refused", ""
    elif held is not None:
        outcome, number = "existing", _update(ctx, held, body.provider)
    else:
        outcome, number = "issued", issue(ctx, named, owner=application.applicant)
    kept = {**named, "outcome": outcome, "license": number, "grounds": grounds, "data": data, "at": int(ctx.now)}
    ctx.tx.put("application", application.application_id, kept, owner=application.applicant, expected=0)
    if number:
        keep_data(ctx, number, data, owner=application.applicant)
    ctx.note(
        f"license.{outcome}",
        number or application.application_id,
        clauses=("P050 2.2",) if grounds else ("P050 2.1",),
        application=application.application_id,
        licensee=application.applicant,
        provider=body.provider,
        office_zip=application.office_zip,
        zone=named["zone"],
        grounds=[code for code, _, _ in grounds],
    )
    return _decision(application, outcome, number, grounds)


@cites("P050-2.1/7")
def _same(earlier: Record, application: LicenseApplication) -> None:
    """See that an application that comes again is the same one: each post office has its own.

    Raises `Refused` (postal.application-differs).
    """
    at = (earlier.body["office_zip"], earlier.body.get("data"))
    told = (application.office_zip, data_of(application) if at[1] is not None else None)
    if at != told:
        raise Refused("postal.application-differs", application=application.application_id, office=at[0])


def valid_at(ctx: Context, licensee: str, office_zip: str) -> Record | None:
    """Give the valid license of an applicant at a post office, or None."""
    at = ctx.tx.get("license-at", f"{licensee} {office_zip}")
    held = ctx.tx.get("license", at.body["license"]) if at else None
    return held if held is not None and held.body["state"] == VALID else None


@cites("PRE-09/3", "P050-2.1/10", "P050-2.1/6")
def _update(ctx: Context, held: Record, provider: str) -> LicenseNumber:
    """Update the file of a license that is held: another Provider serves it too from now on."""
    if not serves(held, provider):
        body = {**held.body, "providers": [*held.body.get("providers", ()), provider]}
        if not held.body["provider"]:
            body |= {"provider": provider, "providers": []}
        ctx.tx.put("license", held.key, body, owner=held.owner, expected=held.version)
        ctx.note("license.updated", held.key, clauses=("PRE-09", "P050 2.1"), licensee=held.owner, provider=provider)
    return LicenseNumber.parse(held.key)


@cites("PRE-09/2", "PRE-09/3", "P050-2.1/6", "P050-2.1/10")
def file_meter_license(ctx: Context, *, licensee: str, office_zip: str) -> LicenseNumber:
    """Enter a postage meter license that is on file: its holder need not apply for another.

    Raises `Refused` (license.on-file), `BadInput` (license.no-such-person) and what a ZIP Code that is none raises.
    """
    if not licensee.startswith("licensee."):
        raise BadInput("license.no-such-person", licensee=licensee[:64])
    held = valid_at(ctx, licensee, office_zip)
    if held is not None:
        raise Refused("license.on-file", licensee=licensee, license=held.key)
    place = place_of(office_zip)
    office = {"office_zip": office_zip, "office_city": place.city.upper(), "office_state": place.state}
    number = issue(ctx, {**office, "provider": "", "zone": place.zone}, owner=licensee, system="postage meter")
    ctx.note("license.filed", number, clauses=("PRE-09",), licensee=licensee, office_zip=office_zip, zone=place.zone)
    return number


@cites("P050-2.2/2", "P050-2.2/3")
def _earlier(ctx: Context, applicant: str, submitted: Instant, rules: RuleSet) -> Iterator[Refused]:
    """Give the grounds that lie in what is known of the applicant: an earlier revocation, a caution."""
    if ctx.tx.find("revocation", owner=applicant):
        yield from _look_back(ctx, applicant, submitted, rules)
    held = ctx.tx.get("caution", applicant)
    if held is not None and held.body["state"] == "standing":
        yield Refused("license.believed-violation", caution=held.body["number"])


def _look_back(ctx: Context, applicant: str, submitted: Instant, rules: RuleSet) -> Iterator[Refused]:
    for duty in looked_back(rules, ctx.tx.facts(), applicant=applicant, party=ctx.party, as_of=ctx.now):
        if submitted <= duty.until:
            day = duty.anchor.occurred_at.date_in(duty.zone)
            yield Refused("license.revoked-before", license=duty.anchor.subject, day=day, until=duty.last_day)


def looked_back(rules: RuleSet, facts: Iterable[Fact], *, applicant: str, party: str, as_of: Instant) -> Iterator[Duty]:
    """Give the revocations of an applicant that stand, each with how long it is looked back to."""
    facts = [fact for fact in facts if fact.body.get("licensee") == applicant]
    undone = {fact.body["decision"] for fact in facts if fact.type == "license.revocation-withdrawn"}
    facts = [fact for fact in facts if fact.type != "license.revocation-withdrawn"]
    facts = [fact for fact in facts if fact.type != "license.revoked" or fact.body["decision"] not in undone]
    looked = derive(rules, facts, party=party, as_of=as_of, wanted=lambda limit: limit.id == LOOK_BACK)
    return (duty for duty in looked if duty.thread == applicant)


@cites("P050-2.1/3", "502.20b")
def _enclosed(ctx: Context, body: LicenseTransmittal, carrier: Envelope) -> tuple[LicenseApplication, Instant]:
    provider = carrier.sender
    enclosed = ctx.unseal(body.application, provider, carrier)
    application = enclosed.body
    if not isinstance(application, LicenseApplication) or application.applicant != enclosed.envelope.sender:
        raise Refused("postal.not-the-applicant", sender=enclosed.envelope.sender)
    if body.provider != provider:
        raise Refused("postal.not-the-provider", sender=provider)
    return application, enclosed.envelope.issued


@cites("P050-2.1/1", "P050-2.1/2", "P050-2.2/1")
def _grounds(application: LicenseApplication) -> Iterator[Refused]:
    for name in REQUIRED:
        if not str(getattr(application, name)).strip():
            yield Refused("postal.form-incomplete", field=name.replace("_", " "))
    yield from fictitious(application.telephone, ("address", application.zip, application.state))
    yield from fictitious("", ("post office", application.office_zip, application.office_state))


@cites("P050-2.2/1")
def fictitious(telephone: str, place: tuple[str, str, str]) -> Iterator[Refused]:
    """Give what is false or fictitious of a telephone number and of a ZIP Code in its state (role, ZIP Code, state)."""
    if telephone and not _TELEPHONE.match(telephone):
        yield Refused("postal.form-fictitious", field="telephone", value=telephone[:30])
    role, zip_code, state = place
    if not _in_state(zip_code, state):
        yield Refused("postal.form-fictitious", field=f"{role} ZIP Code", value=f"{zip_code[:10]} in {state[:2]}")


def _in_state(zip_code: str, state: str) -> bool:
    try:
        return place_of(zip_code[:5]).state == state
    except BadInput:
        return False


def _zone(zip_code: str) -> str:
    """Give the zone of an office, or nothing where a refused form names no office."""
    try:
        return place_of(zip_code[:5]).zone
    except BadInput:
        return ""


@cites("P050-2.1/9")
def issue(ctx: Context, named: Mapping[str, Any], *, owner: str, system: str = "IBI") -> LicenseNumber:
    """Issue a license for a post office; one that is valid there already is given instead."""
    office_zip = str(named["office_zip"])
    held = valid_at(ctx, owner, office_zip)
    if held is not None:
        return LicenseNumber.parse(held.key)
    number = LicenseNumber.parse(f"{office_zip}-{ctx.tx.next_number('license'):06d}")
    kept = ("provider", "office_zip", "office_city", "office_state")
    record = {"licensee": owner, "state": VALID, "system": system, "issued_at": int(ctx.now)}
    ctx.tx.put("license", number, {**record, **{name: named[name] for name in kept}}, owner=owner, expected=0)
    stand_at(ctx, number, owner=owner, office_zip=office_zip)
    return number


def stand_at(ctx: Context, number: str, *, owner: str, office_zip: str) -> None:
    """Make a license the one of an applicant at a post office."""
    key = f"{owner} {office_zip}"
    at = ctx.tx.get("license-at", key)
    ctx.tx.put("license-at", key, {"license": number}, owner=owner, expected=at.version if at else 0)


def data_of(stated: object) -> dict[str, str]:
    """Give the Form 3601-A data of an application or a statement."""
    return {name: str(getattr(stated, name)) for name in DATA}


def keep_data(ctx: Context, number: str, data: Mapping[str, str], *, owner: str) -> int:
    """Keep the Form 3601-A data of a license, and give the number of its revision: 1 as it was issued."""
    held = ctx.tx.get("license-data", number)
    if held is not None and {name: held.body[name] for name in DATA} == data:
        return int(held.body["revision"])
    revision = int(held.body["revision"]) + 1 if held else 1
    record = {**data, "revision": revision, "at": int(ctx.now)}
    ctx.tx.put("license-data", number, record, owner=owner, expected=held.version if held else 0)
    return revision


def _decision(
    application: LicenseApplication, outcome: Outcome, number: str, grounds: list[list[str]]
) -> LicenseDecision:
    return LicenseDecision(
        application_id=application.application_id,
        outcome=outcome,
        license=number,
        office_zip=application.office_zip,
        office_city=application.office_city,
        office_state=application.office_state,
        grounds=tuple(Ground(code=code, sentence=text, clause=clause) for code, text, clause in grounds),
    )
