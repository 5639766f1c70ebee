"""Postage lost to malfunction (P050 3.3, 502.27(d)): claimed, weighed by the registers, borne by the Provider.

Here: the claim and its decision. Not here: the device's way out of service, which comes before (`checkouts`).
Kept: a claim rests on the device's last signed registers. What they show as still in a device that cannot give it back
is the most that is credited, once for a device, and only when the Provider has the device, examined and written off:
that it failed is its host's word, and a host that has it yet could print what was credited. One person decides, another
approves. The Provider bears it: the credit is its own money and no refund of the Postal Service.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, second_person
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import ClaimId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.ledger.recipes import malfunction_credited
from towncircle.provider.checkouts import DONE
from towncircle.provider.inventory import device_record
from towncircle.rules.offices import check_office
from towncircle.wire.bodies import AccountAnswer, AccountRequest
from towncircle.wire.bodies.checkout import EXAMINATION
from towncircle.wire.bodies.cmrs import CLAIMED, DECLINED, GRANTED

_WRITTEN_OFF = ("checked out", "scrapped")


@cites("502.27d", "P050-3.3a")
def take(ctx: Context, body: AccountRequest, licensee: str) -> AccountAnswer:
    """Take a claim, or tell how it stands. Raises `Refused`: claim.not-examined, claim.no-evidence, ..."""
    ClaimId.parse(body.reference)
    held = ctx.tx.get("claim", body.reference)
    if held is None:
        held = _take(ctx, body, licensee)
    elif (held.owner, held.body["device"], held.body["claimed"]) != (licensee, body.device, int(body.amount)):
        raise Refused("account.conflict", reference=body.reference)
    return answer(ctx, held)


def _take(ctx: Context, body: AccountRequest, licensee: str) -> Record:
    if body.amount <= ZERO:
        raise BadInput("ledger.not-positive", what="a claim", amount=body.amount)
    row = device_record(ctx, body.device)
    if row.owner != licensee:
        raise Refused("provider.unknown-device", device=body.device, provider=ctx.party)
    out = ctx.tx.get("check-out", row.key)
    if out is None or (out.body["state"], out.body.get("outcome")) != (DONE, EXAMINATION):
        raise Refused("claim.not-examined", device=row.key)
    if row.body.get("retired"):
        raise Refused("provider.retired", device=row.key, case=row.body["retired"])
    if any(one.body["state"] != DECLINED for one in ctx.tx.find("claim") if one.body["device"] == row.key):
        raise Refused("claim.device-claimed", device=row.key)
    shown = _lost(ctx, row)
    about: dict[str, Any] = {"device": row.key, "claimed": int(body.amount), "shown": int(shown)}
    about |= {"reading": row.body["message_counter"], "asked_by": body.asked_by}
    record = {**about, "state": CLAIMED, "reason": body.reason, "amount": 0, "at": int(ctx.now)}
    kept = ctx.tx.put("claim", body.reference, record, owner=licensee, expected=0)
    ctx.note("malfunction.claimed", body.reference, clauses=("502.27(d)",), licensee=licensee, **about)
    return kept


def _lost(ctx: Context, row: Record) -> Mills:
    """Give what the device's last signed reading shows as still in it. Raises `Refused` (claim.no-evidence)."""
    held = Books(ctx.tx).device(row.owner, row.key)
    signed = (Mills(row.body["ascending"]), Mills(row.body["descending"]))
    if not row.body.get("audit") or (held.ascending, held.descending) != signed or held.descending == ZERO:
        raise Refused("claim.no-evidence", device=row.key)
    return held.descending


@cites("502.27d", "P050-3.3a")
def decide(ctx: Context, *, claim: str, grant: bool, finding: str) -> Record:
    """Decide a claim as the person who asks, approved by another; what is granted is credited at once.

    The same decision again gives the first answer. Raises `Refused`: claim.unknown, claim.decided-before,
    claim.no-finding, claim.not-written-off, person.same-person.
    """
    check_office(ctx, ctx.actor, "claim decide")
    held = ctx.tx.get("claim", claim)
    if held is None:
        raise Refused("claim.unknown", claim=claim[:40])
    second = second_person(ctx.actor, ctx.approvals, what="A malfunction credit", clause="502.27(d)")
    approver = check_office(ctx, second, "claim decide")
    if not finding.strip():
        raise Refused("claim.no-finding", claim=claim)
    state = GRANTED if grant else DECLINED
    if held.body["state"] != CLAIMED:
        if (held.body["state"], held.body["decided_by"], held.body["approved_by"]) == (state, ctx.actor, approver):
            return held
        raise Refused("claim.decided-before", claim=claim, state=held.body["state"], by=held.body["decided_by"])
    amount = min(Mills(held.body["claimed"]), _to_credit(ctx, held.body["device"])) if grant else ZERO
    about: dict[str, Any] = {"device": held.body["device"], "licensee": held.owner, "amount": int(amount)}
    people: dict[str, Any] = {"decided_by": ctx.actor, "approved_by": approver, "finding": finding[:200]}
    body = {**held.body, **people, "state": state, "amount": int(amount)}
    kept = ctx.tx.put("claim", claim, body, owner=held.owner, expected=held.version)
    if grant:
        Books(ctx.tx).post(malfunction_credited(credit_id=claim, at=ctx.now, **{**about, "amount": amount}))
        ctx.note("malfunction.credited", claim, clauses=("502.27(d)", "P050 3.3"), **about, **people)
    else:
        ctx.note("malfunction.declined", claim, clauses=("502.27(d)",), **about, **people)
    return kept


def _to_credit(ctx: Context, device: str) -> Mills:
    """Give the most that is credited for a device. Raises `Refused` (claim.not-written-off, claim.no-evidence)."""
    row = device_record(ctx, device)
    if row.body["custody"] not in _WRITTEN_OFF:
        raise Refused("claim.not-written-off", device=row.key, custody=row.body["custody"])
    return _lost(ctx, row)


def answer(ctx: Context, held: Record) -> AccountAnswer:
    """Tell a licensee how its claim stands."""
    books = Books(ctx.tx)
    return AccountAnswer(
        reference=held.key,
        kind="claim",
        state=held.body["state"],
        amount=Mills(held.body["amount"]),
        outstanding=books.balance(f"advances/{held.owner}"),
        limit=Mills(held.body["shown"]),
        account_balance=books.balance(f"account/{held.owner}"),
        check=0,
        reason=held.body.get("finding", ""),
        at=ctx.now,
    )
