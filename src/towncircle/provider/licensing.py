"""Applications for a license, transmitted on behalf of applicants (502.20(b)).

Here: passing a Form 3601-A on and bringing the decision back. Not here: the decision, which is the Postal Service's.
Kept: the applicant's signed form travels unchanged; the applicant gets the Postal Service's signed decision unchanged.
"""

from __future__ import annotations

import base64

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.wire.bodies import LicenseApplication, LicenseDecision, LicenseNotice, LicenseTransmittal
from towncircle.wire.message import Opened


@cites("502.20b", "PRE-06/1", "P050-2.1/3", "P050-2.1/5", "P050-2.2/5")
def on_application(ctx: Context, opened: Opened) -> Steps:
    """Transmit an application to the Postal Service and answer with its decision."""
    body = opened.body
    assert isinstance(body, LicenseApplication)
    if opened.envelope.sender != body.applicant:
        raise Refused("provider.not-the-applicant", sender=opened.envelope.sender, named=body.applicant)
    transmittal = LicenseTransmittal(application=opened.raw, provider=ctx.party)
    answer = yield Ask("postal.usps", transmittal, f"license {body.applicant} {body.application_id}")
    decision = answer.body
    assert isinstance(decision, LicenseDecision)
    if ctx.tx.get("application", body.application_id) is None:
        ctx.tx.put(
            "application",
            body.application_id,
            {"outcome": decision.outcome, "license": decision.license, "notice": _text(answer.raw)},
            owner=body.applicant,
            expected=0,
        )
        ctx.note(
            "license.notified",
            decision.license or body.application_id,
            clauses=("P050 2.2",) if decision.outcome == "refused" else ("P050 2.1",),
            licensee=body.applicant,
            outcome=decision.outcome,
        )
    if decision.license and ctx.tx.get("license", decision.license) is None:
        ctx.tx.put(
            "license",
            decision.license,
            {
                "state": "valid",
                "office_zip": decision.office_zip,
                "office_city": decision.office_city,
                "office_state": decision.office_state,
            },
            owner=body.applicant,
            expected=0,
        )
    return LicenseNotice(decision=answer.raw)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
