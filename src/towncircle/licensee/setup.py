"""From the application to the lease (P050 2.1, 2.5i).

Here: the licensee's side of journey A up to the device. Not here: funds.
Kept: the licensee reads the Postal Service's own signed decision, not the Provider's word of it.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused, RelayedRefusal
from towncircle.licensee import custody, licenses, promises
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
                "sentence": f"The application {application.application_id} for a license was refused.",
                "clause": "P050 2.2",
                "next_step": "Mend the grounds and apply again, or appeal in writing to the Manager, MTM (P050 2.4): "
                f"towncircle license DIR appeal --about {application.application_id}",
                "grounds": [{"code": g.code, "sentence": g.sentence, "clause": g.clause} for g in decision.grounds],
            }
        )
    if ctx.tx.get("license", decision.license) is None:
        record = {
            "office_zip": decision.office_zip,
            "office_city": decision.office_city,
            "office_state": decision.office_state,
            "provider": provider,
            "received_at": int(ctx.now),
        }
        ctx.tx.put("license", decision.license, record, owner=ctx.party, expected=0)
        licenses.keep_form(ctx, decision.license, {name: str(getattr(application, name)) for name in licenses.FORM})
        zone = place_of(decision.office_zip).zone
        ctx.note("license.received", decision.license, clauses=("P050 2.1",), provider=provider, zone=zone)
    return decision


@cites("P050-2.5i", "502.25c")
def lease(ctx: Context, *, provider: str, signed: LeaseSigned, request_id: str, half_of: str = "") -> Steps:
    """Sign a lease with its agreements; give the Provider's confirmation with the device.

    With `half_of` it is the hosted half of that device, in a hybrid.

    Raises `Refused` (license.data-open) where the license data are known to be old.
    """
    licenses.no_open_change(ctx, signed.license)
    answer = yield Ask(provider, signed, f"lease {request_id}")
    confirmed = answer.body
    assert isinstance(confirmed, LeaseConfirmed)
    held = ctx.tx.get("device", confirmed.device)
    if held is not None and promises.LEASED not in held.body:  # the release before kept no order
        body = {**held.body, promises.LEASED: ctx.tx.next_number("lease")}
        ctx.tx.put("device", held.key, body, owner=held.owner, expected=held.version)
    if held is None:
        record = {
            "lease": confirmed.lease,
            "license": signed.license,
            "account": confirmed.account,
            "provider": provider,
            promises.LEASED: ctx.tx.next_number("lease"),
            custody.AWAITED: True,
            **({promises.HALF_OF: half_of} if half_of else {}),
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
