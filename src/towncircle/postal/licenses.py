"""Licenses after P050 2.0: applications, decisions with every ground, existing licenses.

Here: the Postal Service's decision on a Form 3601-A that a Provider transmits. Not here: revocation and appeals.
Kept: one license per applicant and post office (2.1); a holder of a valid license is not asked to apply again (2.1);
a refusal names every ground (2.2); the licensee's own signed application is what is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import LicenseNumber
from towncircle.mailpiece.zipcode import place_of
from towncircle.wire.bodies import LicenseApplication, LicenseDecision, LicenseTransmittal
from towncircle.wire.bodies.common import Ground
from towncircle.wire.message import Envelope, Opened

Outcome = Literal["issued", "refused", "existing"]
REQUIRED = ("applicant", "name", "street", "city", "state", "zip", "telephone", "contact", "device_location")
_TELEPHONE = re.compile(r"[0-9() +.-]{7,20}\Z", re.ASCII)


@cites("P050-2.1", "P050-2.2", "PRE-09", "P050-2.1/6", "P050-2.1/7", "P050-2.1/8", "PRE-07/1", "PRE-09/2", "P050-2.2/4")
def on_transmittal(ctx: Context, opened: Opened) -> LicenseDecision:
    """Decide on an application that a Provider transmits: issued, existing or refused with every ground."""
    body = opened.body
    assert isinstance(body, LicenseTransmittal)
    application = _enclosed(ctx, body, opened.envelope)
    earlier = ctx.tx.get("application", application.application_id)
    if earlier is not None and earlier.owner != application.applicant:
        raise Refused("postal.application-of-another", application=application.application_id)
    if earlier is not None:
        return _decision(application, earlier.body["outcome"], earlier.body["license"], earlier.body["grounds"])
    grounds = [[error.code, error.sentence, error.clause] for error in _grounds(application)]
    office = f"{application.applicant} {application.office_zip}"
    held = ctx.tx.get("license-at", office)
    outcome: Outcome
    if grounds:
        outcome, number = "refused", ""
    elif held is not None:
        outcome, number = "existing", str(held.body["license"])
    else:
        outcome, number = "issued", _issue(ctx, application, body.provider, office)
    ctx.tx.put(
        "application",
        application.application_id,
        {"provider": body.provider, "outcome": outcome, "license": number, "grounds": grounds},
        owner=application.applicant,
        expected=0,
    )
    ctx.note(
        f"license.{outcome}",
        number or application.application_id,
        clauses=("P050 2.2",) if grounds else ("P050 2.1",),
        application=application.application_id,
        licensee=application.applicant,
        provider=body.provider,
        office_zip=application.office_zip,
        zone=_zone(application.office_zip),
        grounds=[code for code, _, _ in grounds],
    )
    return _decision(application, outcome, number, grounds)


@cites("P050-2.1/3", "502.20b")
def _enclosed(ctx: Context, body: LicenseTransmittal, carrier: Envelope) -> LicenseApplication:
    provider = carrier.sender
    enclosed = ctx.unseal(body.application, provider, carrier)
    application = enclosed.body
    if not isinstance(application, LicenseApplication) or application.applicant != enclosed.envelope.sender:
        raise Refused("postal.not-the-applicant", sender=enclosed.envelope.sender)
    if body.provider != provider:
        raise Refused("postal.not-the-provider", sender=provider)
    return application


@cites("P050-2.1/1", "P050-2.1/2", "P050-2.2/1")
def _grounds(application: LicenseApplication) -> Iterator[Refused]:
    for name in REQUIRED:
        if not str(getattr(application, name)).strip():
            yield Refused("postal.form-incomplete", field=name.replace("_", " "))
    if application.telephone and not _TELEPHONE.match(application.telephone):
        yield Refused("postal.form-fictitious", field="telephone", value=application.telephone[:30])
    for role, zip_code, state in (
        ("address", application.zip, application.state),
        ("post office", application.office_zip, application.office_state),
    ):
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


def _issue(ctx: Context, application: LicenseApplication, provider: str, office: str) -> LicenseNumber:
    number = LicenseNumber.parse(f"{application.office_zip}-{ctx.tx.next_number('license'):06d}")
    owner = application.applicant
    ctx.tx.put(
        "license",
        number,
        {
            "licensee": owner,
            "state": "valid",
            "provider": provider,
            "office_zip": application.office_zip,
            "office_city": application.office_city,
            "office_state": application.office_state,
            "issued_at": int(ctx.now),
        },
        owner=owner,
        expected=0,
    )
    ctx.tx.put("license-at", office, {"license": number}, owner=owner, expected=0)
    return number


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
