"""How a license stands, and the written notice of a decision about it (P050 2.2 to 2.4).

Here: the records of decisions, the notice to the licensee and its receipt, the answer to a licensee's question, the
last day for an appeal. Not here: making decisions (`licenses`, `revocations`), deciding appeals (`appeals`).
Kept: the last day is derived from facts; a decision is received once, by the notice or the answer that carried it
or by its return receipt, and the time for an appeal counts from there (P050 2.4).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import NoticeId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.rules import Duty, RuleSet
from towncircle.rules.calendars import start_of_day
from towncircle.rules.duties import HEADQUARTERS, derive
from towncircle.wire import waiting
from towncircle.wire.bodies import LicenseStanding, LicenseStandingQuery, Notice
from towncircle.wire.bodies.common import Ground
from towncircle.wire.message import Opened

APPEAL = "license-appeal"
_MOST, _MORE = 1000, "... (the whole: license standing)"
State = Literal["valid", "revoked", "refused", "given up"]
REVOKED, REFUSED, VALID, GIVEN_UP = "revoked", "refused", "valid", "given up"


def serves(row: Record, provider: str) -> bool:
    """Tell whether a Provider serves a license: one license covers the systems of every Provider (P050 2.1)."""
    return provider in providers_of(row)


def providers_of(row: Record) -> tuple[str, ...]:
    """Give the Providers that serve a license, the first one first."""
    named = (str(row.body["provider"]), *map(str, row.body.get("providers", ())))
    return tuple(dict.fromkeys(name for name in named if name))


def license_row(ctx: Context, number: str) -> Record:
    """Give a license. Raises `Refused` (license.unknown)."""
    row = ctx.tx.get("license", number)
    if row is None:
        raise Refused("license.unknown", about=number[:64])
    return row


def not_valid(ctx: Context, row: Record, *, clause: str = "P050 2.3") -> Refused:
    """Say that a license is not valid, since when and by which decision."""
    held = ctx.tx.get("revocation", row.key)
    revoked = held is not None and row.body["state"] == REVOKED
    at = held.body["at"] if held is not None and revoked else row.body.get("given_up_at", row.body["issued_at"])
    decision = held.body["decision"] if held is not None and revoked else "the licensee's own"
    return Refused(
        "license.not-valid", license=row.key, state=row.body["state"], at=Instant(at), decision=decision, clause=clause
    )


def decision_about(ctx: Context, about: str) -> dict[str, Any] | None:
    """Give the refusal or revocation about an application or a license that stands, or None."""
    row = ctx.tx.get("license", about)
    if row is not None:
        held = ctx.tx.get("revocation", about) if row.body["state"] == REVOKED else None
        return {**held.body, "state": REVOKED, "licensee": row.owner, "license": about} if held else None
    application = ctx.tx.get("application", about)
    if application is None or application.body["outcome"] != REFUSED:
        return None
    return {**application.body, "state": REFUSED, "decision": about, "licensee": application.owner}


@cites("P050-2.3g/1", "P050-2.4", "P050-2.2/6")
def on_query(ctx: Context, opened: Opened, *, rules: RuleSet) -> LicenseStanding:
    """Answer a licensee how its license or application stands; a refusal or revocation is thereby received."""
    body, sender = opened.body, opened.envelope.sender
    assert isinstance(body, LicenseStandingQuery)
    row = ctx.tx.get("license", body.about) or ctx.tx.get("application", body.about)
    if row is None or row.owner != sender:
        raise Refused("license.unknown", about=body.about, clause="P050 2.3")  # its notice goes to the licensee
    decision = decision_about(ctx, body.about)
    if decision is not None and received_on(ctx, body.about, decision) is None:
        receive(ctx, body.about, decision, at=ctx.now, how="answer")
    return standing(ctx, body.about, row, decision, rules)


def standing(ctx: Context, about: str, row: Record, decision: dict[str, Any] | None, rules: RuleSet) -> LicenseStanding:
    """Say how a license or an application stands, with the notice of the decision that stands about it.

    An appeal is shown that was filed against just that decision, or, where none stands, the last one.
    """
    held = ctx.tx.get("appeal-about", about)
    mine = held is not None and (decision is None or held.body["decision"] == decision["decision"])
    appeal = ctx.tx.get("appeal", held.body["docket"]) if held is not None and mine else None
    number = str(decision.get("license", "")) if decision else (about if row.kind == "license" else row.body["license"])
    office = ctx.tx.get("license", number) if number else None
    named = office.body if office else row.body
    state: State = office.body["state"] if office else "refused"
    duty = window(ctx, about, decision, rules) if decision else None
    return LicenseStanding(
        about=about,
        license=number,
        state=state,
        decision=str(decision["decision"]) if decision else "",
        grounds=grounds_of(decision["grounds"] if decision else ()),
        at=Instant(decision["at"]) if decision and decision.get("at") else Instant(named.get("issued_at", ctx.now)),
        appeal_by=duty.last_day.isoformat() if duty and not duty.closed else "",
        docket=appeal.key if appeal else "",
        appeal=appeal.body["state"] if appeal else "none",
        reasons=str(appeal.body["reasons_given"]) if appeal else "",
        office_zip=str(named.get("office_zip", "")),
        office_city=str(named.get("office_city", "")),
        office_state=str(named.get("office_state", "")),
        provider=str(named["provider"]),
    )


@cites("P050-2.3g/1")
def give_notice(ctx: Context, *, about: str, to: str, decision: str, title: str, says: str, until: Instant) -> None:
    """Write the notice of a decision about a license to its licensee: it waits until the licensee's host asks."""
    notice = Notice(
        reference=NoticeId.new(ctx.randomness),
        kind="notice",
        limit=APPEAL,
        duty=decision,
        about=about,
        title=title,
        says=says if len(says) <= _MOST else f"{says[: _MOST - len(_MORE)]}{_MORE}",
        clause="P050 2.3(g)",
        until=until,
    )
    waiting.put(ctx, notice, to=to)
    told: dict[str, Any] = {"notice": notice.reference, "to": to, "limit": APPEAL, "duty": decision}
    ctx.note("license.decision-noticed", about, clauses=(notice.clause,), until=until.iso(), **told)


