"""Appeals to the Manager, MTM, against a refused or revoked license (P050 2.4).

Here: the docket, and the decision with its reasons. Not here: the decisions appealed against.
Kept: an appeal is taken to the last day, which is derived from facts, and refused afterwards with that day named; one
that comes before any receipt of the decision is in time, and shows that it was received. The rule gives an appeal no
stay: the decision stands until it is reversed (ADR 28). Another person than the one who made the decision decides. A
reversal leaves one valid license at a post office.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, same_person
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.postal.licenses import issue, keep_data, stand_at, valid_at
from towncircle.postal.standing import (
    REVOKED,
    VALID,
    decision_about,
    give_notice,
    license_row,
    providers_of,
    receive,
    window,
)
from towncircle.rules import RuleSet
from towncircle.wire.bodies import AppealDecided, AppealDocketed, LicenseAppeal
from towncircle.wire.message import Opened

FILED, UPHELD, REVERSED = "filed", "upheld", "reversed"
_MOST = 4000


@cites("P050-2.4", "P050-2.2/6")
def on_appeal(ctx: Context, opened: Opened, *, rules: RuleSet) -> AppealDocketed:
    """Put an appeal on the docket.

    Raises `Refused`: license.nothing-to-appeal, license.appeal-filed, license.appeal-late; `BadInput`:
    license.appeal-empty.
    """
    body, sender = opened.body, opened.envelope.sender
    assert isinstance(body, LicenseAppeal)
    decision = decision_about(ctx, body.about)
    if decision is None or (decision["licensee"], decision["decision"]) != (sender, body.decision):
        raise Refused("license.nothing-to-appeal", about=body.about)
    if not body.reasons.strip():
        raise BadInput("license.appeal-empty", most=_MOST)
    held = ctx.tx.get("appeal-about", body.about)
    if held is not None and held.body["decision"] == decision["decision"]:
        earlier = ctx.tx.get("appeal", held.body["docket"])
        if earlier is not None and (earlier.body["reasons"], earlier.body["evidence"]) == (body.reasons, body.evidence):
            return AppealDocketed(docket=earlier.key, about=body.about, filed_at=Instant(earlier.body["filed_at"]))
        raise Refused("license.appeal-filed", about=body.about, docket=held.body["docket"])
    duty = window(ctx, body.about, decision, rules)
    if duty is None:  # who appeals has the decision
        receive(ctx, body.about, decision, at=ctx.now, how="appeal")
    elif duty.missed(ctx.now):
        raise Refused("license.appeal-late", about=body.about, last_day=duty.last_day)
    return _docket(ctx, body, decision, held)


def _docket(ctx: Context, body: LicenseAppeal, decision: dict[str, Any], held: Record | None) -> AppealDocketed:
    docket = f"MTM-{ctx.now.utc():%Y}-{ctx.tx.next_number('docket'):06d}"
    owner = decision["licensee"]
    record = {
        "about": body.about,
        "decision": decision["decision"],
        "decided_by": decision.get("by", ""),
        "state": FILED,
        "reasons": body.reasons,
        "evidence": body.evidence,
        "filed_at": int(ctx.now),
        "reasons_given": "",
    }
    ctx.tx.put("appeal", docket, record, owner=owner, expected=0)
    named = {"docket": docket, "decision": decision["decision"]}
    ctx.tx.put("appeal-about", body.about, named, owner=owner, expected=held.version if held else 0)
    ctx.note("license.appealed", body.about, clauses=("P050 2.4",), licensee=owner, **named)
    return AppealDocketed(docket=docket, about=body.about, filed_at=ctx.now)


@cites("P050-2.4")
def decide(ctx: Context, *, docket: str, reverse: bool, reasons: str) -> Record:
    """Decide an appeal with reasons: the decision is upheld, or reversed and the license is valid.

    Raises `Refused` (license.no-such-docket, license.same-person), `BadInput` (license.appeal-empty).
    """
    row = ctx.tx.get("appeal", docket)
    if row is None or row.body["state"] != FILED:
        raise Refused("license.no-such-docket", docket=docket[:40])
    if not reasons.strip() or len(reasons) > _MOST:
        raise BadInput("license.appeal-empty", most=_MOST)
    if same_person(ctx.actor, row.body["decided_by"]):
        raise Refused("license.same-person", person=ctx.actor, about=row.body["about"])
    outcome = REVERSED if reverse else UPHELD
    about = row.body["about"]
    number = _reverse(ctx, row) if reverse else about
    record = {**row.body, "state": outcome, "reasons_given": reasons, "decided_at": int(ctx.now), "by": ctx.actor}
    kept = ctx.tx.put("appeal", docket, record, owner=row.owner, expected=row.version)
    told = {"about": about, "licensee": row.owner, "outcome": outcome, "decision": row.body["decision"]}
    ctx.note("license.appeal-decided", docket, clauses=("P050 2.4",), **told)
    license_ = ctx.tx.get("license", number)
    application = ctx.tx.get("application", about)
    holder = license_ or application
    assert holder is not None
    for provider in providers_of(holder):
        body = AppealDecided(
            docket=docket,
            about=about,
            license=number if license_ is not None else "",
            licensee=row.owner,
            outcome="reversed" if reverse else "upheld",
            office_zip=str(holder.body.get("office_zip", "")),
            office_city=str(holder.body.get("office_city", "")),
            office_state=str(holder.body.get("office_state", "")),
            at=ctx.now,
        )
        ctx.send(provider, body, key=f"appeal {docket} {provider}")
    says = f"The appeal {docket} is decided: the decision is {outcome}. {reasons}"
    named = {"decision": docket, "title": "the appeal is decided", "says": says}
    give_notice(ctx, about=number if license_ is not None else about, to=row.owner, until=ctx.now, **named)
    return kept


def _reverse(ctx: Context, row: Record) -> str:
    """Undo the decision that an appeal reverses; give the number of the license that is valid at that office now."""
    about = row.body["about"]
    if ctx.tx.get("license", about) is None:
        return _license_refused(ctx, about, row.owner)
    license_ = license_row(ctx, about)
    office = str(license_.body["office_zip"])
    other = valid_at(ctx, row.owner, office)
    if license_.body["state"] == REVOKED and other is None:
        ctx.tx.put("license", about, {**license_.body, "state": VALID}, owner=row.owner, expected=license_.version)
        stand_at(ctx, about, owner=row.owner, office_zip=office)
    ctx.note(
        "license.revocation-withdrawn",
        about,
        clauses=("P050 2.4",),
        licensee=row.owner,
        decision=row.body["decision"],
        at=Instant(ctx.now).iso(),
    )
    return other.key if other is not None else str(about)


def _license_refused(ctx: Context, about: str, owner: str) -> str:
    """Issue the license that was refused, unless one is valid at that office by now; give its number."""
    application = ctx.tx.get("application", about)
    assert application is not None
    body = application.body
    held = valid_at(ctx, owner, str(body["office_zip"]))
    number = str(held.key if held is not None else issue(ctx, body, owner=owner))
    record = {**body, "outcome": "existing" if held is not None else "issued", "license": number}
    ctx.tx.put("application", about, record, owner=owner, expected=application.version)
    if held is None:
        keep_data(ctx, number, body["data"], owner=owner)
        named = {"application": about, "licensee": owner, "provider": body["provider"]}
        ctx.note("license.issued", number, clauses=("P050 2.4",), zone=body["zone"], **named)
    return number
