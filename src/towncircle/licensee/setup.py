"""From the application to the lease (P050 2.1, 2.5i).

Here: the licensee's side of journey A up to the device. Not here: funds.
Kept: the licensee reads the Postal Service's own signed decision, not the Provider's word of it.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused, RelayedRefusal
from towncircle.mailpiece.zipcode import place_of
from towncircle.wire.bodies import LeaseConfirmed, LeaseSigned, LicenseApplication, LicenseDecision, LicenseNotice


@cites("P050-2.1")
def apply(ctx: Context, *, application: LicenseApplication, provider: str) -> Steps:
    """Apply for a license through a Provider; give the license number. Raises the refusal with every ground."""
    answer = yield Ask(provider, application, f"application {application.application_id}")
    notice = answer.body
    assert isinstance(notice, LicenseNotice)
    opened = ctx.unseal(notice.decision, provider, answer.envelope)
    decision = opened.body
    mine = isinstance(decision, LicenseDecision) and decision.application_id == application.application_id
    if not mine or opened.envelope.sender != "postal.usps":
        raise Refused("licensee.not-a-decision", provider=provider)
    if decision.outcome == "refused":
        raise RelayedRefusal(
            {
                "code": "postal.license-refused",
                "sentence": "The application for a license was refused.",
                "clause": "P050 2.2",
                "next_step": "Mend the grounds and apply again, or appeal in writing (P050 2.4).",
                "grounds": [{"code": g.code, "sentence": g.sentence, "clause": g.clause} for g in decision.grounds],
            }
        )
    if ctx.tx.get("license", decision.license) is None:
        record = {
            "office_zip": decision.office_zip,
            "office_city": decision.office_city,
            "office_state": decision.office_state,
            "provider": provider,
        }
        ctx.tx.put("license", decision.license, record, owner=ctx.party, expected=0)
        held = ctx.tx.get("profile", "own")
        profile = {name: str(getattr(application, name)) for name in ("name", "street", "city", "state", "zip")}
        ctx.tx.put("profile", "own", profile, owner=ctx.party, expected=held.version if held else 0)
        zone = place_of(decision.office_zip).zone
        ctx.note("license.received", decision.license, clauses=("P050 2.1",), provider=provider, zone=zone)
    return decision


@cites("P050-2.5i", "502.25c")
def lease(ctx: Context, *, provider: str, signed: LeaseSigned, request_id: str) -> Steps:
    """Sign a lease with its agreements; give the Provider's confirmation with the device."""
    answer = yield Ask(provider, signed, f"lease {request_id}")
    confirmed = answer.body
    assert isinstance(confirmed, LeaseConfirmed)
    if ctx.tx.get("device", confirmed.device) is None:
        record = {
            "lease": confirmed.lease,
            "license": signed.license,
            "account": confirmed.account,
            "provider": provider,
        }
        ctx.tx.put("device", confirmed.device, record, owner=ctx.party, expected=0)
        ctx.note(
            "lease.confirmed",
            confirmed.lease,
            clauses=("P050 2.5(i)",),
            device=confirmed.device,
            license=signed.license,
            provider=provider,
        )
    return confirmed