def appeal_until(ctx: Context, rules: RuleSet, zone: str) -> Instant:
    """Give the last instant for an appeal against a decision that were received now."""
    zone = zone or HEADQUARTERS
    return rules.length_of(APPEAL, ctx.now.date_in(zone)).ends(ctx.now, zone)


@cites("P050-2.4")
def on_delivered(ctx: Context, notice: Record) -> None:
    """Take a decision for received when the licensee's host keeps its notice."""
    about = str(notice.body["about"])
    decision = decision_about(ctx, about) if notice.body["limit"] == APPEAL else None
    if decision is not None and decision["decision"] == notice.body["duty"] and not received_on(ctx, about, decision):
        receive(ctx, about, decision, at=ctx.now, how="notice")


def grounds_of(rows: Any) -> tuple[Ground, ...]:
    """Give kept grounds as a message carries them."""
    return tuple(Ground(code=code, sentence=text, clause=clause) for code, text, clause in rows)


def window(ctx: Context, about: str, decision: dict[str, Any], rules: RuleSet) -> Duty | None:
    """Give the time for an appeal against a decision, as the facts have it, or None before it was received."""
    facts = ctx.tx.facts()
    duties = derive(rules, facts, party=ctx.party, as_of=ctx.now, wanted=lambda limit: limit.id == APPEAL)
    named = (about, decision["decision"])
    return next((duty for duty in duties if (duty.thread, duty.anchor.body["decision"]) == named), None)


def received_on(ctx: Context, about: str, decision: dict[str, Any]) -> date | None:
    """Give the day on which a decision was received, or None."""
    held = ctx.tx.get("receipt", f"{about} {decision['decision']}")
    return date.fromisoformat(held.body["on"]) if held else None


@cites("P050-2.4")
def record_receipt(ctx: Context, *, about: str, on: date) -> None:
    """Record the return receipt of a paper notice.

    Raises `Refused` (license.nothing-to-appeal, license.receipt-known), `BadInput` (license.receipt-impossible).
    """
    decision = decision_about(ctx, about)
    if decision is None:
        raise Refused("license.nothing-to-appeal", about=about[:64])
    known = received_on(ctx, about, decision)
    if known is not None:
        raise Refused("license.receipt-known", about=about, day=known)
    made = Instant(decision["at"])
    zone = str(decision["zone"] or "America/New_York")
    if not made.date_in(zone) <= on <= ctx.now.date_in(zone):
        raise BadInput("license.receipt-impossible", about=about, made=made.date_in(zone), day=on)
    receive(ctx, about, decision, at=max(made, start_of_day(on, zone)), how="return receipt")


def receive(ctx: Context, about: str, decision: dict[str, Any], *, at: Instant, how: str) -> None:
    """Note that a decision was received, once: the time for an appeal begins."""
    zone = str(decision["zone"] or "America/New_York")
    record = {"on": at.date_in(zone).isoformat(), "how": how}
    owner = decision["licensee"]
    ctx.tx.put("receipt", f"{about} {decision['decision']}", record, owner=owner, expected=0)
    ctx.note(
        "license.decision-received",
        about,
        clauses=("P050 2.4",),
        occurred_at=at,
        licensee=owner,
        decision=decision["decision"],
        zone=zone,
        how=how,
    )
