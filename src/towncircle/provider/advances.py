"""Advances of the Provider (P050 3.5(a), 502.25(c)(1)): agreed with a licensee, given within a limit, repaid first.

Here: the agreement and the advance. Not here: the repayment, which comes with the next deposit (`accounts`).
Kept: no advance without an agreement that a person of the Provider has made; all that is outstanding stays within the
agreement and within the limit of the rule set; a locked or closed account gets none.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import AdvanceId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.ledger.recipes import advance_given
from towncircle.provider.accounts import check_open, today
from towncircle.rules import RuleSet
from towncircle.rules.offices import check_office
from towncircle.wire.bodies import AccountAnswer, AccountRequest

_MOST_WORDS = 400


@cites("502.25c/2")
def agree(ctx: Context, *, licensee: str, limit: Mills, rules: RuleSet) -> Record:
    """Agree to advance a licensee so much at most, as the person who asks; a limit of nothing ends the agreement.

    Raises `Refused` (account.unknown, advance.over-limit, person.unknown).
    """
    check_office(ctx, ctx.actor, "advance agree")
    most = rules.mills("advance_limit", today(ctx))
    if limit > most:
        raise Refused("advance.over-limit", amount=limit, limit=most)
    if limit < ZERO:
        raise BadInput("ledger.not-positive", what="the limit of an advance", amount=limit)
    if ctx.tx.get("account", licensee) is None:
        raise Refused("account.unknown", licensee=licensee[:64], provider=ctx.party)
    held = ctx.tx.get("advance-line", licensee)
    if limit == ZERO:
        return end(ctx, licensee=licensee, reason="agreed on nothing")
    body = {"limit": int(limit), "by": ctx.actor}
    kept = ctx.tx.put("advance-line", licensee, body, owner=licensee, expected=held.version if held else 0)
    ctx.note("advance.agreed", licensee, clauses=("502.25(c)(1)",), licensee=licensee, limit=int(limit), by=ctx.actor)
    return kept


@cites("502.25c/2", "P050-3.5a/2")
def end(ctx: Context, *, licensee: str, reason: str) -> Record:
    """End the agreement with a licensee, as the person who asks: nothing more is advanced, what is out is still owed.

    Raises `Refused` (advance.not-agreed, person.unknown), `BadInput` (advance.no-reason).
    """
    check_office(ctx, ctx.actor, "advance end")
    if not 0 < len(reason.strip()) <= _MOST_WORDS:
        raise BadInput("advance.no-reason", licensee=licensee[:64])
    held = ctx.tx.get("advance-line", licensee)
    if held is None or not held.body["limit"]:
        raise Refused("advance.not-agreed", licensee=licensee[:64], provider=ctx.party)
    body = {"limit": 0, "by": ctx.actor, "ended": int(ctx.now)}
    kept = ctx.tx.put("advance-line", licensee, body, owner=licensee, expected=held.version)
    owed = int(Books(ctx.tx).balance(f"advances/{licensee}"))
    told: dict[str, Any] = {"reason": reason, "by": ctx.actor, "outstanding": owed}
    ctx.note("advance.ended", licensee, clauses=("502.25(c)(1)",), licensee=licensee, **told)
    return kept


@cites("P050-3.5a", "P050-3.5a/2", "502.25c/2")
def give(ctx: Context, body: AccountRequest, licensee: str, *, rules: RuleSet) -> AccountAnswer:
    """Advance what was asked for, once. Raises `Refused`: advance.not-agreed, account.locked, ledger.ceiling, ..."""
    AdvanceId.parse(body.reference)
    line = ctx.tx.get("advance-line", licensee)
    limit = min(Mills(line.body["limit"]), rules.mills("advance_limit", today(ctx))) if line else ZERO
    held = ctx.tx.get("advance", body.reference)
    if held is None:
        if limit == ZERO:
            raise Refused("advance.not-agreed", licensee=licensee, provider=ctx.party)
        check_open(ctx, licensee)
        held = _give(ctx, body, licensee, limit)
    elif (held.owner, held.body["amount"]) != (licensee, int(body.amount)):
        raise Refused("account.conflict", reference=body.reference)
    books = Books(ctx.tx)
    return AccountAnswer(
        reference=body.reference,
        kind="advance",
        state="advanced",
        amount=Mills(held.body["amount"]),
        outstanding=books.balance(f"advances/{licensee}"),
        limit=limit,
        account_balance=books.balance(f"account/{licensee}"),
        check=0,
        reason="",
        at=ctx.now,
    )


def _give(ctx: Context, body: AccountRequest, licensee: str, limit: Mills) -> Record:
    entry = advance_given(advance_id=body.reference, licensee=licensee, amount=body.amount, limit=limit, at=ctx.now)
    Books(ctx.tx).post(entry)
    told: dict[str, Any] = {"amount": int(body.amount), "limit": int(limit), "asked_by": body.asked_by}
    ctx.note("advance.given", body.reference, clauses=("P050 3.5(a)", "502.25(c)(1)"), licensee=licensee, **told)
    return ctx.tx.put("advance", body.reference, {**told, "at": int(ctx.now)}, owner=licensee, expected=0)
